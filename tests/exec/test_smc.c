/* Random programs that rewrite themselves, run by each backend, chained and not, against the same program run one
 * instruction to a block (a breakpoint that never strikes makes it so, and then nothing can be stale for longer
 * than it takes to look at the next instruction). */
#include "rig.h"

enum { CODE = 0x10fc0, SLOTS = 96, SLOT = 8, PROGRAMS = 60, ROUNDS = 12 };

static uint64_t state;
static uint32_t below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

/* Not ESP, which the program needs, nor EBP, which counts its rounds. */
static unsigned any_register(void)
{
    static const uint8_t regs[] = { R_EAX, R_ECX, R_EDX, R_EBX, R_ESI, R_EDI };
    return regs[below(sizeof regs)];
}

static void put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
}

/* A byte of some arithmetic slot that may take any value that `patch` gives: its ModRM or its immediate. */
static uint32_t target(const uint8_t *kind, bool *modrm)
{
    for (;;) {
        unsigned slot = below(SLOTS);
        if (kind[slot] != 0) continue;
        *modrm = below(3) == 0;
        return CODE + slot * SLOT + (*modrm ? 1 : 2 + below(4));
    }
}

/* 0: op $imm32, %reg; nop; nop   1: movb $imm, target   2: addb $imm, target (an immediate)   3: Jcc over some slots
 * 4: movl %reg, target (an immediate) */
static void make_program(uint8_t *code)
{
    static const uint8_t long_nop[] = { 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 };
    uint8_t kind[SLOTS];
    for (unsigned i = 0; i < SLOTS; i++) kind[i] = (uint8_t)(i % 3 ? 0 : 1 + below(4));
    for (unsigned i = 0; i < SLOTS; i++, code += SLOT) {
        bool modrm = true;
        uint32_t to = 0;
        memset(code, 0x90, SLOT);
        switch (kind[i]) {
        case 0:
            code[0] = 0x81;
            code[1] = (uint8_t)(0xc0 | below(8) << 3 | any_register());
            put32(code + 2, below(0x7fffffff));
            break;
        case 1:
            code[0] = 0xc6, code[1] = 0x05;
            to = target(kind, &modrm);
            put32(code + 2, to);
            code[6] = (uint8_t)(modrm ? 0xc0 | below(8) << 3 | any_register() : below(256));
            break;
        case 3:
            code[0] = (uint8_t)(0x70 | below(16));
            code[1] = (uint8_t)(SLOT - 2 + SLOT * below(SLOTS - i < 6 ? SLOTS - i : 6));
            memcpy(code + 2, long_nop, sizeof long_nop);
            break;
        default:
            while (modrm) to = target(kind, &modrm);
            code[0] = kind[i] == 2 ? 0x80 : 0x89;
            code[1] = (uint8_t)(0x05 | (kind[i] == 2 ? 0 : any_register() << 3));
            put32(code + 2, kind[i] == 2 ? to : (to - CODE) / SLOT * SLOT + CODE + 2);
            if (kind[i] == 2) code[6] = (uint8_t)below(256);
        }
    }
    /* dec %ebp; jz over the jump; jmp to the start; hlt */
    code[0] = 0x4d, code[1] = 0x74, code[2] = 5, code[3] = 0xe9;
    put32(code + 4, 0u - (SLOTS * SLOT + 8));
    code[8] = 0xf4;
}

typedef struct Outcome {
    uint32_t regs[8], eflags;
    uint8_t code[SLOTS * SLOT];
    bool halted;
} Outcome;

static void run(Rig *r, const uint8_t *code, bool one_at_a_time, Outcome *out)
{
    rig_reset(r);
    rig_write(r, CODE, code, SLOTS * SLOT + 16);
    if (one_at_a_time) {
        r->cpu->dr[0] = 0xfffffff0;
        r->cpu->dr[7] = 0x402;
    }
    for (unsigned i = 0; i < 8; i++)
        if (i != R_ESP) r->cpu->regs[i] = i * 0x01234567;
    r->cpu->regs[R_EBP] = ROUNDS;
    out->halted = rig_run(r, CODE);
    memcpy(out->regs, r->cpu->regs, sizeof out->regs);
    out->eflags = cpu_get_eflags(r->cpu) & FL_ARITH;
    memcpy(out->code, r->ram + CODE, sizeof out->code);
}

static void compare(const char *name, const ExecOptions *opt)
{
    Rig r, judge;
    unsigned differ = 0;
    ExecOptions judge_opt = { .backend = "interp", .tb_size_mib = 8 };
    rig_init(&r, opt);
    rig_init(&judge, &judge_opt);
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        uint8_t code[SLOTS * SLOT + 16] = { 0 };
        Outcome got, want;
        state = seed;
        make_program(code);
        memset(&got, 0, sizeof got), memset(&want, 0, sizeof want);
        run(&judge, code, true, &want);
        run(&r, code, false, &got);
        if (!want.halted || memcmp(&got, &want, sizeof got) != 0) {
            if (!differ)
                diag("seed %llu: EAX %08x, should be %08x", (unsigned long long)seed, got.regs[0], want.regs[0]);
            differ++;
        }
    }
    ok(differ == 0, "%s: %d programs that rewrite themselves; %llu blocks translated, %llu dropped", name, PROGRAMS,
       (unsigned long long)r.ex->n_translated, (unsigned long long)r.ex->n_invalidated);
    rig_free(&judge);
    rig_free(&r);
}

/* A loop that counts the immediate of one of its own instructions up, adding it each time. */
static void test_soft(const char *backend)
{
    static const uint8_t code[] = {
        0xb8, 0,    0,    0,    0,    /* 2000: mov $0, %eax */
        0x01, 0xc3,                   /* add %eax, %ebx */
        0xff, 0x05, 1,    0x20, 0, 0, /* incl 2001h */
        0xeb, 0,                      /* jmp to the next */
        0x49, 0x75, 0xee,             /* dec %ecx; jnz 2000h */
        0xf4,                         /* hlt */
    };
    enum { TIMES = 1000 };
    Rig r;
    rig_init(&r, &(ExecOptions){ .backend = backend, .tb_size_mib = 8, .no_window = true });
    rig_write(&r, 0x2000, code, sizeof code);
    r.cpu->regs[R_ECX] = TIMES;
    ok(rig_run(&r, 0x2000) && r.cpu->regs[R_EBX] == TIMES * (TIMES - 1) / 2, "%s: an immediate that counts", backend);
    ok(r.ex->n_translated < 16, "%s: is read when it is needed: %llu blocks made", backend,
       (unsigned long long)r.ex->n_translated);
    uint64_t before = r.ex->n_invalidated;
    rig_write(&r, 0x2000, "\xb9", 1); /* mov to ECX: ends the loop after one turn */
    ok(r.ex->n_invalidated > before, "%s: but its opcode is code", backend);
    rig_write(&r, 0x2001, "\x01\0\0\0", 4);
    ok(rig_run(&r, 0x2000) && r.cpu->regs[R_ECX] == 0, "%s: and so is what is made of it then", backend);
    rig_free(&r);
}

/* The same in one block, which a deadline cuts between the two: what is run of it must read the immediate, too. */
static void test_soft_cut(const char *backend)
{
    static const uint8_t code[] = {
        0xff, 0x05, 7,    0x20, 0, 0, /* 2000: incl 2007h */
        0xb8, 0,    0,    0,    0,    /* 2006: mov $0, %eax */
        0x01, 0xc3,                   /* add %eax, %ebx */
        0x49, 0x75, 0xf0,             /* dec %ecx; jnz 2000h */
        0xf4,                         /* hlt */
    };
    enum { TIMES = 100, ROUND = 5 };
    Rig r;
    rig_init(&r, &(ExecOptions){ .backend = backend, .tb_size_mib = 8, .max_insns = TIMES * ROUND + 2 });
    rig_write(&r, 0x2000, code, sizeof code);
    rig_run(&r, 0x2000);
    ok(r.cpu->eip == 0x200b && r.cpu->regs[R_EAX] == TIMES + 1, "%s: also by a block cut short: EAX %u", backend,
       r.cpu->regs[R_EAX]);
    rig_free(&r);
}

/* A page of old code is used for data: after some writes that hit blocks all the rest go, and then the page is plain. */
static void test_stale(const char *backend)
{
    enum { BLOCKS = 64, STEP = 16, AT = 0x3000 };
    Rig r;
    rig_init(&r, &(ExecOptions){ .backend = backend, .tb_size_mib = 8, .no_window = true });
    for (uint32_t i = 0; i < BLOCKS; i++)
        rig_write(&r, AT + i * STEP, i == BLOCKS - 1 ? "\x40\xf4\x90" : "\x40\xeb\x0d", 3); /* inc %eax; jmp on */
    ok(rig_run(&r, AT) && r.cpu->regs[R_EAX] == BLOCKS, "%s: %d blocks in a page", backend, BLOCKS);
    uint64_t before = r.ex->n_invalidated;
    for (uint32_t i = 0; i < 4; i++) rig_write(&r, AT + i * STEP, "\0", 1);
    ok(r.ex->n_invalidated == before + 4, "%s: some writes drop what they hit", backend);
    for (uint32_t i = 4; i < 10; i++) rig_write(&r, AT + i * STEP, "\0", 1);
    ok(r.ex->n_invalidated == before + BLOCKS, "%s: more of them, all", backend);
    ok(phys_page_has_code(r.phys, AT), "%s: it stays watched for a while", backend);
    for (uint32_t i = 0; i < BLOCKS; i++) rig_write(&r, AT + i * STEP + 3, "\0", 1); /* as it is, and no code */
    ok(!phys_page_has_code(r.phys, AT), "%s: not for ever", backend);
    r.cpu->regs[R_EAX] = 0;
    rig_write(&r, AT, "\x4b\xf4", 2); /* dec %ebx; hlt */
    ok(rig_run(&r, AT) && r.cpu->regs[R_EAX] == 0, "%s: and what was written is what runs", backend);
    rig_free(&r);
}

/* The block that runs lies in a page that has just turned out to be stale: it must still hear of writes to itself. */
static void test_stale_self(const char *backend)
{
    enum { BLOCKS = 9, STEP = 16, AT = 0x3000, SELF = 0x3400, STORE = 7 };
    static const uint8_t rest[] = {
        0xbc, 0,    0x3f, 0,    0,                      /* mov $3f00h, %esp */
        0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, /* pusha, eight times: 64 stores */
        0xc6, 0x05, 0x54, 0x34, 0,    0,    0x43,       /* movb $0x43, 3454h */
        0x90,                                           /* nop */
        0x4b, 0xf4,                                     /* 3454: dec %ebx, which is inc %ebx then; hlt */
    };
    Rig r;
    rig_init(&r, &(ExecOptions){ .backend = backend, .tb_size_mib = 8, .no_window = true });
    for (uint32_t i = 0; i < BLOCKS; i++) {
        rig_write(&r, AT + i * STEP, "\x40\xf4", 2); /* inc %eax; hlt */
        rig_run(&r, AT + i * STEP);
    }
    for (uint32_t i = 0; i < BLOCKS; i++) { /* movb $0xf4, the block */
        rig_write(&r, SELF + i * STORE, "\xc6\x05\0\x30\0\0\xf4", STORE);
        rig_write(&r, SELF + i * STORE + 2, &(uint8_t){ (uint8_t)(i * STEP) }, 1);
    }
    rig_write(&r, SELF + BLOCKS * STORE, rest, sizeof rest);
    ok(rig_run(&r, SELF) && r.cpu->regs[R_EBX] == 1, "%s: a block in a stale page hears of writes to itself", backend);
    rig_free(&r);
}

/* One page at more addresses than are remembered. */
static void test_aliases(const char *backend)
{
    enum { ALIASES = 7, AT = 0x1000000 };
    Rig r;
    rig_init(&r, &(ExecOptions){ .backend = backend, .tb_size_mib = 8, .no_window = true });
    for (uint32_t i = 0; i < ALIASES; i++)
        phys_add_alias(r.phys, "again", AT + i * PAGE_SIZE, PAGE_SIZE, 1, r.region, 0x4000);
    unsigned right = 0;
    for (uint32_t i = 0; i < ALIASES; i++) {
        r.cpu->regs[R_EAX] = 0;
        rig_write(&r, 0x4000, "\x40\xf4", 2); /* inc %eax; hlt */
        rig_run(&r, AT + i * PAGE_SIZE);
        rig_write(&r, 0x4000, "\x48", 1); /* dec %eax */
        rig_run(&r, AT + i * PAGE_SIZE);
        right += r.cpu->regs[R_EAX] == 0;
    }
    ok(right == ALIASES, "%s: a page at %d addresses, %u right", backend, ALIASES, right);
    rig_free(&r);
}

int main(void)
{
    static const char *const names[] = { "x86_64", "interp" };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (!backend_find(names[i])) continue;
        test_soft(names[i]);
        test_soft_cut(names[i]);
        test_stale(names[i]);
        test_stale_self(names[i]);
        test_aliases(names[i]);
    }
    if (backend_find("x86_64")) {
        compare("x86_64", &(ExecOptions){ .backend = "x86_64", .tb_size_mib = 8, .no_window = true });
        compare("x86_64, not chained", &(ExecOptions){ .backend = "x86_64", .tb_size_mib = 8, .no_chain = true });
        compare("x86_64, small cache", &(ExecOptions){ .backend = "x86_64", .tb_size_mib = 1 });
    }
    compare("interp", &(ExecOptions){ .backend = "interp", .tb_size_mib = 8, .no_window = true });
    return tap_done();
}
