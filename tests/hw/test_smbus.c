/* The SMBus controller at its registers (82371AB data sheet, 7.3). */
#include "hw/smbus.h"
#include "fake.h"

enum { BASE = 0x700, HSTSTS = 0, SLVSTS, HSTCNT, HSTCMD, HSTADD, HSTDAT0, HSTDAT1, BLKDAT };

static Fake f;
static Smbus *s;

static uint8_t in(unsigned reg)
{
    return in8(&f, (uint16_t)(BASE + reg));
}
static void out(unsigned reg, uint8_t v)
{
    out8(&f, (uint16_t)(BASE + reg), v);
}

static void test_place(void)
{
    IS(in(HSTSTS), 0xff, "nowhere before it has a base");
    smbus_set_base(s, BASE, true);
    IS(in(HSTSTS), 0, "there");
    smbus_set_base(s, 0x7f0 | 5, true);
    ok(in(HSTSTS) == 0xff && in8(&f, 0x7f0) == 0, "moved; the base is a multiple of 16");
    smbus_set_base(s, 0x7f0, false);
    IS(in8(&f, 0x7f0), 0xff, "not decoded");
    smbus_set_base(s, 0, true);
    IS(in8(&f, 0), 0xff, "never at 0");
    smbus_set_base(s, BASE, true);
}

static void test_registers(void)
{
    static const uint8_t plain[] = { HSTCMD, HSTADD, HSTDAT0, HSTDAT1, 8, 9, 10, 11, 12, 13 };
    bool good = true;
    for (size_t i = 0; i < sizeof plain; i++) {
        out(plain[i], 0x5a);
        good &= in(plain[i]) == 0x5a;
        out(plain[i], 0xa5);
        good &= in(plain[i]) == 0xa5;
    }
    ok(good, "command, address and data keep what is written");
    in(HSTCNT);
    for (unsigned i = 0; i < 32; i++) out(BLKDAT, (uint8_t)(i + 1));
    in(HSTCNT);
    for (unsigned i = 0; i < 32; i++) good &= in(BLKDAT) == i + 1;
    ok(good && in(BLKDAT) == 1, "32 bytes of block data; a read of the control register goes back to the first");
}

static void test_transactions(void)
{
    out(HSTADD, 0xa1);
    out(HSTCNT, 0x08);
    IS(in(HSTSTS), 0, "a protocol without START does nothing");
    for (uint8_t protocol = 0; protocol < 8; protocol++) {
        out(HSTCNT, (uint8_t)(0x40 | protocol << 2));
        if (in(HSTSTS) != 4) break;
        if (protocol == 7) ok(true, "START: nobody acknowledges, whatever the protocol");
        out(HSTSTS, 0xff);
    }
    out(HSTCNT, 0x48);
    ok(in(HSTSTS) == 4 && !f.line[11], "without INTREN there is no interrupt");
    IS(in(HSTCNT)&0x40, 0, "START reads as 0");
    out(HSTSTS, 0x1a);
    IS(in(HSTSTS), 4, "a status bit goes only when one is written to it");
    out(HSTCNT, 0x09);
    ok(f.line[11], "INTREN: what stands in the status interrupts");
    out(HSTSTS, 4);
    ok(in(HSTSTS) == 0 && !f.line[11], "cleared");
    out(HSTCNT, 0x03);
    ok(in(HSTSTS) == 0x10 && f.line[11], "KILL: failed");
    machine_reset_now(f.m);
    ok(in(HSTSTS) == 0 && in(HSTADD) == 0 && !f.line[11], "reset");
}

int main(void)
{
    fake_init(&f);
    s = smbus_new(f.m, fake_line(&f, 11));
    test_place();
    test_registers();
    test_transactions();
    smbus_free(s);
    fake_free(&f);
    return tap_done();
}
