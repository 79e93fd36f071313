/* SMART (ATA/ATAPI-6, 8.54) and TRIM (ACS-2, 7.10) at the registers of an ATA disk. */
#include "ide_driver.h"

#include <fcntl.h>

enum { SECTORS = 20000 };

/* --- SMART -------------------------------------------------------------------------------------------------------- */

static uint8_t smart(uint8_t operation, uint8_t nsector, uint8_t low)
{
    out(1, operation);
    out(2, nsector);
    out(3, low);
    out(4, 0x4f);
    out(5, 0xc2);
    return command(0xb0);
}

static bool sums_to_zero(void)
{
    uint8_t sum = 0;
    for (int i = 0; i < 512; i++) sum += buf[i];
    return sum == 0;
}

static void test_smart(void)
{
    command(0xec);
    pull(buf, 512);
    ok(word(buf, 82) & 1 && word(buf, 85) & 1 && (word(buf, 87) & 3) == 3, "SMART is there and on, with log and tests");
    IS(smart(0xda, 0, 0), 0x50, "RETURN STATUS");
    ok(in(4) == 0x4f && in(5) == 0xc2 && irq(), "in order");
    t.f.now += UINT64_C(5) * 3600 * 1000000000;
    IS(smart(0xd0, 0, 0), 0x58, "READ DATA");
    pull(buf, 512);
    ok(word(buf, 0) == 0x10 && sums_to_zero(), "revision and checksum");
    const uint8_t *hours = NULL, *moved = NULL;
    for (int i = 0; i < 30; i++) {
        const uint8_t *p = buf + 2 + 12 * i;
        if (p[0] == 9) hours = p;
        if (p[0] == 5) moved = p;
    }
    ok(hours && hours[5] == 5, "power-on hours are the machine's");
    ok(moved && moved[5] == 0 && moved[3] == 100, "no sector has been moved");
    IS(smart(0xd1, 0, 0), 0x58, "READ THRESHOLDS");
    uint8_t threshold_of_5 = 0;
    pull(buf, 512);
    for (int i = 0; i < 30; i++)
        if (buf[2 + 12 * i] == 5) threshold_of_5 = buf[3 + 12 * i];
    ok(sums_to_zero() && threshold_of_5 > 0 && threshold_of_5 < 100, "below what it stands at");
    IS(smart(0xd4, 0, 1), 0x50, "short self-test");
    IS(smart(0xd4, 0, 0x82), 0x50, "extended self-test, in the foreground");
    ok(smart(0xd4, 0, 0x33) == 0x51 && in(1) == 4, "no such test");
    IS(smart(0xd5, 1, 6), 0x58, "the self-test log");
    pull(buf, 512);
    ok(buf[2] == 1 && buf[3] == 0 && buf[26] == 0x82 && word(buf, 2) == 5 && buf[508] == 2 && sums_to_zero(),
       "has both, without an error, at their hour");
    IS(smart(0xd5, 1, 1), 0x58, "the error log");
    pull(buf, 512);
    ok(buf[0] == 1 && buf[1] == 0 && word(buf, 226) == 0 && sums_to_zero(), "is empty");
    IS(smart(0xd5, 1, 0), 0x58, "the directory");
    pull(buf, 512);
    ok(buf[2] == 1 && buf[12] == 1, "names both");
    ok(smart(0xd5, 1, 0x55) == 0x51 && in(1) == 0x10, "no such log");
    IS(smart(0xd9, 0, 0), 0x50, "DISABLE");
    ok(smart(0xda, 0, 0) == 0x51 && in(1) == 4, "and all but ENABLE aborts");
    command(0xec);
    pull(buf, 512);
    IS(word(buf, 85) & 1, 0, "as IDENTIFY says");
    IS(smart(0xd8, 0, 0), 0x50, "ENABLE");
    out(1, 0xda);
    out(4, 0);
    out(5, 0);
    ok(command(0xb0) == 0x51 && in(1) == 4, "without the key nothing is done");
    in(7);
}

/* --- TRIM -------------------------------------------------------------------------------------------------------------- */

static void range(uint32_t at, uint64_t lba, uint32_t count)
{
    phys_st(t.f.phys, at, lba | (uint64_t)count << 48, 8);
}

static uint8_t trim(unsigned blocks)
{
    prd(DATA, blocks * 512, true);
    bm_start(false);
    set_lba48(0, blocks);
    out(1, 1);
    uint8_t st = command(0x06);
    bm_stop();
    return st;
}

static bool is_zero(const uint8_t *p, unsigned n)
{
    while (n--)
        if (*p++) return false;
    return true;
}

/* Does the file system have holes?  Only then is what was trimmed zero. */
static bool can_punch(void)
{
    char path[] = "/tmp/calque-hole-XXXXXX";
    int file = mkstemp(path);
    bool can = file >= 0 && ftruncate(file, 65536) == 0 &&
               fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0;
    if (file >= 0) close(file);
    unlink(path);
    return can;
}

static void test_trim(void)
{
    command(0xec);
    pull(buf, 512);
    ok(word(buf, 169) == 1 && word(buf, 105) > 0, "IDENTIFY: TRIM");
    static const uint8_t nothing[1024];
    phys_write(t.f.phys, DATA, nothing, sizeof nothing);
    range(DATA, 12000, 16);
    range(DATA + 16, 12100, 8);
    range(DATA + 512, SECTORS - 8, 8);
    IS(trim(2), 0x50, "two blocks of ranges");
    ok(irq(), "interrupt");
    in(7);
    set_lba(11999, 18);
    command(0x20);
    pull_blocks(buf, 18 * 512, 512);
    ok(is_pattern(buf, 11999, 1) && is_pattern(buf + 17 * 512, 12016, 1), "the neighbours stay");
    ok(is_zero(buf + 512, 16 * 512) == can_punch(), "what was given up has gone");
    in(7);
    range(DATA, 13000, 8);
    range(DATA + 8, SECTORS - 1, 2);
    ok((trim(1) & 0x51) == 0x51 && in(1) == 0x10, "a range beyond the end: IDNF");
    in(7);
    set_lba(13000, 8);
    command(0x20);
    pull_blocks(buf, 8 * 512, 512);
    ok(is_pattern(buf, 13000, 8), "and nothing is done");
    in(7);
    out(1, 0);
    set_lba48(0, 1);
    ok(command(0x06) == 0x51 && in(1) == 4, "TRIM is all that there is to manage");
    set_lba48(0, 0);
    out(1, 1);
    ok(command(0x06) == 0x51 && in(1) == 4, "no ranges at all");
    in(7);
    out(6, 0xe0);
}

int main(void)
{
    fake_add_drive(&t, 0, false, SECTORS);
    fake_ide_start(&t);
    test_smart();
    test_trim();
    fake_ide_end(&t);
    return tap_done();
}
