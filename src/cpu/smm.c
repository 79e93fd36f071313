/* SMI# and RSM with the 32-bit state-save map of SDM 3C table 34-1; what that table leaves reserved (hidden parts of
 * segment registers, CR4) is where other PC emulators put it, since firmware was written against them. */
#include "cpu/debug.h"
#include "cpu/helpers.h"
#include "cpu/interrupt.h"
#include "cpu/smm.h"

enum {
    SAVE_CR0 = 0x7ffc,
    SAVE_CR3 = 0x7ff8,
    SAVE_EFLAGS = 0x7ff4,
    SAVE_EIP = 0x7ff0,
    SAVE_EDI = 0x7fec /* ... EAX */,
    SAVE_DR6 = 0x7fcc,
    SAVE_DR7 = 0x7fc8,
    SAVE_TR = 0x7fc4,
    SAVE_LDTR = 0x7fc0,
    SAVE_ES = 0x7fa8 /* ... GS */,
    SAVE_LDTR_HIDDEN = 0x7f78,
    SAVE_ES_HIDDEN = 0x7f84,
    SAVE_DS_HIDDEN = 0x7f2c,
    SAVE_TR_HIDDEN = 0x7f5c,
    SAVE_GDT_BASE = 0x7f74,
    SAVE_GDT_LIMIT = 0x7f70,
    SAVE_IDT_BASE = 0x7f58,
    SAVE_IDT_LIMIT = 0x7f54,
    SAVE_CR4 = 0x7f14,
    SAVE_AUTO_HALT = 0x7f02,
    SAVE_IO_RESTART = 0x7f00,
    SAVE_REVISION = 0x7efc,
    SAVE_SMBASE = 0x7ef8,
};
enum { REVISION_SMBASE = 1 << 17, EFER_NXE = 1 << 11 };

static PhysAddr save_at(const CPUState *cpu, unsigned offset)
{
    return (uint32_t)(cpu->smbase + 0x8000 + offset);
}
static void put(CPUState *cpu, unsigned offset, uint32_t v)
{
    phys_st(cpu->mmu.phys, save_at(cpu, offset), v, 4);
}
static uint32_t get(CPUState *cpu, unsigned offset)
{
    return (uint32_t)phys_ld(cpu->mmu.phys, save_at(cpu, offset), 4);
}
static uint16_t get16(CPUState *cpu, unsigned offset)
{
    return (uint16_t)phys_ld(cpu->mmu.phys, save_at(cpu, offset), 2);
}

static void put_hidden(CPUState *cpu, unsigned offset, const SegCache *s)
{
    put(cpu, offset, s->attr);
    put(cpu, offset + 4, s->limit);
    put(cpu, offset + 8, s->base);
}

static void get_hidden(CPUState *cpu, unsigned offset, SegCache *s, uint16_t sel)
{
    *s = (SegCache){
        .sel = sel, .attr = get(cpu, offset) & 0xf0ff, .limit = get(cpu, offset + 4), .base = get(cpu, offset + 8)
    };
}

static unsigned hidden_offset(unsigned seg)
{
    return seg < SEG_DS ? SAVE_ES_HIDDEN + seg * 12 : SAVE_DS_HIDDEN + (seg - SEG_DS) * 12;
}

static void save_segments(CPUState *cpu)
{
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
        put(cpu, SAVE_ES + i * 4, cpu->seg[i].sel);
        put_hidden(cpu, hidden_offset(i), &cpu->seg[i]);
    }
    put(cpu, SAVE_TR, cpu->seg[SEG_TR].sel);
    put_hidden(cpu, SAVE_TR_HIDDEN, &cpu->seg[SEG_TR]);
    put(cpu, SAVE_LDTR, cpu->seg[SEG_LDTR].sel);
    put_hidden(cpu, SAVE_LDTR_HIDDEN, &cpu->seg[SEG_LDTR]);
    put(cpu, SAVE_GDT_BASE, cpu->gdt.base);
    put(cpu, SAVE_GDT_LIMIT, cpu->gdt.limit);
    put(cpu, SAVE_IDT_BASE, cpu->idt.base);
    put(cpu, SAVE_IDT_LIMIT, cpu->idt.limit);
}

static void save_state(CPUState *cpu)
{
    put(cpu, SAVE_CR0, cpu->cr0);
    put(cpu, SAVE_CR3, cpu->cr3);
    put(cpu, SAVE_CR4, cpu->cr4);
    put(cpu, SAVE_EFLAGS, cpu_get_eflags(cpu));
    put(cpu, SAVE_EIP, cpu->eip);
    for (unsigned i = 0; i < 8; i++) put(cpu, SAVE_EDI - (7 - i) * 4, cpu->regs[i]);
    put(cpu, SAVE_DR6, cpu->dr[6]);
    put(cpu, SAVE_DR7, cpu->dr[7]);
    save_segments(cpu);
    put(cpu, SAVE_IO_RESTART, cpu->halted ? 1u << 16 : 0); /* and the auto HALT word above it */
    put(cpu, SAVE_REVISION, REVISION_SMBASE);
    put(cpu, SAVE_SMBASE, cpu->smbase);
}

static void set_smm(CPUState *cpu, bool on)
{
    cpu->in_smm = on;
    if (cpu->smm_change) cpu->smm_change(cpu->smm_opaque, on);
}

static void set_control(CPUState *cpu, uint32_t cr0, uint32_t cr3, uint32_t cr4)
{
    if (!mmu_set_control(&cpu->mmu, cr0, cr3, cr4, cpu->efer & EFER_NXE, true)) cpu_enter_shutdown(cpu);
    cpu->cr0 = cr0;
    cpu->cr3 = cr3;
    cpu->cr4 = cr4;
}

/* SDM 3C table 34-4: 4 GiB segments in real-address mode. */
static void smm_segment(CPUState *cpu, unsigned seg, uint32_t base)
{
    SegCache *s = &cpu->seg[seg];
    *s = (SegCache){
        .base = base, .limit = 0xffffffffu, .sel = (uint16_t)(base >> 4), .attr = SEG_G | SEG_P | SEG_S | SEG_W | SEG_A
    };
    cpu_seg_update_bounds(s, seg == SEG_CS, false);
}

void cpu_enter_smm(CPUState *cpu)
{
    set_smm(cpu, true);
    save_state(cpu);
    cpu->smm_nmi_blocked = cpu->nmi_blocked;
    cpu->nmi_blocked = true;
    cpu->halted = false;
    cpu->shadow = 0;
    set_control(cpu, cpu->cr0 & ~(CR0_PE | CR0_EM | CR0_TS | CR0_PG), cpu->cr3, 0);
    cpu->dr[7] = DR7_FIXED;
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) smm_segment(cpu, i, i == SEG_CS ? cpu->smbase : 0);
    cpu->cpl = 0;
    cpu->eip = 0x8000;
    cpu_set_eflags(cpu, FL_1);
    cpu_update_mode(cpu);
}

/* States that no instruction could have made: RSM shuts down (SDM 3C 34.4.1, 34.5). */
static bool control_valid(uint32_t cr0, uint32_t cr4)
{
    const uint32_t cr4_known = 0x307fffu;
    if (cr0 & CR0_PG && !(cr0 & CR0_PE)) return false;
    if (cr0 & CR0_NW && !(cr0 & CR0_CD)) return false;
    return !(cr4 & ~cr4_known);
}

static void restore_segments(CPUState *cpu)
{
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
        get_hidden(cpu, hidden_offset(i), &cpu->seg[i], get16(cpu, SAVE_ES + i * 4));
        cpu_seg_update_bounds(&cpu->seg[i], i == SEG_CS, cpu->cr0 & CR0_PE);
    }
    get_hidden(cpu, SAVE_TR_HIDDEN, &cpu->seg[SEG_TR], get16(cpu, SAVE_TR));
    get_hidden(cpu, SAVE_LDTR_HIDDEN, &cpu->seg[SEG_LDTR], get16(cpu, SAVE_LDTR));
    cpu->gdt.base = get(cpu, SAVE_GDT_BASE);
    cpu->gdt.limit = get16(cpu, SAVE_GDT_LIMIT);
    cpu->idt.base = get(cpu, SAVE_IDT_BASE);
    cpu->idt.limit = get16(cpu, SAVE_IDT_LIMIT);
}

void helper_rsm(CPUState *cpu)
{
    if (!cpu->in_smm) cpu_raise(cpu, EXC_UD);
    uint32_t cr0 = get(cpu, SAVE_CR0) | CR0_ET, cr4 = get(cpu, SAVE_CR4), eflags = get(cpu, SAVE_EFLAGS);
    if (!control_valid(cr0, cr4)) cpu_enter_shutdown(cpu);
    set_control(cpu, cr0, get(cpu, SAVE_CR3), cr4);
    cpu->eip = get(cpu, SAVE_EIP);
    for (unsigned i = 0; i < 8; i++) cpu->regs[i] = get(cpu, SAVE_EDI - (7 - i) * 4);
    cpu->dr[6] = get(cpu, SAVE_DR6);
    cpu->dr[7] = get(cpu, SAVE_DR7);
    restore_segments(cpu);
    cpu->halted = get16(cpu, SAVE_AUTO_HALT) & 1;
    uint32_t smbase = get(cpu, SAVE_SMBASE);
    cpu->smbase = smbase;
    cpu->nmi_blocked = cpu->smm_nmi_blocked;
    if (!(cr0 & CR0_PE)) eflags &= ~(uint32_t)FL_VM;
    cpu->cpl = !(cr0 & CR0_PE) ? 0 : eflags & FL_VM ? 3 : (uint8_t)seg_dpl(&cpu->seg[SEG_SS]);
    set_smm(cpu, false);
    cpu_keep(cpu, KEPT_RF | KEPT_STEP);
    cpu_set_eflags(cpu, eflags);
    cpu_update_mode(cpu);
    if (cpu->halted || cpu_has_work(cpu)) cpu_request_exit(cpu);
}
