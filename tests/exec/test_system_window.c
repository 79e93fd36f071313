/* Code of CPL 0 whose accesses go through the system's window leaves what the same code leaves with checks: registers, flags,
 * memory, and where a page is missing the same fault at the same instruction. */
#include "rig.h"
#include "softmmu/window_global.h"

enum {
    CODE = 0x1000,
    GDT = 0x5000,
    IDT = 0x6000,
    DIR = 0x10000,
    TAB = 0x11000,
    TOP = 0x12000,
    DATA = 0x20000,
    PAGES = 4
};
enum { P = 1, RW = 2, A = 0x20, D = 0x40, G = 0x100, ALL = P | RW | A | D | G };
enum { HANDLER = 0x2000, COUNT = 16, LONGEST = 32 };

/* ebx = 0x20800, esi = 0x20ffe, edi = 0x21400, ebp = 0x21ffe, esp = 0x22800, ecx = 3, edx = 0x87654321, eax = 0x1234abcd.  4 pages of
 * data from 0x20000 on, and the last page of the address space. */
static const struct {
    const char *name;
    uint8_t code[LONGEST]; /* up to the HLT that ends it */
} snippets[] = {
    { "loads of each width", { 0x8b, 0x03, 0x66, 0x8b, 0x53, 0x04, 0x8a, 0x4b, 0x07, 0x8a, 0x7b, 0x05, 0xf4 } },
    { "extending loads",
      { 0x0f, 0xb6, 0x03, 0x0f, 0xb7, 0x4b, 0x02, 0x0f, 0xbe, 0x53, 0x03, 0x66, 0x0f, 0xbe, 0x6b, 0x09, 0xf4 } },
    { "stores of each width",
      { 0x89, 0x07, 0x66, 0x89, 0x57, 0x06, 0x88, 0x4f, 0x09, 0x88, 0x67, 0x0b, 0xc6, 0x47, 0x0d, 0x77, 0xf4 } },
    { "immediates", { 0xc7, 0x47, 0x04, 0x78, 0x56, 0x34, 0x12, 0x66, 0xc7, 0x07, 0xcd, 0xab, 0x6a, 0xff, 0xf4 } },
    { "across pages", { 0x8b, 0x06, 0x89, 0x55, 0x00, 0x66, 0x8b, 0x4e, 0x01, 0x01, 0x06, 0xf4 } },
    { "index and scale", { 0x8b, 0x04, 0x8b, 0x89, 0x14, 0x4f, 0x8b, 0x84, 0xcb, 0x10, 0x00, 0x00, 0x00, 0xf4 } },
    { "absolute",
      { 0xa1, 0x00, 0x08, 0x02, 0x00, 0x89, 0x15, 0x10, 0x10, 0x02, 0x00, 0x8b, 0x0c, 0x8d, 0x00, 0x08, 0x02, 0x00,
        0xf4 } },
    { "far displacement", { 0x8b, 0x83, 0x00, 0xfc, 0xff, 0xff, 0x8b, 0x8b, 0x00, 0x00, 0xff, 0xff, 0xf4 } },
    { "around the end",
      { 0xbb, 0x10, 0x00, 0x00, 0x00, 0x8b, 0x43, 0xec, 0x89, 0x53, 0xe8, 0x66, 0x8b, 0x4b, 0xe6, 0xf4 } },
    { "around by the index", { 0xbb, 0xf8, 0xff, 0xff, 0xff, 0x8b, 0x84, 0x1b, 0x10, 0x08, 0x02, 0x00, 0xf4 } },
    { "to the last byte", { 0xbb, 0xff, 0xff, 0xff, 0xff, 0x8a, 0x03, 0x8b, 0x4b, 0xfd, 0x88, 0x13, 0xf4 } },
    { "16-bit address", { 0xbb, 0x00, 0x80, 0xff, 0xff, 0x67, 0x8b, 0x07, 0xf4 } },
    { "read-modify-write",
      { 0x01, 0x03, 0x66, 0x29, 0x53, 0x04, 0x80, 0x47, 0x05, 0x7f, 0xf7, 0x17, 0xf7, 0x5b, 0x08, 0xf4 } },
    { "flags across a store", { 0x39, 0xd0, 0x89, 0x07, 0x11, 0xd1, 0x01, 0x0b, 0x13, 0x53, 0x04, 0x9c, 0x58, 0xf4 } },
    { "flags across a load",
      { 0x01, 0xd0, 0x8b, 0x0b, 0x0f, 0x92, 0xc2, 0x0f, 0x90, 0xc6, 0x83, 0x13, 0x00, 0x9c, 0x58, 0xf4 } },
    { "shift in memory",
      { 0xc1, 0x23, 0x05, 0xd1, 0x53, 0x04, 0x66, 0xd3, 0x7b, 0x08, 0xc1, 0x07, 0x07, 0x9c, 0x58, 0xf4 } },
    { "bits in memory",
      { 0x0f, 0xba, 0x2b, 0x09, 0x0f, 0xba, 0x63, 0x04, 0x03, 0x0f, 0xba, 0x7b, 0x04, 0x1f, 0x9c, 0x58, 0xf4 } },
    { "exchanges", { 0x87, 0x03, 0x0f, 0xc1, 0x53, 0x04, 0x0f, 0xb1, 0x0f, 0x86, 0x67, 0x03, 0x9c, 0x58, 0xf4 } },
    { "stack", { 0x50, 0xff, 0x33, 0x8f, 0x07, 0x68, 0x11, 0x22, 0x33, 0x44,
                 0x59, 0x5a, 0x60, 0x61, 0xc8, 8,    0,    0,    0xc9, 0xf4 } },
    { "call and ret", { 0xe8, 0x01, 0x00, 0x00, 0x00, 0xf4, 0x83, 0x04, 0x24, 0x00, 0xc3 } },
    { "strings", { 0x8d, 0x33, 0xf3, 0xa5, 0xac, 0xaa, 0xf4 } },
    { "x87", { 0xdd, 0x03, 0xd8, 0x43, 0x08, 0xdb, 0x7f, 0x08, 0xdf, 0x6b, 0x10, 0xdf, 0x3f, 0xd9, 0x7b, 0x20, 0xf4 } },
    { "SSE",
      { 0x0f, 0x10, 0x03, 0x66, 0x0f, 0xfe, 0x43, 0x10, 0x0f, 0x11, 0x07, 0x0f, 0x58, 0x03, 0x0f, 0x29, 0x47, 0x10,
        0xf4 } },
    { "MMX", { 0x0f, 0x6f, 0x03, 0x0f, 0xfd, 0x43, 0x08, 0x0f, 0x7f, 0x07, 0x0f, 0x77, 0xf4 } },
    { "multiplication and division",
      { 0xf7, 0x23, 0xf7, 0x77, 0x04, 0x0f, 0xaf, 0x0b, 0x69, 0x13, 0x05, 0x00, 0x00, 0x00, 0xf4 } },
};

typedef struct Result {
    uint32_t regs[8], eip, flags, cr2, vector, error, dr6, pending;
    uint8_t data[PAGES * PAGE_SIZE], last[PAGE_SIZE];
    uint8_t xmm0[16];
} Result;

static void put32(Rig *r, uint32_t at, uint32_t v)
{
    phys_st(r->phys, at, v, 4);
}

/* Everything by one table each; what the snippets touch is global. */
static void make_tables(Rig *r)
{
    put32(r, DIR, TAB | P | RW | A);
    put32(r, DIR + 0xffc, TOP | P | RW | A);
    for (uint32_t a = 0; a < 0x40000; a += PAGE_SIZE) put32(r, TAB + (a >> 10), a | ALL);
    put32(r, TOP + 0xffc, 0x30000 | ALL);
}

static bool stop_at_exception(void *opaque)
{
    (void)opaque;
    return false;
}

/* missing: page of data that is not present, PAGES: none, WATCHED: none, but somebody watches one. */
enum { WATCHED = PAGES + 1 };
static void run(Rig *r, unsigned snippet, unsigned missing, bool window, Result *out)
{
    CPUState *cpu = r->cpu;
    static const uint32_t regs[8] = { 0x1234abcd, 3, 0x87654321, 0x20800, 0x22800, 0x21ffe, 0x20ffe, 0x21400 };
    rig_reset(r);
    cpu->fpu.cw = 0x37f; /* nothing unmasked: host code, not the reference */
    for (unsigned i = 0; i < PAGES * PAGE_SIZE + PAGE_SIZE; i += 4) {
        uint32_t at = i < PAGES * PAGE_SIZE ? DATA + i : 0x30000 + (i & PAGE_MASK);
        put32(r, at, i * 0x9e3779b1u + 0x12345);
    }
    make_tables(r);
    if (missing < PAGES) put32(r, TAB + ((DATA + missing * PAGE_SIZE) >> 10), 0);
    exec_flush(r->ex);
    memset(&r->ex->hot, 0, sizeof r->ex->hot);
    if (window) cache_set_add(&r->ex->hot, CODE);
    rig_write(r, CODE, snippets[snippet].code, LONGEST);
    memcpy(cpu->regs, regs, sizeof regs);
    cpu->cr0 |= CR0_PG | CR0_WP;
    cpu->cr4 = CR4_PGE | CR4_OSFXSR;
    cpu->cr3 = DIR;
    cpu->dr[0] = 0x20800;
    if (missing == WATCHED) cpu->dr[7] |= 0x000f0001; /* 4 bytes, reads and writes */
    mmu_set_control(&cpu->mmu, cpu->cr0, cpu->cr3, cpu->cr4, false, true);
    mmu_flush_all(&cpu->mmu);
    rig_run(r, CODE);
    bool pending = cpu->mmu.window_pending;
    if (cpu->fpu_sync_out) cpu->fpu_sync_out(cpu);
    bool faulted = cpu->exc_vector >= 0; /* flags that are dead may then be others (doc/ir.txt) */
    *out = (Result){ .pending = pending, /* what a window waited for is over */
                     .eip = cpu->eip,
                     .flags = faulted ? 0 : cpu_get_eflags(cpu),
                     .cr2 = cpu->cr2,
                     .vector = (uint32_t)cpu->exc_vector,
                     .dr6 = cpu->dr[6],
                     .error = cpu->exc_error };
    memcpy(out->regs, cpu->regs, sizeof out->regs);
    memcpy(out->data, r->ram + DATA, sizeof out->data);
    memcpy(out->last, r->ram + 0x30000, sizeof out->last);
    memcpy(out->xmm0, &cpu->fpu.xmm[0], sizeof out->xmm0);
}

int main(void)
{
    Rig r;
    static Result checked, window;
    if (!backend_find("x86_64")) {
        puts("1..0 # SKIP no native code on this host");
        return 0;
    }
    rig_init(&r, &(ExecOptions){ .backend = "x86_64", .tb_size_mib = 4 });
    r.ex->hooks.exception = stop_at_exception;
    if (!r.cpu->mmu.global) {
        puts("1..0 # SKIP no room for the window");
        return 0;
    }
    for (unsigned i = 0; i < sizeof snippets / sizeof *snippets; i++)
        for (unsigned missing = 0; missing <= WATCHED; missing++) {
            run(&r, i, missing, false, &checked);
            WindowStats before = window_global_stats(&r.cpu->mmu);
            run(&r, i, missing, true, &window);
            bool used = window_global_stats(&r.cpu->mmu).faults > before.faults;
            ok(!memcmp(&checked, &window, sizeof window), "%s, %s %u", snippets[i].name,
               missing < PAGES ? "missing page" : "case", missing);
            if (memcmp(&checked, &window, sizeof window))
                diag("eip %08x %08x eax %08x %08x flags %08x %08x vector %d %d cr2 %08x %08x", checked.eip, window.eip,
                     checked.regs[0], window.regs[0], checked.flags, window.flags, (int)checked.vector,
                     (int)window.vector, checked.cr2, window.cr2);
            if (missing == PAGES) ok(used && (int)window.vector < 0, "... by the window, to the end");
        }
    rig_free(&r);
    return tap_done();
}
