/* The PC speaker as it is heard: a guest programs a tone, SDL's "disk" driver writes what would go to the sound card, and the file
 * is measured. */
#include "../monitor/session.h"

#include <stdlib.h>

enum { COUNT = 1193182 / 1000, RATE = 44100 };

/* Counter 2: mode 3, COUNT; gate and speaker on; R to port e9h; halt. */
static const uint8_t beeper[] = {
    0x02, 0xb0,        0xad, 0x1b, 0x00, 0x00, 0x01, 0x00, 0xfe, 0x4f, 0x51, 0xe4, /* Multiboot: magic, flags, checksum */
    0x00, 0x00,        0x10, 0x00, 0x00, 0x00, 0x10, 0x00, 0,    0,    0,    0,    0,
    0,    0,           0,    0x20, 0x00, 0x10, 0x00, 0xb0, 0xb6, 0xe6, 0x43, /* mov al, 0xb6; out 0x43, al */
    0xb0, COUNT & 255, 0xe6, 0x42,                                           /* mov al, low; out 0x42, al */
    0xb0, COUNT >> 8,  0xe6, 0x42,                                           /* mov al, high; out 0x42, al */
    0xb0, 0x03,        0xe6, 0x61,                                           /* mov al, 3; out 0x61, al */
    0xb0, 'R',         0xe6, 0xe9,                                           /* mov al, 'R'; out 0xe9, al */
    0xf4, 0xeb,        0xfd,                                                 /* hlt; jmp hlt */
};

static char sound[80];

static void start(const char *audiodev)
{
    char debugcon[80], monitor[100];
    snprintf(debugcon, sizeof debugcon, "file:%s", keys);
    snprintf(monitor, sizeof monitor, "unix:%s,server,nowait", sock);
    unlink(keys);
    fflush(stdout);
    child = fork();
    if (child) return;
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    alarm(60);
    setenv("SDL_AUDIODRIVER", "disk", 1);
    setenv("SDL_DISKAUDIOFILE", sound, 1);
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* D-Bus, which SDL loads, leaves its own behind */
    execl(exe, exe, "-display", "none", "-bios", "none", "-m", "16", "-kernel", guest, "-debugcon", debugcon,
          "-audiodev", audiodev, "-machine", "pcspk-audiodev=snd", "-monitor", monitor, (char *)NULL);
    _exit(127);
}

static int16_t *samples;
static size_t read_sound(void)
{
    FILE *f = fopen(sound, "rb");
    if (!f) return 0;
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f) / sizeof *samples;
    rewind(f);
    free(samples);
    samples = malloc((n + 1) * sizeof *samples);
    n = fread(samples, sizeof *samples, n, f);
    fclose(f);
    return n;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of the distances of rising edges: a gap, where the host was busy, does not change it. */
static double frequency(size_t n, size_t *edges)
{
    double *period = malloc((n + 1) * sizeof *period), last = -1, hz = 0;
    *edges = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        if (!(samples[i] < 0 && samples[i + 1] >= 0)) continue;
        double at = (double)i + (double)-samples[i] / (samples[i + 1] - samples[i]);
        if (last >= 0) period[(*edges)++] = at - last;
        last = at;
    }
    qsort(period, *edges, sizeof *period, compare);
    double sum = 0;
    size_t from = *edges / 4, to = *edges - *edges / 4; /* the middle half: one edge is only as exact as a sample */
    for (size_t i = from; i < to; i++) sum += period[i];
    if (to > from) hz = RATE / (sum / (double)(to - from));
    free(period);
    return hz;
}

static size_t sounding(size_t n)
{
    size_t loud = 0;
    for (size_t i = 0; i < n; i++) loud += abs(samples[i]) > 2000;
    return loud;
}

static void test_tone(void)
{
    start("sdl,id=snd");
    if (!ok(connect_to(sock) && hear() && keys_are("R", 1), "the guest beeps")) return;
    for (int i = 0; i < 100 && read_sound() < RATE; i++) usleep(100000);
    size_t edges, n = read_sound();
    double hz = frequency(n, &edges);
    ok(edges > 300, "%zu periods in %zu samples", edges, n);
    ok(hz > 995 && hz < 1005, "of 1000 Hz (%.1f)", hz);
    ok(tell("stop"), "the machine stops");
    usleep(500000);
    size_t before = sounding(read_sound());
    usleep(300000);
    ok(sounding(read_sound()) == before, "and with it the sound");
    ok(tell("cont"), "it goes on");
    for (int i = 0; i < 100 && sounding(read_sound()) < before + RATE / 10; i++) usleep(50000);
    ok(sounding(read_sound()) >= before + RATE / 10, "with its sound");
    tell("o /b 0x61 0");
    usleep(500000);
    before = sounding(read_sound());
    usleep(300000);
    ok(sounding(read_sound()) == before, "the gate closed: silence");
    ok(write(fd, "quit\n", 5) == 5 && exit_status() == 0, "quit");
    close(fd);
}

static void test_none(void)
{
    unlink(sound);
    start("none,id=snd");
    ok(connect_to(sock) && hear() && keys_are("R", 1), "with -audiodev none");
    usleep(300000);
    ok(access(sound, F_OK) != 0, "the host's sound is left alone");
    ok(write(fd, "quit\n", 5) == 5 && exit_status() == 0, "quit");
    close(fd);
}

int main(void)
{
    if (!session_begin()) return 1;
    snprintf(sound, sizeof sound, "%s/sound", folder);
    FILE *f = fopen(guest, "wb");
    if (!f || fwrite(beeper, 1, sizeof beeper, f) != sizeof beeper || fclose(f)) return 1;
    test_tone();
    test_none();
    free(samples);
    unlink(sound);
    session_end();
    return tap_done();
}
