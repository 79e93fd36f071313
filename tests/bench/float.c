/* Floating point: the x87, SSE2 and the C library's functions, which use both as they like. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workload.h"

static uint32_t bits_of(double x)
{
    uint64_t v;
    memcpy(&v, &x, sizeof v);
    return (uint32_t)(v ^ v >> 32);
}

/* The Mandelbrot set in 80-bit arithmetic. */
static uint32_t x87(uint32_t times)
{
    enum { SIZE = 32, LIMIT = 200 };
    uint32_t sum = 0;
    for (uint32_t t = 0; t < times; t++)
        for (int row = 0; row < SIZE; row++)
            for (int column = 0; column < SIZE; column++) {
                long double cr = -2 + 2.5L * column / SIZE, ci = -1.25L + 2.5L * row / SIZE, r = 0, i = 0;
                int n = 0;
                while (n < LIMIT && r * r + i * i < 4) {
                    long double new_r = r * r - i * i + cr;
                    i = 2 * r * i + ci;
                    r = new_r;
                    n++;
                }
                sum = sum * 3 + (uint32_t)n + t;
            }
    return sum;
}

typedef double Pair __attribute__((vector_size(16)));

/* Linear algebra on doubles, two at a time. */
static uint32_t sse2(uint32_t times)
{
    enum { N = 64 };
    static double a[N][N];
    static Pair x[N][N / 2], y[N][N / 2];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = i == j ? 1 : 1.0 / (1 + i + 2 * j);
            x[i][j / 2][j % 2] = i - j * 0.5;
            y[i][j / 2][j % 2] = 0;
        }
    for (uint32_t t = 0; t < times; t++) {
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N; k++) {
                Pair f = (Pair){ a[i][k], a[i][k] } * 0.125;
                for (int j = 0; j < N / 2; j++) y[i][j] += f * x[k][j];
            }
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N / 2; j++) x[i][j] = x[i][j] * 0.5 + y[i][j] * 0.25, y[i][j] *= 0.125;
    }
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) sum += x[i][j / 2][j % 2];
    return bits_of(sum);
}

/* To six digits: the last bits may be the host's library's own. */
static uint32_t libm(uint32_t times)
{
    double sum = 0;
    for (uint32_t i = 0; i < times * 100; i++) {
        double x = i * 0.0001;
        sum += sin(x) * cos(x * 0.5) + exp(-x) + log(1 + x) + sqrt(x) + pow(1.0001, x) + floor(x);
    }
    int exponent;
    return (uint32_t)(frexp(sum, &exponent) * 1e6) + (uint32_t)exponent;
}

const Workload float_workloads[] = {
    { "x87", "float", x87, 80 },
    { "sse2", "float", sse2, 400 },
    { "libm", "float", libm, 2500 },
    { 0 },
};
