/* The PC speaker on the host's sound, through SDL.  The device is opened when there is a first sound, by a thread of its own, and
 * rests while there is none: the machine thread only ever puts a wave into a ring. */
#ifndef CALQUE_UI_AUDIO_H
#define CALQUE_UI_AUDIO_H

#include "hw/speaker.h"

/* Fills *sink.  False: no thread. */
bool audio_start(SpeakerSink *sink);
/* The machine does not run any more.  After this the sink is not to be called.  Before SDL's end. */
void audio_stop(void);

#endif
