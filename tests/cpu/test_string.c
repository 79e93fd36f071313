/* String instructions against a byte-at-a-time model, and their restartability. */
#include "cpu/string.h"
#include "tests/cpu/machine.h"

static uint32_t rnd(void)
{
    static uint32_t x = 12345;
    x ^= x << 13;
    x ^= x >> 17;
    return x ^= x << 5;
}

static uint8_t model[RAM_SIZE];

/* The definition: element by element. */
static void model_movs(uint32_t dst, uint32_t src, uint32_t n, unsigned size, int step)
{
    for (; n; n--, src += (uint32_t)step, dst += (uint32_t)step) {
        uint32_t v;
        memcpy(&v, model + src, 4);
        memcpy(model + dst, &v, size);
    }
}

/* By a few bytes, by pages, or far away. */
static uint32_t overlapping_or_not(uint32_t src)
{
    switch (rnd() % 4) {
    case 0: return src + rnd() % 40 - 20;
    case 1: return src + PAGE_SIZE * (rnd() % 9 - 4) + rnd() % 3 - 1;
    default: return 0x60000 + rnd() % 0x8000;
    }
}

static void test_movs(void)
{
    bool same = true, regs = true;
    protected_mode(0);
    for (unsigned i = 0; i < RAM_SIZE; i++) ram[i] = i < 0x10000 ? ram[i] : (uint8_t)rnd();
    memcpy(model, ram, RAM_SIZE);
    for (int round = 0; round < 4000; round++) {
        unsigned log = rnd() % 3, size = 1u << log;
        int step = rnd() & 1 ? -(int)size : (int)size;
        uint32_t n = rnd() % (rnd() & 1 ? 20 : 5000), src = 0x40000 + rnd() % 0x8000;
        uint32_t dst = overlapping_or_not(src);
        cpu->regs[R_ESI] = src;
        cpu->regs[R_EDI] = dst;
        cpu->regs[R_ECX] = n;
        cpu->df = step < 0 ? -1 : 1;
        if (helper_string(cpu, STR_DESC(STR_MOVS, log, 1, STR_REP, SEG_DS)) != 1) regs = false;
        model_movs(dst, src, n, size, step);
        if (cpu->regs[R_ECX] || cpu->regs[R_ESI] != src + n * (uint32_t)step ||
            cpu->regs[R_EDI] != dst + n * (uint32_t)step)
            regs = false;
        if (round % 50 == 0 && memcmp(ram, model, RAM_SIZE)) same = false;
    }
    ok(same && !memcmp(ram, model, RAM_SIZE), "REP MOVS, both directions, all overlaps");
    ok(regs, "its registers");
    cpu->df = 1;
}

static void test_stos_lods(void)
{
    bool good = true;
    protected_mode(0);
    for (unsigned log = 0; log < 3; log++) {
        for (int dir = -1; dir <= 1; dir += 2) {
            memset(ram + DATA, 0, 0x4000);
            unsigned size = 1u << log;
            cpu->regs[R_EAX] = 0x44332211;
            cpu->regs[R_EDI] = DATA + 0x2001;
            cpu->regs[R_ECX] = 1500;
            cpu->df = dir;
            helper_string(cpu, STR_DESC(STR_STOS, log, 1, STR_REP, SEG_DS));
            for (unsigned i = 0; i < 1500; i++)
                if (memcmp(ram + (int)(DATA + 0x2001) + (int)(i * size) * dir, &cpu->regs[R_EAX], size)) good = false;
            unsigned set = 0;
            for (unsigned i = 0; i < 0x4000; i++) set += ram[DATA + i] != 0;
            if (set != 1500 * size) good = false;
        }
    }
    ok(good, "REP STOS");
    cpu->df = 1;
    cpu->regs[R_EAX] = 0xffffffff;
    wr32(DATA + 9, 0x12345678);
    cpu->regs[R_ESI] = DATA + 1;
    cpu->regs[R_ECX] = 5;
    helper_string(cpu, STR_DESC(STR_LODS, 1, 1, STR_REP, SEG_DS));
    ok(cpu->regs[R_EAX] == 0xffff5678 && cpu->regs[R_ESI] == DATA + 11, "REP LODSW leaves the last element");
}

static void test_scan(void)
{
    protected_mode(0);
    strcpy((char *)ram + DATA, "hello");
    strcpy((char *)ram + DATA + 0x1ffd, "help!");
    cpu->regs[R_EAX] = 0;
    cpu->regs[R_EDI] = DATA;
    cpu->regs[R_ECX] = 0xffffffff;
    ok(helper_string(cpu, STR_DESC(STR_SCAS, 0, 1, STR_REPNE, SEG_DS)) == 1 && cpu->regs[R_EDI] == DATA + 6 &&
           cpu->regs[R_ECX] == 0xfffffff9 && cpu_get_eflags(cpu) & FL_ZF,
       "REPNE SCASB finds the end");
    cpu->regs[R_ESI] = DATA;
    cpu->regs[R_EDI] = DATA + 0x1ffd;
    cpu->regs[R_ECX] = 6;
    helper_string(cpu, STR_DESC(STR_CMPS, 0, 1, STR_REP, SEG_DS));
    /* 'l' - 'p' = -4 */
    ok(cpu->regs[R_ECX] == 2 && cpu->regs[R_ESI] == DATA + 4 &&
           (cpu_get_eflags(cpu) & FL_ARITH) == (FL_CF | FL_SF | FL_PF),
       "REPE CMPSB stops at the difference");
    cpu->regs[R_ECX] = 0;
    uint16_t cc = cpu->cc;
    ok(helper_string(cpu, STR_DESC(STR_CMPS, 0, 1, STR_REP, SEG_DS)) == 1 && cpu->cc == cc, "count 0 does nothing");
    cpu->regs[R_EDI] = DATA;
    cpu->regs[R_EAX] = 'h';
    helper_string(cpu, STR_DESC(STR_SCAS, 0, 1, STR_REP_NONE, SEG_DS));
    ok(cpu_get_eflags(cpu) & FL_ZF && cpu->regs[R_EDI] == DATA + 1, "SCASB without REP");
}

static void test_faults(void)
{
    protected_mode(0);
    helper_load_seg(cpu, SEG_ES, S_SMALL);
    memset(ram + DATA, 0, 0x200);
    cpu->regs[R_EAX] = 0xaaaaaaaa;
    cpu->regs[R_EDI] = 0xf0;
    cpu->regs[R_ECX] = 100;
    ok(CALLS(helper_string(cpu, STR_DESC(STR_STOS, 2, 1, STR_REP, SEG_DS))) == EXC_GP && cpu->regs[R_ECX] == 96 &&
           cpu->regs[R_EDI] == 0x100 && ram[DATA + 0xff] == 0xaa && ram[DATA + 0x100] == 0,
       "a fault leaves what is to do");
    real_mode();
    cpu->regs[R_EAX] = 0x5a;
    cpu->regs[R_EDI] = 0x1234fffe;
    cpu->regs[R_ECX] = 0x10004;
    cpu_seg_load_real(cpu, SEG_ES, 0x2000);
    ok(CALLS(helper_string(cpu, STR_DESC(STR_STOS, 0, 0, STR_REP, SEG_DS))) == -1 && cpu->regs[R_EDI] == 0x12340002 &&
           cpu->regs[R_ECX] == 0x10000 && ram[0x2ffff] == 0x5a && ram[0x20001] == 0x5a && ram[0x20002] == 0,
       "DI wraps at 64 KiB");
}

/* One page mapped, the next not: #PF where it should be. */
static void test_page_fault(void)
{
    protected_mode(0);
    wr32(0x50000, 0x51000 | 3);
    for (unsigned i = 0; i < 0x60; i++) wr32(0x51000 + i * 4, i << 12 | (i == DATA / PAGE_SIZE + 1 ? 0 : 3));
    cpu->cr0 |= CR0_PG;
    mmu_set_control(&cpu->mmu, cpu->cr0, 0x50000, 0, false, true);
    cpu->regs[R_EDI] = DATA + 0xffa;
    cpu->regs[R_ECX] = 10;
    ok(CALLS(helper_string(cpu, STR_DESC(STR_STOS, 2, 1, STR_REP, SEG_DS))) == EXC_PF && cpu->cr2 == DATA + 0x1000 &&
           cpu->regs[R_ECX] == 9 && cpu->regs[R_EDI] == DATA + 0xffe,
       "REP STOSD into an absent page");
    cpu->regs[R_ESI] = DATA + 0x2010;
    cpu->regs[R_EDI] = DATA + 0x3000;
    cpu->regs[R_ECX] = 100;
    cpu->df = -1;
    ok(CALLS(helper_string(cpu, STR_DESC(STR_MOVS, 0, 1, STR_REP, SEG_DS))) == EXC_PF && cpu->cr2 == DATA + 0x1fff &&
           cpu->regs[R_ECX] == 100 - 17,
       "backward REP MOVSB into one");
    cpu->df = 1;
    cpu->cr0 &= ~CR0_PG;
    mmu_set_control(&cpu->mmu, cpu->cr0, 0, 0, false, true);
}

/* Pages that follow one another, but not all of them in memory: what the TLB knows decides how much is done at once. */
static void test_apart(void)
{
    enum { TO = 0x40000, FROM = 0x48000, BYTES = 0x6123, AT = 0x345 };
    static const uint8_t place[] = { 0, 1, 4, 3, 2, 5, 6, 7 };
    protected_mode(0);
    wr32(0x50000, 0x51000 | 3);
    for (unsigned i = 0; i < 0x60; i++) wr32(0x51000 + i * 4, i << 12 | 3);
    for (unsigned i = 0; i < 8; i++) wr32(0x51000 + ((TO >> 12) + i) * 4, (uint32_t)(TO + (place[i] << 12)) | 3);
    cpu->cr0 |= CR0_PG | CR0_WP;
    mmu_set_control(&cpu->mmu, cpu->cr0, 0x50000, 0, false, true);
    unsigned bad = 0;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 0x8000; i++) ram[FROM + i] = (uint8_t)rnd();
        cpu->regs[R_ESI] = FROM + AT;
        cpu->regs[R_EDI] = TO + AT;
        cpu->regs[R_ECX] = BYTES;
        if (CALLS(helper_string(cpu, STR_DESC(STR_MOVS, 0, 1, STR_REP, SEG_DS))) != -1) bad++;
        for (unsigned i = AT; i < AT + BYTES; i++)
            bad += ram[TO + (place[i >> 12] << 12) + (i & 0xfff)] != ram[FROM + i];
    }
    ok(bad == 0, "REP MOVSB to pages that are apart");
    wr32(0x51000 + ((TO >> 12) + 6) * 4, (TO + 0x6000) | 1);
    mmu_invlpg(&cpu->mmu, TO + 0x6000);
    cpu->regs[R_EAX] = 0x77777777;
    cpu->regs[R_EDI] = TO + 0x10;
    cpu->regs[R_ECX] = 0x2000;
    ok(CALLS(helper_string(cpu, STR_DESC(STR_STOS, 2, 1, STR_REP, SEG_DS))) == EXC_PF && cpu->cr2 == TO + 0x6000 &&
           cpu->regs[R_EDI] == TO + 0x6000 && cpu->regs[R_ECX] == 0x2000 - 0x5ff0 / 4 && ram[TO + 0x5fff] == 0x77 &&
           ram[TO + 0x6000] != 0x77,
       "up to one that is read-only");
    cpu->cr0 &= ~(CR0_PG | CR0_WP);
    mmu_set_control(&cpu->mmu, cpu->cr0, 0, 0, false, true);
}

static void test_interruptible(void)
{
    protected_mode(0);
    cpu->regs[R_EDI] = 0x40000;
    cpu->regs[R_ECX] = 0x3000;
    cpu_request_exit(cpu);
    ok(helper_string(cpu, STR_DESC(STR_STOS, 0, 1, STR_REP, SEG_DS)) == 0 && cpu->regs[R_ECX] == 0x2000,
       "leaves at a page when asked");
    cpu->exit_request = 0;
    cpu_set_eflags(cpu, FL_1 | FL_TF);
    ok(helper_string(cpu, STR_DESC(STR_STOS, 0, 1, STR_REP, SEG_DS)) == 0 && cpu->regs[R_ECX] == 0x1fff,
       "one a time in single step");
}

static uint32_t next_byte;
static uint32_t port_read(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque;
    (void)port;
    (void)size;
    return next_byte++;
}
static void port_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)port;
    (void)size;
    *(uint32_t *)opaque = *(uint32_t *)opaque * 31 + value;
}

static void test_ports(void)
{
    static const IoPortOps ops = { port_read, port_write, 4 };
    static uint32_t sum;
    protected_mode(0);
    ioports_map(cpu->io, 0x1f0, 1, &ops, &sum);
    cpu->regs[R_EDX] = 0x1f0;
    cpu->regs[R_EDI] = DATA + 0xfff;
    cpu->regs[R_ECX] = 3;
    next_byte = 0x101;
    ok(CALLS(helper_string(cpu, STR_DESC(STR_INS, 1, 1, STR_REP, SEG_DS))) == -1 && rd16(DATA + 0xfff) == 0x101 &&
           rd16(DATA + 0x1003) == 0x103,
       "REP INSW over a page end");
    cpu->regs[R_ESI] = DATA + 0xfff;
    cpu->regs[R_ECX] = 2;
    ok(CALLS(helper_string(cpu, STR_DESC(STR_OUTS, 1, 1, STR_REP, SEG_DS))) == -1 && sum == 0x101 * 31 + 0x102,
       "REP OUTSW");
    helper_load_seg(cpu, SEG_ES, S_RO);
    next_byte = 7;
    cpu->regs[R_EDI] = 0;
    ok(CALLS(helper_string(cpu, STR_DESC(STR_INS, 1, 1, STR_REP_NONE, SEG_DS))) == EXC_GP && next_byte == 7,
       "INS checks its target before it reads the port");
}

int main(void)
{
    machine_new();
    test_movs();
    test_stos_lods();
    test_scan();
    test_faults();
    test_page_fault();
    test_apart();
    test_interruptible();
    test_ports();
    return tap_done();
}
