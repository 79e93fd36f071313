/* A transfer takes no time: as soon as a device requests and the guest has enabled its channel, all that the device has
 * is moved, in pieces of a few KiB, and the guest sees the registers as they are at the end.  So the priority of channels
 * and who has the bus between two cycles (single, demand and block mode) can hardly be seen; what can is kept.
 *
 * Memory to memory transfers and compressed timing are not in the PIIX3; the sense of DREQ and DACK is wired. */
#include "hw/i8237.h"

#include <stdlib.h>
#include <string.h>

#include "hw/alloc.h"

enum { CMD_DISABLE = 4, CMD_ROTATE = 0x10 };
enum { MODE_TYPE = 0x0c, MODE_AUTOINIT = 0x10, MODE_DOWN = 0x20, MODE_SELECT = 0xc0 };
enum { SELECT_BLOCK = 0x80, SELECT_CASCADE = 0xc0 };
enum { CHANNELS = 8, CASCADE = 4, PIECE = 4096 };

typedef struct Channel {
    uint16_t base_address, base_count; /* as written: what autoinitialize goes back to */
    uint16_t address, count;           /* count: transfers left, less one */
    uint8_t mode;
} Channel;

typedef struct Chip {
    uint8_t command, mask, request; /* request: by software */
    uint8_t terminal;               /* reached terminal count since status was read */
    uint8_t next;                   /* rotating priority: who is first */
    bool high_byte;                 /* the flip-flop */
    Channel channel[4];
} Chip;

struct I8237 {
    Machine *machine;
    bool serving;
    uint8_t dreq;     /* one bit for each channel 0..7 */
    uint8_t page[16]; /* by the low digit of their ports; the ports between them belong to nobody here */
    uint8_t block;    /* block mode channels that go on without DREQ until terminal count */
    Chip chip[2];
    struct {
        DmaMove *move;
        void *opaque;
    } device[CHANNELS];
};

static Channel *channel_of(I8237 *dma, unsigned n)
{
    return &dma->chip[n / 4].channel[n % 4];
}

/* --- one channel's cycles ----------------------------------------------------------------------------------- */

/* Bytes of one transfer. */
static unsigned width(unsigned n)
{
    return n > CASCADE ? 2 : 1;
}

/* A16-A23 come from the page register (A17-A23 for words, whose addresses are shifted by one). */
static uint32_t address_of(const I8237 *dma, unsigned n, uint16_t at)
{
    static const uint8_t page[CHANNELS] = { 7, 3, 1, 2, 15, 11, 9, 10 };
    uint32_t high = dma->page[page[n]];
    return n > CASCADE ? (high & 0xfe) << 16 | (uint32_t)at << 1 : high << 16 | at;
}

/* buf <-> memory for k transfers from the current address on; the address register wraps within its 64 Ki. */
static void access_memory(I8237 *dma, unsigned n, uint8_t *buf, uint32_t k, bool write)
{
    const Channel *ch = channel_of(dma, n);
    PhysMem *pm = machine_phys(dma->machine);
    unsigned w = width(n);
    uint16_t at = ch->address;
    bool down = ch->mode & MODE_DOWN;
    for (uint32_t done = 0, run; done < k; done += run) {
        uint32_t to_wrap = 0x10000u - at;
        run = down ? 1 : k - done < to_wrap ? k - done : to_wrap;
        if (write)
            phys_write(pm, address_of(dma, n, at), buf + done * w, run * w);
        else
            phys_read(pm, address_of(dma, n, at), buf + done * w, run * w);
        at = (uint16_t)(down ? at - 1u : at + run);
    }
}

static void terminal_count(I8237 *dma, unsigned n)
{
    Chip *chip = &dma->chip[n / 4];
    Channel *ch = channel_of(dma, n);
    uint8_t bit = (uint8_t)(1u << n % 4);
    chip->terminal |= bit;
    chip->request &= (uint8_t)~bit;
    dma->block &= (uint8_t) ~(1u << n);
    if (ch->mode & MODE_AUTOINIT) {
        ch->address = ch->base_address;
        ch->count = ch->base_count;
    } else {
        chip->mask |= bit;
    }
}

/* The device's part; nobody there: the data bus floats. */
static uint32_t ask_device(I8237 *dma, unsigned n, uint8_t *buf, uint32_t bytes, DmaType type, bool tc)
{
    if (!dma->device[n].move) {
        memset(buf, 0xff, bytes);
        return bytes;
    }
    uint32_t moved = dma->device[n].move(dma->device[n].opaque, buf, bytes, type, tc);
    return moved < bytes ? moved : bytes;
}

/* One piece; false: the device has nothing to move. */
static bool move_piece(I8237 *dma, unsigned n)
{
    uint8_t buf[PIECE];
    Channel *ch = channel_of(dma, n);
    unsigned w = width(n), type = ch->mode >> 2 & 3;
    uint32_t left = ch->count + 1u, k = left < PIECE / w ? left : PIECE / w;
    if (type == DMA_FROM_MEMORY)
        access_memory(dma, n, buf, k, false);
    else
        memset(buf, 0xff, k * w);
    uint32_t moved = ask_device(dma, n, buf, k * w, (DmaType)type, k == left) / w;
    if (type == DMA_TO_MEMORY) access_memory(dma, n, buf, moved, true);
    ch->address = (uint16_t)(ch->mode & MODE_DOWN ? ch->address - moved : ch->address + moved);
    ch->count = (uint16_t)(ch->count - moved); /* ffffh past the last */
    if (moved && moved == left) terminal_count(dma, n);
    return moved != 0;
}

/* --- who is served ---------------------------------------------------------------------------------------------- */

/* The first controller's HRQ goes through channel 4. */
static bool chip_enabled(const I8237 *dma, unsigned n)
{
    const Chip *chip = &dma->chip[n], *second = &dma->chip[1];
    if (chip->command & CMD_DISABLE) return false;
    if (n) return true;
    return !(second->command & CMD_DISABLE) && !(second->mask & 1) &&
           (second->channel[0].mode & MODE_SELECT) == SELECT_CASCADE;
}

/* Software requests cannot be masked. */
static bool wants_service(const I8237 *dma, unsigned n)
{
    const Chip *chip = &dma->chip[n / 4];
    unsigned bit = 1u << n % 4, mode = chip->channel[n % 4].mode;
    if (n == CASCADE || (mode & MODE_SELECT) == SELECT_CASCADE || (mode & MODE_TYPE) == MODE_TYPE) return false;
    return chip->request & bit || ((dma->dreq | dma->block) >> n & 1 && !(chip->mask & bit));
}

/* True: something has moved, and the question is open again. */
static bool serve_chip(I8237 *dma, unsigned n)
{
    Chip *chip = &dma->chip[n];
    if (!chip_enabled(dma, n)) return false;
    for (unsigned i = 0; i < 4; i++) {
        unsigned c = chip->command & CMD_ROTATE ? (chip->next + i) % 4 : i, channel = n * 4 + c;
        if (!wants_service(dma, channel)) continue;
        if ((chip->channel[c].mode & MODE_SELECT) == SELECT_BLOCK) dma->block |= (uint8_t)(1u << channel);
        if (!move_piece(dma, channel)) continue;
        chip->next = (uint8_t)((c + 1) % 4);
        return true;
    }
    return false;
}

/* A device that requests or is written to while it moves finds us busy; its turn comes at the end of this one. */
static void serve(I8237 *dma)
{
    if (dma->serving) return;
    dma->serving = true;
    while (serve_chip(dma, 0) || serve_chip(dma, 1)) {
    }
    dma->serving = false;
}

void i8237_set_dreq(I8237 *dma, unsigned channel, bool level)
{
    uint8_t bit = (uint8_t)(1u << channel);
    dma->dreq = level ? dma->dreq | bit : dma->dreq & (uint8_t)~bit;
    if (level) serve(dma);
}

void i8237_connect(I8237 *dma, unsigned channel, DmaMove *move, void *opaque)
{
    dma->device[channel].move = move;
    dma->device[channel].opaque = opaque;
    dma->dreq &= (uint8_t) ~(1u << channel);
}

/* --- registers ---------------------------------------------------------------------------------------------------- */

enum {
    REG_COMMAND = 8,
    REG_REQUEST,
    REG_MASK_BIT,
    REG_MODE,
    REG_CLEAR_FLIP_FLOP,
    REG_MASTER_CLEAR,
    REG_CLEAR_MASK,
    REG_MASK
};

static void master_clear(Chip *chip)
{
    chip->command = chip->terminal = chip->request = chip->next = 0;
    chip->high_byte = false;
    chip->mask = 15;
}

static uint8_t read_half(Chip *chip, uint16_t v)
{
    bool high = chip->high_byte;
    chip->high_byte = !high;
    return (uint8_t)(high ? v >> 8 : v);
}

static void write_half(Chip *chip, uint16_t *v, uint8_t byte)
{
    *v = (uint16_t)(chip->high_byte ? (*v & 0xff) | byte << 8 : (*v & 0xff00) | byte);
    chip->high_byte = !chip->high_byte;
}

static uint8_t status(I8237 *dma, unsigned n)
{
    Chip *chip = &dma->chip[n];
    uint8_t requests = (uint8_t)((dma->dreq >> 4 * n & 15) | chip->request);
    uint8_t v = (uint8_t)(requests << 4 | chip->terminal);
    chip->terminal = 0;
    return v;
}

static uint8_t chip_read(I8237 *dma, unsigned n, unsigned reg)
{
    Chip *chip = &dma->chip[n];
    if (reg < REG_COMMAND) {
        const Channel *ch = &chip->channel[reg / 2];
        return read_half(chip, reg & 1 ? ch->count : ch->address);
    }
    switch (reg) {
    case REG_COMMAND: return status(dma, n);
    case REG_MASK: return chip->mask;
    default: return 0; /* the temporary register too: nothing is moved from memory to memory */
    }
}

static void set_bit(uint8_t *reg, unsigned v)
{
    uint8_t bit = (uint8_t)(1u << (v & 3));
    *reg = v & 4 ? *reg | bit : *reg & (uint8_t)~bit;
}

static void chip_write(I8237 *dma, unsigned n, unsigned reg, uint8_t v)
{
    Chip *chip = &dma->chip[n];
    if (reg < REG_COMMAND) {
        Channel *ch = &chip->channel[reg / 2];
        uint16_t *base = reg & 1 ? &ch->base_count : &ch->base_address;
        write_half(chip, base, v);
        *(reg & 1 ? &ch->count : &ch->address) = *base;
        return;
    }
    switch (reg) {
    case REG_COMMAND: chip->command = v; break;
    case REG_REQUEST: set_bit(&chip->request, v); break;
    case REG_MASK_BIT: set_bit(&chip->mask, v); break;
    case REG_MODE: /* "block" belongs to the transfer that the old mode began */
        chip->channel[v & 3].mode = v & 0xfc;
        dma->block &= (uint8_t) ~(1u << (n * 4 + (v & 3)));
        break;
    case REG_CLEAR_FLIP_FLOP: chip->high_byte = false; break;
    case REG_MASTER_CLEAR:
        master_clear(chip);
        dma->block &= n ? 0x0f : 0xf0;
        break;
    case REG_CLEAR_MASK: chip->mask = 0; break;
    case REG_MASK: chip->mask = v & 15; break;
    }
    serve(dma);
}

static uint32_t first_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    return chip_read(opaque, 0, port & 15);
}
static void first_write(void *opaque, uint16_t port, uint32_t v, unsigned size)
{
    (void)size;
    chip_write(opaque, 0, port & 15, (uint8_t)v);
}

/* A0 does not reach the second chip. */
static uint32_t second_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    return chip_read(opaque, 1, port >> 1 & 15);
}
static void second_write(void *opaque, uint16_t port, uint32_t v, unsigned size)
{
    (void)size;
    chip_write(opaque, 1, port >> 1 & 15, (uint8_t)v);
}

static uint32_t page_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    return ((I8237 *)opaque)->page[port & 15];
}
static void page_write(void *opaque, uint16_t port, uint32_t v, unsigned size)
{
    (void)size;
    ((I8237 *)opaque)->page[port & 15] = (uint8_t)v;
}

/* --- life ----------------------------------------------------------------------------------------------------------- */

static void i8237_reset(void *dev)
{
    I8237 *dma = dev;
    master_clear(&dma->chip[0]);
    master_clear(&dma->chip[1]);
    memset(dma->page, 0, sizeof dma->page);
    dma->block = 0;
}

/* clang-format off */
#define CHANNEL_FIELDS(c, n)                                                                             \
    FIELD(I8237, chip[c].channel[n].base_address), FIELD(I8237, chip[c].channel[n].base_count),          \
    FIELD(I8237, chip[c].channel[n].address), FIELD(I8237, chip[c].channel[n].count),                    \
    FIELD(I8237, chip[c].channel[n].mode)
#define CHIP_FIELDS(c)                                                                                   \
    FIELD(I8237, chip[c].command), FIELD(I8237, chip[c].mask), FIELD(I8237, chip[c].request),            \
    FIELD(I8237, chip[c].terminal), FIELD(I8237, chip[c].next), FIELD(I8237, chip[c].high_byte),         \
    CHANNEL_FIELDS(c, 0), CHANNEL_FIELDS(c, 1), CHANNEL_FIELDS(c, 2), CHANNEL_FIELDS(c, 3)
static const Field i8237_fields[] = {
    FIELD(I8237, dreq), FIELD(I8237, page), FIELD(I8237, block), CHIP_FIELDS(0), CHIP_FIELDS(1), FIELD_END,
};
/* clang-format on */
static const DeviceClass i8237_class = { .name = "i8237", .version = 1, .fields = i8237_fields, .reset = i8237_reset };

I8237 *i8237_new(Machine *m)
{
    static const IoPortOps first = { first_read, first_write, 1 }, second = { second_read, second_write, 1 },
                           page = { page_read, page_write, 1 };
    static const struct {
        uint8_t base, count;
    } pages[] = { { 0x81, 3 }, { 0x87, 1 }, { 0x89, 3 }, { 0x8f, 1 } };
    I8237 *dma = hw_alloc(sizeof *dma);
    dma->machine = m;
    i8237_reset(dma);
    ioports_map(machine_io(m), 0x00, 0x20, &first, dma);
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        ioports_map(machine_io(m), pages[i].base, pages[i].count, &page, dma);
    ioports_map(machine_io(m), 0xc0, 0x20, &second, dma);
    machine_add_device(m, &i8237_class, dma);
    return dma;
}

void i8237_free(I8237 *dma)
{
    free(dma);
}
