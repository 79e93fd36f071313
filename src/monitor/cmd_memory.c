/* Memory, ports and expressions. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include <capstone/capstone.h>

#include "monitor/monitor_int.h"

enum { LINE_BYTES = 16, LINE_BYTES_OF_BYTES = 8, INSN_MAX = 15 };

typedef struct Source {
    Monitor *mon;
    bool physical;
} Source;

/* False: not mapped. */
static bool read_memory(const Source *s, uint64_t addr, uint8_t *buf, unsigned n)
{
    CPUState *cpu = mon_cpu(s->mon);
    if (s->physical) {
        if (addr >> PHYS_ADDR_BITS) return false;
        phys_read(cpu->mmu.phys, addr, buf, n);
        return true;
    }
    while (n) {
        PhysAddr phys;
        unsigned part = PAGE_SIZE - (unsigned)(addr & PAGE_MASK);
        if (part > n) part = n;
        if (!mmu_probe(&cpu->mmu, (uint32_t)addr, &phys)) return false;
        phys_read(cpu->mmu.phys, phys, buf, part);
        addr += part;
        buf += part;
        n -= part;
    }
    return true;
}

/* --- formats ---------------------------------------------------------------------------------------------------- */

static unsigned size_of_letter(char c)
{
    return c == 'b' ? 1 : c == 'h' ? 2 : c == 'g' || c == 'l' ? 8 : 4;
}

static void print_char(Monitor *mon, unsigned c)
{
    mon_printf(mon, "'");
    if (c == '\'' || c == '\\')
        mon_printf(mon, "\\%c", (int)c);
    else if (c == '\n' || c == '\r')
        mon_printf(mon, "%s", c == '\n' ? "\\n" : "\\r");
    else if (c >= 32 && c <= 126)
        mon_printf(mon, "%c", (int)c);
    else
        mon_printf(mon, "\\x%02x", c & 0xff);
    mon_printf(mon, "'");
}

static uint64_t value_at(const uint8_t *p, unsigned size)
{
    uint64_t v = 0;
    for (unsigned i = size; i--;) v = v << 8 | p[i];
    return v;
}

static int64_t signed_value(uint64_t v, unsigned size)
{
    unsigned shift = 64 - 8 * size;
    return (int64_t)(v << shift) >> shift;
}

static void print_item(Monitor *mon, char format, unsigned size, uint64_t v)
{
    unsigned bits = 8 * size;
    switch (format) {
    case 'o': mon_printf(mon, " 0%0*" PRIo64, (int)(bits + 2) / 3, v); break;
    case 'x': mon_printf(mon, " 0x%0*" PRIx64, (int)bits / 4, v); break;
    case 'u': mon_printf(mon, " %*" PRIu64, (int)(bits * 10 + 32) / 33, v); break;
    case 'd': mon_printf(mon, " %*" PRId64, (int)(bits * 10 + 32) / 33, signed_value(v, size)); break;
    case 'c':
        mon_printf(mon, " ");
        print_char(mon, (unsigned)v);
        break;
    }
}

static void dump(const Source *s, uint64_t addr, unsigned count, char format, unsigned size)
{
    unsigned line = size == 1 ? LINE_BYTES_OF_BYTES : LINE_BYTES;
    if (format == 'c') size = 1;
    for (uint64_t left = (uint64_t)count * size; left;) {
        uint8_t buf[LINE_BYTES];
        unsigned n = left < line ? (unsigned)left : line;
        if (!s->physical) addr = (uint32_t)addr;
        mon_printf(s->mon, s->physical ? "%016" PRIx64 ":" : "%08" PRIx64 ":", addr);
        if (!read_memory(s, addr, buf, n)) {
            mon_printf(s->mon, " Cannot access memory\n");
            return;
        }
        for (unsigned i = 0; i < n; i += size) print_item(s->mon, format, size, value_at(buf + i, size));
        mon_printf(s->mon, "\n");
        addr += n;
        left -= n;
    }
}

/* --- instructions ------------------------------------------------------------------------------------------------ */

static unsigned fetch(const Source *s, uint64_t addr, uint8_t *buf)
{
    unsigned n = 0;
    while (n < INSN_MAX && read_memory(s, addr + n, buf + n, 1)) n++;
    return n;
}

static unsigned print_insn(const Source *s, csh handle, uint64_t addr, const uint8_t *code, unsigned n)
{
    char hex[3 * INSN_MAX + 1] = "";
    cs_insn *insn = NULL;
    bool good = cs_disasm(handle, code, n, addr, 1, &insn) == 1;
    unsigned len = good ? insn->size : 1;
    for (unsigned i = 0; i < len && i < INSN_MAX; i++) sprintf(hex + 3 * i, "%02x ", code[i]);
    if (good)
        mon_printf(s->mon, "0x%08" PRIx64 ":  %-24s %-8s %s\n", addr, hex, insn->mnemonic, insn->op_str);
    else
        mon_printf(s->mon, "0x%08" PRIx64 ":  %-24s %-8s 0x%02x\n", addr, hex, ".byte", code[0]);
    if (good) cs_free(insn, 1);
    return len;
}

static void disassemble(const Source *s, uint64_t addr, unsigned count)
{
    csh handle;
    const CPUState *cpu = mon_cpu(s->mon);
    bool code32 = cpu->seg[SEG_CS].attr & SEG_DB;
    if (cs_open(CS_ARCH_X86, code32 ? CS_MODE_32 : CS_MODE_16, &handle) != CS_ERR_OK) return;
    cs_option(handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT); /* as QEMU's monitor */
    while (count--) {
        uint8_t code[INSN_MAX];
        if (!s->physical) addr = (uint32_t)addr;
        unsigned n = fetch(s, addr, code);
        if (!n) {
            mon_printf(s->mon, "0x%08" PRIx64 ": unable to read memory\n", addr);
            break;
        }
        addr += print_insn(s, handle, addr, code, n);
    }
    cs_close(&handle);
}

/* --- commands ----------------------------------------------------------------------------------------------------- */

/* What is not given is as it was last time. */
static void examine(Monitor *mon, const Args *args, bool physical)
{
    MonitorState *st = mon_state(mon);
    Source s = { mon, physical };
    unsigned count = args->count < 0 ? 1 : (unsigned)args->count;
    char format = args->format ? args->format : st->fmt_char;
    if (format == 'i') {
        disassemble(&s, (uint64_t)args->value[0], count);
        return;
    }
    st->fmt_char = format;
    if (args->size) st->fmt_size = size_of_letter(args->size == 'l' ? 'w' : args->size);
    dump(&s, (uint64_t)args->value[0], count, format, st->fmt_size);
}

void cmd_x(Monitor *mon, const Args *args)
{
    examine(mon, args, false);
}
void cmd_xp(Monitor *mon, const Args *args)
{
    examine(mon, args, true);
}

void cmd_print(Monitor *mon, const Args *args)
{
    MonitorState *st = mon_state(mon);
    uint64_t v = (uint64_t)args->value[0];
    char format = args->format ? args->format : st->fmt_char;
    if (format != 'i') st->fmt_char = format;
    switch (format) {
    case 'o': mon_printf(mon, "%#" PRIo64, v); break;
    case 'x': mon_printf(mon, "%#" PRIx64, v); break;
    case 'u': mon_printf(mon, "%" PRIu64, v); break;
    case 'c': print_char(mon, (unsigned)v); break;
    default: mon_printf(mon, "%" PRId64, (int64_t)v); break;
    }
    mon_printf(mon, "\n");
}

/* Ports know b, w and l, where memory says b, h and w. */
static unsigned port_size(const Args *args, char *suffix)
{
    char c = args->size;
    *suffix = c == 'h' ? 'w' : c == 'b' ? 'b' : c == 'w' ? 'w' : c == 'l' ? 'l' : 'b';
    return *suffix == 'b' ? 1 : *suffix == 'w' ? 2 : 4;
}

void cmd_in(Monitor *mon, const Args *args)
{
    char suffix;
    unsigned size = port_size(args, &suffix);
    uint16_t port = (uint16_t)args->value[0];
    uint32_t v = ioports_read(machine_io(mon_board(mon)->machine), port, size);
    mon_printf(mon, "port%c[0x%04x] = 0x%0*x\n", suffix, port, (int)size * 2, v);
}

void cmd_out(Monitor *mon, const Args *args)
{
    char suffix;
    unsigned size = port_size(args, &suffix);
    uint32_t mask = size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
    ioports_write(machine_io(mon_board(mon)->machine), (uint16_t)args->value[0], (uint32_t)args->value[1] & mask, size);
}
