/* What a window's page costs on this host. */
#ifndef CALQUE_SOFTMMU_WINDOW_COST_H
#define CALQUE_SOFTMMU_WINDOW_COST_H

/* Nanoseconds for mapping a page of memory a second time, its first touch there, and taking it away again: 15,000 to
 * 30,000 in a virtual machine whose own page tables are shadowed, less elsewhere.  Measured anew with each call,
 * in a few milliseconds at worst.  A guess where the host has no memory files. */
unsigned window_page_ns(void);

#endif
