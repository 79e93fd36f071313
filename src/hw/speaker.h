/* The hatch to whoever makes the PC speaker heard: hw says what the speaker's input does from now on, as a wave, not as
 * samples.  Called on the machine thread, which must not be kept. */
#ifndef CALQUE_HW_SPEAKER_H
#define CALQUE_HW_SPEAKER_H

#include <stdbool.h>
#include <stdint.h>

/* A level; first_ns later (0: never) the other one; and then high_ns high, low_ns low and so on, or if both are 0 no change
 * any more. */
typedef struct SpeakerWave {
    bool level;
    uint64_t first_ns;
    uint64_t high_ns, low_ns;
} SpeakerWave;

typedef struct SpeakerSink {
    void (*wave)(void *opaque, const SpeakerWave *w); /* NULL: nobody listens */
    /* Comes every SPEAKER_ALIVE_NS while there is a tone: when it stays away the machine has been stopped. */
    void (*alive)(void *opaque);
    void *opaque;
} SpeakerSink;

#define SPEAKER_ALIVE_NS UINT64_C(50000000)

#endif
