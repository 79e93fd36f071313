/* For the guests that are written in C: what start.S offers, and control registers. */
#ifndef GUEST_C_H
#define GUEST_C_H
#include "guest.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;
typedef unsigned long long u64;

enum { NONE = -1 };
enum { SCRATCH = 0x200000, TABLES = 0x300000 };

extern volatile u32 fault_vector, fault_error, fault_eip, fault_cs, fault_eflags, fault_esp, fault_ss, fault_cr2;
extern volatile u32 fault_eax, fault_ebx, fault_ecx, fault_edx, fault_esi, fault_edi; /* as when it was raised */
extern volatile u32 fault_count, user_flags;
extern volatile u32 gdt[], idt[], tss0[];
extern u8 stubs[], ring0_stack_top[], user_stack_top[];

void check_eq(const char *name, u32 want, u32 got) __attribute__((stdcall));
_Noreturn void skip_all(const char *reason);
void guest_main(void);

/* Calls code in ring 0, or jumps to it in ring 3 with EFLAGS = user_flags, where it ends with INT 30h: the vector of the exception it
 * raised, or NONE; fault_* tell more.  Segment registers and the stack are put right afterwards. */
u32 attempt(const void *code);
u32 attempt_user(const void *code);

#define READ_CR(n)                                                                                                     \
    static inline u32 read_cr##n(void)                                                                                 \
    {                                                                                                                  \
        u32 v;                                                                                                         \
        __asm__ volatile("movl %%cr" #n ", %0" : "=r"(v));                                                             \
        return v;                                                                                                      \
    }
#define WRITE_CR(n)                                                                                                    \
    static inline void write_cr##n(u32 v)                                                                              \
    {                                                                                                                  \
        __asm__ volatile("movl %0, %%cr" #n ::"r"(v) : "memory");                                                      \
    }
READ_CR(0)
READ_CR(3)
READ_CR(4)
WRITE_CR(0)
WRITE_CR(3)
WRITE_CR(4)

static inline void cpuid(u32 leaf, u32 *b, u32 *c, u32 *d)
{
    u32 a = leaf;
    *c = 0;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(*b), "+c"(*c), "=d"(*d));
}
static inline void invlpg(u32 address)
{
    __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}
static inline u64 rdmsr(u32 msr)
{
    u64 v;
    __asm__ volatile("rdmsr" : "=A"(v) : "c"(msr));
    return v;
}
static inline void wrmsr(u32 msr, u64 v)
{
    __asm__ volatile("wrmsr" ::"A"(v), "c"(msr) : "memory");
}
static inline void outb(u16 port, u8 v)
{
    __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

/* rights: bits 40..47; flags: G D 0 AVL. */
static inline void set_desc(u32 sel, u32 base, u32 limit, u32 rights, u32 flags)
{
    gdt[sel >> 3 << 1] = (limit & 0xffff) | base << 16;
    gdt[(sel >> 3 << 1) + 1] =
        (base >> 16 & 0xff) | rights << 8 | (limit & 0xf0000) | flags << 20 | (base & 0xff000000);
}
static inline void set_idt(u32 vector, u32 sel, const void *code, u32 rights)
{
    idt[vector * 2] = ((u32)code & 0xffff) | sel << 16;
    idt[vector * 2 + 1] = ((u32)code & 0xffff0000) | rights << 8;
}
/* Memory by number: hides from the compiler that nothing is known to be there. */
static inline volatile u32 *at(u32 address)
{
    u32 p = address;
    __asm__("" : "+r"(p));
    return (volatile u32 *)p;
}
#endif
