/* Counting is exact: wherever a deadline falls, in a block, in a repeated string instruction, behind a device access, an
 * exception or a store to its own block, the processor stops there, in the state that a run with a deadline after every
 * instruction has at that count.  And that state is the same on each backend. */
#include "rig.h"

enum {
    CODE = 0x1000,
    ON_DIVIDE = 0x2000,
    ON_INTR = 0x2100,
    SEEN = 0x4000,
    GDT = 0x5000,
    IDT = 0x6000,
    DEVICE = 0x300000,
    ROUNDS = 5,
    VECTOR = 0x20,
    LONGEST = 4000
};

static const uint8_t program[] = {
    0xfb,                                 /* 00 sti */
    0xbd, ROUNDS, 0,    0,    0,          /* 01 mov ebp, ROUNDS */
    0xbf, 0xe0,   0x8f, 0x01, 0x00,       /* 06 round: mov edi, 0x18fe0: over a page's end */
    0xb9, 0x40,   0,    0,    0,          /* 0b mov ecx, 64 */
    0xf3, 0xaa,                           /* 10 rep stosb */
    0x8b, 0x1d,   0x00, 0x00, 0x30, 0x00, /* 12 mov ebx, [DEVICE]: the count */
    0x40,                                 /* 18 inc eax */
    0xa3, 0x04,   0x00, 0x30, 0x00,       /* 19 mov [DEVICE + 4], eax: interrupts */
    0x42,                                 /* 1e inc edx */
    0x01, 0xd8,                           /* 1f add eax, ebx */
    0x0f, 0x31,                           /* 21 rdtsc */
    0x31, 0xc6,                           /* 23 xor esi, eax */
    0xfe, 0x05,   0x30, 0x10, 0x00, 0x00, /* 25 inc byte [CODE + 30]: the immediate below */
    0x46,                                 /* 2b inc esi */
    0x81, 0xc6,   0x01, 0x00, 0x00, 0x00, /* 2c add esi, 1 + 65536 * round */
    0x31, 0xd2,                           /* 32 xor edx, edx */
    0xf7, 0xf1,                           /* 34 div ecx: by 0 */
    0xe8, 0x04,   0x00, 0x00, 0x00,       /* 36 call add3 */
    0x4d,                                 /* 3b dec ebp */
    0x75, 0xc8,                           /* 3c jnz round */
    0xf4,                                 /* 3e hlt */
    0x83, 0xc6,   0x03,                   /* 3f add3: add esi, 3 */
    0xe6, 0x42,                           /* 42 out 0x42, al: interrupts */
    0xc3,                                 /* 44 ret */
};
static const uint8_t on_divide[] = { 0x83, 0x04, 0x24, 0x02, 0xcf };           /* add dword [esp], 2; iret */
static const uint8_t on_intr[] = { 0xff, 0x05, 0x00, 0x40, 0x00, 0x00, 0xcf }; /* inc dword [SEEN]; iret */

typedef struct Snapshot {
    uint32_t regs[8], eip, seen;
} Snapshot;

static Rig rig;
static uint64_t stop_at;

static uint64_t device_read(void *opaque, PhysAddr offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return cpu_insns(rig.cpu);
}

static void device_write(void *opaque, PhysAddr offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size;
    cpu_set_intr(rig.cpu, true);
}

static void port_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)opaque, (void)port, (void)value, (void)size;
    cpu_set_intr(rig.cpu, true);
}

static int acknowledge(void *opaque)
{
    (void)opaque;
    cpu_set_intr(rig.cpu, false);
    return VECTOR;
}

static bool go_on(void *opaque)
{
    (void)opaque;
    return cpu_insns(rig.cpu) != stop_at;
}

static uint64_t until_stop(void *opaque)
{
    (void)opaque;
    return stop_at - cpu_insns(rig.cpu);
}

static void put_gate(unsigned vector, uint32_t handler)
{
    uint8_t *p = rig.ram + IDT + 8 * vector;
    const uint32_t gate[2] = { 8 << 16 | (handler & 0xffff), (handler & 0xffff0000u) | 0x8e00 };
    memcpy(p, gate, sizeof gate);
}

static void start(const char *backend)
{
    static const MmioOps device = { device_read, device_write };
    static const uint32_t gdt[6] = { 0, 0, 0xffff, 0x00cf9b00, 0xffff, 0x00cf9300 };
    static const IoPortOps port = { .write = port_write, .max_size = 1 };
    ExecOptions opt = { .backend = backend, .tb_size_mib = 4, .icount = true };
    rig_init(&rig, &opt);
    phys_add_mmio(rig.phys, "device", DEVICE, PAGE_SIZE, 1, &device, NULL);
    ioports_map(rig.io, 0x42, 1, &port, NULL);
    memcpy(rig.ram + CODE, program, sizeof program);
    memcpy(rig.ram + ON_DIVIDE, on_divide, sizeof on_divide);
    memcpy(rig.ram + ON_INTR, on_intr, sizeof on_intr);
    memcpy(rig.ram + GDT, gdt, sizeof gdt);
    put_gate(EXC_DE, ON_DIVIDE);
    put_gate(VECTOR, ON_INTR);
    rig.cpu->gdt.base = GDT, rig.cpu->gdt.limit = sizeof gdt - 1;
    rig.cpu->idt.base = IDT, rig.cpu->idt.limit = 0x7ff;
    rig.cpu->intr_ack = acknowledge;
    rig.cpu->eip = CODE;
    rig.ex->hooks = (ExecHooks){ .poll = go_on, .wait = rig_stop, .shutdown = rig_stop, .grant = until_stop };
}

static Snapshot run_to(uint64_t count)
{
    Snapshot s = { .eip = 0 };
    stop_at = count;
    exec_run(rig.ex);
    memcpy(s.regs, rig.cpu->regs, sizeof s.regs);
    s.eip = rig.cpu->eip;
    memcpy(&s.seen, rig.ram + SEEN, 4);
    return s;
}

/* The state after each instruction up to HLT; returns how many there are. */
static unsigned trace(const char *backend, Snapshot *at)
{
    unsigned n = 0;
    start(backend);
    while (!rig.cpu->halted && n < LONGEST) {
        n++;
        at[n] = run_to(n);
    }
    rig_free(&rig);
    return n;
}

static Snapshot step_by_step[LONGEST + 1], other[LONGEST + 1];

/* Runs to each multiple of step in one stretch each. */
static bool agrees(const char *backend, unsigned end, unsigned step)
{
    bool good = true;
    start(backend);
    for (unsigned n = step; n < end && good; n += step) {
        Snapshot s = run_to(n);
        good = cpu_insns(rig.cpu) == n && memcmp(&s, &step_by_step[n], sizeof s) == 0;
        if (!good)
            diag("step %u, count %u: eip %x, %x in the trace; count reached %llu", step, n, s.eip, step_by_step[n].eip,
                 (unsigned long long)cpu_insns(rig.cpu));
    }
    rig_free(&rig);
    return good;
}

static void test_backend(const char *backend, unsigned end)
{
    bool good = true;
    for (unsigned step = 2; step < 100; step++) good &= agrees(backend, end, step);
    ok(good, "%s: a deadline is met in the same state whatever was run in one stretch", backend);
    good = true;
    for (unsigned n = 1; n < end; n++) good &= agrees(backend, n + 1, n);
    ok(good, "%s: also from the start", backend);
}

int main(void)
{
    unsigned end = 0;
    if (backend_find("x86_64")) {
        end = trace("x86_64", step_by_step);
        test_backend("x86_64", end);
    }
    unsigned n = trace("interp", other);
    if (end) {
        ok(n == end && memcmp(other, step_by_step, sizeof other) == 0, "both backends take the same %u steps", end);
    } else {
        memcpy(step_by_step, other, sizeof other);
    }
    /* STI, MOV, HLT; for each round 64 elements, 20 other instructions and three handlers of two. */
    ok(n == 3 + ROUNDS * (64 + 20 + 6) && other[n].seen == 2 * ROUNDS, "%u steps, %u interrupts", n, other[n].seen);
    test_backend("interp", n);
    return tap_done();
}
