/* Programs in which the devices do what they are for, by their data sheets, so that mutation starts from depth. */
#include "fuzz/devices.h"

#include <string.h>

#include "util/bytes.h"

static struct {
    uint8_t bytes[8192];
    size_t n;
} p;

static void put(uint32_t v, unsigned bytes)
{
    FUZZ_CHECK(p.n + bytes <= sizeof p.bytes);
    for (unsigned i = 0; i < bytes; i++) p.bytes[p.n++] = (uint8_t)(v >> 8 * i);
}

static void out(uint16_t port, uint32_t v, unsigned size)
{
    put(size == 4 ? STEP_OUT32 : size == 2 ? STEP_OUT16 : STEP_OUT8, 1);
    put(port, 2);
    put(v, size);
}
static void out8(uint16_t port, uint8_t v)
{
    out(port, v, 1);
}
static void in8(uint16_t port)
{
    put(STEP_IN, 1);
    put(port, 2);
}
/* An index and a data register side by side. */
static void indexed(uint16_t port, uint8_t index, uint8_t v)
{
    out8(port, index);
    out8(port + 1, v);
}
static void bulk_in(uint16_t port, unsigned words)
{
    put(STEP_BULK | 0x20, 1);
    put(port, 2);
    put(words - 1, 1);
}
static void bulk_out(uint16_t port, unsigned words)
{
    put(STEP_BULK | 0x30, 1);
    put(port, 2);
    put(words - 1, 1);
}
static void mem32(uint32_t at, uint32_t v)
{
    put(STEP_MEM_WRITE | 0x20, 1);
    put(at, 4);
    put(v, 4);
}
static void mem8(uint32_t at, uint8_t v)
{
    put(STEP_MEM_WRITE, 1);
    put(at, 4);
    put(v, 4);
}
static void read32(uint32_t at)
{
    put(STEP_MEM_READ | 0x20, 1);
    put(at, 4);
}
static void fill(uint32_t at, const void *bytes, unsigned n)
{
    put(STEP_FILL, 1);
    put(at, 4);
    put(n, 1);
    for (unsigned i = 0; i < n; i++) put(((const uint8_t *)bytes)[i], 1);
}
static void wait_us(unsigned power)
{
    put(STEP_TIME, 1);
    put(power, 1);
}
static void settle(void)
{
    put(STEP_SETTLE, 1);
    wait_us(0);
}
static void cpu(unsigned action, uint32_t v)
{
    put(STEP_CPU, 1);
    put(action, 1);
    put(v, 4);
}
static void user(unsigned action, uint16_t v)
{
    put(STEP_OUTSIDE, 1);
    put(action, 1);
    put(v, 2);
}
static void done(FuzzGive *give)
{
    give(p.bytes, p.n);
    p.n = 0;
}

/* --- storage ------------------------------------------------------------------------------------------------- */

static void ide_address(uint16_t base, uint8_t device, uint32_t lba, uint8_t count)
{
    out8(base + 6, (uint8_t)(0xe0 | device << 4 | (lba >> 24 & 15)));
    out8(base + 2, count);
    for (unsigned i = 0; i < 3; i++) out8((uint16_t)(base + 3 + i), (uint8_t)(lba >> 8 * i));
}

static void ide_pio(FuzzGive *give)
{
    out8(0x3f6, 0);
    out8(0x1f7, 0xec);
    settle();
    bulk_in(0x1f0, 256);
    out8(0x1f2, 4), out8(0x1f6, 0xe0), out8(0x1f7, 0xc6); /* SET MULTIPLE */
    static const uint8_t commands[] = { 0x20, 0xc4, 0x30, 0xc5, 0x24, 0x34, 0x40, 0xe7,
                                        0xea, 0xf8, 0x27, 0xef, 0x91, 0x90, 0xe0 };
    for (unsigned i = 0; i < sizeof commands; i++) {
        ide_address(0x1f0, i & 1, 5 * i, 3);
        out8(0x1f7, commands[i]);
        settle();
        in8(0x1f7);
        if (i < 6) (i & 2 ? bulk_out : bulk_in)(0x1f0, 256), settle();
        if (i < 6) (i & 2 ? bulk_out : bulk_in)(0x1f0, 256), settle();
        cpu(CPU_ACKNOWLEDGE, 0);
    }
    out8(0x3f6, 4), out8(0x3f6, 0);
    settle();
    done(give);
}

/* Commands about the drive itself: features, sector count, command. */
static void ide_settings(FuzzGive *give)
{
    static const uint8_t commands[][3] = {
        { 0x03, 0x08, 0xef }, { 0x03, 0x22, 0xef }, { 0x03, 0x42, 0xef }, { 0x02, 0, 0xef }, { 0x82, 0, 0xef },
        { 0x55, 0, 0xef },    { 0xaa, 0, 0xef },    { 0x66, 0, 0xef },    { 0, 0, 0xe4 },    { 0, 0, 0xe8 },
        { 0, 16, 0x91 },      { 0, 0, 0x70 },       { 0, 5, 0xe3 },       { 0, 0, 0xe5 },    { 0, 0, 0xe1 },
        { 0, 0, 0x08 },       { 0, 0, 0xa1 },       { 0, 0, 0x10 },       { 0, 0, 0xf5 },    { 0, 0, 0xe6 },
    };
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
        out8(0x1f6, 0xa0);
        out8(0x1f1, commands[i][0]), out8(0x1f2, commands[i][1]), out8(0x1f7, commands[i][2]);
        settle();
        if (commands[i][2] == 0xe4) bulk_in(0x1f0, 256);
        if (commands[i][2] == 0xe8) bulk_out(0x1f0, 256);
        in8(0x1f7), in8(0x1f1), in8(0x1f2);
    }
    done(give);
}

static void ide_dma(FuzzGive *give)
{
    static const uint8_t commands[] = { 0xc8, 0xca, 0x25, 0x35 };
    for (unsigned i = 0; i < sizeof commands; i++) {
        uint8_t table[16] = { 0 };
        put_le32(table, 0x20000), put_le32(table + 4, 0x200);
        put_le32(table + 8, i & 1 ? 0xa0000 : 0x30000), put_le32(table + 12, 0x80000600);
        fill(0x1000, table, sizeof table);
        out(BM_AT + 4, 0x1000, 4);
        out8(BM_AT + 2, 6);
        out8(BM_AT, i & 1 ? 0 : 8);
        ide_address(0x1f0, 0, 16 * i, 4);
        out8(0x1f7, commands[i]);
        out8(BM_AT, i & 1 ? 1 : 9);
        settle();
        in8(BM_AT + 2), in8(0x1f7);
        out8(BM_AT, 0);
    }
    done(give);
}

static void atapi(FuzzGive *give)
{
    static const uint8_t packets[][12] = {
        { 0x12, 0, 0, 0, 36 },
        { 0x00 },
        { 0x03, 0, 0, 0, 18 },
        { 0x25 },
        { 0x28, 0, 0, 0, 0, 16, 0, 0, 2 },
        { 0xa8, 0, 0, 0, 0, 16, 0, 0, 0, 1 },
        { 0xbe, 0, 0, 0, 0, 20, 0, 0, 1, 0xf8 },
        { 0x43, 2, 0, 0, 0, 0, 0, 0, 255 },
        { 0x43, 0, 1, 0, 0, 0, 0, 0, 12 },
        { 0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 200 },
        { 0x46, 0, 0, 0, 0, 0, 0, 1, 0 },
        { 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8 },
        { 0x51, 0, 0, 0, 0, 0, 0, 0, 34 },
        { 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8 },
        { 0x42, 2, 0x40, 1, 0, 0, 0, 0, 16 },
        { 0x1e, 0, 0, 0, 1 },
        { 0x1b, 0, 0, 0, 2 },
        { 0x1e },
        { 0x1b, 0, 0, 0, 2 },
        { 0x1b, 0, 0, 0, 3 },
        { 0x00 },
        { 0xad, 0, 0, 0, 0, 0, 0, 0, 8, 4 },
        { 0xad, 0, 0, 0, 0, 0, 0, 0xff, 0, 64 },
        { 0x12, 1, 0x83, 0, 64 },
        { 0x12, 1, 0, 0, 64 },
        { 0x1a, 0, 0x2a, 0, 40 },
        { 0x5a, 0, 0xea, 0, 0, 0, 0, 0, 40 },
        { 0x43, 0, 2, 0, 0, 0, 0, 1, 0, 0x80 },
        { 0x2b, 0, 0, 0, 0, 10 },
        { 0xb9, 0, 0, 0, 2, 0, 0, 2, 2, 0x10 },
        { 0xbb, 0, 0xff, 0xff },
    };
    for (unsigned i = 0; i < sizeof packets / sizeof *packets; i++) {
        out8(0x176, 0xa0), out8(0x171, 0);
        out8(0x174, 0), out8(0x175, 8); /* at most 2 KiB at a time */
        out8(0x177, 0xa0);
        settle();
        for (unsigned k = 0; k < 12; k += 2) out(0x170, get_le16(packets[i] + k), 2);
        settle();
        in8(0x177), in8(0x172);
        bulk_in(0x170, 256), settle();
    }
    user(USER_MEDIUM, 1 | 3 << 2);
    out8(0x177, 0xa1);
    settle();
    done(give);
}

/* One floppy command with its transfer through channel 2 of the DMA controller. */
static void floppy_command(const uint8_t *command, unsigned n, uint8_t dma_mode)
{
    out8(0x0a, 6), out8(0x0c, 0), out8(0x0b, (uint8_t)(dma_mode | 2));
    out8(0x04, 0x00), out8(0x04, 0x20), out8(0x81, 0x01);
    out8(0x05, 0xff), out8(0x05, 0x03);
    out8(0x0a, 2);
    for (unsigned i = 0; i < n; i++) out8(0x3f5, command[i]);
    for (unsigned i = 0; i < 6; i++) settle(), wait_us(14);
    for (unsigned i = 0; i < 8; i++) in8(0x3f4), in8(0x3f5);
}

static void floppy(FuzzGive *give)
{
    static const struct {
        uint8_t n, mode, command[9];
    } commands[] = {
        { 3, 0x44, { 0x03, 0xaf, 0x02 } },                    /* SPECIFY */
        { 2, 0x44, { 0x07, 0 } },                             /* RECALIBRATE */
        { 1, 0x44, { 0x08 } },                                /* SENSE INTERRUPT */
        { 3, 0x44, { 0x0f, 0, 3 } },                          /* SEEK */
        { 1, 0x44, { 0x08 } },                                /* SENSE INTERRUPT */
        { 9, 0x44, { 0xe6, 0, 3, 0, 1, 2, 18, 0x1b, 0xff } }, /* READ DATA */
        { 9, 0x48, { 0xc5, 0, 3, 0, 1, 2, 18, 0x1b, 0xff } }, /* WRITE DATA */
        { 6, 0x48, { 0x4d, 0, 2, 18, 0x54, 0xf6 } },          /* FORMAT TRACK */
        { 9, 0x44, { 0x42, 0, 3, 0, 1, 2, 18, 0x1b, 0xff } }, /* READ TRACK */
        { 9, 0x48, { 0xd1, 0, 3, 0, 1, 2, 18, 0x1b, 1 } },    /* SCAN EQUAL */
        { 9, 0x40, { 0xf6, 0, 3, 0, 1, 2, 18, 0x1b, 1 } },    /* VERIFY */
        { 2, 0x44, { 0x4a, 0 } },                             /* READ ID */
        { 2, 0x44, { 0x04, 0 } },                             /* SENSE DRIVE STATUS */
        { 4, 0x44, { 0x13, 0, 0x57, 0 } },                    /* CONFIGURE */
        { 1, 0x44, { 0x0e } },                                /* DUMPREG */
        { 2, 0x44, { 0x12, 0 } },                             /* PERPENDICULAR MODE */
        { 1, 0x44, { 0x14 } },                                /* LOCK */
        { 1, 0x44, { 0x10 } },                                /* VERSION */
    };
    out8(0x3f2, 0x1c), out8(0x3f7, 0), wait_us(10);
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++)
        floppy_command(commands[i].command, commands[i].n, commands[i].mode);
    user(USER_MEDIUM, 0 | 4 << 2);
    in8(0x3f7);
    done(give);
    /* Without DMA, byte by byte. */
    out8(0x3f2, 0x14), wait_us(10);
    static const uint8_t specify[] = { 0x03, 0xaf, 0x03 }, read[] = { 0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff };
    for (unsigned i = 0; i < sizeof specify; i++) out8(0x3f5, specify[i]);
    for (unsigned i = 0; i < sizeof read; i++) out8(0x3f5, read[i]);
    for (unsigned i = 0; i < 40; i++) settle(), wait_us(8), in8(0x3f4), in8(0x3f5);
    done(give);
}

/* --- display ------------------------------------------------------------------------------------------------- */

static void vga_mode(const uint8_t *sequencer, const uint8_t *crtc, const uint8_t *graphics, const uint8_t *attribute,
                     uint8_t misc)
{
    out8(0x3c2, misc);
    for (uint8_t i = 0; i < 5; i++) indexed(0x3c4, i, sequencer[i]);
    indexed(0x3d4, 0x11, 0);
    for (uint8_t i = 0; i < 25; i++) indexed(0x3d4, i, crtc[i]);
    for (uint8_t i = 0; i < 9; i++) indexed(0x3ce, i, graphics[i]);
    in8(0x3da);
    for (uint8_t i = 0; i < 21; i++) out8(0x3c0, i), out8(0x3c0, attribute[i]);
    out8(0x3c0, 0x20);
    for (unsigned i = 0; i < 12; i++) out8(0x3c8, (uint8_t)i), out8(0x3c9, 63), out8(0x3c9, 0), out8(0x3c9, (uint8_t)i);
}

/* IBM VGA, modes 3, 12h and 13h. */
static void vga(FuzzGive *give)
{
    static const uint8_t seq[3][5] = { { 3, 0, 3, 0, 2 }, { 3, 1, 15, 0, 6 }, { 3, 1, 15, 0, 14 } };
    static const uint8_t crtc[3][25] = {
        { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0,    0x4f, 0x0d, 0x0e, 0,
          0,    0,    0x50, 0x9c, 0x0e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
        { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0,    0x40, 0,    0,   0,
          0,    0,    0,    0xea, 0x0c, 0xdf, 0x28, 0,    0xe7, 0x04, 0xe3, 0xff },
        { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0,    0x41, 0,    0,   0,
          0,    0,    0,    0x9c, 0x0e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff },
    };
    static const uint8_t graphics[3][9] = { { 0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff },
                                            { 0, 0, 0, 0, 0, 0, 5, 15, 0xff },
                                            { 0, 0, 0, 0, 0, 0x40, 5, 15, 0xff } };
    static const uint8_t attribute[3][21] = {
        { 0, 1, 2, 3, 4, 5, 20, 7, 56, 57, 58, 59, 60, 61, 62, 63, 0x0c, 0, 15, 8, 0 },
        { 0, 1, 2, 3, 4, 5, 20, 7, 56, 57, 58, 59, 60, 61, 62, 63, 0x01, 0, 15, 0, 0 },
        { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x41, 0, 15, 0, 0 },
    };
    static const uint8_t misc[3] = { 0x67, 0xe3, 0x63 };
    for (unsigned m = 0; m < 3; m++) {
        vga_mode(seq[m], crtc[m], graphics[m], attribute[m], misc[m]);
        for (uint32_t i = 0; i < 20; i++)
            mem8((m ? 0xa0000 : 0xb8000) + i * 77, (uint8_t)(i * 13)), read32(0xa0000 + i * 500);
        user(USER_LOOK, 0);
        for (uint8_t mode = 0; m == 1 && mode < 4; mode++) {
            indexed(0x3ce, 5, mode | 8), indexed(0x3ce, 1, 5), indexed(0x3ce, 3, (uint8_t)(mode << 3 | 1));
            read32(0xa0000), mem8(0xa0001, 0xa5), mem32(0xa0010, 0x12345678);
        }
        indexed(0x3d4, 0x0c, 0x7f), indexed(0x3d4, 0x0d, 0xf0), indexed(0x3d4, 0x18, 20),
            indexed(0x3d4, 8, 0x63); /* start, split, preset row */
        wait_us(14);
        user(USER_LOOK, 0);
        done(give);
    }
}

static void vbe_register(uint16_t index, uint16_t v)
{
    out(0x1ce, index, 2);
    out(0x1cf, v, 2);
}

static void vbe(FuzzGive *give)
{
    static const uint16_t depth[] = { 4, 8, 15, 16, 24, 32 };
    for (unsigned i = 0; i < sizeof depth / sizeof *depth; i++) {
        in8(0x3da), out8(0x3c0, 0x20); /* screen on */
        vbe_register(0, 0xb0c5), vbe_register(4, 0);
        vbe_register(1, 640), vbe_register(2, 480), vbe_register(3, depth[i]), vbe_register(4, i & 1 ? 0x41 : 1);
        vbe_register(6, 1024), vbe_register(5, (uint16_t)i), vbe_register(8, 10), vbe_register(9, 7);
        for (uint32_t k = 0; k < 10; k++) mem32(FB_AT + k * 4099, k * 0x10305), mem8(0xa0000 + k * 999, (uint8_t)k);
        user(USER_LOOK, 0);
        wait_us(15);
        in8(0x1d0);
        read32(VGA_REGS_AT), read32(VGA_REGS_AT + 0x504);
        mem32(VGA_REGS_AT + 0x604, 0xbebebebe), user(USER_LOOK, 0);
        done(give);
    }
}

/* --- interrupts and time --------------------------------------------------------------------------------------- */

static void apics(FuzzGive *give)
{
    mem32(0xfee000f0, 0x1ff);
    mem32(0xfee003e0, 0xb), mem32(0xfee00320, 0x20040), mem32(0xfee00380, 1000); /* periodic timer */
    wait_us(5), cpu(CPU_ACKNOWLEDGE, 0), mem32(0xfee000b0, 0);
    mem32(0xfee00320, 0x41), mem32(0xfee00380, 90000), wait_us(4), read32(0xfee00390), wait_us(20), read32(0xfee00390);
    mem32(0xfee00320, 0x40050), cpu(CPU_DEADLINE, 100000), wait_us(8), cpu(CPU_ACKNOWLEDGE, 0);
    mem32(0xfee00310, 0), mem32(0xfee00300, 0x00044061), cpu(CPU_ACKNOWLEDGE, 0); /* to itself */
    for (uint32_t r = 0; r < 0x400; r += 0x40) read32(0xfee00000 + r);
    for (uint32_t pin = 0; pin < 24; pin++) {
        mem32(0xfec00000, 0x10 + pin * 2), mem32(0xfec00010, 0x60 + pin + (pin & 1 ? 0x8000 : 0));
        mem32(0xfec00000, 0x11 + pin * 2), mem32(0xfec00010, 0);
    }
    out8(0x43, 0x34), out8(0x40, 9), out8(0x40, 0), wait_us(7);
    cpu(CPU_ACKNOWLEDGE, 0), mem32(0xfec00040, 0x62), mem32(0xfee000b0, 0);
    cpu(CPU_APIC_BASE, 0xfee00100), cpu(CPU_INIT, 0), cpu(CPU_APIC_BASE, 0xfef00900);
    done(give);
}

static void hpet(FuzzGive *give)
{
    read32(0xfed00000), read32(0xfed00004);
    for (uint32_t t = 0; t < 3; t++) {
        uint32_t at = 0xfed00100 + t * 0x20;
        mem32(at, t == 0 ? 0x4c : t == 1 ? 0x2a04 : 0x2c06);
        mem32(at + 8, 5000), mem32(at + 8, 700), mem32(at + 12, 0);
    }
    mem32(0xfed00010, 3), wait_us(9), read32(0xfed000f0), read32(0xfed000f4), mem32(0xfed00020, 7);
    cpu(CPU_ACKNOWLEDGE, 0), mem32(0xfed00010, 0), mem32(0xfed000f0, 0xfffffff0), mem32(0xfed000f4, ~0u),
        mem32(0xfed00010, 1);
    wait_us(12);
    done(give);
}

static void pic_pit_rtc(FuzzGive *give)
{
    for (unsigned i = 0; i < 2; i++) {
        uint16_t base = i ? 0xa0 : 0x20;
        out8(base, 0x11), out8(base + 1, (uint8_t)(0x20 + 8 * i)), out8(base + 1, i ? 2 : 4),
            out8(base + 1, i ? 1 : 0x13);
        out8(base + 1, 0), out8(base, 0x68), out8(base, 0x0b), in8(base), out8(base, 0xc3), out8(base, 0x0c), in8(base);
    }
    out8(0x4d0, 0xf8), out8(0x4d1, 0xde);
    for (unsigned mode = 0; mode < 6; mode++) {
        uint8_t channel = (uint8_t)(mode % 3);
        out8(0x43, (uint8_t)(channel << 6 | 0x30 | mode << 1 | (mode & 1))), out8(0x40 + channel, 0x34),
            out8(0x40 + channel, 0x12);
        wait_us(6), out8(0x43, (uint8_t)(0xc0 | 2 << channel)), in8(0x40 + channel), in8(0x40 + channel),
            in8(0x40 + channel);
    }
    out8(0x61, 3), wait_us(10), in8(0x61), out8(0x61, 0);
    indexed(0x70, 0x0a, 0x26), indexed(0x70, 0x0b, 0x72), indexed(0x70, 0x05, 0xc0), indexed(0x70, 0x01, 0xff),
        wait_us(22);
    out8(0x70, 0x0c), in8(0x71), cpu(CPU_ACKNOWLEDGE, 0), indexed(0x70, 0x0b, 0x86), indexed(0x70, 0x04, 0x93),
        wait_us(20);
    for (unsigned i = 0; i < 10; i++) out8(0x70, (uint8_t)i), in8(0x71), cpu(CPU_ACKNOWLEDGE, 0);
    done(give);
}

/* --- the rest -------------------------------------------------------------------------------------------------- */

static void keyboard_and_mouse(FuzzGive *give)
{
    static const uint8_t controller[] = { 0x20, 0xaa, 0xab, 0xa9, 0xae, 0xa8, 0xc0, 0xd0 },
                         keyboard[] = { 0xff, 0xf2, 0xf0, 2, 0xed, 7, 0xf3, 0, 0xf4 },
                         mouse[] = {
                             0xff, 0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf2, 0xe8, 3, 0xe7, 0xf0, 0xeb, 0xe9, 0xf4
                         };
    for (unsigned i = 0; i < sizeof controller; i++) out8(0x64, controller[i]), wait_us(8), in8(0x60);
    out8(0x64, 0x60), out8(0x60, 0x47), out8(0x64, 0xd1), out8(0x60, 0xdf), out8(0x64, 0xd2), out8(0x60, 0x1c),
        in8(0x60);
    for (unsigned i = 0; i < sizeof keyboard; i++) out8(0x60, keyboard[i]), wait_us(10), in8(0x60), in8(0x60);
    for (unsigned i = 0; i < sizeof mouse; i++)
        out8(0x64, 0xd4), out8(0x60, mouse[i]), wait_us(10), in8(0x60), in8(0x60);
    for (uint16_t i = 0; i < 12; i++) {
        user(USER_KEY, (uint16_t)(i * 7 | (i & 1) << 15)), user(USER_MOVE, (uint16_t)(i * 0x0305)),
            user(USER_BUTTONS, i);
        wait_us(14), in8(0x64), in8(0x60), in8(0x60), cpu(CPU_ACKNOWLEDGE, 0);
    }
    done(give);
    for (uint32_t i = 0; i < 4; i++)
        cpu(CPU_REGISTERS, 0x10000 | i << 17 | 0x29), put(STEP_IN | 0x20, 1), put(0x5658, 2);
    for (uint16_t i = 0; i < 6; i++) {
        user(USER_POINT, (uint16_t)(i * 9999)), user(USER_BUTTONS, i);
        for (uint32_t c = 0x27; c < 0x2a; c++) cpu(CPU_REGISTERS, c | 4), put(STEP_IN | 0x20, 1), put(0x5658, 2);
    }
    cpu(CPU_REGISTERS, 0x0a), put(STEP_IN | 0x20, 1), put(0x5658, 2);
    done(give);
}

static void fw_cfg(FuzzGive *give)
{
    static const uint32_t control[] = { 0x0019000a, 0x0020000a, 0x00000002, 0x00000004, 0x00200010, 0x8003000a };
    for (unsigned i = 0; i < sizeof control / sizeof *control; i++) {
        uint8_t d[16] = { 0 };
        put_be32(d, control[i]), put_be32(d + 4, 100 + i), put_be32(d + 12, i & 1 ? 0xa0000 : 0x5000);
        fill(0x4000, d, sizeof d);
        out(0x514, 0, 4), out(0x518, 0x00400000, 4);
        read32(0x4000);
    }
    out(0x510, 0x19, 2), bulk_in(0x511, 80), in8(0x514);
    done(give);
}

static void power_and_bus(FuzzGive *give)
{
    for (uint8_t command = 0; command < 6; command++) { /* SMBus: quick, byte, byte data, word data, block */
        static const uint8_t protocol[] = { 0x40, 0x44, 0x48, 0x4c, 0x54, 0x54 };
        out8(SMBUS_AT, 0x1e), bulk_in(SMBUS_AT + 7, 3), out8(SMBUS_AT + 4, (uint8_t)(0xa1 ^ (command & 1))),
            out8(SMBUS_AT + 3, command), out8(SMBUS_AT + 5, 8);
        out8(SMBUS_AT + 2, protocol[command]), wait_us(10), in8(SMBUS_AT), in8(SMBUS_AT + 5), in8(SMBUS_AT + 7);
    }
    out(PM_AT + 2, 0x521, 2), out(PM_AT + 4, 1, 2), user(USER_POWER_BUTTON, 0), put(STEP_IN | 0x20, 1),
        put(PM_AT + 8, 2);
    wait_us(24), out(PM_AT, 0xffff, 2), out8(0xb2, 0xf1), out8(0xb3, 1), out(PM_AT + 0x28, 1, 2), out8(0xb2, 0xf0);
    out(0xafe0, 0xffff, 2), cpu(CPU_SMM, 1), mem32(0xa0000, 1), cpu(CPU_SMM, 0);
    for (uint32_t r = 0x58; r < 0x60; r += 4)
        out(0xcf8, 0x80000000 | r, 4), out(0xcfc, 0x33221133 ^ r, 4), mem32(0xc8000 + r, r);
    out(0xcf8, 0x80000070, 4), out8(0xcfe, 0x4a), mem32(0xa0004, 2);
    out(0xcf8, 0x80000860, 4), out(0xcfc, 0x0b0b0a0a, 4); /* PIRQ routes */
    out8(0x92, 2), out8(0x92, 0), out8(0x80, 0x55), out8(0xf0, 0), cpu(CPU_FERR, 1), cpu(CPU_FERR, 0);
    out(PM_AT + 4, 0x2001, 2); /* off */
    done(give);
    out8(0xcf9, 2), out8(0xcf9, 6), out8(0x64, 0xfe), out8(0x92, 1), wait_us(1);
    done(give);
}

static void serial(FuzzGive *give)
{
    for (unsigned i = 0; i < 2; i++) {
        uint16_t base = i ? 0x2f8 : 0x3f8;
        out8(base + 3, 0x80), out8(base, 1), out8(base + 1, 0), out8(base + 3, 3), out8(base + 2, 0xc7),
            out8(base + 4, i ? 0x1b : 0x0b), out8(base + 1, 15);
        for (uint8_t c = 'a'; c < 'u'; c++) out8(base, c);
        user(USER_SERIAL, 30), wait_us(12);
        for (unsigned k = 0; k < 20; k++)
            in8(base + 2), in8(base + 5), in8(base), in8(base + 6), cpu(CPU_ACKNOWLEDGE, 0);
    }
    out8(0xe9, 'x');
    done(give);
}

/* The DMA controllers by themselves: all modes, the second one too, and memory to memory. */
static void dma(FuzzGive *give)
{
    out8(0x08, 1);
    for (uint8_t c = 0; c < 4; c++) {
        out8(0x0c, 0), out8(0x0b, (uint8_t)(0x50 | c | (c & 1 ? 4 : 8) | (c & 2 ? 0x20 : 0))),
            out8((uint16_t)(c * 2), 0xf0), out8((uint16_t)(c * 2), 0xff);
        out8((uint16_t)(c * 2 + 1), 0x20), out8((uint16_t)(c * 2 + 1), 0), out8(0x87, 0xff), out8(0x0a, c),
            out8(0x09, 4 | c);
        out8(0xd8, 0), out8(0xd6, (uint8_t)(0x44 | c)), out8((uint16_t)(0xc0 + c * 4), 1),
            out8((uint16_t)(0xc2 + c * 4), 2), out8(0x8b, 3), out8(0xd2, 4 | c);
    }
    wait_us(5), in8(0x08), in8(0x0d), out8(0x0f, 0), out8(0x0e, 0), out8(0x0d, 0), in8(0xd0);
    done(give);
}

void device_seeds(FuzzGive *give)
{
    static void (*const seeds[])(
        FuzzGive *) = { ide_pio,     ide_settings,       ide_dma, atapi,         floppy, vga, vbe, apics, hpet,
                        pic_pit_rtc, keyboard_and_mouse, fw_cfg,  power_and_bus, serial, dma };
    for (unsigned i = 0; i < sizeof seeds / sizeof *seeds; i++) seeds[i](give);
}
