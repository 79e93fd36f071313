/* The TLBs: filling, forgetting, finding.
 *
 * Guests switch address spaces thousands of times a second, so a CR3 load must not sweep the tables: the
 * slots filled since the last flush are on a list, one for global and one for other pages.  Large pages
 * are filled as 4 KiB pieces, which keeps the inline check at one compare.  A victim cache of a few
 * entries per table catches the conflicts of a direct-mapped table (stack against heap). */
#include <stdlib.h>
#include <string.h>

#include "softmmu/mmu_book.h"
#include "softmmu/window_global.h"
#include "util/log.h"
#include "util/die.h"

#define TAG_EMPTY UINT32_C(0xffffffff)

static void remapped(void *opaque)
{
    mmu_flush_all(opaque);
}

static void cleaned(void *opaque, const uint8_t *lo, const uint8_t *hi);

void mmu_init(Mmu *m, PhysMem *phys)
{
    memset(m, 0, sizeof(*m));
    m->phys = phys;
    m->a20_mask = 0xffffffff;
    m->book = calloc(1, sizeof(*m->book));
    if (!m->book) {
        die("out of memory for the TLB");
    }
    memset(m->tlb, 0xff, sizeof(m->tlb));
    memset(m->itlb, 0xff, sizeof(m->itlb));
    phys_on_remap(phys, remapped, m);
    phys_on_cleaned(phys, cleaned, m);
}

void mmu_free(Mmu *m)
{
    if (!m->book) return;
    window_free(m);
    window_global_free(m);
    phys_off_remap(m->phys, remapped, m);
    phys_off_cleaned(m->phys, cleaned, m);
    mmu_undo_free(m);
    free(m->book);
    m->book = NULL;
}

/* --- forgetting --------------------------------------------------------------------------------- */

static void slot_empty(Mmu *m, unsigned table, unsigned n)
{
    mmu_undo_note(m, table, n);
    m->book->slot[table][n].flags &= SLOT_ON_LIST;
    if (table >= BOOK_FETCH) {
        *book_fetch_word(m, table, n) = MMU_ITLB_EMPTY;
    } else {
        m->tlb[table][n].tag_rd = TAG_EMPTY;
        m->tlb[table][n].tag_wr = TAG_EMPTY;
    }
}

static void flush_local(Mmu *m)
{
    MmuBook *b = m->book;
    m->n_flush++;
    mmu_undo_note_victims(m);
    if (m->window) window_close(m);
    if (log_on(LOG_MMU)) log_printf("mmu flush: %u entries that are not global\n", (unsigned)b->local.n);
    for (unsigned i = 0; i < b->local.n; i++) {
        unsigned table = b->local.id[i] / MMU_TLB_SIZE, n = b->local.id[i] % MMU_TLB_SIZE;
        Slot *s = &b->slot[table][n];
        s->flags &= (uint8_t)~SLOT_LISTED;
        if ((s->flags & (SLOT_VALID | SLOT_GLOBAL)) == SLOT_VALID) slot_empty(m, table, n);
    }
    b->local.n = 0;
    for (unsigned idx = 0; idx < MMU_MODES; idx++)
        for (unsigned i = 0; i < MMU_VICTIMS; i++)
            if (!(b->victim[idx][i].slot.flags & SLOT_GLOBAL)) b->victim[idx][i].slot.flags = 0;
}

static void flush_every(Mmu *m)
{
    MmuBook *b = m->book;
    flush_local(m);
    if (m->global) window_global_drop(m);
    if (log_on(LOG_MMU)) log_printf("mmu flush: %u global entries\n", (unsigned)b->global.n);
    for (unsigned i = 0; i < b->global.n; i++) {
        unsigned table = b->global.id[i] / MMU_TLB_SIZE, n = b->global.id[i] % MMU_TLB_SIZE;
        slot_empty(m, table, n);
        b->slot[table][n].flags = 0;
    }
    b->global.n = 0;
    memset(b->victim, 0, sizeof(b->victim));
    if (b->any_large) memset(b->large, 0, sizeof(b->large));
    b->any_large = false;
}

void mmu_flush_all(Mmu *m)
{
    flush_every(m);
    if (m->window) window_drop(m);
}

static uint32_t victim_page(const Victim *v)
{
    return v->entry.tag_rd & ~PAGE_MASK;
}

static bool slot_holds(Mmu *m, unsigned table, unsigned n, uint32_t page)
{
    if (!(m->book->slot[table][n].flags & SLOT_VALID)) return false;
    if (table >= BOOK_FETCH) return *book_fetch_word(m, table, n) >> 24 == page >> (PAGE_SHIFT + MMU_TLB_BITS);
    return (m->tlb[table][n].tag_rd & ~PAGE_MASK) == page;
}

static void drop_page(Mmu *m, uint32_t page)
{
    const unsigned tables[] = { MMU_USER, MMU_SUPER, MMU_SUPER_SMAP, book_fetch_table(page, true),
                                book_fetch_table(page, false) };
    unsigned n = mmu_tlb_index(page);
    for (unsigned i = 0; i < sizeof tables / sizeof *tables; i++)
        if (slot_holds(m, tables[i], n, page)) slot_empty(m, tables[i], n);
}

static void drop_victims(Mmu *m, uint32_t first, uint32_t bytes)
{
    for (unsigned idx = 0; idx < MMU_MODES; idx++)
        for (unsigned i = 0; i < MMU_VICTIMS; i++) {
            Victim *v = &m->book->victim[idx][i];
            if (victim_page(v) - first < bytes) v->slot.flags = 0;
        }
}

void mmu_invlpg(Mmu *m, uint32_t lin)
{
    MmuBook *b = m->book;
    uint32_t first = lin & ~PAGE_MASK, bytes = PAGE_SIZE;
    if (log_on(LOG_MMU) && log_in_range(lin)) log_printf("mmu invlpg: %08x\n", lin);
    uint8_t large = b->large[lin >> 21];
    mmu_undo_note_victims(m);
    if (large) {
        bytes = large & 2 ? 1u << 22 : 1u << 21;
        first = lin & ~(bytes - 1);
        b->large[first >> 21] = 0;
        b->large[(first + bytes - 1) >> 21] = 0;
    }
    for (uint32_t off = 0; off < bytes; off += PAGE_SIZE) drop_page(m, first + off);
    if (m->window) window_forget(m, first, bytes);
    if (m->global) window_global_forget(m, first, bytes);
    drop_victims(m, first, bytes);
}

void mmu_set_a20(Mmu *m, bool enabled)
{
    uint32_t mask = enabled ? 0xffffffff : ~(UINT32_C(1) << 20);
    if (mask == m->a20_mask) return;
    m->a20_mask = mask;
    mmu_flush_all(m);
}

/* SDM 3A 4.4.1 for the PDPTEs, 4.10.4.1 for the flushes. */
bool mmu_set_control(Mmu *m, uint32_t cr0, uint32_t cr3, uint32_t cr4, bool nx, bool is_cr3_load)
{
    uint32_t diff0 = cr0 ^ m->cr0, diff4 = cr4 ^ m->cr4;
    bool pae_paging = (cr0 & PG_CR0_PG) && (cr4 & PG_CR4_PAE);
    bool reload = is_cr3_load || (diff0 & (PG_CR0_PG | PG_CR0_CD | PG_CR0_NW)) ||
                  (diff4 & (PG_CR4_PAE | PG_CR4_PGE | PG_CR4_PSE | PG_CR4_SMEP));
    if (pae_paging && reload) {
        uint64_t pdpte[4];
        if (!mmu_read_pdptes(m, cr3, pdpte)) return false;
        memcpy(m->pdpte, pdpte, sizeof(pdpte));
    }
    bool all = (diff0 & (PG_CR0_PG | PG_CR0_WP)) || nx != m->nx ||
               (diff4 & (PG_CR4_PSE | PG_CR4_PAE | PG_CR4_PGE | PG_CR4_SMEP | PG_CR4_SMAP));
    m->cr0 = cr0;
    m->cr3 = cr3;
    m->cr4 = cr4;
    m->nx = nx;
    if (diff0 & PG_CR0_PG)
        mmu_flush_all(m);
    else if (all)
        flush_every(m);
    else if (is_cr3_load)
        flush_local(m);
    if (m->window && (all || is_cr3_load)) window_space_loaded(m);
    return true;
}

/* --- filling ------------------------------------------------------------------------------------ */

void mmu_list_slot(MmuBook *b, unsigned table, unsigned n)
{
    Slot *s = &b->slot[table][n];
    uint8_t bit = s->flags & SLOT_GLOBAL ? SLOT_LISTED_G : SLOT_LISTED;
    if (s->flags & bit) return;
    s->flags |= bit;
    SlotList *list = bit == SLOT_LISTED_G ? &b->global : &b->local;
    list->id[list->n++] = (uint16_t)(table * MMU_TLB_SIZE + n);
}

static void note_large(MmuBook *b, uint32_t lin, unsigned shift)
{
    b->any_large = true;
    if (shift == 21) {
        b->large[lin >> 21] |= 1;
        return;
    }
    b->large[lin >> 22 << 1] |= 2;
    b->large[(lin >> 22 << 1) + 1] |= 2;
}

bool mmu_plain_stores(const Mmu *m, PhysAddr page, const uint8_t *host)
{
    return !phys_page_has_code(m->phys, page) && !phys_page_is_clean(m->phys, page) && phys_page_is_open(m->phys, host);
}

/* The write tag of an entry. */
static uint32_t write_tag(Mmu *m, uint32_t page, const Slot *s, uintptr_t addend)
{
    PhysAddr phys = (PhysAddr)s->ppage << PAGE_SHIFT;
    bool fast = (s->flags & (SLOT_WRITE | SLOT_RAM)) == (SLOT_WRITE | SLOT_RAM) &&
                mmu_plain_stores(m, phys, (const uint8_t *)(page + addend));
    return fast ? page : page | TAG_SLOW;
}

static void put_victim(MmuBook *b, unsigned idx, const TlbEntry *e, const Slot *s)
{
    Victim *v = &b->victim[idx][b->next_victim[idx]++ % MMU_VICTIMS];
    v->entry = *e;
    v->slot = *s;
    v->slot.flags &= (uint8_t)~SLOT_ON_LIST;
}

static void log_fill(const char *what, uint32_t page, unsigned idx, const WalkResult *w)
{
    static const char *const rules[MMU_MODES] = { "user", "supervisor", "supervisor with SMAP" };
    if (log_in_range(page))
        log_printf("mmu %s: %08x -> %09llx, %s\n", what, page, (unsigned long long)w->page, rules[idx]);
}

static void fill_data(Mmu *m, uint32_t page, unsigned idx, const WalkResult *w)
{
    if (log_on(LOG_MMU)) log_fill("fill", page, idx, w);
    unsigned n = mmu_tlb_index(page);
    MmuBook *b = m->book;
    TlbEntry *e = &m->tlb[idx][n];
    Slot *s = &b->slot[idx][n];
    mmu_undo_note(m, idx, n);
    mmu_undo_note_victims(m);
    if ((s->flags & SLOT_VALID) && !slot_holds(m, idx, n, page)) put_victim(b, idx, e, s);
    bool ram;
    uint8_t *host = phys_page_host(m->phys, w->page, &ram);
    if (ram) phys_commit(m->phys, w->page);
    s->ppage = (uint32_t)(w->page >> PAGE_SHIFT);
    s->flags = (uint8_t)((s->flags & SLOT_ON_LIST) | SLOT_VALID | (w->global ? SLOT_GLOBAL : 0) |
                         (w->may_write ? SLOT_WRITE : 0) | (host ? SLOT_HOST : 0) | (ram ? SLOT_RAM : 0));
    mmu_list_slot(b, idx, n);
    if (w->large) note_large(b, page, w->shift);
    e->addend = host ? (uintptr_t)host - page : 0;
    e->tag_rd = host ? page : page | TAG_SLOW;
    e->tag_wr = write_tag(m, page, s, e->addend);
}

static void fill_fetch(Mmu *m, uint32_t page, unsigned idx, const WalkResult *w)
{
    if (log_on(LOG_MMU)) log_fill("fetch fill", page, idx, w);
    unsigned n = mmu_tlb_index(page), table = book_fetch_table(page, idx == MMU_USER);
    MmuBook *b = m->book;
    uint32_t word = mmu_itlb_word(page, w->page);
    if (word == MMU_ITLB_EMPTY) return; /* the very last page: stays slow */
    Slot *s = &b->slot[table][n];
    mmu_undo_note(m, table, n);
    s->ppage = (uint32_t)(w->page >> PAGE_SHIFT);
    s->flags = (uint8_t)((s->flags & SLOT_ON_LIST) | SLOT_VALID | (w->global ? SLOT_GLOBAL : 0));
    mmu_list_slot(b, table, n);
    if (w->large) note_large(b, page, w->shift);
    *book_fetch_word(m, table, n) = word;
}

/* --- finding ------------------------------------------------------------------------------------ */

/* Swaps a victim with what took its place.  One that lacks the right is dropped: the walk that
 * follows makes a better one. */
static bool take_victim(Mmu *m, uint32_t page, unsigned idx, uint8_t need)
{
    MmuBook *b = m->book;
    for (unsigned i = 0; i < MMU_VICTIMS; i++) {
        Victim *v = &b->victim[idx][i];
        if (victim_page(v) != page || !(v->slot.flags & SLOT_VALID)) continue;
        mmu_undo_note_victims(m);
        if ((v->slot.flags & need) != need) {
            v->slot.flags = 0;
            return false;
        }
        unsigned n = mmu_tlb_index(page);
        TlbEntry *e = &m->tlb[idx][n];
        Slot *s = &b->slot[idx][n];
        mmu_undo_note(m, idx, n);
        Victim old = { *e, *s };
        uint8_t listed = s->flags & SLOT_ON_LIST;
        *e = v->entry;
        *s = v->slot;
        s->flags |= listed;
        mmu_list_slot(b, idx, n);
        old.slot.flags &= (uint8_t)~SLOT_ON_LIST;
        *v = old;
        return true;
    }
    return false;
}

/* The access is there because a window did not have its page. */
static void serve_windows(Mmu *m, const TlbEntry *e, const Slot *s, uint32_t page, unsigned idx, bool write)
{
    if (m->window_pending & MMU_PENDING_USER && idx == m->window_idx) window_serve(m, e, page, write);
    if (m->window_pending & MMU_PENDING_GLOBAL && idx == MMU_SUPER)
        window_global_serve(m, e, s->flags & SLOT_GLOBAL, page, write);
}

const TlbEntry *mmu_entry(Mmu *m, uint32_t lin, unsigned access, unsigned idx, const Slot **slot, MmuFault *fault)
{
    uint32_t page = lin & ~PAGE_MASK;
    unsigned n = mmu_tlb_index(lin);
    uint8_t need = access == MMU_WRITE ? SLOT_VALID | SLOT_WRITE : SLOT_VALID;
    TlbEntry *e = &m->tlb[idx][n];
    Slot *s = &m->book->slot[idx][n];
    bool here = slot_holds(m, idx, n, page);
    if ((!here || (s->flags & need) != need) && (here || !take_victim(m, page, idx, need))) {
        WalkResult w;
        m->n_miss++;
        if (!mmu_walk(m, lin, access, idx, &w, fault)) {
            if (m->window_pending & MMU_PENDING_USER) m->window_wanted = page | MMU_WANTED_PAGE;
            return NULL;
        }
        fill_data(m, page, idx, &w);
    } else if (access == MMU_WRITE && e->tag_wr != page && (s->flags & SLOT_RAM)) {
        mmu_undo_note(m, idx, n);
        e->tag_wr = write_tag(m, page, s, e->addend); /* its code may be gone by now */
    }
    if (m->window_pending) serve_windows(m, e, s, page, idx, access == MMU_WRITE);
    *slot = s;
    return e;
}

bool mmu_translate(Mmu *m, uint32_t lin, unsigned access, unsigned idx, PhysAddr *phys, MmuFault *fault)
{
    if (access != MMU_EXEC) {
        const Slot *s;
        if (!mmu_entry(m, lin, access, idx, &s, fault)) return false;
        *phys = (PhysAddr)s->ppage << PAGE_SHIFT | (lin & PAGE_MASK);
        return true;
    }
    unsigned n = mmu_tlb_index(lin), table = book_fetch_table(lin, idx == MMU_USER);
    uint32_t page = lin & ~PAGE_MASK;
    if (slot_holds(m, table, n, page)) {
        *phys = (PhysAddr)m->book->slot[table][n].ppage << PAGE_SHIFT | (lin & PAGE_MASK);
        return true;
    }
    WalkResult w;
    m->n_miss++;
    if (!mmu_walk(m, lin, access, idx, &w, fault)) return false;
    fill_fetch(m, page, idx, &w);
    *phys = w.page | (lin & PAGE_MASK);
    return true;
}

/* --- code and dirty tracking --------------------------------------------------------------------- */

/* By host address, so that every guest-physical alias of the page is found. */
static void protect_entry(TlbEntry *e, const Slot *s, uintptr_t lo, uintptr_t bytes)
{
    uint32_t page = e->tag_rd & ~PAGE_MASK;
    uint8_t need = SLOT_VALID | SLOT_RAM;
    if ((s->flags & need) == need && (uintptr_t)page + e->addend - lo < bytes) e->tag_wr |= TAG_SLOW;
}

static void protect_list(Mmu *m, const SlotList *list, uintptr_t lo, uintptr_t bytes)
{
    for (unsigned i = 0; i < list->n; i++) {
        unsigned table = list->id[i] / MMU_TLB_SIZE, n = list->id[i] % MMU_TLB_SIZE;
        if (table < BOOK_FETCH) protect_entry(&m->tlb[table][n], &m->book->slot[table][n], lo, bytes);
    }
}

static void protect_host(Mmu *m, uintptr_t lo, uintptr_t bytes)
{
    if (m->window) window_protect(m, lo, bytes);
    if (m->global) window_global_protect(m, lo, bytes);
    protect_list(m, &m->book->local, lo, bytes);
    protect_list(m, &m->book->global, lo, bytes);
    for (unsigned idx = 0; idx < MMU_MODES; idx++)
        for (unsigned i = 0; i < MMU_VICTIMS; i++) {
            Victim *v = &m->book->victim[idx][i];
            protect_entry(&v->entry, &v->slot, lo, bytes);
        }
}

void mmu_protect_code(Mmu *m, PhysAddr page)
{
    bool ram;
    uintptr_t host = (uintptr_t)phys_page_host(m->phys, page, &ram);
    if (host) protect_host(m, host, PAGE_SIZE);
}

static void cleaned(void *opaque, const uint8_t *lo, const uint8_t *hi)
{
    protect_host(opaque, (uintptr_t)lo, (uintptr_t)(hi - lo));
}
