/* ui/tone.h: waves to samples. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "ui/tone.h"

enum { RATE = 44100, N = RATE / 4 };
#define START   UINT64_C(1000000000000)
#define FOREVER UINT64_MAX

static Tone t;
static int16_t out[N];

static SpeakerWave square(double hz)
{
    uint64_t half = (uint64_t)(0.5e9 / hz);
    return (SpeakerWave){ .level = true, .first_ns = half, .high_ns = half, .low_ns = half };
}

static void begin(void)
{
    memset(&t, 0, sizeof t);
    tone_alive(&t, FOREVER);
}

/* Rising edges, to a fraction of a sample, over all samples but the first few. */
static double frequency(const int16_t *s, unsigned n)
{
    double first = -1, last = -1;
    unsigned edges = 0;
    for (unsigned i = 100; i + 1 < n; i++) {
        if (!(s[i] < 0 && s[i + 1] >= 0)) continue;
        last = i + (double)-s[i] / (s[i + 1] - s[i]);
        if (first < 0) first = last;
        edges++;
    }
    return edges > 1 ? (edges - 1) * RATE / (last - first) : 0;
}

static int loudest(const int16_t *s, unsigned n)
{
    int most = 0;
    for (unsigned i = 0; i < n; i++)
        if (abs(s[i]) > most) most = abs(s[i]);
    return most;
}

static void test_frequencies(void)
{
    static const double list[] = { 100, 440, 1000, 1193.182, 4186.01, 10000 };
    for (unsigned i = 0; i < sizeof list / sizeof list[0]; i++) {
        begin();
        SpeakerWave w = square(list[i]);
        tone_put(&t, START, &w);
        ok(tone_render(&t, START, RATE, out, N), "%g Hz: a sound", list[i]);
        double hz = frequency(out, N);
        if (!ok(fabs(hz - list[i]) < list[i] * 0.005, "%g Hz", list[i])) diag("%g", hz);
    }
    begin();
    SpeakerWave w = square(300000);
    tone_put(&t, START, &w);
    tone_render(&t, START, RATE, out, N);
    ok(loudest(out + N / 2, N / 2) < 300, "300 kHz is not heard as something else");
}

static void test_pieces(void)
{
    static int16_t whole[N];
    SpeakerWave w = square(700), off = { 0 };
    begin();
    tone_put(&t, START + 1000000, &w);
    tone_put(&t, START + 100000000, &off);
    tone_render(&t, START, RATE, whole, N);
    ok(loudest(whole, 40) == 0 && loudest(whole + 50, 4000) > 5000, "silence until it begins");
    ok(loudest(whole + 5000, N - 5000) < 400, "and when it has ended");
    begin();
    tone_put(&t, START + 1000000, &w);
    tone_put(&t, START + 100000000, &off);
    for (unsigned at = 0; at < N; at += 441)
        tone_render(&t, START + at * UINT64_C(1000000000) / RATE, RATE, out + at, 441);
    int worst = 0;
    for (unsigned i = 0; i < N; i++)
        if (abs(out[i] - whole[i]) > worst) worst = abs(out[i] - whole[i]);
    ok(worst <= 40, "in pieces as in one (%d)", worst);
    ok(!tone_render(&t, START + 2000000000, RATE, out, N) || loudest(out + N / 2, N / 2) == 0, "then there is silence");
    ok(!tone_render(&t, START + 3000000000, RATE, out, N), "which is said");
}

/* One-shots of a varying width, as programs do that play samples: loudness follows the width. */
static void test_pulses(void)
{
    begin();
    static int16_t pwm[N];
    for (unsigned i = 0; i < 4000; i++) {
        double want = 0.5 + 0.4 * sin(2 * M_PI * 500 * i / 16000);
        uint64_t width = (uint64_t)(62500 * want);
        SpeakerWave w = { .level = true, .first_ns = width };
        tone_put(&t, START + i * UINT64_C(62500), &w);
    }
    tone_render(&t, START, RATE, pwm, N);
    double re = 0, im = 0, all = 0;
    for (unsigned i = N / 4; i < N; i++) {
        re += pwm[i] * cos(2 * M_PI * 500 * i / RATE);
        im += pwm[i] * sin(2 * M_PI * 500 * i / RATE);
        all += (double)pwm[i] * pwm[i];
    }
    unsigned n = N - N / 4;
    double tone = 2 * (re * re + im * im) / n;
    ok(tone / all > 0.5, "pulse width is heard as 500 Hz (%.2f of the power)", tone / all);
}

static void test_limits(void)
{
    SpeakerWave w = square(1000);
    begin();
    unsigned n = 0;
    while (tone_put(&t, START, &w)) n++;
    ok(n == TONE_RING && tone_render(&t, START, RATE, out, 10) && tone_is_empty(&t), "a full ring says so");
    begin();
    tone_put(&t, START, &w);
    tone_alive(&t, START + 50000000);
    tone_render(&t, START, RATE, out, N);
    ok(loudest(out, 2000) > 5000 && loudest(out + 3000, N - 3000) < 400, "a machine that stands still falls silent");
    begin();
    SpeakerWave high = { .level = true };
    tone_put(&t, START, &high);
    tone_render(&t, START, RATE, out, N);
    ok(out[0] > 5000 && loudest(out + N / 2, N / 2) < 100, "a constant level is a click");
    begin();
    SpeakerWave odd = { .level = true, .first_ns = 1, .high_ns = UINT64_MAX / 4, .low_ns = 1 };
    tone_put(&t, 0, &odd);
    tone_put(&t, UINT64_MAX - 5, &odd);
    ok(tone_render(&t, START, RATE, out, N), "odd waves do no harm");
}

int main(void)
{
    test_frequencies();
    test_pieces();
    test_pulses();
    test_limits();
    return tap_done();
}
