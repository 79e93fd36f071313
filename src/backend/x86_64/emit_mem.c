/* Loads and stores: address, segment bound, inline TLB check, and the way out of line.
 *
 * The hot sequence for a 32-bit load at a flat address (mmu.h says what the entry means):
 *     lea  r8d, [base + index*scale + disp]
 *     rorx r9d, r8d, 12 - 4         ; 16-byte entries (mov, shr without BMI2)
 *     and  r9d, (entries - 1) << 4
 *     lea  r11d, [r8 + size - 1]    ; an access that crosses the page misses
 *     and  r11d, -4096
 *     cmp  r11d, [rbp + r9 + tlb.tag]
 *     jne  cold
 *     mov  r9, [rbp + r9 + tlb.addend]
 *     mov  dst, [r8 + r9]
 * The cold stub stores EIP (so that a fault is exact without any table), calls C and comes back.
 * A load or a read-modify-write whose value feeds one ALU operation becomes that operation with a
 * memory operand. */
#include "backend/x86_64/emit.h"
#include "tcg/notes.h"

enum { WINDOW_NEAR = 32 << 10 }; /* less than the guards on either side of the system's window */

_Static_assert(sizeof(TlbEntry) == 16, "emitted code scales by 16");

static uint32_t tlb_offset(const Emit *e)
{
    return (uint32_t)(offsetof(CPUState, mmu.tlb) + sizeof(TlbEntry) * MMU_TLB_SIZE * e->b->mmu_idx);
}

static AsmMem ir_address(Emit *e, const IrMem *m)
{
    AsmMem am = asm_mem_index(NOREG, NOREG, m->shift, (int32_t)m->disp);
    if (m->base != IR_NOREG) am.base = (uint8_t)gpr_host(e, m->base);
    if (m->index != IR_NOREG) am.index = (uint8_t)gpr_host(e, m->index);
    if (am.base == NOREG && am.index != NOREG && !am.shift) {
        am.base = am.index;
        am.index = NOREG;
    }
    return am;
}

static void load_address(Emit *e, const IrMem *m, unsigned dst)
{
    AsmMem am = ir_address(e, m);
    if (am.base == NOREG && am.index == NOREG) {
        asm_mov_imm(&e->a, dst, m->asize == 2 ? m->disp & 0xffff : m->disp);
        return;
    }
    if (am.index == NOREG && !am.disp) {
        if (m->asize == 4)
            asm_mov(&e->a, dst, am.base);
        else
            asm_rr(&e->a, W32, 0x0fb7, dst, am.base);
        return;
    }
    asm_rm(&e->a, W32, 0x8d, dst, am);
    if (m->asize == 2) asm_rr(&e->a, W32, 0x0fb7, dst, dst);
}

void emit_lea(Emit *e, const IrInsn *in)
{
    if (in->width == 4) {
        /* Operands first: the destination may be one of them. */
        AsmMem am = ir_address(e, &in->mem);
        unsigned d = reg_write(e, &in->dst, 4);
        if (am.base == NOREG && am.index == NOREG) {
            asm_mov_imm(&e->a, d, in->mem.asize == 2 ? in->mem.disp & 0xffff : in->mem.disp);
            return;
        }
        if (am.index == NOREG && !am.disp && in->mem.asize == 4) {
            asm_mov(&e->a, d, am.base);
            return;
        }
        asm_rm(&e->a, W32, 0x8d, d, am);
        if (in->mem.asize == 2) asm_rr(&e->a, W32, 0x0fb7, d, d);
        return;
    }
    /* The low half is the same for an address of either size. */
    AsmMem am = ir_address(e, &in->mem);
    unsigned d = reg_write(e, &in->dst, 2);
    if (am.base != NOREG || am.index != NOREG) {
        asm_rm(&e->a, W16, 0x8d, d, am);
        return;
    }
    asm_mov_imm(&e->a, R8, in->mem.disp);
    asm_rr(&e->a, W16, 0x8b, d, R8);
}

uint32_t mem_desc(const Emit *e, const IrMem *m, unsigned size, unsigned use)
{
    return size | (uint32_t)m->seg << MEMD_SEG_SHIFT | (m->flat ? MEMD_FLAT : 0) |
           (use == IR_MEM_RW  ? MEMD_RMW
            : use == IR_MEM_W ? MEMD_STORE
                              : 0) |
           (m->align > 1 ? MEMD_ALIGN : 0) | (uint32_t)e->b->mmu_idx << MEMD_IDX_SHIFT;
}

static AsmMem seg_field(unsigned seg, size_t field)
{
    return state_at(offsetof(CPUState, seg) + seg * sizeof(SegCache) + field);
}

void mem_linear(Emit *e, const IrMem *m)
{
    load_address(e, m, R8);
    if (!m->flat) asm_rm(&e->a, W32, 0x03, R8, seg_field(m->seg, offsetof(SegCache, base)));
}

static void check_constant(Emit *e, uint32_t lin, unsigned size, size_t tag, Cold *c)
{
    size_t entry = tlb_offset(e) + sizeof(TlbEntry) * mmu_tlb_index(lin);
    map_purpose(e, "TLB check");
    asm_mov_imm(&e->a, R8, lin);
    if ((lin ^ (lin + size - 1)) & ~PAGE_MASK) {
        cold_site(c, asm_jmp(&e->a));
        return;
    }
    asm_alu_mem_imm(&e->a, 4, 7, state_at(entry + tag), lin & ~PAGE_MASK);
    cold_site(c, asm_jcc(&e->a, CC_NE));
    asm_rm(&e->a, W64, 0x8b, R9, state_at(entry + offsetof(TlbEntry, addend)));
}

/* The linear address to r8, if the offset is within the segment. */
static void check_segment(Emit *e, const IrMem *m, unsigned use, Cold *c)
{
    size_t bound = use == IR_MEM_R ? offsetof(SegCache, rd_bound) : offsetof(SegCache, wr_bound);
    map_purpose(e, "address");
    load_address(e, m, R8);
    map_purpose(e, "segment check");
    asm_rm(&e->a, W32, 0x3b, R8, seg_field(m->seg, bound));
    c->seg_site = asm_jcc(&e->a, CC_AE);
    asm_rm(&e->a, W32, 0x03, R8, seg_field(m->seg, offsetof(SegCache, base)));
}

void mem_check(Emit *e, const IrMem *m, unsigned size, unsigned use, Cold *c)
{
    Asm *a = &e->a;
    size_t tag = use == IR_MEM_R ? offsetof(TlbEntry, tag_rd) : offsetof(TlbEntry, tag_wr);
    c->desc = mem_desc(e, m, size, use);
    c->seg = m->seg;
    flags_clobber(e);
    c->alloc.flags = e->alloc.flags;

    bool slow = (e->b->mode & MODE_SLOW_MEM) != 0;
    if (m->flat && !slow && m->base == IR_NOREG && m->index == IR_NOREG && m->align <= 1) {
        check_constant(e, m->asize == 2 ? m->disp & 0xffff : m->disp, size, tag, c);
        map_purpose(e, NULL);
        return;
    }
    if (m->flat || slow) {
        map_purpose(e, "address");
        mem_linear(e, m);
    } else {
        check_segment(e, m, use, c);
    }
    if (slow) {
        cold_site(c, asm_jmp(a));
        map_purpose(e, NULL);
        return;
    }
    map_purpose(e, "TLB check");
    if (thunks.has_bmi2) {
        asm_rorx(a, R9, R8, PAGE_SHIFT - 4);
    } else {
        asm_mov(a, R9, R8);
        asm_rr(a, DIGIT, 0xc1, 5, R9), asm8(a, PAGE_SHIFT - 4); /* shr */
    }
    asm_alu_imm(a, 4, 4, R9, (MMU_TLB_SIZE - 1) << 4);
    bool aligned = m->align > 1; /* the low bits take part in the comparison: a multiple of the size cannot cross */
    if (size == 1 || aligned)
        asm_mov(a, R11, R8);
    else
        asm_rm(a, W32, 0x8d, R11, asm_mem(R8, (int32_t)size - 1));
    asm_alu_imm(a, 4, 4, R11, ~PAGE_MASK | (aligned ? m->align - 1u : 0));
    asm_rm(a, W32, 0x3b, R11, asm_mem_index(RBP, R9, 0, (int32_t)(tlb_offset(e) + tag)));
    cold_site(c, asm_jcc(a, CC_NE));
    asm_rm(a, W64, 0x8b, R9, asm_mem_index(RBP, R9, 0, (int32_t)(tlb_offset(e) + offsetof(TlbEntry, addend))));
    map_purpose(e, NULL);
}

/* --- runs: one check for several accesses (tcg/pass_runs.c) ------------------------------------------ */

/* Misses come here with r8 = the run's lowest address.  C makes the TLB entry for the first access, with whatever fault
 * that raises; when the run cannot be served by one page (it crosses pages, a device, code) it does not come
 * back: the block is translated again without runs. */
static void cold_run(Emit *e, Cold *c)
{
    const IrMem *m = &e->b->insn[c->first].mem;
    map_purpose(e, "slow shared check");
    cold_mem_enter(e, c);
    if (m->run_off) asm_rm(&e->a, W32, 0x8d, R8, asm_mem(R8, m->run_off));
    asm_mov_imm(&e->a, R11, (uint32_t)m->run_off << 16 | m->run_len);
    cold_mem_call(e, c, thunks.run_miss, 0);
    emit_jmp_to(e, c->back);
}

static bool start_run(Emit *e, const IrMem *m, unsigned size, unsigned use, unsigned *host)
{
    if (e->info->no_runs || !run_take(e, m->run, host)) return false;
    Cold *c = cold_new(e, cold_run);
    IrMem low = *m;
    low.disp -= m->run_off;
    flags_clobber(e);
    c->back = e->a.p;
    mem_check(e, &low, m->run_len, use, c);
    c->desc = mem_desc(e, m, size, use);
    map_purpose(e, "address for its run");
    asm_rm(&e->a, W64, 0x8d, *host, MEM_HOST);
    map_purpose(e, NULL);
    return true;
}

/* --- the window: no check, the guest's own address (softmmu/window.h) --------------------------------------- */

/* Where the window in use has the linear address base + disp. */
static AsmMem window_host(const Emit *e, unsigned base, int32_t disp)
{
    bool plain = e->window == ASM_WINDOW_PLAIN;
    AsmMem am = plain ? asm_mem_index(RBP, base, 0, thunks.system_window + disp) : asm_mem(base, disp);
    am.window = e->window;
    return am;
}

/* The user's: the guest's own addressing, relative to GS.  The system's: relative to CPUState, which may take a register for the
 * sum.  *guest: what the cold code computes the linear address from. */
static AsmMem window_address(Emit *e, const IrMem *m, AsmMem *guest)
{
    AsmMem am = ir_address(e, m);
    bool near = am.disp > -WINDOW_NEAR && am.disp < WINDOW_NEAR; /* what wraps around meets the guard */
    bool plain = e->window == ASM_WINDOW_PLAIN;
    bool simple = m->asize == 4 && (!plain || (am.base != NOREG && am.index == NOREG && near));
    if (!simple) {
        load_address(e, m, R8);
        am = asm_mem(R8, 0);
    }
    am.window = e->window;
    *guest = am;
    return plain ? window_host(e, am.base, am.disp) : am;
}

void cold_window_enter(Emit *e, Cold *c)
{
    AsmMem am = c->window;
    flags_save(e);
    e->alloc.flags = FLAGS_STATE;
    am.window = ASM_WINDOW_NONE;
    if (am.base == NOREG && am.index == NOREG)
        asm_mov_imm(&e->a, R8, (uint32_t)am.disp);
    else if (am.base != R8)
        asm_rm(&e->a, W32, 0x8d, R8, am);
}

void cold_back(Emit *e, Cold *c)
{
    if (c->window.window && c->alloc.flags != FLAGS_STATE) flags_load(e);
    emit_jmp_to(e, c->back);
}

void mem_done(Emit *e, Cold *c)
{
    if (!c) return;
    c->back = e->a.p;
    if (!c->window.window) return;
    c->fault = e->a.window_insn;
    map_purpose(e, NULL);
}

/* An access that is one host instruction. */
static AsmMem window_operand(Emit *e, const IrMem *m, unsigned size, unsigned use, void (*fn)(Emit *, Cold *),
                             Cold **out)
{
    AsmMem guest, am = window_address(e, m, &guest);
    Cold *c = cold_new(e, fn);
    c->last = c->first;
    c->window = guest;
    c->desc = mem_desc(e, m, size, use);
    *out = c;
    map_purpose(e, "window access");
    return am;
}

/* The same in a segment that is not flat: bound and base first. */
static AsmMem window_segment_operand(Emit *e, const IrMem *m, unsigned size, unsigned use, void (*fn)(Emit *, Cold *),
                                     Cold **out)
{
    Cold *c = cold_new(e, fn);
    c->last = c->first;
    c->desc = mem_desc(e, m, size, use);
    c->seg = m->seg;
    flags_clobber(e);
    c->alloc.flags = e->alloc.flags;
    check_segment(e, m, use, c);
    c->window = asm_mem(R8, 0);
    c->window.window = e->window;
    *out = c;
    map_purpose(e, "window access");
    return window_host(e, R8, 0);
}

AsmMem mem_operand(Emit *e, const IrMem *m, unsigned size, unsigned use, void (*fn)(Emit *, Cold *), Cold **out)
{
    *out = NULL;
    if (e->window && m->flat) return window_operand(e, m, size, use, fn, out);
    if (e->window && !m->run) return window_segment_operand(e, m, size, use, fn, out); /* a run shares its bound, too */
    if (m->run && !(e->b->mode & MODE_SLOW_MEM)) {
        unsigned host = run_host(e, m->run);
        if (host != NOREG || (m->run_first && start_run(e, m, size, use, &host))) return asm_mem(host, m->run_off);
    }
    Cold *c = cold_new(e, fn);
    c->last = c->first;
    mem_check(e, m, size, use, c);
    *out = c;
    return MEM_HOST;
}

/* --- cold side --------------------------------------------------------------------------------------- */

/* The segment-bound failure comes in before the base was added. */
void cold_seg_entry(Emit *e, Cold *c, const uint8_t *start)
{
    if (!c->seg_site) return;
    emit_patch(e, c->seg_site, e->a.p);
    asm_rm(&e->a, W32, 0x03, R8, seg_field(c->seg, offsetof(SegCache, base)));
    emit_jmp_to(e, start);
}

void cold_mem_enter(Emit *e, Cold *c)
{
    store_eip(e, c->eip);
}

void cold_mem_call(Emit *e, Cold *c, const uint8_t *thunk, uint32_t extra_desc)
{
    asm_mov_imm(&e->a, R9, c->desc | extra_desc);
    emit_call(e, thunk);
}

static void cold_return(Emit *e, Cold *c, const uint8_t *start)
{
    cold_back(e, c);
    cold_seg_entry(e, c, start);
}

static void move_from_r8(Emit *e, unsigned dst, unsigned width)
{
    if (width == 1 && dst >= AH) {
        swap_high(e, dst);
        asm_rr(&e->a, W8, 0x8a, dst - AH, R8);
        swap_high(e, dst);
    } else {
        asm_rr(&e->a, asm_width(width), width == 1 ? 0x8a : 0x8b, dst, R8);
    }
}

static void load_from(Emit *e, unsigned dst, unsigned width, AsmMem m, bool fresh)
{
    if (width == 1 && dst >= AH && m.window) { /* must not fault with the halves swapped */
        asm_rm(&e->a, W32, 0x0fb6, R11, m);
        swap_high(e, dst);
        asm_rr(&e->a, W8, 0x8a, dst - AH, R11);
        swap_high(e, dst);
    } else if (width == 1 && dst >= AH) {
        swap_high(e, dst);
        asm_rm(&e->a, W8, 0x8a, dst - AH, m);
        swap_high(e, dst);
    } else if (width < 4 && fresh) { /* no old bits to keep: avoid the partial write */
        asm_rm(&e->a, W32, width == 1 ? 0x0fb6 : 0x0fb7, dst, m);
    } else {
        asm_rm(&e->a, asm_width(width), width == 1 ? 0x8a : 0x8b, dst, m);
    }
}

static void cold_ld(Emit *e, Cold *c)
{
    const uint8_t *start = e->a.p;
    map_purpose(e, "slow load");
    const IrInsn *in = &e->b->insn[c->first];
    cold_mem_enter(e, c);
    cold_mem_call(e, c, thunks.ld, 0);
    if (c->last > c->first) { /* fused with the next operation */
        e->cur = c->last;
        alu_fuse_load(e, &e->b->insn[c->last], in->dst.reg, MEM_HOST, R8);
    } else {
        move_from_r8(e, c->reg, in->width);
    }
    cold_return(e, c, start);
}

/* Brings an address's temporaries into registers before anything that must not be repeated or skipped. */
static void take_address(Emit *e, const IrMem *m)
{
    if (m->base != IR_NOREG) gpr_host(e, m->base);
    if (m->index != IR_NOREG) gpr_host(e, m->index);
}

void emit_ld(Emit *e, const IrInsn *in)
{
    take_address(e, &in->mem);
    const IrInsn *next = e->cur + 1 < e->b->n ? in + 1 : NULL;
    Cold *c;
    if (next && alu_can_fuse_load(e, next, in)) {
        AsmMem m = mem_operand(e, &in->mem, in->width, IR_MEM_R, cold_ld, &c);
        ir_note(e->b, next, "one host instruction with the load");
        e->cur++;
        if (c) c->last = e->cur;
        alu_fuse_load(e, next, in->dst.reg, m, NOREG);
        mem_done(e, c);
        return;
    }
    bool fresh = is_temp(&in->dst) && !e->loc[in->dst.reg - IR_TEMP0];
    unsigned d = reg_write(e, &in->dst, in->width);
    AsmMem m = mem_operand(e, &in->mem, in->width, IR_MEM_R, cold_ld, &c);
    if (c) c->reg = (uint8_t)d;
    load_from(e, d, in->width, m, fresh);
    mem_done(e, c);
}

static unsigned extend_opcode(const IrInsn *in)
{
    return (in->op == IR_LDZX ? 0x0fb6u : 0x0fbeu) | (in->width2 == 2);
}

static void cold_ldx(Emit *e, Cold *c)
{
    const uint8_t *start = e->a.p;
    map_purpose(e, "slow load");
    const IrInsn *in = &e->b->insn[c->first];
    cold_mem_enter(e, c);
    cold_mem_call(e, c, thunks.ld, 0);
    asm_rr(&e->a, asm_width(in->width) | (in->width2 == 1 ? W8 : 0), extend_opcode(in), c->reg, R8);
    cold_return(e, c, start);
}

void emit_ldx(Emit *e, const IrInsn *in)
{
    take_address(e, &in->mem);
    unsigned d = reg_write(e, &in->dst, in->width);
    Cold *c;
    AsmMem m = mem_operand(e, &in->mem, in->width2, IR_MEM_R, cold_ldx, &c);
    if (c) c->reg = (uint8_t)d;
    asm_rm(&e->a, asm_width(in->width), extend_opcode(in), d, m);
    mem_done(e, c);
}

/* The value to be stored, into r11 for the thunk.  Flags are not live here. */
static void value_to_r11(Emit *e, unsigned reg, uint32_t imm)
{
    if (reg == NOREG) {
        asm_mov_imm(&e->a, R11, imm);
    } else if (reg >= AH) {
        asm_mov(&e->a, R11, reg - AH);
        asm_rr(&e->a, W32, 0xc1, 5, R11), asm8(&e->a, 8);
    } else {
        asm_mov(&e->a, R11, reg);
    }
}

static void cold_st(Emit *e, Cold *c)
{
    const uint8_t *start = e->a.p;
    map_purpose(e, "slow store");
    cold_mem_enter(e, c);
    value_to_r11(e, c->reg, c->value);
    if (c->reg == NOREG) reloc_imm(e, &e->b->insn[c->first].a);
    cold_mem_call(e, c, thunks.st, 0);
    cold_return(e, c, start);
}

static void store_to(Emit *e, AsmMem m, unsigned width, unsigned reg, uint32_t imm)
{
    if (reg == NOREG) {
        asm_store_imm(&e->a, width, m, imm);
    } else if (width == 1 && reg >= AH && m.window) {
        swap_high(e, reg);
        asm_mov(&e->a, R11, reg - AH);
        swap_high(e, reg);
        asm_rm(&e->a, W8, 0x88, R11, m);
    } else if (width == 1 && reg >= AH) {
        swap_high(e, reg);
        asm_rm(&e->a, W8, 0x88, reg - AH, m);
        swap_high(e, reg);
    } else {
        asm_rm(&e->a, asm_width(width), width == 1 ? 0x88 : 0x89, reg, m);
    }
}

void emit_st(Emit *e, const IrInsn *in)
{
    unsigned s = in->a.kind == IR_IMM ? (unsigned)NOREG : reg_read(e, &in->a, in->width);
    take_address(e, &in->mem);
    Cold *c;
    AsmMem m = mem_operand(e, &in->mem, in->width, IR_MEM_W, cold_st, &c);
    if (c) {
        c->reg = (uint8_t)s;
        c->value = in->a.imm;
    }
    store_to(e, m, in->width, s, in->a.imm);
    if (s == NOREG) reloc_imm(e, &in->a);
    mem_done(e, c);
}

/* --- read-modify-write ---------------------------------------------------------------------------------- */

static uint32_t find_strmw(const Emit *e)
{
    uint32_t i = e->cur + 1;
    while (e->b->insn[i].op != IR_STRMW) i++;
    return i;
}

/* Out of line: C load, the operations in between once more on registers, C store.  Linear address waits in scratch32. */
static void cold_rmw(Emit *e, Cold *c)
{
    const uint8_t *start = e->a.p;
    map_purpose(e, "slow read-modify-write");
    const IrInsn *ld = &e->b->insn[c->first], *st = &e->b->insn[c->last];
    memcpy(e->loc, c->loc, e->b->n_temps);
    asm_store(&e->a, STATE(scratch32), R8);
    cold_mem_enter(e, c);
    cold_mem_call(e, c, thunks.ld, 0);
    e->cur = c->first;
    move_from_r8(e, reg_write(e, &ld->dst, ld->width), ld->width);
    temp_release(e);
    emit_range(e, c->first + 1, c->last - 1);
    e->cur = c->last;
    map_purpose(e, "slow read-modify-write");
    bool host_flags = e->alloc.flags != FLAGS_STATE;
    if (host_flags && e->live[c->last]) flags_save(e);
    unsigned s = st->a.kind == IR_IMM ? (unsigned)NOREG : reg_read(e, &st->a, st->width);
    value_to_r11(e, s, st->a.imm);
    asm_load(&e->a, R8, STATE(scratch32));
    cold_mem_call(e, c, thunks.st_checked, 0);
    if (host_flags && e->live[c->last]) {
        e->alloc.flags = FLAGS_STATE;
        flags_load(e);
    }
    cold_return(e, c, start);
}

static void rmw_snapshot(Emit *e, Cold *c, uint32_t last)
{
    if (!c) return;
    c->last = last;
    if (e->bump + e->b->n_temps > e->bump_end) {
        e->failed = true;
        return;
    }
    c->loc = e->bump;
    memcpy(c->loc, e->loc, e->b->n_temps);
    e->bump += e->b->n_temps;
    c->alloc = e->alloc;
    if (!c->window.window) c->alloc.flags = FLAGS_STATE;
}

void emit_ldrmw(Emit *e, const IrInsn *in)
{
    uint32_t last = find_strmw(e);
    const IrInsn *st = &e->b->insn[last];
    Cold *c;
    take_address(e, &in->mem);
    if (last == e->cur + 2 && alu_can_fuse_rmw(e, in + 1, in, st)) {
        ir_note(e->b, in + 1, "one host instruction with the load and the store");
        if (in[1].a.kind == IR_REG) gpr_host(e, in[1].a.reg);
        reg_write(e, &in->dst, 4); /* for the cold copy: both must agree on where temporaries are */
        AsmMem m = mem_operand(e, &in->mem, in->width, IR_MEM_RW, cold_rmw, &c);
        rmw_snapshot(e, c, last);
        e->cur++;
        bool flags =
            in[1].fl_rd | in[1].fl_wr; /* NOT has nothing to do with them: they stay where the cold copy has them */
        if (c && !m.window && flags && (in[1].fl_rd | (e->live[e->cur] & ~in[1].fl_wr))) { /* loading flags takes r9 */
            asm_rm(&e->a, W64, 0x8d, R8, MEM_HOST);
            m = asm_mem(R8, 0);
        }
        if (flags) flags_need(e, in + 1);
        alu_fuse_rmw(e, in + 1, m);
        flags_done(e, in + 1);
        e->cur = last;
        mem_done(e, c);
        return;
    }
    /* More than one host instruction, the last of which must not fault: checked. */
    unsigned d = reg_write(e, &in->dst, in->width);
    uint8_t window = e->window;
    e->window = ASM_WINDOW_NONE;
    AsmMem m = mem_operand(e, &in->mem, in->width, IR_MEM_RW, cold_rmw, &c);
    e->window = window;
    rmw_snapshot(e, c, last);
    asm_rm(&e->a, W64, 0x8d, R8, m);
    load_from(e, d, in->width, asm_mem(R8, 0), false);
    temp_release(e);
    emit_range(e, e->cur + 1, last - 1);
    e->cur = last;
    unsigned s = st->a.kind == IR_IMM ? (unsigned)NOREG : reg_read(e, &st->a, st->width);
    store_to(e, asm_mem(R8, 0), st->width, s, st->a.imm);
    mem_done(e, c);
}
