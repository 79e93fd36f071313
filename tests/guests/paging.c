/* Paging: SDM 3A chapter 4.  Every combination of U/S, R/W and XD at both levels, in 32-bit and PAE tables with small and large
 * pages, under every setting of WP, SMEP, SMAP and AC, for reads, writes and fetches from ring 0 and ring 3: the outcome, the
 * error code (4.7) and the A and D bits (4.8) against the rules of 4.6 written down once more here.  Then reserved bits, the
 * PDPTE registers (4.4.1), PS without PSE, and what must be seen after an invalidation (4.10). */
typedef unsigned u32;
typedef unsigned long long u64;

extern u32 fault_vector, fault_error, fault_cr2;
void check_eq(const char *name, u32 want, u32 got) __attribute__((stdcall));
u32 probe(u32 kind, u32 address); /* the exception's vector, or -1 */
void skip_all(const char *reason);

enum { PF = 14, GP = 13, NONE = -1, LEAVE = 0x30 };
enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
#define XD (1ull << 63)
enum { E_P = 1, E_W = 2, E_U = 4, E_RSVD = 8, E_I = 16 };
enum { CR0_WP = 1 << 16, CR4_PSE = 1 << 4, CR4_PAE = 1 << 5, CR4_PGE = 1 << 7, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21 };
#define CR0_PG (1u << 31)

/* What probe() does, at the address or, user fetches, 16 bytes on. */
enum { READ, WRITE, EXEC, USER = 4 };

/* Physical memory: tables, the page on trial (its first byte is RET, at +16 is INT 0x30), another page, ring 3's code. */
enum {
    DIRECTORY = 0x300000,
    KERNEL_TABLE = 0x302000,
    TABLE = 0x304000,
    POINTERS = 0x305000,
    SMALL = 0x240000,
    OTHER = 0x250000,
    USER_CODE = 0x280000,
    LARGE = 0xc00000,
    LARGE_OTHER = 0x1000000
};
#define LINEAR 0x800000u /* of the page on trial: entry 0 of TABLE */

__asm__(".globl probe\n"
        "probe: pushal\n"
        "movl 36(%esp), %ecx\n"
        "movl 40(%esp), %ebx\n"
        "movl $997f, try_eip\n"
        "movl %esp, try_esp\n"
        "movl $-1, fault_vector\n"
        "movl $-1, fault_error\n"
        "jmp *probes(, %ecx, 4)\n"
        "probe_read: movl (%ebx), %eax\n"
        "jmp 997f\n"
        "probe_write: movb %cl, 32(%ebx)\n"
        "jmp 997f\n"
        "probe_exec: call *%ebx\n"
        "jmp 997f\n"
        "probe_user: pushl $0x23\n"
        "pushl $0\n"
        "pushl $2\n"
        "pushl $0x1b\n"
        "pushl user_probes - 16(, %ecx, 4)\n"
        "movl $0x23, %eax\n"
        "movl %eax, %ds\n"
        "iret\n"
        "997: movl try_esp, %esp\n"
        "movl $0, try_eip\n"
        "popal\n"
        "movl fault_vector, %eax\n"
        "ret\n"
        "probes: .long probe_read, probe_write, probe_exec, 0, probe_user, probe_user, probe_user\n"
        "user_probes: .long 0x280000, 0x280010, 0x280020\n");

static u32 read_cr0(void)
{
    u32 v;
    __asm__ volatile("movl %%cr0, %0" : "=r"(v));
    return v;
}
static void write_cr0(u32 v)
{
    __asm__ volatile("movl %0, %%cr0" ::"r"(v) : "memory");
}
static u32 read_cr4(void)
{
    u32 v;
    __asm__ volatile("movl %%cr4, %0" : "=r"(v));
    return v;
}
static void write_cr4(u32 v)
{
    __asm__ volatile("movl %0, %%cr4" ::"r"(v) : "memory");
}
static u32 read_cr3(void)
{
    u32 v;
    __asm__ volatile("movl %%cr3, %0" : "=r"(v));
    return v;
}
static void write_cr3(u32 v)
{
    __asm__ volatile("movl %0, %%cr3" ::"r"(v) : "memory");
}
static void invlpg(u32 address)
{
    __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}
static void set_ac(int on)
{
    u32 fl;
    __asm__ volatile("pushfl; popl %0" : "=r"(fl));
    fl = on ? fl | 1u << 18 : fl & ~(1u << 18);
    __asm__ volatile("pushl %0; popfl" ::"r"(fl) : "cc", "memory");
}
static void set_nxe(int on)
{
    u32 lo, hi;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(0xc0000080));
    lo = on ? lo | 1u << 11 : lo & ~(1u << 11);
    __asm__ volatile("wrmsr" ::"a"(lo), "d"(hi), "c"(0xc0000080));
}
static void cpuid(u32 leaf, u32 *b, u32 *c, u32 *d)
{
    u32 a = leaf;
    *c = 0;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(*b), "+c"(*c), "=d"(*d));
}
static volatile u32 *at(u32 physical) /* of the first 4 MiB, which are mapped to themselves */
{
    u32 p = physical;
    __asm__("" : "+r"(p));
    return (volatile u32 *)p;
}

/* --- tables ------------------------------------------------------------------------------------------------- */

static int pae, has_smep, has_smap, has_nx;

static void set_entry(u32 table, u32 index, u64 value)
{
    if (pae) {
        at(table)[index * 2 + 1] = (u32)(value >> 32);
        at(table)[index * 2] = (u32)value;
    } else {
        at(table)[index] = (u32)value;
    }
}
static u64 entry(u32 table, u32 index)
{
    return pae ? at(table)[index * 2] | (u64)at(table)[index * 2 + 1] << 32 : at(table)[index];
}
static u32 directory_index(void)
{
    return LINEAR >> (pae ? 21 : 22);
}

/* The first 4 MiB belong to ring 0 but for USER_CODE.  PAE tables have 512 entries, so there are two of them. */
static void build(void)
{
    u32 per_table = pae ? 512 : 1024;
    for (u32 i = 0; i < 1024; i++) at(DIRECTORY)[i] = at(TABLE)[i] = at(POINTERS)[i] = 0;
    for (u32 t = 0; t * per_table < 1024; t++) {
        set_entry(DIRECTORY, t, (KERNEL_TABLE + t * 4096) | P | W | U);
        for (u32 i = 0; i < per_table; i++) {
            u32 page = (t * per_table + i) * 4096;
            set_entry(KERNEL_TABLE + t * 4096, i, page | P | (page == USER_CODE ? U : W));
        }
    }
    at(POINTERS)[0] = DIRECTORY | P;
}

static void switch_to(int pae_now)
{
    write_cr0(read_cr0() & ~CR0_PG);
    pae = pae_now;
    build();
    write_cr4((read_cr4() & ~(u32)CR4_PAE) | CR4_PSE | (pae ? CR4_PAE : 0));
    write_cr3(pae ? POINTERS : DIRECTORY);
    write_cr0(read_cr0() | CR0_PG);
}

/* --- all combinations ------------------------------------------------------------------------------------------ */

typedef struct Case {
    int large;
    u32 upper, lower; /* U W, and XD as bit 0; large pages have no lower */
    int wp, smep, smap, ac;
    u32 kind;
} Case;

static u64 rights(u32 bits)
{
    return P | (bits & (U | W)) | (bits & 1 ? XD : 0);
}

/* The error code, or 0: allowed. */
static u32 expected(const Case *c)
{
    int user = c->kind >= USER, access = c->kind & 3;
    u32 both = c->large ? c->upper : c->upper & c->lower, any = c->large ? c->upper : c->upper | c->lower;
    u32 error = E_P | (user ? E_U : 0) | (access == WRITE ? E_W : 0);
    int bad = user && !(both & U);
    if (access == EXEC) {
        if ((pae && has_nx) || c->smep) error |= E_I;
        bad |= (any & 1) || (!user && c->smep && (both & U));
    } else {
        bad |= !user && c->smap && !c->ac && (both & U);
        bad |= access == WRITE && !(both & W) && (user || c->wp);
    }
    return bad ? error : 0;
}

static u32 outcome(u32 kind)
{
    u32 address = kind == USER + EXEC ? LINEAR + 16 : LINEAR;
    u32 vector = probe(kind, address);
    if (vector == (u32)NONE || vector == LEAVE) return 0;
    if (vector != PF || (fault_cr2 & ~63u) != LINEAR) return 0x8000 | vector;
    return fault_error;
}

static void try_case(const Case *c)
{
    u32 index = directory_index(), id = c->upper << 13 | c->lower << 10 | (u32)c->large << 9 | (u32)c->wp << 8 |
                                        (u32)c->smep << 7 | (u32)c->smap << 6 | (u32)c->ac << 5 | (u32)pae << 4 |
                                        c->kind;
    set_entry(DIRECTORY, index, rights(c->upper) | (c->large ? (u64)(LARGE | PS) : TABLE));
    set_entry(TABLE, 0, rights(c->lower) | SMALL);
    invlpg(LINEAR);
    set_ac(c->ac); /* the way back from ring 3 clears it */
    u32 want = expected(c), got = outcome(c->kind);
    check_eq("access (upper3 lower3 large wp smep smap ac pae kind4, error16)", id << 16 | want, id << 16 | got);
    u32 table = c->large ? DIRECTORY : TABLE, leaf = (u32)entry(table, c->large ? index : 0);
    u32 flags = leaf & (A | D), writes = (c->kind & 3) == WRITE;
    if (!want) {
        check_eq("A and D of the leaf", id << 16 | A | (writes ? D : 0), id << 16 | flags);
        check_eq("A of the directory entry", A, (u32)entry(DIRECTORY, index) & A);
    } else {
        check_eq("D after a fault", id << 16, id << 16 | (leaf & D));
    }
}

static void try_rights(Case c)
{
    static const u32 kinds[] = { READ, WRITE, EXEC, USER + READ, USER + WRITE, USER + EXEC };
    for (u32 i = 0; i < 6; i++) {
        c.kind = kinds[i];
        try_case(&c);
    }
}

static void try_controls(Case c)
{
    u32 step = pae && has_nx ? 1 : 2;
    for (int bits = 0; bits < 16; bits++) {
        c.wp = bits & 1, c.smep = bits >> 1 & 1, c.smap = bits >> 2 & 1, c.ac = bits >> 3;
        if ((c.smep && !has_smep) || ((c.smap || c.ac) && !has_smap)) continue;
        write_cr0((read_cr0() & ~(u32)CR0_WP) | (c.wp ? CR0_WP : 0));
        write_cr4((read_cr4() & ~(u32)(CR4_SMEP | CR4_SMAP)) | (c.smep ? CR4_SMEP : 0) | (c.smap ? CR4_SMAP : 0));
        for (c.upper = 0; c.upper < 8; c.upper += step)
            for (c.lower = 0; c.lower < (c.large ? 1 : 8); c.lower += step) try_rights(c);
    }
    set_ac(0);
    write_cr0(read_cr0() & ~(u32)CR0_WP);
    write_cr4(read_cr4() & ~(u32)(CR4_SMEP | CR4_SMAP));
}

/* --- entries that are absent or reserved ------------------------------------------------------------------------- */

static void expect(const char *name, u32 kind, u32 error)
{
    u32 got = outcome(kind);
    check_eq(name, error, got);
}

static void set_pair(u64 upper, u64 lower)
{
    set_entry(DIRECTORY, directory_index(), upper);
    set_entry(TABLE, 0, lower);
    invlpg(LINEAR);
}

static void absent_and_reserved(void)
{
    u32 fetch = pae && has_nx ? E_I : 0;
    set_pair(0xfffffffe & ~(u32)P, SMALL | 7);
    expect("absent directory entry", READ, 0);
    expect("absent directory entry, write", WRITE, E_W);
    expect("absent directory entry, ring 3", USER + WRITE, E_W | E_U);
    expect("absent directory entry, fetch", EXEC, fetch);
    set_pair(TABLE | 7, 0xffe);
    expect("absent table entry", READ, 0);
    expect("absent table entry, ring 3 fetch", USER + EXEC, E_U | fetch);
    if (pae) {
        set_pair(TABLE | 7 | 1ull << 50, SMALL | 7);
        expect("reserved bit in a directory entry", READ, E_RSVD | E_P);
        set_pair(TABLE | 7, SMALL | 7 | 1ull << 50);
        expect("reserved bit in a table entry", USER + WRITE, E_RSVD | E_P | E_W | E_U);
        set_pair(LARGE | PS | 7 | 1 << 20, 0);
        expect("reserved bit in a 2 MiB page", READ, E_RSVD | E_P);
    } else {
        set_pair(LARGE | PS | 7 | 1 << 21, 0);
        expect("reserved bit in a 4 MiB page", READ, E_RSVD | E_P);
    }
}

/* --- PAE alone ------------------------------------------------------------------------------------------------------ */

static u32 try_cr3(u32 value)
{
    u32 vector;
    __asm__ volatile(
        "pushal; movl $-1, fault_vector; movl $1f, try_eip; movl %%esp, try_esp; movl %1, %%cr3; 1: popal; "
        "movl $0, try_eip; movl fault_vector, %0"
        : "=r"(vector)
        : "a"(value)
        : "memory");
    return vector;
}

static void pointers(void)
{
    set_pair(TABLE | 7, SMALL | 7);
    /* The PDPTEs are registers, loaded with CR3. */
    at(POINTERS)[0] = 0;
    invlpg(LINEAR);
    expect("a PDPTE changed in memory only", READ, 0);
    at(POINTERS)[0] = DIRECTORY | P;
    at(POINTERS)[4] = 0;
    at(POINTERS)[2] = DIRECTORY | P | W;
    check_eq("reserved bit in a PDPTE: #GP", GP, try_cr3(POINTERS));
    check_eq("CR3 stays", POINTERS, read_cr3());
    at(POINTERS)[2] = 0;
    check_eq("good PDPTEs", (u32)NONE, try_cr3(POINTERS));
    /* XD without EFER.NXE is reserved. */
    if (!has_nx) return;
    set_nxe(0);
    set_pair(TABLE | 7, SMALL | 7 | XD);
    expect("XD while NXE is clear", READ, E_RSVD | E_P);
    set_nxe(1);
    invlpg(LINEAR);
    expect("XD while NXE is set", READ, 0);
}

/* --- invalidation ------------------------------------------------------------------------------------------------------ */

static u32 here(u32 offset)
{
    return *(volatile u32 *)(u32)(LINEAR + offset);
}

static void stale(void)
{
    set_pair(TABLE | 7, SMALL | 7);
    *at(SMALL + 64) = 0x5151;
    *at(OTHER + 64) = 0x0707;
    check_eq("first page", 0x5151, here(64));
    set_entry(TABLE, 0, OTHER | 7);
    invlpg(LINEAR + 0xfff);
    check_eq("INVLPG, anywhere in the page", 0x0707, here(64));
    set_entry(TABLE, 0, SMALL | 7);
    write_cr3(read_cr3());
    check_eq("MOV to CR3", 0x5151, here(64));
    set_entry(TABLE, 0, 0);
    invlpg(LINEAR);
    expect("made absent", READ, 0);
    set_entry(TABLE, 0, OTHER | 7);
    check_eq("made present: no invalidation needed", 0x0707, here(64));
    /* A write through a translation that a read has left must still set D. */
    set_entry(TABLE, 0, SMALL | 7);
    invlpg(LINEAR);
    (void)here(64);
    check_eq("a read leaves D clear", 0, (u32)entry(TABLE, 0) & D);
    *(volatile u32 *)(u32)(LINEAR + 64) = 0x5151;
    check_eq("then a write sets it", D, (u32)entry(TABLE, 0) & D);
    /* Global pages go with INVLPG and with any change of CR4.PGE. */
    write_cr4(read_cr4() | CR4_PGE);
    set_pair(TABLE | 7, SMALL | 7 | G);
    check_eq("global page", 0x5151, here(64));
    set_entry(TABLE, 0, OTHER | 7 | G);
    invlpg(LINEAR);
    check_eq("global page: INVLPG", 0x0707, here(64));
    set_entry(TABLE, 0, SMALL | 7 | G);
    write_cr4(read_cr4() & ~(u32)CR4_PGE);
    check_eq("global page: CR4.PGE", 0x5151, here(64));
    set_entry(TABLE, 0, OTHER | 7);
    write_cr3(read_cr3());
    check_eq("not global any more", 0x0707, here(64));
    /* Large pages go as a whole. */
    set_pair(LARGE | PS | 7, 0);
    (void)here(64), (void)here(0x5000), (void)here(0x100040);
    set_entry(DIRECTORY, directory_index(), LARGE_OTHER | PS | 7);
    invlpg(LINEAR + 0x3000);
    check_eq("large page: INVLPG of one part", 0x77770040, here(0x100040));
    check_eq("large page: its beginning", 0x77770000, here(0));
    /* WP and other controls take effect at once. */
    set_pair(TABLE | 7, SMALL | P | U);
    expect("read-only page, ring 0", WRITE, 0);
    write_cr0(read_cr0() | CR0_WP);
    expect("after WP is set", WRITE, E_P | E_W);
    write_cr0(read_cr0() & ~(u32)CR0_WP);
    expect("after WP is cleared", WRITE, 0);
    expect("ring 3 in between", USER + WRITE, E_P | E_W | E_U);
}

/* Without PSE a directory entry's PS bit means nothing. */
static void no_pse(void)
{
    write_cr4(read_cr4() & ~(u32)CR4_PSE);
    set_pair(TABLE | PS | 7, SMALL | 7);
    *at(SMALL + 64) = 0x5151;
    if (!pae) check_eq("PS without CR4.PSE", 0x5151, here(64));
    set_pair(LARGE | PS | 7, 0);
    if (pae) check_eq("PAE: PS needs no CR4.PSE", 0x33330040, here(64));
    write_cr4(read_cr4() | CR4_PSE);
}

static u32 try_cr0(u32 value)
{
    u32 vector;
    __asm__ volatile(
        "pushal; movl $-1, fault_vector; movl $1f, try_eip; movl %%esp, try_esp; movl %1, %%cr0; 1: popal; "
        "movl $0, try_eip; movl fault_vector, %0"
        : "=r"(vector)
        : "a"(value)
        : "memory");
    return vector;
}
static u32 try_cr4(u32 value)
{
    u32 vector;
    __asm__ volatile(
        "pushal; movl $-1, fault_vector; movl $1f, try_eip; movl %%esp, try_esp; movl %1, %%cr4; 1: popal; "
        "movl $0, try_eip; movl fault_vector, %0"
        : "=r"(vector)
        : "a"(value)
        : "memory");
    return vector;
}

static void control_registers(void)
{
    check_eq("PG without PE", GP, try_cr0(read_cr0() & ~1u));
    check_eq("NW without CD", GP, try_cr0((read_cr0() | 1u << 29) & ~(1u << 30)));
    check_eq("reserved bit of CR4", GP, try_cr4(read_cr4() | 1u << 31));
    check_eq("CR0 as it was", (u32)NONE, try_cr0(read_cr0()));
}

/* Memory with its own address written all over it, seen with paging off. */
static void fill(void)
{
    for (u32 i = 0; i < 0x400000; i += 64)
        *at(LARGE + i) = 0x33330000 | (i & 0xffff), *at(LARGE_OTHER + i) = 0x77770000 | (i & 0xffff);
    for (u32 page = 0; page < 3; page++) {
        volatile unsigned char *p = (volatile unsigned char *)at(page == 0 ? SMALL : page == 1 ? OTHER : LARGE);
        p[0] = 0xc3, p[16] = 0xcd, p[17] = 0x30;
    }
    /* Three snippets for ring 3, as in user_probes. */
    static const unsigned char code[3][16] = {
        { 0x8b, 0x03, 0xcd, 0x30 },       /* movl (%ebx), %eax; int $0x30 */
        { 0x88, 0x4b, 0x20, 0xcd, 0x30 }, /* movb %cl, 32(%ebx); int $0x30 */
        { 0xff, 0xe3 },                   /* jmp *%ebx */
    };
    for (u32 i = 0; i < sizeof code; i++)
        ((volatile unsigned char *)at(USER_CODE))[i] = ((const unsigned char *)code)[i];
}

void guest_main(void)
{
    u32 b, c, d;
    cpuid(7, &b, &c, &d);
    has_smep = b >> 7 & 1, has_smap = b >> 20 & 1;
    cpuid(0x80000001, &b, &c, &d);
    has_nx = d >> 20 & 1;
    fill();
    for (int with_pae = 0; with_pae < 2; with_pae++) {
        if (with_pae && has_nx) set_nxe(1);
        switch_to(with_pae);
        try_controls((Case){ .large = 0 });
        try_controls((Case){ .large = 1 });
        absent_and_reserved();
        stale();
        no_pse();
        if (with_pae) pointers();
        control_registers();
    }
}
