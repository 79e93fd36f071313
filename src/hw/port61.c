/* 82371SB data sheet, NMISC register. */
#include "hw/port61.h"

#include <stdlib.h>

#include "hw/alloc.h"

enum {
    GATE2 = 1,
    SPEAKER = 2,
    SERR_DISABLE = 4,
    IOCHK_DISABLE = 8,
    REFRESH = 0x10,
    OUT2 = 0x20,
    WRITABLE = GATE2 | SPEAKER | SERR_DISABLE | IOCHK_DISABLE,
};
/* DRAM refresh: one request every 18 counts of the 1.19 MHz clock; guests time short delays by its toggle. */
#define REFRESH_NS 15086u

struct Port61 {
    Machine *machine;
    I8254 *pit;
    uint8_t control;
    SpeakerSink sink;
    Timer *alive;
    bool sounds; /* the sink has been told of anything but a constant low */
};

/* --- the speaker: an AND of OUT2 and bit 1 ------------------------------------------------------------------------- */

static void tell(void *opaque)
{
    Port61 *p = opaque;
    SpeakerWave w = { 0 };
    if (!p->sink.wave) return;
    if (p->control & SPEAKER) w = i8254_wave(p->pit);
    bool sounds = w.level || w.first_ns;
    if (!sounds && !p->sounds) return; /* counter 2 as a clock: guests do that all the time */
    p->sounds = sounds;
    p->sink.wave(p->sink.opaque, &w);
    if (sounds)
        timer_set(p->alive, clock_now(p->machine) + SPEAKER_ALIVE_NS);
    else
        timer_cancel(p->alive);
}

static void still_alive(void *opaque)
{
    Port61 *p = opaque;
    p->sink.alive(p->sink.opaque);
    timer_set(p->alive, clock_now(p->machine) + SPEAKER_ALIVE_NS);
}

void port61_set_speaker(Port61 *p, const SpeakerSink *sink)
{
    p->sink = *sink;
    i8254_on_program(p->pit, tell, p);
    tell(p);
}

/* --- the port --------------------------------------------------------------------------------------------------------- */

static uint32_t p61_read(void *opaque, uint16_t port, unsigned size)
{
    (void)port, (void)size;
    Port61 *p = opaque;
    uint32_t v = p->control;
    if (clock_now(p->machine) / REFRESH_NS & 1) v |= REFRESH;
    if (i8254_out(p->pit, 2)) v |= OUT2;
    return v;
}

static void p61_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)port, (void)size;
    Port61 *p = opaque;
    p->control = value & WRITABLE;
    i8254_set_gate(p->pit, 2, value & GATE2);
    tell(p);
}

static void p61_reset(void *dev)
{
    p61_write(dev, 0x61, 0, 1);
}

static const Field p61_fields[] = { FIELD(Port61, control), FIELD_END };
static const DeviceClass p61_class = { .name = "port61", .version = 1, .fields = p61_fields, .reset = p61_reset };

Port61 *port61_new(Machine *m, I8254 *pit)
{
    static const IoPortOps ops = { p61_read, p61_write, 1 };
    Port61 *p = hw_alloc(sizeof *p);
    p->machine = m;
    p->pit = pit;
    p->alive = timer_new(m, still_alive, p);
    ioports_map(machine_io(m), 0x61, 1, &ops, p);
    machine_add_device(m, &p61_class, p);
    return p;
}

void port61_free(Port61 *p)
{
    if (!p) return;
    timer_free(p->alive);
    free(p);
}
