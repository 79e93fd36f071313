/* The local APIC by the manual's chapter. */
#include "cpu/cpuid.h"
#include "hw/lapic.h"
#include "fake.h"

static Fake f;
static Lapic *apic;
static int pic_vector, eois, last_eoi, acks;

static int pic_ack(void *opaque)
{
    (void)opaque;
    return pic_vector;
}
static void on_eoi(void *opaque, uint8_t vector)
{
    (void)opaque;
    eois++;
    last_eoi = vector;
}
static void on_ack(void *opaque, uint8_t vector)
{
    (void)opaque, (void)vector;
    acks++;
}

static uint32_t rd(uint32_t reg)
{
    return (uint32_t)phys_ld(f.phys, APIC_BASE_DEFAULT + reg, 4);
}
static void wr(uint32_t reg, uint32_t v)
{
    phys_st(f.phys, APIC_BASE_DEFAULT + reg, v, 4);
}
static bool send(uint8_t vector, bool level)
{
    return lapic_receive(apic, &(ApicMessage){ .destination = 0, .vector = vector, .level = level });
}
static void lint(int n, bool level)
{
    IrqLine l = lapic_lint(apic, n);
    irq_set(&l, level);
}

static void set_up(void)
{
    fake_init(&f);
    f.cpu->has_apic = true;
    f.cpu->feat_1_ecx = CPUID_TSC_DEADLINE;
    apic = lapic_new(f.m, fake_line(&f, 0), (LapicBoard){ .extint_ack = pic_ack, .eoi = on_eoi, .acked = on_ack });
    eois = acks = 0;
    pic_vector = 0x55;
}

static void take_down(void)
{
    lapic_free(apic);
    fake_free(&f);
}

static void test_reset(void)
{
    set_up();
    IS(rd(0x20), 0, "ID");
    IS(rd(0x30), 0x50014, "version, six LVT entries");
    IS(rd(0xe0), 0xffffffff, "DFR");
    IS(rd(0xf0), 0xff, "SVR: disabled");
    IS(rd(0x320), 0x10000, "LVT timer masked");
    IS(rd(0x350), 0x700, "LINT0: ExtINT");
    IS(rd(0x360), 0x400, "LINT1: NMI");
    ok(!send(0x40, false), "disabled by software: accepts no message");
    lint(0, true);
    ok(f.line[0], "virtual wire: the 8259s get through");
    IS(lapic_ack(apic), 0x55, "with their vector");
    lint(0, false);
    ok(!f.line[0] && lapic_ack(apic) == -1, "and the line falls");
    lint(1, true);
    ok(f.cpu->nmi_pending, "LINT1 is NMI");
    wr(0xf0, 0x1ff);
    wr(0x350, 0x10700);
    lint(0, true);
    ok(!f.line[0], "LINT0 masked");
    wr(0x350, 0x700);
    ok(f.line[0], "unmasked");
    wr(0xf0, 0xff);
    IS(rd(0x350), 0x10700, "disabling masks the table");
    wr(0x350, 0x700);
    IS(rd(0x350), 0x10700, "for as long as it lasts");
    take_down();
}

static void test_priorities(void)
{
    set_up();
    wr(0xf0, 0x1ff);
    ok(send(0x41, false) && f.line[0], "a fixed interrupt");
    IS(rd(0x220), 2, "IRR");
    IS(lapic_ack(apic), 0x41, "is taken");
    ok(acks == 1 && !f.line[0], "once");
    IS(rd(0x120), 2, "ISR");
    IS(rd(0xa0), 0x40, "PPR: class in service");
    send(0x4f, false);
    ok(!f.line[0], "same class waits");
    send(0x50, false);
    ok(f.line[0] && lapic_ack(apic) == 0x50, "higher class does not");
    wr(0xb0, 0);
    IS(rd(0xa0), 0x40, "EOI ends the higher");
    ok(!f.line[0], "4f waits for 41");
    wr(0xb0, 0);
    ok(f.line[0], "until its EOI");
    wr(0x80, 0x48);
    ok(!f.line[0] && rd(0xa0) == 0x48, "TPR holds it back");
    wr(0x80, 0x3f);
    IS(lapic_ack(apic), 0x4f, "and lets it go");
    wr(0xb0, 0);
    IS(eois, 0, "edges: no EOI message");
    send(0x61, true);
    IS(rd(0x1b0), 2, "TMR");
    lapic_ack(apic);
    wr(0xb0, 0);
    ok(eois == 1 && last_eoi == 0x61, "level: EOI message");
    send(0x61, false);
    IS(rd(0x1b0), 0, "TMR follows the message");
    lapic_ack(apic);
    wr(0xb0, 0);
    wr(0x280, 0);
    ok(send(7, false), "vector below 16");
    wr(0x280, 0);
    IS(rd(0x280), 0x40, "receive illegal vector");
    wr(0x280, 0);
    IS(rd(0x280), 0, "a further write clears it");
    wr(0x370, 0xfe);
    rd(0x40);
    ok(f.line[0] && lapic_ack(apic) == 0xfe, "error interrupt for a register that is not there");
    wr(0x280, 0);
    IS(rd(0x280), 0x80, "illegal register address");
    take_down();
}

static void test_ipi(void)
{
    set_up();
    wr(0xf0, 0x1ff);
    wr(0x300, 0x40041);
    IS(lapic_ack(apic), 0x41, "self");
    wr(0xb0, 0);
    wr(0x300, 0x80042);
    IS(lapic_ack(apic), 0x42, "all including self");
    wr(0xb0, 0);
    wr(0x300, 0xc0043);
    IS(lapic_ack(apic), -1, "all others: nobody");
    wr(0x310, 0x05000000);
    wr(0x300, 0x44);
    IS(lapic_ack(apic), -1, "physical: another one's ID");
    wr(0x310, 0);
    wr(0x300, 0x45);
    IS(lapic_ack(apic), 0x45, "physical: its own");
    wr(0xb0, 0);
    wr(0xd0, 0x02000000);
    wr(0x310, 0x06000000);
    wr(0x300, 0x846);
    IS(lapic_ack(apic), 0x46, "logical, flat");
    wr(0xb0, 0);
    wr(0x310, 0x05000000);
    wr(0x300, 0x847);
    IS(lapic_ack(apic), -1, "not in the set");
    wr(0xe0, 0);
    wr(0xd0, 0x32000000);
    wr(0x310, 0x36000000);
    wr(0x300, 0x848);
    IS(lapic_ack(apic), 0x48, "logical, cluster");
    wr(0xb0, 0);
    wr(0x310, 0x46000000);
    wr(0x300, 0x849);
    IS(lapic_ack(apic), -1, "another cluster");
    wr(0x310, 0);
    wr(0x300, 0x400);
    ok(f.cpu->nmi_pending, "NMI");
    wr(0x300, 0x200);
    ok(f.cpu->smi_pending, "SMI");
    wr(0x300, 0x8500);
    ok(!f.cpu->init_pending, "INIT de-assert");
    wr(0x300, 0x4500);
    ok(f.cpu->init_pending, "INIT");
    wr(0x300, 0x40005);
    wr(0x280, 0);
    IS(rd(0x280), 0x20, "send illegal vector");
    wr(0x320, 0x30);
    wr(0x20, 0x07000000);
    f.cpu->apic_ops->init(f.cpu->apic);
    ok(rd(0x320) == 0x10000 && rd(0x20) == 0x07000000, "INIT# resets all but the ID");
    take_down();
}

static void test_lint_fixed(void)
{
    set_up();
    wr(0xf0, 0x1ff);
    wr(0x350, 0x51);
    lint(0, true);
    IS(lapic_ack(apic), 0x51, "LINT0 edge");
    wr(0xb0, 0);
    ok(!f.line[0], "one interrupt for one edge");
    lint(0, false);
    wr(0x350, 0x8052);
    lint(0, true);
    IS(lapic_ack(apic), 0x52, "level");
    IS(rd(0x350), 0xc052, "Remote IRR");
    wr(0xb0, 0);
    IS(lapic_ack(apic), 0x52, "again after EOI");
    lint(0, false);
    wr(0xb0, 0);
    ok(!f.line[0] && rd(0x350) == 0x8052, "not when it has fallen");
    wr(0x350, 0xa053);
    IS(lapic_ack(apic), 0x53, "active low");
    take_down();
}

static void test_timer(void)
{
    set_up();
    wr(0xf0, 0x1ff);
    wr(0x3e0, 0xb); /* by 1 */
    wr(0x320, 0x30);
    wr(0x380, 1000);
    f.now += 400;
    IS(rd(0x390), 600, "one-shot counts down");
    fake_jump(&f, 599);
    ok(!f.line[0], "not yet");
    fake_jump(&f, 1);
    IS(lapic_ack(apic), 0x30, "at 0");
    wr(0xb0, 0);
    fake_jump(&f, 5000);
    ok(!f.line[0] && rd(0x390) == 0, "once");
    wr(0x3e0, 3); /* by 16 */
    wr(0x380, 100);
    f.now += 160;
    IS(rd(0x390), 90, "divided by 16");
    wr(0x3e0, 0); /* by 2 */
    IS(rd(0x390), 90, "a new divider: the count goes on");
    f.now += 20;
    IS(rd(0x390), 80, "at the new rate");
    wr(0x320, 0x10030);
    fake_jump(&f, 5000);
    ok(!f.line[0] && rd(0x390) == 0, "masked: counts, does not interrupt");
    wr(0x320, 0x20030);
    fake_jump(&f, 5000000);
    ok(!f.line[0], "run out: periodic mode does not start it");
    wr(0x3e0, 0xb);
    wr(0x380, 1000000);
    int taken = 0;
    for (int i = 0; i < 100; i++) {
        fake_jump(&f, 100000);
        if (lapic_ack(apic) == 0x30) taken++;
        wr(0xb0, 0);
    }
    IS(taken, 10, "periodic");
    fake_jump(&f, 20000000); /* the host was away */
    for (int i = 0; i < 200; i++) {
        if (lapic_ack(apic) == 0x30) taken++;
        wr(0xb0, 0);
        fake_jump(&f, 100000);
    }
    ok(taken >= 49 && taken <= 51, "lost ticks are made up for: %d", taken);
    wr(0x380, 0);
    fake_jump(&f, 5000000);
    lapic_ack(apic);
    wr(0xb0, 0);
    fake_jump(&f, 50000000);
    ok(!f.line[0], "count 0 stops it");
    wr(0x380, 1);
    for (int i = 0; i < 1000; i++) fake_jump(&f, 10);
    ok(true, "a period of 1 ns does not hang the machine");
    take_down();
}

static void test_deadline(void)
{
    set_up();
    wr(0xf0, 0x1ff);
    const CpuApicOps *ops = f.cpu->apic_ops;
    uint64_t tsc = (f.now - 1000) * CPU_TSC_PER_NS;
    ops->set_tsc_deadline(f.cpu->apic, tsc + 2000);
    IS(ops->tsc_deadline(f.cpu->apic), 0, "not in this mode");
    wr(0x320, 0x40031);
    ops->set_tsc_deadline(f.cpu->apic, tsc + 2000);
    IS(ops->tsc_deadline(f.cpu->apic), tsc + 2000, "armed");
    fake_jump(&f, 999);
    ok(!f.line[0], "not yet");
    fake_jump(&f, 1);
    IS(lapic_ack(apic), 0x31, "TSC deadline");
    IS(ops->tsc_deadline(f.cpu->apic), 0, "disarmed");
    wr(0xb0, 0);
    ops->set_tsc_deadline(f.cpu->apic, 1);
    fake_jump(&f, 1);
    IS(lapic_ack(apic), 0x31, "in the past: at once");
    wr(0xb0, 0);
    ops->set_tsc_deadline(f.cpu->apic, tsc + 1000000);
    f.cpu->tsc_offset += 1000000;
    ops->tsc_moved(f.cpu->apic);
    fake_jump(&f, 1);
    IS(lapic_ack(apic), 0x31, "the TSC was moved past it");
    wr(0xb0, 0);
    wr(0x380, 100);
    IS(rd(0x390), 0, "initial count is ignored");
    ops->set_tsc_deadline(f.cpu->apic, UINT64_MAX);
    fake_jump(&f, 1000000000000);
    ok(!f.line[0], "a deadline that never comes");
    wr(0x320, 0x31);
    IS(ops->tsc_deadline(f.cpu->apic), 0, "leaving the mode disarms");
    f.cpu->feat_1_ecx = 0;
    wr(0x320, 0x40031);
    IS(rd(0x320), 0x31, "a model without it has no such mode");
    take_down();
}

static void test_base(void)
{
    set_up();
    const CpuApicOps *ops = f.cpu->apic_ops;
    ops->set_base(f.cpu->apic, 0xfed80000u | APIC_BASE_ENABLE | APIC_BASE_BSP);
    IS(phys_ld(f.phys, 0xfed80030, 4), 0x50014, "moved");
    IS(rd(0x30), 0xffffffff, "and gone from where it was");
    ops->set_base(f.cpu->apic, 0xfed80000u | APIC_BASE_BSP);
    IS(phys_ld(f.phys, 0xfed80030, 4), 0xffffffff, "switched off");
    ok(!send(0x40, false), "takes no messages");
    lint(0, true);
    ok(f.line[0] && lapic_ack(apic) == 0x55, "INTR goes straight to the processor");
    f.cpu->nmi_pending = false;
    lint(1, true);
    ok(f.cpu->nmi_pending, "and so does NMI");
    machine_reset_now(f.m);
    IS(rd(0x30), 0x50014, "RESET# brings it back");
    IS(phys_ld(f.phys, APIC_BASE_DEFAULT + 0x33, 1), 0, "a byte of a register");
    IS(phys_ld(f.phys, APIC_BASE_DEFAULT + 0x30, 8), 0x50014, "eight bytes");
    phys_st(f.phys, APIC_BASE_DEFAULT + 0x80, 0x33, 1);
    IS(rd(0x80), 0, "a byte write is lost");
    take_down();
}

int main(void)
{
    test_reset();
    test_priorities();
    test_ipi();
    test_lint_fixed();
    test_timer();
    test_deadline();
    test_base();
    return tap_done();
}
