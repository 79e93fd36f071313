/* Images: opening, refusing, locks, overlay, order, a full host disk. */
#include "block/block.h"
#include "block/drive.h"
#include "../tap.h"
#include "small_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- a thread's queue, as the machine has one ------------------------------------------------------------------- */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t come;
    void (*fn[256])(void *arg);
    void *arg[256];
    unsigned head, tail;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER, .come = PTHREAD_COND_INITIALIZER };

static void post(void *opaque, void (*fn)(void *arg), void *arg)
{
    (void)opaque;
    pthread_mutex_lock(&queue.lock);
    queue.fn[queue.tail % 256] = fn;
    queue.arg[queue.tail++ % 256] = arg;
    pthread_cond_signal(&queue.come);
    pthread_mutex_unlock(&queue.lock);
}
static void run_one(void)
{
    pthread_mutex_lock(&queue.lock);
    while (queue.head == queue.tail) pthread_cond_wait(&queue.come, &queue.lock);
    void (*fn)(void *arg) = queue.fn[queue.head % 256];
    void *arg = queue.arg[queue.head++ % 256];
    pthread_mutex_unlock(&queue.lock);
    fn(arg);
}
static const BlockPoster poster = { .post = post };

static int done_count, done_order[64];
static void on_done(BlockRequest *r)
{
    done_order[done_count++ % 64] = (int)(intptr_t)r->opaque;
}

static int run(BlockImage *img, BlockOp op, uint64_t sector, uint32_t count, void *buf)
{
    BlockRequest r = { .op = (uint8_t)op, .sector = sector, .count = count, .buf = buf, .done = on_done };
    int before = done_count;
    block_submit(img, &r);
    while (done_count == before) run_one();
    return r.error;
}

/* --- files ---------------------------------------------------------------------------------------------------------- */
static char dir[] = "/tmp/calque-test-XXXXXX";
static char error[512];

static const char *in_dir(const char *name)
{
    static char path[8][256];
    static int n;
    char *p = path[n++ % 8];
    snprintf(p, 256, "%s/%s", dir, name);
    return p;
}

static const char *make_file(const char *name, size_t size, int fill)
{
    const char *path = in_dir(name);
    FILE *f = fopen(path, "wb");
    for (size_t i = 0; i < size; i++) fputc(fill < 0 ? (int)(i / 512 + i) : fill, f);
    fclose(f);
    return path;
}

static int byte_at(const char *path, long at)
{
    FILE *f = fopen(path, "rb");
    fseek(f, at, SEEK_SET);
    int c = fgetc(f);
    fclose(f);
    return c;
}

static BlockImage *open_as(const char *file, BlockOptions opt)
{
    opt.file = file;
    error[0] = 0;
    return block_open(&opt, &poster, error, sizeof error);
}
#define OPEN(file, ...) open_as(file, (BlockOptions){ __VA_ARGS__ })

static void refused(const char *file, BlockOptions opt, const char *why)
{
    BlockImage *img = open_as(file, opt);
    ok(!img && strstr(error, why), "refused: %s", why);
    if (!img && !strstr(error, why)) diag("said: %s", error);
    if (img) block_close(img);
}

static void test_refusals(void)
{
    refused(in_dir("none"), (BlockOptions){ 0 }, "No such file");
    refused(dir, (BlockOptions){ 0 }, "is a directory");
    refused(dir, (BlockOptions){ .read_only = true }, "is a directory");
    refused("/dev/null", (BlockOptions){ 0 }, "neither a file nor a block device");
    refused(make_file("empty", 0, 0), (BlockOptions){ 0 }, "is empty");
    const char *qcow = make_file("qcow", 1024, 0);
    FILE *f = fopen(qcow, "r+b");
    fwrite("QFI\xfb", 1, 4, f);
    fclose(f);
    refused(qcow, (BlockOptions){ 0 }, "is a qcow2 image");
    BlockImage *img = OPEN(qcow, .raw_format = true);
    ok(img != NULL, "unless the user says that it is raw");
    block_close(img);
    mkfifo(in_dir("pipe"), 0600);
    refused(in_dir("pipe"), (BlockOptions){ 0 }, "neither a file nor a block device");
    if (geteuid() != 0) {
        const char *ro = make_file("ro", 1024, 1);
        chmod(ro, 0444);
        refused(ro, (BlockOptions){ 0 }, "cannot be written");
        img = OPEN(ro, .removable = true);
        ok(img && block_is_read_only(img), "a medium that can be taken out is then read-only");
        block_close(img);
        chmod(ro, 0);
        refused(ro, (BlockOptions){ .read_only = true }, "Permission denied");
    }
}

static void test_odd_size(void)
{
    uint8_t buf[1024];
    const char *path = make_file("odd", 700, 7);
    BlockImage *img = OPEN(path);
    ok(img && block_sectors(img) == 2, "700 bytes are two sectors");
    ok(run(img, BLOCK_READ, 0, 2, buf) == 0 && buf[699] == 7 && buf[700] == 0 && buf[1023] == 0,
       "filled up with zeros");
    ok(!block_read_now(img, 0, 2, buf) || buf[700] == 0, "at once or not");
    memset(buf, 9, sizeof buf);
    ok(run(img, BLOCK_WRITE, 1, 1, buf) == 0, "written");
    memset(buf, 0, sizeof buf);
    ok(run(img, BLOCK_READ, 1, 1, buf) == 0 && buf[511] == 9, "and is whole");
    ok(run(img, BLOCK_READ, 2, 1, buf) == EINVAL, "nothing behind the end");
    ok(run(img, BLOCK_READ, UINT64_MAX, 1, buf) == EINVAL, "nor far away");
    if (truncate(path, 100) == 0) ok(run(img, BLOCK_READ, 0, 2, buf) == EIO, "a file that became shorter is an error");
    block_close(img);
}

static void test_locks(void)
{
    const char *path = make_file("locked", 4096, 1);
    BlockImage *w = OPEN(path);
    refused(path, (BlockOptions){ 0 }, "in use");
    refused(path, (BlockOptions){ .read_only = true }, "in use: another machine or program writes");
    refused(path, (BlockOptions){ .snapshot = true }, "in use");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) _exit(OPEN(path) ? 1 : 0);
    int status = 1;
    waitpid(pid, &status, 0);
    ok(status == 0, "another process is refused too");
    block_close(w);
    BlockImage *a = OPEN(path, .read_only = true), *b = OPEN(path, .snapshot = true);
    ok(a && b, "any number of readers");
    refused(path, (BlockOptions){ 0 }, "in use: another machine or program has it open");
    block_close(a);
    block_close(b);
    w = OPEN(path);
    ok(w != NULL, "free again");
    block_close(w);
}

static void test_overlay(void)
{
    enum { SECTORS = 300 };
    static uint8_t model[SECTORS * 512], buf[SECTORS * 512];
    const char *path = make_file("base", sizeof model, -1);
    FILE *f = fopen(path, "rb");
    if (fread(model, 1, sizeof model, f) != sizeof model) ok(false, "model");
    fclose(f);
    BlockImage *img = OPEN(path, .snapshot = true);
    ok(img && !block_is_read_only(img), "a snapshot can be written");
    bool good = true;
    srand(5);
    for (int i = 0; i < 400; i++) {
        uint32_t at = (uint32_t)rand() % SECTORS, n = (uint32_t)rand() % 40 + 1;
        if (n > SECTORS - at) n = SECTORS - at;
        if (rand() % 2) {
            memset(buf, rand(), n * 512);
            memcpy(model + at * 512, buf, n * 512);
            good &= run(img, BLOCK_WRITE, at, n, buf) == 0;
        } else if (rand() % 2 || !block_read_now(img, at, n, buf)) {
            good &= run(img, BLOCK_READ, at, n, buf) == 0 && memcmp(buf, model + at * 512, n * 512) == 0;
        } else {
            good &= memcmp(buf, model + at * 512, n * 512) == 0;
        }
    }
    ok(good, "random reads and writes agree with a model");
    ok(run(img, BLOCK_FLUSH, 0, 0, NULL) == 0, "flush");
    block_close(img);
    ok(byte_at(path, 600) == ((600 / 512 + 600) & 255), "the file is as it was");
    img = OPEN(path, .read_only = true, .snapshot = true);
    ok(block_is_read_only(img), "read-only stays read-only");
    ok(run(img, BLOCK_WRITE, 0, 1, buf) == EROFS, "a write to it fails");
    block_close(img);
}

/* A raw image of mode 1 or 2 sectors: the data is what a drive shows. */
static const char *make_raw_cd(const char *name, unsigned sectors, uint8_t mode)
{
    const char *path = in_dir(name);
    unsigned data_at = mode == 2 ? 24 : 16;
    FILE *f = fopen(path, "wb");
    for (unsigned s = 0; s < sectors; s++) {
        uint8_t raw[2352];
        memset(raw, 0xee, sizeof raw);
        memset(raw, 0xff, 12);
        raw[0] = raw[11] = 0;
        raw[15] = mode;
        for (unsigned i = 0; i < 2048; i++) raw[data_at + i] = (uint8_t)(s * 7 + i / 256);
        fwrite(raw, 1, sizeof raw, f);
    }
    fclose(f);
    return path;
}

static void test_raw_cd(void)
{
    enum { SECTORS = 10 };
    uint8_t buf[SECTORS * 2048];
    for (uint8_t mode = 1; mode <= 2; mode++) {
        const char *path = make_raw_cd(mode == 1 ? "mode1.bin" : "mode2.bin", SECTORS, mode);
        BlockImage *img = OPEN(path, .read_only = true, .cd = true, .cache = BLOCK_CACHE_NONE);
        ok(img && block_sectors(img) == SECTORS * 4, "mode %u: 2048 bytes of each sector", mode);
        bool good = run(img, BLOCK_READ, 0, SECTORS * 4, buf) == 0;
        for (unsigned i = 0; i < sizeof buf; i++) good &= buf[i] == (uint8_t)(i / 2048 * 7 + i % 2048 / 256);
        ok(good && run(img, BLOCK_READ, 7, 2, buf) == 0 && buf[0] == 7 + 6 && buf[512] == 14, "the data");
        block_close(img);
        img = OPEN(path, .read_only = true);
        ok(img && block_sectors(img) == (SECTORS * 2352 + 511) / 512, "another drive sees the file as it is");
        block_close(img);
    }
}

static void test_discard(void)
{
    uint8_t buf[32 * 512];
    const char *path = make_file("discard", 1 << 20, 5);
    BlockImage *img = OPEN(path);
    ok(run(img, BLOCK_DISCARD, 0, 16, NULL) == 0 && run(img, BLOCK_READ, 0, 16, buf) == 0 && buf[0] == 5,
       "discard=ignore: nothing happens");
    ok(run(img, BLOCK_DISCARD, 2040, 16, NULL) == EINVAL, "beyond the end");
    block_close(img);
    struct stat before, after;
    stat(path, &before);
    img = OPEN(path, .unmap = true);
    ok(run(img, BLOCK_DISCARD, 8, 1024, NULL) == 0, "discard=unmap");
    ok(run(img, BLOCK_READ, 0, 8, buf) == 0 && buf[0] == 5 && buf[4095] == 5, "what is before it stays");
    ok(run(img, BLOCK_READ, 1032, 8, buf) == 0 && buf[0] == 5, "and behind it");
    block_close(img);
    stat(path, &after);
    ok(after.st_size == before.st_size, "the size stays");
    if (after.st_blocks < before.st_blocks)
        ok(byte_at(path, 5000) == 0, "the host has got its blocks back");
    else
        ok(true, "blocks # SKIP this file system makes no holes");
    img = OPEN(path, .snapshot = true, .unmap = true);
    ok(run(img, BLOCK_DISCARD, 1100, 8, NULL) == 0, "in an overlay");
    block_close(img);
    ok(byte_at(path, 1100 * 512) == 5, "the file stays as it is");
    img = OPEN(path, .read_only = true, .unmap = true);
    ok(run(img, BLOCK_DISCARD, 1100, 8, NULL) == EROFS, "read-only");
    block_close(img);
}

static void test_order(void)
{
    const char *path = make_file("order", 64 * 512, 0);
    BlockImage *img = OPEN(path);
    static uint8_t buf[10][512];
    BlockRequest r[20];
    done_count = 0;
    for (int i = 0; i < 10; i++) {
        memset(buf[i], i, 512);
        r[i] = (BlockRequest){ .op = BLOCK_WRITE,
                               .sector = 3,
                               .count = 1,
                               .buf = buf[i],
                               .fua = i == 5,
                               .done = on_done,
                               .opaque = (void *)(intptr_t)i };
        block_submit(img, &r[i]);
    }
    block_drain(img);
    ok(byte_at(path, 3 * 512) == 9, "drained: the last write has won");
    while (done_count < 10) run_one();
    bool good = true;
    for (int i = 0; i < 10; i++) good &= done_order[i] == i;
    ok(good, "completions come in the order of submission");
    uint8_t now[512] = { 0 };
    if (block_read_now(img, 3, 1, now)) ok(now[0] == 9, "the page cache answers at once");
    memset(buf[0], 77, 512);
    block_submit(img, &r[0]);
    block_close(img);
    ok(byte_at(path, 3 * 512) == 77, "closing waits for what is under way");
    run_one(); /* its completion is still ours to take */
}

static void test_cache_modes(void)
{
    static _Alignas(4096) uint8_t buf[16384];
    const char *path = make_file("cache", 10000, 3); /* not a multiple of a page, for O_DIRECT */
    for (int mode = BLOCK_CACHE_WRITEBACK; mode <= BLOCK_CACHE_UNSAFE; mode++) {
        BlockImage *img = OPEN(path, .cache = (BlockCache)mode);
        if (!img) {
            ok(strstr(error, "page cache") != NULL, "cache=%s: not on this file system",
               block_cache_name((BlockCache)mode));
            continue;
        }
        memset(buf, 0x40 + mode, sizeof buf);
        bool good = run(img, BLOCK_WRITE, 0, 8, buf) == 0 && run(img, BLOCK_WRITE, 9, 3, buf + 512) == 0;
        memset(buf, 0, sizeof buf);
        good &= run(img, BLOCK_READ, 0, 20, buf) == 0 && buf[0] == 0x40 + mode && buf[9 * 512] == 0x40 + mode &&
                buf[12 * 512] == 3 && buf[10001] == 0;
        good &= run(img, BLOCK_FLUSH, 0, 0, NULL) == 0;
        ok(good, "cache=%s", block_cache_name((BlockCache)mode));
        block_close(img);
    }
}

/* What has been acknowledged before the disk was full is there; what has not is reported. */
static void test_full_disk(void)
{
    const char *mnt = in_dir("small");
    if (!small_disk_mount(mnt, 256)) {
        ok(true, "full disk # SKIP no tmpfs can be mounted here");
        return;
    }
    char path[300];
    snprintf(path, sizeof path, "%s/img", mnt);
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    if (fd < 0 || ftruncate(fd, 1 << 20) < 0) ok(false, "sparse image");
    close(fd);
    BlockImage *img = OPEN(path);
    static uint8_t buf[32 * 512], back[32 * 512];
    uint32_t n = 0;
    int e = 0;
    for (; n < 64 && !e; n++) {
        memset(buf, (int)n + 1, sizeof buf);
        e = run(img, BLOCK_WRITE, n * 32, 32, buf);
    }
    ok(e == ENOSPC && n > 4 && n < 20, "the write that does not fit fails (the %uth)", n);
    bool good = run(img, BLOCK_FLUSH, 0, 0, NULL) == 0;
    for (uint32_t i = 0; i + 1 < n; i++) {
        memset(buf, (int)i + 1, sizeof buf);
        good &= run(img, BLOCK_READ, i * 32, 32, back) == 0 && memcmp(buf, back, sizeof buf) == 0;
    }
    ok(good, "all that was acknowledged is there");
    small_disk_grow(mnt, 2048);
    memset(buf, (int)n, sizeof buf);
    ok(run(img, BLOCK_WRITE, (n - 1) * 32, 32, buf) == 0, "with room again the same write succeeds");
    block_close(img);
    umount(mnt);
}

/* --- drives --------------------------------------------------------------------------------------------------------------- */
static struct {
    bool locked, open;
    int wanted, closed, changed;
} client;
static bool is_locked(void *o)
{
    (void)o;
    return client.locked;
}
static bool is_open(void *o)
{
    (void)o;
    return client.open;
}
static void wanted(void *o)
{
    (void)o;
    client.wanted++;
}
static void closing(void *o)
{
    (void)o;
    client.closed++;
}
static void changed(void *o)
{
    (void)o;
    client.changed++;
}

static char text[2048];
static void emit(void *opaque, const char *line)
{
    (void)opaque;
    strncat(text, line, sizeof text - strlen(text) - 2);
    strcat(text, "\n");
}

static void test_drives(void)
{
    const char *hd = make_file("hd", 4096, 1), *cd = make_file("cd", 8192, 2), *cd2 = make_file("cd2", 2048, 3);
    const DriveConfig cfg[] = {
        { .bus = DRIVE_IDE, .index = 0, .image.file = hd, .on_write_error = DRIVE_ERROR_ENOSPC },
        { .bus = DRIVE_IDE, .index = 2, .cdrom = true, .image.file = cd },
        { .bus = DRIVE_FLOPPY, .index = 0 },
    };
    DriveSet *set = drives_open(cfg, 3, &poster, error, sizeof error);
    ok(set != NULL, "three drives");
    static const DriveClient c = { closing, changed, is_locked, is_open, wanted };
    Drive *d = drives_find(set, "ide1-cd0");
    ok(d && d == drives_at(set, DRIVE_IDE, 2) && drive_is_removable(d) && block_is_read_only(drive_image(d)), "the CD");
    drive_attach(d, &c, NULL);
    drives_print(set, emit, NULL);
    ok(strstr(text, "ide0-hd0: ") &&
           strstr(text, "(raw)\n    Attached to:      ide.0, unit 0\n    Cache mode:       writeback\n") &&
           strstr(text, "(raw, read-only)\n    Attached to:      ide.1, unit 0\n    Removable device: not locked, tray "
                        "closed\n") &&
           strstr(text, "floppy0: [not inserted]\n    Attached to:      floppy drive A\n    Removable device: not "
                        "locked, tray closed\n"),
       "info block");
    ok(!drive_eject(set, "ide0-hd0", true, error, sizeof error) && strstr(error, "not removable"), "a disk stays");
    ok(!drive_eject(set, "ide1-cd1", false, error, sizeof error) && strstr(error, "nearest one is 'ide1-cd0'"),
       "unknown");
    client.locked = true;
    ok(!drive_eject(set, "ide1-cd0", false, error, sizeof error) && strstr(error, "is locked") && client.wanted == 1,
       "locked: the guest is asked");
    ok(drive_eject(set, "ide1-cd0", true, error, sizeof error) && client.closed == 1 && client.changed == 1 &&
           !drive_image(d),
       "unless forced");
    client.locked = false;
    ok(drive_change(set, "ide1-cd0", cd2, -1, error, sizeof error) && block_sectors(drive_image(d)) == 4 &&
           client.changed == 2,
       "another one");
    ok(!drive_change(set, "ide1-cd0", in_dir("none"), -1, error, sizeof error) && drive_image(d) && client.changed == 2,
       "a wrong name leaves it in");
    ok(drive_change(set, "floppy0", hd, -1, error, sizeof error) == false && strstr(error, "in use"), "not one in use");
    Drive *disk = drives_at(set, DRIVE_IDE, 0);
    ok(drive_error_action(disk, true, ENOSPC) == DRIVE_ERROR_STOP, "a full host disk stops the machine");
    ok(drive_error_action(disk, true, EIO) == DRIVE_ERROR_REPORT, "a broken one is reported");
    ok(drive_error_action(disk, false, EIO) == DRIVE_ERROR_REPORT, "when read, too");
    drives_close(set);
    const DriveConfig twice[] = { cfg[0], cfg[0] };
    ok(!drives_open(twice, 2, &poster, error, sizeof error) && strstr(error, "two drives"), "two at one place");
}

/* What the machine does with -icount: it is told at once, and asks when its time has come. */
static void test_later(void)
{
    static const BlockPoster later = { .post = post, .later = post };
    uint8_t a[512], b[512];
    BlockOptions opt = { .file = make_file("later", 1024, -1) };
    BlockImage *img = block_open(&opt, &later, error, sizeof error);
    ok(!block_read_now(img, 0, 1, a), "finished requests later: nothing is answered at once");
    BlockRequest r[3] = {
        { .op = BLOCK_READ, .count = 1, .buf = a, .done = on_done, .opaque = (void *)1 },
        { .op = BLOCK_READ, .sector = 1, .count = 1, .buf = b, .done = on_done, .opaque = (void *)2 },
        { .op = BLOCK_READ, .sector = 2, .count = 1, .buf = b, .done = on_done, .opaque = (void *)3 },
    };
    unsigned told = queue.tail;
    int before = done_count;
    for (int i = 0; i < 3; i++) block_submit(img, &r[i]);
    ok(queue.tail - told == 3 && done_count == before, "told of each when it is submitted");
    run_one();
    ok(done_count == before + 1 && !r[0].error && a[1] == 1 && a[511] == (uint8_t)511, "asked for, it is done");
    block_close(img);
    run_one();
    run_one();
    ok(done_count == before + 3 && !r[1].error && b[0] == 1 && r[2].error == EINVAL && queue.tail - told == 3,
       "also when the image has been closed meanwhile, and only once");
}

/* An image that the program carries in itself. */
static void test_built_in(void)
{
    static const uint8_t bytes[600] = { [0] = 0xea, [511] = 0xaa, [599] = 7 };
    static const BlockBuiltIn carried = { bytes, sizeof bytes, 4 * 512 };
    DriveConfig cfg = { .bus = DRIVE_FLOPPY, .image = { .file = "carried", .built_in = &carried } };
    uint8_t buf[4 * 512];
    DriveSet *set = drives_open(&cfg, 1, &poster, error, sizeof error);
    Drive *d = set ? drives_at(set, DRIVE_FLOPPY, 0) : NULL;
    BlockImage *img = d ? drive_image(d) : NULL;
    ok(img && block_sectors(img) == 4 && block_is_read_only(img), "built in: of the size it says, read-only");
    int failed = img ? block_read_sync(img, 0, 4, buf) : EIO;
    ok(!failed && !memcmp(buf, bytes, sizeof bytes) && buf[600] == 0 && buf[4 * 512 - 1] == 0,
       "... its bytes, then zeros");
    ok(img && run(img, BLOCK_WRITE, 0, 1, buf) != 0, "... not to be written");
    bool other = drive_change(set, "floppy0", make_file("medium", 1024, 5), -1, error, sizeof error);
    img = drive_image(d);
    ok(other && block_sectors(img) == 2 && !block_is_read_only(img) && !run(img, BLOCK_WRITE, 0, 1, buf),
       "another medium in its drive is what it is");
    drives_close(set);
}

int main(void)
{
    if (!mkdtemp(dir)) return 1;
    test_later();
    test_refusals();
    test_odd_size();
    test_built_in();
    test_locks();
    test_overlay();
    test_raw_cd();
    test_discard();
    test_order();
    test_cache_modes();
    test_drives();
    test_full_disk();
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) != 0 || tap_done();
}
