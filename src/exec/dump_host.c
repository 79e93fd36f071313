/* The host code of one block, for dump.c: by guest instruction and purpose, and what it comes to. */
#include "exec/tb.h"
#include "util/log.h"

#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

typedef struct Range {
    const BlockDump *d;
    const EmitMap *row;
    HostCount *count;
} Range;

static csh host_handle(void)
{
    static csh handle;
    if (!handle && cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) return 0;
    return handle;
}

static void count_one(HostCount *c, const EmitMap *row)
{
    if (row->cold) {
        c->cold++;
        return;
    }
    c->hot++;
    unsigned i = 0;
    while (i < c->n_purposes && c->purpose[i].name != row->purpose) i++;
    if (i == sizeof c->purpose / sizeof *c->purpose) return;
    if (i == c->n_purposes) c->purpose[c->n_purposes++] = (struct HostPurpose){ row->purpose, 0 };
    c->purpose[i].n++;
}

/* The field of CPUState that an operand such as [rbp + r9 + 0x106a0] lies in; NULL: none that has a name here. */
static const char *state_field(const Range *r, const char *text)
{
#define FIELD(f)                                                                                                       \
    {                                                                                                                  \
        offsetof(CPUState, f), sizeof((CPUState *)0)->f, #f                                                            \
    }
    static const struct {
        size_t offset, size;
        const char *name;
    } fields[] = {
        FIELD(regs),   FIELD(eip),    FIELD(exit_request), FIELD(insns_left), FIELD(cc),      FIELD(df),
        FIELD(eflags), FIELD(mode),   FIELD(scratch32),    FIELD(call_arg),   FIELD(spill),   FIELD(backend_tmp),
        FIELD(seg),    FIELD(bounce), FIELD(jump_cache),   FIELD(mmu.itlb),   FIELD(mmu.tlb),
    };
#undef FIELD
    const char *reg = r->d->ex->backend->state_reg, *open = strchr(text, '[');
    if (!reg || !open || strncmp(open + 1, reg, strlen(reg)) != 0) return NULL;
    const char *close = strchr(open, ']'), *hex = close;
    while (hex && hex > open && *hex != ' ') hex--;
    size_t offset = hex ? strtoull(hex, NULL, 0) : 0;
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
        if (offset - fields[i].offset < fields[i].size) return fields[i].name;
    return NULL;
}

static void host_line(const Range *r, uint32_t offset, const char *bytes, const char *text)
{
    char addr[12], what[80];
    const char *field = state_field(r, text), *purpose = r->row->purpose;
    snprintf(what, sizeof what, "%s%sCPUState.%s", purpose ? purpose : "", purpose ? ": " : "", field ? field : "");
    snprintf(addr, sizeof addr, "+%03x", offset);
    dump_line(r->row->cold ? DUMP_COLD : DUMP_HOST, r->row->cold ? "  cold" : "  host", addr, bytes, text,
              field ? what : purpose);
    count_one(r->count, r->row);
}

/* Where a jump or call goes: +OFFSET in this block, or the name of what all blocks share. */
static void jump_text(const BlockDump *d, const cs_insn *insn, char *buf, size_t size)
{
    bool jump = insn->mnemonic[0] == 'j' || !strcmp(insn->mnemonic, "call");
    char *end;
    uint64_t to = jump ? strtoull(insn->op_str, &end, 0) : 0;
    if (!jump || *end || end == insn->op_str) {
        snprintf(buf, size, "%s %s", insn->mnemonic, insn->op_str);
        return;
    }
    const Backend *backend = d->ex->backend;
    const char *name = backend->shared_name ? backend->shared_name((const void *)(uintptr_t)to) : NULL;
    uint64_t offset = code_offset(&d->tb->code, (const void *)(uintptr_t)to);
    if (offset < code_size(&d->tb->code))
        snprintf(buf, size, "%s +%03llx", insn->mnemonic, (unsigned long long)offset);
    else
        snprintf(buf, size, "%s %s", insn->mnemonic, name ? name : insn->op_str);
}

/* One instruction, or some data; returns its length. */
static uint32_t native_line(const Range *r, uint32_t from, uint32_t to)
{
    const uint8_t *code = code_at(&r->d->tb->code, from);
    bool data = r->row->purpose && !strcmp(r->row->purpose, EMIT_MAP_DATA);
    csh h = data ? 0 : host_handle();
    char bytes[40], text[200] = "";
    uint32_t len = data && to - from > 8 ? 8 : data ? to - from : 1;
    cs_insn *insn = NULL;
    if (h && cs_disasm(h, code, to - from, (uintptr_t)code, 1, &insn) == 1) {
        len = insn->size;
        jump_text(r->d, insn, text, sizeof text);
        cs_free(insn, 1);
    }
    dump_hex(bytes, sizeof bytes, code, len);
    host_line(r, from, bytes, text);
    return len;
}

static void native_range(const Range *r, uint32_t from, uint32_t to)
{
    while (from < to) from += native_line(r, from, to);
}

static void portable_line(void *opaque, const char *line)
{
    const Range *r = opaque;
    host_line(r, r->row->offset, "", line);
}

void dump_host(const BlockDump *d, uint32_t first, uint32_t last, bool cold, HostCount *count)
{
    bool entry = first == EMIT_MAP_ENTRY;
    for (unsigned i = 0; i < d->map_n; i++) {
        const EmitMap *row = &d->map[i];
        bool mine = entry ? row->ir_index == EMIT_MAP_ENTRY : row->ir_index >= first && row->ir_index < last;
        if (!mine || row->cold != cold) continue;
        uint32_t end = i + 1 < d->map_n ? row[1].offset : code_size(&d->tb->code);
        Range r = { d, row, count };
        if (cold) count->cold_bytes += end - row->offset;
        if (d->ex->backend->native)
            native_range(&r, row->offset, end);
        else
            d->ex->backend->dump(&d->tb->code, row->offset, end, portable_line, &r);
    }
}

static int by_count(const void *a, const void *b)
{
    const struct HostPurpose *x = a, *y = b;
    return (int)y->n - (int)x->n;
}

void dump_host_totals(const BlockDump *d, const HostCount *count)
{
    const TB *tb = d->tb;
    HostCount sorted = *count;
    char text[400];
    int n = 0;
    const char *unit = d->ex->backend->native ? "instructions" : "operations";
    snprintf(
        text, sizeof text,
        "guest %u bytes, %u instructions; host %u bytes, %u %s, %.1f for each of the guest's; out of line %u bytes, "
        "%u %s",
        tb->size, tb->n_guest, code_size(&tb->code) - count->cold_bytes, count->hot, unit,
        (double)count->hot / (tb->n_guest ? tb->n_guest : 1), count->cold_bytes, count->cold, unit);
    dump_line(DUMP_HEAD, "total", text, "", "", NULL);
    qsort(sorted.purpose, sorted.n_purposes, sizeof *sorted.purpose, by_count);
    for (unsigned i = 0; i < sorted.n_purposes && n < (int)sizeof text; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%u %s", i ? ", " : "", sorted.purpose[i].n,
                      sorted.purpose[i].name ? sorted.purpose[i].name : "for the instructions themselves");
    dump_line(DUMP_HEAD, "", sorted.n_purposes ? text : "", "", "", NULL);
}
