/* The system's window: the linear address space as code of CPL 0 to 2 sees it, mapped piece by piece into the host's like the
 * user's (window.h), but of global pages only, so that it stays over CR3 loads, and any block may use it at any time.
 * It is always open; which blocks use it is its user's to say.
 *
 * It lies right behind memory of its owner's, the CPU's state: code that has a register for that one reaches the window by a
 * displacement. */
#ifndef CALQUE_SOFTMMU_WINDOW_GLOBAL_H
#define CALQUE_SOFTMMU_WINDOW_GLOBAL_H

#include "softmmu/window.h"

typedef struct WindowGlobal WindowGlobal;

/* Zeroed memory of that size, on a page border, with address space for a window behind it.  NULL: the host has no room. */
void *window_global_reserve(size_t size);
void window_global_release(void *reserved, size_t size);

bool window_global_enable(Mmu *m, void *reserved, size_t size); /* false: no memory */
void window_global_free(Mmu *m);
/* Host address of linear address 0; 64 KiB before it and behind 4 GiB are never accessible.  NULL: not enabled. */
uint8_t *window_global_base(const Mmu *m);
WindowStats window_global_stats(const Mmu *m);

/* A host page fault at that address.  False: not in this window.  Else the next slow access by CPL 0 to 2 is the one that met
 * it. */
bool window_global_faulted(Mmu *m, uintptr_t host);

/* For mmu.c */
void window_global_serve(Mmu *m, const TlbEntry *e, bool global, uint32_t page, bool write);
void window_global_drop(Mmu *m);
void window_global_forget(Mmu *m, uint32_t first, uint32_t bytes);
void window_global_protect(Mmu *m, uintptr_t host, uintptr_t bytes);

#endif
