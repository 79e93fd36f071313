/* What shows the screen and takes the user's hands: the window (sdl.c), the terminal (curses.c), or nothing.
 * A front end runs on the main thread, since window systems want that; the machine then has a thread of its
 * own.  The screen comes over through a DisplayMirror, keys and pointer go through hw/input.h, and what else a user
 * may ask of the machine is posted to it. */
#ifndef CALQUE_UI_FRONTEND_H
#define CALQUE_UI_FRONTEND_H

#include <pthread.h>

#include "hw/display.h"
#include "hw/input.h"

typedef struct FrontendConfig {
    Machine *machine;
    Display *display;
    Input *input;
    const char *name; /* -name, or NULL */
    bool full_screen;
    void (*power_button)(Machine *m);                                                 /* machine thread */
    bool (*screendump)(Display *d, const char *path, char *error, size_t error_size); /* machine thread */
    void (*quit)(void *machine);                                                      /* any thread */
} FrontendConfig;

typedef struct Frontend {
    const char *name, *help;
    /* Main thread, before the machine runs.  False: error says why. */
    bool (*open)(const FrontendConfig *cfg, char *error, size_t error_size);
    void (*run)(pthread_t machine_thread); /* until stop() */
    void (*stop)(void);                    /* any thread: the machine has ended */
    void (*close)(void);                   /* main thread, machine still there but not running */
} Frontend;
extern const Frontend sdl_frontend, curses_frontend;

#endif
