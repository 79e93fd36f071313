/* Blocks copied for another EIP (src/exec/twin.c): the same user code, mapped at several linear addresses, must do there what a
 * translation made for that place does. */
#include "rig.h"

enum {
    DIRECTORY = 0x10000,
    TABLES = 0x11000, /* one for each 4 MiB of linear space */
    CODE = 0x180000,  /* not in the first 512 KiB, whose page numbers are immediates of another size */
    STACK = 0x190000,
    PLACES = 4
};
#define PG_ON 0x80000001u

/* Each 4 MiB of linear space shows the same RAM. */
static void map_places(Rig *r)
{
    for (unsigned i = 0; i < PLACES; i++) {
        phys_st(r->phys, DIRECTORY + 4 * i, (TABLES + 0x1000 * i) | 7, 4);
        for (unsigned k = 0; k < 1024; k++) phys_st(r->phys, TABLES + 0x1000 * i + 4 * k, (k << 12) | 7, 4);
    }
}

/* Calls, a pushed EIP, a loop, an indirect jump, an x87 instruction (whose address is kept), a fault at a known place. */
static const uint8_t program[] = {
    0xe8, 0x00, 0x00, 0x00, 0x00,       /* 00 call 05 */
    0x58,                               /* 05 pop eax */
    0xb9, 0x05, 0x00, 0x00, 0x00,       /* 06 mov ecx, 5 */
    0xe8, 0x18, 0x00, 0x00, 0x00,       /* 0b call 28 */
    0x49,                               /* 10 dec ecx */
    0x75, 0xf8,                         /* 11 jnz 0b */
    0xd9, 0xe8,                         /* 13 fld1 */
    0xdd, 0xd8,                         /* 15 fstp st0 */
    0x8d, 0x50, 0x1e,                   /* 17 lea edx, [eax+0x1e] -> 23 */
    0xff, 0xe2,                         /* 1a jmp edx */
    0x0f, 0x0b, 0x0f, 0x0b, 0x0f, 0x0b, /* 1c */
    0x90,                               /* 22 */
    0x43,                               /* 23 inc ebx */
    0x0f, 0x0b,                         /* 24 ud2 */
    0x90, 0x90,                         /* 26 */
    0x83, 0xc3, 0x02,                   /* 28 add ebx, 2 */
    0x8b, 0x34, 0x24,                   /* 2b mov esi, [esp] */
    0xc3,                               /* 2e ret */
};

static void run_at(Rig *r, unsigned place)
{
    CPUState *cpu = r->cpu;
    rig_reset(r);
    cpu->cpl = 3;
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) cpu->seg[i].attr |= 3 << 5; /* DPL */
    cpu->cr0 = PG_ON | CR0_ET;
    cpu->cr3 = DIRECTORY;
    mmu_set_control(&cpu->mmu, cpu->cr0, DIRECTORY, 0, false, true);
    cpu_update_mode(cpu);
    cpu->eip = place << 22 | CODE;
    cpu->regs[R_ESP] = place << 22 | STACK;
    exec_run(r->ex); /* #UD without an IDT: shutdown, which stops the rig */
    cpu->shutdown = false;
    if (cpu->fpu_sync_out) cpu->fpu_sync_out(cpu);
}

static bool as_expected(const Rig *r, unsigned place, uint32_t ebx)
{
    const CPUState *cpu = r->cpu;
    uint32_t base = place << 22 | CODE;
    bool good = cpu->regs[R_EAX] == base + 5 && cpu->regs[R_ESI] == base + 0x10 && cpu->regs[R_EDX] == base + 0x23 &&
                cpu->regs[R_EBX] == ebx && cpu->regs[R_ESP] == (place << 22 | STACK) && cpu->eip == base + 0x24 &&
                cpu->fpu.fip == base + 0x15;
    if (!good)
        diag("place %u: eax %08x esi %08x edx %08x ebx %08x esp %08x eip %08x fip %08x", place, cpu->regs[R_EAX],
             cpu->regs[R_ESI], cpu->regs[R_EDX], cpu->regs[R_EBX], cpu->regs[R_ESP], cpu->eip, cpu->fpu.fip);
    return good;
}

static void test_backend(const char *backend, bool copies)
{
    Rig r;
    rig_init(&r, &(ExecOptions){ .backend = backend });
    map_places(&r);
    phys_write(r.phys, CODE, program, sizeof program);
    run_at(&r, 1);
    ok(as_expected(&r, 1, 11), "%s: where it was translated", backend);
    uint64_t translated = r.ex->n_translated;
    run_at(&r, 2);
    ok(as_expected(&r, 2, 11), "%s: elsewhere", backend);
    run_at(&r, 3);
    ok(as_expected(&r, 3, 11), "%s: a copy of a copy", backend);
    ok(!copies || (r.ex->n_copied > 4 * (r.ex->n_translated - translated)), "%s: mostly copied, not translated",
       backend);
    run_at(&r, 1);
    ok(as_expected(&r, 1, 11), "%s: the first place again", backend);

    phys_st(r.phys, CODE + 0x2a, 3, 1); /* add ebx, 3 */
    run_at(&r, 2);
    ok(as_expected(&r, 2, 16), "%s: changed code is noticed at one place", backend);
    run_at(&r, 3);
    ok(as_expected(&r, 3, 16), "%s: and at another", backend);
    exec_flush(r.ex);
    run_at(&r, 3);
    run_at(&r, 1);
    ok(as_expected(&r, 1, 16), "%s: after a flush", backend);
    rig_free(&r);
}

/* Blocks in the list of the page with CODE, each once and with the right link to it; -1: not so. */
static int listed(Rig *r)
{
    const uint8_t *host = r->ram + CODE;
    int n = 0;
    TB *const *link = NULL;
    for (TB *tb = pages_first(r->ex, host), *next; tb; tb = next) {
        unsigned i = tb->page_host[0] == host ? 0 : 1;
        next = tb->page_next[i];
        if (!tb->valid || *tb->page_link[i] != tb || (link && tb->page_link[i] != link)) return -1;
        link = &tb->page_next[i];
        n++;
    }
    return n;
}

/* A library's page has a set of blocks for each process that ever used it. */
static void test_lists(void)
{
    Rig r;
    rig_init(&r, &(ExecOptions){ 0 });
    map_places(&r);
    phys_write(r.phys, CODE, program, sizeof program);
    for (unsigned i = 0; i < PLACES; i++) run_at(&r, i);
    int all = listed(&r), good = 0, left = all;
    for (unsigned step = 3; step; step--)
        for (uint32_t i = 0; i < r.ex->n_tb; i += step) {
            TB *tb = &r.ex->tb[i];
            if (!tb->valid || tb->page_host[0] != r.ram + CODE) continue;
            cache_invalidate(r.ex, tb, TRACE_WHY_MOVED, NULL);
            left--;
            good += listed(&r) == left;
        }
    ok(all > 4 * PLACES && left == 0 && good == all, "a page's list loses any of its %d blocks: %d times right", all,
       good);
    run_at(&r, 1);
    ok(as_expected(&r, 1, 11) && listed(&r) > 0, "and gets new ones");
    rig_free(&r);
}

int main(void)
{
    test_lists();
#ifdef __x86_64__
    test_backend("x86_64", true);
#endif
    test_backend("interp", false);
    return tap_done();
}
