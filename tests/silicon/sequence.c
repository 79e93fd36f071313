#include "silicon.h"
void generate_sequence(Rng *r, const DecodeFeatures *feat, bool fp, unsigned slot, Case *c){(void)r,(void)feat,(void)fp,(void)slot,(void)c;}
void generate_sequence_input(Rng *r, Case *c){(void)r,(void)c;}
