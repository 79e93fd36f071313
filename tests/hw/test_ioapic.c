/* The I/O APIC by data sheet, the ISA interrupts' way to both controllers, and random traffic. */
#include "hw/hpet.h"
#include "hw/isa_irq.h"
#include "fake.h"

#include <string.h>

static Fake f;
static Lapic *lapic;
static Ioapic *ioapic;
static I8259 *pic;
static IsaIrqs irqs;

static int pic_ack(void *opaque)
{
    (void)opaque;
    return i8259_ack(pic);
}
static void on_eoi(void *opaque, uint8_t vector)
{
    (void)opaque;
    ioapic_eoi(ioapic, vector);
}

static uint32_t rd(uint8_t reg)
{
    phys_st(f.phys, IOAPIC_BASE, reg, 4);
    return (uint32_t)phys_ld(f.phys, IOAPIC_BASE + 0x10, 4);
}
static void wr(uint8_t reg, uint32_t v)
{
    phys_st(f.phys, IOAPIC_BASE, reg, 4);
    phys_st(f.phys, IOAPIC_BASE + 0x10, v, 4);
}
static void set_entry(int pin, uint32_t low)
{
    wr((uint8_t)(0x11 + 2 * pin), 0);
    wr((uint8_t)(0x10 + 2 * pin), low);
}
static void eoi(void)
{
    phys_st(f.phys, APIC_BASE_DEFAULT + 0xb0, 0, 4);
}
static void pin(int n, bool level)
{
    IrqLine l = ioapic_pin(ioapic, n);
    irq_set(&l, level);
}
static void isa(int n, bool level)
{
    IrqLine l = isa_irq(&irqs, n);
    irq_set(&l, level);
}

static void set_up(void)
{
    fake_init(&f);
    f.cpu->has_apic = true;
    lapic = lapic_new(f.m, fake_line(&f, 0), (LapicBoard){ .extint_ack = pic_ack, .eoi = on_eoi });
    ioapic = ioapic_new(f.m, lapic);
    pic = i8259_new(f.m, lapic_lint(lapic, 0));
    isa_irqs_init(&irqs, pic, ioapic);
    phys_st(f.phys, APIC_BASE_DEFAULT + 0xf0, 0x1ff, 4);
}

static void take_down(void)
{
    i8259_free(pic);
    ioapic_free(ioapic);
    lapic_free(lapic);
    fake_free(&f);
}

static void test_registers(void)
{
    set_up();
    IS(rd(1), 0x170020, "version, 24 pins");
    wr(0, 0x05000000);
    ok(rd(0) == 0x05000000 && rd(2) == 0x05000000, "ID and arbitration ID");
    IS(rd(0x10), 0x10000, "entries are masked");
    wr(0x3e, 0xffffffff);
    wr(0x3f, 0xffffffff);
    ok(rd(0x3e) == 0x1afff && rd(0x3f) == 0xff000000, "reserved and read-only bits");
    wr(0x40, 1);
    IS(rd(0x40), 0, "no entry 24");
    take_down();
}

static void test_edge(void)
{
    set_up();
    set_entry(4, 0x34);
    pin(4, true);
    IS(lapic_ack(lapic), 0x34, "edge");
    eoi();
    ok(!f.line[0], "one for one");
    pin(4, false);
    set_entry(4, 0x10034);
    pin(4, true);
    set_entry(4, 0x34);
    ok(!f.line[0], "an edge while masked is lost");
    pin(4, false);
    set_entry(4, 0x2034);
    ok(!f.line[0], "polarity is no edge");
    pin(4, true);
    ok(!f.line[0], "active low: rising");
    pin(4, false);
    IS(lapic_ack(lapic), 0x34, "active low: falling");
    eoi();
    set_entry(5, 0x400);
    pin(5, true);
    ok(f.cpu->nmi_pending, "NMI");
    set_entry(6, 0x10200);
    set_entry(6, 0x200);
    pin(6, true);
    ok(f.cpu->smi_pending, "SMI");
    wr(0x10 + 2 * 7 + 1, 0x09000000);
    wr(0x10 + 2 * 7, 0x37);
    pin(7, true);
    ok(!f.line[0], "for another processor");
    take_down();
}

static void test_level(void)
{
    set_up();
    set_entry(10, 0x803a);
    pin(10, true);
    IS(rd(0x24), 0xc03a, "Remote IRR");
    IS(lapic_ack(lapic), 0x3a, "level");
    pin(10, false);
    pin(10, true);
    ok(!f.line[0], "nothing further before EOI");
    eoi();
    IS(lapic_ack(lapic), 0x3a, "again after EOI: still high");
    pin(10, false);
    eoi();
    ok(!f.line[0] && rd(0x24) == 0x803a, "done");
    set_entry(10, 0x1803a);
    pin(10, true);
    ok(!f.line[0], "masked");
    set_entry(10, 0x803a);
    IS(lapic_ack(lapic), 0x3a, "unmasking serves a level");
    pin(10, false);
    phys_st(f.phys, IOAPIC_BASE + 0x40, 0x3a, 4);
    IS(rd(0x24), 0x803a, "EOI register");
    eoi();
    pin(10, true);
    lapic_ack(lapic);
    set_entry(10, 0x1003a);
    set_entry(10, 0x1803a);
    IS(rd(0x24), 0x1803a, "Remote IRR is cleared by way of edge");
    pin(10, false);
    eoi();
    set_entry(11, 0xa03b);
    IS(lapic_ack(lapic), 0x3b, "active low: idle line asks");
    pin(11, true);
    eoi();
    ok(!f.line[0], "until it rises");
    take_down();
}

static void test_isa(void)
{
    set_up();
    set_entry(2, 0x30);
    set_entry(8, 0x38);
    isa(0, true);
    IS(lapic_ack(lapic), 0x30, "IRQ 0 is on pin 2");
    eoi();
    ok(in8(&f, 0x20) & 1, "and on the 8259's IR0");
    isa(0, false);
    set_entry(0, 0x700);
    out8(&f, 0x20, 0x11);
    out8(&f, 0x21, 0x20);
    out8(&f, 0x21, 4);
    out8(&f, 0x21, 1);
    phys_st(f.phys, APIC_BASE_DEFAULT + 0x350, 0x10000, 4);
    isa(3, true);
    ok(!f.line[0], "LINT0 masked");
    pin(0, true);
    ok(f.line[0] && lapic_ack(lapic) == 0x23, "ExtINT by way of pin 0");

    IrqLine mode = isa_irq_legacy_replacement(&irqs), hpet0 = isa_irq_hpet(&irqs, 0), hpet1 = isa_irq_hpet(&irqs, 1);
    irq_set(&hpet0, true);
    irq_set(&hpet0, false);
    ok(!f.line[0], "HPET's lines without legacy replacement");
    irq_set(&mode, true);
    isa(0, true);
    isa(8, true);
    ok(!f.line[0], "with it: not the PIT's and the RTC's");
    irq_set(&hpet1, true);
    IS(lapic_ack(lapic), 0x38, "HPET timer 1 is IRQ 8");
    take_down();
}

static uint64_t seed = 0x9e3779b97f4a7c15u;
static uint32_t rnd(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

/* Windows, pins, acknowledges and time at random: the sanitizers judge. */
static void test_fuzz(void)
{
    enum { STEPS = 400000 };
    set_up();
    HpetLines lines = { .legacy = { isa_irq_hpet(&irqs, 0), isa_irq_hpet(&irqs, 1) },
                        .replacement = isa_irq_legacy_replacement(&irqs) };
    for (int i = 0; i < HPET_PINS; i++) lines.pin[i] = ioapic_pin(ioapic, HPET_FIRST_PIN + i);
    Hpet *hpet = hpet_new(f.m, lines);
    int taken = 0;
    for (int i = 0; i < STEPS; i++) {
        if (i % 64 == 0) { /* or it would soon be deaf for good */
            f.cpu->apic_ops->set_base(f.cpu->apic, APIC_BASE_DEFAULT | APIC_BASE_ENABLE);
            phys_st(f.phys, APIC_BASE_DEFAULT + 0xf0, 0x1ff, 4);
            phys_st(f.phys, APIC_BASE_DEFAULT + 0x80, 0, 4);
            eoi();
            set_entry((int)(rnd() % 24), (rnd() & 0x80ff) | 0x20);
        }
        static const uint32_t base[] = { APIC_BASE_DEFAULT, IOAPIC_BASE, HPET_BASE, HPET_BASE };
        static const uint32_t size[] = { 0x400, 0x50, 0x170, 0x30 };
        uint32_t w = rnd() % 4, offset = rnd() % size[w], len = 1u << rnd() % 4, kind = rnd() % 32;
        if (rnd() % 8) offset &= ~(w == 0 ? 15u : 3u);
        uint64_t v = rnd() % 3 ? rnd() % 0x20000 : (uint64_t)rnd() << 32 | rnd() << 1;
        if (kind < 16)
            phys_st(f.phys, base[w] + offset, v, len);
        else if (kind < 20)
            phys_ld(f.phys, base[w] + offset, len);
        else if (kind < 23)
            pin((int)(rnd() % 24), rnd() & 1);
        else if (kind < 25)
            isa((int)(rnd() % 16), rnd() & 1);
        else if (kind < 28)
            taken += lapic_ack(lapic) >= 0;
        else if (kind < 29)
            f.cpu->apic_ops->set_tsc_deadline(f.cpu->apic, (uint64_t)rnd() << rnd() % 33);
        else if (rnd() % 200 == 0)
            f.cpu->apic_ops->set_base(f.cpu->apic, APIC_BASE_DEFAULT | (rnd() & APIC_BASE_ENABLE));
        else if (rnd() % 200 == 0)
            machine_reset_now(f.m);
        fake_jump(&f, rnd() % 16 ? rnd() % 3000 : (uint64_t)rnd() << rnd() % 8);
    }
    ok(taken > 1000, "random traffic: %d interrupts taken", taken);
    hpet_free(hpet);
    take_down();
}

static uint64_t counted(unsigned n)
{
    void *dev;
    const DeviceClass *cls;
    uint64_t v = UINT64_MAX;
    for (size_t i = 0; (cls = machine_device(f.m, i, &dev)); i++)
        for (const Field *fd = cls->fields; fd->name && strcmp(cls->name, "ioapic") == 0; fd++)
            if (strcmp(fd->name, "irq_count") == 0) memcpy(&v, (uint8_t *)dev + fd->offset + n * sizeof v, sizeof v);
    return v;
}

static void test_counts(void)
{
    set_up();
    set_entry(7, 0x10040);
    pin(7, true);
    pin(7, false);
    IS(counted(7), 0, "a masked edge is not counted");
    set_entry(7, 0x40);
    for (int i = 0; i < 3; i++) {
        pin(7, true);
        pin(7, false);
    }
    ok(counted(7) == 3 && counted(8) == 0, "messages are counted, by pin");
    take_down();
}

int main(void)
{
    test_registers();
    test_counts();
    test_edge();
    test_level();
    test_isa();
    test_fuzz();
    return tap_done();
}
