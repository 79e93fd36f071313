/* Code that all blocks share: entry, exits, calls into C.
 *
 * Generated code does not run on the C stack.  rsp points into the return-address stack (RAS): a guest
 * CALL pushes the guest's return EIP and makes a host CALL, a guest RET compares the EIP it popped from the
 * guest's stack with the one on the RAS and, when they agree, makes a host RET, so that the host's own
 * return predictor works for the guest.  When they disagree (longjmp, task switch, after any visit to the
 * execution loop) the RAS is reset to its base, where a value waits that no EIP equals.  Calls into C
 * switch to the C stack and back. */
#include "backend/x86_64/emit.h"
#include "softmmu/window_global.h"

#include <sys/mman.h>

Thunks thunks;

enum { RAS_SIZE = 1 << 20, RAS_RESERVE = 64 << 10 /* signal handlers run here too */ };
#define RAS_SENTINEL 0x8000000000000000ull

bool thunks_setup(CPUState *cpu, const char **error)
{
    static uint8_t *ras;
    if (!ras) {
        void *p = mmap(NULL, RAS_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) {
            *error = "no memory for the return-address stack";
            return false;
        }
        ras = p;
    }
    const uint8_t *window = window_global_base(&cpu->mmu);
    thunks.system_window = window ? (int32_t)(window - (const uint8_t *)cpu) : 0;
    thunks.has_bmi2 = __builtin_cpu_supports("bmi2");
    uint64_t *base = (uint64_t *)(ras + RAS_SIZE - 64);
    base[0] = 0;
    base[1] = RAS_SENTINEL;
    cpu->backend_tmp[TMP_RAS_BASE] = (uintptr_t)base;
    cpu->backend_tmp[TMP_RAS_LIMIT] = (uintptr_t)(ras + RAS_RESERVE);
    cpu->backend_tmp[TMP_MXCSR_LOADED] = 0;
    cpu->backend_tmp[TMP_X87_LOADED] = 0;
    cpu->backend_tmp[TMP_XMM_LOADED] = 0;
    uint32_t mxcsr;
    __asm__("stmxcsr %0" : "=m"(mxcsr));
    cpu->backend_tmp[TMP_MXCSR_HOST] = mxcsr;
    cpu->fpu_sync_out = x87_out;
    cpu->x87_transcendental = x87_transcendental;
    cpu->fpu_sync_in = NULL; /* loaded again by the next block that needs it */
    return true;
}

static const uint8_t callee_saved[] = { RBX, RBP, R12, R13, R14, R15 };

static void push(Asm *a, unsigned r)
{
    if (r >= R8) asm8(a, 0x41);
    asm8(a, 0x50 | (r & 7));
}
static void pop(Asm *a, unsigned r)
{
    if (r >= R8) asm8(a, 0x41);
    asm8(a, 0x58 | (r & 7));
}

static void store_gprs(Asm *a)
{
    for (unsigned i = 0; i < 8; i++) asm_store(a, state_at(offsetof(CPUState, regs) + 4 * i), host_of_gpr[i]);
}
static void load_gprs(Asm *a)
{
    for (unsigned i = 0; i < 8; i++) asm_load(a, host_of_gpr[i], state_at(offsetof(CPUState, regs) + 4 * i));
}

/* movups: 0F 10 load, 0F 11 store */
static void move_xmm(Asm *a, unsigned opcode)
{
    for (unsigned i = 0; i < 8; i++) asm_rm(a, 0, opcode, i, state_at(offsetof(CPUState, fpu.xmm) + 16 * i));
}
static void move_xmm_if_loaded(Asm *a, unsigned opcode)
{
    asm_alu_mem_imm(a, 4, 7, STATE_TMP(TMP_XMM_LOADED), 0);
    uint8_t *skip = asm_jcc(a, CC_E);
    move_xmm(a, opcode);
    asm_patch(skip, a->p);
}

static void ldmxcsr(Asm *a, AsmMem m)
{
    asm_rm(a, DIGIT, 0x0fae, 2, m);
}
static void stmxcsr(Asm *a, AsmMem m)
{
    asm_rm(a, DIGIT, 0x0fae, 3, m);
}

static void mxcsr_to_guest(Asm *a)
{
    ldmxcsr(a, STATE(fpu.mxcsr));
    asm_store_imm(a, 4, STATE_TMP(TMP_MXCSR_LOADED), 1);
}
static void mxcsr_to_host(Asm *a)
{
    stmxcsr(a, STATE(fpu.mxcsr));
    ldmxcsr(a, STATE_TMP(TMP_MXCSR_HOST));
    asm_store_imm(a, 4, STATE_TMP(TMP_MXCSR_LOADED), 0);
}

/* void enter(CPUState *cpu, const void *code) */
static void gen_enter(Asm *a)
{
    thunks.enter = a->p;
    for (unsigned i = 0; i < sizeof callee_saved; i++) push(a, callee_saved[i]);
    asm_alu_imm(a, 8, 5, RSP, 8);
    asm_mov64(a, RBP, RDI);
    asm_rm(a, W64, 0x89, RSP, STATE(host_sp));
    asm_mov64(a, R11, RSI);
    mxcsr_to_guest(a);
    asm_rm(a, W64, 0x8b, RSP, STATE_TMP(TMP_RAS_BASE));
    load_gprs(a);
    asm_rr(a, DIGIT, 0xff, 4, R11); /* jmp r11 */
}

static void gen_exit(Asm *a)
{
    thunks.exit_slot = a->p;
    asm_rm(a, W64, 0x89, R8, STATE(exit_slot));
    uint8_t *common = asm_jmp(a);
    thunks.exit_null = a->p;
    asm_store_imm(a, 8, STATE(exit_slot), 0);
    asm_patch(common, a->p);
    store_gprs(a);
    move_xmm_if_loaded(a, 0x0f11);
    asm_store_imm(a, 4, STATE_TMP(TMP_XMM_LOADED), 0);
    asm_rm(a, W64, 0x8b, RSP, STATE(host_sp));
    mxcsr_to_host(a);
    asm_store_imm(a, 8, STATE(host_pc), 0);
    asm_alu_imm(a, 8, 0, RSP, 8);
    for (unsigned i = sizeof callee_saved; i-- > 0;) pop(a, callee_saved[i]);
    asm8(a, 0xc3);
}

/* Into C: guest registers and the caller's address go to CPUState, r10 is kept (r12, r13 are callee-saved). */
static void c_enter(Asm *a)
{
    store_gprs(a);
    move_xmm_if_loaded(a, 0x0f11);
    asm_rm(a, W64, 0x8b, RAX, asm_mem(RSP, 0));
    asm_rm(a, W64, 0x89, RAX, STATE(host_pc));
    asm_rm(a, W64, 0x89, R10, STATE_TMP(TMP_R10));
    asm_rm(a, W64, 0x89, RSP, STATE_TMP(TMP_RSP));
    asm_rm(a, W64, 0x8b, RSP, STATE(host_sp));
    asm_mov64(a, RDI, RBP);
}
static void c_leave(Asm *a)
{
    asm_mov(a, R8, RAX);
    move_xmm_if_loaded(a, 0x0f10);
    asm_rm(a, W64, 0x8b, RSP, STATE_TMP(TMP_RSP));
    asm_rm(a, W64, 0x8b, R10, STATE_TMP(TMP_R10));
    load_gprs(a);
    asm8(a, 0xc3);
}
static void c_call(Asm *a, uintptr_t fn)
{
    asm_mov_imm64(a, RAX, fn);
    asm_rr(a, DIGIT, 0xff, 2, RAX);
}

/* Memory slow paths: r8d = linear address, r9d = descriptor, r11d = value; result in r8d. */
static uint8_t *gen_mem(Asm *a, uintptr_t fn, bool value)
{
    uint8_t *start = a->p;
    c_enter(a);
    asm_mov(a, RSI, R8);
    if (value) asm_mov(a, RDX, R11);
    asm_mov(a, value ? RCX : RDX, R9);
    c_call(a, fn);
    c_leave(a);
    return start;
}

/* Reference helpers and those that look at x87/SSE state work on CPUState.fpu under the host's MXCSR. */
static void fpu_out(Asm *a)
{
    mxcsr_to_host(a);
    asm_alu_mem_imm(a, 4, 7, STATE_TMP(TMP_X87_LOADED), 0);
    uint8_t *skip = asm_jcc(a, CC_E);
    asm_rm(a, W64, 0x89, R8, STATE_TMP(TMP_R8));
    asm_rm(a, W64, 0x89, R9, STATE_TMP(TMP_R9));
    c_call(a, (uintptr_t)x87_out);
    asm_rm(a, W64, 0x8b, R9, STATE_TMP(TMP_R9));
    asm_rm(a, W64, 0x8b, R8, STATE_TMP(TMP_R8));
    asm_mov64(a, RDI, RBP);
    asm_patch(skip, a->p);
}

/* Callouts: r8 = function, arguments in CPUState.call_arg. */
static uint8_t *gen_helper(Asm *a, bool fpu)
{
    static const uint8_t arg_reg[4] = { RSI, RDX, RCX, R8 };
    uint8_t *start = a->p;
    c_enter(a);
    if (fpu) fpu_out(a);
    asm_mov64(a, RAX, R8);
    for (unsigned i = 0; i < 4; i++) asm_load(a, arg_reg[i], state_at(offsetof(CPUState, call_arg) + 4 * i));
    asm_rr(a, DIGIT, 0xff, 2, RAX);
    if (fpu) mxcsr_to_guest(a);
    c_leave(a);
    return start;
}

/* Reference FP operation: r8 = function, r9 = IrFp. */
static uint8_t *gen_ref(Asm *a)
{
    uint8_t *start = a->p;
    c_enter(a);
    fpu_out(a);
    asm_mov64(a, RSI, R9);
    asm_rr(a, DIGIT, 0xff, 2, R8);
    mxcsr_to_guest(a);
    c_leave(a);
    return start;
}

static uint8_t *gen_load_x87(Asm *a)
{
    uint8_t *start = a->p;
    c_enter(a);
    c_call(a, (uintptr_t)x87_in);
    c_leave(a);
    return start;
}

static uint8_t *gen_load_xmm(Asm *a)
{
    uint8_t *start = a->p;
    move_xmm(a, 0x0f10);
    asm_store_imm(a, 4, STATE_TMP(TMP_XMM_LOADED), 1);
    asm8(a, 0xc3);
    return start;
}

/* Indirect branch to r8d in the mode whose id is r9d: through the jump cache, else out to the loop. */
static void gen_lookup(Asm *a)
{
    thunks.lookup = a->p;
    emit_jump_slot(a, R11, R8);
    asm_rm(a, W32, 0x3b, R8, JUMP_CACHE(R11, eip));
    uint8_t *miss1 = asm_jcc(a, CC_NE);
    asm_rm(a, W32, 0x3b, R9, JUMP_CACHE(R11, mode_id));
    uint8_t *miss2 = asm_jcc(a, CC_NE);
    asm_rm(a, DIGIT, 0xff, 4, JUMP_CACHE(R11, code));
    asm_patch(miss1, a->p);
    asm_patch(miss2, a->p);
    asm_store(a, STATE(eip), R8);
    asm_patch(asm_jmp(a), thunks.exit_null);
}

/* See cold_run() in emit_mem.c.  span: offset of the access in the run << 16 | bytes of the run. */
static void run_miss(CPUState *cpu, uint32_t lin, uint32_t span, uint32_t desc)
{
    uint32_t low = lin - (span >> 16), len = span & 0xffff;
    unsigned idx = desc >> MEMD_IDX_SHIFT & 3;
    bool write = (desc & MEMD_RMW) || (desc & MEMD_STORE);
    PhysAddr phys;
    MmuFault fault;
    if (!((low ^ (low + len - 1)) & ~PAGE_MASK)) {
        if (!mmu_translate(&cpu->mmu, lin, write ? MMU_WRITE : MMU_READ, idx, &phys, &fault)) cpu_raise_pf(cpu, &fault);
        const TlbEntry *t = &cpu->mmu.tlb[idx][mmu_tlb_index(lin)];
        if ((write ? t->tag_wr : t->tag_rd) == (lin & ~PAGE_MASK)) return;
    }
    cpu->run_failed = true;
    cpu_retry_single(cpu);
}

/* r8d = target, which is kept. */
static uint32_t lookup_seen(CPUState *cpu, uint32_t eip)
{
    if (cpu->lookup_seen) cpu->lookup_seen(cpu, eip);
    return eip;
}

void thunks_emit(Asm *a, CPUState *cpu)
{
    (void)cpu;
    gen_enter(a);
    gen_exit(a);
    thunks.ld = gen_mem(a, (uintptr_t)cpu_mem_ld, false);
    thunks.st = gen_mem(a, (uintptr_t)cpu_mem_st, true);
    thunks.st_checked = gen_mem(a, (uintptr_t)cpu_mem_st_checked, true);
    thunks.ld_fp = gen_mem(a, (uintptr_t)cpu_mem_ld_fp, false);
    thunks.probe_fp = gen_mem(a, (uintptr_t)cpu_mem_probe_st_fp, false);
    thunks.st_fp = gen_mem(a, (uintptr_t)cpu_mem_st_fp, false);
    thunks.run_miss = gen_mem(a, (uintptr_t)run_miss, true);
    thunks.lookup_seen = gen_mem(a, (uintptr_t)lookup_seen, false);
    thunks.helper = gen_helper(a, false);
    thunks.helper_fpu = gen_helper(a, true);
    thunks.ref = gen_ref(a);
    thunks.load_x87 = gen_load_x87(a);
    thunks.load_xmm = gen_load_xmm(a);
    gen_lookup(a);
}

typedef struct SharedCode {
    const uint8_t *at;
    const char *name;
    bool calls_c; /* called by blocks, switches to the C stack (c_enter()) */
} SharedCode;

static SharedCode shared_code(const uint8_t *code)
{
    const SharedCode all[] = {
        { thunks.exit_slot, "leave_by_slot", false },
        { thunks.exit_null, "leave", false },
        { thunks.ld, "load", true },
        { thunks.st, "store", true },
        { thunks.st_checked, "store_checked", true },
        { thunks.ld_fp, "load_fp", true },
        { thunks.probe_fp, "probe_fp", true },
        { thunks.st_fp, "store_fp", true },
        { thunks.run_miss, "run_miss", true },
        { thunks.lookup_seen, "lookup_seen", true },
        { thunks.helper, "helper", true },
        { thunks.helper_fpu, "helper_fpu", true },
        { thunks.ref, "reference", true },
        { thunks.lookup, "lookup", false },
        { thunks.load_x87, "load_x87", false },
        { thunks.load_xmm, "load_xmm", false },
    };
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].at == code) return all[i];
    return (SharedCode){ 0 };
}

const char *thunks_name(const uint8_t *code)
{
    return shared_code(code).name;
}

/* --- for debuggers ---------------------------------------------------------------------------------------------------- */

/* DWARF 5, 6.4.2 and 2.5; register numbers of the x86-64 ABI's figure 3.36. */
enum { DEF_CFA_EXPRESSION = 0x0f, EXPRESSION = 0x10, SAME_VALUE = 0x08, OFFSET = 0x80 };
enum { BREG6_RBP = 0x76, DEREF = 0x06, PLUS_UCONST = 0x23, DWARF_RIP = 16 };
static const uint8_t dwarf_of[16] = { 0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15 };

/* An expression: the pointer in this field of CPUState, to which rbp points, and so many bytes above. */
static uint8_t *expression(uint8_t *p, uint32_t field, unsigned above)
{
    *p++ = 1 + 3 + 1 + 2; /* its length */
    *p++ = BREG6_RBP;
    *p++ = (uint8_t)(field | 0x80); /* SLEB128 in three bytes */
    *p++ = (uint8_t)(field >> 7 | 0x80);
    *p++ = (uint8_t)(field >> 14 & 0x3f);
    *p++ = DEREF;
    *p++ = PLUS_UCONST;
    *p++ = (uint8_t)above;
    return p;
}

/* gen_enter() pushed the caller's registers and left rsp in host_sp; rbp is the same in all code that it leads to, and C
 * called from there keeps it.  Wrong only within gen_enter() and gen_exit() themselves. */
static uint8_t *frame_of_block(uint8_t *p)
{
    *p++ = DEF_CFA_EXPRESSION;
    p = expression(p, offsetof(CPUState, host_sp), 8 /* return address */ + 8 * sizeof callee_saved + 8);
    *p++ = OFFSET | DWARF_RIP;
    *p++ = 1;
    for (unsigned i = 0; i < sizeof callee_saved; i++) {
        *p++ = (uint8_t)(OFFSET | dwarf_of[callee_saved[i]]);
        *p++ = (uint8_t)(2 + i);
    }
    return p;
}

/* While it is in C, which is when it matters: c_enter() left where the return address to the block is.  The frame is put on
 * the C stack, between C's and the block's: debuggers believe in no stack that turns back. */
static uint8_t *frame_of_call(uint8_t *p)
{
    *p++ = DEF_CFA_EXPRESSION;
    p = expression(p, offsetof(CPUState, host_sp), 8);
    *p++ = EXPRESSION;
    *p++ = DWARF_RIP;
    p = expression(p, offsetof(CPUState, backend_tmp) + TMP_RSP * sizeof(uint64_t), 0);
    for (unsigned i = 0; i < sizeof callee_saved; i++) {
        *p++ = SAME_VALUE;
        *p++ = dwarf_of[callee_saved[i]];
    }
    return p;
}

unsigned thunks_frame(const uint8_t *code, uint8_t program[BACKEND_FRAME_MAX])
{
    _Static_assert(sizeof(CPUState) < 1 << 20, "three bytes hold an offset");
    uint8_t *end = shared_code(code).calls_c ? frame_of_call(program) : frame_of_block(program);
    return (unsigned)(end - program);
}
