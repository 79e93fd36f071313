/* The translation cache: chaining and unchaining, invalidation, what happens when it is full, modes, the jump
 * cache, flags that one block leaves out because of what it saw in the next, and running an instruction
 * alone that would overwrite its own block. */
#include "rig.h"

static const char *backend;

/* Without the window, so that blocks can be counted: opening is a change of mode. */
static ExecOptions options(void)
{
    return (ExecOptions){ .backend = backend, .tb_size_mib = 4, .no_window = true };
}

/* 1000h: counts EAX up, ECX down; two blocks that jump to each other. */
static void put_loop(Rig *r)
{
    static const uint8_t first[] = { 0x40, 0xe9, 0xfa, 0x00, 0x00, 0x00 };              /* inc %eax; jmp 1100h */
    static const uint8_t second[] = { 0x49, 0x0f, 0x85, 0xf9, 0xfe, 0xff, 0xff, 0xf4 }; /* dec %ecx; jnz 1000h; hlt */
    rig_write(r, 0x1000, first, sizeof first);
    rig_write(r, 0x1100, second, sizeof second);
}

static void test_chain(bool no_chain)
{
    Rig r;
    ExecOptions opt = options();
    opt.no_chain = no_chain;
    rig_init(&r, &opt);
    put_loop(&r);
    r.cpu->regs[R_ECX] = 5000;
    ok(rig_run(&r, 0x1000) && r.cpu->regs[R_EAX] == 5000, "%s: a loop of two blocks%s", backend,
       no_chain ? ", not chained" : "");
    ok(no_chain ? r.ex->n_runs >= 10000 : r.ex->n_runs < 100, "%s: the execution loop saw it %llu times", backend,
       (unsigned long long)r.ex->n_runs);
    rig_free(&r);
}

static void test_invalidate(void)
{
    Rig r;
    ExecOptions opt = options();
    rig_init(&r, &opt);
    put_loop(&r);
    r.cpu->regs[R_ECX] = 100;
    rig_run(&r, 0x1000);
    uint64_t before = r.ex->n_invalidated, translated = r.ex->n_translated;
    rig_write(&r, 0x1110, "\x90", 1); /* beside the code, though in its 64-byte granule */
    ok(r.ex->n_invalidated == before, "%s: a write beside a block leaves it alone", backend);
    rig_write(&r, 0x1000, "\x48", 1); /* dec %eax */
    ok(r.ex->n_invalidated == before + 2, "%s: a write to a block drops it and the one that looked ahead at it",
       backend);
    r.cpu->regs[R_EAX] = 1000;
    r.cpu->regs[R_ECX] = 100;
    ok(rig_run(&r, 0x1100) && r.cpu->regs[R_EAX] == 1000 - 99, "%s: the block chained to it goes to the new one",
       backend);
    ok(r.ex->n_translated - translated <= 2, "%s: the other is not translated again", backend);
    rig_write(&r, 0x1102, "\x84", 1); /* jz: falls through at once */
    r.cpu->regs[R_ECX] = 100;
    ok(rig_run(&r, 0x1000) && r.cpu->regs[R_ECX] == 99, "%s: a write to the middle of an instruction", backend);
    exec_flush(r.ex);
    put_loop(&r);
    r.cpu->regs[R_EAX] = 0;
    r.cpu->regs[R_ECX] = 7;
    ok(rig_run(&r, 0x1000) && r.cpu->regs[R_EAX] == 7, "%s: after a flush", backend);
    rig_free(&r);
}

/* Blocks of one instruction and a jump each, far more than 1 MiB of host code holds. */
enum { MANY = 40000, MANY_AT = 0x100000, MANY_STEP = 16 };
static void put_many(Rig *r)
{
    for (uint32_t i = 0; i < MANY; i++) {
        uint8_t code[MANY_STEP] = { 0x05 };                            /* add $imm32, %eax */
        uint32_t imm = i + 1, rel = i + 1 < MANY ? MANY_STEP - 10 : 0; /* jmp to the next */
        memcpy(code + 1, &imm, 4);
        code[5] = i + 1 < MANY ? 0xe9 : 0xf4;
        memcpy(code + 6, &rel, 4);
        memcpy(r->ram + MANY_AT + i * MANY_STEP, code, sizeof code);
    }
}

static void test_full(void)
{
    Rig r;
    ExecOptions opt = options();
    opt.tb_size_mib = 1;
    rig_init(&r, &opt);
    put_many(&r);
    uint32_t want = (uint32_t)((uint64_t)MANY * (MANY + 1) / 2);
    bool good = true;
    for (int round = 0; round < 3; round++) {
        r.cpu->regs[R_EAX] = 0;
        good &= rig_run(&r, MANY_AT) && r.cpu->regs[R_EAX] == want;
    }
    ok(good, "%s: more code than the cache holds, three times", backend);
    ok(r.ex->n_flush > 0, "%s: it was flushed %llu times", backend, (unsigned long long)r.ex->n_flush);
    put_loop(&r);
    r.cpu->regs[R_EAX] = 0;
    r.cpu->regs[R_ECX] = 1000;
    ok(rig_run(&r, 0x1000) && r.cpu->regs[R_EAX] == 1000, "%s: and goes on", backend);
    rig_free(&r);
}

/* The same bytes in other modes are other blocks. */
static void test_modes(void)
{
    static const uint8_t code[] = { 0x50, 0xf4 }; /* push %eax; hlt */
    Rig r;
    ExecOptions opt = options();
    rig_init(&r, &opt);
    rig_write(&r, 0x1000, code, sizeof code);
    r.cpu->regs[R_ESP] = 0x18000;
    bool good = rig_run(&r, 0x1000) && r.cpu->regs[R_ESP] == 0x17ffc;
    rig_flat(r.cpu, SEG_SS, SEG_W, 0);
    r.cpu->regs[R_ESP] = 0x10000;
    good &= rig_run(&r, 0x1000) && r.cpu->regs[R_ESP] == 0x1fffc;
    ok(good, "%s: 16-bit and 32-bit stack", backend);
    uint64_t translated = r.ex->n_translated;
    rig_flat(r.cpu, SEG_SS, SEG_W, SEG_DB);
    r.cpu->regs[R_ESP] = 0x18000;
    good = rig_run(&r, 0x1000) && r.cpu->regs[R_ESP] == 0x17ffc;
    ok(good && r.ex->n_translated == translated, "%s: back to the first mode: its block is still there", backend);
    rig_flat(r.cpu, SEG_CS, SEG_X | SEG_R, 0);
    r.cpu->regs[R_ESP] = 0x18000;
    ok(rig_run(&r, 0x1000) && r.cpu->regs[R_ESP] == 0x17ffe, "%s: 16-bit code", backend);
    rig_flat(r.cpu, SEG_CS, SEG_X | SEG_R, SEG_DB);
    r.cpu->seg[SEG_CS].base = 0x800;
    r.cpu->regs[R_ESP] = 0x18000;
    cpu_update_mode(r.cpu);
    ok(rig_run(&r, 0x800) && r.cpu->eip == 0x802, "%s: another CS base", backend);
    rig_free(&r);
}

/* call *%ebx in a loop, EBX alternating between two functions; then one of them changes. */
static void test_jump_cache(void)
{
    static const uint8_t loop[] = {
        0xff, 0xd3, 0x87, 0xd3, 0x49, 0x75, 0xf9, 0xf4
    }; /* call *%ebx; xchg %ebx, %edx; dec %ecx; jnz; hlt */
    static const uint8_t add1[] = { 0x83, 0xc0, 0x01, 0xc3 }, add100[] = { 0x83, 0xc0, 0x64, 0xc3 };
    Rig r;
    ExecOptions opt = options();
    rig_init(&r, &opt);
    rig_write(&r, 0x1000, loop, sizeof loop);
    rig_write(&r, 0x2000, add1, sizeof add1);
    rig_write(&r, 0x3100, add100, sizeof add100);
    r.cpu->regs[R_EBX] = 0x2000, r.cpu->regs[R_EDX] = 0x3100, r.cpu->regs[R_ECX] = 2000;
    ok(rig_run(&r, 0x1000) && r.cpu->regs[R_EAX] == 101000, "%s: indirect calls", backend);
    ok(r.ex->n_runs < 200, "%s: found without the execution loop (%llu turns)", backend,
       (unsigned long long)r.ex->n_runs);
    rig_write(&r, 0x2002, "\x02", 1);
    r.cpu->regs[R_EAX] = 0, r.cpu->regs[R_ECX] = 2000;
    ok(rig_run(&r, 0x1000) && r.cpu->regs[R_EAX] == 102000, "%s: the jump cache forgets what changes", backend);
    /* Addresses that share a slot. */
    uint32_t twin = 0x2000 ^ 0x1001000; /* differs in bits 12 and 24 */
    while (cpu_jump_hash(twin & (RIG_RAM - 1)) != cpu_jump_hash(0x2000) || (twin & (RIG_RAM - 1)) == 0x2000)
        twin += 0x10;
    twin &= RIG_RAM - 1;
    rig_write(&r, twin, add100, sizeof add100);
    r.cpu->regs[R_EAX] = 0, r.cpu->regs[R_EBX] = 0x2000, r.cpu->regs[R_EDX] = twin, r.cpu->regs[R_ECX] = 200;
    ok(rig_run(&r, 0x1000) && r.cpu->regs[R_EAX] == 100 * 102, "%s: two addresses in one slot", backend);
    rig_free(&r);
}

/* A block that leaves out flags because the next one overwrites them must go when the next one changes. */
static void test_look_ahead(void)
{
    static const uint8_t first[] = { 0x83, 0xc0, 0xff, 0xe9, 0xf8, 0x00, 0x00, 0x00 }; /* add $-1, %eax; jmp 1100h */
    static const uint8_t kills[] = { 0x31, 0xc9, 0x90, 0xf4 };                         /* xor %ecx, %ecx; nop; hlt */
    static const uint8_t reads[] = { 0x0f, 0x92, 0xc1, 0xf4 };                         /* setc %cl; hlt */
    Rig r;
    ExecOptions opt = options();
    rig_init(&r, &opt);
    rig_write(&r, 0x1000, first, sizeof first);
    rig_write(&r, 0x1100, kills, sizeof kills);
    r.cpu->regs[R_EAX] = 5;
    bool good = rig_run(&r, 0x1000) && r.cpu->regs[R_ECX] == 0;
    rig_write(&r, 0x1100, reads, sizeof reads);
    r.cpu->regs[R_EAX] = 5;
    good &= rig_run(&r, 0x1000) && r.cpu->regs[R_ECX] == 1;
    r.cpu->regs[R_EAX] = 0;
    good &= rig_run(&r, 0x1000) && r.cpu->regs[R_ECX] == 0;
    ok(good, "%s: flags that the next block comes to need", backend);
    rig_free(&r);
}

/* What lies before the store in its block runs once, and the store itself once. */
static void test_alone(void)
{
    static const uint8_t code[] = {
        0x43,                               /* inc %ebx */
        0xff, 0x05, 0x0c, 0x10, 0x00, 0x00, /* incl 100ch: the immediate below */
        0x43,                               /* inc %ebx */
        0x90, 0x90, 0x90,                   /* nop */
        0xb8, 0x10, 0x00, 0x00, 0x00,       /* mov $imm, %eax */
        0xf4,                               /* hlt */
    };
    Rig r;
    ExecOptions opt = options();
    rig_init(&r, &opt);
    rig_write(&r, 0x1000, code, sizeof code);
    bool good = true;
    for (uint32_t i = 1; i <= 5; i++) {
        r.cpu->regs[R_EBX] = 0;
        good &= rig_run(&r, 0x1000) && r.cpu->regs[R_EBX] == 2 && r.cpu->regs[R_EAX] == 0x10 + i;
    }
    ok(good, "%s: a store to its own block is done once", backend);
    rig_free(&r);
}

static void test_budget(void)
{
    Rig r;
    ExecOptions opt = options();
    opt.max_insns = 1000;
    rig_init(&r, &opt);
    rig_write(&r, 0x1000, "\xeb\xfe", 2); /* jmp . */
    ok(!rig_run(&r, 0x1000) && cpu_insns(r.cpu) == 1000, "%s: max_insns stops an endless loop", backend);
    rig_free(&r);
}

/* Without a poll nothing could stop it: the request must reach chained code. */
static void test_request(void)
{
    Rig r;
    ExecOptions opt = options();
    rig_init(&r, &opt);
    rig_write(&r, 0x1000, "\xeb\xfe", 2);
    r.cpu->exit_request = 1;
    r.polls = 0;
    r.cpu->eip = 0x1000;
    ExecHooks stop = { .poll = rig_stop, .wait = rig_stop, .shutdown = rig_stop };
    r.ex->hooks = stop;
    exec_run(r.ex);
    ok(r.cpu->eip == 0x1000, "%s: a request to leave ends the run", backend);
    rig_free(&r);
}

int main(void)
{
    static const char *const names[] = { "x86_64", "interp" };
    for (unsigned i = 0; i < 2; i++) {
        backend = names[i];
        if (!backend_find(backend)) continue;
        test_chain(false);
        test_chain(true);
        test_invalidate();
        test_full();
        test_modes();
        test_jump_cache();
        test_look_ahead();
        test_alone();
        test_budget();
        test_request();
    }
    return tap_done();
}
