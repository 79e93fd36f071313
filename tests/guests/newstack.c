/* What is pushed on the stack of an inner ring, and when there is no room for it: SDM 3A 5.8.5 (call gates of 16 and 32 bits
 * with 0 to 31 parameters), 6.12.1 and figure 6-4 (interrupt gates of both sizes, with and without an error code), 5.3
 * (limits, also of expand-down and 16-bit stacks), 6.13 (#SS names the new stack, #TS the TSS that is too short for one). */
#include "guest_c.h"

enum {
    GATE = FREE_SEL, /* a number in the code below */
    NEW_SS = FREE_SEL + 8,
    CONFORMING = FREE_SEL + 16,
    TSS_16 = FREE_SEL + 24,
    CODE1 = FREE_SEL + 48,
    DATA1 = FREE_SEL + 56,
    INT_N = 0x50,
    USER_ROOM = 128,
    STACK = SCRATCH + 0x10000, /* base of NEW_SS */
};

u32 seen_esp, seen_ss, user_vector, user_error;
static u32 tss_16[16];

/* inner: where gates lead.  user_ss runs in ring 3, in conforming code: the stack of ring 0 is bad. */
__asm__(".pushsection .text\n"
        "inner_code: movl %esp, %ebx; movl %ss, %ecx; movl $16, %eax; movl %eax, %ds; movl %eax, %ss\n"
        "movl $ring0_stack_top, %esp; movl %ebx, seen_esp; movl %ecx, seen_ss; int $0x30\n"
        "user_ss: movl $12, user_vector; popl user_error; movl $16, tss0 + 8; movl $ring0_stack_top, tss0 + 4\n"
        "int $0x30\n"
        "use_gate: subl $128, %esp; lcall $0x33, $0\n"
        "use_gate_next: int $0x30\n"
        "use_int: subl $128, %esp; int $0x50\n"
        "use_int_next: int $0x30\n"
        "use_ac: subl $128, %esp\n"
        "use_ac_next: movl gdt + 1, %eax\n"
        "leave: int $0x30\n"
        ".popsection\n"
        ".pushsection .low, \"awx\"\n"
        "inner: jmp inner_code\n" /* a 16-bit gate leads no higher */
        ".popsection\n");
extern const u8 leave[], inner[], user_ss[];
extern const u8 use_gate[], use_gate_next[], use_int[], use_int_next[], use_ac[], use_ac_next[];

/* A way into ring 0, and what it pushes. */
typedef struct Way {
    const char *name;
    const u8 *code, *next; /* next: the EIP in the frame */
    u32 vector;            /* of the gate in the IDT; 0: the call gate */
    int flags, error;      /* EFLAGS, an error code in the frame */
} Way;
static const Way ways[] = {
    { "call gate", use_gate, use_gate_next, 0, 0, 0 },
    { "INT n", use_int, use_int_next, INT_N, 1, 0 },
    { "#AC", use_ac, use_ac_next, AC, 1, 1 },
};

/* A new stack: NEW_SS with this descriptor, and where ESP0 may lie for n bytes to fit. */
typedef struct NewStack {
    u32 limit, rights, flags;
    u32 lowest, highest; /* offsets that can be written */
} NewStack;
static const NewStack stacks[] = {
    { 0xfff, 0x92, 4, 0, 0xfff }, { 0xfff, 0x96, 4, 0x1000, 0x1ffff }, { 0xffff, 0x92, 0, 0, 0xffff },
    { 0x7ff, 0x92, 0, 0, 0x7ff }, { 0xfff, 0x96, 0, 0x1000, 0xffff },  { 0x1, 0x92, 0xc, 0, 0x1fff },
};

static void set_gates(const Way *w, u32 sel, const u8 *code, u32 wide, u32 params)
{
    u32 lo = ((u32)code & 0xffff) | sel << 16, hi = ((u32)code & 0xffff0000);
    if (w->vector) {
        set_idt(w->vector, sel, code, wide ? 0xee : 0xe6);
    } else {
        gdt[GATE / 4] = lo;
        gdt[GATE / 4 + 1] = hi | (wide ? 0xec00 : 0xe400) | params;
    }
}

/* The n-th item from the top of the frame. */
static u32 item(u32 n, u32 wide, u32 mask)
{
    u32 where = STACK + ((seen_esp + n * (wide ? 4 : 2)) & mask);
    return wide ? *at(where) : *(volatile u16 *)at(where);
}

static void check_frame(const Way *w, u32 wide, u32 params, u32 mask)
{
    u32 n = 0, cut = wide ? -1u : 0xffff, user_esp = (u32)user_stack_top - USER_ROOM;
    if (w->error) check_eq("error code", 0, item(n++, wide, mask));
    check_eq("EIP", (u32)w->next & cut, item(n++, wide, mask));
    check_eq("CS", CODE3, item(n++, wide, mask) & 0xffff);
    if (w->flags) check_eq("EFLAGS", FL_1, item(n++, wide, mask) & (FL_1 | FL_IF | FL_TF | FL_IOPL | FL_NT));
    for (u32 i = 0; i < params; i++)
        check_eq("parameter", wide ? *at(user_esp + i * 4) : *(volatile u16 *)at(user_esp + i * 2),
                 item(n++, wide, mask));
    check_eq("ESP", user_esp & cut, item(n++, wide, mask));
    check_eq("SS", DATA3, item(n, wide, mask) & 0xffff);
}

static void try_one(const Way *w, const NewStack *s, u32 wide, u32 params, u32 esp0, u32 vector, u32 error)
{
    u32 mask = s->flags & 4 ? -1u : 0xffff, id = wide << 24 | params << 16 | (esp0 & 0xffff);
    u32 items = 4 + params + (w->flags ? 1 : 0) + (w->error ? 1 : 0), bytes = items * (wide ? 4 : 2);
    set_gates(w, CODE0, inner, wide, params);
    tss0[1] = esp0;
    tss0[2] = NEW_SS;
    seen_esp = seen_ss = user_vector = user_error = 0;
    attempt_user(w->code);
    tss0[1] = (u32)ring0_stack_top;
    tss0[2] = DATA0;
    check_eq(w->name, id, user_vector == vector ? id : user_vector << 28 | id);
    check_eq("#SS: error code", error, user_error);
    if (vector) return;
    check_eq("SS in the inner ring", NEW_SS, seen_ss & 0xffff);
    check_eq("ESP in the inner ring", (esp0 - bytes) & mask, seen_esp & mask);
    check_frame(w, wide, params, mask);
}

/* ESP0 at both ends of what can be written, and one byte too far.  An exception adds EXT to the error code. */
static void try_ends(const Way *w, const NewStack *s, u32 wide, u32 params)
{
    u32 bytes = (4 + params + (w->flags ? 1 : 0) + (w->error ? 1 : 0)) * (wide ? 4 : 2),
        ss_error = NEW_SS | (u32)w->error;
    set_desc(NEW_SS, STACK, s->limit, s->rights, s->flags);
    try_one(w, s, wide, params, s->lowest + bytes, 0, 0);
    if (s->lowest) try_one(w, s, wide, params, s->lowest + bytes - 1, SS_, ss_error);
    if (s->flags & 4 && !s->lowest) try_one(w, s, wide, params, s->lowest + bytes - 1, SS_, ss_error);
    if (s->highest < 0xffff) try_one(w, s, wide, params, s->highest + 2, SS_, ss_error);
    try_one(w, s, wide, params, s->highest == 0xffff ? 0xfffc : s->highest + 1, 0, 0);
}

/* The TSS must reach as far as the stack that is asked for: here that of ring 1, while ring 0's is always there for the #TS. */
static void tss_limits(void)
{
    static const struct {
        u32 limit, good;
    } cases[] = { { 0x67, 1 }, { 17, 1 }, { 16, 0 }, { 13, 0 } };
    set_desc(CODE1, 0, 0xfffff, 0xba, 0xc);
    set_desc(DATA1, 0, 0xfffff, 0xb2, 0xc);
    tss0[3] = STACK + 0x1000, tss0[4] = DATA1 | 1;
    for (u32 i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (u32 n = 0; n < 3; n++) {
            set_desc(TSS0, (u32)tss0, cases[i].limit, 0x89, 0);
            __asm__ volatile("ltr %w0" ::"r"(TSS0));
            set_gates(&ways[n], CODE1, leave, 1, 0);
            check_eq("stack of ring 1 in the TSS", cases[i].good ? (u32)NONE : TS, attempt_user(ways[n].code));
            if (cases[i].good) check_eq("SS of ring 1", DATA1 | 1, fault_ss);
            if (!cases[i].good) check_eq("#TS names the TSS", TSS0 | (u32)ways[n].error, fault_error);
        }
    set_desc(TSS0, (u32)tss0, 0x67, 0x89, 0);
    __asm__ volatile("ltr %w0" ::"r"(TSS0));
}

/* A 16-bit TSS holds SP0 and SS0 as words. */
static void tss_of_16_bits(void)
{
    static const NewStack flat = { 0xfff, 0x92, 4, 0, 0xfff };
    set_desc(NEW_SS, STACK, flat.limit, flat.rights, flat.flags);
    set_desc(TSS_16, (u32)tss_16, 0x2b, 0x81, 0);
    __asm__ volatile("ltr %w0" ::"r"(TSS_16));
    for (u32 n = 0; n < 3; n++) {
        tss_16[0] = 0x0800 << 16, tss_16[1] = NEW_SS;
        set_gates(&ways[n], CODE0, inner, 1, 2);
        seen_ss = seen_esp = 0;
        attempt_user(ways[n].code);
        check_eq("16-bit TSS: SS", NEW_SS, seen_ss & 0xffff);
        check_eq("16-bit TSS: ESP", n == 0 || n == 2 ? 0x7e8 : 0x7ec, seen_esp);
    }
    set_desc(TSS0, (u32)tss0, 0x67, 0x89, 0);
    __asm__ volatile("ltr %w0" ::"r"(TSS0));
}

void guest_main(void)
{
    set_desc(CONFORMING, 0, 0xfffff, 0x9e, 0xc);
    write_cr0(read_cr0() | CR0_AM);
    user_flags = FL_1 | FL_AC; /* #AC: benign, so that #SS can follow it (table 6-5), and has an error code */
    set_idt(SS_, CONFORMING, user_ss, 0xee);
    for (u32 i = 0; i < USER_ROOM / 4; i++) *at((u32)user_stack_top - USER_ROOM + i * 4) = 0x10101 * i + 0x7000;
    for (u32 s = 0; s < sizeof stacks / sizeof stacks[0]; s++)
        for (u32 wide = 0; wide < 2; wide++)
            for (u32 n = 0; n < 3; n++)
                for (u32 params = 0; params < (ways[n].vector ? 1 : 32); params++)
                    try_ends(&ways[n], &stacks[s], wide, params);
    tss_limits();
    tss_of_16_bits();
}
