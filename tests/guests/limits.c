/* Segment limits: SDM 3A 5.3, written down once more and tried for every type of segment, granularity, D/B and operand size, at
 * each end of what is allowed; SDM 3A 5.1 and 6.15 (#GP, #SS); and instructions of all lengths at the end of a code segment,
 * where the limit comes before the page (6.9).  Accesses that wrap at 4 GiB are left out: with a limit of 4 GiB - 1 it is up to
 * the processor whether they fault. */
#include "guest_c.h"

#define SEG  (FREE_SEL | 3)
#define BASE (SCRATCH + 0x1000) /* where the edge on trial comes to lie */

typedef struct Access {
    const char *name;
    u32 size, writes;
    const u8 *through_fs, *through_ss; /* code, and below which instruction in it */
    const u8 *fs_insn, *ss_insn;
} Access;

u32 offset; /* of the operand on trial */

/* Code for ring 3, where a bad SS does no harm. */
#define ACCESS(label, insn, operands)                                                                                  \
    __asm__(".pushsection .text\n"                                                                                     \
            "fs_" #label ": movl offset, %ebx; movl $" STR(                                                            \
                SEG) ", %eax; movl %eax, %fs; xorl %eax, %eax\n"                                                       \
                     "fs_" #label "_at: " insn " %fs:(%ebx)" operands "\nint $0x30\n"                                  \
                     "ss_" #label ": movl offset, %ebx; movl $" STR(SEG) ", %eax; movl %eax, %ss; xorl %eax, %eax\n"   \
                                                                         "ss_" #label "_at: " insn                     \
                                                                         " %ss:(%ebx)" operands "\nint $0x30\n"        \
                                                                         ".popsection");                               \
    extern const u8 fs_##label[], fs_##label##_at[], ss_##label[], ss_##label##_at[]
#define STR(x)  STR2(x)
#define STR2(x) #x
ACCESS(ld1, "movb", ", %al");
ACCESS(ld2, "movw", ", %ax");
ACCESS(ld4, "movl", ", %eax");
ACCESS(ld8, "fldl", "");
ACCESS(ld10, "fldt", "");
ACCESS(ld16, "movups", ", %xmm0");
ACCESS(ldenv, "fldenv", "");
ACCESS(cmp4, "cmpl $0,", "");
ACCESS(st1, "movb %al,", "");
ACCESS(st2, "movw %ax,", "");
ACCESS(st4, "movl %eax,", "");
ACCESS(st8, "fistpll", "");
ACCESS(st10, "fstpt", "");
ACCESS(st16, "movups %xmm0,", "");
ACCESS(stenv, "fnstenv", "");
ACCESS(save, "fnsave", "");
ACCESS(rmw1, "notb", "");
ACCESS(rmw4, "addl $1,", "");
ACCESS(rmw8, "lock cmpxchg8b", "");
ACCESS(pop, "popl", "");

#define ROW(label, size, writes)                                                                                       \
    {                                                                                                                  \
#label, size, writes, fs_##label, ss_##label, fs_##label##_at, ss_##label##_at                                 \
    }
static const Access accesses[] = {
    ROW(ld1, 1, 0),    ROW(ld2, 2, 0),    ROW(ld4, 4, 0),   ROW(ld8, 8, 0),   ROW(ld10, 10, 0),
    ROW(ld16, 16, 0),  ROW(ldenv, 28, 0), ROW(cmp4, 4, 0),  ROW(st1, 1, 1),   ROW(st2, 2, 1),
    ROW(st4, 4, 1),    ROW(st8, 8, 1),    ROW(st10, 10, 1), ROW(st16, 16, 1), ROW(stenv, 28, 1),
    ROW(save, 108, 1), ROW(rmw1, 1, 1),   ROW(rmw4, 4, 1),  ROW(rmw8, 8, 1),
};

enum { DOWN = 4, WRITABLE = 2, READABLE = 2, CODE = 8 };
enum { FLAG_B = 4, FLAG_G = 8 };

static u32 scaled(u32 limit, u32 flags)
{
    return flags & FLAG_G ? limit << 12 | 0xfff : limit;
}

static int allowed(u32 rights, u32 flags, u32 limit, u32 at, const Access *a)
{
    u64 last = (u64)at + a->size - 1, top = flags & FLAG_B ? 0xffffffff : 0xffff;
    if (rights & CODE ? a->writes || !(rights & READABLE) : a->writes && !(rights & WRITABLE)) return 0;
    if (!(rights & CODE) && rights & DOWN) return at > limit && last <= top;
    return last <= limit;
}

static void try_one(u32 rights, u32 flags, u32 limit, u32 at, const Access *a, int stack)
{
    int good = allowed(rights, flags, limit, at, a);
    offset = at;
    __asm__ volatile("fninit; fldz");
    u32 got = attempt_user(stack ? a->ss_insn - (a->fs_insn - a->through_fs) : a->through_fs);
    u32 id = rights << 24 | flags << 20 | (u32)stack << 16 | (at & 0xffff);
    check_eq(a->name, good ? 0 : id, got == (u32)NONE ? 0 : id);
    if (got == (u32)NONE || good) return;
    check_eq("vector", stack ? SS_ : GP, got);
    check_eq("error code", 0, fault_error);
    check_eq("EIP of the instruction", (u32)(stack ? a->ss_insn : a->fs_insn), fault_eip);
}

static void try_edge(u32 rights, u32 flags, u32 raw, u32 edge)
{
    u32 limit = scaled(raw, flags);
    set_desc(SEG, BASE - edge, raw, rights, flags);
    for (u32 i = 0; i < sizeof accesses / sizeof accesses[0]; i++) {
        const Access *a = &accesses[i];
        const u32 starts[] = { edge - a->size - 1, edge - a->size, edge - a->size + 1, edge - 1, edge, edge + 1 };
        for (u32 n = 0; n < 6; n++) {
            if ((u64)starts[n] + a->size > 1ull << 32) continue;
            try_one(rights, flags, limit, starts[n], a, 0);
            if (!(rights & CODE) && rights & WRITABLE) try_one(rights, flags, limit, starts[n], a, 1);
        }
    }
}

static void data_limits(void)
{
    static const u32 types[] = { 0xf0, 0xf2, 0xf4, 0xf6, 0xfa, 0xfe };
    static const u32 limits[] = { 0, 0x1b, 0xfff, 0xffff, 0xfffff };
    for (u32 t = 0; t < sizeof types / sizeof types[0]; t++)
        for (u32 flags = 0; flags < 16; flags += 4)
            for (u32 l = 0; l < sizeof limits / sizeof limits[0]; l++) {
                try_edge(types[t], flags, limits[l], scaled(limits[l], flags) + 1);
                if (types[t] & CODE || !(types[t] & DOWN)) continue;
                try_edge(types[t], flags, limits[l], 0x10000);
                try_edge(types[t], flags, limits[l], 0);
            }
}

__asm__(".pushsection .text\n"
        "pop_user: movl $" STR(SEG) ", %eax; movl offset, %ebx; movl %eax, %ss; movl %ebx, %esp\n"
                                    "popl %ecx; movl %esp, %edx; int $0x30\n.popsection");
extern const u8 pop_user[];

/* POP goes through SS:ESP, by SP alone when B is clear. */
static void pops(void)
{
    static const struct {
        u32 rights, flags, limit, esp, vector;
    } cases[] = {
        { 0xf2, 4, 0xfff, 0xffc, NONE },   { 0xf2, 4, 0xfff, 0xffd, SS_ },     { 0xf2, 4, 0xfff, 0x1000, SS_ },
        { 0xf2, 0, 0xfff, 0x50ffc, NONE }, { 0xf2, 0, 0xffff, 0x1fffc, NONE }, { 0xf2, 0, 0xffff, 0xfffe, SS_ },
        { 0xf6, 4, 0xfff, 0x1000, NONE },  { 0xf6, 4, 0xfff, 0xffe, SS_ },     { 0xf6, 0, 0xfff, 0xfffc, NONE },
        { 0xf6, 0, 0xfff, 0xfffd, SS_ },   { 0xf6, 0, 0xfff, 0x31000, NONE },  { 0xf6, 0, 0xfff, 0x30fff, SS_ },
        { 0xf6, 4, 0xfff, 0x30000, NONE },
    };
    for (u32 i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        set_desc(SEG, SCRATCH, cases[i].limit, cases[i].rights, cases[i].flags);
        offset = cases[i].esp;
        u32 got = attempt_user(pop_user), mask = cases[i].flags & FLAG_B ? 0xffffffff : 0xffff;
        check_eq("POP", i << 16 | (cases[i].vector & 0xff), i << 16 | (got & 0xff));
        if (got == (u32)NONE) check_eq("ESP", (offset & ~mask) | ((offset + 4) & mask), fault_edx);
    }
}

/* --- code at the end of its segment ---------------------------------------------------------------------------- */

#define CODE_SEG (FREE_SEL + 8)
struct {
    u32 offset;
    u16 sel;
} __attribute__((packed)) far_target;
__asm__(".pushsection .text\njump_far: xorl %eax, %eax; ljmp *far_target\n.popsection");
extern const u8 jump_far[];

/* NOPs up to an INC EAX of len bytes, its prefixes included, which ends `over` bytes past the limit. */
static void try_code(u32 limit, u32 flags, u32 len, int over, u32 missing_page)
{
    volatile u8 *code = (volatile u8 *)at(SCRATCH + 0x10000);
    u32 start = limit + 1 - len + (u32)over;
    u32 end = missing_page ? 0x1000 : 0x1020, first = 0x1000 + start - limit - 1;
    for (u32 i = 0xfe0; i < end; i++)
        code[i] = i == first + len - 1 ? 0x40 : i >= first && i < first + len ? 0x3e : 0x90;
    set_desc(CODE_SEG, SCRATCH + 0x11000 - limit - 1, flags & FLAG_G ? limit >> 12 : limit, 0xfa, flags);
    far_target.offset = start - 4;
    far_target.sel = CODE_SEG | 3;
    u32 got = attempt_user(jump_far), id = limit << 12 | flags << 8 | len << 4 | ((u32)over & 15);
    check_eq(missing_page ? "code at the limit, absent page behind" : "code at the limit", GP, got);
    check_eq("its error code", id, id | fault_error);
    check_eq("CS", CODE_SEG | 3, fault_cs);
    check_eq("EIP", over > 0 ? start : limit + 1, fault_eip);
    check_eq("INC EAX ran", over > 0 ? 0 : 1, fault_eax);
}

static void code_limits(u32 missing_page)
{
    static const struct {
        u32 limit, flags;
    } segs[] = { { 0x3f, 4 },   { 0x7fe, 4 },    { 0xfff, 4 }, { 0xfff, 0xc },
                 { 0xffff, 4 }, { 0x2fff, 0xc }, { 0xfff, 0 }, { 0xffff, 0 } };
    for (u32 s = 0; s < sizeof segs / sizeof segs[0]; s++)
        for (u32 len = 1; len <= 15; len++)
            for (int over = -2; over <= (int)len; over++) {
                if (over == (int)len) continue; /* begins outside: only its NOPs are left */
                try_code(segs[s].limit, segs[s].flags, len, over, missing_page);
            }
}

/* All memory for ring 3; the page behind the code is absent. */
static void paging_on(void)
{
    u32 tables = TABLES;
    for (u32 i = 0; i < 1024; i++) at(tables)[i] = 0, at(tables + 0x1000)[i] = i << 12 | 7;
    at(tables)[0] = (tables + 0x1000) | 7;
    at(tables + 0x1000)[(SCRATCH + 0x11000) >> 12] = 0;
    write_cr3(tables);
    write_cr0(read_cr0() | CR0_PG);
}

void guest_main(void)
{
    write_cr4(read_cr4() | CR4_OSFXSR);
    data_limits();
    pops();
    code_limits(0);
    paging_on();
    code_limits(1);
}
