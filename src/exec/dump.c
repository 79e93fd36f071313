/* -d in_asm,op,op_opt,out_asm: one block, instruction by instruction: what the guest wrote, the intermediate code before
 * and after the passes, and the host code that serves it. */
#include "exec/tb.h"
#include "util/log.h"

#include <capstone/capstone.h>
#include <string.h>

static csh guest_handle(bool code32)
{
    static csh handle[2];
    if (!handle[code32] && cs_open(CS_ARCH_X86, code32 ? CS_MODE_32 : CS_MODE_16, &handle[code32]) != CS_ERR_OK)
        return 0;
    return handle[code32];
}

static csh host_handle(void)
{
    static csh handle;
    if (!handle && cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) return 0;
    return handle;
}

static void print_bytes(char *buf, size_t size, const uint8_t *bytes, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n && at + 3 < size; i++) at += (size_t)snprintf(buf + at, size - at, "%02x", bytes[i]);
}

/* One instruction; returns its length, 1 when it does not disassemble. */
static size_t print_insn(csh h, const char *indent, const uint8_t *code, size_t avail, uint64_t addr)
{
    char hex[48] = "";
    cs_insn *insn = NULL;
    if (h && cs_disasm(h, code, avail, addr, 1, &insn) == 1) {
        size_t n = insn->size;
        print_bytes(hex, sizeof hex, code, n);
        log_printf("%s%08llx  %-24s %s %s\n", indent, (unsigned long long)addr, hex, insn->mnemonic, insn->op_str);
        cs_free(insn, 1);
        return n;
    }
    print_bytes(hex, sizeof hex, code, 1);
    log_printf("%s%08llx  %-24s (data)\n", indent, (unsigned long long)addr, hex);
    return 1;
}

static void guest_line(const TB *tb, uint32_t eip, uint32_t len)
{
    uint8_t bytes[DECODE_MAX];
    uint32_t at = (uint32_t)(tb->phys & PAGE_MASK) + (eip - tb->eip);
    for (uint32_t i = 0; i < len && i < sizeof bytes; i++, at++) {
        const uint8_t *page = tb->page_host[at >> PAGE_SHIFT & 1];
        bytes[i] = page ? page[at & PAGE_MASK] : 0;
    }
    print_insn(guest_handle((tb->mode & MODE_CS32) != 0), "", bytes, len, eip);
}

/* The operations of one guest instruction: from the MARK at *i to the next. */
static void ir_lines(const IrBlock *b, uint32_t eip, const char *indent)
{
    char text[256];
    bool inside = false;
    for (uint32_t i = 0; i < b->n; i++) {
        const IrInsn *in = &b->insn[i];
        if (in->op == IR_MARK) {
            inside = in->target[0] == eip;
            continue;
        }
        if (!inside || in->op == IR_NOP) continue;
        ir_print_insn(text, sizeof text, in);
        log_printf("%s%s\n", indent, text);
    }
}

static void host_range(const TB *tb, uint32_t from, uint32_t to)
{
    const uint8_t *base = tb->code.entry_checked;
    while (from < to)
        from += (uint32_t)print_insn(host_handle(), "            ", base + from, to - from, (uintptr_t)(base + from));
}

static uint32_t row_end(const TB *tb, const EmitMap *map, unsigned n, unsigned i)
{
    return i + 1 < n ? map[i + 1].offset : tb->code.size;
}

static void host_lines(const TB *tb, const EmitMap *map, unsigned n, uint32_t first, uint32_t last, bool cold)
{
    bool said = false;
    for (unsigned i = 0; i < n; i++) {
        if (map[i].ir_index < first || map[i].ir_index >= last || (map[i].purpose != NULL) != cold) continue;
        uint32_t end = row_end(tb, map, n, i);
        if (end == map[i].offset) continue;
        if (cold && !said) log_printf("          out of line:\n");
        said = true;
        host_range(tb, map[i].offset, end);
    }
}

static void emit_text(void *opaque, const char *line)
{
    (void)opaque;
    log_printf("        %s\n", line);
}

static void dump_insn(Exec *ex, const TB *tb, const IrBlock *before, const IrBlock *after, uint32_t i,
                      const EmitMap *map, unsigned map_n)
{
    uint32_t eip = after->insn[i].target[0], end = i + 1;
    while (end < after->n && after->insn[end].op != IR_MARK) end++;
    guest_line(tb, eip, after->insn[i].target[1]);
    if (log_on(LOG_OP) && before) ir_lines(before, eip, "      op      ");
    if (log_on(LOG_OP_OPT)) ir_lines(after, eip, "      op_opt  ");
    if (log_on(LOG_OUT_ASM) && ex->backend->native) {
        host_lines(tb, map, map_n, i, end, false);
        host_lines(tb, map, map_n, i, end, true);
    }
}

void dump_block(Exec *ex, const TB *tb, const IrBlock *before, const IrBlock *after, const EmitMap *map, unsigned map_n)
{
    log_printf("---- block %08x (linear %08x, physical %09llx), mode %07x: %u instructions, %u bytes -> %u operations, "
               "%u bytes\n",
               tb->eip, tb->lin, (unsigned long long)tb->phys, tb->mode, tb->n_guest, tb->size, after->n,
               tb->code.size);
    if (log_on(LOG_OUT_ASM) && ex->backend->native && map_n) {
        log_printf("          entry: page check\n");
        host_range(tb, 0, map_n > 1 ? map[1].offset : 0);
    }
    for (uint32_t i = 0; i < after->n; i++)
        if (after->insn[i].op == IR_MARK) dump_insn(ex, tb, before, after, i, map, map_n);
    if (log_on(LOG_OUT_ASM) && !ex->backend->native) ex->backend->dump(&tb->code, emit_text, NULL);
    log_printf("\n");
}
