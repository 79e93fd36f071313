/* Calque's side: RAM, page tables and descriptor tables that show user-mode code what Linux shows it on the host, and
 * for each exception a ring-0 stub whose OUT stops the machine.
 *
 * The machine is set up once.  A case sets registers, runs, and reads the exception's stack frame. */
#include "silicon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/fpu.h"
#include "cpu/segment.h"
#include "exec/exec.h"
#include "frontend/translate_internal.h"
#include "softmmu/window.h"
#ifdef __x86_64__
#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Physical memory. The system page group is mapped, supervisor only, at SYS_BASE. */
enum {
    RAM_SIZE = 4 << 20,
    GDT = 0x1000,
    IDT = 0x2000,
    TSS = 0x3000,
    LDT = 0x4000,
    STUBS = 0x5000,
    STACK0 = 0x7000,
    STACK0_TOP = 0x8000,
    PDPT = 0x8000,
    PAGE_DIRS = 0x9000,
    TABLES = 0xd000,
    CODE_PHYS = 0x100000,
    DATA_PHYS = 0x200000,
    STACK_PHYS = 0x300000,
};
#define SYS_BASE 0xf0000000u
enum { GDT_SIZE = 0x60, SEL_CODE0 = 0x08, SEL_DATA0 = 0x18, SEL_TSS = 0x40, SEL_LDT = 0x50, STUB_SIZE = 16 };
enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 0x20, PTE_D = 0x40 };
#define PTE_NX (1ull << 63)

/* A machine; or another name for one, with the window open: the backend takes one code arena at a time. */
struct Guest {
    Guest *machine;
    PhysMem *pm;
    IoPorts *io;
    CPUState *cpu;
    Exec *ex;
    uint8_t *ram;
    uint32_t next_table;
    SegCache gdt_seg[8], ldt_seg[LDT_COUNT];
    const char *backend;
    uint32_t vector;
    bool stop, window;
};

static Guest *volatile running;

void guest_interrupt(void)
{
    Guest *g = running;
    if (!g) return;
    g->vector = VECTOR_TIMEOUT;
    g->stop = true;
    cpu_request_exit(g->cpu);
}

static volatile long long case_now = -1;
long long guest_case(void)
{
    return case_now;
}
const char *guest_case_backend(void)
{
    return running ? running->backend : "none";
}

/* --- the world around the code -------------------------------------------------------------------- */

static void put64(Guest *g, uint32_t at, uint64_t v)
{
    memcpy(g->ram + at, &v, 8);
}
static uint64_t get64(Guest *g, uint32_t at)
{
    uint64_t v;
    memcpy(&v, g->ram + at, 8);
    return v;
}

/* PAE, 4 KiB pages: SDM 3A 4.4. */
static void map_page(Guest *g, uint32_t lin, uint32_t phys, uint64_t bits)
{
    uint32_t pde_at = PAGE_DIRS + (lin >> 30) * 0x1000 + (lin >> 21 & 511) * 8;
    if (!get64(g, pde_at)) {
        put64(g, pde_at, g->next_table | PTE_P | PTE_W | PTE_U | PTE_A);
        g->next_table += 0x1000;
    }
    uint32_t table = (uint32_t)get64(g, pde_at) & ~0xfffu;
    put64(g, table + (lin >> 12 & 511) * 8, phys | PTE_P | PTE_A | bits);
}

static void map_all(Guest *g)
{
    for (unsigned i = 0; i < 4; i++) put64(g, PDPT + 8 * i, (PAGE_DIRS + 0x1000 * i) | PTE_P);
    g->next_table = TABLES;
    for (uint32_t p = 0; p < STACK0_TOP; p += 0x1000) map_page(g, SYS_BASE + p, p, PTE_W | PTE_D);
    for (uint32_t p = 0; p < CODE_SIZE; p += 0x1000) map_page(g, CODE_BASE + p, CODE_PHYS + p, PTE_U);
    for (uint32_t p = 0; p < DATA_SIZE; p += 0x1000)
        map_page(g, DATA_BASE + p, DATA_PHYS + p, PTE_U | PTE_NX | (p < DATA_RW ? PTE_W | PTE_D : 0));
    for (uint32_t p = 0; p < STACK_SIZE; p += 0x1000)
        map_page(g, STACK_BASE + p, STACK_PHYS + p, PTE_U | PTE_W | PTE_D | PTE_NX);
}

/* attr: descriptor bits 40..55 with bits 8..11 clear */
static uint64_t descriptor(uint32_t base, uint32_t limit, uint32_t attr)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)attr << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)(base >> 24) << 56;
}

/* As fill_ldt() of Linux makes them: accessed, DPL 3. */
static uint64_t ldt_descriptor(const LdtEntry *e)
{
    uint32_t type = (e->protect ? 0u : 2u) | (uint32_t)e->contents << 2 | 1;
    return descriptor(e->base, e->limit, type | 0x70 | (e->absent ? 0 : 0x80) | (e->big ? 0x4000 : 0));
}

static void make_tables(Guest *g)
{
    /* The GDT as Linux has it, as far as user mode can see (arch/x86/include/asm/segment.h). */
    put64(g, GDT + SEL_CODE0, descriptor(0, 0xfffff, 0xc09b));
    put64(g, GDT + SEL_DATA0, descriptor(0, 0xfffff, 0xc093));
    put64(g, GDT + (SEL_CODE & ~7), descriptor(0, 0xfffff, 0xc0fb));
    put64(g, GDT + (SEL_DATA & ~7), descriptor(0, 0xfffff, 0xc0f3));
    put64(g, GDT + SEL_TSS, descriptor(SYS_BASE + TSS, 0x67, 0x008b));
    put64(g, GDT + SEL_LDT, descriptor(SYS_BASE + LDT, LDT_COUNT * 8 - 1, 0x0082));
    for (unsigned i = 0; i < LDT_COUNT; i++) put64(g, LDT + 8 * i, ldt_descriptor(&ldt_entries[i]));

    uint32_t esp0 = SYS_BASE + STACK0_TOP, ss0 = SEL_DATA0, iomap = 0x68u << 16;
    memcpy(g->ram + TSS + 4, &esp0, 4);
    memcpy(g->ram + TSS + 8, &ss0, 4);
    memcpy(g->ram + TSS + 0x64, &iomap, 4);

    for (unsigned v = 0; v < 256; v++) { /* interrupt gates; user mode may INT 3 and INT 4 */
        uint32_t stub = STUBS + (v < 32 ? v : 32) * STUB_SIZE, to = SYS_BASE + stub;
        uint64_t attr = v == 3 || v == 4 ? 0xee00 : 0x8e00;
        put64(g, IDT + 8 * v,
              (to & 0xffff) | (uint64_t)SEL_CODE0 << 16 | attr << 32 | (uint64_t)(to & 0xffff0000u) << 32);
        uint8_t code[4] = { 0xe6, (uint8_t)v, 0xeb, 0xfe }; /* out v, al; jmp $ */
        if (v <= 32) memcpy(g->ram + stub, code, 4);
    }
}

static void read_segment(Guest *g, uint16_t sel, SegCache *s)
{
    SegDesc d = { 0 };
    seg_fetch(g->cpu, sel, &d);
    seg_image(s, sel, &d, desc_is_code(&d));
    cpu_seg_update_bounds(s, desc_is_code(&d), true);
}

static void enable_protection(Guest *g)
{
    CPUState *cpu = g->cpu;
    cpu->cr0 = CR0_PE | CR0_PG | CR0_NE | CR0_WP | CR0_AM | CR0_MP | CR0_ET;
    cpu->cr3 = PDPT;
    cpu->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    cpu->efer = 1u << 11; /* NXE */
    mmu_set_control(&cpu->mmu, cpu->cr0, cpu->cr3, cpu->cr4, true, true);
    cpu->gdt.base = SYS_BASE + GDT;
    cpu->gdt.limit = GDT_SIZE - 1;
    cpu->idt.base = SYS_BASE + IDT;
    cpu->idt.limit = 256 * 8 - 1;
    cpu_update_mode(cpu);
    read_segment(g, SEL_TSS, &cpu->seg[SEG_TR]);
    read_segment(g, SEL_LDT, &cpu->seg[SEG_LDTR]);
    read_segment(g, SEL_CODE, &g->gdt_seg[SEL_CODE >> 3]);
    read_segment(g, SEL_DATA, &g->gdt_seg[SEL_DATA >> 3]);
    for (unsigned i = 0; i < LDT_COUNT; i++) read_segment(g, LDT_SEL(i), &g->ldt_seg[i]);
}

/* --- the machine -------------------------------------------------------------------------------------- */

static void port_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    Guest *g = opaque;
    (void)value, (void)size;
    g->vector = port;
    g->stop = true;
    cpu_request_exit(g->cpu);
}
static bool hook_poll(void *opaque)
{
    return !((Guest *)opaque)->stop;
}
static bool hook_never(void *opaque)
{
    ((Guest *)opaque)->vector = VECTOR_STUCK;
    return false;
}

static Guest *native_machine; /* of x86_64 and window */

static Guest *machine_new(const char *backend, char *error, size_t error_size)
{
    static const IoPortOps ports = { .write = port_write, .max_size = 4 };
    Guest *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->machine = g;
    g->pm = phys_new();
    g->ram = phys_region_host(phys_add_ram(g->pm, "ram", 0, RAM_SIZE, 0));
    g->io = ioports_new();
    ioports_map(g->io, 0, 256, &ports, g);
    g->cpu = cpu_new(g->pm, g->io, "max", error, error_size);
    if (!g->cpu) return NULL;
    cpu_reset(g->cpu);
    memset(g->ram + CODE_PHYS, 0xcc, CODE_SIZE);
    memory_template(g->ram + DATA_PHYS, g->ram + STACK_PHYS);
    map_all(g);
    make_tables(g);
    enable_protection(g);
    ExecOptions o = { .backend = backend };
    ExecHooks h = { .poll = hook_poll, .wait = hook_never, .shutdown = hook_never, .opaque = g };
    g->ex = exec_new(g->cpu, &o, &h, error, error_size);
    return g->ex ? g : NULL;
}

Guest *guest_new(const char *backend, char *error, size_t error_size)
{
    bool native = strcmp(backend, "interp") != 0;
    Guest *machine = native ? native_machine : NULL, *g = calloc(1, sizeof *g);
    if (!machine) machine = machine_new(native ? "x86_64" : backend, error, error_size);
    if (native) native_machine = machine;
    if (!g || !machine) return NULL;
    *g = (Guest){ .machine = machine, .backend = backend, .window = !strcmp(backend, "window") };
    return g;
}

static void machine_free(Guest *g)
{
    exec_free(g->ex);
    cpu_free(g->cpu);
    ioports_free(g->io);
    phys_free(g->pm);
    free(g);
}

void guest_free(Guest *g)
{
    if (!g) return;
    if (g->machine != native_machine) machine_free(g->machine);
    free(g);
}

void guest_free_native(void)
{
    if (native_machine) machine_free(native_machine);
    native_machine = NULL;
}

const char *guest_backend(const Guest *g)
{
    return g->backend;
}
void guest_features(Guest *g, DecodeFeatures *f)
{
    decode_features_from_cpu(f, g->machine->cpu);
}
void guest_write_code(Guest *g, uint32_t offset, const uint8_t *p, uint32_t n)
{
    phys_write(g->machine->pm, CODE_PHYS + offset, p, n);
}
uint64_t guest_window_faults(const Guest *g)
{
    return window_stats(&g->machine->cpu->mmu).faults;
}
void guest_flush(Guest *g)
{
    exec_flush(g->machine->ex);
}
bool guest_has_at(uint32_t lin)
{
    return lin >= SYS_BASE && lin < SYS_BASE + STACK0_TOP;
}
uint8_t *guest_mem(Guest *g, uint32_t lin)
{
    return g->machine->ram + (lin < STACK_BASE ? DATA_PHYS + lin - DATA_BASE : STACK_PHYS + lin - STACK_BASE);
}
static uint8_t *mem_at(void *opaque, uint32_t lin)
{
    return guest_mem(opaque, lin);
}

/* --- one run -------------------------------------------------------------------------------------------- */

/* The image holds the stack in ST order, CPUState the physical registers. */
static void fpu_from_image(FpuState *f, const uint8_t *fx)
{
    memcpy(&f->cw, fx, 2);
    memcpy(&f->sw, fx + 2, 2);
    f->tag_valid = fx[4];
    memcpy(&f->fop, fx + 6, 2);
    memcpy(&f->fip, fx + 8, 4);
    memcpy(&f->fcs, fx + 12, 2);
    memcpy(&f->fdp, fx + 16, 4);
    memcpy(&f->fds, fx + 20, 2);
    memcpy(&f->mxcsr, fx + 24, 4);
    for (unsigned i = 0; i < 8; i++) {
        Fp80 *r = &f->r[((f->sw >> 11) + i) & 7];
        memcpy(&r->mant, fx + 32 + 16 * i, 8);
        memcpy(&r->se, fx + 40 + 16 * i, 2);
        memcpy(&f->xmm[i], fx + 160 + 16 * i, 16);
    }
}

static void fpu_to_image(const FpuState *f, uint8_t *fx)
{
    memset(fx, 0, 512);
    memcpy(fx, &f->cw, 2);
    memcpy(fx + 2, &f->sw, 2);
    fx[4] = f->tag_valid;
    memcpy(fx + 6, &f->fop, 2);
    memcpy(fx + 8, &f->fip, 4);
    memcpy(fx + 12, &f->fcs, 2);
    memcpy(fx + 16, &f->fdp, 4);
    memcpy(fx + 20, &f->fds, 2);
    memcpy(fx + 24, &f->mxcsr, 4);
    for (unsigned i = 0; i < 8; i++) {
        const Fp80 *r = &f->r[((f->sw >> 11) + i) & 7];
        memcpy(fx + 32 + 16 * i, &r->mant, 8);
        memcpy(fx + 40 + 16 * i, &r->se, 2);
        memcpy(fx + 160 + 16 * i, &f->xmm[i], 16);
    }
}

static void load_segment(Guest *g, unsigned seg, uint16_t sel)
{
    if (!(sel & ~3))
        seg_load_null(g->cpu, seg, sel);
    else
        g->cpu->seg[seg] = sel & 4 ? g->ldt_seg[sel >> 3] : g->gdt_seg[sel >> 3];
}

/* User memory as the generated code's own (softmmu/window.h), every other time with nothing in it yet, so that each page's
 * first access goes the slow way.  Native cases leave GS as they like. */
static void open_window(Guest *g)
{
#ifdef __x86_64__
    Mmu *m = &g->cpu->mmu;
    if (case_now & 1) mmu_flush_all(m);
    m->window_idx = MMU_USER;
    while (m->window && !m->window_open) window_sample(m, MMU_USER, 0, true);
    syscall(SYS_arch_prctl, ARCH_SET_GS, window_base(m));
#else
    (void)g;
#endif
}

static void load_state(Guest *g, const State *s)
{
    CPUState *cpu = g->cpu;
    if (cpu->fpu_sync_out) cpu->fpu_sync_out(cpu);
    fpu_from_image(&cpu->fpu, s->fx);
    memcpy(cpu->regs, s->regs, sizeof cpu->regs);
    cpu->eip = s->eip;
    cpu->cpl = 3;
    for (unsigned i = 0; i < 6; i++) load_segment(g, i, s->seg[i]);
    cpu->cr2 = 0;
    cpu->shutdown = cpu->halted = false;
    cpu->exc_vector = -1;
    cpu->shadow = 0;
    cpu->nest = 0;
    if (g->window) open_window(g);
    if (cpu->mmu.window_open)
        cpu->mmu.window_idx = g->window ? MMU_USER : MMU_SUPER_SMAP; /* nobody's, as good as closed */
    cpu_set_eflags(cpu, s->eflags);
    cpu_update_mode(cpu);
}

/* The exception's frame on the ring-0 stack: [error] EIP CS EFLAGS ESP SS. */
static void read_frame(Guest *g, Outcome *o)
{
    CPUState *cpu = g->cpu;
    uint32_t frame[6] = { 0 }, top = SYS_BASE + STACK0_TOP, depth = top - cpu->regs[R_ESP];
    memcpy(o->s.regs, cpu->regs, sizeof o->s.regs);
    for (unsigned i = 0; i < 6; i++) o->s.seg[i] = cpu->seg[i].sel;
    if (depth == 24) {
        memcpy(frame, g->ram + STACK0_TOP - 24, 24);
        o->error = frame[0];
    } else if (depth == 20) {
        memcpy(frame + 1, g->ram + STACK0_TOP - 20, 20);
    } else {
        o->s.eip = cpu->eip;
        if (o->vector < VECTOR_TIMEOUT) o->vector = VECTOR_STUCK;
        return;
    }
    o->s.eip = frame[1];
    o->s.seg[W_CS] = (uint16_t)frame[2];
    o->s.eflags = frame[3];
    o->s.regs[R_ESP] = frame[4];
    o->s.seg[W_SS] = (uint16_t)frame[5];
}

void guest_run(Guest *of, const Case *c, Outcome *o)
{
    Guest *g = of->machine;
    g->backend = of->backend;
    g->window = of->window;
    memory_restore(c, mem_at, g);
    memset(o, 0, sizeof *o);
    case_now = (long long)c->number;
    load_state(g, &c->in);
    g->stop = false;
    g->vector = VECTOR_STUCK;
    running = g;
    exec_run(g->ex);
    running = NULL;
    if (g->cpu->fpu_sync_out) g->cpu->fpu_sync_out(g->cpu);
    o->vector = g->vector;
    o->cr2 = g->cpu->cr2;
    fpu_to_image(&g->cpu->fpu, o->s.fx);
    read_frame(g, o);
}
