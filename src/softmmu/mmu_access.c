/* Loads and stores by linear address. */
#include <string.h>

#include "softmmu/host_access.h"
#include "softmmu/mmu_book.h"

/* One access within one page, resolved: nothing can fail any more. */
typedef struct Part {
    uint8_t *host; /* NULL: through the bus (device, hole, write to ROM) */
    PhysAddr phys;
    unsigned len;
} Part;

static bool resolve(Mmu *m, uint32_t lin, unsigned len, unsigned access, unsigned idx, Part *part, MmuFault *fault)
{
    const Slot *s;
    const TlbEntry *e = mmu_entry(m, lin, access, idx, &s, fault);
    if (!e) return false;
    uint8_t need = access == MMU_WRITE ? SLOT_RAM : SLOT_HOST;
    part->host = s->flags & need ? (uint8_t *)((uintptr_t)lin + e->addend) : NULL;
    part->phys = (PhysAddr)s->ppage << PAGE_SHIFT | (lin & PAGE_MASK);
    part->len = len;
    if (!part->host && m->on_device) m->on_device(m->on_device_opaque);
    return true;
}

static unsigned resolve_parts(Mmu *m, uint32_t lin, unsigned len, unsigned access, unsigned idx, Part part[2],
                              MmuFault *fault)
{
    unsigned first = PAGE_SIZE - (lin & PAGE_MASK);
    if (len <= first) return resolve(m, lin, len, access, idx, &part[0], fault) ? 1 : 0;
    if (!resolve(m, lin, first, access, idx, &part[0], fault)) return 0;
    return resolve(m, lin + first, len - first, access, idx, &part[1], fault) ? 2 : 0;
}

/* len 1..4096.  Number of parts, or 0: *fault is set.  This was the access that a window waited for; the next one is not. */
static unsigned resolve_all(Mmu *m, uint32_t lin, unsigned len, unsigned access, unsigned idx, Part part[2],
                            MmuFault *fault)
{
    unsigned n = resolve_parts(m, lin, len, access, idx, part, fault);
    m->window_pending = 0;
    return n;
}

static void part_read(Mmu *m, const Part *p, uint8_t *buf)
{
    if (p->host)
        memcpy(buf, p->host, p->len);
    else
        phys_read(m->phys, p->phys, buf, p->len);
}

static void part_write(Mmu *m, const Part *p, const uint8_t *buf)
{
    if (!p->host) {
        phys_write(m->phys, p->phys, buf, p->len);
        return;
    }
    phys_before_write(m->phys, p->host, p->len);
    memcpy(p->host, buf, p->len);
    phys_code_written(m->phys, p->phys, p->len);
}

/* For `info jit`: why the access was no matter of the inline check. */
static void count_slow(Mmu *m, const Part *part, unsigned n, unsigned access, const TlbEntry *e)
{
    uint32_t tag = access == MMU_WRITE ? e->tag_wr : e->tag_rd;
    if (n == 2)
        m->n_crossing++;
    else if (!part->host)
        m->n_device++;
    else if (tag & PAGE_MASK)
        m->n_watched++;
}

static bool ld_slow(Mmu *m, uint32_t lin, unsigned size, unsigned access, unsigned idx, uint64_t *value,
                    MmuFault *fault)
{
    Part part[2];
    uint8_t buf[8] = { 0 };
    m->n_slow++;
    unsigned n = resolve_all(m, lin, size, access, idx, part, fault);
    if (!n) return false;
    count_slow(m, part, n, access, &m->tlb[idx][mmu_tlb_index(lin)]);
    if (n == 1 && part[0].host) {
        *value = host_ld(part[0].host, size);
        return true;
    }
    part_read(m, &part[0], buf);
    if (n == 2) part_read(m, &part[1], buf + part[0].len);
    memcpy(value, buf, 8);
    return true;
}

bool mmu_ld(Mmu *m, uint32_t lin, unsigned size, unsigned idx, uint64_t *value, MmuFault *fault)
{
    const TlbEntry *e = &m->tlb[idx][mmu_tlb_index(lin)];
    if (e->tag_rd != ((lin + size - 1) & ~PAGE_MASK) || m->window_pending)
        return ld_slow(m, lin, size, MMU_READ, idx, value, fault);
    *value = host_ld((const void *)((uintptr_t)lin + e->addend), size);
    return true;
}

bool mmu_ld_rmw(Mmu *m, uint32_t lin, unsigned size, unsigned idx, uint64_t *value, MmuFault *fault)
{
    const TlbEntry *e = &m->tlb[idx][mmu_tlb_index(lin)];
    if (e->tag_wr != ((lin + size - 1) & ~PAGE_MASK) || m->window_pending)
        return ld_slow(m, lin, size, MMU_WRITE, idx, value, fault);
    *value = host_ld((const void *)((uintptr_t)lin + e->addend), size);
    return true;
}

/* A program that generates code stores much that is there already. */
static bool rewrites_code(Mmu *m, const Part *p, uint64_t value)
{
    return memcmp(p->host, &value, p->len) == 0 && phys_code_unchanged(m->phys, p->phys, p->len);
}

static bool st_slow(Mmu *m, uint32_t lin, uint64_t value, unsigned size, unsigned idx, MmuFault *fault)
{
    Part part[2];
    m->n_slow++;
    unsigned n = resolve_all(m, lin, size, MMU_WRITE, idx, part, fault);
    if (!n) return false;
    count_slow(m, part, n, MMU_WRITE, &m->tlb[idx][mmu_tlb_index(lin)]);
    if (n == 1 && part[0].host) {
        if (rewrites_code(m, &part[0], value)) return true;
        phys_before_write(m->phys, part[0].host, size);
        host_st(part[0].host, value, size);
        phys_code_written(m->phys, part[0].phys, size);
        return true;
    }
    part_write(m, &part[0], (const uint8_t *)&value);
    if (n == 2) part_write(m, &part[1], (const uint8_t *)&value + part[0].len);
    return true;
}

bool mmu_st(Mmu *m, uint32_t lin, uint64_t value, unsigned size, unsigned idx, MmuFault *fault)
{
    const TlbEntry *e = &m->tlb[idx][mmu_tlb_index(lin)];
    if (e->tag_wr == ((lin + size - 1) & ~PAGE_MASK) && !m->window_pending) {
        host_st((void *)((uintptr_t)lin + e->addend), value, size);
        return true;
    }
    return st_slow(m, lin, value, size, idx, fault);
}

bool mmu_ld_bytes(Mmu *m, uint32_t lin, void *buf, unsigned len, unsigned idx, MmuFault *fault)
{
    Part part[2];
    if (len == 0) return true;
    unsigned n = resolve_all(m, lin, len, MMU_READ, idx, part, fault);
    if (!n) return false;
    part_read(m, &part[0], buf);
    if (n == 2) part_read(m, &part[1], (uint8_t *)buf + part[0].len);
    return true;
}

bool mmu_st_bytes(Mmu *m, uint32_t lin, const void *buf, unsigned len, unsigned idx, MmuFault *fault)
{
    Part part[2];
    if (len == 0) return true;
    unsigned n = resolve_all(m, lin, len, MMU_WRITE, idx, part, fault);
    if (!n) return false;
    part_write(m, &part[0], buf);
    if (n == 2) part_write(m, &part[1], (const uint8_t *)buf + part[0].len);
    return true;
}

uint8_t *mmu_host(Mmu *m, uint32_t lin, unsigned access, unsigned idx, MmuFault *fault, bool *faulted)
{
    const Slot *s;
    const TlbEntry *e = &m->tlb[idx][mmu_tlb_index(lin)];
    *faulted = false;
    if ((access == MMU_WRITE ? e->tag_wr : e->tag_rd) == (lin & ~PAGE_MASK))
        return (uint8_t *)((uintptr_t)lin + e->addend);
    e = mmu_entry(m, lin, access, idx, &s, fault);
    *faulted = !e;
    if (!e) return NULL;
    if (access == MMU_WRITE && s->flags & SLOT_RAM && e->tag_wr != (lin & ~PAGE_MASK)) {
        phys_before_write(m->phys, (uint8_t *)((uintptr_t)lin + e->addend), 1); /* may open the page */
        e = mmu_entry(m, lin, access, idx, &s, fault);
    }
    uint32_t tag = access == MMU_WRITE ? e->tag_wr : e->tag_rd;
    return tag == (lin & ~PAGE_MASK) ? (uint8_t *)((uintptr_t)lin + e->addend) : NULL;
}
