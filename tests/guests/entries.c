/* Paging, entry by entry: every reserved bit at every level (SDM 3A 4.3, 4.4 and their tables, 4.7), PSE-36, when PDPTEs are
 * loaded (4.4.1), accesses that the processor makes by itself, which are a supervisor's whatever the CPL and EFLAGS.AC (4.6.1),
 * their A and D bits (4.8), global pages and what forgets them (4.10.2.4, 4.10.4.1), and switching PAE on under way. */
#include "guest_c.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
#define XD (1ull << 63)
enum { E_P = 1, E_W = 2, E_U = 4, E_RSVD = 8, E_I = 16 };

/* Physical memory, of which the first 4 MiB are mapped to themselves: tables, and what is on trial. */
enum {
    DIRECTORY = TABLES,
    KERNEL_TABLE = TABLES + 0x2000, /* and the next one */
    TABLE = TABLES + 0x4000,
    POINTERS = TABLES + 0x5000,
    FAR_DIRECTORY = TABLES + 0x6000, /* of LINEAR + 1 GiB */
    PAGE = 0x240000,
    OTHER = 0x250000,
    LARGE = 0x400000,
    LARGE_OTHER = 0x800000,
};
#define LINEAR     0x800000u   /* on trial, by entry 0 of TABLE or a large page */
#define FAR_LINEAR 0x40000000u /* in PAE tables: by the second PDPTE */

static int pae, has_nx, nxe, has_smap, address_bits;
u32 operand;

#define INSN(label, insn)                                                                                              \
    __asm__(".pushsection .text\n" #label ": movl operand, %ebx; " insn "\nret\n.popsection");                         \
    extern const u8 label[]
#define USER_INSN(label, insn)                                                                                         \
    __asm__(".pushsection .text\n" #label ": movl operand, %ebx; " insn "\nint $0x30\n.popsection");                   \
    extern const u8 label[]
INSN(do_read, "movl (%ebx), %eax");
INSN(do_write, "movl %ebx, 32(%ebx)");
INSN(do_exec, "call *%ebx");
USER_INSN(user_read, "movl (%ebx), %eax");
USER_INSN(user_write, "movl %ebx, 32(%ebx)");
USER_INSN(user_exec, "jmp *%ebx");
INSN(do_cr0, "movl %ebx, %cr0");
INSN(do_cr3, "movl %ebx, %cr3");
INSN(do_cr4, "movl %ebx, %cr4");
INSN(load_fs, "movl %ebx, %fs");
USER_INSN(user_load_fs, "movl %ebx, %fs");
USER_INSN(user_int, "int $0x50");

static void set_entry(u32 table, u32 index, u64 value)
{
    at(table)[pae ? index * 2 : index] = (u32)value;
    if (pae) at(table)[index * 2 + 1] = (u32)(value >> 32);
}
static u32 directory_index(void)
{
    return LINEAR >> (pae ? 21 : 22);
}
static void set_pair(u64 upper, u64 lower)
{
    set_entry(DIRECTORY, directory_index(), upper);
    set_entry(TABLE, 0, lower);
    invlpg(LINEAR);
}

static void build(void)
{
    u32 per_table = pae ? 512 : 1024;
    for (u32 i = 0; i < 1024; i++) at(DIRECTORY)[i] = at(TABLE)[i] = at(POINTERS)[i] = at(FAR_DIRECTORY)[i] = 0;
    for (u32 t = 0; t * per_table < 1024; t++) {
        set_entry(DIRECTORY, t, (KERNEL_TABLE + t * 4096) | P | W | U);
        for (u32 i = 0; i < per_table; i++)
            set_entry(KERNEL_TABLE + t * 4096, i, ((t * per_table + i) * 4096) | P | W | U);
    }
    if (!pae) return;
    set_entry(POINTERS, 0, DIRECTORY | P);
    set_entry(POINTERS, 1, FAR_DIRECTORY | P);
    set_entry(FAR_DIRECTORY, 0, LARGE | PS | P | W | U);
}

static void set_nxe(int on)
{
    u64 efer = rdmsr(0xc0000080) & ~(1ull << 11);
    wrmsr(0xc0000080, on ? efer | 1ull << 11 : efer);
    nxe = on;
}

static void switch_to(int pae_now)
{
    write_cr0(read_cr0() & ~(u32)CR0_PG);
    pae = pae_now;
    build();
    write_cr4((read_cr4() & ~(u32)(CR4_PAE | CR4_PGE)) | CR4_PSE | (pae ? CR4_PAE : 0));
    write_cr3(pae ? POINTERS : DIRECTORY);
    write_cr0(read_cr0() | CR0_PG | CR0_WP);
}

/* The error code, 0x8000 and the vector for anything but #PF, or -1. */
static u32 outcome(const u8 *code, u32 address)
{
    operand = address;
    int user = code == user_read || code == user_write || code == user_exec;
    u32 vector = user ? attempt_user(code) : attempt(code);
    if (vector != PF) return vector == (u32)NONE ? vector : 0x8000 | vector;
    check_eq("CR2", address & ~0xfffu, fault_cr2 & ~0xfffu);
    return fault_error;
}

/* --- reserved bits --------------------------------------------------------------------------------------------- */

typedef struct Kind {
    const u8 *code;
    u32 error;
} Kind;
static const Kind kinds[] = { { do_read, 0 },     { do_write, E_W },         { do_exec, E_I },
                              { user_read, E_U }, { user_write, E_U | E_W }, { user_exec, E_U | E_I } };

static void expect_reserved(const char *name, u32 bit, int reserved)
{
    for (u32 i = 0; i < 6; i++) {
        u32 error = kinds[i].error & (pae && nxe ? -1u : ~(u32)E_I);
        u32 want = reserved ? error | E_RSVD | E_P : -1u, got = outcome(kinds[i].code, LINEAR);
        check_eq(name, bit << 24 | (want & 0xffff), bit << 24 | (got & 0xffff));
    }
}

/* Bits of a PAE entry that are reserved: from MAXPHYADDR to 62, and XD while EFER.NXE is clear. */
static int pae_reserved(u32 bit)
{
    return bit == 63 ? !nxe : bit >= (u32)address_bits;
}

static void reserved_pae(void)
{
    for (u32 bit = 12; bit < 64; bit++) {
        u64 set = 1ull << bit;
        if (pae_reserved(bit)) {
            set_pair(TABLE | 7 | set, PAGE | 7);
            expect_reserved("PAE directory entry", bit, 1);
            set_pair(TABLE | 7, PAGE | 7 | set);
            expect_reserved("PAE table entry", bit, 1);
            set_pair(TABLE | 7 | set, 0);
            expect_reserved("PAE directory entry before an absent page", bit, 1);
            set_pair(TABLE | P | set, PAGE | P);
            expect_reserved("reserved bit and no rights", bit, 1);
            set_pair(TABLE | 7, (PAGE | 7 | set) & ~(u64)P);
            check_eq("reserved bit, not present", 0, outcome(do_read, LINEAR));
        }
        if (bit < 21 ? bit > 12 : pae_reserved(bit)) {
            set_pair(LARGE | PS | 7 | set, 0);
            expect_reserved("2 MiB page", bit, 1);
        }
    }
    set_pair(LARGE | PS | 7 | 1 << 12, 0);
    expect_reserved("2 MiB page: PAT", 12, 0);
}

/* Table 4-4: with PSE-36 bits 13 to 20 are address bits 32 to 39, those that there are. */
static void reserved_32(void)
{
    for (u32 bit = 12; bit < 22; bit++) {
        int reserved = bit == 21 || (bit > 12 && bit - 13 + 32 >= (u32)address_bits);
        if (bit > 12 && !reserved) continue; /* another address */
        set_pair(LARGE | PS | 7 | 1u << bit, 0);
        expect_reserved("4 MiB page", bit, reserved);
    }
    set_pair(TABLE | 7 | G, PAGE | 7 | PS); /* in these places they mean nothing, or PAT */
    expect_reserved("PAT of a small page", 7, 0);
}

static void pse_36(void)
{
    set_pair(LARGE | PS | 7, 0);
    check_eq("a 4 MiB page", 0x12345678, *at(LINEAR + 0x100));
    if (address_bits < 36) return;
    set_pair(LARGE | PS | 7 | 1 << 13, 0);
    check_eq("PSE-36: not the memory 4 GiB below", 1, *at(LINEAR + 0x100) != 0x12345678);
}

/* --- PDPTEs ---------------------------------------------------------------------------------------------------- */

static void reserved_pointers(void)
{
    for (u32 n = 0; n < 4; n++)
        for (u32 bit = 1; bit < 64; bit++) {
            u64 entry = (n == 0 ? DIRECTORY : FAR_DIRECTORY) | P | 1ull << bit;
            int reserved = bit < 3 || (bit > 4 && bit < 9) || bit >= (u32)address_bits;
            if (!reserved && (n == 0 || bit > 11)) continue; /* another table */
            set_entry(POINTERS, n, entry);
            operand = POINTERS;
            check_eq("MOV to CR3 and a bit of a PDPTE", bit << 8 | (reserved ? GP : 0xff),
                     bit << 8 | (attempt(do_cr3) & 0xff));
            check_eq("error code", reserved ? 0 : -1u, fault_error);
            set_entry(POINTERS, n, entry & ~(u64)P);
            if (n) check_eq("a PDPTE that is not present", (u32)NONE, attempt(do_cr3));
            set_entry(POINTERS, n, n == 0 ? DIRECTORY | P : n == 1 ? FAR_DIRECTORY | P : 0);
        }
    write_cr3(POINTERS);
}

/* 4.4.1: by CR3, and by CR0 and CR4 when certain bits change.  (SMEP is one, too, but these pages are all ring 3's.) */
static void loads_pointers(const char *name, const u8 *mov, u32 value, u32 back, int loads)
{
    write_cr3(POINTERS);
    set_entry(POINTERS, 1, 0);
    operand = value;
    attempt(mov);
    invlpg(FAR_LINEAR);
    check_eq(name, loads ? 0 : -1u, outcome(do_read, FAR_LINEAR));
    set_entry(POINTERS, 1, FAR_DIRECTORY | P);
    operand = back;
    attempt(mov);
    write_cr3(POINTERS);
    check_eq("there again", (u32)NONE, outcome(do_read, FAR_LINEAR));
}

static void pointer_loads(void)
{
    enum { CR0_CD = 1 << 30, CR0_NW = 1 << 29 };
    u32 cr0 = read_cr0() & ~(u32)(CR0_CD | CR0_NW), cr4 = read_cr4();
    write_cr0(cr0);
    loads_pointers("CR0 as it is", do_cr0, cr0, cr0, 0);
    loads_pointers("CR0.TS", do_cr0, cr0 ^ CR0_TS, cr0, 0);
    loads_pointers("CR0.WP", do_cr0, cr0 ^ CR0_WP, cr0, 0);
    loads_pointers("CR0.CD", do_cr0, cr0 ^ CR0_CD, cr0, 1);
    loads_pointers("CR0.CD and NW", do_cr0, cr0 ^ (CR0_CD | CR0_NW), cr0, 1);
    loads_pointers("CR4 as it is", do_cr4, cr4, cr4, 0);
    loads_pointers("CR4.TSD", do_cr4, cr4 ^ CR4_TSD, cr4, 0);
    loads_pointers("CR4.PGE", do_cr4, cr4 ^ CR4_PGE, cr4, 1);
    loads_pointers("CR4.PSE", do_cr4, cr4 ^ CR4_PSE, cr4, 1);
    /* What CR0 or CR4 would load must be good, too. */
    set_entry(POINTERS, 3, P | W);
    operand = cr0 ^ CR0_CD;
    check_eq("CR0.CD, bad PDPTE", GP, attempt(do_cr0));
    check_eq("CR0 stays", cr0, read_cr0());
    operand = cr4 ^ CR4_PGE;
    check_eq("CR4.PGE, bad PDPTE", GP, attempt(do_cr4));
    check_eq("CR4 stays", cr4, read_cr4());
    set_entry(POINTERS, 3, 0);
}

/* --- the processor's own accesses ------------------------------------------------------------------------------ */

enum { LDT_SEG = FREE_SEL, IN_LDT = 0xf };

/* An LDT at LINEAR, in PAGE with these rights; its one segment is data of ring 3. */
static void ldt_in(u32 rights, u32 accessed)
{
    at(PAGE)[2] = 0xffff;
    at(PAGE)[3] = 0x00cff200 | accessed << 8;
    set_desc(LDT_SEG, LINEAR, 0xfff, 0x82, 0);
    __asm__ volatile("lldt %w0" ::"r"(LDT_SEG));
    set_pair(TABLE | 7, PAGE | rights);
}
static u32 leaf(void)
{
    return at(TABLE)[0] & (A | D);
}

static void expect_load(const char *name, const u8 *code, u32 want, u32 want_leaf)
{
    operand = IN_LDT;
    u32 got = code == user_load_fs ? attempt_user(code) : attempt(code);
    check_eq(name, want, got == (u32)NONE ? got : got == PF ? fault_error : 0x8000 | got);
    check_eq("A and D of the table's page", want_leaf, leaf());
}

static void implicit(void)
{
    /* Ring 3 code uses an LDT that it cannot read. */
    ldt_in(P | W, 1);
    expect_load("segment load, LDT in a supervisor page", load_fs, (u32)NONE, A);
    ldt_in(P | W, 1);
    expect_load("segment load in ring 3, LDT in a supervisor page", user_load_fs, (u32)NONE, A);
    ldt_in(P | W, 0);
    expect_load("the accessed bit is a write", user_load_fs, (u32)NONE, A | D);
    ldt_in(P, 1);
    expect_load("read-only page, accessed bit set", user_load_fs, (u32)NONE, A);
    ldt_in(P, 0);
    expect_load("read-only page, accessed bit clear", user_load_fs, E_P | E_W, A);
    write_cr0(read_cr0() & ~(u32)CR0_WP);
    ldt_in(P, 0);
    expect_load("read-only page, WP clear", user_load_fs, (u32)NONE, A | D);
    write_cr0(read_cr0() | CR0_WP);
    ldt_in(W, 1);
    expect_load("LDT in an absent page: U/S is clear in the error code", user_load_fs, 0, 0);
}

/* Everything but OTHER for supervisors only, or back. */
static void own_pages(int supervisor)
{
    for (u32 i = 0; i < 1024; i++) {
        volatile u32 *e = at(KERNEL_TABLE + i * (pae ? 8 : 4));
        if (i << 12 != OTHER) *e = supervisor ? *e & ~(u32)U : *e | U;
    }
    write_cr3(read_cr3());
}

/* SMAP holds for implicit accesses whatever EFLAGS.AC says, and whatever the CPL. */
static void implicit_smap(void)
{
    static const u8 code[] = {
        0xbb, IN_LDT, 0, 0, 0, 0x8e, 0xe3, 0xcd, 0x30
    }; /* mov $IN_LDT, %ebx; mov %ebx, %fs; int $0x30 */
    if (!has_smap) return;
    for (u32 i = 0; i < sizeof code; i++) ((volatile u8 *)at(OTHER))[i] = code[i];
    own_pages(1);
    write_cr4(read_cr4() | CR4_SMAP);
    ldt_in(P | W | U, 1);
    expect_load("SMAP, LDT in a user page", load_fs, E_P, 0);
    ldt_in(P | W | U, 1);
    __asm__ volatile("pushfl; orl $0x40000, (%%esp); popfl" ::: "cc", "memory");
    check_eq("explicit access with AC", at(PAGE)[3], *at(LINEAR + 12));
    ldt_in(P | W | U, 1);
    expect_load("SMAP and AC, LDT in a user page", load_fs, E_P, 0);
    __asm__ volatile("pushfl; andl $~0x40000, (%%esp); popfl" ::: "cc", "memory");
    for (u32 ac = 0; ac < 2; ac++) {
        user_flags = ac ? FL_1 | FL_AC : FL_1;
        ldt_in(P | W | U, 1);
        check_eq("SMAP in ring 3, LDT in a user page", PF, attempt_user((const void *)OTHER));
        check_eq("SMAP in ring 3: error code", E_P, fault_error);
        ldt_in(P | W, 1);
        check_eq("SMAP in ring 3, LDT in a supervisor page", (u32)NONE, attempt_user((const void *)OTHER));
    }
    user_flags = FL_1;
    write_cr4(read_cr4() & ~(u32)CR4_SMAP);
    own_pages(0);
}

/* A new stack in ring 0 is written by a supervisor: error code without U/S although ring 3 was interrupted. */
static void new_stack(void)
{
    set_idt(0x50, CODE0, stubs + 0x50 * 16, 0xee);
    set_pair(TABLE | 7, PAGE | P | W);
    tss0[1] = LINEAR + 0x800;
    check_eq("stack of ring 0 in a supervisor page", 0x50, attempt_user(user_int));
    check_eq("A and D of the stack's page", A | D, leaf());
    tss0[1] = (u32)ring0_stack_top;
}

/* --- global pages ---------------------------------------------------------------------------------------------- */

static u32 here(void)
{
    return *at(LINEAR + 64);
}

static void map(u32 page, u32 bits, int large)
{
    if (large)
        set_entry(DIRECTORY, directory_index(), (page == PAGE ? LARGE : LARGE_OTHER) | PS | bits);
    else
        set_entry(TABLE, 0, page | bits);
}

/* What is seen after an action once PAGE had been seen and OTHER been mapped in its place. */
static void seen_after(const char *name, int large, u32 bits, void (*action)(void), int forgets)
{
    set_pair(TABLE | 7, 0);
    map(PAGE, bits, large);
    invlpg(LINEAR);
    check_eq("first page", 0x1111, here());
    map(OTHER, bits, large);
    action();
    check_eq(name, forgets ? 0x2222 : 0x1111, here());
    map(OTHER, 7, large);
    invlpg(LINEAR);
    check_eq("INVLPG", 0x2222, here());
}

static void load_cr3(void)
{
    write_cr3(read_cr3());
}
static void toggle_pge(void)
{
    write_cr4(read_cr4() & ~(u32)CR4_PGE);
    write_cr4(read_cr4() | CR4_PGE);
}
static void clear_pge(void)
{
    write_cr4(read_cr4() & ~(u32)CR4_PGE);
}
static void set_pge(void)
{
    write_cr4(read_cr4() | CR4_PGE);
}
static void toggle_pg(void)
{
    write_cr0(read_cr0() & ~(u32)CR0_PG);
    write_cr0(read_cr0() | CR0_PG);
}
static void invlpg_elsewhere(void)
{
    invlpg(LINEAR + 0x40);
}

static void global_pages(void)
{
    for (int large = 0; large < 2; large++) {
        write_cr4(read_cr4() | CR4_PGE);
        seen_after("MOV to CR3", large, 7, load_cr3, 1);
        /* A processor may forget at any time; one that always did would be no use. */
        seen_after("global page: MOV to CR3 keeps it", large, 7 | G, load_cr3, 0);
        seen_after("global page: CR4.PGE toggled", large, 7 | G, toggle_pge, 1);
        seen_after("global page: CR4.PGE cleared", large, 7 | G, clear_pge, 1);
        seen_after("G without CR4.PGE", large, 7 | G, load_cr3, 1);
        seen_after("not global: CR4.PGE set", large, 7, set_pge, 1);
        seen_after("global page: CR0.PG toggled", large, 7 | G, toggle_pg, 1);
        seen_after("global page: INVLPG", large, 7 | G, invlpg_elsewhere, 1);
    }
    write_cr4(read_cr4() & ~(u32)CR4_PGE);
}

/* --- PAE under way --------------------------------------------------------------------------------------------- */

/* CR3 bits 5 to 11 count with PAE alone: one value names a page directory and, in the same page, a table of PDPTEs. */
static void pae_under_way(void)
{
    enum { PDPT = POINTERS + 0x800, TABLE_32 = FAR_DIRECTORY };
    write_cr0(read_cr0() & ~(u32)CR0_PG);
    build(); /* for PAE */
    for (u32 i = 0; i < 1024; i++) at(TABLE_32)[i] = i << 12 | 3, at(POINTERS)[i] = 0;
    at(TABLE_32)[PAGE >> 12] = OTHER | 3;
    at(POINTERS)[0] = TABLE_32 | 3;
    at(PDPT)[0] = DIRECTORY | P;
    write_cr4((read_cr4() & ~(u32)CR4_PAE) | CR4_PSE);
    write_cr3(PDPT);
    write_cr0(read_cr0() | CR0_PG);
    check_eq("32-bit paging", 0x2222, *at(PAGE + 64));
    write_cr4(read_cr4() | CR4_PAE);
    check_eq("CR4.PAE set while paging", 0x1111, *at(PAGE + 64));
    write_cr4(read_cr4() & ~(u32)CR4_PAE);
    check_eq("CR4.PAE cleared while paging", 0x2222, *at(PAGE + 64));
    at(PDPT)[2] = P | W;
    operand = read_cr4() | CR4_PAE;
    check_eq("CR4.PAE set, bad PDPTE", GP, attempt(do_cr4));
    check_eq("still 32-bit paging", 0x2222, *at(PAGE + 64));
}

void guest_main(void)
{
    u32 b, c, d, a = 0x80000008;
    cpuid(7, &b, &c, &d);
    has_smap = b >> 20 & 1;
    cpuid(0x80000001, &b, &c, &d);
    has_nx = d >> 20 & 1;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    address_bits = a & 0xff;
    *at(PAGE) = *at(LARGE) = 0x30cd; /* INT 30h, for jumps there */
    *at(PAGE + 64) = *at(LARGE + 64) = 0x1111, *at(OTHER + 64) = *at(LARGE_OTHER + 64) = 0x2222;
    *at(LARGE + 0x100) = 0x12345678;
    for (int with_pae = 0; with_pae < 2; with_pae++) {
        switch_to(with_pae);
        if (!pae) {
            reserved_32();
            pse_36();
        } else {
            reserved_pae();
            if (has_nx) {
                set_nxe(1);
                reserved_pae();
            }
            reserved_pointers();
            pointer_loads();
        }
        implicit();
        implicit_smap();
        new_stack();
        global_pages();
    }
    pae_under_way();
}
