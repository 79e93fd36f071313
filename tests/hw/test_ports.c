/* The small devices: ports 80h, 92h, cf9h, f0h, debug exit and console. */
#include "hw/debug_exit.h"
#include "hw/debugcon.h"
#include "hw/fpu_irq13.h"
#include "hw/port80.h"
#include "hw/port92.h"
#include "hw/port_cf9.h"
#include "fake.h"
#include "fake_chardev.h"

static Fake f;

static void test_reset_ports(void)
{
    fake_init(&f);
    Port92 *p92 = port92_new(f.m, fake_line(&f, 20));
    PortCf9 *cf9 = port_cf9_new(f.m);
    Port80 *p80 = port80_new(f.m);
    out8(&f, 0x92, 2);
    ok(f.line[20] && in8(&f, 0x92) == 2, "port 92h: A20");
    out8(&f, 0x92, 3);
    machine_poll(f.m);
    ok(f.resets == 1 && in8(&f, 0x92) == 0 && !f.line[20], "port 92h: reset");
    out8(&f, 0xcf9, 2);
    machine_poll(f.m);
    IS(f.resets, 1, "port cf9h: bit 1 alone does nothing");
    out8(&f, 0xcf9, 6);
    machine_poll(f.m);
    IS(f.resets, 2, "port cf9h: reset");
    out8(&f, 0x80, 0x42);
    ok(in8(&f, 0x80) == 0x42 && port80_code(p80) == 0x42, "POST code");
    port92_free(p92);
    port_cf9_free(cf9);
    port80_free(p80);
    fake_free(&f);
}

static void test_debug_ports(void)
{
    FakeChardev line = { .cd = { &fcd_ops } };
    fake_init(&f);
    debugcon_add(f.m, 0xe9, &line.cd);
    debug_exit_add(f.m, 0x501, 2);
    IS(in8(&f, 0xe9), 0xe9, "debug console is found");
    out8(&f, 0xe9, 'k');
    ok(line.n_out == 1 && line.out[0] == 'k', "and prints");
    out8(&f, 0x501, 0x10);
    ok(!machine_poll(f.m) && machine_exit_status(f.m) == 0x21, "debug exit: (v << 1) | 1");
    fake_free(&f);
}

static void test_fpu(void)
{
    fake_init(&f);
    FpuIrq13 *fpu = fpu_irq13_new(f.m, fake_line(&f, 13));
    fpu_irq13_ferr(fpu, true);
    ok(f.line[13], "FERR# raises IRQ 13");
    fpu_irq13_ferr(fpu, false);
    ok(f.line[13], "which is latched");
    out8(&f, 0xf0, 0);
    ok(!f.line[13], "until port f0h is written");
    fpu_irq13_free(fpu);
    fake_free(&f);
}

int main(void)
{
    test_reset_ports();
    test_debug_ports();
    test_fpu();
    return tap_done();
}
