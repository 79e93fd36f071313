/* The code is part noise and part instructions that reach deep (system instructions, string operations, stores to
 * code, loads of segment registers).  It starts in real mode, protected mode with random descriptors, or paging
 * with random tables, with an IDT whose gates lead back into the code. */
#include "fuzz/guest.h"

#include <string.h>

enum { TABLES_AT = 0x30000, IDT_AT = GUEST_IDT_AT, GDT_AT = GUEST_GDT_AT, CODE_AT = GUEST_CODE_AT };

static uint64_t state;
/* Of the guest being made. */
static uint32_t code_size, ram_size;

void guest_seed(uint64_t seed)
{
    state = seed * UINT64_C(0xd1342543de82ef95);
}

uint32_t guest_random(void)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(z >> 32);
}
uint32_t guest_below(uint32_t n)
{
    return guest_random() % n;
}
bool guest_one_in(uint32_t n)
{
    return guest_below(n) == 0;
}

/* --- code ------------------------------------------------------------------------------------------------- */

/* Openings of instructions worth more than their share of noise; operands stay noise. */
static const char *const openings[] = {
    "\x0f\x00",     "\x0f\x01",     "\x0f\x20",
    "\x0f\x22",     "\x0f\x21",     "\x0f\x23",
    "\x0f\x30",     "\x0f\x32",     "\x0f\xa2",
    "\x0f\xc7",     "\x0f\xb1",     "\x0f\xc1",
    "\x0f\xae",     "\x0f\x06",     "\x0f\x34",
    "\x0f\x35",     "\x0f\x05",     "\x0f\xaa",
    "\x0f\xb2",     "\x0f\xa1",     "\x0f\xa9",
    "\x0f\xba",     "\x0f\xab",     "\x0f\xa4",
    "\x0f\xf7",     "\x66\x0f\x3a", "\x66\x0f\x38",
    "\xf2\x0f",     "\xf3\x0f",     "\x66\x0f",
    "\xf0\x0f",     "\xf3\xa4",     "\xf3\xa5",
    "\xf3\xaa",     "\xf3\xab",     "\xf3\x6c",
    "\xf3\x6e",     "\xf3\xa6",     "\xf2\xae",
    "\xf3\xac",     "\x66\xf3\xa5", "\x67\xf3\xa4",
    "\x8e",         "\x8e",         "\x8c",
    "\x9a",         "\xea",         "\xcb",
    "\xca",         "\xcf",         "\xcd",
    "\xcc",         "\xce",         "\xf1",
    "\xff",         "\xff",         "\xfa",
    "\xfb",         "\xf4",         "\x9c",
    "\x9d",         "\xe8",         "\xc3",
    "\xc2",         "\xe2",         "\xe3",
    "\x60",         "\x61",         "\xc8",
    "\xc9",         "\x62",         "\x63",
    "\xc4",         "\xc5",         "\xd8",
    "\xd9",         "\xda",         "\xdb",
    "\xdc",         "\xdd",         "\xde",
    "\xdf",         "\x9b",         "\xe4",
    "\xe6",         "\xec",         "\xee",
    "\xef",         "\xed",         "\x6c",
    "\x6e",         "\x2e\xc7\x06", "\xc7\x05",
    "\x2e\xff",     "\x67\x66\x8b", "\xf0\x01",
    "\x36\x89",     "\x65\x88",     "\x17",
    "\x07",         "\x1f",         "\x0f\x0b",
    "\x0f\x09",     "\x0f\x01\xc8", "\x0f\x01\xc9",
    "\x0f\x01\xca", "\x0f\x01\xcb", "\xd7",
    "\x0f\xc3",     "\x0f\xe7",     "\x66\x66\x66\x66",
    "\xb9\xff\xff",
};

void guest_make_code(uint8_t *code, size_t size)
{
    uint32_t noise = 1 + guest_below(12);
    for (size_t i = 0; i < size;) {
        if (!guest_one_in(noise)) {
            code[i++] = (uint8_t)guest_random();
            continue;
        }
        const char *o = openings[guest_below(sizeof openings / sizeof *openings)];
        do code[i++] = (uint8_t)*o++;
        while (*o && i < size);
    }
    /* Short backward jumps make loops; plain one-byte instructions between them make blocks. */
    for (size_t n = guest_below((uint32_t)size / 32 + 1); n--;) {
        size_t at = guest_below((uint32_t)size - 2);
        code[at] = guest_one_in(2) ? 0xeb : (uint8_t)(0x70 + guest_below(16));
        code[at + 1] = (uint8_t)(0x80 + guest_below(128));
    }
    for (size_t n = guest_below((uint32_t)size / 16 + 1); n--;)
        code[guest_below((uint32_t)size)] = (uint8_t)(0x40 + guest_below(32));
}

/* --- tables ------------------------------------------------------------------------------------------------ */

static uint64_t random_descriptor(void)
{
    static const uint8_t rights[] = { 0x92, 0x93, 0x9a, 0x9b, 0xf2, 0xf3, 0xfa, 0xfb, 0x96, 0x97, 0xf6, 0x9e,
                                      0x9f, 0xfe, 0x90, 0x98, 0x82, 0x89, 0x8b, 0x81, 0x83, 0x84, 0x8c, 0x85,
                                      0xec, 0xe4, 0xe5, 0xe9, 0x12, 0xb2, 0xba, 0xd2, 0xda, 0x80, 0x8e, 0x8f };
    uint8_t kind = guest_one_in(8) ? (uint8_t)guest_random() : rights[guest_below(sizeof rights)];
    uint32_t base = guest_one_in(3)   ? guest_random()
                    : guest_one_in(2) ? 0
                                      : CODE_AT + guest_below(code_size),
             limit = guest_random() & 0xfffff;
    unsigned type = kind & 0x1f;
    if (type == 4 || type == 5 || type == 6 || type == 7 || type == 12 || type == 14 || type == 15)
        return (uint64_t)guest_below(code_size) | (uint64_t)(guest_below(64) * 8 + guest_below(4)) << 16 |
               (uint64_t)(guest_one_in(2) ? guest_below(32) : 0) << 32 | (uint64_t)kind << 40;
    if (guest_one_in(2)) limit = guest_one_in(2) ? 0xfffff : 0xffff;
    uint8_t flags = guest_one_in(3) ? (uint8_t)guest_below(16) : 0xc;
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)kind << 40 | (uint64_t)(limit >> 16) << 48 |
           (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

static uint64_t flat(uint8_t rights)
{
    return UINT64_C(0x00cf00000000ffff) | (uint64_t)rights << 40;
}

static void put_tables(PhysMem *pm)
{
    uint64_t gdt[64], idt[256];
    for (unsigned i = 0; i < 64; i++) gdt[i] = random_descriptor();
    gdt[1] = flat(0x9a);
    gdt[2] = flat(0x92);
    gdt[3] = flat(0xfa);
    gdt[4] = flat(0xf2);
    gdt[5] = 0x67 | (uint64_t)(TABLES_AT + 0x8000) << 16 | UINT64_C(0x89) << 40;
    phys_load(pm, GDT_AT, gdt, sizeof gdt);
    for (unsigned i = 0; i < 256; i++) {
        uint64_t sel = guest_one_in(6) ? guest_below(64) * 8 : 8,
                 kind = guest_one_in(8) ? 0x80 + guest_below(0x80) : 0xee + guest_below(2);
        idt[i] = (uint64_t)guest_below(code_size) | sel << 16 | kind << 40 | (uint64_t)(CODE_AT >> 16) << 48;
    }
    phys_load(pm, IDT_AT, idt, sizeof idt);
    uint32_t tss[26];
    for (unsigned i = 0; i < 26; i++) tss[i] = guest_one_in(2) ? guest_below(64) * 8 : guest_below(0x40000);
    tss[1] = 0x7000, tss[2] = 0x10;
    phys_load(pm, TABLES_AT + 0x8000, tss, sizeof tss);
}

/* A page table entry that mostly leads to memory there is. */
static uint64_t random_entry(bool identity, uint32_t page, bool directory)
{
    uint64_t e = guest_one_in(16) ? guest_random() & 0xfff : 7 | (guest_random() & 0x160);
    uint64_t to = identity && !guest_one_in(8) ? page : guest_below(ram_size >> 12);
    if (directory) to = (TABLES_AT >> 12) + 1 + guest_below(4), e &= ~UINT64_C(0x80);
    if (directory && guest_one_in(8)) e |= 0x80;
    if (guest_one_in(64)) to = guest_random();
    return e | to << 12;
}

static void put_pages(PhysMem *pm, bool pae)
{
    uint8_t page[PAGE_SIZE];
    for (unsigned t = 0; t < 5; t++) {
        for (unsigned i = 0; i < PAGE_SIZE / (pae ? 8 : 4); i++) {
            uint64_t e = random_entry(true, i, t == 0 && !pae);
            if (t == 0 && pae)
                e = i < 4 ? ((uint64_t)TABLES_AT + 0x1000 * (1 + guest_below(2))) | 1 : random_entry(0, i, 0);
            if (pae && t > 0 && t < 3 && i < 8) e = random_entry(true, i, true);
            if (!pae && t == 0 && i == 0) e = (TABLES_AT + 0x1000) | 7;
            if (pae && guest_one_in(32)) e |= UINT64_C(1) << 63;
            if (pae)
                memcpy(page + i * 8, &e, 8);
            else
                memcpy(page + i * 4, &e, 4);
        }
        phys_load(pm, TABLES_AT + t * PAGE_SIZE, page, sizeof page);
    }
}

/* --- the processor ------------------------------------------------------------------------------------------- */

static void set_segment(SegCache *s, uint16_t sel, uint32_t base, uint32_t limit, uint16_t attr, bool cs, bool pe)
{
    *s = (SegCache){ .sel = sel, .base = base, .limit = limit, .attr = attr };
    cpu_seg_update_bounds(s, cs, pe);
}

static uint32_t random_value(void)
{
    switch (guest_below(6)) {
    case 0: return guest_random();
    case 1: return guest_below(0x100);
    case 2: return CODE_AT + guest_below(code_size);
    case 3: return guest_below(0x10000);
    case 4: return 0u - guest_below(0x100);
    default: return guest_below(ram_size);
    }
}

static void start_real(CPUState *cpu)
{
    uint8_t ivt[1024];
    for (unsigned i = 0; i < 256; i++) {
        uint32_t to = guest_below(code_size) | (CODE_AT >> 4) << 16;
        memcpy(ivt + i * 4, &to, 4);
    }
    phys_load(cpu->mmu.phys, 0, ivt, sizeof ivt);
    cpu_reset(cpu);
    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        cpu_seg_load_real(cpu, i, (uint16_t)(guest_one_in(3) ? guest_random() : CODE_AT >> 4));
    cpu_seg_load_real(cpu, SEG_CS, CODE_AT >> 4);
    cpu->eip = guest_below(code_size);
    cpu_update_mode(cpu);
}

static void start_protected(CPUState *cpu)
{
    PhysMem *pm = cpu->mmu.phys;
    cpu_reset(cpu);
    bool user = guest_one_in(3), paging = guest_one_in(2), pae = paging && guest_one_in(2);
    uint16_t dpl = user ? 3 : 0, rights = (uint16_t)(SEG_P | SEG_S | dpl << 5 | SEG_G | SEG_DB | SEG_A);
    if (paging) put_pages(pm, pae);
    cpu->cr4 = (guest_random() & (CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PGE | CR4_SMEP | CR4_SMAP)) |
               CR4_OSFXSR | CR4_OSXMMEXCPT | (pae ? CR4_PAE : 0);
    cpu->cr0 = CR0_PE | CR0_ET | (paging ? CR0_PG : 0) | (guest_random() & (CR0_WP | CR0_AM | CR0_NE)) |
               (guest_one_in(8) ? CR0_TS : 0);
    cpu->cr3 = TABLES_AT;
    if (!mmu_set_control(&cpu->mmu, cpu->cr0, cpu->cr3, cpu->cr4, false, true)) {
        cpu->cr0 &= ~(uint32_t)CR0_PG;
        mmu_set_control(&cpu->mmu, cpu->cr0, cpu->cr3, cpu->cr4, false, true);
    }
    cpu->gdt.base = GDT_AT, cpu->gdt.limit = 64 * 8 - 1;
    cpu->idt.base = IDT_AT, cpu->idt.limit = 256 * 8 - 1;
    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        set_segment(&cpu->seg[i], (uint16_t)((user ? 0x20 : 0x10) | dpl), 0, 0xffffffff, rights | SEG_W, false, true);
    uint32_t base = guest_one_in(3) ? CODE_AT : 0, limit = base ? code_size - 1 : 0xffffffff;
    if (guest_one_in(4)) rights &= (uint16_t)~SEG_DB;
    set_segment(&cpu->seg[SEG_CS], (uint16_t)((user ? 0x18 : 0x08) | dpl), base, limit, rights | SEG_X | SEG_R, true,
                true);
    set_segment(&cpu->seg[SEG_TR], 0x28, TABLES_AT + 0x8000, 0x67, SEG_P | 0xb, false, true);
    cpu->cpl = (uint8_t)dpl;
    cpu->eip = (base ? 0 : CODE_AT) + guest_below(code_size);
    cpu_set_eflags(cpu, FL_1 | (guest_random() & (FL_IOPL | FL_IF | FL_AC | FL_DF)) |
                            (guest_one_in(16) ? FL_TF | FL_NT : 0));
    cpu_update_mode(cpu);
}

void guest_start(CPUState *cpu, const uint8_t *code, uint32_t size, uint32_t ram, bool anywhere)
{
    code_size = size, ram_size = ram;
    phys_load(cpu->mmu.phys, CODE_AT, code, size);
    put_tables(cpu->mmu.phys);
    if (guest_one_in(2))
        start_real(cpu);
    else
        start_protected(cpu);
    if (!anywhere) cpu->eip = cpu->seg[SEG_CS].base == CODE_AT ? 0 : CODE_AT;
    for (unsigned i = 0; i < 8; i++) cpu->regs[i] = random_value();
    cpu->regs[R_ESP] = guest_one_in(4) ? random_value() : 0x7000 + guest_below(0x1000);
}
