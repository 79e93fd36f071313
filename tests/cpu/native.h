/* Runs one x87, MMX or SSE instruction on the host itself: the judge of the reference helpers.
 * A little routine is assembled around the instruction's bytes: FXRSTOR, registers, flags, the
 * instruction, registers, flags, FXSAVE.  Memory operands are [rsi], so ModRM is xx110 with mod 0; GPR operands are
 * EAX ECX EDX EBX. */
#ifndef CALQUE_TESTS_NATIVE_H
#define CALQUE_TESTS_NATIVE_H

#ifdef __x86_64__
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "cpu/fpu.h"

typedef struct Native {
    _Alignas(16) uint8_t fx_in[512];
    uint8_t fx_out[512];
    uint8_t mem[64];
    uint64_t flags_in, flags_out;
    uint32_t gpr_in[4], gpr_out[4];
    uint32_t mxcsr_default;
} Native;

static uint8_t *native_code;
static size_t native_at, native_insn_end;
static volatile int native_trapped;

static void put(const void *bytes, size_t n)
{
    memcpy(native_code + native_at, bytes, n);
    native_at += n;
}

/* op (with its ModRM byte's reg and mod=10 rm=100) on [r12 + disp] */
static void put_r12(const char *op, size_t n, size_t disp)
{
    uint32_t d = (uint32_t)disp;
    put(op, n);
    put("\x24", 1);
    put(&d, 4);
}

static void native_fpe(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    (void)sig;
    (void)info;
    native_trapped = 1;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)(native_code + native_insn_end);
}

static bool native_init(void)
{
    native_code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction sa = { .sa_sigaction = native_fpe, .sa_flags = SA_SIGINFO };
    sigaction(SIGFPE, &sa, NULL);
    return native_code != MAP_FAILED;
}

static void native_assemble(const uint8_t *insn, size_t n)
{
    static const char load[4] = { (char)0x84, (char)0x8c, (char)0x94, (char)0x9c };
    native_at = 0;
    put("\x53\x56\x41\x54\x49\x89\xfc", 7); /* push rbx, rsi, r12; mov r12, rdi */
    put_r12("\x49\x8d\xb4", 3, offsetof(Native, mem));
    put_r12("\x41\x0f\xae\x8c", 4, offsetof(Native, fx_in)); /* fxrstor */
    put_r12("\x41\xff\xb4", 3, offsetof(Native, flags_in));  /* push */
    put("\x9d", 1);
    for (size_t i = 0; i < 4; i++) {
        char op[3] = { 0x41, (char)0x8b, load[i] };
        put_r12(op, 3, offsetof(Native, gpr_in) + 4 * i);
    }
    put(insn, n);
    native_insn_end = native_at;
    put("\x9c", 1);
    put_r12("\x41\x8f\x84", 3, offsetof(Native, flags_out));
    for (size_t i = 0; i < 4; i++) {
        char op[3] = { 0x41, (char)0x89, load[i] };
        put_r12(op, 3, offsetof(Native, gpr_out) + 4 * i);
    }
    put_r12("\x41\x0f\xae\x84", 4, offsetof(Native, fx_out)); /* fxsave */
    put("\xdb\xe3", 2);
    put_r12("\x41\x0f\xae\x94", 4, offsetof(Native, mxcsr_default));
    put("\x41\x5c\x5e\x5b\xc3", 5);
}

/* Image <-> FpuState; the image has the stack in ST order. */
static void native_pack(uint8_t *fx, const FpuState *f)
{
    memset(fx, 0, 512);
    memcpy(fx, &f->cw, 2);
    memcpy(fx + 2, &f->sw, 2);
    fx[4] = f->tag_valid;
    memcpy(fx + 24, &f->mxcsr, 4);
    for (unsigned i = 0; i < 8; i++) {
        const Fp80 *r = &f->r[((f->sw >> 11) + i) & 7];
        memcpy(fx + 32 + 16 * i, &r->mant, 8);
        memcpy(fx + 40 + 16 * i, &r->se, 2);
        memcpy(fx + 160 + 16 * i, &f->xmm[i], 16);
    }
}

static void native_unpack(FpuState *f, const uint8_t *fx)
{
    memset(f, 0, sizeof *f);
    memcpy(&f->cw, fx, 2);
    memcpy(&f->sw, fx + 2, 2);
    f->tag_valid = fx[4];
    memcpy(&f->mxcsr, fx + 24, 4);
    for (unsigned i = 0; i < 8; i++) {
        Fp80 *r = &f->r[((f->sw >> 11) + i) & 7];
        memcpy(&r->mant, fx + 32 + 16 * i, 8);
        memcpy(&r->se, fx + 40 + 16 * i, 2);
        memcpy(&f->xmm[i], fx + 160 + 16 * i, 16);
    }
}

/* Runs the assembled instruction; true when it trapped with SIGFPE. */
static bool native_run(Native *n)
{
    void (*fn)(Native *);
    n->mxcsr_default = MXCSR_RESET;
    memcpy(&fn, &native_code, sizeof fn);
    native_trapped = 0;
    fn(n);
    return native_trapped;
}

static uint64_t rng_state = 0x9e3779b97f4a7c15u;
static uint64_t rng(void)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return rng_state * 0x2545f4914f6cdd1du;
}
static inline unsigned rnd(unsigned n)
{
    return (unsigned)((rng() >> 33) % n);
}
#endif

#endif
