/* What front ends ask of the machine from their own thread, and what they want to know of it. */
#ifndef CALQUE_UI_MACHINE_CALLS_H
#define CALQUE_UI_MACHINE_CALLS_H

#include "ui/frontend.h"

typedef struct MachineCalls MachineCalls;
MachineCalls *calls_new(const FrontendConfig *cfg);
/* When the machine does not run any more. */
void calls_free(MachineCalls *c);

void calls_power_button(MachineCalls *c);
void calls_reset(MachineCalls *c);
void calls_toggle_pause(MachineCalls *c);
/* Writes calque-N.png in the current folder, N the first that is free.  The result comes in calls_message(). */
void calls_screenshot(MachineCalls *c);
/* Presses them all, then lets go. */
void calls_chord(MachineCalls *c, const Key *keys, unsigned n);
/* Asks for the next two to be brought up to date; costs one post. */
void calls_refresh(MachineCalls *c);
bool calls_is_paused(MachineCalls *c);
/* Guest time in percent of real time, between the last two refreshes: less than 100 where the host has no time for
 * the machine, more while lost time is made up for.  0 until it is known. */
unsigned calls_speed(MachineCalls *c);
/* Takes what is to be told to the user.  False: nothing, text is left alone. */
bool calls_message(MachineCalls *c, char *text, size_t size);

#endif
