/* Waves of the PC speaker become samples.  Waves come from the machine thread and samples are asked for by another one, without
 * a lock between them: a ring with one writer and one reader. */
#ifndef CALQUE_UI_TONE_H
#define CALQUE_UI_TONE_H

#include <stdatomic.h>

#include "hw/speaker.h"

/* A second of a program that plays samples by switching the speaker 16000 times, at the least latency. */
enum { TONE_RING = 4096 };

typedef struct ToneEvent {
    uint64_t at; /* ns, on the clock of both sides */
    SpeakerWave wave;
} ToneEvent;

typedef struct Tone {
    ToneEvent ring[TONE_RING];
    atomic_uint put, taken;
    atomic_uint_least64_t alive_until; /* from then on there is silence */
    /* The reader's. */
    ToneEvent now;
    double last_in, last_out;
} Tone;

/* Writer.  False: the ring is full, and the wave is dropped. */
bool tone_put(Tone *t, uint64_t at, const SpeakerWave *w);
void tone_alive(Tone *t, uint64_t until);
bool tone_is_empty(const Tone *t); /* all waves have been taken */

/* Reader: the n samples from time `from` on, at rate per second.  False: they are silence, and what follows is too until another
 * wave comes. */
bool tone_render(Tone *t, uint64_t from, unsigned rate, int16_t *out, unsigned n);

#endif
