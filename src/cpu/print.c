/* The registers as text, in the layout of QEMU's `info registers`. */
#include <stdio.h>
#include <string.h>

#include "cpu/cpu.h"
#include "util/lines.h"
#include "util/symbols.h"

static void print_general(const CPUState *cpu, const Lines *o)
{
    const uint32_t *r = cpu->regs;
    uint32_t fl = cpu_get_eflags(cpu);
    char name[160];
    symbols_text(name, sizeof name, cpu->seg[SEG_CS].base + cpu->eip);
    lines_put(o, "EAX=%08x EBX=%08x ECX=%08x EDX=%08x", r[R_EAX], r[R_EBX], r[R_ECX], r[R_EDX]);
    lines_put(o, "ESI=%08x EDI=%08x EBP=%08x ESP=%08x", r[R_ESI], r[R_EDI], r[R_EBP], r[R_ESP]);
    lines_put(o, "EIP=%08x EFL=%08x [%c%c%c%c%c%c%c] CPL=%u II=%d A20=%d SMM=%d HLT=%d%s%s%s", cpu->eip, fl,
              fl & FL_DF ? 'D' : '-', fl & FL_OF ? 'O' : '-', fl & FL_SF ? 'S' : '-', fl & FL_ZF ? 'Z' : '-',
              fl & FL_AF ? 'A' : '-', fl & FL_PF ? 'P' : '-', fl & FL_CF ? 'C' : '-', cpu_cpl(cpu), cpu->shadow != 0,
              cpu->a20, cpu->in_smm, cpu->halted, *name ? " <" : "", name, *name ? ">" : "");
}

/* "CS32 [-RA]", "DS   [-WA]", "TSS32-busy" */
static void describe(const SegCache *s, char *buf, size_t size)
{
    static const char *const systems[16] = {
        "Reserved", "TSS16-avl", "LDT",      "TSS16-busy", "CallGate16", "TaskGate", "IntGate16", "TrapGate16",
        "Reserved", "TSS32-avl", "Reserved", "TSS32-busy", "CallGate32", "Reserved", "IntGate32", "TrapGate32",
    };
    unsigned a = s->attr;
    if (!(a & SEG_P)) {
        buf[0] = '\0';
    } else if (!(a & SEG_S)) {
        snprintf(buf, size, "DPL=%u %s", seg_dpl(s), systems[a & 15]);
    } else if (a & SEG_X) {
        snprintf(buf, size, "DPL=%u %s [%c%c%c]", seg_dpl(s), a & SEG_DB ? "CS32" : "CS16", a & SEG_C ? 'C' : '-',
                 a & SEG_R ? 'R' : '-', a & SEG_A ? 'A' : '-');
    } else {
        snprintf(buf, size, "DPL=%u %s [%c%c%c]", seg_dpl(s), a & SEG_DB ? "DS  " : "DS16", a & SEG_E ? 'E' : '-',
                 a & SEG_W ? 'W' : '-', a & SEG_A ? 'A' : '-');
    }
}

static void print_segments(const CPUState *cpu, const Lines *o)
{
    static const char *const names[SEG_COUNT] = { "ES ", "CS ", "SS ", "DS ", "FS ", "GS ", "LDT", "TR " };
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        const SegCache *s = &cpu->seg[i];
        char what[40];
        describe(s, what, sizeof what);
        uint32_t flags = (uint32_t)s->attr << 8 | (s->attr & SEG_G ? s->limit >> 12 & 0xf0000 : s->limit & 0xf0000);
        lines_put(o, "%s=%04x %08x %08x %08x%s%s", names[i], s->sel, s->base, s->limit, flags, *what ? " " : "", what);
    }
    lines_put(o, "GDT=     %08x %08x", cpu->gdt.base, (uint32_t)cpu->gdt.limit);
    lines_put(o, "IDT=     %08x %08x", cpu->idt.base, (uint32_t)cpu->idt.limit);
}

static void print_control(const CPUState *cpu, const Lines *o)
{
    lines_put(o, "CR0=%08x CR2=%08x CR3=%08x CR4=%08x", cpu->cr0, cpu->cr2, cpu->cr3, cpu->cr4);
    lines_put(o, "DR0=%08x DR1=%08x DR2=%08x DR3=%08x", cpu->dr[0], cpu->dr[1], cpu->dr[2], cpu->dr[3]);
    lines_put(o, "DR6=%08x DR7=%08x", cpu->dr[6], cpu->dr[7]);
    lines_put(o, "EFER=%016llx", (unsigned long long)cpu->efer);
}

static void print_fpu(const CPUState *cpu, const Lines *o)
{
    const FpuState *f = &cpu->fpu;
    unsigned top = f->sw >> 11 & 7;
    lines_put(o, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x", f->cw, f->sw, top, f->tag_valid, f->mxcsr);
    for (unsigned i = 0; i < 8; i += 2) {
        const Fp80 *a = &f->r[(top + i) & 7], *b = &f->r[(top + i + 1) & 7];
        lines_put(o, "FPR%u=%016llx %04x FPR%u=%016llx %04x", i, (unsigned long long)a->mant, a->se, i + 1,
                  (unsigned long long)b->mant, b->se);
    }
    for (unsigned i = 0; i < 8; i += 2) {
        const uint64_t *a = f->xmm[i].q, *b = f->xmm[i + 1].q;
        lines_put(o, "XMM%02u=%016llx%016llx XMM%02u=%016llx%016llx", i, (unsigned long long)a[1],
                  (unsigned long long)a[0], i + 1, (unsigned long long)b[1], (unsigned long long)b[0]);
    }
}

/* A backend that holds the FPU registers puts them back first; that changes no guest state. */
void cpu_print(const CPUState *cpu, void (*emit)(void *opaque, const char *line), void *opaque)
{
    Lines o = { emit, opaque };
    if (cpu->fpu_sync_out) cpu->fpu_sync_out((CPUState *)cpu);
    print_general(cpu, &o);
    print_segments(cpu, &o);
    print_control(cpu, &o);
    print_fpu(cpu, &o);
}
