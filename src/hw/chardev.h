/* The far end of a serial line, as devices see it: bytes out, bytes in.  Devices know nothing of
 * terminals and files; ui implements this, and main connects the two.
 *
 * Out: a device calls chardev_write() on the machine thread.
 * In: a device that wants input calls chardev_set_receiver() once, when it is made.  The implementer
 * calls the receiver from a thread of its own with what has come; the receiver must only copy the
 * bytes and machine_post() them, and returns how many it took.  When it takes fewer than offered the
 * implementer keeps the rest and offers them again when the device calls chardev_accept_input(). */
#ifndef CALQUE_HW_CHARDEV_H
#define CALQUE_HW_CHARDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CHARDEV_BREAK: a break condition on the line (Ctrl-A b); comes with no bytes.
 * CHARDEV_OPENED: somebody has come to the other end (a socket was connected).
 * CHARDEV_FOCUS: the user has turned to this device of several on one terminal (Ctrl-A c).
 * CHARDEV_ENDED: nothing more will come, but somebody may still listen; calls for chardev_hang_up(). */
typedef enum CharDevEvent { CHARDEV_BREAK, CHARDEV_OPENED, CHARDEV_FOCUS, CHARDEV_ENDED } CharDevEvent;

typedef struct CharDevReceiver {
    /* Both run on any thread but the machine's, one at a time. */
    size_t (*receive)(void *opaque, const uint8_t *buf, size_t n);
    void (*event)(void *opaque, CharDevEvent ev); /* may be NULL */
    void *opaque;
} CharDevReceiver;

typedef struct CharDev CharDev;
typedef struct CharDevOps {
    /* Takes all n bytes; never blocks for long (a stuck reader loses the oldest output, not the machine). */
    void (*write)(CharDev *cd, const uint8_t *buf, size_t n);
    /* Replaces the receiver; one without .receive disconnects: when this returns no call is under way. */
    void (*set_receiver)(CharDev *cd, const CharDevReceiver *r);
    void (*accept_input)(CharDev *cd);
    /* After CHARDEV_ENDED: all that came before has been answered. */
    void (*hang_up)(CharDev *cd);
} CharDevOps;

/* The head of every implementation's own struct. */
struct CharDev {
    const CharDevOps *ops;
};

/* All of these accept NULL, as a line with nothing at its end. */
static inline void chardev_write(CharDev *cd, const void *buf, size_t n)
{
    if (cd && cd->ops->write) cd->ops->write(cd, buf, n);
}
static inline void chardev_set_receiver(CharDev *cd, const CharDevReceiver *r)
{
    if (cd && cd->ops->set_receiver) cd->ops->set_receiver(cd, r);
}
static inline void chardev_accept_input(CharDev *cd)
{
    if (cd && cd->ops->accept_input) cd->ops->accept_input(cd);
}
static inline void chardev_hang_up(CharDev *cd)
{
    if (cd && cd->ops->hang_up) cd->ops->hang_up(cd);
}

#endif
