/* The human monitor: a line of text in, an answer out, in the words that QEMU's users know.
 * Everything here runs on the machine thread: bytes come through the one door (hw/inbox.h), so a command
 * sees and changes the machine between two blocks. */
#ifndef CALQUE_MONITOR_MONITOR_H
#define CALQUE_MONITOR_MONITOR_H

#include "block/drive.h"
#include "exec/exec.h"
#include "hw/chardev.h"
#include "hw/display.h"
#include "hw/input.h"
#include "hw/pci.h"

/* The machine as the monitor sees it.  What a board lacks is NULL, and commands say so. */
typedef struct MonitorBoard {
    Machine *machine;
    const char *name; /* -name */
    Exec *exec;
    Input *input;
    Display *display;
    PciBus *pci;
    DriveSet *drives;
    void (*power_button)(Machine *m);
    /* Writes the screen to a file, PNG or PPM by its suffix.  False: error says why. */
    bool (*screendump)(Display *d, const char *path, char *error, size_t error_size);
} MonitorBoard;

typedef struct Monitor Monitor;
/* Listens on cd, which it needs for itself.  Before the machine runs, or on its thread. */
Monitor *monitor_new(const MonitorBoard *board, CharDev *cd);
/* When the machine does not run any more. */
void monitor_free(Monitor *mon);

#endif
