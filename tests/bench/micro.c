/* What single operations cost, so that a loss of speed is found at its cause.  A bare-metal guest: runs in Calque and anywhere else
 * that has a Multiboot loader, an HPET, a local APIC and port 0xe9.  One line for each:
 *
 *      MICRO name picoseconds what it is
 *
 * Each operation is repeated until that takes 20 ms of the guest's time, then twice more, and the best counts.  The loop
 * around it is counted in. */
#include "guest_c.h"

enum { CODE16 = FREE_SEL, DATA16 = FREE_SEL + 8 };
enum { CR3_TABLES = TABLES + 0x10000, MAPPED = 64 << 20, ABSENT = 48 << 20, ROOM = 16 << 20 };
enum { PAGE = 4096, PTE_USER = 7, PDE_DEVICE = 0x9b /* 4 MiB, not cached */ };
#define APIC 0xfee00000u
#define HPET 0xfed00000u
enum { APIC_SVR = 0xf0, APIC_LVT_TIMER = 0x320, APIC_INITIAL = 0x380, APIC_DIVIDE = 0x3e0, PERIODIC = 0x20000 };
enum { HPET_PERIOD = 4, HPET_CONFIG = 0x10, HPET_COUNTER = 0xf0, SPURIOUS_VECTOR = 0x4f };
enum { MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP = 0x175, MSR_SYSENTER_EIP = 0x176 };
enum { ENOUGH_NS = 20000000, TICK = 1000000, MANY = 16384, PIECES = 32768 };

typedef struct Micro {
    const char *name;
    const char *op; /* of micro_ops.S, or: */
    void (*run)(u32 turns);
    u32 each; /* operations a turn */
    enum { RING0, RING3 } ring;
    const char *what;
} Micro;

void run_op(const void *op, u32 turns);
extern const u8 op_in_user[];
extern volatile u32 user_turns, jump_many_first, absent;
extern const void *volatile user_op;
extern const u8 gate_iret[], gate_sysenter[], gate_apic[], gate_timer[], gate_ud[], gate_pf[];

extern const char op_empty[], op_dec[], op_alu[], op_load[], op_store[], op_walk[], op_invlpg[], op_cr3[], op_jump[],
    op_jump_pages[], op_jump_indirect[], op_jump_switch[], op_jump_many[], op_call_ret[], op_ret_elsewhere[],
    op_cpuid[], op_rdtsc[], op_read_cr0[], op_load_ds[], op_cli_sti[], op_pushf_popf[], op_fldcw[], op_movs_16[],
    op_movs_4096[], op_int[], op_sysenter[], op_interrupt[], op_ud2[], op_page_fault[], op_port_in[], op_port_out[],
    op_mmio_read[], op_patch[], op_store_beside[], op_real_alu[], op_real_load[], op_ordinary[], op_real_ordinary[];

/* --- text ------------------------------------------------------------------------------------------------------ */

static void put_text(const char *s)
{
    while (*s) outb(0xe9, (u8)*s++);
}

static void put_number(u32 n)
{
    char digits[11], *p = digits + sizeof digits - 1;
    *p = 0;
    do *--p = (char)('0' + n % 10);
    while (n /= 10);
    put_text(p);
}

/* a * b / c, which must fit. */
static u32 scaled(u32 a, u32 b, u32 c)
{
    u32 high, low = a;
    __asm__("mull %2\n\tdivl %3" : "+a"(low), "=&d"(high) : "r"(b), "r"(c) : "cc");
    return low;
}

/* --- time ------------------------------------------------------------------------------------------------------ */

static u32 period_fs, left_out; /* of the HPET's counter; its ticks that are not to count */

static u32 ticks(void)
{
    return *at(HPET + HPET_COUNTER);
}

static u32 nanoseconds(u32 t)
{
    return scaled(t, period_fs, 1000000);
}

/* --- operations in C ----------------------------------------------------------------------------------------------- */

/* Twenty instructions of several kinds, then a jump over nothing; the constant is another in each round, so that all is new. */
static const u8 piece[] = {
    0xb8, 0,    0,    0,    0, /* mov eax, CONSTANT */
    0x89, 0xc1,                /* mov ecx, eax */
    0x83, 0xc1, 0x07,          /* add ecx, 7 */
    0x31, 0xca,                /* xor edx, ecx */
    0x8d, 0x44, 0x88, 0x04,    /* lea eax, [eax+ecx*4+4] */
    0x85, 0xc0,                /* test eax, eax */
    0x0f, 0x95, 0xc2,          /* setne dl */
    0x53,                      /* push ebx */
    0x8b, 0x5c, 0x24, 0x04,    /* mov ebx, [esp+4] */
    0x01, 0xd3,                /* add ebx, edx */
    0xc1, 0xe3, 0x03,          /* shl ebx, 3 */
    0x0f, 0xb6, 0xd3,          /* movzx edx, bl */
    0x29, 0xd8,                /* sub eax, ebx */
    0x19, 0xc9,                /* sbb ecx, ecx */
    0x5b,                      /* pop ebx */
    0x39, 0xca,                /* cmp edx, ecx */
    0x0f, 0x42, 0xc2,          /* cmovb eax, edx */
    0xf7, 0xd0,                /* not eax */
    0x42,                      /* inc edx */
    0xeb, 0x00,                /* jmp $+2 */
};
enum { PIECE_INSNS = 20 };

static void translate(u32 turns)
{
    static u32 constant;
    u32 start = ticks();
    volatile u8 *p = (volatile u8 *)at(ROOM);
    if (turns > PIECES) turns = PIECES;
    for (u32 i = 0; i < turns; i++, p += sizeof piece) {
        for (u32 k = 0; k < sizeof piece; k++) p[k] = piece[k];
        p[1] = (u8)++constant, p[2] = (u8)(constant >> 8), p[3] = (u8)(constant >> 16);
    }
    *p = 0xc3;
    left_out += ticks() - start;
    run_op((const void *)at(ROOM), 1);
}

static void jump_many(u32 turns)
{
    static const u8 stub[] = { 0x83, 0xc0, 0x10, 0xff, 0xe0 };
    if (!jump_many_first) {
        volatile u8 *p = (volatile u8 *)at(ROOM + (8 << 20));
        jump_many_first = (u32)p;
        for (u32 i = 0; i < MANY; i++, p += 16)
            for (u32 k = 0; k < sizeof stub; k++) p[k] = stub[k];
        *p = 0xc3;
    }
    run_op(op_jump_many, turns);
}

/* --- the machine ---------------------------------------------------------------------------------------------------- */

static void start_paging(void)
{
    volatile u32 *directory = at(CR3_TABLES), *table = at(TABLES);
    for (u32 i = 0; i < 1024; i++) directory[i] = 0;
    for (u32 i = 0; i < MAPPED / PAGE; i++) table[i] = i * PAGE == ABSENT ? 0 : (i * PAGE) | PTE_USER;
    for (u32 i = 0; i < MAPPED >> 22; i++) directory[i] = (TABLES + i * PAGE) | PTE_USER;
    directory[APIC >> 22] = (APIC & 0xffc00000) | PDE_DEVICE;
    absent = ABSENT;
    write_cr4(read_cr4() | CR4_PSE);
    write_cr3(CR3_TABLES);
    write_cr0(read_cr0() | CR0_PG | CR0_WP);
}

static void start_machine(void)
{
    set_desc(CODE16, 0, 0xffff, 0x9a, 0);
    set_desc(DATA16, 0, 0xffff, 0x92, 0);
    set_idt(0x31, CODE0, gate_iret, 0xee);
    set_idt(0x33, CODE0, gate_apic, 0x8e);
    set_idt(0x34, CODE0, gate_timer, 0x8e);
    set_idt(UD, CODE0, gate_ud, 0x8e);
    set_idt(PF, CODE0, gate_pf, 0x8e);
    wrmsr(MSR_SYSENTER_CS, CODE0);
    wrmsr(MSR_SYSENTER_ESP, (u32)ring0_stack_top);
    wrmsr(MSR_SYSENTER_EIP, (u32)gate_sysenter);
    *at(APIC + APIC_SVR) = 0x100 | SPURIOUS_VECTOR;
    *at(APIC + APIC_DIVIDE) = 0xb; /* by 1 */
    *at(APIC + APIC_LVT_TIMER) = PERIODIC | 0x34;
    *at(HPET + HPET_CONFIG) = 1;
    period_fs = *at(HPET + HPET_PERIOD);
    start_paging();
}

/* --- measuring ------------------------------------------------------------------------------------------------------- */

static const Micro all[] = {
    { "empty", op_empty, 0, 1, RING0, "an empty loop, per turn" },
    { "dec", op_dec, 0, 1, RING0, "the same with DEC, which keeps CF" },
    { "alu", op_alu, 0, 10, RING0, "a register instruction, 32-bit" },
    { "real_alu", op_real_alu, 0, 10, RING0, "a register instruction, real mode" },
    { "ordinary", op_ordinary, 0, 15, RING0, "an instruction of ordinary code, 32-bit" },
    { "real_ordinary", op_real_ordinary, 0, 15, RING0, "an instruction of ordinary code, real mode" },
    { "load", op_load, 0, 16, RING0, "a load that hits the TLB, ring 0" },
    { "load_user", op_load, 0, 16, RING3, "the same, ring 3" },
    { "real_load", op_real_load, 0, 16, RING0, "a load, real mode" },
    { "store", op_store, 0, 16, RING0, "a store that hits the TLB, ring 0" },
    { "store_user", op_store, 0, 16, RING3, "the same, ring 3" },
    { "walk", op_walk, 0, 512, RING0, "a load that misses the TLB" },
    { "invlpg", op_invlpg, 0, 1, RING0, "INVLPG and a load there" },
    { "cr3", op_cr3, 0, 1, RING0, "read and write CR3" },
    { "jump", op_jump, 0, 16, RING0, "a direct jump within a page: chained blocks" },
    { "jump_pages", op_jump_pages, 0, 8, RING0, "a direct jump to another page" },
    { "jump_indirect", op_jump_indirect, 0, 8, RING0, "an indirect jump, always the same target" },
    { "jump_switch", op_jump_switch, 0, 1, RING0, "an indirect jump, 8 targets in turn" },
    { "jump_many", 0, jump_many, MANY, RING0, "an indirect jump, 16384 targets in turn" },
    { "call_ret", op_call_ret, 0, 8, RING0, "CALL and RET" },
    { "ret_elsewhere", op_ret_elsewhere, 0, 8, RING0, "PUSH and RET to where no CALL was" },
    { "cpuid", op_cpuid, 0, 1, RING0, "CPUID" },
    { "rdtsc", op_rdtsc, 0, 1, RING0, "RDTSC" },
    { "read_cr0", op_read_cr0, 0, 1, RING0, "read CR0" },
    { "load_ds", op_load_ds, 0, 1, RING0, "load a flat DS" },
    { "cli_sti", op_cli_sti, 0, 1, RING0, "STI and CLI" },
    { "pushf_popf", op_pushf_popf, 0, 1, RING0, "PUSHF and POPF" },
    { "fldcw", op_fldcw, 0, 2, RING0, "another x87 control word" },
    { "movs_16", op_movs_16, 0, 1, RING0, "REP MOVSB of 16 bytes" },
    { "movs_4096", op_movs_4096, 0, 1, RING0, "REP MOVSD of 4 KiB" },
    { "int", op_int, 0, 1, RING0, "INT and IRET within ring 0" },
    { "int_user", op_int, 0, 1, RING3, "INT and IRET, ring 3 to 0 and back" },
    { "sysenter", op_sysenter, 0, 1, RING3, "SYSENTER and SYSEXIT" },
    { "interrupt", op_interrupt, 0, 1, RING0, "an interrupt of the local APIC, from asking for it to IRET" },
    { "ud2", op_ud2, 0, 1, RING0, "#UD and IRET" },
    { "page_fault", op_page_fault, 0, 1, RING0, "#PF and IRET" },
    { "port_in", op_port_in, 0, 1, RING0, "IN from port 61" },
    { "port_out", op_port_out, 0, 1, RING0, "OUT to port 80" },
    { "mmio_read", op_mmio_read, 0, 1, RING0, "a load from a device (HPET)" },
    { "translate", 0, translate, PIECE_INSNS, RING0, "new code, run once: per instruction" },
    { "patch", op_patch, 0, 1, RING0, "a constant stored into code, and that code called" },
    { "store_beside", op_store_beside, 0, 1, RING0, "a store beside code in its page, and that code called" },
};

/* Ring 3 has a timer tick about every millisecond, as under any system: an emulator may go by that. */
static u32 time_of(const Micro *m, u32 turns)
{
    left_out = 0;
    u32 start = ticks();
    if (m->run) {
        m->run(turns);
    } else if (m->ring == RING0) {
        run_op(m->op, turns);
    } else {
        user_op = m->op;
        user_turns = turns;
        user_flags = FL_1 | FL_IF;
        *at(APIC + APIC_INITIAL) = TICK;
        attempt_user(op_in_user);
        *at(APIC + APIC_INITIAL) = 0;
    }
    return ticks() - start - left_out;
}

static void measure(const Micro *m)
{
    u32 turns = 1, best, most = m->run == translate ? PIECES : 1u << 30;
    while (nanoseconds(best = time_of(m, turns)) < ENOUGH_NS && turns < most) turns *= 2;
    for (int i = 0; i < 2; i++) {
        u32 t = time_of(m, turns);
        if (t < best) best = t;
    }
    put_text("MICRO ");
    put_text(m->name);
    put_text(" ");
    put_number(scaled(best, period_fs / 1000, turns * m->each));
    put_text(" ");
    put_text(m->what);
    put_text("\n");
}

void guest_main(void)
{
    start_machine();
    for (u32 i = 0; i < sizeof all / sizeof *all; i++) measure(&all[i]);
}
