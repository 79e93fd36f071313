/* What a driver does at the ports of an IDE function, for its tests. */
#ifndef CALQUE_TESTS_HW_IDE_DRIVER_H
#define CALQUE_TESTS_HW_IDE_DRIVER_H

#include "fake_ide.h"

enum { P = 0x1f0, S = 0x170 };
static FakeIde t;
static uint16_t base = P;
static uint8_t buf[1 << 17];

/* --- as a driver does it ---------------------------------------------------------------------------------------------- */

static inline void out(unsigned reg, uint8_t v)
{
    out8(&t.f, (uint16_t)(base + reg), v);
}
static inline uint8_t in(unsigned reg)
{
    return in8(&t.f, (uint16_t)(base + reg));
}
static inline bool irq(void)
{
    return t.f.line[base == P ? 14 : 15];
}

static inline void set_lba(uint32_t lba, unsigned count)
{
    out(2, (uint8_t)count);
    out(3, (uint8_t)lba);
    out(4, (uint8_t)(lba >> 8));
    out(5, (uint8_t)(lba >> 16));
    out(6, (uint8_t)(0xe0 | (in(6) & 0x10) | lba >> 24));
}
static inline void set_lba48(uint64_t lba, unsigned count)
{
    out(2, (uint8_t)(count >> 8));
    out(2, (uint8_t)count);
    for (int i = 0; i < 3; i++) {
        out(3 + i, (uint8_t)(lba >> (24 + 8 * i)));
        out(3 + i, (uint8_t)(lba >> 8 * i));
    }
    out(6, 0x40 | (in(6) & 0x10));
}

static inline uint8_t command(uint8_t c)
{
    out(7, c);
    return fake_wait(&t, base);
}

static inline void pull(uint8_t *to, unsigned n)
{
    for (unsigned i = 0; i < n; i += 2) {
        uint32_t v = ioports_read(t.f.io, base, 2);
        to[i] = (uint8_t)v;
        to[i + 1] = (uint8_t)(v >> 8);
    }
}
static inline void push(const uint8_t *from, unsigned n)
{
    for (unsigned i = 0; i < n; i += 4) {
        uint32_t v;
        memcpy(&v, from + i, 4);
        ioports_write(t.f.io, base, v, 4);
    }
}

/* The PIO data of a read; the number of DRQ blocks. */
static inline unsigned pull_blocks(uint8_t *to, unsigned bytes, unsigned block)
{
    unsigned n = 0;
    for (unsigned at = 0; at < bytes; n++) {
        uint8_t st = fake_wait(&t, base);
        if ((st & 0x89) != 0x08 || !irq()) break;
        in(7);
        unsigned size = bytes - at < block ? bytes - at : block;
        pull(to + at, size);
        at += size;
    }
    return n;
}

static inline bool is_pattern(const uint8_t *p, uint32_t sector, uint32_t n)
{
    for (uint32_t i = 0; i < n * 128; i++) {
        uint32_t v;
        memcpy(&v, p + 4 * i, 4);
        if (v != ((sector + i / 128) << 8 | i % 128)) return false;
    }
    return true;
}

static inline uint16_t word(const uint8_t *p, unsigned n)
{
    return (uint16_t)(p[2 * n] | p[2 * n + 1] << 8);
}

/* --- DMA ------------------------------------------------------------------------------------------------------------------ */
enum { TABLE = 0x8000, DATA = 0x20000 };
static unsigned prd_n;
static inline uint16_t bm(void)
{
    return base == P ? FAKE_BM : FAKE_BM + 8;
}
static inline void prd(uint32_t addr, uint32_t count, bool last)
{
    phys_st(t.f.phys, TABLE + 8 * prd_n, addr, 4);
    phys_st(t.f.phys, TABLE + 8 * prd_n++ + 4, (count & 0xffff) | (last ? 0x80000000u : 0), 4);
}
static inline void bm_start(bool to_memory)
{
    out8(&t.f, bm() + 2, 6);
    ioports_write(t.f.io, bm() + 4, TABLE, 4);
    out8(&t.f, bm(), to_memory ? 9 : 1);
    prd_n = 0;
}
static inline uint8_t bm_stop(void)
{
    uint8_t st = in8(&t.f, bm() + 2);
    out8(&t.f, bm(), 0);
    return st & 7;
}

#endif
