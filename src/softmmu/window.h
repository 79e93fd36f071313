/* The window: the linear address space, mapped piece by piece at one place of the host's, so that generated code
 * reaches guest memory with the guest's own addressing and no check at all.  It is user mode's, or, while paging is off, that
 * of the CPL that was found running.  doc/window.txt explains when that pays.
 *
 * What is mapped is always less than what the guest's tables allow: pages of RAM that the TLB knows, writable when a store
 * needs nobody's attention (D set, no translated code, no display memory); without paging, the RAM around them too.
 * Everything else is not accessible: the host's page fault leads the access to its slow path, and that maps the page.
 * What the TLB forgets, the window forgets. */
#ifndef CALQUE_SOFTMMU_WINDOW_H
#define CALQUE_SOFTMMU_WINDOW_H

#include "softmmu/mmu.h"

typedef struct Window Window;

/* Makes the window possible: address space is reserved, nothing mapped.  page_ns: what a page costs (window_page_ns()), by which
 * it is decided when the window pays.  False: the host has no room (no error then: Calque goes without). */
bool window_enable(Mmu *m, unsigned page_ns);
void window_free(Mmu *m);
/* Host address of linear address 0; the 4 GiB above and a guard at each end are the window's.  NULL: not enabled.  It is another
 * one for each of some address spaces: see Mmu.on_window_moved. */
uint8_t *window_base(const Mmu *m);

/* The CPU was found using the TLB idx.  Such samples decide when the window opens for it (Mmu.window_open: translations for it
 * are to be used; in real mode Mmu.window_real, too) and when it does not pay.  fair: a hardware interrupt, and so in proportion to
 * the time spent there; without paging there may be none, and polls must do.  idx: MMU_USER, or without paging any.  stack: linear
 * address of the stack, by which a space is told from an earlier one with the same CR3. */
void window_sample(Mmu *m, unsigned idx, uint32_t stack, bool fair);
void window_open_now(Mmu *m, unsigned idx); /* without asking whether it pays; enabled, and not open yet */
/* The next slow access comes from the window: what it touches is to be mapped.  False: real mode is not to use the window any
 * more (Mmu.window_real). */
bool window_faulted(Mmu *m);

/* Back in user mode, and there is something in Mmu.window_wanted: a page that the system has most likely made present, and the
 * access that faulted is about to run again, so mapping it now spares the host another fault; or the window itself, when its
 * space is back.  May close and open it: call it before the CPU's mode is found out. */
void window_serve_wanted(Mmu *m);

/* For mmu.c */
void window_serve(Mmu *m, const TlbEntry *e, uint32_t page, bool write);
void window_close(Mmu *m);        /* every translation is in doubt */
void window_space_loaded(Mmu *m); /* closed, and the tables that count now may be the window's */
void window_drop(Mmu *m);         /* so is where memory is: nothing stays mapped */
void window_forget(Mmu *m, uint32_t first, uint32_t bytes);      /* these are: INVLPG */
void window_protect(Mmu *m, uintptr_t host_lo, uintptr_t bytes); /* stores to this host memory need attention again */

typedef struct WindowStats {
    uint64_t opened, resumed, closed, faults, mapped, hopeless;
} WindowStats;
WindowStats window_stats(const Mmu *m);

#endif
