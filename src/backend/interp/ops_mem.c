/* Guest memory: loads, stores, the two halves of a read-modify-write, and x87 and vector instructions with
 * their memory operand.
 *
 * The fast form of each is for a flat segment and 32-bit addresses: a TLB look-up and the access.  The general form
 * adds segment base and bounds, 16-bit addresses, and modes in which every access must go the slow way, which is
 * softmmu's and cpu's (cpu_mem_ld ...) and where faults are raised. */
#include "backend/interp/interp.h"

#include <string.h>

static inline uint16_t le16(uint16_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap16(v);
#else
    return v;
#endif
}

static inline uint32_t le32(uint32_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap32(v);
#else
    return v;
#endif
}

/* Guest memory is little-endian and of any alignment. */
static inline uint32_t host_ld(const uint8_t *p, unsigned size)
{
    uint16_t v2;
    uint32_t v4;

    switch (size) {
    case 1: return *p;
    case 2: memcpy(&v2, p, 2); return le16(v2);
    default: memcpy(&v4, p, 4); return le32(v4);
    }
}

static inline void host_st(uint8_t *p, uint32_t v, unsigned size)
{
    uint16_t v2 = le16((uint16_t)v);
    uint32_t v4 = le32(v);

    switch (size) {
    case 1: *p = (uint8_t)v; break;
    case 2: memcpy(p, &v2, 2); break;
    default: memcpy(p, &v4, 4); break;
    }
}

static inline uint8_t *tlb(CPUState *cpu, const Op *op, uint32_t lin, unsigned size, bool write)
{
    const TlbEntry *e = &cpu->mmu.tlb[op->mmu_idx][mmu_tlb_index(lin)];
    uint32_t tag = write ? e->tag_wr : e->tag_rd;

    if (__builtin_expect(tag != ((lin + size - 1) & ~PAGE_MASK), 0)) return NULL;
    return (uint8_t *)(e->addend + lin);
}

static inline uint32_t address(const Op *op)
{
    return *(const uint32_t *)op->b + (*(const uint32_t *)op->p << op->shift) + op->imm2;
}

/* The linear address; host memory behind it, or NULL: the slow path decides. */
static inline uint8_t *locate(CPUState *cpu, const Op *op, unsigned size, bool write, uint32_t *lin)
{
    uint32_t ea = address(op);

    if (op->how & HOW_ADDR16) ea &= 0xffff;
    if (op->how & HOW_FLAT) {
        *lin = ea;
    } else {
        const SegCache *s = &cpu->seg[op->seg];
        *lin = s->base + ea;
        if (ea >= (write ? s->wr_bound : s->rd_bound)) return NULL;
    }
    return op->how & HOW_SLOW ? NULL : tlb(cpu, op, *lin, size, write);
}

static __attribute__((noinline)) uint32_t slow_ld(CPUState *cpu, const Op *op, uint32_t lin)
{
    interp_may_raise(cpu, op);
    return cpu_mem_ld(cpu, lin, op->desc);
}

static __attribute__((noinline)) void slow_st(CPUState *cpu, const Op *op, uint32_t lin, uint32_t v)
{
    interp_may_raise(cpu, op);
    cpu_mem_st(cpu, lin, v, op->desc);
}

#define LOCATE_fast(SIZE, WRITE)    (lin = address(op), tlb(cpu, op, lin, SIZE, WRITE))
#define LOCATE_general(SIZE, WRITE) locate(cpu, op, SIZE, WRITE, &lin)

#define LOAD(HOW, NAME, DT, ST)                                                                                        \
    static const Op *HOW##_##NAME(CPUState *cpu, const Op *op)                                                         \
    {                                                                                                                  \
        uint32_t lin;                                                                                                  \
        const uint8_t *p = LOCATE_##HOW(sizeof(ST), false);                                                            \
        uint32_t v = __builtin_expect(p != NULL, 1) ? host_ld(p, sizeof(ST)) : slow_ld(cpu, op, lin);                  \
        *(DT *)op->d = (DT)(ST)v;                                                                                      \
        NEXT(op);                                                                                                      \
    }
#define STORE(HOW, NAME, T)                                                                                            \
    static const Op *HOW##_##NAME(CPUState *cpu, const Op *op)                                                         \
    {                                                                                                                  \
        uint32_t lin, v = *(const T *)op->a;                                                                           \
        uint8_t *p = LOCATE_##HOW(sizeof(T), true);                                                                    \
        if (__builtin_expect(p != NULL, 1))                                                                            \
            host_st(p, v, sizeof(T));                                                                                  \
        else                                                                                                           \
            slow_st(cpu, op, lin, v);                                                                                  \
        NEXT(op);                                                                                                      \
    }
#define LOAD_RMW(HOW, NAME, T)                                                                                         \
    static const Op *HOW##_##NAME(CPUState *cpu, const Op *op)                                                         \
    {                                                                                                                  \
        uint32_t lin;                                                                                                  \
        uint8_t *p = LOCATE_##HOW(sizeof(T), true);                                                                    \
        uint32_t v = __builtin_expect(p != NULL, 1) ? host_ld(p, sizeof(T)) : slow_ld(cpu, op, lin);                   \
        InterpTmp *tmp = interp_tmp(cpu);                                                                              \
        tmp->rmw_host = p;                                                                                             \
        tmp->rmw_lin = lin;                                                                                            \
        *(T *)op->d = (T)v;                                                                                            \
        NEXT(op);                                                                                                      \
    }
#define BOTH(HOW)                                                                                                      \
    LOAD(HOW, ld1, uint8_t, uint8_t)                                                                                   \
    LOAD(HOW, ld2, uint16_t, uint16_t)                                                                                 \
    LOAD(HOW, ld4, uint32_t, uint32_t)                                                                                 \
    LOAD(HOW, ldzx21, uint16_t, uint8_t)                                                                               \
    LOAD(HOW, ldzx41, uint32_t, uint8_t)                                                                               \
    LOAD(HOW, ldzx42, uint32_t, uint16_t)                                                                              \
    LOAD(HOW, ldsx21, uint16_t, int8_t)                                                                                \
    LOAD(HOW, ldsx41, uint32_t, int8_t)                                                                                \
    LOAD(HOW, ldsx42, uint32_t, int16_t)                                                                               \
    STORE(HOW, st1, uint8_t)                                                                                           \
    STORE(HOW, st2, uint16_t)                                                                                          \
    STORE(HOW, st4, uint32_t)                                                                                          \
    LOAD_RMW(HOW, ldrmw1, uint8_t)                                                                                     \
    LOAD_RMW(HOW, ldrmw2, uint16_t)                                                                                    \
    LOAD_RMW(HOW, ldrmw4, uint32_t)
BOTH(fast)
BOTH(general)

#define STORE_RMW(NAME, T)                                                                                             \
    static const Op *NAME(CPUState *cpu, const Op *op)                                                                 \
    {                                                                                                                  \
        const InterpTmp *tmp = interp_tmp(cpu);                                                                        \
        uint32_t v = *(const T *)op->a;                                                                                \
        if (__builtin_expect(tmp->rmw_host != NULL, 1)) {                                                              \
            host_st(tmp->rmw_host, v, sizeof(T));                                                                      \
        } else {                                                                                                       \
            interp_may_raise(cpu, op);                                                                                 \
            cpu_mem_st_checked(cpu, tmp->rmw_lin, v, op->desc);                                                        \
        }                                                                                                              \
        NEXT(op);                                                                                                      \
    }
STORE_RMW(strmw1, uint8_t)
STORE_RMW(strmw2, uint16_t)
STORE_RMW(strmw4, uint32_t)

Handler *interp_mem(unsigned ir_op, unsigned width, unsigned width2, bool fast)
{
    static Handler *const ld[2][3] = { { general_ld1, general_ld2, general_ld4 }, { fast_ld1, fast_ld2, fast_ld4 } };
    static Handler *const st[2][3] = { { general_st1, general_st2, general_st4 }, { fast_st1, fast_st2, fast_st4 } };
    static Handler *const ldrmw[2][3] = { { general_ldrmw1, general_ldrmw2, general_ldrmw4 },
                                          { fast_ldrmw1, fast_ldrmw2, fast_ldrmw4 } };
    static Handler *const strmw[3] = { strmw1, strmw2, strmw4 };
    static Handler *const ldzx[2][2][2] = { { { general_ldzx21, NULL }, { general_ldzx41, general_ldzx42 } },
                                            { { fast_ldzx21, NULL }, { fast_ldzx41, fast_ldzx42 } } };
    static Handler *const ldsx[2][2][2] = { { { general_ldsx21, NULL }, { general_ldsx41, general_ldsx42 } },
                                            { { fast_ldsx21, NULL }, { fast_ldsx41, fast_ldsx42 } } };
    unsigned w = width_log2(width), w2 = width_log2(width2);

    switch (ir_op) {
    case IR_LDZX:
    case IR_LDSX:
        if (width == width2) return ld[fast][w];
        return w < 1 || w2 > 1 ? NULL : (ir_op == IR_LDZX ? ldzx : ldsx)[fast][w - 1][w2];
    case IR_LD: return ld[fast][w];
    case IR_ST: return st[fast][w];
    case IR_LDRMW: return ldrmw[fast][w];
    case IR_STRMW: return strmw[w];
    default: return NULL;
    }
}

/* --- x87, MMX, SSE: the reference helpers work on CPUState.bounce; the IrFp lies in the next Op's place --- */
static inline void reference(CPUState *cpu, const Op *op)
{
    const IrFp *fp = (const IrFp *)(const void *)(op + 1);

    interp_may_raise(cpu, op);
    if (op->ir_op == IR_X87)
        cpu_ref_x87(cpu, fp);
    else
        cpu_ref_vec(cpu, fp);
}

static const Op *fp_registers(CPUState *cpu, const Op *op)
{
    reference(cpu, op);
    NEXT_AFTER(op, 2);
}

static const Op *fp_load(CPUState *cpu, const Op *op)
{
    unsigned size = op->desc & MEMD_SIZE;
    uint32_t lin;
    const uint8_t *p = locate(cpu, op, size, false, &lin);

    if (p && !(op->desc & MEMD_ALIGN && lin & (size - 1))) {
        memcpy(cpu->bounce, p, size);
    } else {
        interp_may_raise(cpu, op);
        cpu_mem_ld_fp(cpu, lin, op->desc);
    }
    reference(cpu, op);
    NEXT_AFTER(op, 2);
}

/* The operation may raise, and so may the store: the store's faults come before anything changes. */
static const Op *fp_store(CPUState *cpu, const Op *op)
{
    uint32_t lin;

    locate(cpu, op, op->desc & MEMD_SIZE, true, &lin);
    interp_may_raise(cpu, op);
    cpu_mem_probe_st_fp(cpu, lin, op->desc);
    reference(cpu, op);
    cpu_mem_st_fp(cpu, lin, op->desc);
    NEXT_AFTER(op, 2);
}

Handler *interp_fp(const IrInsn *in)
{
    if (in->fp.rm_kind != IR_FP_MEM) return fp_registers;
    return in->fp.mem_use == IR_MEM_W ? fp_store : fp_load;
}
