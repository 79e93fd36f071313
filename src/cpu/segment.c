/* Segment registers: SDM 3A 3.4, 3.5 and 5, and the instructions that look at descriptors without
 * transferring control. */
#include "cpu/helpers.h"
#include "cpu/segment.h"

void cpu_seg_update_bounds(SegCache *s, bool is_cs, bool protected_mode)
{
    uint32_t bound = s->limit >= 15 ? s->limit - 14 : 0;
    bool rd = true, wr = true;
    if (protected_mode) {
        bool code = s->attr & SEG_X, usable = s->attr & SEG_P && !(!code && s->attr & SEG_E);
        rd = usable && (!code || s->attr & SEG_R);
        wr = usable && !code && s->attr & SEG_W;
    }
    (void)is_cs;
    s->rd_bound = rd ? bound : 0;
    s->wr_bound = wr ? bound : 0;
}

/* Real mode keeps limit and size bit ("unreal mode" depends on it); v86 mode has its own fixed ones
 * (SDM 3B 20.2.1). */
void cpu_seg_load_real(CPUState *cpu, unsigned seg, uint16_t sel)
{
    SegCache *s = &cpu->seg[seg];
    s->sel = sel;
    s->base = (uint32_t)sel << 4;
    bool v86 = cpu->cr0 & CR0_PE && cpu->eflags & FL_VM;
    if (v86) {
        s->limit = 0xffff;
        s->attr = SEG_P | SEG_DPL | SEG_S | SEG_W | SEG_A;
    } else {
        s->attr = (uint16_t)((s->attr & (SEG_DB | SEG_G | SEG_AVL)) | SEG_P | SEG_S | SEG_W | SEG_A);
    }
    cpu_seg_update_bounds(s, seg == SEG_CS, v86);
    if (seg == SEG_CS) cpu->cpl = v86 ? 3 : 0;
}

bool seg_fetch(CPUState *cpu, uint16_t sel, SegDesc *d)
{
    uint32_t base = cpu->gdt.base, limit = cpu->gdt.limit;
    if (sel & 4) {
        const SegCache *ldt = &cpu->seg[SEG_LDTR];
        if (!(ldt->attr & SEG_P)) return false;
        base = ldt->base;
        limit = ldt->limit;
    }
    if ((uint32_t)(sel | 7) > limit) return false;
    d->lin = base + (sel & ~7u);
    uint64_t v = cpu_sys_ld(cpu, d->lin, 8);
    d->lo = (uint32_t)v;
    d->hi = (uint32_t)(v >> 32);
    return true;
}

void seg_fetch_or_raise(CPUState *cpu, uint16_t sel, SegDesc *d, int vector)
{
    if (!seg_fetch(cpu, sel, d)) cpu_raise_err(cpu, vector, sel_error(sel));
}

void seg_set_accessed(CPUState *cpu, SegDesc *d)
{
    if (d->hi & SEG_A << 8) return;
    d->hi |= SEG_A << 8;
    cpu_sys_st(cpu, d->lin + 5, d->hi >> 8, 1);
}

void seg_image(SegCache *s, uint16_t sel, const SegDesc *d, bool is_cs)
{
    s->base = desc_base(d);
    s->limit = desc_limit(d);
    s->sel = sel;
    s->attr = desc_attr(d);
    cpu_seg_update_bounds(s, is_cs, true);
}

void seg_flat(SegCache *s, uint16_t sel, bool code, unsigned dpl)
{
    s->base = 0;
    s->limit = 0xffffffffu;
    s->sel = sel;
    s->attr = (uint16_t)(SEG_G | SEG_DB | SEG_P | dpl << 5 | SEG_S | (code ? SEG_X : 0) | SEG_W | SEG_A);
    cpu_seg_update_bounds(s, code, true);
}

void seg_load_null(CPUState *cpu, unsigned seg, uint16_t sel)
{
    cpu->seg[seg] = (SegCache){ .sel = sel };
}

void seg_check_ss(CPUState *cpu, uint16_t sel, unsigned cpl, SegDesc *d, int bad_vector)
{
    if (sel_is_null(sel)) cpu_raise_err(cpu, bad_vector, 0);
    seg_fetch_or_raise(cpu, sel, d, bad_vector);
    if ((sel & 3) != cpl || desc_dpl(d) != cpl || !desc_is_writable_data(d))
        cpu_raise_err(cpu, bad_vector, sel_error(sel));
    if (!desc_present(d)) cpu_raise_err(cpu, EXC_SS, sel_error(sel));
    seg_set_accessed(cpu, d);
}

static void check_data_segment(CPUState *cpu, uint16_t sel, SegDesc *d)
{
    uint32_t error = sel_error(sel);
    seg_fetch_or_raise(cpu, sel, d, EXC_GP);
    bool code = desc_is_code(d);
    if (!desc_is_segment(d) || (code && !(d->hi & SEG_R << 8))) cpu_raise_err(cpu, EXC_GP, error);
    if (!(code && desc_is_conforming(d)) && ((sel & 3u) > desc_dpl(d) || cpu->cpl > desc_dpl(d)))
        cpu_raise_err(cpu, EXC_GP, error);
    if (!desc_present(d)) cpu_raise_err(cpu, EXC_NP, error);
    seg_set_accessed(cpu, d);
}

void seg_load(CPUState *cpu, unsigned seg, uint16_t sel)
{
    SegDesc d;
    if (!cpu_uses_descriptors(cpu)) {
        cpu_seg_load_real(cpu, seg, sel);
        return;
    }
    if (seg == SEG_SS) {
        seg_check_ss(cpu, sel, cpu->cpl, &d, EXC_GP);
    } else if (sel_is_null(sel)) {
        seg_load_null(cpu, seg, sel);
        return;
    } else {
        check_data_segment(cpu, sel, &d);
    }
    seg_image(&cpu->seg[seg], sel, &d, false);
}

void seg_set_cs(CPUState *cpu, uint16_t sel, const SegDesc *d, unsigned cpl)
{
    seg_image(&cpu->seg[SEG_CS], (uint16_t)((sel & ~3u) | cpl), d, true);
    cpu->cpl = (uint8_t)cpl;
}

void seg_drop_privileged(CPUState *cpu)
{
    static const uint8_t data_segs[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    for (unsigned i = 0; i < sizeof data_segs; i++) {
        const SegCache *s = &cpu->seg[data_segs[i]];
        bool conforming = (s->attr & (SEG_X | SEG_C)) == (SEG_X | SEG_C);
        if (s->attr & SEG_P && !conforming && seg_dpl(s) < cpu->cpl) seg_load_null(cpu, data_segs[i], 0);
    }
}

/* --- MOV/POP/LDS to segment registers ----------------------------------------------------------- */
void helper_load_seg(CPUState *cpu, uint32_t seg, uint32_t sel)
{
    seg_load(cpu, seg, (uint16_t)sel);
    if (seg == SEG_SS)
        cpu_update_mode(cpu);
    else
        cpu_update_mode_data_seg(cpu, seg);
}

/* Of several such instructions in a row only the first casts a shadow (SDM 3A 6.8.3). */
void helper_mov_ss(CPUState *cpu, uint32_t sel)
{
    seg_load(cpu, SEG_SS, (uint16_t)sel);
    if (!(cpu->mode & MODE_SHADOW)) cpu->shadow |= SHADOW_MOVSS;
    cpu_update_mode(cpu);
}

void helper_check_jmp(CPUState *cpu, uint32_t target)
{
    if (target > cpu->seg[SEG_CS].limit) cpu_raise_err(cpu, EXC_GP, 0);
}

/* --- system segment registers --------------------------------------------------------------------- */
static void need_descriptors(CPUState *cpu)
{
    if (!cpu_uses_descriptors(cpu)) cpu_raise(cpu, EXC_UD);
}

static void need_cpl0(CPUState *cpu)
{
    if (cpu_cpl(cpu) != 0) cpu_raise_err(cpu, EXC_GP, 0);
}

static void check_umip(CPUState *cpu)
{
    if (cpu->cr4 & CR4_UMIP && cpu_cpl(cpu) != 0) cpu_raise_err(cpu, EXC_GP, 0);
}

/* A system descriptor in the GDT, of a type whose bit is in types. */
static void fetch_system(CPUState *cpu, uint16_t sel, unsigned types, SegDesc *d)
{
    if (sel & 4 || !seg_fetch(cpu, sel, d) || desc_is_segment(d) || !(types >> desc_type(d) & 1))
        cpu_raise_err(cpu, EXC_GP, sel_error(sel));
    if (!desc_present(d)) cpu_raise_err(cpu, EXC_NP, sel_error(sel));
}

void helper_lldt(CPUState *cpu, uint32_t sel)
{
    SegDesc d;
    need_descriptors(cpu);
    need_cpl0(cpu);
    if (sel_is_null((uint16_t)sel)) {
        seg_load_null(cpu, SEG_LDTR, (uint16_t)sel);
        return;
    }
    fetch_system(cpu, (uint16_t)sel, 1u << SYS_LDT, &d);
    seg_image(&cpu->seg[SEG_LDTR], (uint16_t)sel, &d, false);
}

void helper_ltr(CPUState *cpu, uint32_t sel)
{
    SegDesc d;
    need_descriptors(cpu);
    need_cpl0(cpu);
    if (sel_is_null((uint16_t)sel)) cpu_raise_err(cpu, EXC_GP, 0);
    fetch_system(cpu, (uint16_t)sel, 1u << SYS_TSS16 | 1u << SYS_TSS32, &d);
    d.hi |= SYS_BUSY << 8;
    cpu_sys_st(cpu, d.lin + 5, d.hi >> 8, 1);
    seg_image(&cpu->seg[SEG_TR], (uint16_t)sel, &d, false);
}

uint32_t helper_sldt(CPUState *cpu)
{
    need_descriptors(cpu);
    check_umip(cpu);
    return cpu->seg[SEG_LDTR].sel;
}

uint32_t helper_str(CPUState *cpu)
{
    need_descriptors(cpu);
    check_umip(cpu);
    return cpu->seg[SEG_TR].sel;
}

void helper_lgdt(CPUState *cpu, uint32_t base, uint32_t limit)
{
    need_cpl0(cpu);
    cpu->gdt.base = base;
    cpu->gdt.limit = (uint16_t)limit;
}

void helper_lidt(CPUState *cpu, uint32_t base, uint32_t limit)
{
    need_cpl0(cpu);
    cpu->idt.base = base;
    cpu->idt.limit = (uint16_t)limit;
}

static void store_table(CPUState *cpu, unsigned seg, uint32_t ea, uint32_t base, uint16_t limit)
{
    uint8_t image[6] = { (uint8_t)limit,       (uint8_t)(limit >> 8), (uint8_t)base,
                         (uint8_t)(base >> 8), (uint8_t)(base >> 16), (uint8_t)(base >> 24) };
    check_umip(cpu);
    cpu_st_bytes(cpu, seg, ea, image, sizeof image);
}

void helper_sgdt(CPUState *cpu, uint32_t seg, uint32_t ea)
{
    store_table(cpu, seg, ea, cpu->gdt.base, cpu->gdt.limit);
}

void helper_sidt(CPUState *cpu, uint32_t seg, uint32_t ea)
{
    store_table(cpu, seg, ea, cpu->idt.base, cpu->idt.limit);
}

/* --- VERR VERW LAR LSL ARPL ------------------------------------------------------------------------ */
static void set_zf(CPUState *cpu, bool zf)
{
    cpu->cc = (uint16_t)((cpu->cc & ~(FL_ZF << 8)) | (zf ? FL_ZF << 8 : 0));
}

/* The descriptor, when it exists and is visible at max(CPL, RPL); conforming code always is. */
static bool visible(CPUState *cpu, uint16_t sel, SegDesc *d)
{
    if (sel_is_null(sel) || !seg_fetch(cpu, sel, d)) return false;
    if (desc_is_code(d) && desc_is_conforming(d)) return true;
    return (sel & 3u) <= desc_dpl(d) && cpu->cpl <= desc_dpl(d);
}

void helper_verr(CPUState *cpu, uint32_t sel)
{
    SegDesc d;
    need_descriptors(cpu);
    set_zf(cpu, visible(cpu, (uint16_t)sel, &d) && desc_is_segment(&d) && (!desc_is_code(&d) || d.hi & SEG_R << 8));
}

void helper_verw(CPUState *cpu, uint32_t sel)
{
    SegDesc d;
    need_descriptors(cpu);
    set_zf(cpu, visible(cpu, (uint16_t)sel, &d) && desc_is_writable_data(&d));
}

enum {
    LSL_TYPES = 1 << SYS_TSS16 | 1 << SYS_LDT | 1 << SYS_TSS16_BUSY | 1 << SYS_TSS32 | 1 << SYS_TSS32_BUSY,
    LAR_TYPES = LSL_TYPES | 1 << SYS_CALL16 | 1 << SYS_TASK_GATE | 1 << SYS_CALL32,
};

static bool look_up(CPUState *cpu, uint32_t sel, unsigned system_types, SegDesc *d)
{
    need_descriptors(cpu);
    bool ok = visible(cpu, (uint16_t)sel, d) && (desc_is_segment(d) || system_types >> desc_type(d) & 1);
    set_zf(cpu, ok);
    return ok;
}

/* Bits 16..19 of the result, undefined in the manual, are the descriptor's on silicon. */
uint32_t helper_lar(CPUState *cpu, uint32_t sel, uint32_t old)
{
    SegDesc d;
    return look_up(cpu, sel, LAR_TYPES, &d) ? d.hi & 0x00ffff00 : old;
}

uint32_t helper_lsl(CPUState *cpu, uint32_t sel, uint32_t old)
{
    SegDesc d;
    return look_up(cpu, sel, LSL_TYPES, &d) ? desc_limit(&d) : old;
}

uint32_t helper_arpl(CPUState *cpu, uint32_t dst, uint32_t src)
{
    bool raise = (dst & 3) < (src & 3);
    set_zf(cpu, raise);
    return raise ? (dst & ~3u) | (src & 3) : dst;
}

/* Silicon reads the operand as one only to be read, and does not write it when nothing changes. */
void helper_arpl_mem(CPUState *cpu, uint32_t src, uint32_t seg, uint32_t ea)
{
    uint32_t dst = cpu_ld(cpu, seg, ea, 2), changed = dst;
    if ((dst & 3) < (src & 3)) changed = (dst & ~3u) | (src & 3);
    if (changed != dst) cpu_st(cpu, seg, ea, changed, 2);
    set_zf(cpu, changed != dst);
}
