/* An exception while another event is being delivered: SDM 3A 6.15, tables 6-4 (classes) and 6-5 (when the two become a double
 * fault), 6.13 (error codes, EXT).  Each event meets each way in which its gate or its new stack can be bad; where the stack
 * of ring 0 is, the handlers are tasks (6.12.2), whose stacks are their own. */
#include "guest_c.h"

enum {
    ABSENT_CODE = FREE_SEL,
    ABSENT_DATA = FREE_SEL + 8,
    ABSENT_DATA3 = FREE_SEL + 16,
    FIRST_TSS = FREE_SEL + 24, /* of the tasks that handle #DF, #TS, #SS, #PF */
    INT_N = 0x50,
    ABSENT_PAGE = 0x240000, /* and the next one */
    FAR_IDT = 0x250000,
};
enum { CR0_BITS = CR0_NE | CR0_AM };

#define INSN(label, insn)                                                                                              \
    __asm__(".pushsection .text\n" #label ": " insn "\nint $0x30\nret\n.popsection");                                  \
    extern const u8 label[]
INSN(e_de, "xorl %ecx, %ecx; divl %ecx");
INSN(e_db, ".byte 0xf1");
INSN(e_bp, "int3");
INSN(e_of, "movb $0x7f, %al; incb %al; into");
INSN(e_br, "movl $4, %eax; bound %eax, bounds");
INSN(e_ud, "ud2");
INSN(e_nm, "fnop");
INSN(e_ts, "pushfl; orl $0x4000, (%esp); popfl; iret");
INSN(e_np, "movw absent_data3, %ax; movw %ax, %es");
INSN(e_ss, "movw absent_data, %ax; movw %ax, %ss");
INSN(e_gp, "movw $0xfff8, %ax; movw %ax, %ds");
INSN(e_pf, "movl 0x240800, %eax");
INSN(e_mf, "fninit; fldcw all_unmasked; fldz; fld1; fdivp; fnop");
INSN(e_ac, "movl bounds + 1, %eax");
INSN(e_xm, "ldmxcsr all_unmasked; divps zeros, %xmm0");
INSN(e_int, "int $0x50");
__asm__(".pushsection .data\n.balign 16\nzeros: .fill 4, 4, 0\nbounds: .long 5, 9\nall_unmasked: .long 0\n"
        "absent_data: .word 0x38\nabsent_data3: .word 0x43\n.popsection");

typedef struct Event {
    const char *name;
    const u8 *code;
    u32 vector, ring, soft;
} Event;
static const Event events[] = {
    { "#DE", e_de, DE, 0, 0 },  { "INT1", e_db, DB, 0, 0 },      { "INT3", e_bp, BP, 0, 1 },
    { "INTO", e_of, OF, 0, 1 }, { "#BR", e_br, BR, 0, 0 },       { "#UD", e_ud, UD, 0, 0 },
    { "#NM", e_nm, NM, 0, 0 },  { "#TS", e_ts, TS, 0, 0 },       { "#NP", e_np, NP, 0, 0 },
    { "#SS", e_ss, SS_, 0, 0 }, { "#GP", e_gp, GP, 0, 0 },       { "#PF", e_pf, PF, 0, 0 },
    { "#MF", e_mf, MF, 0, 0 },  { "#XM", e_xm, XM, 0, 0 },       { "INT n", e_int, INT_N, 0, 1 },
    { "#DE", e_de, DE, 3, 0 },  { "INT1", e_db, DB, 3, 0 },      { "INT3", e_bp, BP, 3, 1 },
    { "INTO", e_of, OF, 3, 1 }, { "#BR", e_br, BR, 3, 0 },       { "#UD", e_ud, UD, 3, 0 },
    { "#NM", e_nm, NM, 3, 0 },  { "#NP", e_np, NP, 3, 0 },       { "#GP", e_gp, GP, 3, 0 },
    { "#PF", e_pf, PF, 3, 0 },  { "#MF", e_mf, MF, 3, 0 },       { "#AC", e_ac, AC, 3, 0 },
    { "#XM", e_xm, XM, 3, 0 },  { "INT n", e_int, INT_N, 3, 1 },
};

static int contributory(u32 vector)
{
    return vector == DE || (vector >= TS && vector <= GP);
}

/* Table 6-5. */
static int doubles(u32 first, u32 second)
{
    if (contributory(first)) return contributory(second);
    return first == PF && (contributory(second) || second == PF);
}

static void set_up(const Event *e)
{
    user_flags = e->vector == AC ? FL_1 | FL_AC : FL_1;
    write_cr0((read_cr0() & ~(u32)CR0_TS) | CR0_BITS);
    __asm__ volatile("fninit");
    if (e->vector == NM) write_cr0(read_cr0() | CR0_TS);
}

/* second, error: what goes wrong with the delivery. */
static void check(const Event *e, const char *what, u32 got, u32 got_error, u32 second, u32 error)
{
    u32 twice = !e->soft && doubles(e->vector, second);
    if (!twice && !e->soft && second != PF) error |= 1; /* EXT */
    u32 want = twice ? DF << 16 : second << 16 | error;
    check_eq(e->name, want, got << 16 | (got_error & 0xffff));
    check_eq(what, want, got << 16 | (got_error & 0xffff));
}

/* --- bad gates ------------------------------------------------------------------------------------------------- */

typedef struct BadGate {
    const char *what;
    u32 selector, rights, second, error; /* error -1: names the gate */
} BadGate;
static const BadGate bad_gates[] = {
    { "absent gate", CODE0, 0x6e, NP, -1u },
    { "call gate", CODE0, 0xec, GP, -1u },
    { "LDT in the IDT", CODE0, 0xe2, GP, -1u },
    { "null selector", 0, 0xee, GP, 0 },
    { "data selector", DATA0, 0xee, GP, DATA0 },
    { "selector beyond the GDT", GDT_SLOTS * 8, 0xee, GP, GDT_SLOTS * 8 },
    { "absent code", ABSENT_CODE, 0xee, NP, ABSENT_CODE },
    { "task gate to data", DATA0, 0xe5, GP, DATA0 },
    { "task gate to a busy TSS", TSS0, 0xe5, GP, TSS0 },
};

static void try_gates(const Event *e)
{
    for (u32 i = 0; i < sizeof bad_gates / sizeof bad_gates[0]; i++) {
        const BadGate *b = &bad_gates[i];
        u32 lo = idt[e->vector * 2], hi = idt[e->vector * 2 + 1];
        set_up(e);
        set_idt(e->vector, b->selector, stubs, b->rights);
        u32 got = e->ring ? attempt_user(e->code) : attempt(e->code);
        idt[e->vector * 2] = lo;
        idt[e->vector * 2 + 1] = hi;
        check(e, b->what, got, fault_error, b->second, b->error == -1u ? e->vector * 8 + 2 : b->error);
    }
}

/* --- the gate in an absent page -------------------------------------------------------------------------------- */

static void load_idt(u32 base)
{
    struct {
        u16 limit;
        u32 base;
    } __attribute__((packed)) p = { 0x7ff, base };
    __asm__ volatile("lidt %0" ::"m"(p));
}

/* From the event's own gate up to the end, or from the beginning up to it, so that the others needed are there. */
static void try_absent_idt(const Event *e)
{
    u32 gate = e->vector >= PF ? ABSENT_PAGE : ABSENT_PAGE + 0x1ff8, base = gate - e->vector * 8;
    for (u32 i = 0; i < 512; i++) {
        u32 address = base + i * 4;
        if (address - ABSENT_PAGE >= 0x2000) *at(address) = idt[i];
    }
    set_up(e);
    load_idt(base);
    u32 got = e->ring ? attempt_user(e->code) : attempt(e->code);
    load_idt((u32)idt);
    check(e, "gate in an absent page", got, fault_error, PF, 0);
    check_eq("CR2", gate, fault_cr2);
}

/* --- the stack of ring 0 --------------------------------------------------------------------------------------- */

static volatile u32 task_vector, task_error;
static u32 tss_images[4][26], task_stacks[4][64];
static const u32 by_tasks[] = { DF, TS, SS_, PF };

/* Runs as a task: with what its stack holds, sends the first task back to attempt(). */
__asm__(".pushsection .text\n"
        "task_df: movl $8, task_vector; jmp 1f\n"
        "task_ts: movl $10, task_vector; jmp 1f\n"
        "task_ss: movl $12, task_vector; jmp 1f\n"
        "task_pf: movl $14, task_vector\n"
        "1: popl task_error\n"
        "movl try_eip, %eax; movl %eax, tss0 + 32\n"
        "movl try_esp, %eax; movl %eax, tss0 + 56\n"
        "movl $2, tss0 + 36\n"
        "movw $8, tss0 + 76; movw $16, %ax\n"
        "movw %ax, tss0 + 72; movw %ax, tss0 + 80; movw %ax, tss0 + 84\n"
        "iret\n"
        ".popsection");
extern const u8 task_df[], task_ts[], task_ss[], task_pf[];

static void prepare_tasks(void)
{
    static const u8 *const entry[] = { task_df, task_ts, task_ss, task_pf };
    for (u32 i = 0; i < 4; i++) {
        u32 *t = tss_images[i], sel = FIRST_TSS + i * 8;
        t[7] = TABLES;
        t[8] = (u32)entry[i];
        t[9] = FL_1;
        t[14] = (u32)(task_stacks[i] + 64);
        t[18] = t[20] = t[21] = t[22] = t[23] = DATA0;
        t[19] = CODE0;
        t[25] = 0x680000;
        set_desc(sel, (u32)t, 0x67, 0x89, 0);
        set_idt(by_tasks[i], sel, 0, 0x85);
    }
}

static void end_tasks(void)
{
    for (u32 i = 0; i < 4; i++) set_idt(by_tasks[i], CODE0, stubs + by_tasks[i] * 16, 0x8e);
}

typedef struct BadStack {
    const char *what;
    u32 ss0, esp0, second, error;
} BadStack;
static const BadStack bad_stacks[] = {
    { "SS0 = null", 0, 0x210000, TS, 0 },
    { "SS0 = ring 3 data", DATA3 & ~3, 0x210000, TS, DATA3 & ~3 },
    { "SS0 = code", CODE0, 0x210000, TS, CODE0 },
    { "SS0 absent", ABSENT_DATA, 0x210000, SS_, ABSENT_DATA },
    { "stack in an absent page", DATA0, ABSENT_PAGE + 0x800, PF, 2 },
};

/* The event's own gate is that of a task when it is one of the four, and then needs no stack: those are left out. */
static void try_stacks(const Event *e)
{
    for (u32 i = 0; i < 4; i++)
        if (by_tasks[i] == e->vector && e->vector != PF) return;
    for (u32 i = 0; i < sizeof bad_stacks / sizeof bad_stacks[0]; i++) {
        const BadStack *b = &bad_stacks[i];
        set_up(e);
        prepare_tasks();
        if (e->vector == PF) set_idt(PF, CODE0, stubs + PF * 16, 0x8e);
        tss0[1] = b->esp0;
        tss0[2] = b->ss0;
        task_vector = task_error = -1u;
        attempt_user(e->code);
        tss0[1] = (u32)ring0_stack_top;
        tss0[2] = DATA0;
        end_tasks();
        check(e, b->what, task_vector, task_error, b->second, b->error);
    }
}

static void paging_on(void)
{
    for (u32 i = 0; i < 1024; i++) at(TABLES)[i] = 0, at(TABLES + 0x1000)[i] = i << 12 | 7;
    at(TABLES)[0] = (TABLES + 0x1000) | 7;
    at(TABLES + 0x1000)[ABSENT_PAGE >> 12] = 0;
    at(TABLES + 0x1000)[(ABSENT_PAGE >> 12) + 1] = 0;
    write_cr3(TABLES);
    write_cr0(read_cr0() | CR0_PG);
    tss0[7] = TABLES;
}

void guest_main(void)
{
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
    set_desc(ABSENT_CODE, 0, 0xfffff, 0x1a, 0xc);
    set_desc(ABSENT_DATA, 0, 0xfffff, 0x12, 0xc);
    set_desc(ABSENT_DATA3, 0, 0xfffff, 0x72, 0xc);
    set_idt(INT_N, CODE0, stubs + INT_N * 16, 0xee);
    paging_on();
    for (u32 i = 0; i < sizeof events / sizeof events[0]; i++) {
        try_gates(&events[i]);
        try_absent_idt(&events[i]);
        if (events[i].ring) try_stacks(&events[i]);
    }
}
