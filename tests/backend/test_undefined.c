/* The host is asked what an instruction leaves in flags that the manual calls undefined, and in results that it does (BSF of
 * nothing, 16-bit SHLD by more than 16): random instructions with random operands, alone and up to six in a row, run on
 * the host itself and, translated, on each backend; registers, memory and all six flags must agree.  So tcg/silicon.h is
 * right about this host, and what one instruction leaves alone is there after it. */
#include "rig.h"
#include "../tap.h"

#ifndef __x86_64__
int main(void)
{
    ok(true, "flags # SKIP needs an x86-64 host");
    return tap_done();
}
#else
#include "../cpu/native.h"
#include "frontend/translate.h"
#include "tcg/silicon.h"

enum { ROUNDS = 4000, SEQUENCES = 60000, LONGEST = 6, OPERAND = 0x3000 };

/* The same bytes in both modes.  ModRM.rm is EBX (AL or BL: bytes) or [ESI]; .reg is EDX or the digit. */
enum { IMM8 = 1, IMM_WIDE = 2, BYTES = 4, DIVIDES = 8, TWO = 16, NO_MEMORY = 32 };
static const struct Form {
    const char *name;
    uint8_t prefix, escape, opcode; /* that of bytes, where there is one; the others are opcode + 1 */
    int8_t digit;                   /* -1: EDX */
    uint8_t how;
} forms[] = {
    { "mul", 0, 0, 0xf6, 4, BYTES },
    { "imul", 0, 0, 0xf6, 5, BYTES },
    { "imul r, rm", 0, 0x0f, 0xaf, -1, 0 },
    { "imul r, rm, imm8", 0, 0, 0x6b, -1, IMM8 },
    { "imul r, rm, imm", 0, 0, 0x69, -1, IMM_WIDE },
    { "div", 0, 0, 0xf6, 6, BYTES | DIVIDES },
    { "idiv", 0, 0, 0xf6, 7, BYTES | DIVIDES },
    { "bsf", 0, 0x0f, 0xbc, -1, 0 },
    { "bsr", 0, 0x0f, 0xbd, -1, 0 },
    { "popcnt", 0xf3, 0x0f, 0xb8, -1, 0 },
    { "bt", 0, 0x0f, 0xa3, -1, NO_MEMORY },
    { "bts", 0, 0x0f, 0xab, -1, NO_MEMORY },
    { "btr", 0, 0x0f, 0xb3, -1, NO_MEMORY },
    { "btc", 0, 0x0f, 0xbb, -1, NO_MEMORY },
    { "bt imm", 0, 0x0f, 0xba, 4, IMM8 },
    { "bts imm", 0, 0x0f, 0xba, 5, IMM8 },
    { "btr imm", 0, 0x0f, 0xba, 6, IMM8 },
    { "btc imm", 0, 0x0f, 0xba, 7, IMM8 },
    { "rol 1", 0, 0, 0xd0, 0, BYTES },
    { "ror 1", 0, 0, 0xd0, 1, BYTES },
    { "rcl 1", 0, 0, 0xd0, 2, BYTES },
    { "rcr 1", 0, 0, 0xd0, 3, BYTES },
    { "shl 1", 0, 0, 0xd0, 4, BYTES },
    { "shr 1", 0, 0, 0xd0, 5, BYTES },
    { "sar 1", 0, 0, 0xd0, 7, BYTES },
    { "rol imm", 0, 0, 0xc0, 0, BYTES | IMM8 },
    { "ror imm", 0, 0, 0xc0, 1, BYTES | IMM8 },
    { "rcl imm", 0, 0, 0xc0, 2, BYTES | IMM8 },
    { "rcr imm", 0, 0, 0xc0, 3, BYTES | IMM8 },
    { "shl imm", 0, 0, 0xc0, 4, BYTES | IMM8 },
    { "shr imm", 0, 0, 0xc0, 5, BYTES | IMM8 },
    { "sar imm", 0, 0, 0xc0, 7, BYTES | IMM8 },
    { "rol cl", 0, 0, 0xd2, 0, BYTES },
    { "ror cl", 0, 0, 0xd2, 1, BYTES },
    { "rcl cl", 0, 0, 0xd2, 2, BYTES },
    { "rcr cl", 0, 0, 0xd2, 3, BYTES },
    { "shl cl", 0, 0, 0xd2, 4, BYTES },
    { "shr cl", 0, 0, 0xd2, 5, BYTES },
    { "sar cl", 0, 0, 0xd2, 7, BYTES },
    { "shld imm", 0, 0x0f, 0xa4, -1, IMM8 },
    { "shrd imm", 0, 0x0f, 0xac, -1, IMM8 },
    { "shld cl", 0, 0x0f, 0xa5, -1, 0 },
    { "shrd cl", 0, 0x0f, 0xad, -1, 0 },
    { "or", 0, 0, 0x08, -1, BYTES },
    { "and", 0, 0, 0x20, -1, BYTES },
    { "xor", 0, 0, 0x30, -1, BYTES },
    { "test", 0, 0, 0x84, -1, BYTES },
    /* nothing undefined: what the others may leave alone */
    { "add", 0, 0, 0x00, -1, BYTES },
    { "sbb", 0, 0, 0x18, -1, BYTES },
    { "inc", 0, 0, 0xfe, 0, BYTES },
    { "cmp", 0, 0, 0x38, -1, BYTES },
};
enum { N_FORMS = sizeof forms / sizeof *forms };

typedef struct Code {
    uint8_t byte[LONGEST * 12];
    unsigned n, insns;
} Code;

static void add_byte(Code *c, unsigned v)
{
    c->byte[c->n++] = (uint8_t)v;
}

static void add_insn(Code *c, const struct Form *f)
{
    unsigned v = rig_random(), width = f->how & BYTES ? 1u << v % 3 : 2u << v % 2;
    unsigned reg = f->digit < 0 ? IR_EDX : (unsigned)f->digit, memory = v >> 8 & 1 && !(f->how & NO_MEMORY);
    if (width == 2) add_byte(c, 0x66);
    if (f->prefix) add_byte(c, f->prefix);
    if (f->escape) add_byte(c, f->escape);
    add_byte(c, f->opcode + (f->how & BYTES && width != 1));
    add_byte(c, reg << 3 | (memory ? 6 : 0xc0 | IR_EBX));
    if (f->how & IMM8) add_byte(c, v >> 9);
    for (unsigned i = 0; f->how & IMM_WIDE && i < width; i++) add_byte(c, rig_random());
    c->insns++;
}

typedef struct Regs {
    uint32_t gpr[4], mem; /* EAX ECX EDX EBX */
    unsigned flags;
} Regs;

/* Quotients that fit more often than not. */
static void random_regs(Regs *r, bool divides)
{
    for (unsigned i = 0; i < 4; i++) r->gpr[i] = rig_random_value();
    r->mem = rig_random_value();
    r->flags = ir_flags_to_eflags(rig_random() & IR_FL_ALL);
    if (!divides || !(rig_random() & 7)) return;
    uint32_t mask = 0xffffffffu >> rig_random() % 32;
    r->gpr[IR_EDX] = rig_random() & 1 ? 0 : (uint32_t)((int32_t)r->gpr[IR_EAX] >> 31);
    if (rig_random() & 1) r->gpr[IR_EAX] &= mask;
    if (rig_random() & 1) r->gpr[IR_EAX] &= 0x7f;
    if (rig_random() & 1) r->gpr[IR_EDX] = r->gpr[IR_EBX] & mask >> 1;
}

static Native native;

/* false: the divide error. */
static bool run_native(const Code *c, const Regs *before, Regs *after)
{
    static const FpuState fpu = { .cw = 0x37f, .mxcsr = MXCSR_RESET };
    FpuState left;
    native_pack(native.fx_in, &fpu);
    memcpy(native.gpr_in, before->gpr, sizeof native.gpr_in);
    memcpy(native.mem, &before->mem, 4);
    native.flags_in = before->flags | 0x202;
    native_assemble(c->byte, c->n);
    if (native_run(&native)) return false;
    native_unpack(&left, native.fx_out);
    memcpy(after->gpr, native.gpr_out, sizeof after->gpr);
    memcpy(&after->mem, native.mem, 4);
    after->flags = (unsigned)native.flags_out & FL_ARITH;
    return true;
}

static bool run_calque(Rig *r, const Code *c, const Regs *before, Regs *after)
{
    CPUState *cpu = r->cpu;
    CodeSource src = { .page0 = r->ram + RIG_EIP, .end = c->n, .no_look_ahead = true };
    memcpy(r->ram + RIG_EIP, c->byte, c->n);
    memcpy(cpu->regs, before->gpr, sizeof before->gpr);
    memcpy(r->ram + OPERAND, &before->mem, 4);
    cpu->regs[IR_ESI] = OPERAND;
    cpu->cc = cpu_cc_from_flags(before->flags);
    rig_begin(r);
    r->info.no_chain = true;
    cpu->eip = RIG_EIP;
    if (translate_block(&r->b, cpu, &src, c->insns) != TRANSLATE_OK || r->b.n_guest != c->insns) {
        diag("not translated");
        return false;
    }
    r->b.mmu_idx = MMU_SUPER;
    ir_run_passes(&r->b);
    if (!rig_emit(r)) return false;
    rig_run(r);
    memcpy(after->gpr, cpu->regs, sizeof after->gpr);
    memcpy(&after->mem, r->ram + OPERAND, 4);
    after->flags = cpu_arith_flags(cpu->cc);
    return true;
}

static void show(const char *who, const Regs *r)
{
    diag("  %-7s eax %08x ecx %08x edx %08x ebx %08x memory %08x flags %03x", who, r->gpr[0], r->gpr[1], r->gpr[2],
         r->gpr[3], r->mem, r->flags);
}

static bool same(Rig *r, const Code *c, bool divides)
{
    Regs before, host, calque;
    char text[sizeof c->byte * 3 + 1] = "";
    random_regs(&before, divides);
    bool fits = run_native(c, &before, &host);
    if (!run_calque(r, c, &before, &calque)) return false;
    if (fits ? r->raised < 0 && !memcmp(&host, &calque, sizeof host) : r->raised == EXC_DE) return true;
    for (unsigned i = 0; i < c->n; i++) snprintf(text + 3 * i, 4, "%02x ", c->byte[i]);
    diag("%s: raised %d", text, r->raised);
    show("before", &before);
    if (fits) show("host", &host);
    show("calque", &calque);
    return false;
}

static void test_alone(Rig *r)
{
    for (unsigned f = 0; f < N_FORMS; f++) {
        unsigned bad = 0;
        for (unsigned i = 0; i < ROUNDS && bad < 3; i++) {
            Code c = { .n = 0 };
            add_insn(&c, &forms[f]);
            bad += !same(r, &c, forms[f].how & DIVIDES);
        }
        ok(!bad, "%s as %s has it: %s", r->backend->name, silicon()->name, forms[f].name);
    }
}

static void test_sequences(Rig *r)
{
    unsigned bad = 0;
    for (unsigned i = 0; i < SEQUENCES && bad < 3; i++) {
        Code c = { .n = 0 };
        unsigned n = 2 + rig_random() % (LONGEST - 1), divides = 0;
        while (c.insns < n) {
            const struct Form *f = &forms[rig_random() % N_FORMS];
            if (f->how & DIVIDES && c.insns) continue;
            divides |= f->how & DIVIDES;
            add_insn(&c, f);
        }
        bad += !same(r, &c, divides);
    }
    ok(!bad, "%s as %s has it: in a row", r->backend->name, silicon()->name);
}

static void test_backend(const char *name)
{
    Rig r;
    if (!rig_open(&r, name)) {
        ok(false, "%s is there", name);
        return;
    }
    test_alone(&r);
    test_sequences(&r);
    rig_close(&r);
}

int main(void)
{
    cpu_register_helpers();
    if (!native_init()) return 1;
    test_backend("interp");
    test_backend("x86_64");
    return tap_done();
}
#endif
