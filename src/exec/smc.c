/* Self-modifying code: which blocks lie in a page, and what a write to the page does to them.
 *
 * A write to bytes that blocks were made from drops those blocks and no others.  Two kinds of guest would suffer from that
 * alone.  Memory that held code once and is used for something else now (a kernel's start-up code, a program's that has ended)
 * would lose its blocks one by one, every store looking through all of them: after STALE_WRITES such writes with
 * nothing translated from the page in between, all of its blocks go.  And a program that patches the same instruction over
 * and over would have it translated each time: where it is immediate operands that changed, the
 * block is made again with these read from memory when it runs (IR_LDCODE), and later writes there concern it no more.  One
 * that looked ahead at what changes is made again without looking. */
#include <stdlib.h>
#include <string.h>

#include "exec/trace.h"
#include "util/log.h"

enum {
    STALE_WRITES = 8,
    /* A page that lost its last block stays tracked for so many writes more: a guest that generates code comes back at
     * once, and taking write permission from the TLBs again costs more than a few slow stores. */
    IDLE_WRITES = 64,
    SOFT_AFTER = 3, /* writes to a block's code before its immediates are read when it runs */
};

/* --- blocks by page ------------------------------------------------------------------------------------ */

static CodePage **page_slot(Exec *ex, const uint8_t *host)
{
    uint32_t h = (uint32_t)((uintptr_t)host >> PAGE_SHIFT) * 0x9e3779b1u >> (32 - PAGE_HASH_BITS);
    CodePage **p = &ex->page_hash[h];
    while (*p && (*p)->host != host) p = &(*p)->next;
    return p;
}

/* The bytes of a block that lie in its page i. */
static void tb_extent(const TB *tb, unsigned i, unsigned *from, unsigned *len)
{
    unsigned first = PAGE_SIZE - (unsigned)(tb->phys & PAGE_MASK);
    *from = i ? 0 : (unsigned)(tb->phys & PAGE_MASK);
    *len = tb->n_pages == 1 ? tb->size : i ? tb->size - first : first;
}

/* All but the soft bytes, which are in page 0 and in rising order. */
static void mark_extent(Exec *ex, const TB *tb, unsigned i)
{
    PhysMem *pm = ex->cpu->mmu.phys;
    unsigned from, len;
    tb_extent(tb, i, &from, &len);
    unsigned end = from + len;
    for (unsigned k = 0; i == 0 && k < tb->n_soft; k++) {
        phys_code_mark(pm, tb->page_phys[0] + from, tb->soft[k] - from);
        from = tb->soft[k] + IR_SOFT_BYTES;
    }
    phys_code_mark(pm, tb->page_phys[i] + from, end - from);
    if (i == 0 && tb->look_len) phys_code_mark(pm, tb->page_phys[0] + tb->look_from, tb->look_len);
}

static void page_track(Exec *ex, const TB *tb, unsigned i)
{
    if (!phys_page_has_code(ex->cpu->mmu.phys, tb->page_phys[i])) {
        if (log_on(LOG_PAGE)) log_printf("page %09llx: holds translated code\n", (unsigned long long)tb->page_phys[i]);
        mmu_protect_code(&ex->cpu->mmu, tb->page_phys[i]);
    }
    mark_extent(ex, tb, i);
}

/* Which of its two links is the one in this page's list.  One that goes on at another address of the same page is in it once. */
static unsigned link_in(const TB *tb, const uint8_t *host)
{
    return tb->page_host[0] == host ? 0 : 1;
}

static void page_add(Exec *ex, TB *tb, unsigned i)
{
    CodePage **slot = page_slot(ex, tb->page_host[i]);
    if (!*slot) {
        CodePage *p = malloc(sizeof *p);
        if (!p) abort();
        *p = (CodePage){ .host = tb->page_host[i] };
        *slot = p;
    }
    CodePage *page = *slot;
    page->phys = tb->page_phys[i];
    page->writes = 0;
    if (link_in(tb, page->host) != i) return;
    TB *next = page->first;
    tb->page_next[i] = next;
    tb->page_link[i] = &page->first;
    if (next) next->page_link[link_in(next, page->host)] = &tb->page_next[i];
    page->first = tb;
}

/* Marked first: a page that is known by too many addresses loses its blocks then. */
void pages_add(Exec *ex, TB *tb)
{
    for (unsigned i = 0; i < tb->n_pages; i++) page_track(ex, tb, i);
    for (unsigned i = 0; i < tb->n_pages; i++) page_add(ex, tb, i);
}

static void page_remove(TB *tb, unsigned i)
{
    TB *next = tb->page_next[i], **link = tb->page_link[i];
    if (!link) return;
    *link = next;
    if (next) next->page_link[link_in(next, tb->page_host[i])] = link;
    tb->page_link[i] = NULL;
}

void pages_remove(TB *tb)
{
    for (unsigned i = 0; i < tb->n_pages; i++) page_remove(tb, i);
}

TB *pages_first(Exec *ex, const uint8_t *host)
{
    const CodePage *page = *page_slot(ex, host);
    return page ? page->first : NULL;
}

void pages_free(Exec *ex, bool untrack)
{
    for (unsigned i = 0; i < 1u << PAGE_HASH_BITS; i++) {
        for (CodePage *p = ex->page_hash[i], *next; p; p = next) {
            next = p->next;
            if (untrack) phys_code_clear_page(ex->cpu->mmu.phys, p->phys);
            free(p);
        }
    }
    memset(ex->page_hash, 0, sizeof ex->page_hash);
}

/* --- what a write concerns ------------------------------------------------------------------------------------- */

static bool is_soft(const TB *tb, unsigned offset, unsigned len)
{
    for (unsigned i = 0; i < tb->n_soft; i++)
        if (offset >= tb->soft[i] && offset + len <= (unsigned)tb->soft[i] + IR_SOFT_BYTES) return true;
    return false;
}

static bool look_hit(const TB *tb, const uint8_t *host, unsigned offset, unsigned len)
{
    return tb->page_host[0] == host && offset < tb->look_from + (unsigned)tb->look_len && tb->look_from < offset + len;
}

static bool tb_hit(const TB *tb, const uint8_t *host, unsigned offset, unsigned len)
{
    for (unsigned i = 0; i < tb->n_pages; i++) {
        unsigned from, n;
        if (tb->page_host[i] != host) continue;
        tb_extent(tb, i, &from, &n);
        if (offset < from + n && from < offset + len && !(i == 0 && is_soft(tb, offset, len))) return true;
    }
    return look_hit(tb, host, offset, len);
}

/* --- immediates that change ------------------------------------------------------------------------------ */

static PatchedCode *patched(Exec *ex, PhysAddr phys)
{
    return &ex->patched[(uint32_t)phys * 0x9e3779b1u >> (32 - PATCHED_BITS)];
}

static void note_patch(Exec *ex, const TB *tb, unsigned offset, unsigned len)
{
    PatchedCode *p = patched(ex, tb->phys);
    if (p->phys != tb->phys || !p->writes) *p = (PatchedCode){ .phys = tb->phys, .from = PAGE_SIZE };
    if (p->writes < SOFT_AFTER) p->writes++;
    if (look_hit(tb, tb->page_host[0], offset, len)) p->look = true;
    if (offset < p->from) p->from = (uint16_t)offset;
    if (offset + len > p->to) p->to = (uint16_t)(offset + len);
}

PatchAdvice smc_advice(Exec *ex, PhysAddr phys)
{
    const PatchedCode *p = patched(ex, phys);
    if (p->phys != phys || p->writes < SOFT_AFTER) return (PatchAdvice){ 0 };
    return (PatchAdvice){ p->from, p->to, p->look };
}

/* --- writes ------------------------------------------------------------------------------------------------ */

static void drop(Exec *ex, TB *tb, enum TraceWhy why, PhysAddr page_addr, unsigned offset, unsigned len)
{
    if (log_on(LOG_PAGE))
        log_printf("page %09llx: write at +%03x len %u drops block %08x\n", (unsigned long long)page_addr, offset, len,
                   tb->eip);
    cache_invalidate(ex, tb, why, &(TraceWrite){ page_addr + offset, len });
}

static bool is_stale(const CodePage *page)
{
    return page->writes >= STALE_WRITES;
}

/* Drops the blocks made from these bytes, or all when the page holds no code any more. */
static bool drop_hit(Exec *ex, CodePage *page, PhysAddr page_addr, unsigned offset, unsigned len)
{
    bool stale = is_stale(page), any = false;
    for (TB *tb = page->first, *next; tb; tb = next) {
        bool first = link_in(tb, page->host) == 0;
        next = tb->page_next[first ? 0 : 1];
        bool hit = tb_hit(tb, page->host, offset, len);
        if (!hit && !stale) continue;
        if (hit && first) note_patch(ex, tb, offset, len);
        drop(ex, tb, hit ? TRACE_WHY_WRITE : TRACE_WHY_STALE, page_addr, offset, len);
        any = true;
    }
    return any;
}

static void page_written(Exec *ex, uint8_t *host, PhysAddr page_addr, unsigned offset, unsigned len)
{
    PhysMem *pm = ex->cpu->mmu.phys;
    CodePage **slot = page_slot(ex, host), *page = *slot;
    if (!page) return;
    page->phys = page_addr; /* which leads here now; another may not any more */
    if (drop_hit(ex, page, page_addr, offset, len) || !page->first) page->writes++;
    if (page->first) {
        /* What is left is marked again: its bytes may have been shared, or be marked for a block that is gone. */
        phys_code_clear_page(pm, page->phys);
        for (TB *tb = page->first; tb; tb = tb->page_next[link_in(tb, host)])
            for (unsigned i = 0; i < tb->n_pages; i++)
                if (tb->page_host[i] == host) mark_extent(ex, tb, i);
    } else if (page->writes < IDLE_WRITES) {
        phys_code_idle(pm, page->phys);
    } else {
        phys_code_clear_page(pm, page->phys);
        *slot = page->next;
        free(page);
    }
}

static void code_written(void *opaque, PhysAddr addr, unsigned len)
{
    Exec *ex = opaque;
    while (len) {
        unsigned offset = (unsigned)(addr & PAGE_MASK), n = PAGE_SIZE - offset < len ? PAGE_SIZE - offset : len;
        bool writable;
        uint8_t *host = phys_page_host(ex->cpu->mmu.phys, addr & ~(PhysAddr)PAGE_MASK, &writable);
        if (host) page_written(ex, host, addr - offset, offset, n);
        addr += n;
        len -= n;
    }
}

/* Whether after this write the rest of the block that makes it could be outdated unseen: it hits the block, or takes away the
 * marks that would tell of a later one that does.  Those of a part of a block are the whole block's. */
static bool outdates(Exec *ex, const TB *tb, const uint8_t *host, unsigned offset, unsigned len)
{
    if (tb->page_host[0] != host && tb->page_host[1] != host) return false;
    const CodePage *page = *page_slot(ex, host);
    return tb == &ex->scratch || (page && is_stale(page)) || tb_hit(tb, host, offset, len);
}

/* Before a guest store to code: the instruction is run again alone when the rest of its block may not follow. */
static void code_write_check(CPUState *cpu, PhysAddr addr, unsigned len)
{
    Exec *ex = cpu->exec;
    TB *tb = cache_tb_at(ex, cpu->host_pc);
    if (!tb || (tb == &ex->scratch && tb->n_guest == 1)) return;
    while (len) {
        unsigned offset = (unsigned)(addr & PAGE_MASK), n = PAGE_SIZE - offset < len ? PAGE_SIZE - offset : len;
        bool writable;
        uint8_t *host = phys_page_host(cpu->mmu.phys, addr & ~(PhysAddr)PAGE_MASK, &writable);
        if (host && outdates(ex, tb, host, offset, n)) cpu_retry_single(cpu);
        addr += n;
        len -= n;
    }
}

void smc_attach(Exec *ex)
{
    ex->cpu->exec = ex;
    ex->cpu->code_write_check = code_write_check;
    phys_on_code_written(ex->cpu->mmu.phys, code_written, ex);
}
