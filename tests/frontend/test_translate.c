/* The translator: what some instructions become, block ends, the flag look-ahead, and a checker of the IR's rules run
 * over all opcodes with random operands in several modes. */
#include <stdlib.h>
#include <string.h>

#include "frontend/translate.h"
#include "tests/tap.h"

/* Effects of helpers from the one table, without their code. */
enum { NONE = 0, A = 255, AF_ = IR_FL_ALL, RAISES = IR_RAISES, FPU = IR_HELPER_FPU };
static const IrHelperInfo helper_info[] = {
#define HELPER(NAME, RET, NARGS, GRD, GWR, FLRD, FLWR, ATTR, EFFECTS)                                                  \
    { .name = #NAME,                                                                                                   \
      .nargs = NARGS,                                                                                                  \
      .has_ret = RET,                                                                                                  \
      .gpr_rd = GRD,                                                                                                   \
      .gpr_wr = GWR,                                                                                                   \
      .fl_rd = FLRD,                                                                                                   \
      .fl_wr = FLWR,                                                                                                   \
      .attr = ATTR,                                                                                                    \
      .effects = EFFECTS },
#include "cpu/helpers.def"
#undef HELPER
};

enum {
    EIP = 0x1000,
    FLAT = MODE_FLAT_ES | MODE_FLAT_CS | MODE_FLAT_SS | MODE_FLAT_DS | MODE_FLAT_FS | MODE_FLAT_GS,
    PROT32 = MODE_PE | MODE_CS32 | MODE_SS32 | FLAT,
    REAL16 = 0,
};

static CPUState *cpu;
static IrBlock block;
static uint8_t page[PAGE_SIZE], page_after[PAGE_SIZE];
static bool have_page_after;
static unsigned n_next_page;

static const uint8_t *next_page(void *opaque)
{
    (void)opaque;
    n_next_page++;
    return have_page_after ? page_after : NULL;
}

/* Translates code put at `offset` of a page full of HLT. */
static enum TranslateResult translate_at(uint32_t mode, unsigned offset, const void *code, unsigned n, unsigned max)
{
    CodeSource src = { .page0 = page, .next_page = next_page };

    memset(page, 0xf4, sizeof page);
    memset(page_after, 0xf4, sizeof page_after);
    unsigned head = n < PAGE_SIZE - offset ? n : PAGE_SIZE - offset;
    memcpy(page + offset, code, head);
    memcpy(page_after, (const uint8_t *)code + head, n - head);
    cpu->mode = mode;
    cpu->eip = EIP + offset;
    cpu->seg[SEG_CS].limit = mode & MODE_FLAT_CS ? 0xffffffff : 0xffff;
    n_next_page = 0;
    return translate_block(&block, cpu, &src, max);
}

#define TRANSLATE(mode, bytes, max) translate_at(mode, 0, bytes, sizeof bytes - 1, max)

static void print_block(void)
{
    char line[256];
    for (uint32_t i = 0; i < block.n; i++) {
        ir_print_insn(line, sizeof line, &block.insn[i]);
        diag("%s", line);
    }
}

/* Operations of the block without MARKs, as their numbers, against a list ended by -1. */
static bool ops_are(const int *want)
{
    for (uint32_t i = 0; i < block.n; i++) {
        if (block.insn[i].op == IR_MARK) continue;
        if (block.insn[i].op != *want++) return false;
    }
    return *want == -1;
}
#define OPS(...) ops_are((const int[]){ __VA_ARGS__, -1 })

static const IrInsn *last(void)
{
    return &block.insn[block.n - 1];
}

/* The n-th operation `op` of the block, NULL when there is none. */
static const IrInsn *find(IrOp op, unsigned n)
{
    for (uint32_t i = 0; i < block.n; i++)
        if (block.insn[i].op == op && n-- == 0) return &block.insn[i];
    return NULL;
}

/* --- the checker --------------------------------------------------------------------------------------- */

typedef struct Check {
    const char *error;
    bool dirty, stored_below_esp; /* this guest instruction has changed guest state */
    const IrInsn *rmw;            /* open LDRMW */
    uint8_t defined[4096];        /* temporaries written so far */
} Check;

static bool raises(const IrInsn *in)
{
    if (in->op == IR_HELPER) return helper_info[in->helper].attr & IR_RAISES;
    return ir_op_info[in->op].attr & IR_RAISES;
}

static bool same_mem(const IrMem *a, const IrMem *b)
{
    return a->seg == b->seg && a->base == b->base && a->index == b->index && a->shift == b->shift &&
           a->disp == b->disp && a->asize == b->asize;
}

static void check_registers(Check *c, const IrInsn *in)
{
    uint16_t regs[12];
    bool partial = ir_op_info[in->op].dst == IR_USE_W && in->width < 4;
    unsigned n = ir_reads(in, regs);

    for (unsigned i = 0; i < n; i++) {
        if (regs[i] < IR_TEMP0 || (partial && in->dst.reg == regs[i])) continue;
        if (regs[i] >= IR_TEMP0 + block.n_temps || !c->defined[regs[i]]) c->error = "temporary read before written";
    }
    n = ir_writes(in, regs);
    for (unsigned i = 0; i < n; i++) {
        if (regs[i] >= sizeof c->defined)
            c->error = "too many temporaries";
        else
            c->defined[regs[i]] = 1;
        if (regs[i] < IR_TEMP0) c->dirty = true;
        if (c->rmw && (c->rmw->mem.base == regs[i] || c->rmw->mem.index == regs[i]))
            c->error = "address register changed within RMW";
    }
}

static void check_helper(Check *c, const IrInsn *in)
{
    const IrHelperInfo *h = &helper_info[in->helper];
    const IrOpnd *arg[4] = { &in->a, &in->b, &in->c, &in->d };

    for (unsigned i = 0; i < 4; i++)
        if ((arg[i]->kind != IR_NONE) != (i < h->nargs)) c->error = "wrong number of arguments";
    if ((in->dst.kind != IR_NONE) != h->has_ret) c->error = "result of a helper without one";
    if (h->fl_wr || (!h->has_ret && in->helper != HELPER_check_jmp && in->helper != HELPER_bound)) c->dirty = true;
}

static void check_insn(Check *c, const IrInsn *in)
{
    const IrOpInfo *info = &ir_op_info[in->op];

    if (in->op == IR_MARK) {
        if (c->rmw) c->error = "RMW left open";
        c->dirty = false;
        return;
    }
    /* A near CALL beyond the CS limit: silicon has then written the return address below ESP already. */
    bool target_fault = in->op == IR_HELPER && c->stored_below_esp &&
                        ((in->helper == HELPER_raise && in->a.imm == EXC_GP) || in->helper == HELPER_check_jmp);
    c->stored_below_esp = in->op == IR_ST && in->mem.base == IR_ESP && (int32_t)in->mem.disp < 0;
    if (raises(in) && c->dirty && !target_fault) c->error = "raises after a write";
    if (in->op == IR_STRMW) {
        if (!c->rmw || !same_mem(&c->rmw->mem, &in->mem)) c->error = "unpaired STRMW";
        c->rmw = NULL;
    }
    check_registers(c, in);
    if (in->op == IR_HELPER) check_helper(c, in);
    if (in->op == IR_LDRMW) c->rmw = in;
    if (in->fl_wr || in->op == IR_ST || in->op == IR_STRMW || in->op == IR_STSTATE) c->dirty = true;
    if ((in->op == IR_ST || in->op == IR_LDRMW) && in->mem.seg == IR_SEG_CS && in->mem.flat)
        c->error = "flat write through CS";
    if (info->mem != IR_MEM_NONE && in->mem.asize != 2 && in->mem.asize != 4) c->error = "address size";
    if (!in->width && in->op != IR_X87 && in->op != IR_VEC) c->error = "no width";
}

static const char *check_block(void)
{
    static Check c;

    memset(&c, 0, sizeof c);
    if (block.n == 0 || block.insn[0].op != IR_MARK) return "no MARK";
    for (uint32_t i = 0; i < block.n; i++) {
        check_insn(&c, &block.insn[i]);
        bool ends = ir_op_info[block.insn[i].op].attr & IR_ENDS;
        if (ends != (i + 1 == block.n)) c.error = "end in the wrong place";
    }
    if (c.rmw) c.error = "RMW left open";
    return c.error;
}

static uint32_t seed = 12345;
static uint32_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}

/* One-byte opcodes 0..FF, 0F opcodes 100..1FF, 0F 38 opcodes 200..2FF, with random prefixes and operands. */
static unsigned check_opcode(uint32_t mode, unsigned opcode, unsigned rounds)
{
    static const uint8_t prefixes[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x64 };
    unsigned bad = 0;

    for (unsigned round = 0; round < rounds; round++) {
        uint8_t code[24];
        unsigned n = 0;
        for (unsigned k = rnd() % 3; k; k--) code[n++] = prefixes[rnd() % sizeof prefixes];
        if (opcode >= 0x100) code[n++] = 0x0f;
        if (opcode >= 0x200) code[n++] = 0x38;
        code[n++] = (uint8_t)opcode;
        while (n < sizeof code) code[n++] = (uint8_t)rnd();
        if (translate_at(mode, 0, code, sizeof code, 1 + rnd() % 3) != TRANSLATE_OK) continue;
        const char *error = check_block();
        if (!error || bad++) continue;
        diag("%s: mode %x opcode %03x: %02x %02x %02x %02x %02x", error, mode, opcode, code[0], code[1], code[2],
             code[3], code[4]);
        print_block();
    }
    return bad;
}

static void test_rules(void)
{
    static const struct {
        uint32_t mode;
        const char *name;
    } modes[] = {
        { PROT32, "flat 32-bit kernel" },
        { PROT32 | 3, "flat 32-bit user" },
        { MODE_PE | MODE_CS32, "segments with bases, 16-bit stack" },
        { MODE_PE | MODE_SS32 | FLAT, "16-bit code, flat" },
        { REAL16, "real mode" },
        { MODE_PE | MODE_VM86 | 3, "virtual-8086" },
        { PROT32 | MODE_TF, "single step" },
    };
    for (unsigned m = 0; m < sizeof modes / sizeof *modes; m++) {
        unsigned bad = 0;
        for (unsigned opcode = 0; opcode < 0x300; opcode++) bad += check_opcode(modes[m].mode, opcode, 60);
        ok(bad == 0, "IR rules hold for all opcodes: %s", modes[m].name);
    }
}

/* --- what instructions become ---------------------------------------------------------------------------- */

static void test_shapes(void)
{
    TRANSLATE(PROT32, "\x50", 1);
    ok(OPS(IR_ST, IR_LEA, IR_GOTO), "push eax is a store and a lea");
    ok(find(IR_ST, 0)->mem.disp == 0xfffffffc && find(IR_ST, 0)->mem.flat, "... at [esp-4], flat");
    TRANSLATE(PROT32, "\x58", 1);
    ok(OPS(IR_LD, IR_LEA, IR_GOTO), "pop eax is a load and a lea");
    TRANSLATE(PROT32, "\x5c", 1);
    ok(OPS(IR_LD, IR_LEA, IR_MOV, IR_GOTO) && find(IR_MOV, 0)->dst.reg == IR_ESP, "pop esp: the value wins");
    TRANSLATE(PROT32, "\x66\x5c", 1);
    ok(find(IR_LEA, 0)->mem.disp == 2 && find(IR_MOV, 0)->width == 2, "pop sp adds 2 and then sets SP");
    TRANSLATE(PROT32, "\x8f\x44\x24\x08", 1);
    ok(OPS(IR_LD, IR_MOV, IR_LEA, IR_ST, IR_LEA, IR_GOTO), "pop [esp+8] addresses with the new ESP");
    TRANSLATE(PROT32 & ~MODE_SS32, "\x50", 1);
    ok(find(IR_ST, 0)->mem.asize == 2 && find(IR_LEA, 0)->width == 2, "16-bit stack: SP addresses and changes");
    TRANSLATE(PROT32, "\x1e", 1);
    ok(find(IR_ST, 0)->width == 2 && find(IR_ST, 0)->mem.disp == 0xfffffffc, "push ds writes 2 bytes of a 4-byte slot");
    TRANSLATE(PROT32, "\x31\xc0", 1);
    ok(OPS(IR_XOR, IR_GOTO), "xor eax, eax");
    TRANSLATE(PROT32, "\x01\x03", 1);
    ok(OPS(IR_LDRMW, IR_ADD, IR_STRMW, IR_GOTO), "add [ebx], eax");
    TRANSLATE(PROT32, "\x87\x03", 1);
    ok(OPS(IR_LDRMW, IR_STRMW, IR_MOV, IR_GOTO), "xchg [ebx], eax");
    TRANSLATE(PROT32, "\x0f\xb1\x08", 1);
    ok(OPS(IR_LEA, IR_LDRMW, IR_CMPXCHG, IR_STRMW, IR_GOTO), "cmpxchg [eax], ecx keeps its address");
    TRANSLATE(PROT32, "\xc1\xe0\x20", 1);
    ok(OPS(IR_GOTO), "shl eax, 32 does nothing");
    TRANSLATE(PROT32, "\xd3\xe0", 1);
    ok(find(IR_SHL, 0)->fl_rd == IR_FL_ALL, "shl eax, cl may keep the flags");
    TRANSLATE(PROT32, "\x0f\xab\x03", 1);
    const IrInsn *sar = find(IR_SAR, 0), *ld = find(IR_LDRMW, 0);
    ok(sar && sar->a.imm == 5 && sar->fl_wr == 0 && ld->mem.shift == 2, "bts [ebx], eax reaches by (eax >> 5) * 4");
    TRANSLATE(PROT32, "\x8e\xd0\x90", 8);
    ok(OPS(IR_MOVZX, IR_HELPER, IR_STSTATE, IR_EXIT), "mov ss ends the block");
    TRANSLATE(PROT32, "\x8e\xd8", 1);
    ok(find(IR_CHKMODE, 0) && find(IR_CHKMODE, 0)->target[0] == EIP + 2, "mov ds checks the mode behind it");
    TRANSLATE(PROT32, "\xc9", 1);
    ok(OPS(IR_LD, IR_LEA, IR_MOV, IR_GOTO), "leave");
    TRANSLATE(PROT32, "\xa5", 1);
    ok(OPS(IR_LD, IR_ST, IR_LDSTATE, IR_LEA, IR_LEA, IR_GOTO), "movsd");
    TRANSLATE(PROT32, "\xf3\xa5", 1);
    ok(OPS(IR_HELPER, IR_JNZ) && last()->target[0] == EIP + 2 && last()->target[1] == EIP, "rep movsd");
    TRANSLATE(PROT32, "\x2e\xc7\x03\x00\x00\x00\x00", 1);
    ok(!find(IR_ST, 0)->mem.flat, "a store through CS is never flat");
    TRANSLATE(PROT32 | 3, "\x0f\x01\x10", 1);
    ok(!find(IR_LDZX, 0), "lgdt at CPL 3: #GP before its operand is read");
    TRANSLATE(REAL16, "\x0f\x00\xc0", 1);
    ok(find(IR_HELPER, 0)->helper == HELPER_raise && find(IR_HELPER, 0)->a.imm == EXC_UD, "sldt in real mode: #UD");
}

static void test_flow(void)
{
    TRANSLATE(PROT32, "\xe8\x10\x00\x00\x00", 8);
    ok(OPS(IR_ST, IR_LEA, IR_CALL) && last()->target[0] == EIP + 0x15 && last()->target[1] == EIP + 5, "call rel32");
    TRANSLATE(PROT32, "\xff\xd4", 8);
    ok(OPS(IR_MOV, IR_ST, IR_LEA, IR_CALLR) && last()->a.reg >= IR_TEMP0, "call esp goes to the old ESP");
    TRANSLATE(PROT32, "\xc2\x08\x00", 8);
    ok(OPS(IR_LD, IR_LEA, IR_RET) && find(IR_LEA, 0)->mem.disp == 12, "ret 8");
    TRANSLATE(PROT32, "\x66\xeb\x7e", 8);
    ok(last()->target[0] == ((EIP + 3 + 0x7e) & 0xffff), "16-bit operand size cuts EIP");
    TRANSLATE(PROT32, "\x74\x10", 8);
    ok(last()->op == IR_JCC && last()->cc == 4 && last()->target[0] == EIP + 0x12, "jz");
    TRANSLATE(PROT32, "\xe2\xfe", 8);
    ok(OPS(IR_LEA, IR_JNZ) && last()->target[0] == EIP, "loop");
    TRANSLATE(PROT32, "\x67\xe3\x00", 8);
    ok(last()->op == IR_JZ && last()->width == 2, "jcxz tests 16 bits");
    TRANSLATE(REAL16, "\x66\x75\x10\x90", 8);
    ok(last()->op == IR_JCC, "real mode: a 32-bit jump within the limit needs no check");
    TRANSLATE(REAL16, "\x66\x0f\x85\x00\x00\x01\x00", 8);
    ok(find(IR_HELPER, 0) && find(IR_HELPER, 0)->helper == HELPER_check_jmp, "... beyond it is checked");
    TRANSLATE(REAL16, "\x66\xe9\x00\x00\x01\x00", 8);
    ok(find(IR_HELPER, 0)->helper == HELPER_raise, "... and always beyond it raises");
    TRANSLATE(REAL16, "\x66\xff\xe0", 8);
    ok(find(IR_HELPER, 0) && find(IR_HELPER, 0)->helper == HELPER_check_jmp, "jmp eax in real mode is checked");
    TRANSLATE(REAL16, "\xff\xe0", 8);
    ok(OPS(IR_MOVZX, IR_JMPR), "jmp ax is not");
    TRANSLATE(PROT32 | MODE_TF, "\x90\x90", 8);
    ok(block.n_guest == 1 && block.fl_live_out == IR_FL_ALL, "single step: one instruction, all flags");
    TRANSLATE(PROT32, "\x90\x90\x90\x0f\x0b", 64);
    ok(block.n_guest == 4 && block.size == 5 && last()->op == IR_EXIT, "ud2 ends the block with #UD");
    TRANSLATE(PROT32, "\x90\x90\x90", 2);
    ok(block.n_guest == 2 && last()->op == IR_GOTO && last()->target[0] == EIP + 2, "cut for length");
}

static void test_edges(void)
{
    have_page_after = true;
    ok(translate_at(PROT32, 4094, "\x90\xb8\x78\x56\x34\x12", 6, 64) == TRANSLATE_OK && block.n_guest == 2 &&
           block.size == 6 && n_next_page == 1 && find(IR_MOV, 0)->a.imm == 0x12345678,
       "an instruction across pages is the last one");
    translate_at(PROT32, 4095, "\x90", 1, 64);
    ok(block.n_guest == 1 && n_next_page == 0 && last()->target[0] == EIP + 4096, "a page's end ends the block");
    have_page_after = false;
    ok(translate_at(PROT32, 4094, "\x90\xb8\x78\x56\x34\x12", 6, 64) == TRANSLATE_OK && block.n_guest == 1,
       "a faulting next page cuts the block before it");
    ok(translate_at(PROT32, 4094, "\xb8\x78\x56\x34\x12", 5, 64) == TRANSLATE_FAULT_NEXT_PAGE,
       "... or fails when nothing is before it");

    static const uint8_t prefixes[16] = { 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                          0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90 };
    translate_at(PROT32, 0, prefixes, 16, 64);
    ok(find(IR_HELPER, 0)->helper == HELPER_raise && find(IR_HELPER, 0)->a.imm == EXC_GP, "16 bytes: #GP(0)");

    CodeSource src = { .page0 = page, .next_page = next_page };
    cpu->mode = MODE_PE | MODE_CS32;
    memset(page, 0x90, sizeof page);
    memcpy(page + 0x10, "\xb8\x78\x56\x34\x12", 5);
    cpu->eip = EIP + 0xe;
    cpu->seg[SEG_CS].limit = EIP + 0x12;
    translate_block(&block, cpu, &src, 64);
    ok(block.n_guest == 2 && last()->op == IR_GOTO, "the CS limit cuts the block");
    cpu->eip = EIP + 0x10;
    translate_block(&block, cpu, &src, 64);
    ok(find(IR_HELPER, 0) && find(IR_HELPER, 0)->a.imm == EXC_GP, "... and raises #GP(0) at its start");
    cpu->eip = EIP + 0x13;
    translate_block(&block, cpu, &src, 64);
    ok(find(IR_HELPER, 0) && find(IR_HELPER, 0)->a.imm == EXC_GP && block.size > 0, "... and beyond it");
}

static unsigned needed(const char *code, unsigned n)
{
    cpu->mode = PROT32;
    return translate_flags_needed(cpu, (const uint8_t *)code, n);
}
#define NEEDED(bytes) needed(bytes, sizeof bytes - 1)

static void test_flags(void)
{
    ok(NEEDED("\x39\xc8") == 0, "cmp needs none");
    ok(NEEDED("\x89\xc8\x50\x39\xc8") == 0, "mov, push, cmp neither");
    ok(NEEDED("\x74\x02\x39\xc8\x39\xc8") == IR_ZF, "jz with a cmp both ways needs ZF");
    ok(NEEDED("\x11\xc8") == IR_CF, "adc needs CF");
    ok(NEEDED("\x40\x11\xc8") == IR_CF, "inc passes CF on");
    ok(NEEDED("\x41\x39\xc8") == 0, "inc, cmp");
    ok(NEEDED("\xd3\xe0\x39\xc8") == 0, "a shift by CL before cmp");
    ok(NEEDED("\xd3\xe0\x74\x00\x39\xc8") == IR_ZF, "a shift by CL may keep ZF");
    ok(NEEDED("\xc1\xe0\x02\x74\x00\x39\xc8") == 0, "a shift by 2 does not");
    ok(NEEDED("\xc3") == IR_FL_ALL, "ret needs all");
    ok(NEEDED("\x9c") == IR_FL_ALL, "pushf needs all");
    ok(NEEDED("\xcd\x80") == IR_FL_ALL, "int needs all");
    ok(NEEDED("\xeb\x00\x39\xc8") == 0, "jmp is followed");
    ok(NEEDED("\xeb\x7f") == IR_FL_ALL, "... not out of sight");
    ok(NEEDED("\xeb\xfe") == IR_FL_ALL, "an endless loop is given up");
    ok(NEEDED("\xf3\xa6\x39\xc8") == 0 && NEEDED("\xf3\xa6\x74\x00\x39\xc8") == IR_ZF, "repe cmps may do nothing");
    ok(NEEDED("\xda\xc1\x39\xc8") == (IR_CF | IR_ZF | IR_PF), "fcmovb reads flags");

    TRANSLATE(PROT32, "\x49\x75\xfd\x39\xc8", 64);
    ok(block.fl_live_out == IR_CF || block.fl_live_out == 0, "dec, jnz back: at most CF lives on");
    ok(block.look_lo == EIP && block.look_hi >= EIP + 5, "... which relies on the code looked at");
    TRANSLATE(PROT32, "\x39\xc8\x72\x02\x39\xc8\x11\xc8", 64);
    ok(block.fl_live_out == IR_CF, "jb over a cmp to an adc");
    TRANSLATE(PROT32, "\xff\xe0", 64);
    ok(block.fl_live_out == IR_FL_ALL && block.look_lo == block.look_hi, "an indirect jump: all flags");
}

int main(void)
{
    ir_set_helper_info(helper_info, HELPER_COUNT);
    ir_block_init(&block);
    cpu = calloc(1, sizeof *cpu);
    if (!cpu) return 1;
    cpu->feat_1_edx = cpu->feat_1_ecx = cpu->feat_7_ebx = cpu->feat_ext_edx = ~0u;
    test_shapes();
    test_flow();
    test_edges();
    test_flags();
    test_rules();
    ir_block_free(&block);
    free(cpu);
    return tap_done();
}
