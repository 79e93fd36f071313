/* What the translate_*.c files share: the translator's state, operand access, block ends, and the list of
 * visitors (one per instruction or family, `void tr_NAME(Tr *, const Insn *)`).
 *
 * The rule that shapes every visitor (tcg/ir.h, precise exceptions): within one guest instruction, all that may
 * raise comes before the first write to a guest register, flag or memory.  Hence the helpers load into
 * temporaries, RMW is split into begin and end, and PUSH stores before it moves ESP. */
#ifndef CALQUE_FRONTEND_TRANSLATE_INTERNAL_H
#define CALQUE_FRONTEND_TRANSLATE_INTERNAL_H

#include "cpu/cpu.h"
#include "frontend/decode.h"
#include "frontend/translate.h"
#include "tcg/ir.h"

typedef struct Tr {
    IrBlock *b;
    CPUState *cpu;
    uint32_t mode;               /* MODE_*: all that the translation may depend on ... */
    uint32_t cs_limit;           /* ... with the CS limit; ~0 when CS is flat */
    uint32_t eip;                /* of this instruction */
    uint32_t next;               /* of the one behind it */
    IrOp op;                     /* from the dispatch table, for visitors that serve a family */
    bool more;                   /* the next instruction is certain to be in this block too */
    uint32_t poll_after;         /* interrupts are let in after this many instructions (STI); 0: nothing special */
    bool last;                   /* counting: the block ends after this instruction */
    uint32_t soft_from, soft_to; /* CodeSource's, from the block's start */
    bool ended;                  /* an operation with IR_ENDS has been emitted */
} Tr;

typedef void TrVisit(Tr *t, const Insn *in);

/* One row per mnemonic, translate_table.c. */
typedef struct TrEntry {
    TrVisit *visit; /* NULL: #UD */
    uint8_t op;     /* IrOp, for Tr.op */
    uint8_t known;  /* look-ahead may pass it: fl_rd, fl_wr are the truth */
    uint8_t fl_rd, fl_wr;
} TrEntry;
extern const TrEntry tr_table[MN_COUNT];

/* --- operands ----------------------------------------------------------------------------------- */
IrOpnd tr_gpr(unsigned reg, unsigned size); /* size 1: AL CL DL BL AH CH DH BH */
IrOpnd tr_temp(Tr *t);                      /* a fresh temporary */
/* The instruction's memory operand for use IR_MEM_R / W / RW (ADDR for LEA): segment, flatness, address size. */
IrMem tr_mem(Tr *t, const Insn *in, unsigned use);
IrMem tr_mem_plus(IrMem m, uint32_t bytes); /* the same, bytes further on */
IrMem tr_mem_at(Tr *t, unsigned seg, unsigned reg, unsigned asize, uint32_t disp, unsigned use); /* seg:[reg+disp] */
IrOpnd tr_ea(Tr *t, const Insn *in);                        /* its offset within the segment, in a temporary */
unsigned tr_data_seg(const Insn *in);                       /* override or DS: implicit ESI/EBX/EAX addresses */
IrOpnd tr_load(Tr *t, IrMem m, unsigned size);              /* into a temporary, zero-extended */
void tr_load_to(Tr *t, IrMem m, unsigned size, IrOpnd dst); /* keeps the register's other bits */
void tr_store(Tr *t, IrMem m, unsigned size, IrOpnd v);
/* Operand i: the register itself, the immediate, or memory loaded into a temporary. */
IrOpnd tr_imm(Tr *t, const Insn *in); /* Insn.imm as an operand of 32 bits */
IrOpnd tr_read(Tr *t, const Insn *in, unsigned i);
IrOpnd tr_read_copy(Tr *t, const Insn *in, unsigned i);     /* always a temporary, zero-extended to 32 bits */
void tr_write(Tr *t, const Insn *in, unsigned i, IrOpnd v); /* memory: may raise */
static inline bool tr_is_mem(const Insn *in, unsigned i)
{
    return in->opnd[i].kind == OPND_MEM || in->opnd[i].kind == OPND_MOFFS;
}

/* Read-modify-write of operand i: begin loads (checking for writing) or names the register, the caller
 * changes v in place, end stores.  Nothing between them may change a register of the address. */
typedef struct TrRmw {
    IrMem mem;
    IrOpnd v;
    uint8_t size, is_mem, lock;
} TrRmw;
TrRmw tr_rmw_begin(Tr *t, const Insn *in, unsigned i);
TrRmw tr_rmw_begin_at(Tr *t, const Insn *in, IrMem m, unsigned size);
void tr_rmw_end(Tr *t, const TrRmw *r);

/* --- operations --------------------------------------------------------------------------------- */
/* Emits with dst and a; the pointer is good until the next emission. */
IrInsn *tr_op(Tr *t, IrOp op, unsigned width, IrOpnd dst, IrOpnd a);
/* Address arithmetic on 32 bits: touches no guest flag. */
void tr_calc(Tr *t, IrOp op, IrOpnd dst, IrOpnd a);
void tr_move(Tr *t, unsigned width, IrOpnd dst, IrOpnd a);
void tr_address(Tr *t, unsigned width, IrOpnd dst, IrMem m);
void tr_add_reg(Tr *t, unsigned width, unsigned reg, uint32_t bytes); /* reg += bytes without flags */
IrOpnd tr_ldstate(Tr *t, size_t offset, unsigned width);
void tr_ststate(Tr *t, size_t offset, unsigned width, IrOpnd v);

/* Callouts: tr_call(t, HELPER_lldt, selector). */
void tr_call_args(Tr *t, HelperId helper, IrOpnd dst, const IrOpnd arg[4]);
IrOpnd tr_call_ret_args(Tr *t, HelperId helper, const IrOpnd arg[4]);
#define tr_call(t, helper, ...)     tr_call_args(t, helper, (IrOpnd){ 0 }, (const IrOpnd[4]){ __VA_ARGS__ })
#define tr_call_ret(t, helper, ...) tr_call_ret_args(t, helper, (const IrOpnd[4]){ __VA_ARGS__ })

/* --- block ends ------------------------------------------------------------------------------------ */
void tr_raise(Tr *t, unsigned vector, uint32_t error); /* and ends the block */
void tr_ud(Tr *t);
void tr_gp0(Tr *t);
void tr_exit(Tr *t);      /* to the execution loop; EIP has been set by a helper */
void tr_exit_next(Tr *t); /* to the execution loop, behind this instruction */
void tr_goto(Tr *t, uint32_t eip);
void tr_reads_time(Tr *t);
void tr_chkmode(Tr *t); /* after helpers that may write memory, change the mode, or request an exit */
/* Raises #GP(0) and returns true when this code runs above CPL 0. */
bool tr_privileged(Tr *t);
static inline bool tr_protected(const Tr *t)
{
    return (t->mode & MODE_PE) && !(t->mode & MODE_VM86);
}

/* --- stack ------------------------------------------------------------------------------------------- */
static inline unsigned tr_sp_width(const Tr *t)
{
    return t->mode & MODE_SS32 ? 4 : 2;
}
IrMem tr_stack(Tr *t, uint32_t disp, unsigned use); /* SS:[ESP + disp] or SS:[SP + disp] */
void tr_push_value(Tr *t, unsigned size, IrOpnd v);
void tr_sp_add(Tr *t, uint32_t bytes);

/* --- visitors ------------------------------------------------------------------------------------------ */
/* clang-format off */
#define TR_VISITORS_INTEGER(X)                                                                                      \
    /* translate_move.c */                                                                                          \
    X(mov) X(movzx) X(movsx) X(lea) X(xchg) X(bswap) X(movbe) X(cmov) X(setcc) X(cbw) X(cwd) X(xlat) X(load_far)    \
    X(lahf) X(sahf) X(salc) X(nop)                                                                                  \
    /* translate_alu.c */                                                                                           \
    X(alu) X(cmp) X(unary) X(mul) X(imul) X(div) X(cmpxchg) X(xadd) X(cmpxchg8b) X(adjust) X(aam_aad) X(bsf)        \
    X(popcnt) X(crc32) X(rdrand)                                                                                    \
    /* translate_shift.c */                                                                                         \
    X(shift) X(shld) X(bt)                                                                                          \
    /* translate_stack.c */                                                                                         \
    X(push) X(pop) X(pusha) X(popa) X(pushf) X(popf) X(enter) X(leave)                                              \
    /* translate_string.c */                                                                                        \
    X(movs) X(stos) X(lods) X(cmps) X(scas) X(ins) X(outs)                                                          \
    /* translate_flow.c */                                                                                          \
    X(jmp) X(jcc) X(jcxz) X(loop) X(loope) X(loopne) X(call_near) X(ret) X(jmpf) X(callf) X(retf) X(iret) X(int)    \
    X(int3) X(into) X(int1) X(bound) X(sysenter) X(sysexit) X(syscall) X(sysret) X(rsm)                             \
    /* translate_system.c */                                                                                        \
    X(flag) X(cld) X(std) X(cli) X(sti) X(stac) X(clac) X(hlt) X(in) X(out) X(lgdt) X(lidt) X(sgdt) X(sidt)         \
    X(smsw) X(lmsw) X(clts) X(invlpg) X(clflush) X(lldt) X(ltr) X(sldt) X(str) X(verr) X(verw) X(lar) X(lsl) X(arpl)           \
    X(cpuid) X(rdtsc) X(rdpmc) X(rdmsr) X(wrmsr) X(wbinvd) X(monitor) X(mwait)

#define TR_VISITORS_FP(X)                                                                                           \
    /* translate_x87.c */                                                                                           \
    X(x87) X(fninit) X(fnclex) X(fldcw) X(fnstcw) X(fnstenv) X(fldenv) X(fnsave) X(frstor) X(fnstsw) X(fwait)       \
    X(fxsave) X(fxrstor)                                                                                            \
    /* translate_vec.c */                                                                                           \
    X(vec) X(ldmxcsr) X(stmxcsr) X(maskmov) X(movnti)
/* clang-format on */

#define X(name) TrVisit tr_##name;
TR_VISITORS_INTEGER(X)
TR_VISITORS_FP(X)
#undef X

/* Segment and control register moves, from tr_mov and tr_pop. */
void tr_mov_to_seg(Tr *t, const Insn *in);
void tr_mov_from_seg(Tr *t, const Insn *in);
void tr_mov_cr_dr(Tr *t, const Insn *in);
void tr_load_seg(Tr *t, unsigned seg, IrOpnd selector); /* may raise; changes no GPR */
IrOpnd tr_selector(Tr *t, unsigned seg);
IrOpnd tr_read_selector(Tr *t, const Insn *in, unsigned i); /* operand i's low 16 bits, zero-extended */

void decode_features_from_cpu(DecodeFeatures *f, const CPUState *cpu);
const DecodeFeatures *tr_features(const CPUState *cpu); /* cached */

#endif
