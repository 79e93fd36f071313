/* The host's disk becomes full while a guest writes: the machine pauses and says so (werror=enospc, the default), goes on with
 * the same write when there is room, and everything that the guest was told to be written is there; or, as asked for, the
 * guest gets an error. */
#include "../monitor/session.h"
#include "small_disk.h"

enum { CHUNK = 4096, CHUNKS = 48, SMALL_KIB = 96, LARGE_KIB = 1024 };

/* Writes CHUNKS times 4096 bytes from sector 0 on, chunk n filled with the dword n + 1, with a cache flush after each; '.' for
 * each that is acknowledged, E for an error, D when all is done. */
static const uint8_t writer[] = {
    0x02, 0xb0, 0xad, 0x1b, 0x00, 0x00, 0x01, 0x00,   0xfe, 0x4f, 0x51, 0xe4, /* Multiboot: magic, flags, checksum */
    0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x10, 0x00,   0,    0,    0,    0,    /* loaded as it is at 1 MiB */
    0,    0,    0,    0,    0x20, 0x00, 0x10, 0x00,   0x31, 0xdb,             /*       xor ebx, ebx */
    0xba, 0xf2, 0x01, 0x00, 0x00,                                             /* next: mov edx, 0x1f2 */
    0xb0, 0x08, 0xee, 0x42, /*       8 sectors:      mov al, 8; out dx, al; inc edx */
    0x89, 0xd8, 0xc1, 0xe0, 0x03, 0xee, 0x42, 0x88,   0xe0, 0xee, /*       LBA is ebx * 8 */
    0x42, 0xb0, 0x00, 0xee, 0x42, 0xb0, 0xe0, 0xee,   0x42,       /*       (its upper bits are 0) */
    0xb0, 0xc5, 0xee,                                             /*       WRITE MULTIPLE: mov al, 0xc5; out dx, al */
    0xec, 0xa8, 0x80, 0x75, 0xfb, /*       while BSY:      in al, dx; test al, 0x80; jnz */
    0xba, 0xf0, 0x01, 0x00, 0x00, 0xb9, 0x00, 0x04,   0x00, 0x00, /*       mov edx, 0x1f0; mov ecx, 1024 */
    0x8d, 0x43, 0x01, 0xef, 0xe2, 0xfd,                           /*       lea eax, [ebx + 1]; out dx, eax; loop */
    0xba, 0xf7, 0x01, 0x00, 0x00, 0xec, 0xa8, 0x80,   0x75, 0xfb, /*       while BSY */
    0xa8, 0x01, 0x75, 0x1a,                                       /*       ERR? fail */
    0xb0, 0xe7, 0xee, 0xec, 0xa8, 0x80, 0x75, 0xfb,               /*       FLUSH CACHE; while BSY */
    0xa8, 0x01, 0x75, 0x0e,                                       /*       ERR? fail */
    0xb0, '.',  0xe6, 0xe9, 0x43, 0x83, 0xfb, CHUNKS,             /*       mov al, '.'; out 0xe9, al; inc ebx; cmp */
    0x72, 0xa8, 0xb0, 'D',  0xeb, 0x02,                           /*       jb next; mov al, 'D'; jmp say */
    0xb0, 'E',  0xe6, 0xe9, 0xf4, 0xeb, 0xfd,                     /* fail: mov al, 'E'; say: out 0xe9, al; hlt; jmp */
};

static char small[80], image[96], errors[80];

static void start(const char *rule)
{
    char debugcon[80], monitor[100], drive[160];
    snprintf(debugcon, sizeof debugcon, "file:%s", keys);
    snprintf(monitor, sizeof monitor, "unix:%s,server,nowait", sock);
    snprintf(drive, sizeof drive, "file=%s,format=raw%s", image, rule);
    fflush(stdout);
    child = fork();
    if (child) return;
    int to = open(errors, O_CREAT | O_TRUNC | O_WRONLY, 0600), null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(to, 2);
    alarm(60);
    execl(exe, exe, "-display", "none", "-bios", "none", "-m", "16", "-kernel", guest, "-debugcon", debugcon, "-drive",
          drive, "-monitor", monitor, (char *)NULL);
    _exit(127);
}

static size_t read_text(const char *path, char *text, size_t size)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, size - 1, f) : 0;
    if (f) fclose(f);
    text[n] = 0;
    return n;
}

/* Chunks acknowledged so far. */
static unsigned dots(void)
{
    char text[CHUNKS + 8];
    read_text(keys, text, sizeof text);
    return (unsigned)strspn(text, ".");
}

static bool status_becomes(const char *want)
{
    for (int i = 0; i < 200; i++) {
        if (tell("info status") && strstr(answer, want)) return true;
        usleep(20000);
    }
    diag("not '%s' but: %s", want, answer);
    return false;
}

static bool heard_becomes(char last)
{
    char text[CHUNKS + 8];
    for (int i = 0; i < 500; i++) {
        size_t n = read_text(keys, text, sizeof text);
        if (n && text[n - 1] == last) return true;
        usleep(10000);
    }
    diag("the guest said: %s", text);
    return false;
}

/* The first n chunks are in the file as the guest wrote them. */
static bool chunks_are_there(unsigned n)
{
    static uint32_t chunk[CHUNK / 4];
    FILE *f = fopen(image, "rb");
    bool good = f != NULL;
    for (unsigned i = 0; good && i < n; i++) {
        good = fread(chunk, 1, CHUNK, f) == CHUNK;
        for (unsigned k = 0; good && k < CHUNK / 4; k++) good = chunk[k] == i + 1;
        if (!good) diag("chunk %u is not there", i);
    }
    if (f) fclose(f);
    return good;
}

static bool new_image(void)
{
    int file = open(image, O_CREAT | O_TRUNC | O_RDWR, 0600);
    bool good = file >= 0 && ftruncate(file, 1 << 20) == 0;
    if (file >= 0) close(file);
    unlink(keys);
    return good && small_disk_grow(small, SMALL_KIB);
}

static void test_pause(void)
{
    char text[512];
    ok(new_image(), "an image larger than its file system");
    start("");
    if (!ok(connect_to(sock) && hear() && status_becomes("VM status: paused (io-error)"), "the machine pauses")) return;
    unsigned n = dots();
    ok(n > 4 && n <= SMALL_KIB / 4, "after %u chunks", n);
    read_text(errors, text, sizeof text);
    ok(strstr(text, image) && strstr(text, "No space left on device") && strstr(text, "'cont' tries again") &&
           strchr(text, '\n') == strrchr(text, '\n'),
       "one line says what, where and what to do");
    ok(chunks_are_there(n), "what was acknowledged is in the file");
    ok(tell("cont") && status_becomes("VM status: paused (io-error)") && dots() == n, "still full: paused again");
    ok(small_disk_grow(small, LARGE_KIB) && tell("cont") && heard_becomes('D'), "with room the guest gets to its end");
    ok(dots() == CHUNKS, "without an error");
    ok(write(fd, "quit\n", 5) == 5 && exit_status() == 0 && chunks_are_there(CHUNKS), "and all of it is in the file");
    close(fd);
}

static void test_killed(void)
{
    ok(new_image(), "again");
    start("");
    if (!ok(connect_to(sock) && hear() && status_becomes("VM status: paused (io-error)"), "paused")) return;
    unsigned n = dots();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(fd);
    unlink(sock);
    ok(chunks_are_there(n), "killed there: what was acknowledged stays");
}

static void test_report(void)
{
    ok(new_image(), "with werror=report");
    start(",werror=report");
    if (!ok(connect_to(sock) && hear() && heard_becomes('E'), "the guest's drive reports an error")) return;
    unsigned n = dots();
    ok(status_becomes("VM status: running"), "the machine runs on");
    ok(write(fd, "quit\n", 5) == 5 && exit_status() == 0 && chunks_are_there(n), "what was acknowledged is there");
    close(fd);
}

int main(void)
{
    if (!session_begin()) return 1;
    snprintf(small, sizeof small, "%s/small", folder);
    snprintf(image, sizeof image, "%s/image", small);
    snprintf(errors, sizeof errors, "%s/errors", folder);
    FILE *f = fopen(guest, "wb");
    if (!f || fwrite(writer, 1, sizeof writer, f) != sizeof writer || fclose(f)) return 1;
    if (small_disk_mount(small, SMALL_KIB)) {
        test_pause();
        test_killed();
        test_report();
        umount(small);
    } else {
        ok(true, "full disk # SKIP no tmpfs can be mounted here");
    }
    rmdir(small);
    unlink(errors);
    session_end();
    return tap_done();
}
