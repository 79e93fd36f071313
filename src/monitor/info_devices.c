/* `info pic`, `info irq`, `info qtree`: devices as their field tables describe them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hw/machine_board.h"
#include "monitor/monitor_int.h"

static unsigned unit_of(const Field *f)
{
    static const uint8_t units[] = {
        [FIELD_U8] = 1,   [FIELD_U16] = 2, [FIELD_U32] = 4, [FIELD_U64] = 8, [FIELD_BOOL] = sizeof(bool),
        [FIELD_BYTES] = 1
    };
    return units[f->type];
}

static uint64_t field_value(const Field *f, const void *dev, unsigned i)
{
    const uint8_t *p = (const uint8_t *)dev + f->offset + i * unit_of(f);
    uint64_t v = 0;
    if (f->type == FIELD_BOOL) return *(const bool *)p;
    memcpy(&v, p, unit_of(f)); /* little-endian hosts */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v >>= 64 - 8 * unit_of(f);
#endif
    return v;
}

static const Field *find_field(const DeviceClass *cls, const char *name)
{
    for (const Field *f = cls->fields; f && f->name; f++)
        if (strcmp(f->name, name) == 0) return f;
    return NULL;
}

static const DeviceClass *find_device(Monitor *mon, const char *name, void **dev)
{
    const DeviceClass *cls;
    for (size_t i = 0; (cls = machine_device(mon_board(mon)->machine, i, dev)); i++)
        if (strcmp(cls->name, name) == 0) return cls;
    return NULL;
}

static uint64_t chip_value(const DeviceClass *cls, const void *dev, int chip, const char *name)
{
    char full[48];
    snprintf(full, sizeof full, "chip[%d].%s", chip, name);
    const Field *f = find_field(cls, full);
    return f ? field_value(f, dev, 0) : 0;
}

/* --- info qtree -------------------------------------------------------------------------------------------------- */

static void print_field(Monitor *mon, const Field *f, const void *dev)
{
    enum { PER_LINE = 16, LONGEST = 256 };
    unsigned n = f->count < LONGEST ? f->count : LONGEST;
    mon_printf(mon, "    %s =", f->name);
    for (unsigned i = 0; i < n; i++) {
        if (n > PER_LINE && i % PER_LINE == 0) mon_printf(mon, "\n     ");
        if (f->type == FIELD_BOOL)
            mon_printf(mon, " %s", field_value(f, dev, i) ? "on" : "off");
        else
            mon_printf(mon, " %0*" PRIx64, (int)unit_of(f) * 2, field_value(f, dev, i));
    }
    mon_printf(mon, "%s\n", f->count > n ? " ..." : "");
}

void info_qtree(Monitor *mon, const Args *args)
{
    (void)args;
    void *dev;
    const DeviceClass *cls;
    for (size_t i = 0; (cls = machine_device(mon_board(mon)->machine, i, &dev)); i++) {
        mon_printf(mon, "  dev: %s\n", cls->name);
        for (const Field *f = cls->fields; f && f->name; f++) print_field(mon, f, dev);
    }
}

/* --- interrupt controllers ---------------------------------------------------------------------------------------- */

static void print_ioapic(Monitor *mon)
{
    void *dev;
    const DeviceClass *cls = find_device(mon, "ioapic", &dev);
    const Field *low = cls ? find_field(cls, "low") : NULL, *high = cls ? find_field(cls, "high") : NULL;
    static const char *const modes[] = { "fixed", "lowpri", "SMI", "...", "NMI", "INIT", "...", "ExtINT" };
    if (!low || !high) return;
    mon_printf(mon, "ioapic0: ver=0x20 id=0x00\n");
    for (unsigned pin = 0; pin < low->count; pin++) {
        uint64_t e = field_value(high, dev, pin) << 32 | field_value(low, dev, pin);
        mon_printf(mon, "  pin %-2u 0x%016" PRIx64 " dest=%" PRIx64 " vec=%-3u %s %-5s %s %-6s %s\n", pin, e, e >> 56,
                   (unsigned)(e & 0xff), e & 0x2000 ? "active-lo" : "active-hi", e & 0x8000 ? "level" : "edge",
                   e & 0x10000 ? "masked" : "      ", modes[e >> 8 & 7], e & 0x800 ? "logical" : "physical");
    }
}

void info_pic(Monitor *mon, const Args *args)
{
    (void)args;
    void *dev;
    print_ioapic(mon);
    const DeviceClass *cls = find_device(mon, "i8259", &dev);
    if (!cls) return;
    for (int n = 1; n >= 0; n--) {
#define V(name) (unsigned)chip_value(cls, dev, n, name)
        mon_printf(mon, "pic%d: irr=%02x imr=%02x isr=%02x hprio=%u irq_base=%02x rr_sel=%u elcr=%02x fnm=%u\n", n,
                   V("irr"), V("imr"), V("isr"), V("highest"), V("vector_base"), V("read_isr"), V("elcr"), V("sfnm"));
#undef V
    }
}

void info_irq(Monitor *mon, const Args *args)
{
    (void)args;
    static const char *const controllers[] = { "ioapic", "i8259" };
    for (size_t i = 0; i < sizeof controllers / sizeof controllers[0]; i++) {
        void *dev;
        const DeviceClass *cls = find_device(mon, controllers[i], &dev);
        const Field *counts = cls ? find_field(cls, "irq_count") : NULL;
        if (!counts) continue;
        mon_printf(mon, "IRQ statistics for %s%s:\n", i == 1 ? "isa-" : "", controllers[i]);
        for (unsigned n = 0; n < counts->count; n++) {
            uint64_t count = field_value(counts, dev, n);
            if (count) mon_printf(mon, "%2u: %" PRIu64 "\n", n, count);
        }
    }
}
