/* The DMA controllers by data sheet, and random traffic. */
#include "hw/i8237.h"
#include "fake.h"

#include <string.h>

static Fake f;
static I8237 *dma;

/* A device that has, or takes, so many bytes. */
typedef struct Toy {
    unsigned channel;
    uint8_t bytes[70000];
    uint32_t pos, len;
    uint32_t most; /* at a time; 0: all */
    int tc;
    DmaType type;
} Toy;
static Toy toy;

static uint32_t toy_move(void *opaque, uint8_t *buf, uint32_t n, DmaType type, bool tc)
{
    Toy *t = opaque;
    uint32_t k = n;
    if (t->most && k > t->most) k = t->most;
    if (k > t->len - t->pos) k = t->len - t->pos;
    if (type == DMA_TO_MEMORY)
        memcpy(buf, t->bytes + t->pos, k);
    else
        memcpy(t->bytes + t->pos, buf, k);
    t->pos += k;
    t->type = type;
    if (tc && k == n) t->tc++;
    if (t->pos == t->len || (tc && k == n)) i8237_set_dreq(dma, t->channel, false);
    return k;
}

static void toy_ready(unsigned channel, uint32_t len)
{
    toy = (Toy){ .channel = channel, .len = len };
    for (uint32_t i = 0; i < len; i++) toy.bytes[i] = (uint8_t)(i * 7 + i / 256 + 1);
    i8237_connect(dma, channel, toy_move, &toy);
}

static const uint8_t page_port[8] = { 0x87, 0x83, 0x81, 0x82, 0x8f, 0x8b, 0x89, 0x8a };

static uint16_t port_of(unsigned channel, unsigned reg)
{
    return (uint16_t)(channel < 4 ? reg : 0xc0 + 2 * reg);
}

/* address: in bytes; count: of transfers */
static void program(unsigned ch, uint8_t mode, uint32_t address, uint32_t count)
{
    uint32_t a = ch < 4 ? address : address >> 1, c = count - 1;
    out8(&f, port_of(ch, 10), 4 | (ch & 3)); /* mask */
    out8(&f, port_of(ch, 12), 0);
    out8(&f, port_of(ch, 11), mode | (ch & 3));
    out8(&f, port_of(ch, (ch & 3) * 2), (uint8_t)a);
    out8(&f, port_of(ch, (ch & 3) * 2), (uint8_t)(a >> 8));
    out8(&f, port_of(ch, (ch & 3) * 2 + 1), (uint8_t)c);
    out8(&f, port_of(ch, (ch & 3) * 2 + 1), (uint8_t)(c >> 8));
    out8(&f, page_port[ch], (uint8_t)(address >> 16));
}
static void unmask(unsigned ch)
{
    out8(&f, port_of(ch, 10), ch & 3);
}

static uint16_t get16(unsigned ch, unsigned reg)
{
    out8(&f, port_of(ch, 12), 0);
    uint8_t low = in8(&f, port_of(ch, reg));
    return (uint16_t)(low | in8(&f, port_of(ch, reg)) << 8);
}
static uint16_t address(unsigned ch)
{
    return get16(ch, (ch & 3) * 2);
}
static uint16_t count(unsigned ch)
{
    return get16(ch, (ch & 3) * 2 + 1);
}

static bool memory_is(uint32_t at, const void *want, size_t n)
{
    static uint8_t got[70000];
    phys_read(f.phys, at, got, n);
    return memcmp(got, want, n) == 0;
}

enum {
    TO_MEMORY = 4,
    FROM_MEMORY = 8,
    AUTO = 0x10,
    DOWN = 0x20,
    DEMAND = 0,
    SINGLE = 0x40,
    BLOCK = 0x80,
    CASCADED = 0xc0
};

static void test_registers(void)
{
    IS(in8(&f, 0x0f), 15, "all channels are masked after RESET");
    out8(&f, 0x0c, 0);
    out8(&f, 0x02, 0x34);
    out8(&f, 0x02, 0x12);
    IS(address(1), 0x1234, "address: low byte, high byte");
    out8(&f, 0x0c, 0);
    out8(&f, 0x03, 0x78);
    out8(&f, 0x0d, 0);
    out8(&f, 0x03, 0x99);
    IS(count(1) & 0xff, 0x99, "master clear sets the flip-flop to the low byte");
    out8(&f, 0x12, 0x55);
    IS(address(1) & 0xff, 0x55, "aliases at 10h");
    out8(&f, 0x0e, 0);
    IS(in8(&f, 0x0f), 0, "clear mask register");
    out8(&f, 0x0f, 0xfa);
    IS(in8(&f, 0x0f), 10, "write all mask bits");
    out8(&f, 0x0a, 4);
    IS(in8(&f, 0x0f), 11, "set one mask bit");
    out8(&f, 0x0a, 1);
    IS(in8(&f, 0x0f), 9, "clear one mask bit");
    for (unsigned i = 0; i < 8; i++) out8(&f, page_port[i], (uint8_t)(i + 0x30));
    bool good = true;
    for (unsigned i = 0; i < 8; i++) good &= in8(&f, page_port[i]) == i + 0x30;
    ok(good, "page registers");
}

static void test_cascade(void)
{
    toy_ready(2, 16);
    program(2, SINGLE | TO_MEMORY, 0x20000, 16);
    unmask(2);
    i8237_set_dreq(dma, 2, true);
    IS(toy.pos, 0, "nothing passes before the cascade is programmed");
    IS(in8(&f, 0x08) & 0xf0, 0x40, "but the request is seen");
    out8(&f, 0xd6, CASCADED);
    IS(toy.pos, 0, "nor while channel 4 is masked");
    out8(&f, 0xd4, 0);
    IS(toy.pos, 16, "then it does");
    ok(memory_is(0x20000, toy.bytes, 16), "into memory");
    IS(in8(&f, 0x08), 0x04, "terminal count in the status");
    IS(in8(&f, 0x08), 0x00, "which reading clears");
    IS(in8(&f, 0x0f) & 4, 4, "the channel is masked");
    IS(count(2), 0xffff, "the count has gone past zero");
    IS(address(2), 0x10, "the address stands behind");
    IS(toy.tc, 1, "the device has seen it");
}

static void test_bytes(void)
{
    uint8_t text[1000];
    toy_ready(2, 1000);
    memcpy(text, toy.bytes, 1000);
    phys_write(f.phys, 0x31000, text, 1000);
    memset(toy.bytes, 0, 1000);
    program(2, SINGLE | FROM_MEMORY, 0x31000, 1000);
    i8237_set_dreq(dma, 2, true);
    IS(toy.pos, 0, "masked: it waits");
    unmask(2);
    ok(toy.pos == 1000 && memcmp(toy.bytes, text, 1000) == 0, "from memory");

    toy_ready(2, 300);
    program(2, DEMAND | TO_MEMORY, 0x2fff0, 1000);
    unmask(2);
    i8237_set_dreq(dma, 2, true);
    ok(memory_is(0x2fff0, toy.bytes, 16) && memory_is(0x20000, toy.bytes + 16, 284), "the address wraps in its page");
    IS(count(2), 699, "what is left of the count");
    IS(toy.tc, 0, "no terminal count yet");

    toy_ready(2, 256);
    program(2, SINGLE | TO_MEMORY | DOWN, 0x400ff, 256);
    unmask(2);
    i8237_set_dreq(dma, 2, true);
    uint8_t back[256];
    for (int i = 0; i < 256; i++) back[i] = toy.bytes[255 - i];
    ok(memory_is(0x40000, back, 256), "downwards");

    memset(text, 0xcc, 1000);
    phys_write(f.phys, 0x50000, text, 1000);
    toy_ready(2, 100);
    program(2, SINGLE, 0x50000, 100);
    unmask(2);
    i8237_set_dreq(dma, 2, true);
    ok(memory_is(0x50000, text, 1000) && toy.type == DMA_VERIFY && toy.tc == 1, "verify leaves memory alone");
    out8(&f, 0x08, 4);
    toy_ready(2, 8);
    program(2, SINGLE | TO_MEMORY, 0x50000, 8);
    unmask(2);
    i8237_set_dreq(dma, 2, true);
    IS(toy.pos, 0, "a disabled controller does nothing");
    out8(&f, 0x08, 0);
    IS(toy.pos, 8, "until it is enabled");
}

static void test_autoinit(void)
{
    toy_ready(1, 2500);
    program(1, SINGLE | TO_MEMORY | AUTO, 0x60000, 1000);
    unmask(1);
    i8237_set_dreq(dma, 1, true);
    ok(toy.pos == 1000 && toy.tc == 1, "the device stops at terminal count");
    ok(address(1) == 0 && count(1) == 999 && !(in8(&f, 0x0f) & 2), "all is as at the start");
    toy.most = 100;
    i8237_set_dreq(dma, 1, true);
    ok(toy.pos == 2000 && memory_is(0x60000, toy.bytes + 1000, 1000), "the second time round");
}

static void test_words(void)
{
    toy_ready(5, 70000);
    program(5, SINGLE | TO_MEMORY, 0x7fffe, 0x8000);
    unmask(5);
    i8237_set_dreq(dma, 5, true);
    IS(toy.pos, 0x10000, "32768 words");
    ok(memory_is(0x7fffe, toy.bytes, 2) && memory_is(0x60000, toy.bytes + 2, 0xfffe), "they wrap in 128 KiB");
    IS(address(5), 0x7fff, "the address counts words");
    IS(in8(&f, 0xd0), 2, "status of the second controller");
    toy_ready(7, 20);
    program(7, SINGLE | FROM_MEMORY, 0x61000, 10);
    out8(&f, 0x8a, 7); /* bit 0 of the page is not used */
    unmask(7);
    toy.most = 3;
    i8237_set_dreq(dma, 7, true);
    IS(toy.pos, 20, "a device that moves odd numbers of bytes is its own problem");
}

static void test_request(void)
{
    uint8_t ones[64];
    memset(ones, 0xff, sizeof ones);
    i8237_connect(dma, 3, NULL, NULL);
    program(3, BLOCK | TO_MEMORY, 0x30000, 64);
    out8(&f, 0x09, 4 | 3);
    ok(memory_is(0x30000, ones, 64), "a software request passes the mask");
    IS(in8(&f, 0x08) & 0x88, 8, "and ends with terminal count");

    toy_ready(3, 600);
    toy.most = 10;
    program(3, BLOCK | TO_MEMORY, 0x30000, 600);
    unmask(3);
    i8237_set_dreq(dma, 3, true);
    ok(toy.pos == 600 && memory_is(0x30000, toy.bytes, 600), "block mode");
}

static void fuzz(void)
{
    uint64_t s = 0x123456789abcdefu;
    toy_ready(2, sizeof toy.bytes);
    for (int i = 0; i < 300000; i++) {
        s = s * 6364136223846793005u + 1442695040888963407u;
        uint32_t r = (uint32_t)(s >> 33), v = (uint32_t)(s >> 20);
        uint16_t port = (uint16_t)(r % 3 == 0   ? r >> 8 & 0x1f
                                   : r % 3 == 1 ? 0xc0 + (r >> 8 & 0x1f)
                                                : page_port[r >> 8 & 7]);
        switch (r >> 16 & 7) {
        case 0: in8(&f, port); break;
        case 1: i8237_set_dreq(dma, 2, v & 1); break;
        case 2:
            toy.pos = 0;
            toy.len = v % sizeof toy.bytes;
            toy.most = v & 0x10000 ? 0 : v % 600;
            toy.channel = 2;
            break;
        default: out8(&f, port, (uint8_t)v); break;
        }
    }
    ok(true, "random traffic");
}

int main(void)
{
    fake_init(&f);
    phys_add_ram(f.phys, "ram", 0, 2 << 20, 0);
    dma = i8237_new(f.m);
    test_registers();
    machine_reset_now(f.m);
    test_cascade();
    test_bytes();
    test_autoinit();
    test_words();
    test_request();
    fuzz();
    i8237_free(dma);
    fake_free(&f);
    return tap_done();
}
