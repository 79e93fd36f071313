/* The floppy disk controller by data sheet, on real image files, and random traffic. */
#include "hw/i82077.h"
#include "fake.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { IRQ6 = 6, DMA_AT = 0x20000, RATE_500 = 0, RATE_300 = 1, RATE_250 = 2 };

static Fake f;
static I8237 *dma;
static I82077 *fdc;
static DriveSet *set;
static char name[3][64];
static uint8_t st[16]; /* a result */

/* --- the machine around it ------------------------------------------------------------------------------------ */

static void post(void *opaque, void (*fn)(void *arg), void *arg)
{
    machine_post(((Fake *)opaque)->m, fn, arg);
}

/* Every sector says which one it is. */
static void make_image(int i, unsigned sectors)
{
    snprintf(name[i], sizeof name[i], "/tmp/calque-floppy-%ld-%d.img", (long)getpid(), i);
    FILE *out = fopen(name[i], "wb");
    for (unsigned n = 0; n < sectors; n++) {
        uint8_t s[512];
        memset(s, (int)(n * 5 + n / 256), sizeof s);
        s[0] = (uint8_t)n, s[1] = (uint8_t)(n >> 8);
        fwrite(s, 1, sizeof s, out);
    }
    fclose(out);
}

static void sector_of_image(int i, unsigned n, uint8_t out[512])
{
    int fd = open(name[i], O_RDONLY);
    if (pread(fd, out, 512, (off_t)n * 512) != 512) memset(out, 0, 512);
    close(fd);
}

static bool is_sector(const uint8_t *s, unsigned n)
{
    return s[0] == (uint8_t)n && s[1] == (uint8_t)(n >> 8) && s[100] == (uint8_t)(n * 5 + n / 256) && s[511] == s[100];
}

static void cascade(void)
{
    out8(&f, 0xd6, 0xc0);
    out8(&f, 0xd4, 0);
}

static void build(unsigned a, unsigned b, bool read_only)
{
    char error[200] = "";
    DriveConfig cfg[2] = { { .bus = DRIVE_FLOPPY, .index = 0, .image = { .file = name[0], .removable = true } },
                           { .bus = DRIVE_FLOPPY, .index = 1, .image = { .removable = true } } };
    fake_init(&f);
    phys_add_ram(f.phys, "ram", 0, 1 << 20, 0);
    make_image(0, a);
    if (b) make_image(1, b), cfg[1].image.file = name[1];
    cfg[0].image.read_only = read_only;
    set = drives_open(cfg, 2, &(BlockPoster){ .post = post, .opaque = &f }, error, sizeof error);
    if (!set) diag("%s", error);
    dma = i8237_new(f.m);
    fdc = i82077_new(f.m, fake_line(&f, IRQ6), dma, set);
    cascade();
}

static void take_down(void)
{
    machine_poll(f.m);
    i82077_free(fdc);
    i8237_free(dma);
    drives_close(set);
    fake_free(&f);
    for (int i = 0; i < 3; i++)
        if (name[i][0]) unlink(name[i]);
}

static bool wait_irq(void)
{
    for (int i = 0; i < 20000; i++) {
        if (f.line[IRQ6]) return true;
        fake_jump(&f, 20000);
        if (i % 64 == 63) usleep(200);
    }
    return false;
}

static void send(const uint8_t *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if ((in8(&f, 0x3f4) & 0xc0) != 0x80) diag("the FIFO does not want byte %u of command %02x", i, bytes[0]);
        out8(&f, 0x3f5, bytes[i]);
    }
}
#define SEND(...)                                                                                                      \
    do {                                                                                                               \
        const uint8_t bytes_[] = { __VA_ARGS__ };                                                                      \
        send(bytes_, sizeof bytes_);                                                                                   \
    } while (0)

/* The number of bytes. */
static unsigned result(void)
{
    unsigned n = 0;
    while ((in8(&f, 0x3f4) & 0xd0) == 0xd0 && n < sizeof st) st[n++] = in8(&f, 0x3f5);
    return n;
}

static unsigned sense(void)
{
    SEND(0x08);
    return result();
}

static void dma_program(uint8_t mode, unsigned n)
{
    out8(&f, 0x0a, 6);
    out8(&f, 0x0c, 0);
    out8(&f, 0x0b, mode | 2);
    out8(&f, 0x04, (uint8_t)DMA_AT);
    out8(&f, 0x04, (uint8_t)(DMA_AT >> 8));
    out8(&f, 0x05, (uint8_t)(n - 1));
    out8(&f, 0x05, (uint8_t)((n - 1) >> 8));
    out8(&f, 0x81, DMA_AT >> 16);
    out8(&f, 0x0a, 2);
}
static void dma_read(unsigned n)
{
    dma_program(0x44, n);
}
static void dma_write(unsigned n)
{
    dma_program(0x48, n);
}

static uint8_t mem[64 * 512];
static const uint8_t *memory(unsigned n)
{
    phys_read(f.phys, DMA_AT, mem, n);
    return mem;
}

/* Out of reset, four drives sensed, SPECIFY, the heads of A at cylinder 0. */
static void start(uint8_t rate)
{
    out8(&f, 0x3f2, 0);
    out8(&f, 0x3f2, 0x1c);
    for (int i = 0; i < 4; i++) sense();
    out8(&f, 0x3f7, rate);
    SEND(0x03, 0xaf, 0x02);
    SEND(0x07, 0);
    wait_irq();
    sense();
}

static void seek(uint8_t unit, uint8_t cylinder)
{
    SEND(0x0f, unit, cylinder);
    wait_irq();
    sense();
}

/* st0..n of the result */
#define RESULT(a, b, c, d, e, g, h, ...)                                                                               \
    do {                                                                                                               \
        static const uint8_t want_[] = { a, b, c, d, e, g, h };                                                        \
        bool irq_ = wait_irq();                                                                                        \
        unsigned n_ = result();                                                                                        \
        if (!ok(irq_ && n_ == 7 && memcmp(st, want_, 7) == 0, __VA_ARGS__))                                            \
            diag("irq %d, %u bytes: %02x %02x %02x %02x %02x %02x %02x", irq_, n_, st[0], st[1], st[2], st[3], st[4],  \
                 st[5], st[6]);                                                                                        \
    } while (0)

/* --- tests ---------------------------------------------------------------------------------------------------------- */

static void test_reset(void)
{
    IS(in8(&f, 0x3f2), 0, "RESET leaves DOR at 0 ...");
    IS(in8(&f, 0x3f4), 0, "... which holds the controller in reset");
    out8(&f, 0x3f2, 0x0c);
    IS(in8(&f, 0x3f4), 0x80, "out of reset it wants a command");
    ok(f.line[IRQ6], "the polling interrupts");
    bool good = true;
    for (unsigned i = 0; i < 4; i++) {
        good &= sense() == 2 && st[0] == (0xc0 | i) && st[1] == 0;
        good &= !f.line[IRQ6];
    }
    ok(good, "for four drives");
    ok(sense() == 1 && st[0] == 0x80, "a fifth SENSE INTERRUPT STATUS is invalid");
    out8(&f, 0x3f4, 0x80);
    ok(f.line[IRQ6] && sense() == 2 && st[0] == 0xc0, "reset by DSR");
    out8(&f, 0x3f2, 0x04);
    out8(&f, 0x3f4, 0x80);
    ok(!f.line[IRQ6], "DMAGATE# holds the interrupt back");
    out8(&f, 0x3f2, 0x0c);
    ok(f.line[IRQ6], "and lets it through");
    for (int i = 0; i < 4; i++) sense();
}

static void test_settings(void)
{
    SEND(0x10);
    ok(result() == 1 && st[0] == 0x90, "VERSION");
    SEND(0x18);
    ok(result() == 1 && st[0] == 0x80, "PART ID is not an 82077AA's");
    SEND(0x03, 0xdf, 0x02);
    SEND(0x13, 0, 0x57, 40);
    SEND(0x12, 0x87);
    SEND(0x94);
    ok(result() == 1 && st[0] == 0x10, "LOCK");
    SEND(0x0e);
    static const uint8_t dump[] = { 0, 0, 0, 0, 0xdf, 0x02, 0, 0x87, 0x57, 40 };
    ok(result() == 10 && memcmp(st, dump, 10) == 0, "DUMPREG");
    out8(&f, 0x3f4, 0x80);
    for (int i = 0; i < 4; i++) sense();
    SEND(0x0e);
    static const uint8_t locked[] = { 0, 0, 0, 0, 0xdf, 0x02, 0, 0x84, 0x07, 40 };
    if (!ok(result() == 10 && memcmp(st, locked, 10) == 0, "what a reset leaves when locked"))
        for (int i = 0; i < 10; i++) diag("%02x", st[i]);
    SEND(0x14);
    result();
    out8(&f, 0x3f4, 0x80);
    for (int i = 0; i < 4; i++) sense();
    SEND(0x0e);
    ok(result() == 10 && st[7] == 0x04 && st[8] == 0x20 && st[9] == 0, "and unlocked");
    SEND(0x12, 0x02);
    SEND(0x0e);
    ok(result() == 10 && st[7] == 0x06, "PERPENDICULAR MODE without OW");
    SEND(0x12, 0x80);
    out8(&f, 0x3f3, 0xff);
    IS(in8(&f, 0x3f3), 3, "TDR has two bits");
}

static void test_seek(void)
{
    IS(in8(&f, 0x3f7), 0x80, "the disk change line is high at first");
    SEND(0x07, 0);
    IS(in8(&f, 0x3f4), 0x81, "drive 0 is busy");
    ok(wait_irq() && sense() == 2 && st[0] == 0x20 && st[1] == 0, "RECALIBRATE");
    IS(in8(&f, 0x3f7), 0x80, "without a step the line stays");
    SEND(0x0f, 4, 7);
    ok(wait_irq() && sense() == 2 && st[0] == 0x24 && st[1] == 7, "SEEK");
    IS(in8(&f, 0x3f7), 0, "the line is low");
    SEND(0x04, 0);
    ok(result() == 1 && st[0] == 0x28, "SENSE DRIVE STATUS");
    SEND(0xcf, 0, 3);
    ok(wait_irq() && sense() == 2 && st[0] == 0x20 && st[1] == 10, "RELATIVE SEEK inwards");
    SEND(0x8f, 0, 10);
    ok(wait_irq() && sense() == 2 && st[1] == 0, "and out");
    SEND(0x04, 0);
    ok(result() == 1 && st[0] == 0x38, "track 0");
    SEND(0x0f, 0, 82);
    SEND(0x07, 1);
    IS(in8(&f, 0x3f4) & 0x93, 0x83, "two drives at once");
    wait_irq();
    fake_run(&f, 20000000, 100000);
    ok(sense() == 2 && st[0] == 0x20 && st[1] == 82 && f.line[IRQ6], "one ended");
    ok(sense() == 2 && st[0] == 0x21 && st[1] == 0 && !f.line[IRQ6], "the other too");
    SEND(0x07, 0);
    ok(wait_irq() && sense() == 2 && st[0] == 0x70, "79 steps are not enough from cylinder 82");
    SEND(0x07, 0);
    ok(wait_irq() && sense() == 2 && st[0] == 0x20, "the second time they are");
    SEND(0x07, 3);
    ok(wait_irq() && sense() == 2 && st[0] == 0x73, "no drive, no track 0");
}

static void test_read(void)
{
    dma_read(512);
    SEND(0x46, 0, 0, 0, 1, 2, 18, 27, 0xff);
    IS(in8(&f, 0x3f4), 0x10, "busy");
    RESULT(0, 0, 0, 0, 0, 2, 2, "READ DATA, one sector");
    ok(is_sector(memory(512), 0), "its bytes");
    IS(in8(&f, 0x3f4), 0x80, "ready");
    dma_read(18 * 2 * 512);
    SEND(0xe6, 0, 0, 0, 1, 2, 18, 27, 0xff);
    RESULT(0x04, 0, 0, 1, 0, 1, 2, "multi-track, terminal count at the end of the cylinder");
    bool good = true;
    memory(36 * 512);
    for (unsigned i = 0; i < 36; i++) good &= is_sector(mem + i * 512, i);
    ok(good, "36 sectors of both heads");
    dma_read(0x6000);
    SEND(0x66, 4, 0, 1, 10, 2, 18, 27, 0xff);
    RESULT(0x44, 0x80, 0, 1, 1, 1, 2, "without terminal count: end of cylinder");
    dma_read(700);
    SEND(0x46, 0, 0, 0, 3, 2, 18, 27, 0xff);
    RESULT(0, 0, 0, 0, 0, 5, 2, "terminal count in the middle of a sector");
    ok(is_sector(memory(700), 2) && mem[512] == 3, "that many bytes");
    SEND(0x46, 0, 1, 0, 3, 2, 18, 27, 0xff);
    RESULT(0x40, 4, 0x10, 1, 0, 3, 2, "wrong cylinder");
    SEND(0x46, 0, 0, 0, 19, 2, 18, 27, 0xff);
    RESULT(0x40, 4, 0, 0, 0, 19, 2, "no such sector");
    SEND(0x46, 0, 0, 1, 1, 2, 18, 27, 0xff);
    RESULT(0x40, 4, 0, 0, 1, 1, 2, "wrong head in the ID");
    SEND(0x46, 0, 0, 0, 1, 3, 18, 27, 0xff);
    RESULT(0x40, 4, 0, 0, 0, 1, 3, "wrong size");
    SEND(0x06, 0, 0, 0, 1, 2, 18, 27, 0xff);
    RESULT(0x40, 1, 0, 0, 0, 1, 2, "single density");
    SEND(0x46, 2, 0, 0, 1, 2, 18, 27, 0xff);
    RESULT(0x42, 1, 0, 0, 0, 1, 2, "no drive");
    out8(&f, 0x3f7, RATE_250);
    SEND(0x4a, 0);
    RESULT(0x40, 1, 0, 0, 0, 0, 0, "wrong data rate");
    out8(&f, 0x3f7, RATE_500);
    SEND(0x4a, 4);
    bool irq = wait_irq();
    ok(irq && result() == 7 && st[0] == 4 && st[3] == 0 && st[4] == 1 && st[5] >= 1 && st[5] <= 18 && st[6] == 2,
       "READ ID");
    seek(0, 79);
    dma_read(1024);
    SEND(0x46, 4, 79, 1, 17, 2, 18, 27, 0xff);
    RESULT(4, 0, 0, 80, 1, 1, 2, "the last sectors");
    ok(is_sector(memory(1024), 2878) && is_sector(mem + 512, 2879), "their bytes");
    SEND(0x13, 0, 0x60, 0);
    dma_read(512);
    SEND(0x46, 0, 5, 0, 4, 2, 18, 27, 0xff);
    RESULT(0x20, 0, 0, 5, 0, 5, 2, "implied seek");
    ok(is_sector(memory(512), 5 * 36 + 3), "its sector");
    dma_read(18 * 512);
    SEND(0x42, 0, 5, 0, 1, 2, 18, 27, 0xff);
    RESULT(0, 0, 0, 5, 0, 19, 2, "READ TRACK");
    ok(is_sector(memory(18 * 512), 180) && is_sector(mem + 17 * 512, 197), "from its first sector on");
    SEND(0x56, 0, 5, 0, 1, 2, 18, 27, 0);
    RESULT(0, 0, 0, 6, 0, 1, 2, "VERIFY");
    SEND(0xd6, 0x80, 5, 0, 18, 2, 18, 27, 3);
    RESULT(4, 0, 0, 5, 1, 3, 2, "VERIFY with a count");
    SEND(0x56, 0x80, 5, 0, 18, 2, 18, 27, 3);
    RESULT(0x40, 0x80, 0, 6, 0, 1, 2, "which the cylinder has not");
    SEND(0x13, 0, 0x20, 0);
    SEND(0x07, 0);
    wait_irq();
    sense();
}

static void test_write(void)
{
    uint8_t data[1024], got[512];
    for (int i = 0; i < 1024; i++) data[i] = (uint8_t)(i * 3 + 1);
    phys_write(f.phys, DMA_AT, data, 1024);
    dma_write(1024);
    SEND(0x45, 4, 0, 1, 3, 2, 18, 27, 0xff);
    RESULT(4, 0, 0, 0, 1, 5, 2, "WRITE DATA");
    sector_of_image(0, 21, got);
    ok(memcmp(got, data + 512, 512) == 0, "it is in the image");
    sector_of_image(0, 22, got);
    ok(is_sector(got, 22), "its neighbour is as it was");
    dma_write(100);
    SEND(0x45, 0, 0, 0, 9, 2, 18, 27, 0xff);
    RESULT(0, 0, 0, 0, 0, 10, 2, "a part of a sector");
    sector_of_image(0, 8, got);
    bool good = memcmp(got, data, 100) == 0;
    for (int i = 100; i < 512; i++) good &= got[i] == 0;
    ok(good, "the rest is zeros");

    dma_write(512);
    SEND(0x49, 0, 0, 0, 5, 2, 18, 27, 0xff);
    RESULT(0, 0, 0, 0, 0, 6, 2, "WRITE DELETED DATA");
    dma_read(1024);
    SEND(0x46, 0, 0, 0, 5, 2, 18, 27, 0xff);
    RESULT(0, 0, 0x40, 0, 0, 6, 2, "READ DATA of it stops with CM");
    ok(memcmp(memory(512), data, 512) == 0, "but delivers it");
    phys_write(f.phys, DMA_AT, data, 512);
    dma_read(1024);
    SEND(0x66, 0, 0, 0, 4, 2, 18, 27, 0xff);
    RESULT(0, 0, 0x40, 0, 0, 7, 2, "with SK it is skipped");
    ok(is_sector(memory(1024), 3) && is_sector(mem + 512, 5), "from the fourth to the sixth");
    dma_read(512);
    SEND(0x4c, 0, 0, 0, 5, 2, 18, 27, 0xff);
    RESULT(0, 0, 0, 0, 0, 6, 2, "READ DELETED DATA");

    uint8_t ids[18 * 4];
    for (uint8_t i = 0; i < 18; i++) memcpy(ids + i * 4, (uint8_t[]){ 3, 1, (uint8_t)(18 - i), 2 }, 4);
    phys_write(f.phys, DMA_AT, ids, sizeof ids);
    seek(0, 3);
    dma_write(sizeof ids);
    SEND(0x4d, 4, 2, 18, 0x54, 0xf6);
    RESULT(4, 0, 0, 3, 1, 1, 2, "FORMAT TRACK");
    sector_of_image(0, 3 * 36 + 18, got);
    good = got[0] == 0xf6 && got[511] == 0xf6;
    sector_of_image(0, 3 * 36 + 35, got);
    ok(good && got[0] == 0xf6 && got[511] == 0xf6, "fills its sectors");
    sector_of_image(0, 4 * 36, got);
    ok(is_sector(got, 4 * 36), "and no others");
    dma_write(sizeof ids);
    SEND(0x4d, 0, 2, 18, 0x54, 0xf6);
    wait_irq();
    ok(result() == 7 && (st[0] & 0xd0) == 0x50, "a format that the image cannot hold is a fault");

    seek(0, 4);
    uint8_t like[512];
    sector_of_image(0, 4 * 36 + 2, like);
    phys_write(f.phys, DMA_AT, like, 512);
    dma_write(512);
    SEND(0x51, 0, 4, 0, 3, 2, 18, 27, 1);
    RESULT(0, 0, 0x08, 4, 0, 4, 2, "SCAN EQUAL finds its sector");
    like[7]++;
    phys_write(f.phys, DMA_AT, like, 512);
    dma_write(512);
    SEND(0x51, 0, 4, 0, 3, 2, 18, 27, 1);
    RESULT(0, 0, 0x04, 4, 0, 4, 2, "or does not");
    dma_write(512);
    SEND(0x59, 0, 4, 0, 3, 2, 18, 27, 1);
    RESULT(0, 0, 0, 4, 0, 4, 2, "SCAN LOW OR EQUAL");
}

static void test_pio(void)
{
    SEND(0x03, 0xaf, 0x03);
    SEND(0x0f, 0, 0);
    wait_irq();
    sense();
    SEND(0x46, 0, 0, 0, 17, 2, 18, 27, 0xff);
    IS(in8(&f, 0x3f4), 0x30, "non-DMA mode");
    uint8_t got[1024];
    int rises = f.rises[IRQ6];
    for (int i = 0; i < 1024; i++) {
        wait_irq();
        if (in8(&f, 0x3f4) != 0xf0) diag("MSR %02x at byte %d", in8(&f, 0x3f4), i);
        got[i] = in8(&f, 0x3f5);
    }
    ok(is_sector(got, 16) && is_sector(got + 512, 17), "two sectors through the FIFO");
    IS(f.rises[IRQ6] - rises, 1024 + 1, "an interrupt for each byte when the FIFO is disabled, and for the result");
    RESULT(0x40, 0x80, 0, 1, 0, 1, 2, "no terminal count: end of cylinder");
    SEND(0x13, 0, 0x08, 0);
    rises = f.rises[IRQ6];
    SEND(0x45, 0, 0, 0, 18, 2, 18, 27, 0xff);
    for (int i = 0; i < 512; i++) {
        wait_irq();
        if (in8(&f, 0x3f4) != 0xb0) diag("MSR %02x at byte %d", in8(&f, 0x3f4), i);
        out8(&f, 0x3f5, (uint8_t)(i ^ 0x5a));
    }
    IS(f.rises[IRQ6] - rises, 64, "one for eight with a threshold of eight");
    RESULT(0x40, 0x80, 0, 1, 0, 1, 2, "the sector is written");
    sector_of_image(0, 17, got);
    ok(got[0] == 0x5a && got[511] == (uint8_t)(511 ^ 0x5a), "into the image");
    SEND(0x03, 0xaf, 0x02);
}

static void test_change(void)
{
    char error[200];
    make_image(2, 1440);
    out8(&f, 0x3f2, 0x1c);
    ok(drive_eject(set, "floppy0", false, error, sizeof error), "ejected");
    IS(in8(&f, 0x3f7), 0x80, "the change line");
    dma_read(512);
    SEND(0x46, 0, 0, 0, 1, 2, 18, 27, 0xff);
    RESULT(0x40, 1, 0, 0, 0, 1, 2, "nothing can be read");
    seek(0, 1);
    seek(0, 0);
    IS(in8(&f, 0x3f7), 0x80, "the line stays without a disk");
    ok(drive_change(set, "floppy0", name[2], -1, error, sizeof error), "a 720 KiB disk");
    IS(in8(&f, 0x3f7), 0x80, "changed");
    seek(0, 2);
    IS(in8(&f, 0x3f7), 0, "and seen");
    SEND(0x46, 0, 2, 0, 1, 2, 9, 27, 0xff);
    RESULT(0x40, 1, 0, 2, 0, 1, 2, "not at 500 Kb/s");
    out8(&f, 0x3f7, RATE_250);
    dma_read(512);
    SEND(0x46, 0, 2, 0, 1, 2, 9, 27, 0xff);
    RESULT(0, 0, 0, 2, 0, 2, 2, "but at 250");
    ok(is_sector(memory(512), 36), "its sector");
    dma_read(512);
    SEND(0x46, 0, 2, 0, 1, 2, 9, 27, 0xff);
    ok(drive_eject(set, "floppy0", false, error, sizeof error), "ejected while it is read");
    RESULT(0x40, 1, 0, 2, 0, 1, 2, "the read fails");
    SEND(0x46, 0, 2, 0, 1, 2, 9, 27, 0xff);
    out8(&f, 0x3f4, 0x80);
    ok(f.line[IRQ6] && in8(&f, 0x3f4) == 0x80, "a reset ends a command");
    for (int i = 0; i < 4; i++) sense();
}

static void test_protected(void)
{
    build(2880, 720, true);
    IS(i82077_equipment(fdc), 0x41, "equipment: two drives");
    start(RATE_500);
    SEND(0x04, 0);
    ok(result() == 1 && st[0] & 0x40, "write protected");
    dma_write(512);
    SEND(0x45, 0, 0, 0, 1, 2, 18, 27, 0xff);
    RESULT(0x40, 2, 0, 0, 0, 1, 2, "WRITE DATA is refused");
    SEND(0x4d, 0, 2, 18, 0x54, 0xf6);
    wait_irq();
    ok(result() == 7 && st[0] == 0x40 && st[1] == 2, "FORMAT TRACK too");
    out8(&f, 0x3f7, RATE_300);
    SEND(0x07, 1);
    wait_irq();
    sense();
    seek(1, 39);
    dma_read(512);
    SEND(0x46, 5, 39, 1, 9, 2, 9, 27, 0xff);
    RESULT(5, 0, 0, 40, 1, 1, 2, "360 KiB in drive B");
    ok(is_sector(memory(512), 719), "its last sector");
    take_down();
}

/* --- fuzz -------------------------------------------------------------------------------------------------------------- */

static uint64_t seed = 88172645463325252u;
static uint32_t rnd(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

static void random_command(void)
{
    static const uint8_t known[] = { 0x46, 0x45, 0xc5, 0xe6, 0x4c, 0x49, 0x42, 0x56, 0x51, 0x59, 0x5d, 0x4a,
                                     0x4d, 0x03, 0x04, 0x07, 0x08, 0x0e, 0x0f, 0x8f, 0x10, 0x12, 0x13 };
    out8(&f, 0x3f5, rnd() % 8 ? known[rnd() % sizeof known] : (uint8_t)rnd());
    for (int i = 0; i < 8 && (in8(&f, 0x3f4) & 0xd0) == 0x90; i++)
        out8(&f, 0x3f5, rnd() % 3 ? (uint8_t)(rnd() % 4) : (uint8_t)rnd());
}

static void fuzz(void)
{
    char error[200];
    build(2880, 0, false);
    start(RATE_500);
    for (int i = 0; i < 60000; i++) {
        switch (rnd() % 12) {
        case 0: in8(&f, (uint16_t)(0x3f0 + rnd() % 8)); break;
        case 1: out8(&f, (uint16_t)(0x3f0 + rnd() % 8), (uint8_t)rnd()); break;
        case 2:
            if (rnd() % 8 == 0) out8(&f, 0x3f2, rnd() % 4 ? 0x1c : (uint8_t)rnd());
            break;
        case 3: dma_program((uint8_t)(0x40 | (rnd() & 0x1c)), rnd() % 4096 + 1); break;
        case 4: result(); break;
        case 5:
            for (uint32_t n = rnd() % 600; n; n--) in8(&f, 0x3f5);
            break;
        case 6:
            for (uint32_t n = rnd() % 600; n; n--) out8(&f, 0x3f5, (uint8_t)rnd());
            break;
        case 7:
            if (rnd() % 64 == 0) drive_eject(set, "floppy0", false, error, sizeof error);
            if (rnd() % 64 == 0) drive_change(set, "floppy0", name[0], -1, error, sizeof error);
            break;
        case 8: out8(&f, 0x3f7, rnd() % 4 ? RATE_500 : (uint8_t)rnd()); break;
        case 9: random_command(); /* fall through */
        default: fake_jump(&f, rnd() % 2000000); break;
        }
    }
    machine_reset_now(f.m);
    cascade();
    start(RATE_500);
    if (!drive_image(drives_find(set, "floppy0"))) drive_change(set, "floppy0", name[0], -1, error, sizeof error);
    dma_read(512);
    SEND(0x46, 0, 0, 0, 1, 2, 18, 27, 0xff);
    RESULT(0, 0, 0, 0, 0, 2, 2, "after random traffic and a reset it still reads");
    take_down();
}

int main(void)
{
    build(2880, 0, false);
    IS(i82077_equipment(fdc), 0x41, "an empty drive is a drive");
    test_reset();
    test_settings();
    start(RATE_500);
    machine_reset_now(f.m);
    take_down();

    build(2880, 0, false);
    out8(&f, 0x3f2, 0x1c);
    for (int i = 0; i < 4; i++) sense();
    out8(&f, 0x3f7, RATE_500);
    SEND(0x03, 0xaf, 0x02);
    test_seek();
    test_read();
    test_write();
    test_pio();
    test_change();
    take_down();
    test_protected();
    fuzz();
    return tap_done();
}
