/* Guest memory accesses with segmentation, and the slow paths of generated code.
 *
 * Generated code checks a segment bound and the TLB inline and comes here when either check fails:
 * TLB misses, page crossings, devices, code pages, odd segments.  Devices make that frequent, so a
 * path is: segment check if the segment is not flat, one test for the rare modes, then mmu_*.
 *
 * Before a store changes bytes that have been translated, exec hears of it (code_write_check) and may
 * leave by longjmp to run the instruction again alone in its block; nothing has been changed then. */
#include <string.h>

#include "cpu/debug.h"
#include "cpu/mem.h"
#include "softmmu/host_access.h"

/* SDM 3A 5.3, 5.4.  An expand-down segment's valid offsets lie above the limit. */
bool cpu_seg_allows(const SegCache *s, uint32_t ea, uint32_t len, bool write, bool protected_mode)
{
    if (ea < (write ? s->wr_bound : s->rd_bound) && len <= 16) return true;
    bool expand_down = false;
    if (protected_mode) {
        if (!(s->attr & SEG_P)) return false;
        bool code = s->attr & SEG_X;
        if (write ? code || !(s->attr & SEG_W) : code && !(s->attr & SEG_R)) return false;
        expand_down = !code && s->attr & SEG_E;
    }
    uint64_t last = (uint64_t)ea + len - 1;
    if (expand_down) return ea > s->limit && last <= (s->attr & SEG_DB ? 0xffffffffu : 0xffffu);
    /* A 4 GiB segment wraps around, as it does on processors since the P6. */
    return last <= s->limit || s->limit == 0xffffffffu;
}

void cpu_raise_seg(CPUState *cpu, unsigned seg)
{
    cpu_raise_err(cpu, seg == SEG_SS ? EXC_SS : EXC_GP, 0);
}

static inline void check_segment(CPUState *cpu, unsigned seg, uint32_t ea, uint32_t len, bool write)
{
    if (!cpu_seg_allows(&cpu->seg[seg], ea, len, write, cpu_protected(cpu))) cpu_raise_seg(cpu, seg);
}

/* SDM 3A table 6-7: 80-bit reals want 8-byte alignment; other odd sizes (pointers) are made of parts.  16 bytes that need
 * not be aligned (MOVUPS) never raise #AC on silicon. */
static unsigned alignment_mask(unsigned size)
{
    switch (size) {
    case 2: return 1;
    case 4: return 3;
    case 8:
    case 10: return 7;
    default: return 0;
    }
}

void cpu_access_extras(CPUState *cpu, uint32_t lin, unsigned size, bool write)
{
    if (cpu->mode & MODE_AC && lin & alignment_mask(size)) cpu_raise_err(cpu, EXC_AC, 0);
    if (cpu->mode & MODE_DEBUG) cpu_debug_data(cpu, lin, size, write);
}

static inline void extras(CPUState *cpu, uint32_t lin, unsigned size, bool write)
{
    if (__builtin_expect(cpu->mode & MODE_SLOW_MEM, 0)) cpu_access_extras(cpu, lin, size, write);
}

/* --- by linear address -------------------------------------------------------------------------- */
static unsigned to_page_end(uint32_t lin, unsigned len)
{
    unsigned left = PAGE_SIZE - (lin & PAGE_MASK);
    return len < left ? len : left;
}

void cpu_lin_probe(CPUState *cpu, uint32_t lin, unsigned len, unsigned access, unsigned idx)
{
    while (len) {
        PhysAddr phys;
        MmuFault f;
        unsigned n = to_page_end(lin, len);
        if (!mmu_translate(&cpu->mmu, lin, access, idx, &phys, &f)) cpu_raise_pf(cpu, &f);
        lin += n;
        len -= n;
    }
}

static void tell_code_write(CPUState *cpu, uint32_t lin, unsigned len, unsigned idx)
{
    PhysMem *pm = cpu->mmu.phys;
    if (to_page_end(lin, len) != len) cpu_lin_probe(cpu, lin, len, MMU_WRITE, idx);
    while (len) {
        PhysAddr phys;
        MmuFault f;
        unsigned n = to_page_end(lin, len);
        if (!mmu_translate(&cpu->mmu, lin, MMU_WRITE, idx, &phys, &f)) cpu_raise_pf(cpu, &f);
        if (phys_page_has_code(pm, phys & ~(PhysAddr)PAGE_MASK) && phys_code_hit(pm, phys, n) && cpu->code_write_check)
            cpu->code_write_check(cpu, phys, n);
        lin += n;
        len -= n;
    }
}

/* Host address when the access is to plain memory that the TLB already knows, and no window waits to hear of it. */
static inline uint8_t *tlb_hit(CPUState *cpu, uint32_t lin, unsigned len, unsigned idx, bool write)
{
    const TlbEntry *e = &cpu->mmu.tlb[idx][mmu_tlb_index(lin)];
    uint32_t tag = write ? e->tag_wr : e->tag_rd;
    if (tag != ((lin + len - 1) & ~PAGE_MASK) || cpu->mmu.window_pending) return NULL;
    return (uint8_t *)(e->addend + lin);
}

static void store(CPUState *cpu, uint32_t lin, uint64_t value, unsigned size, unsigned idx)
{
    MmuFault f;
    uint8_t *host = tlb_hit(cpu, lin, size, idx, true);
    if (host) {
        host_st(host, value, size);
        return;
    }
    tell_code_write(cpu, lin, size, idx);
    if (!mmu_st(&cpu->mmu, lin, value, size, idx, &f)) cpu_raise_pf(cpu, &f);
}

static void store_bytes(CPUState *cpu, uint32_t lin, const void *buf, unsigned len, unsigned idx)
{
    MmuFault f;
    uint8_t *host = tlb_hit(cpu, lin, len, idx, true);
    if (host) {
        memcpy(host, buf, len);
        return;
    }
    tell_code_write(cpu, lin, len, idx);
    if (!mmu_st_bytes(&cpu->mmu, lin, buf, len, idx, &f)) cpu_raise_pf(cpu, &f);
}

uint64_t cpu_lin_ld(CPUState *cpu, uint32_t lin, unsigned size, unsigned idx)
{
    uint64_t v;
    MmuFault f;
    const uint8_t *host = tlb_hit(cpu, lin, size, idx, false);
    if (host) return host_ld(host, size);
    if (!mmu_ld(&cpu->mmu, lin, size, idx, &v, &f)) cpu_raise_pf(cpu, &f);
    return v;
}

uint64_t cpu_lin_ld_rmw(CPUState *cpu, uint32_t lin, unsigned size, unsigned idx)
{
    uint64_t v;
    MmuFault f;
    if (!mmu_ld_rmw(&cpu->mmu, lin, size, idx, &v, &f)) cpu_raise_pf(cpu, &f);
    if (!tlb_hit(cpu, lin, size, idx, true)) tell_code_write(cpu, lin, size, idx);
    return v;
}

void cpu_lin_st(CPUState *cpu, uint32_t lin, uint64_t value, unsigned size, unsigned idx)
{
    store(cpu, lin, value, size, idx);
}

uint64_t cpu_sys_ld(CPUState *cpu, uint32_t lin, unsigned size)
{
    return cpu_lin_ld(cpu, lin, size, cpu_sys_idx(cpu));
}

void cpu_sys_st(CPUState *cpu, uint32_t lin, uint64_t value, unsigned size)
{
    store(cpu, lin, value, size, cpu_sys_idx(cpu));
}

/* --- by segment and offset ---------------------------------------------------------------------- */
uint32_t cpu_ld(CPUState *cpu, unsigned seg, uint32_t ea, unsigned size)
{
    uint32_t lin = cpu->seg[seg].base + ea;
    check_segment(cpu, seg, ea, size, false);
    extras(cpu, lin, size, false);
    return (uint32_t)cpu_lin_ld(cpu, lin, size, cpu_mmu_idx(cpu));
}

void cpu_st(CPUState *cpu, unsigned seg, uint32_t ea, uint32_t value, unsigned size)
{
    uint32_t lin = cpu->seg[seg].base + ea;
    check_segment(cpu, seg, ea, size, true);
    extras(cpu, lin, size, true);
    store(cpu, lin, value, size, cpu_mmu_idx(cpu));
}

void cpu_ld_bytes(CPUState *cpu, unsigned seg, uint32_t ea, void *buf, unsigned len)
{
    MmuFault f;
    uint32_t lin = cpu->seg[seg].base + ea;
    check_segment(cpu, seg, ea, len, false);
    extras(cpu, lin, len, false);
    if (!mmu_ld_bytes(&cpu->mmu, lin, buf, len, cpu_mmu_idx(cpu), &f)) cpu_raise_pf(cpu, &f);
}

void cpu_st_bytes(CPUState *cpu, unsigned seg, uint32_t ea, const void *buf, unsigned len)
{
    uint32_t lin = cpu->seg[seg].base + ea;
    check_segment(cpu, seg, ea, len, true);
    extras(cpu, lin, len, true);
    store_bytes(cpu, lin, buf, len, cpu_mmu_idx(cpu));
}

void cpu_probe_write(CPUState *cpu, unsigned seg, uint32_t ea, unsigned len)
{
    check_segment(cpu, seg, ea, len, true);
    extras(cpu, cpu->seg[seg].base + ea, len, true);
    cpu_lin_probe(cpu, cpu->seg[seg].base + ea, len, MMU_WRITE, cpu_mmu_idx(cpu));
}

/* --- slow paths of generated code ----------------------------------------------------------------- */
static inline unsigned desc_idx(uint32_t desc)
{
    return desc >> MEMD_IDX_SHIFT & 3;
}

static inline void check_segment_desc(CPUState *cpu, uint32_t lin, uint32_t desc, bool write)
{
    if (desc & MEMD_FLAT) return;
    unsigned seg = desc >> MEMD_SEG_SHIFT & 7;
    check_segment(cpu, seg, lin - cpu->seg[seg].base, desc & MEMD_SIZE, write);
}

/* Everything but paging.  Alignment #GP (MOVAPS) comes before the segment's #SS or #GP. */
static inline void check_desc(CPUState *cpu, uint32_t lin, uint32_t desc, bool write)
{
    unsigned size = desc & MEMD_SIZE;
    if (__builtin_expect(desc & MEMD_ALIGN, 0) && lin & (size - 1)) cpu_raise_err(cpu, EXC_GP, 0);
    check_segment_desc(cpu, lin, desc, write);
    extras(cpu, lin, size, write);
}

uint32_t cpu_mem_ld(CPUState *cpu, uint32_t lin, uint32_t desc)
{
    unsigned size = desc & MEMD_SIZE;
    if (desc & MEMD_RMW) { /* every writable segment is readable */
        check_desc(cpu, lin, desc, true);
        return (uint32_t)cpu_lin_ld_rmw(cpu, lin, size, desc_idx(desc));
    }
    check_desc(cpu, lin, desc, false);
    return (uint32_t)cpu_lin_ld(cpu, lin, size, desc_idx(desc));
}

void cpu_mem_st(CPUState *cpu, uint32_t lin, uint32_t value, uint32_t desc)
{
    check_desc(cpu, lin, desc, true);
    store(cpu, lin, value, desc & MEMD_SIZE, desc_idx(desc));
}

void cpu_mem_st_checked(CPUState *cpu, uint32_t lin, uint32_t value, uint32_t desc)
{
    MmuFault f;
    if (!mmu_st(&cpu->mmu, lin, value, desc & MEMD_SIZE, desc_idx(desc), &f)) cpu_raise_pf(cpu, &f);
}

static bool power_of_two_up_to_8(unsigned size)
{
    return size <= 8 && !(size & (size - 1));
}

/* 80-bit operands are made of a quadword and a word: the faults of the former come first. */
static void ld_m80(CPUState *cpu, uint32_t lin, uint32_t desc)
{
    MmuFault f;
    uint32_t parts = desc & ~(uint32_t)MEMD_SIZE;
    check_segment_desc(cpu, lin, parts | 8, false);
    extras(cpu, lin, 10, false);
    if (!mmu_ld_bytes(&cpu->mmu, lin, cpu->bounce, 8, desc_idx(desc), &f)) cpu_raise_pf(cpu, &f);
    check_segment_desc(cpu, lin + 8, parts | 2, false);
    if (!mmu_ld_bytes(&cpu->mmu, lin + 8, cpu->bounce + 8, 2, desc_idx(desc), &f)) cpu_raise_pf(cpu, &f);
}

/* A device sees an MMX or 64-bit x87 operand as one access. */
void cpu_mem_ld_fp(CPUState *cpu, uint32_t lin, uint32_t desc)
{
    unsigned size = desc & MEMD_SIZE;
    MmuFault f;
    if (size == 10) {
        ld_m80(cpu, lin, desc);
        return;
    }
    check_desc(cpu, lin, desc, false);
    if (power_of_two_up_to_8(size)) {
        uint64_t v = cpu_lin_ld(cpu, lin, size, desc_idx(desc));
        memcpy(cpu->bounce, &v, sizeof v);
    } else if (!mmu_ld_bytes(&cpu->mmu, lin, cpu->bounce, size, desc_idx(desc), &f)) {
        cpu_raise_pf(cpu, &f);
    }
}

void cpu_mem_st_fp(CPUState *cpu, uint32_t lin, uint32_t desc)
{
    unsigned size = desc & MEMD_SIZE;
    check_desc(cpu, lin, desc, true);
    if (power_of_two_up_to_8(size)) {
        uint64_t v;
        memcpy(&v, cpu->bounce, sizeof v);
        store(cpu, lin, v, size, desc_idx(desc));
    } else {
        store_bytes(cpu, lin, cpu->bounce, size, desc_idx(desc));
    }
}

void cpu_mem_probe_st_fp(CPUState *cpu, uint32_t lin, uint32_t desc)
{
    unsigned size = desc & MEMD_SIZE, idx = desc_idx(desc);
    if (size == 10) { /* the quadword first, as in ld_m80() */
        check_segment_desc(cpu, lin, (desc & ~(uint32_t)MEMD_SIZE) | 8, true);
        extras(cpu, lin, 10, true);
        cpu_lin_probe(cpu, lin, 8, MMU_WRITE, idx);
    }
    check_desc(cpu, lin, desc, true);
    if (tlb_hit(cpu, lin, size, idx, true)) return;
    tell_code_write(cpu, lin, size, idx);
}
