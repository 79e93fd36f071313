/* util/log.h: items, filter, file. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tap.h"
#include "util/log.h"

static void test_items(void)
{
    const char *bad = NULL;
    ok(!log_on(LOG_INT), "nothing is on at first");
    ok(log_set("in_asm,int", &bad) && log_on(LOG_IN_ASM) && log_on(LOG_INT) && !log_on(LOG_OP), "two items");
    ok(!log_set("mmu,in_as,page", &bad) && strcmp(bad, "in_as") == 0, "an unknown item is named");
    ok(!log_set("", &bad) && !log_set("int,", &bad), "an empty item is none");
    char big[500];
    memset(big, 'a', sizeof big - 1);
    big[sizeof big - 1] = 0;
    ok(!log_set(big, &bad) && strlen(bad) < 100, "a very long item");
}

static void test_filter(void)
{
    ok(log_in_range(0) && log_in_range(0xffffffff), "no filter: everything");
    ok(!log_set_filter("") && !log_set_filter("zzz") && log_in_range(5), "bad filters change nothing");
    ok(log_set_filter("0x1000..0x1fff,0x8000+0x10"), "two ranges");
    ok(log_in_range(0x1000) && log_in_range(0x1fff) && log_in_range(0x800f), "inside");
    ok(!log_in_range(0xfff) && !log_in_range(0x2000) && !log_in_range(0x8010), "outside");
}

static void test_file(void)
{
    char path[] = "/tmp/calque-log-XXXXXX", text[64] = "";
    int fd = mkstemp(path);
    ok(!log_open("/nonexistent-folder/log"), "a file that cannot be made");
    ok(log_open(path), "a file that can");
    log_printf("block %x\n", 0x1234);
    ok(read(fd, text, sizeof text - 1) > 0 && strcmp(text, "block 1234\n") == 0, "a whole line is there at once");
    close(fd);
    unlink(path);
}

int main(void)
{
    test_items();
    test_filter();
    test_file();
    return tap_done();
}
