/* The state of the whole machine in a few numbers, to tell whether two runs went the same way. */
#ifndef CALQUE_HW_DIGEST_H
#define CALQUE_HW_DIGEST_H

#include "hw/machine.h"

/* Line by line: instructions run and virtual time; a digest of the processor's registers, of each RAM and of each device
 * as its fields describe it; last, one of them all.  What is not the guest's (TLBs, translations) does not enter.  At a
 * block boundary. */
void machine_digest(Machine *m, void (*emit)(void *opaque, const char *line), void *opaque);

#endif
