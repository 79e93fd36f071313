/* Reads and writes by physical address, as the bus sees them: RAM, ROM, device windows, holes, in any
 * mix and alignment. */
#include <string.h>

#include "softmmu/host_access.h"
#include "softmmu/phys_int.h"

/* Bytes of the widest naturally aligned access at offset that fits in len. */
static unsigned mmio_step(uint64_t offset, size_t len)
{
    unsigned size = 8;
    while (size > len || (offset & (size - 1))) size >>= 1;
    return size;
}

uint64_t phys_mmio_read(const PhysRegion *r, PhysAddr offset, unsigned size)
{
    return r->ops->read ? r->ops->read(r->opaque, offset, size) : ~UINT64_C(0);
}

void phys_mmio_write(const PhysRegion *r, PhysAddr offset, uint64_t value, unsigned size)
{
    if (r->ops->write) r->ops->write(r->opaque, offset, value, size);
}

static void mmio_read(const PhysRegion *r, uint64_t offset, uint8_t *buf, size_t len)
{
    while (len) {
        unsigned n = mmio_step(offset, len);
        const PhysTap *tap = r->pm->tap;
        uint64_t v = tap ? tap->mmio_read(r->pm->tap_opaque, r, offset, n) : phys_mmio_read(r, offset, n);
        memcpy(buf, &v, n);
        buf += n;
        offset += n;
        len -= n;
    }
}

static void mmio_write(const PhysRegion *r, uint64_t offset, const uint8_t *buf, size_t len)
{
    while (len) {
        unsigned n = mmio_step(offset, len);
        uint64_t v = 0;
        memcpy(&v, buf, n);
        if (r->pm->tap)
            r->pm->tap->mmio_write(r->pm->tap_opaque, r, offset, v, n);
        else
            phys_mmio_write(r, offset, v, n);
        buf += n;
        offset += n;
        len -= n;
    }
}

/* p.offset is that of the first byte here. */
static void run_read(PhysPage p, uint8_t *buf, size_t len)
{
    switch (p.kind) {
    case PHYS_RAM:
    case PHYS_ROM: memcpy(buf, p.region->host + p.offset, len); break;
    case PHYS_MMIO: mmio_read(p.region, p.offset, buf, len); break;
    default: memset(buf, 0xff, len); break;
    }
}

/* Finds what answers from addr on, for at most len bytes: p->offset is that of the byte at addr. */
static size_t find_run(PhysMem *pm, PhysAddr addr, size_t len, PhysPage *p)
{
    size_t n = PAGE_SIZE - (size_t)(addr & PAGE_MASK);
    if (n > len) n = len;
    *p = phys_find(pm, addr);
    if (p->kind == PHYS_SUB)
        *p = phys_sub_find(pm, addr, n, &n);
    else
        p->offset += addr & PAGE_MASK;
    return n;
}

void phys_read(PhysMem *pm, PhysAddr addr, void *buf, size_t len)
{
    uint8_t *out = buf;
    while (len) {
        PhysPage p;
        size_t n = find_run(pm, addr, len, &p);
        run_read(phys_read_side(p), out, n);
        out += n;
        addr += n;
        len -= n;
    }
}

static void write_any(PhysMem *pm, PhysAddr addr, const uint8_t *in, size_t len, bool to_rom)
{
    while (len) {
        PhysPage p;
        size_t n = find_run(pm, addr, len, &p);
        p = phys_write_side(p);
        if (p.kind == PHYS_RAM || (p.kind == PHYS_ROM && to_rom)) {
            commit_use(&p.region->commit, (size_t)p.offset);
            phys_before_write(pm, p.region->host + p.offset, n);
            memcpy(p.region->host + p.offset, in, n);
            phys_dirty_note(&p, n);
            if (pm->n_code_pages) phys_code_written(pm, addr, (unsigned)n);
        } else if (p.kind == PHYS_MMIO) {
            mmio_write(p.region, p.offset, in, n);
        }
        in += n;
        addr += n;
        len -= n;
    }
}

void phys_write(PhysMem *pm, PhysAddr addr, const void *buf, size_t len)
{
    write_any(pm, addr, buf, len, false);
}

void phys_load(PhysMem *pm, PhysAddr addr, const void *buf, size_t len)
{
    write_any(pm, addr, buf, len, true);
}

/* Page-table entries come through here. */
uint64_t phys_ld(PhysMem *pm, PhysAddr addr, unsigned size)
{
    PhysPage p = phys_find(pm, addr);
    const uint8_t *host = phys_find_host(&p);
    unsigned in_page = addr & PAGE_MASK;
    bool simple = !(size & (size - 1)) && in_page + size <= PAGE_SIZE;
    if (host && simple) return host_ld(host + in_page, size);
    uint64_t v = 0;
    phys_read(pm, addr, &v, size);
    return v;
}

void phys_st(PhysMem *pm, PhysAddr addr, uint64_t value, unsigned size)
{
    phys_write(pm, addr, &value, size);
}

/* All of guest memory belongs to the machine thread, so compare and store need no host lock; the
 * comparison still matters where the "memory" is a device. */
bool phys_cmpxchg32(PhysMem *pm, PhysAddr addr, uint32_t old, uint32_t new_value)
{
    if ((uint32_t)phys_ld(pm, addr, 4) != old) return false;
    phys_st(pm, addr, new_value, 4);
    return true;
}
