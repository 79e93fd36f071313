/* Character devices on sockets: internal to ui. */
#ifndef CALQUE_UI_SOCKET_H
#define CALQUE_UI_SOCKET_H

#include "hw/chardev.h"

/* spec: "unix:PATH" or "tcp:[HOST]:PORT", then options: ",server" or ",server=on" listens (else connects now),
 * ",nowait" or ",wait=off" does not wait for the first to connect; ",nodelay" is taken.  One client at a time; what is
 * written while there is none is lost.  NULL: error says why. */
CharDev *socket_open(const char *spec, char *error, size_t error_size);

#endif
