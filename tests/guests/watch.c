/* Data and I/O breakpoints: SDM 3B 17.2.4 (DR7: R/W and LEN, CR4.DE), 17.2.5 (ranges are aligned to their length, any overlap
 * counts), 17.3.1.2 (traps: after the access).  Every length and kind against accesses of every size around it. */
#include "guest_c.h"

enum { WATCHED = SCRATCH + 0x40, PORTS = 0xa8 /* nobody's */ };
enum { ON_WRITE = 1, ON_IO = 2, ON_ACCESS = 3 };

u32 operand;

#define INSN(label, insn)                                                                                              \
    __asm__(".pushsection .text\n" #label ": movl operand, %ebx; movl %ebx, %edx; xorl %eax, %eax; xorl %ecx, %ecx\n"  \
            "movl $0x200200, %edi; movl $0x200200, %esi; fldz\n" #label "_at: " insn "\n" #label "_end: nop\nret\n"    \
            ".popsection");                                                                                            \
    extern const u8 label[], label##_at[], label##_end[]
INSN(w_ld1, "movb (%ebx), %al");
INSN(w_ld2, "movw (%ebx), %ax");
INSN(w_ld4, "movl (%ebx), %eax");
INSN(w_ld8, "fldl (%ebx)");
INSN(w_ld10, "fldt (%ebx)");
INSN(w_ld16, "movups (%ebx), %xmm0");
INSN(w_st1, "movb %al, (%ebx)");
INSN(w_st2, "movw %ax, (%ebx)");
INSN(w_st4, "movl %eax, (%ebx)");
INSN(w_st8, "fstpl (%ebx)");
INSN(w_st10, "fstpt (%ebx)");
INSN(w_st16, "movups %xmm0, (%ebx)");
INSN(w_env, "fnstenv (%ebx)");
INSN(w_rmw1, "incb (%ebx)");
INSN(w_rmw2, "addw $1, (%ebx)");
INSN(w_rmw4, "lock xaddl %eax, (%ebx)");
INSN(w_cx8, "cmpxchg8b (%ebx)");
INSN(w_cmp, "cmpl $0, (%ebx)");
INSN(w_bt, "btl $3, (%ebx)");
INSN(w_bts, "btsl $3, (%ebx)");
INSN(w_push, "pushl (%ebx); popl %eax");
INSN(w_pop, "pushl $0; popl (%ebx)");
INSN(w_movs, "movl %ebx, %edi; movsb");
INSN(w_lods, "movl %ebx, %esi; lodsw");
INSN(w_cmps, "movl %ebx, %edi; cmpsl");
INSN(w_xlat, "xlatb");
INSN(w_lea, "leal (%ebx), %eax");
INSN(w_nop, "nopl (%ebx)");
INSN(w_sgdt, "sgdt (%ebx)");
INSN(w_in1, "inb %dx, %al");
INSN(w_in2, "inw %dx, %ax");
INSN(w_in4, "inl %dx, %eax");
INSN(w_out1, "outb %al, %dx");
INSN(w_out2, "outw %ax, %dx");
INSN(w_out4, "outl %eax, %dx");
INSN(w_ins, "insb");
INSN(w_outs, "outsl");

typedef struct Access {
    const char *name;
    u32 size, writes;
    const u8 *code, *end;
} Access;
#define ROW(label, size, writes)                                                                                       \
    {                                                                                                                  \
#label, size, writes, label, label##_end                                                                       \
    }
static const Access memory[] = {
    ROW(w_ld1, 1, 0),  ROW(w_ld2, 2, 0),  ROW(w_ld4, 4, 0),  ROW(w_ld8, 8, 0),  ROW(w_ld10, 10, 0), ROW(w_ld16, 16, 0),
    ROW(w_st1, 1, 1),  ROW(w_st2, 2, 1),  ROW(w_st4, 4, 1),  ROW(w_st8, 8, 1),  ROW(w_st10, 10, 1), ROW(w_st16, 16, 1),
    ROW(w_env, 28, 1), ROW(w_rmw1, 1, 1), ROW(w_rmw2, 2, 1), ROW(w_rmw4, 4, 1), ROW(w_cx8, 8, 1),   ROW(w_cmp, 4, 0),
    ROW(w_bt, 4, 0),   ROW(w_bts, 4, 1),  ROW(w_push, 4, 0), ROW(w_pop, 4, 1),  ROW(w_movs, 1, 1),  ROW(w_lods, 2, 0),
    ROW(w_cmps, 4, 0), ROW(w_xlat, 1, 0), ROW(w_lea, 0, 0),  ROW(w_nop, 0, 0),  ROW(w_sgdt, 6, 1),
};
static const Access ports[] = {
    ROW(w_in1, 1, 0),  ROW(w_in2, 2, 0),  ROW(w_in4, 4, 0), ROW(w_out1, 1, 1),
    ROW(w_out2, 2, 1), ROW(w_out4, 4, 1), ROW(w_ins, 1, 0), ROW(w_outs, 4, 1),
};

static u32 read_dr6(void)
{
    u32 v;
    __asm__ volatile("movl %%dr6, %0" : "=r"(v));
    return v;
}
static void write_dr6(u32 v)
{
    __asm__ volatile("movl %0, %%dr6" ::"r"(v));
}
static void write_dr1_and_dr7(u32 dr1, u32 dr7)
{
    __asm__ volatile("movl %0, %%dr1; movl %1, %%dr7" ::"r"(dr1), "r"(dr7));
}

static int overlap(u32 a, u32 a_size, u32 b, u32 b_size)
{
    return a < b + b_size && b < a + a_size;
}

/* Breakpoint 1 at `at`, LEN as in DR7. */
static void try_one(const Access *a, u32 where, u32 kind, u32 len, u32 at, int enabled)
{
    static const u32 sizes[] = { 1, 2, 8, 4 };
    u32 start = at & ~(sizes[len] - 1), id = at << 16 | (where & 0xff) << 8 | kind << 4 | len;
    int kind_fits = kind == ON_IO ? enabled : kind == ON_ACCESS || a->writes;
    u32 want = kind_fits && a->size && overlap(where, a->size, start, sizes[len]);
    operand = where;
    __asm__ volatile("fninit");
    write_dr6(0);
    write_dr1_and_dr7(at, 0x400 | 2 << 2 | kind << 20 | len << 22);
    u32 got = attempt(a->code);
    write_dr1_and_dr7(0, 0x400);
    check_eq(a->name, want ? id : 0, got == DB ? id : got == (u32)NONE ? 0 : -1u);
    if (!want || got != DB) return;
    check_eq("DR6", 0xffff0ff2, read_dr6());
    if (a->code != w_push) check_eq("EIP: after it", (u32)a->end, fault_eip);
}

/* Port I/O without CR4.DE: R/W = 10b is undefined there, and processors do nothing. */
void guest_main(void)
{
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_DE);
    for (u32 kind = ON_WRITE; kind <= ON_ACCESS; kind += 2)
        for (u32 len = 0; len < 4; len++)
            for (u32 at = WATCHED; at < WATCHED + 8; at++)
                for (u32 i = 0; i < sizeof memory / sizeof memory[0]; i++)
                    for (u32 where = WATCHED - memory[i].size - 1; where < WATCHED + 17; where++)
                        try_one(&memory[i], where, kind, len, at, 1);
    for (u32 enabled = 0; enabled < 2; enabled++) {
        write_cr4(enabled ? read_cr4() | CR4_DE : read_cr4() & ~(u32)CR4_DE);
        for (u32 len = 0; len < 4; len++) {
            if (len == 2) continue; /* 8 bytes: only for memory */
            for (u32 at = PORTS; at < PORTS + 4; at++)
                for (u32 i = 0; i < sizeof ports / sizeof ports[0]; i++)
                    for (u32 where = PORTS - 4; where < PORTS + 6; where++)
                        try_one(&ports[i], where, ON_IO, len, at, (int)enabled);
        }
    }
}
