/* String instructions with REP, and INS and OUTS in any form.
 *
 * The registers always describe the elements still to do, so a fault, an interrupt or a retry in the
 * middle needs no repair.  Work goes in chunks that stay inside one page on each side, or for MOVS and STOS inside pages
 * whose host memory is in one piece: where both are plain memory and the segments allow the whole chunk, host pointers are
 * used; else one element goes through cpu_ld() and cpu_st(), which raise whatever there is to raise.  A request to leave is honoured where a page is
 * left, or after any element that goes to a port: not after any chunk, for how far one reaches depends on what the TLB
 * holds, and that should not show (with -accel lockstep it would be a difference).
 *
 * Where instructions are counted each element is one, so that however a long repetition is divided it comes to the same
 * number, and none runs past a deadline. */
#include <string.h>

#include "cpu/debug.h"
#include "cpu/helpers.h"
#include "cpu/io.h"
#include "cpu/mem.h"
#include "cpu/string.h"
#include "softmmu/host_access.h"

typedef struct Str {
    CPUState *cpu;
    unsigned op, size, rep, seg; /* size: bytes of an element ... */
    unsigned shift;              /* ... and its logarithm */
    uint32_t mask;               /* of addresses and the count */
    int32_t step;
    unsigned idx;
    uint16_t cc; /* flags of the last comparison */
} Str;

static Str unpack(CPUState *cpu, uint32_t desc)
{
    Str s = { .cpu = cpu, .op = desc & 15, .rep = desc >> 7 & 3, .seg = desc >> 9 & 7 };
    s.shift = desc >> 4 & 3;
    s.size = 1u << s.shift;
    s.mask = desc & 1 << 6 ? 0xffffffffu : 0xffffu;
    s.step = cpu->df < 0 ? -(int32_t)s.size : (int32_t)s.size;
    s.idx = cpu_mmu_idx(cpu);
    s.cc = cpu->cc;
    return s;
}

static uint32_t get(const Str *s, unsigned reg)
{
    return s->cpu->regs[reg] & s->mask;
}

static void advance(const Str *s, unsigned reg, uint32_t n)
{
    uint32_t *r = &s->cpu->regs[reg];
    *r = (*r & ~s->mask) | ((*r + n * (uint32_t)s->step) & s->mask);
}

static void consume(const Str *s, uint32_t n)
{
    uint32_t *r = &s->cpu->regs[R_ECX];
    if (s->rep != STR_REP_NONE) *r = (*r & ~s->mask) | ((*r - n) & s->mask);
}

/* --- host pointers --------------------------------------------------------------------------------------- */
/* One side of a chunk: the elements at seg:ea, going step by step. */
typedef struct Span {
    uint8_t *at; /* host address of the first element; NULL: go element by element */
    uint32_t n;  /* elements, at most */
} Span;

/* Elements from offset at on, within room bytes above offset 0, in the direction of travel. */
static uint64_t elements(const Str *s, uint64_t at, uint64_t room)
{
    if (at + s->size > room) return 0;
    return s->step > 0 ? (room - at) >> s->shift : (at >> s->shift) + 1;
}

/* A flat segment allows everything; SEG_CS is never asked for a write here. */
static bool allows(const Str *s, unsigned seg, uint32_t low, uint32_t bytes, bool write)
{
    const CPUState *cpu = s->cpu;
    if (cpu->mode >> MODE_FLAT_SHIFT >> seg & 1) return true;
    return cpu_seg_allows(&cpu->seg[seg], low, bytes, write, cpu_protected(cpu));
}

/* A fault found here is the fault of the first element, whose turn it is: raised at once. */
static Span span(const Str *s, unsigned seg, uint32_t ea, uint32_t want, bool write)
{
    CPUState *cpu = s->cpu;
    const Span none = { NULL, 1 };
    const SegCache *sc = &cpu->seg[seg];
    uint32_t lin = sc->base + ea;
    uint64_t n = elements(s, lin & PAGE_MASK, PAGE_SIZE), to_wrap = elements(s, ea, (uint64_t)s->mask + 1);
    if (n > to_wrap) n = to_wrap;
    if (n > want) n = want;
    if (n == 0) return none;
    uint32_t low = s->step > 0 ? ea : ea - ((uint32_t)n - 1) * s->size;
    if (!allows(s, seg, low, (uint32_t)n << s->shift, write)) return none;
    MmuFault f;
    bool faulted = false;
    uint8_t *host = mmu_host(&cpu->mmu, lin, write ? MMU_WRITE : MMU_READ, s->idx, &f, &faulted);
    if (!host && faulted) cpu_raise_pf(cpu, &f);
    return host ? (Span){ host, (uint32_t)n } : none;
}

static bool wants_out(const CPUState *cpu)
{
    return __atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE) != 0;
}

/* sp ends where its page ends: pages that follow it in host memory, too, by what the TLB knows.  Not past a page's end where
 * that is a place to leave; not so far that a request to leave would wait long. */
static Span extend(const Str *s, Span sp, uint32_t lin, uint32_t want, bool write)
{
    const uint32_t longest = 64 << 10;
    CPUState *cpu = s->cpu;
    uint32_t per_page = PAGE_SIZE >> s->shift, page = (lin & ~PAGE_MASK) + PAGE_SIZE;
    uintptr_t addend = (uintptr_t)sp.at - lin;
    if (wants_out(cpu)) return sp;
    if (want > longest >> s->shift) want = longest >> s->shift;
    for (; page && sp.n < want; sp.n += per_page, page += PAGE_SIZE) {
        const TlbEntry *e = &cpu->mmu.tlb[s->idx][mmu_tlb_index(page)];
        if ((write ? e->tag_wr : e->tag_rd) != page || e->addend != addend) return sp;
    }
    if (sp.n > want) sp.n = want;
    return sp;
}

/* span() and more of it, for what goes up in a flat segment. */
static Span long_span(const Str *s, unsigned seg, uint32_t ea, uint32_t want, bool write)
{
    Span sp = span(s, seg, ea, want, write);
    uint32_t end = ea + (sp.n << s->shift);
    bool flat = s->cpu->mode >> MODE_FLAT_SHIFT >> seg & 1;
    if (!sp.at || sp.n >= want || !flat || s->step < 0 || s->mask != 0xffffffffu || end & PAGE_MASK) return sp;
    return extend(s, sp, ea, want, write);
}

/* Lowest address of an n-element chunk that starts at p. */
static uint8_t *lowest(const Str *s, uint8_t *p, uint32_t n)
{
    return s->step > 0 ? p : p - (n - 1) * s->size;
}

/* --- MOVS --------------------------------------------------------------------------------------------------- */
/* Overlap in the direction of travel repeats the pattern, as the element-wise definition does; other
 * overlaps are what memmove() does. */
static bool propagates(const Str *s, const uint8_t *dst, const uint8_t *src, size_t bytes)
{
    uintptr_t d = (uintptr_t)dst, a = (uintptr_t)src;
    return s->step > 0 ? d > a && d - a < bytes : a > d && a - d < bytes;
}

/* Of a long chunk only what lies before the pattern's repetition: that much memmove() can do. */
static uint32_t before_overlap(const Str *s, const uint8_t *dst, const uint8_t *src, uint32_t n)
{
    uintptr_t ahead = (uintptr_t)dst - (uintptr_t)src;
    return s->step > 0 && ahead >= PAGE_SIZE && ahead >> s->shift < n ? (uint32_t)(ahead >> s->shift) : n;
}

static void copy(const Str *s, uint8_t *dst, uint8_t *src, uint32_t n)
{
    size_t bytes = (size_t)n * s->size;
    uint8_t *dlow = lowest(s, dst, n), *slow = lowest(s, src, n);
    if (!propagates(s, dlow, slow, bytes)) {
        memmove(dlow, slow, bytes);
        return;
    }
    for (; n; n--, src += s->step, dst += s->step) {
        uint32_t v = (uint32_t)host_ld(src, s->size);
        memcpy(dst, &v, s->size);
    }
}

static uint32_t movs(const Str *s, uint32_t count, bool fast)
{
    CPUState *cpu = s->cpu;
    uint32_t si = get(s, R_ESI), di = get(s, R_EDI), n = 1;
    Span src = { NULL, 1 }, dst = { NULL, 1 };
    if (fast) {
        src = long_span(s, s->seg, si, count, false);
        if (src.at) dst = long_span(s, SEG_ES, di, src.n, true);
    }
    if (src.at && dst.at) {
        n = before_overlap(s, dst.at, src.at, dst.n);
        copy(s, dst.at, src.at, n);
    } else {
        cpu_st(cpu, SEG_ES, di, cpu_ld(cpu, s->seg, si, s->size), s->size);
    }
    advance(s, R_ESI, n);
    advance(s, R_EDI, n);
    consume(s, n);
    return n;
}

/* --- STOS, LODS ------------------------------------------------------------------------------------------------ */
static void fill(const Str *s, uint8_t *low, uint32_t n)
{
    uint32_t v = s->cpu->regs[R_EAX];
    uint32_t bytes = v & 0xff;
    if (s->size == 1 || (s->size == 2 && (uint16_t)v == bytes * 0x101) || v == bytes * 0x01010101u) {
        memset(low, (int)bytes, (size_t)n * s->size);
        return;
    }
    for (; n; n--, low += s->size) memcpy(low, &v, s->size);
}

static uint32_t stos(const Str *s, uint32_t count, bool fast)
{
    uint32_t di = get(s, R_EDI), n = 1;
    Span dst = { NULL, 1 };
    if (fast) dst = long_span(s, SEG_ES, di, count, true);
    if (dst.at) {
        n = dst.n;
        fill(s, lowest(s, dst.at, n), n);
    } else {
        cpu_st(s->cpu, SEG_ES, di, s->cpu->regs[R_EAX], s->size);
    }
    advance(s, R_EDI, n);
    consume(s, n);
    return n;
}

static uint32_t size_mask(unsigned size)
{
    return size == 4 ? 0xffffffffu : (1u << size * 8) - 1;
}

static uint32_t lods(const Str *s, uint32_t count, bool fast)
{
    CPUState *cpu = s->cpu;
    uint32_t si = get(s, R_ESI), n = 1, v, mask = size_mask(s->size);
    Span src = { NULL, 1 };
    if (fast) src = span(s, s->seg, si, count, false);
    if (src.at) {
        n = src.n;
        v = (uint32_t)host_ld(src.at + (ptrdiff_t)(n - 1) * s->step, s->size);
    } else {
        v = cpu_ld(cpu, s->seg, si, s->size);
    }
    cpu->regs[R_EAX] = (cpu->regs[R_EAX] & ~mask) | v;
    advance(s, R_ESI, n);
    consume(s, n);
    return n;
}

/* --- CMPS, SCAS ------------------------------------------------------------------------------------------------- */
/* Flags of a - b, in CPUState.cc's format. */
static void set_cmp_flags(Str *s, uint32_t a, uint32_t b)
{
    uint32_t sign = 1u << (s->size * 8 - 1), mask = size_mask(s->size), r = (a - b) & mask;
    uint32_t fl = 0;
    a &= mask;
    b &= mask;
    if (a < b) fl |= FL_CF;
    if (!__builtin_parity(r & 0xff)) fl |= FL_PF;
    if ((a ^ b ^ r) & 0x10) fl |= FL_AF;
    if (r == 0) fl |= FL_ZF;
    if (r & sign) fl |= FL_SF;
    if ((a ^ b) & (a ^ r) & sign) fl |= FL_OF;
    s->cc = cpu_cc_from_flags(fl);
}

/* Whether a comparison's outcome ends the repetition. */
static bool stops(const Str *s, bool equal)
{
    return s->rep == STR_REP ? !equal : s->rep == STR_REPNE ? equal : true;
}

/* Both return the elements done; *stop when the last one ended it. */
static uint32_t cmps(Str *s, uint32_t count, bool fast, bool *stop)
{
    CPUState *cpu = s->cpu;
    uint32_t si = get(s, R_ESI), di = get(s, R_EDI), n = 0, a, b;
    Span p = { NULL, 1 }, q = { NULL, 1 };
    if (fast) {
        q = span(s, SEG_ES, di, count, false); /* the side silicon reads first */
        if (q.at) p = span(s, s->seg, si, q.n, false);
    }
    if (p.at && q.at) {
        do {
            ptrdiff_t off = (ptrdiff_t)n * s->step;
            a = (uint32_t)host_ld(p.at + off, s->size);
            b = (uint32_t)host_ld(q.at + off, s->size);
            n++;
        } while (!stops(s, a == b) && n < p.n);
    } else {
        b = cpu_ld(cpu, SEG_ES, di, s->size);
        a = cpu_ld(cpu, s->seg, si, s->size);
        n = 1;
    }
    *stop = stops(s, a == b);
    set_cmp_flags(s, a, b);
    advance(s, R_ESI, n);
    advance(s, R_EDI, n);
    consume(s, n);
    return n;
}

static uint32_t scan(const Str *s, const uint8_t *p, uint32_t limit, uint32_t a)
{
    uint32_t n = 0, b;
    if (s->size == 1 && s->rep == STR_REPNE && s->step > 0) {
        const uint8_t *hit = memchr(p, (int)a, limit);
        return hit ? (uint32_t)(hit - p) + 1 : limit;
    }
    do {
        b = (uint32_t)host_ld(p + (ptrdiff_t)n * s->step, s->size);
        n++;
    } while (!stops(s, a == b) && n < limit);
    return n;
}

static uint32_t scas(Str *s, uint32_t count, bool fast, bool *stop)
{
    CPUState *cpu = s->cpu;
    uint32_t di = get(s, R_EDI), n = 1, a = cpu->regs[R_EAX] & size_mask(s->size), b;
    Span q = { NULL, 1 };
    if (fast) q = span(s, SEG_ES, di, count, false);
    if (q.at) {
        n = scan(s, q.at, q.n, a);
        b = (uint32_t)host_ld(q.at + (ptrdiff_t)(n - 1) * s->step, s->size);
    } else {
        b = cpu_ld(cpu, SEG_ES, di, s->size);
    }
    *stop = stops(s, a == b);
    set_cmp_flags(s, a, b);
    advance(s, R_EDI, n);
    consume(s, n);
    return n;
}

/* --- INS, OUTS --------------------------------------------------------------------------------------------------- */
/* One element a time: a port access may change anything, from the memory map to a pending interrupt. */
static void ins(const Str *s, bool fast)
{
    CPUState *cpu = s->cpu;
    uint16_t port = (uint16_t)cpu->regs[R_EDX];
    uint32_t di = get(s, R_EDI), v;
    Span dst = { NULL, 1 };
    if (fast) dst = span(s, SEG_ES, di, 1, true);
    if (!dst.at) {
        /* Whatever the store may raise must come before the port is read. */
        uint32_t desc = s->size | SEG_ES << MEMD_SEG_SHIFT | s->idx << MEMD_IDX_SHIFT;
        cpu_mem_probe_st_fp(cpu, cpu->seg[SEG_ES].base + di, desc);
    }
    v = ioports_read(cpu->io, port, s->size);
    cpu_st(cpu, SEG_ES, di, v, s->size);
    advance(s, R_EDI, 1);
    consume(s, 1);
}

static void outs(const Str *s)
{
    CPUState *cpu = s->cpu;
    uint32_t v = cpu_ld(cpu, s->seg, get(s, R_ESI), s->size);
    ioports_write(cpu->io, (uint16_t)cpu->regs[R_EDX], v, s->size);
    advance(s, R_ESI, 1);
    consume(s, 1);
}

/* --- the loop ------------------------------------------------------------------------------------------------------ */
static uint32_t chunk(Str *s, uint32_t count, bool fast, bool *stop)
{
    switch (s->op) {
    case STR_MOVS: return movs(s, count, fast);
    case STR_CMPS: return cmps(s, count, fast, stop);
    case STR_STOS: return stos(s, count, fast);
    case STR_LODS: return lods(s, count, fast);
    case STR_SCAS: return scas(s, count, fast, stop);
    case STR_INS: ins(s, fast); return 1;
    default: outs(s); return 1;
    }
}

typedef struct Place {
    uint32_t si, di; /* linear */
} Place;

static Place place(const Str *s)
{
    const CPUState *cpu = s->cpu;
    return (Place){ cpu->seg[s->seg].base + get(s, R_ESI), cpu->seg[SEG_ES].base + get(s, R_EDI) };
}

static bool may_leave(const Str *s, Place from)
{
    Place to = place(s);
    return s->op >= STR_INS || ((from.si ^ to.si) | (from.di ^ to.di)) & ~PAGE_MASK;
}

/* What interrupts or traps between two turns finds RF set (SDM 3B 17.3.1.1), so that an instruction breakpoint does not
 * strike again when the rest is done. */
static uint32_t unfinished(CPUState *cpu)
{
    cpu->eflags |= FL_RF;
    cpu_keep(cpu, KEPT_RF);
    cpu_update_mode(cpu);
    return 0;
}

/* Elements that may be done now.  The first has been counted by its block, as the instruction. */
static uint32_t allowed(const CPUState *cpu, uint32_t count, bool first)
{
    if (!cpu->counting) return count;
    uint32_t room = (uint32_t)cpu->insns_left + first;
    return count < room ? count : room;
}

/* --- a few elements ------------------------------------------------------------------------------------------------- */
static uint8_t *known(const CPUState *cpu, uint32_t lin, uint32_t bytes, unsigned idx, bool write)
{
    const TlbEntry *e = &cpu->mmu.tlb[idx][mmu_tlb_index(lin)];
    bool here = (write ? e->tag_wr : e->tag_rd) == (lin & ~PAGE_MASK) && (lin & PAGE_MASK) + bytes <= PAGE_SIZE;
    return here ? (uint8_t *)(e->addend + lin) : NULL;
}

/* What compilers make of a structure's copy and of memcpy(): REP MOVS going up in flat segments, within a page that the TLB knows on
 * each side.  Nothing of it can fault, and there is no place to leave.  False: not so, and nothing was done. */
static bool few_movs(CPUState *cpu, uint32_t desc)
{
    const uint32_t few = 64, kind = desc & ~(3u << 4 | 7u << 9), data = STR_DESC(STR_MOVS, 0, 1, STR_REP, 0);
    uint32_t n = cpu->regs[R_ECX], si = cpu->regs[R_ESI], di = cpu->regs[R_EDI], bytes = n << (desc >> 4 & 3);
    uint32_t flat = (1u << (desc >> 9 & 7) | 1u << SEG_ES) << MODE_FLAT_SHIFT;
    if (kind != data || n - 1 >= few || di - si < bytes || cpu->df < 0 || cpu->counting) return false;
    if ((cpu->mode & (flat | MODE_SINGLE | MODE_SLOW_MEM)) != flat) return false;
    unsigned idx = cpu_mmu_idx(cpu);
    const uint8_t *src = known(cpu, si, bytes, idx, false);
    uint8_t *dst = src ? known(cpu, di, bytes, idx, true) : NULL;
    if (!dst || (uintptr_t)dst - (uintptr_t)src < bytes) return false; /* the second: one page at two addresses */
    memmove(dst, src, bytes);
    cpu->regs[R_ESI] = si + bytes;
    cpu->regs[R_EDI] = di + bytes;
    cpu->regs[R_ECX] = 0;
    return true;
}

uint32_t helper_string(CPUState *cpu, uint32_t desc)
{
    if (few_movs(cpu, desc)) return 1;
    Str s = unpack(cpu, desc);
    bool single = cpu->mode & (MODE_SINGLE & ~MODE_RF), fast = !(cpu->mode & MODE_SLOW_MEM), port = s.op >= STR_INS,
         stop = false, first = true;
    uint32_t count = s.rep == STR_REP_NONE ? 1 : get(&s, R_ECX);
    if (port) cpu_check_io(cpu, (uint16_t)cpu->regs[R_EDX], s.size);
    while (count) {
        uint32_t room = allowed(cpu, count, first);
        if (!room) return unfinished(cpu);
        if (cpu->counting && !first) cpu->insns_left--; /* also when it faults */
        first = false;
        Place from = place(&s);
        uint32_t n = chunk(&s, single ? 1 : room, fast, &stop);
        count -= n;
        if (cpu->counting) cpu->insns_left -= (int32_t)n - 1;
        if (stop) break;
        if (count && (single || (wants_out(cpu) && may_leave(&s, from)))) return unfinished(cpu);
    }
    cpu->cc = s.cc; /* only now: a fault on the way finds the flags as before (SDM 2B, REP) */
    return 1;
}
