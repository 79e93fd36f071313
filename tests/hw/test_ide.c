/* The IDE function at its registers, by ATA/ATAPI-6, SFF-8038i and MMC-3. */
#include "ide_driver.h"
#include "hw/cd_sector.h"

#include <sys/resource.h>

enum { SECTORS = 20000, CD_SECTORS = 404 * 4 };

/* --- tests ------------------------------------------------------------------------------------------------------------------ */

static void test_pci(void)
{
    IS(pci_config_read(t.bus, FAKE_DEVFN, 0, 4), 0x70108086, "8086:7010");
    IS(pci_config_read(t.bus, FAKE_DEVFN, 8, 4) >> 8, 0x010180, "IDE with bus master, legacy ports");
    pci_config_write(t.bus, FAKE_DEVFN, 0x20, 0xffffffff, 4);
    IS(pci_config_read(t.bus, FAKE_DEVFN, 0x20, 4), 0xfffffff1, "16 ports at BAR 4");
    pci_config_write(t.bus, FAKE_DEVFN, 0x20, FAKE_BM, 4);
    pci_config_write(t.bus, FAKE_DEVFN, 0x41, 0, 1);
    IS(in(7), 0xff, "not decoded: nothing there");
    pci_config_write(t.bus, FAKE_DEVFN, 0x41, 0x80, 1);
    IS(in(7), 0x50, "decoded");
}

static void test_reset(void)
{
    out(0x206, 4);
    IS(in(0x206) & 0x80, 0x80, "SRST: busy");
    out(0x206, 0);
    IS(in(7), 0x50, "ready");
    IS(in(1), 1, "diagnostic code");
    ok(in(2) == 1 && in(3) == 1 && in(4) == 0 && in(5) == 0, "signature of a disk");
    base = S;
    out(0x206, 4);
    out(0x206, 0);
    ok(in(2) == 1 && in(3) == 1 && in(4) == 0x14 && in(5) == 0xeb && in(7) == 0, "signature of a packet device");
    out(6, 0x10);
    IS(in(7), 0, "no device 1");
    out(6, 0);
    base = P;
    out(6, 0x10);
    out(7, 0x90);
    ok(irq() && in(1) == 1 && !(in(6) & 0x10) && in(7) == 0x50, "EXECUTE DEVICE DIAGNOSTIC speaks for device 0");
    out(3, 0x55);
    out(4, 0xaa);
    ok(in(3) == 0x55 && in(4) == 0xaa, "registers keep what is written");
    out(3, 0x66);
    out(0x206, 0x80);
    IS(in(3), 0x55, "HOB shows what was there before");
    out(2, 1);
    IS(in(3), 0x66, "until the next write");
}

static void test_identify(void)
{
    out(6, 0xa0);
    IS(command(0xec), 0x58, "IDENTIFY: data");
    ok(irq(), "and an interrupt");
    IS(in(7), 0x58, "status");
    ok(!irq(), "reading it ends the interrupt");
    pull(buf, 512);
    IS(in(7), 0x50, "taken");
    ok(!irq(), "without another interrupt");
    IS(word(buf, 60) | word(buf, 61) << 16, SECTORS, "LBA28 sectors");
    IS(word(buf, 100) | word(buf, 101) << 16, SECTORS, "LBA48 sectors");
    ok(word(buf, 1) == SECTORS / 16 / 63 && word(buf, 3) == 16 && word(buf, 6) == 63, "geometry");
    ok(memcmp(buf + 54, "EQUMH RADDSI K", 14) == 0, "model");
    ok(word(buf, 83) & 1 << 10 && word(buf, 47) == 0x8010 && word(buf, 49) & 0x300, "LBA48, multiple, LBA, DMA");
    IS(ioports_read(t.f.io, base, 2), 0, "the data port has no more");
}

static void test_pio(void)
{
    set_lba(77, 3);
    command(0x20);
    IS(pull_blocks(buf, 3 * 512, 512), 3, "READ SECTORS: a block a sector");
    ok(is_pattern(buf, 77, 3), "the data");
    ok(in(7) == 0x50 && in(3) == 79 && in(2) == 3, "address of the last sector");
    set_lba(5, 0);
    command(0x20);
    ok(pull_blocks(buf, 256 * 512, 512) == 256 && is_pattern(buf, 5, 256), "count 0 is 256");
    out(2, 8);
    command(0xc6);
    set_lba(100, 20);
    command(0xc4);
    ok(pull_blocks(buf, 20 * 512, 8 * 512) == 3 && is_pattern(buf, 100, 20), "READ MULTIPLE: 8, 8 and 4");
    out(2, 3);
    IS(command(0xc6) & 1, 1, "SET MULTIPLE of 3 is refused");
    out(2, 0);
    command(0xc6);
    set_lba(100, 20);
    ok(command(0xc4) == 0x51 && in(1) == 4, "turned off: READ MULTIPLE aborts");
    out(2, 16);
    command(0xc6);
    set_lba48(3000, 300);
    command(0x24);
    ok(pull_blocks(buf, 0x1ffff / 512 * 512, 512) == 255 && is_pattern(buf, 3000, 255), "READ SECTORS EXT");
    ok(pull_blocks(buf, 45 * 512, 512) == 45 && is_pattern(buf, 3255, 45), "of 300");

    memset(buf, 0xa5, 2048);
    in(7);
    set_lba(77, 2);
    IS(command(0x30), 0x58, "WRITE SECTORS asks");
    ok(!irq(), "without an interrupt");
    push(buf, 512);
    fake_wait(&t, base);
    ok(irq() && in(7) == 0x58, "the second block with one");
    push(buf, 512);
    IS(fake_wait(&t, base), 0x50, "written");
    ok(irq(), "interrupt at the end");
    set_lba(76, 4);
    command(0x20);
    pull_blocks(buf, 4 * 512, 512);
    ok(is_pattern(buf, 76, 1) && is_pattern(buf + 1536, 79, 1) && buf[512] == 0xa5 && buf[1535] == 0xa5, "just there");
    for (uint32_t s = 77; s < 79; s++)
        for (uint32_t i = 0; i < 128; i++) memcpy(buf + (s - 77) * 512 + 4 * i, &(uint32_t){ s << 8 | i }, 4);
    set_lba48(77, 2);
    command(0x39);
    push(buf, 1024);
    IS(fake_wait(&t, base), 0x50, "WRITE MULTIPLE EXT");
    in(7);
    IS(command(0xe7), 0x50, "FLUSH CACHE");
    ok(irq(), "interrupt");
    IS(command(0xea), 0x50, "FLUSH CACHE EXT");
    set_lba(77, 2);
    IS(command(0x40), 0x50, "READ VERIFY");
}

static void test_chs(void)
{
    out(2, 2);
    out(3, 1);
    out(4, 1);
    out(5, 0);
    out(6, 0xa0 | 3);
    command(0x20);
    pull_blocks(buf, 1024, 512);
    ok(is_pattern(buf, (16 + 3) * 63, 2), "cylinder 1, head 3, sector 1");
    ok(in(3) == 2 && in(6) == 0xa3, "ends at sector 2");
    out(3, 0);
    out(2, 1);
    ok(command(0x20) == 0x51 && in(1) == 0x10, "there is no sector 0");
    out(2, 32);
    out(6, 0xa7);
    IS(command(0x91), 0x50, "INITIALIZE DEVICE PARAMETERS: 8 heads, 32 sectors");
    out(2, 1);
    out(3, 32);
    out(4, 2);
    out(6, 0xa7);
    command(0x20);
    pull_blocks(buf, 512, 512);
    ok(is_pattern(buf, (2 * 8 + 7) * 32 + 31, 1), "takes effect");
    out(3, 33);
    ok(command(0x20) == 0x51 && in(1) == 0x10, "sector 33 is none now");
    out(6, 0xe0);
}

static void test_errors(void)
{
    set_lba(SECTORS - 1, 2);
    ok(command(0x20) == 0x51 && in(1) == 0x10 && irq(), "beyond the end: IDNF");
    set_lba48(UINT64_C(0xffffffffffff), 1);
    ok(command(0x25) == 0x51 && in(1) == 0x10, "far beyond");
    ok(command(0xff) == 0x51 && in(1) == 4, "unknown command: ABRT");
    ok(command(0xa0) == 0x51 && in(1) == 4, "PACKET is not for disks");
    ok(command(0x00) == 0x51 && in(1) == 4, "NOP");
    set_lba(10, 1);
    command(0x20);
    out(7, 0xec);
    out(3, 99);
    ok(in(0x206) == 0x58 && in(3) == 10, "neither command nor registers are taken while data waits");
    pull(buf, 512);
    ok(is_pattern(buf, 10, 1), "which is as it was");
}

static void test_settings(void)
{
    out(1, 3);
    out(2, 0x22);
    IS(command(0xef), 0x50, "SET FEATURES: MWDMA2");
    command(0xec);
    pull(buf, 512);
    ok(word(buf, 63) == 0x0407 && (word(buf, 88) >> 8) == 0, "as IDENTIFY says");
    out(1, 3);
    out(2, 0x45);
    command(0xef);
    command(0xec);
    pull(buf, 512);
    ok(word(buf, 88) == 0x203f && (word(buf, 63) >> 8) == 0, "UDMA5");
    out(2, 0x47);
    IS(command(0xef), 0x51, "no such mode");
    out(1, 0x82);
    command(0xef);
    command(0xec);
    pull(buf, 512);
    IS(word(buf, 85) & 0x20, 0, "write cache off");
    out(1, 2);
    command(0xef);
    out(1, 0xee);
    IS(command(0xef), 0x51, "no such feature");
    command(0xe5);
    IS(in(2), 0xff, "CHECK POWER MODE: active");
    command(0xe1);
    command(0xe5);
    IS(in(2), 0x80, "idle");
    command(0xe0);
    command(0xe5);
    IS(in(2), 0, "standby");
    set_lba(0, 1);
    command(0x20);
    pull(buf, 512);
    command(0xe5);
    IS(in(2), 0xff, "a read wakes it");
    command(0xe6);
    in(7);
    out(7, 0xec);
    ok(!irq() && in(7) == 0x50, "asleep: deaf");
    out(0x206, 4);
    out(0x206, 0);
    IS(command(0xec), 0x58, "a reset wakes it");
    pull(buf, 512);
    command(0xe8);
    for (int i = 0; i < 512; i++) buf[i] = (uint8_t)(i * 7);
    push(buf, 512);
    fake_wait(&t, base);
    memset(buf, 0, 512);
    command(0xe4);
    pull(buf, 512);
    ok(buf[3] == 21 && buf[511] == (uint8_t)(511 * 7), "WRITE BUFFER, READ BUFFER");
    command(0xf8);
    IS(in(3) | in(4) << 8 | in(5) << 16 | (in(6) & 15) << 24, SECTORS - 1, "READ NATIVE MAX ADDRESS");
    out(0x206, 2);
    in(7);
    command(0xe7);
    ok(!irq(), "nIEN keeps INTRQ off the line");
    out(0x206, 0);
    ok(irq(), "until it is allowed");
    in(7);
}

static void fill_memory(uint8_t v)
{
    memset(buf, v, sizeof buf);
    for (uint32_t at = DATA; at + sizeof buf <= FAKE_RAM; at += sizeof buf) phys_write(t.f.phys, at, buf, sizeof buf);
}

static void test_dma(void)
{
    fill_memory(0xee);
    prd(DATA, 1024, false);
    prd(DATA + 0x3000, 0x800, false);
    prd(DATA + 0x8002, 0x400, true);
    bm_start(true);
    IS(in8(&t.f, bm() + 2) & 7, 1, "started: active");
    set_lba(200, 8);
    IS(command(0xc8), 0x50, "READ DMA");
    ok(irq(), "interrupt");
    IS(bm_stop(), 4, "table used up: not active, interrupt");
    phys_read(t.f.phys, DATA, buf, 1024);
    phys_read(t.f.phys, DATA + 0x3000, buf + 1024, 2048);
    phys_read(t.f.phys, DATA + 0x8002, buf + 3072, 1024);
    ok(is_pattern(buf, 200, 8), "scattered as the table says");
    IS(phys_ld(t.f.phys, DATA + 1024, 4), 0xeeeeeeee, "and no further");
    in(7);
    ok(in8(&t.f, bm() + 2) & 4, "the master keeps its interrupt bit");
    out8(&t.f, bm() + 2, 4);
    ok(!(in8(&t.f, bm() + 2) & 4), "until it is written");

    prd(DATA, 0, true); /* 64 KiB */
    bm_start(true);
    set_lba48(1000, 100);
    command(0x25);
    IS(bm_stop(), 5, "table longer than the transfer: active, with interrupt");
    phys_read(t.f.phys, DATA, buf, 51200);
    ok(is_pattern(buf, 1000, 100), "READ DMA EXT, and a count of 0 is 64 KiB");

    prd(DATA, 512, true);
    bm_start(true);
    in(7);
    set_lba(300, 2);
    out(7, 0xc8);
    for (int i = 0; i < 50; i++) machine_poll(t.f.m);
    ok(!irq() && !(in8(&t.f, bm() + 2) & 1) && in(0x206) & 8,
       "table too short: stopped, no interrupt, the drive waits");
    bm_stop();
    prd(DATA + 512, 512, true);
    bm_start(true);
    fake_wait(&t, base);
    ok(irq() && is_pattern(buf, 1000, 1) && (in8(&t.f, bm() + 2) & 7) == 4, "another table lets it go on");
    phys_read(t.f.phys, DATA, buf, 1024);
    ok(is_pattern(buf, 300, 2), "where it was");
    bm_stop();

    in(7);
    set_lba(400, 4);
    out(7, 0xc8);
    machine_poll(t.f.m);
    ok(!irq(), "a command before the master is started waits");
    prd(DATA, 2048, true);
    bm_start(true);
    fake_wait(&t, base);
    ok(irq(), "for it");
    bm_stop();

    for (uint32_t i = 0; i < 1024; i++) phys_st(t.f.phys, DATA + 4 * i, 0x12340000 + i, 4);
    prd(DATA, 2, false);
    prd(DATA + 2, 4094, true);
    bm_start(false);
    set_lba(500, 8);
    IS(command(0xca), 0x50, "WRITE DMA");
    IS(bm_stop(), 4, "done");
    set_lba(500, 8);
    command(0x20);
    pull_blocks(buf, 4096, 512);
    bool good = true;
    for (uint32_t i = 0; i < 1024; i++)
        good &= (word(buf, 2 * i) | (uint32_t)word(buf, 2 * i + 1) << 16) == 0x12340000 + i;
    ok(good, "is on the disk");

    prd(0xfffff000, 0x2000, false); /* into what is not RAM, and over the end of the address space */
    prd(0x80000000, 0, true);
    bm_start(true);
    set_lba(0, 128);
    command(0xc8);
    bm_stop();
    ok(in(7) == 0x50, "no memory there: dropped");
    in(7);

    pci_config_write(t.bus, FAKE_DEVFN, 4, 1, 2);
    prd(DATA, 512, true);
    bm_start(true);
    set_lba(600, 1);
    out(7, 0xc8);
    for (int i = 0; i < 20; i++) machine_poll(t.f.m);
    ok(!irq(), "without bus mastering nothing moves");
    pci_config_write(t.bus, FAKE_DEVFN, 4, 5, 2);
    fake_wait(&t, base);
    ok(irq(), "until it is allowed");
    bm_stop();
    in(7);

    fill_memory(0xdd);
    prd(DATA, 0, false);
    prd(DATA + 0x10000, 0, false);
    prd(DATA + 0x20000, 0, false);
    prd(DATA + 0x30000, 0, false);
    prd(DATA + 0x40000, 0, false);
    prd(DATA + 0x50000, 0, true);
    bm_start(true);
    set_lba48(10, 768);
    command(0x25);
    IS(bm_stop(), 4, "384 KiB in one command");
    good = true;
    for (uint32_t i = 0; i < 6; i++) {
        phys_read(t.f.phys, DATA + 0x10000 * i, buf, 0x10000);
        good &= is_pattern(buf, 10 + 128 * i, 128) || i * 128 + 10 <= 500; /* 500.. was written above */
    }
    ok(good, "more than the drive's buffer");
}

static void test_reset_in_flight(void)
{
    for (int i = 0; i < 50; i++) {
        memset(buf, i, 512);
        set_lba(900, 1);
        command(0x30);
        push(buf, 512); /* the worker has it now */
        out(0x206, 4);
        out(0x206, 0);
        set_lba(900, 1);
        if (command(0x20) != 0x58) break;
        pull(buf + 512, 512);
        if (buf[512] != i || in(7) != 0x50) {
            ok(false, "round %d", i);
            return;
        }
    }
    ok(true, "a reset with a write under way: neither is lost");
}

static void test_slave(void)
{
    out(6, 0xb0);
    IS(command(0xec), 0x58, "device 1");
    pull(buf, 512);
    IS(word(buf, 60), 100, "is another disk");
    IS(in(7), 0x50, "fine");
    out(6, 0xf0);
    set_lba(0, 1);
    out(6, 0xf0);
    command(0x20);
    ok(irq(), "its interrupt");
    out(6, 0xe0);
    ok(!irq(), "is off the line while the other is selected");
    out(6, 0xf0);
    ok(irq(), "and comes back");
    pull(buf, 512);
    ok(is_pattern(buf, 0, 1), "its data");
    in(7);
    out(6, 0xe0);
}

/* A file size limit is a full disk without one: the host refuses to write behind it (EFBIG). */
static void limit_files(rlim_t bytes)
{
    struct rlimit l;
    getrlimit(RLIMIT_FSIZE, &l);
    l.rlim_cur = bytes < l.rlim_max ? bytes : l.rlim_max;
    setrlimit(RLIMIT_FSIZE, &l);
}

static void wait_stopped(void)
{
    /* A stopped machine's poll comes back only when somebody posts: the worker does, and stops it. */
    Drive *d = drives_at(t.drives, DRIVE_IDE, 0);
    block_drain(drive_image(d));
    fflush(stdout);
}

static void cont(void *opaque)
{
    limit_files(RLIM_INFINITY);
    machine_cont(opaque);
}

static void test_host_errors(void)
{
    memset(buf, 0x3c, 4096);
    set_lba(2000, 8);
    out(7, 0x30);
    limit_files(2004 * 512);
    for (int i = 0; i < 8; i++) {
        fake_wait(&t, base);
        in(7);
        if (i < 7) push(buf + 512 * i, 512);
    }
    push(buf, 512);
    wait_stopped();
    machine_post(t.f.m, cont, t.f.m); /* behind the completion in the queue: the poll sees the stop, then this */
    fake_wait(&t, base);
    ok(in(0x206) == 0x50 && irq(), "a full host disk stops the machine; it goes on where it was");
    in(7);
    set_lba(1999, 10);
    command(0x20);
    pull_blocks(buf, 5120, 512);
    ok(is_pattern(buf, 1999, 1) && buf[512] == 0x3c && buf[4607] == 0x3c && is_pattern(buf + 4608, 2008, 1),
       "with nothing lost");

    if (truncate(t.file[0], 10003 * 512) < 0) ok(false, "truncate");
    in(7);
    set_lba(10000, 8);
    command(0x20);
    ok(pull_blocks(buf, 8 * 512, 512) == 3 && is_pattern(buf, 10000, 3), "three sectors are readable");
    ok(in(0x206) == 0x51 && irq() && in(1) == 0x40 && in(3) == (10003 & 0xff) && in(4) == 10003 >> 8, "UNC, and which");
    in(7);
    prd(DATA, 0x8000, true);
    bm_start(true);
    set_lba(10010, 8);
    ok(command(0xc8) == 0x51 && in(1) == 0x40 && irq(), "by DMA, too");
    bm_stop();
    in(7);
    set_lba(10001, 4);
    ok(command(0x40) == 0x51 && in(3) == (10003 & 0xff), "READ VERIFY finds it");
    if (truncate(t.file[0], SECTORS * 512) < 0) ok(false, "truncate");
    set_lba(10010, 1);
    IS(command(0x20), 0x58, "when the host reads again, so does the guest");
    pull(buf, 512);
}

/* --- ATAPI --------------------------------------------------------------------------------------------------------------------- */

/* Sends a packet; the bytes that came, or -(status) if it failed. */
static int packet(const uint8_t p[12], unsigned limit, bool dma)
{
    int n = 0;
    out(1, dma);
    out(4, (uint8_t)limit);
    out(5, (uint8_t)(limit >> 8));
    out(7, 0xa0);
    if (in(0x206) != 0x48 || in(2) != 1) return -1000;
    for (int i = 0; i < 12; i += 2) ioports_write(t.f.io, base, p[i] | (uint32_t)p[i + 1] << 8, 2);
    for (;;) {
        uint8_t st = fake_wait(&t, base);
        if (!irq()) return -1001;
        in(7);
        if (st & 1) return -st;
        if (!(st & 8)) return in(2) == 3 ? n : -1002;
        unsigned size = in(4) | (unsigned)in(5) << 8;
        if (in(2) != 2 || !size || size > limit || n + size > sizeof buf) return -1003;
        pull(buf + n, size);
        n += (int)size;
    }
}
#define PACKET(limit, ...) packet((const uint8_t[12]){ __VA_ARGS__ }, limit, false)

static void sense_is(uint8_t key, uint8_t asc, const char *what)
{
    int n = PACKET(64, 3, 0, 0, 0, 18);
    ok(n == 18 && buf[0] == 0x70 && buf[2] == key && buf[12] == asc, "sense: %s", what);
    if (n != 18 || buf[2] != key || buf[12] != asc) diag("%d: %02x %02x %02x", n, buf[2], buf[12], buf[13]);
}

static void test_atapi(void)
{
    base = S;
    out(6, 0);
    ok(command(0xec) == 0x41 && in(4) == 0x14 && in(5) == 0xeb && in(1) == 4,
       "IDENTIFY DEVICE: aborted, with signature");
    ok(command(0x20) == 0x41, "no READ SECTORS");
    in(7);
    IS(command(0xa1), 0x48, "IDENTIFY PACKET DEVICE");
    in(7);
    pull(buf, 512);
    ok(word(buf, 0) == 0x85c0 && memcmp(buf + 54, "EQUMD DVR-MO", 12) == 0 && in(7) == 0x40 && !irq(),
       "a CD-ROM drive");
    IS(PACKET(0xfffe, 0x12, 0, 0, 0, 36), 36, "INQUIRY");
    ok(buf[0] == 5 && buf[1] == 0x80 && memcmp(buf + 16, "QEMU DVD-ROM", 12) == 0, "its answer");
    IS(PACKET(0xfffe, 0x12, 0, 0, 0, 5), 5, "cut to five bytes");
    IS(PACKET(10, 0x12, 0, 0, 0, 36), 36, "in blocks of ten");
    IS(PACKET(100, 0), 0, "TEST UNIT READY");
    IS(PACKET(100, 0x25), 8, "READ CAPACITY");
    ok(buf[2] == 1 && buf[3] == 147 && buf[6] == 8, "404 blocks of 2048");
    IS(PACKET(0xffff, 0x28, 0, 0, 0, 0, 3, 0, 0, 40), 40 * 2048, "READ (10)");
    ok(is_pattern(buf, 12, 160), "the data");
    IS(PACKET(2048, 0xa8, 0, 0, 0, 1, 0x90, 0, 0, 0, 4), 4 * 2048, "READ (12)");
    ok(is_pattern(buf, 1600, 16), "the data");
    ok(PACKET(2048, 0x28, 0, 0, 0, 1, 148, 0, 0, 1) == -0x41, "beyond the end");
    sense_is(5, 0x21, "block address out of range");
    sense_is(0, 0, "told once");
    ok(PACKET(2048, 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff) == -0x41, "far beyond");
    ok(PACKET(2048, 0xee) == -0x41, "unknown");
    sense_is(5, 0x20, "invalid command");
    out(1, 0);
    out(4, 0);
    out(5, 0);
    ok(PACKET(0, 0x12, 0, 0, 0, 36) == -0x41, "a byte count of 0 is refused");
    IS(PACKET(64, 0x43, 0, 0, 0, 0, 0, 0, 0, 64), 20, "READ TOC");
    ok(buf[1] == 18 && buf[2] == 1 && buf[3] == 1 && buf[6] == 1 && buf[14] == 0xaa && buf[18] == 1 && buf[19] == 148,
       "one track and the lead-out");
    IS(PACKET(64, 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 64), 12, "from the lead-out, as minutes and seconds");
    ok(buf[9] == 0 && buf[10] == 7 && buf[11] == 29, "00:07:29");
    IS(PACKET(64, 0x43, 0, 1, 0, 0, 0, 0, 0, 64), 12, "sessions");
    IS(PACKET(64, 0x43, 2, 2, 0, 0, 0, 0, 0, 64), 48, "full TOC");
    IS(PACKET(512, 0x5a, 0, 0x2a, 0, 0, 0, 0, 2, 0), 30, "MODE SENSE (10), page 2a");
    ok(buf[8] == 0x2a && buf[1] == 28, "capabilities");
    ok(PACKET(512, 0x5a, 0, 0x3f, 0, 0, 0, 0, 2, 0) == 8 + 8 + 16 + 12 + 22, "all pages");
    IS(PACKET(512, 0x46, 0, 0, 0, 0, 0, 0, 2, 0) & 3, 0, "GET CONFIGURATION");
    ok(buf[7] == 8 && buf[10] == 3 && buf[3] > 16, "profile CD-ROM");
    IS(PACKET(512, 0x51, 0, 0, 0, 0, 0, 0, 0, 34), 34, "READ DISC INFORMATION");
    IS(PACKET(512, 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8), 8, "MECHANISM STATUS");
    ok(PACKET(512, 0xad, 0, 0, 0, 0, 0, 0, 0, 8, 0) == -0x41, "a CD has no DVD structure");
    IS(PACKET(64, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8, "GET EVENT STATUS");
    ok(buf[2] == 4 && buf[4] == 0 && buf[5] == 2, "no event, medium present");
    IS(PACKET(4000, 0xbe, 0, 0, 0, 0, 1, 0, 0, 2, 0xf8), 2 * 2352, "READ CD, raw");
    ok(memcmp(buf, "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\x02\x01\x01", 16) == 0 &&
           is_pattern(buf + 16, 4, 4) && buf[2352 + 14] == 2 && is_pattern(buf + 2352 + 16, 8, 4),
       "sync, header, data");
    IS(PACKET(4000, 0xbe, 0, 0, 0, 0, 1, 0, 0, 2, 0x10), 4096, "READ CD, data only");
    ok(is_pattern(buf, 4, 8), "the data");
    IS(PACKET(4000, 0xb9, 0, 0, 0, 2, 3, 0, 2, 5, 0x20), 8, "READ CD MSF, headers");
    ok(buf[2] == 3 && buf[6] == 4, "00:02:03, 00:02:04");
    IS(PACKET(4000, 0xbe, 0, 0, 0, 0, 1, 0, 0, 2, 0), 0, "nothing of it");

    prd(DATA, 0x8000, true);
    bm_start(true);
    IS(packet((const uint8_t[12]){ 0x28, 0, 0, 0, 0, 5, 0, 0, 16 }, 0, true), 0, "READ (10) by DMA");
    IS(bm_stop(), 4, "done");
    phys_read(t.f.phys, DATA, buf, 0x8000);
    ok(is_pattern(buf, 20, 64), "the data");
}

static void test_media(void)
{
    char error[256];
    base = S;
    PACKET(64, 0x1e, 0, 0, 0, 1);
    ok(!drive_eject(t.drives, "ide1-cd0", false, error, sizeof error), "PREVENT: the button does not open");
    PACKET(64, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
    ok(buf[4] == 1 && buf[5] == 2, "event: eject wanted");
    ok(PACKET(64, 0x1b, 0, 0, 0, 2) == -0x41, "nor does START STOP UNIT");
    sense_is(5, 0x53, "removal prevented");
    PACKET(64, 0x1e);
    IS(PACKET(64, 0x1b, 0, 0, 0, 2), 0, "ALLOW: it opens");
    ok(PACKET(64, 0) == -0x41, "not ready");
    sense_is(2, 0x3a, "medium not present");
    ok(drive_change(t.drives, "ide1-cd0", t.file[1], -1, error, sizeof error), "another CD: %s", error);
    ok(PACKET(64, 0) == -0x41, "at first");
    sense_is(6, 0x28, "medium may have changed");
    IS(PACKET(64, 0), 0, "then it is ready");
    IS(PACKET(100, 0x25), 8, "READ CAPACITY");
    ok(buf[3] == 24, "25 blocks: the new one");
    PACKET(64, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
    ok(buf[4] == 2 && buf[5] == 2, "event: new medium");
    ok(drive_eject(t.drives, "ide1-cd0", false, error, sizeof error), "out");
    ok(PACKET(64, 0x28, 0, 0, 0, 0, 0, 0, 0, 1) == -0x41, "no more reading");
    sense_is(2, 0x3a, "medium not present");
    base = P;
}

static void test_cmos(void)
{
    Mc146818 *rtc = mc146818_new(t.f.m, fake_line(&t.f, 8), 0);
    ide_set_cmos(t.ide, rtc);
    static const struct {
        uint8_t at, value;
    } want[] = { { 0x12, 0xff }, { 0x19, 47 }, { 0x1b, SECTORS / 1008 }, { 0x1d, 16 }, { 0x23, 63 }, { 0x39, 0 } };
    bool good = true;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        out8(&t.f, 0x70, want[i].at);
        good &= in8(&t.f, 0x71) == want[i].value;
    }
    ok(good, "CMOS: types and geometry");
    mc146818_free(rtc);
}

/* The parity of a sector (ECMA-130 annex A) checks itself: each P and Q code word's sums are 0. */
static void test_sector(void)
{
    uint8_t raw[2352], data[2048];
    for (int i = 0; i < 2048; i++) data[i] = (uint8_t)(i * 31 >> 3);
    cd_make_sector(raw, 1234, data);
    ok(raw[12] == 0 && raw[13] == 0x18 && raw[14] == 0x34, "00:18:34 in BCD");
    bool good = true;
    for (int line = 0; line < 86; line++) {
        uint8_t sum = 0, weighted = 0;
        for (int i = 0; i < 26; i++) {
            uint8_t v = raw[12 + 86 * i + line];
            sum ^= v;
            weighted = (uint8_t)(weighted << 1 ^ (weighted & 0x80 ? 0x1d : 0) ^ v);
        }
        good &= !sum && !weighted;
    }
    ok(good, "P parity");
}

static void test_odd_cd(void)
{
    base = S;
    PACKET(100, 0x25);
    IS(buf[3], 1, "a CD image that ends in a block: it counts");
    ok(PACKET(4096, 0x28, 0, 0, 0, 0, 0, 0, 0, 2) == 4096 && is_pattern(buf, 0, 5) && buf[2560] == 0 && buf[4095] == 0,
       "and is filled up with zeros");
    base = P;
}

int main(void)
{
    fake_add_drive(&t, 0, false, SECTORS);
    fake_add_drive(&t, 1, false, 100);
    fake_add_drive(&t, 2, true, CD_SECTORS);
    fake_ide_start(&t);
    test_pci();
    test_reset();
    test_identify();
    test_pio();
    test_chs();
    test_errors();
    test_settings();
    test_dma();
    test_reset_in_flight();
    test_slave();
    test_host_errors();
    test_atapi();
    test_cmos();
    test_sector();
    fake_ide_end(&t);

    memset(&t, 0, sizeof t);
    fake_add_drive(&t, 2, true, CD_SECTORS);
    fake_add_drive(&t, 0, false, 100); /* a disk that test_media() also takes for a CD */
    t.cfg[1].image.read_only = true;
    fake_ide_start(&t);
    test_media();
    fake_ide_end(&t);

    memset(&t, 0, sizeof t);
    fake_add_drive(&t, 2, true, 5);
    fake_ide_start(&t);
    test_odd_cd();
    fake_ide_end(&t);
    return tap_done();
}
