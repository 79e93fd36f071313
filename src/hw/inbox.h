/* Bytes on their way from a CharDev's thread to a device: the reader's thread puts them into a small
 * buffer and posts; the device takes them on the machine thread when it has room.  What does not fit
 * stays with the CharDev, so nothing is lost however slowly the guest reads. */
#ifndef CALQUE_HW_INBOX_H
#define CALQUE_HW_INBOX_H

#include "hw/chardev.h"
#include "hw/machine.h"

typedef struct Inbox Inbox;
/* ready(opaque) runs on the machine thread when bytes or an event have come.  cd may be NULL. */
Inbox *inbox_new(Machine *m, CharDev *cd, void (*ready)(void *opaque), void *opaque);
void inbox_free(Inbox *in);
/* Machine thread.  False: nothing there. */
bool inbox_get(Inbox *in, uint8_t *byte);
/* Machine thread.  True once for each break condition seen (several close together count as one). */
bool inbox_get_break(Inbox *in);
/* The same for any event. */
bool inbox_get_event(Inbox *in, CharDevEvent ev);

#endif
