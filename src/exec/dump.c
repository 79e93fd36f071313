/* -d in_asm,op,op_opt,out_asm, and "calque explain": one block as one text, instruction by instruction: what the guest
 * wrote, the intermediate code it became, what the passes did to that and why, and the host code that serves it. */
#include "exec/tb.h"
#include "util/log.h"
#include "util/symbols.h"

#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

static csh guest_handle(bool code32)
{
    static csh handle[2];
    if (!handle[code32] && cs_open(CS_ARCH_X86, code32 ? CS_MODE_32 : CS_MODE_16, &handle[code32]) != CS_ERR_OK)
        return 0;
    return handle[code32];
}

void dump_hex(char *buf, size_t size, const uint8_t *bytes, size_t n)
{
    size_t at = 0;
    *buf = '\0';
    for (size_t i = 0; i < n && at + 3 < size; i++) at += (size_t)snprintf(buf + at, size - at, "%02x", bytes[i]);
}

void dump_line(enum DumpColour colour, const char *tag, const char *addr, const char *bytes, const char *text,
               const char *purpose)
{
    static const char *const on[] = {
        [DUMP_HEAD] = "\033[1m",  [DUMP_GUEST] = "\033[1;32m", [DUMP_IR] = "\033[36m",
        [DUMP_NOTE] = "\033[33m", [DUMP_COLD] = "\033[2m",     [DUMP_HOST] = "",
    };
    bool coloured = log_colour() && colour != DUMP_PLAIN;
    char line[512];
    int n = snprintf(line, sizeof line, "%-8s%-10s%-26s%s", tag, addr, bytes, text);
    if (purpose && n < (int)sizeof line)
        snprintf(line + n, sizeof line - (size_t)n, "%*s; %s", n < 88 ? 88 - n : 1, "", purpose);
    n = (int)strlen(line);
    while (n && line[n - 1] == ' ') line[--n] = '\0';
    log_printf("%s%s%s\n", coloured ? on[colour] : "", line, coloured ? "\033[0m" : "");
}

/* " <name+offset>" behind a direct jump or call; lin_of_0: the linear address of the code segment's first byte. */
static void add_target(char *text, size_t size, const cs_insn *insn, uint32_t lin_of_0)
{
    char name[160], *end;
    size_t n = strlen(text);
    bool jumps = insn->mnemonic[0] == 'j' || !strcmp(insn->mnemonic, "call") || !strncmp(insn->mnemonic, "loop", 4);
    unsigned long target = strtoul(insn->op_str, &end, 0);
    if (!jumps || end == insn->op_str || *end) return;
    symbols_text(name, sizeof name, lin_of_0 + (uint32_t)target);
    if (*name) snprintf(text + n, size - n, " <%s>", name);
}

static void guest_line(const TB *tb, uint32_t eip, uint32_t len)
{
    uint8_t code[DECODE_MAX];
    char addr[12], bytes[2 * DECODE_MAX + 4], text[400] = "(data)";
    uint32_t at = (uint32_t)(tb->phys & PAGE_MASK) + (eip - tb->eip);
    if (len > sizeof code) len = sizeof code;
    for (uint32_t i = 0; i < len; i++, at++) {
        const uint8_t *page = tb->page_host[at >> PAGE_SHIFT & 1];
        code[i] = page ? page[at & PAGE_MASK] : 0;
    }
    csh h = guest_handle((tb->mode & MODE_CS32) != 0);
    cs_insn *insn = NULL;
    if (h && cs_disasm(h, code, len, eip, 1, &insn) == 1) {
        snprintf(text, sizeof text, "%s %s", insn->mnemonic, insn->op_str);
        add_target(text, sizeof text, insn, tb->lin - tb->eip);
        cs_free(insn, 1);
    }
    snprintf(addr, sizeof addr, "%08x", eip);
    dump_hex(bytes, sizeof bytes, code, len);
    dump_line(DUMP_GUEST, "guest", addr, bytes, text, NULL);
}

/* --- IR ------------------------------------------------------------------------------------------------ */

static void ir_line(const char *tag, const IrInsn *in)
{
    char text[200];
    ir_print_insn(text, sizeof text, in);
    dump_line(DUMP_IR, tag, "", "", text, NULL);
}

static void note_lines(const IrNotes *notes, uint32_t number)
{
    for (uint32_t i = 0; i < notes->n; i++) {
        if (notes->note[i].number != number) continue;
        char text[IR_NOTE_TEXT + 24];
        snprintf(text, sizeof text, "  %s: %s", notes->note[i].pass, notes->note[i].text);
        dump_line(DUMP_NOTE, "", "", "", text, NULL);
    }
}

static bool same_text(const IrInsn *a, const IrInsn *b)
{
    char one[200], other[200];
    ir_print_insn(one, sizeof one, a);
    ir_print_insn(other, sizeof other, b);
    return !strcmp(one, other);
}

/* One operation before the passes, why it changed, and what is left of it (NULL: nothing). */
static void ir_pair(const BlockDump *d, uint32_t number, const IrInsn *left)
{
    const IrInsn *in = &d->before->insn[number];
    bool op = log_on(LOG_OP), opt = log_on(LOG_OP_OPT);
    if (in->op == IR_NOP) return;
    if (op && opt && left && same_text(in, left)) {
        ir_line("op=opt", in);
        note_lines(d->notes, number);
        return;
    }
    if (op) ir_line("op", in);
    if (opt && (op || left)) note_lines(d->notes, number);
    if (opt && left) ir_line("op_opt", left);
}

/* The operations of the guest instruction whose MARK is number `mark` before the passes; after.insn[i] is the MARK now. */
static void ir_lines(const BlockDump *d, uint32_t i)
{
    if (!d->before) {
        for (i++; log_on(LOG_OP_OPT) && i < d->after->n && d->after->insn[i].op != IR_MARK; i++)
            ir_line("op_opt", &d->after->insn[i]);
        return;
    }
    uint32_t number = d->notes->number[i++];
    while (++number < d->before->n && d->before->insn[number].op != IR_MARK) {
        while (i < d->after->n && d->notes->number[i] < number) i++;
        bool left = i < d->after->n && d->notes->number[i] == number;
        ir_pair(d, number, left && d->after->insn[i].op != IR_NOP ? &d->after->insn[i] : NULL);
    }
}

/* --- the block ------------------------------------------------------------------------------------------- */

static void head(const TB *tb)
{
    char text[400], name[160];
    symbols_text(name, sizeof name, tb->lin);
    snprintf(text, sizeof text, "block %08x%s%s%s (linear %08x, physical %09llx), mode %07x", tb->eip,
             *name ? " <" : "", name, *name ? ">" : "", tb->lin, (unsigned long long)tb->phys, tb->mode);
    dump_line(DUMP_HEAD, "----", text, "", "", NULL);
}

void dump_block(const BlockDump *d)
{
    HostCount count = { .n_purposes = 0 };
    const IrBlock *b = d->after;
    bool host = log_on(LOG_OUT_ASM);
    head(d->tb);
    if (host) dump_host(d, EMIT_MAP_ENTRY, EMIT_MAP_ENTRY, false, &count);
    for (uint32_t i = 0, end; i < b->n; i = end) {
        for (end = i + 1; end < b->n && b->insn[end].op != IR_MARK;) end++;
        if (b->insn[i].op == IR_MARK) guest_line(d->tb, b->insn[i].target[0], b->insn[i].target[1]);
        if (b->insn[i].op == IR_MARK) ir_lines(d, i);
        if (host) dump_host(d, i, end, false, &count);
        if (host) dump_host(d, i, end, true, &count);
    }
    if (host) dump_host(d, EMIT_MAP_ENTRY, EMIT_MAP_ENTRY, true, &count);
    if (host) dump_host_totals(d, &count);
    log_printf("\n");
}
