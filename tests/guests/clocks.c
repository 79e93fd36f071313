/* All that ticks, at once: PIT, RTC, local APIC timer, HPET and TSC, with string instructions, HLT, exceptions, disk requests and
 * random numbers in between.  What is checked here holds for any clock: none goes back, and all keep ticking.  Each interrupt's time and
 * place go into one sum, which is printed: where time is counted in instructions (tests/guests/icount.sh) it is
 * the same in every run, to the last instruction. */
#include "guest_c.h"

enum { PIT_VECTOR = 0x20, RTC_VECTOR = 0x28, DISK_VECTOR = 0x2e, APIC_VECTOR = 0x40, SPURIOUS_VECTOR = 0x4f };
enum { TICKS = 300, SECTORS = 20 };
#define APIC 0xfee00000u
#define HPET 0xfed00000u
enum {
    APIC_EOI = 0xb0,
    APIC_SVR = 0xf0,
    APIC_LVT_TIMER = 0x320,
    APIC_INITIAL = 0x380,
    APIC_CURRENT = 0x390,
    APIC_DIVIDE = 0x3e0
};
enum { APIC_LVT_LINT0 = 0x350, EXTINT = 0x700, PERIODIC = 0x20000 };
enum { HPET_CONFIG = 0x10, HPET_COUNTER = 0xf0 };
enum { DISK = 0x1f0, DISK_DRQ = 8, DISK_BUSY = 0x80, DISK_READ = 0x20 };

extern void (*volatile hooks[])(void);
void print_hex_c(u32 v);
__asm__(".globl print_hex_c\n"
        "print_hex_c: movl 4(%esp), %eax\n"
        "jmp print_hex\n");
extern const u8 bad_code[];
__asm__(".globl bad_code\n"
        "bad_code: ud2\n");

static volatile u32 sum, ticks[256], sectors, backwards;
static u64 last_tsc;
static u32 last_hpet;

static inline u8 inb(u16 port)
{
    u8 v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline u64 rdtsc(void)
{
    u64 v;
    __asm__ volatile("rdtsc" : "=A"(v));
    return v;
}

static void mix(u32 v)
{
    sum = (sum << 7 | sum >> 25) * 0x9e3779b1u + v;
}

static u32 pit_count(void)
{
    outb(0x43, 0xd2); /* read-back: latch count of channel 0 */
    u32 low = inb(0x40);
    return low | (u32)inb(0x40) << 8;
}

/* Reads every clock. */
static void look(void)
{
    u64 tsc = rdtsc();
    u32 hpet = *at(HPET + HPET_COUNTER);
    if (tsc < last_tsc || hpet - last_hpet > 0x80000000u) backwards++;
    last_tsc = tsc;
    last_hpet = hpet;
    mix((u32)tsc);
    mix(hpet);
    mix(*at(APIC + APIC_CURRENT));
    mix(pit_count());
}

/* EBP points to the saved state; compiled code keeps it or not, so the interrupted EIP is got first. */
static void note(u32 vector, const u32 *saved)
{
    ticks[vector]++;
    mix(vector);
    mix(saved[13]); /* EIP */
    mix(saved[9]);  /* ECX: the turns of a string instruction still to do */
    look();
}

#define HOOK(name)                                                                                                     \
    __asm__(#name "_hook: pushl %ebp\ncall " #name "\naddl $4, %esp\nret\n");                                          \
    void name##_hook(void);                                                                                            \
    __attribute__((used)) void name(const u32 *saved)

HOOK(on_pit)
{
    note(PIT_VECTOR, saved);
    outb(0x20, 0x20);
}

HOOK(on_rtc)
{
    note(RTC_VECTOR, saved);
    outb(0x70, 0x0c);
    mix(inb(0x71));
    outb(0xa0, 0x20);
    outb(0x20, 0x20);
}

HOOK(on_apic)
{
    note(APIC_VECTOR, saved);
    *at(APIC + APIC_EOI) = 0;
}

static void ask_disk(void)
{
    outb(DISK + 2, 1);
    outb(DISK + 3, (u8)sectors);
    outb(DISK + 4, 0);
    outb(DISK + 5, 0);
    outb(DISK + 6, 0xe0);
    outb(DISK + 7, DISK_READ);
}

HOOK(on_disk)
{
    note(DISK_VECTOR, saved);
    if (inb(DISK + 7) & DISK_DRQ) {
        u32 where = SCRATCH + 0x80000, words = 256;
        __asm__ volatile("rep insw" : "+D"(where), "+c"(words) : "d"(DISK) : "memory");
        mix(*at(SCRATCH + 0x80000));
        if (++sectors < SECTORS) ask_disk();
    }
    outb(0xa0, 0x20);
    outb(0x20, 0x20);
}

static void start_pics(void)
{
    outb(0x20, 0x11), outb(0x21, PIT_VECTOR), outb(0x21, 4), outb(0x21, 1);
    outb(0xa0, 0x11), outb(0xa1, RTC_VECTOR), outb(0xa1, 2), outb(0xa1, 1);
    outb(0x21, 0xfa);
    outb(0xa1, 0xbe);
}

static void start_clocks(void)
{
    hooks[PIT_VECTOR] = on_pit_hook;
    hooks[RTC_VECTOR] = on_rtc_hook;
    hooks[APIC_VECTOR] = on_apic_hook;
    hooks[DISK_VECTOR] = on_disk_hook;
    start_pics();
    outb(0x43, 0x34), outb(0x40, 1000 & 0xff), outb(0x40, 1000 >> 8); /* 1193 Hz */
    outb(0x70, 0x0a), outb(0x71, 0x26);                               /* 1024 Hz */
    outb(0x70, 0x0b), outb(0x71, 0x42);
    outb(0x70, 0x0c), (void)inb(0x71);
    *at(HPET + HPET_CONFIG) = 1;
    *at(APIC + APIC_SVR) = 0x100 | SPURIOUS_VECTOR;
    *at(APIC + APIC_LVT_LINT0) = EXTINT;
    *at(APIC + APIC_DIVIDE) = 0xb; /* by 1 */
    *at(APIC + APIC_LVT_TIMER) = PERIODIC | APIC_VECTOR;
    *at(APIC + APIC_INITIAL) = 770001;
}

static void copy(void)
{
    u32 to = SCRATCH, from = SCRATCH + 0x10003, n = 60000;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
}

static void compute(void)
{
    for (u32 i = 1; i < 3000; i++) {
        mix(sum / i);
        *at(SCRATCH + (sum & 0xfffc)) += i;
    }
}

static u32 random_number(void)
{
    u32 b, c, d, v = 0;
    cpuid(1, &b, &c, &d);
    if (c >> 30 & 1) __asm__ volatile("rdrand %0" : "=r"(v)::"cc");
    return v;
}

/* What the processor is at while they tick. */
static void work(u32 round)
{
    switch (round & 3) {
    case 0: compute(); break;
    case 1: copy(); break;
    case 2:
        __asm__ volatile("cli");
        mix(attempt(bad_code)); /* start.S keeps one exception: not with interrupts between */
        __asm__ volatile("sti");
        mix(random_number());
        break;
    default: __asm__ volatile("hlt"); break;
    }
}

static u32 enough(void)
{
    return ticks[PIT_VECTOR] >= TICKS && ticks[RTC_VECTOR] >= TICKS && ticks[APIC_VECTOR] >= TICKS;
}

void guest_main(void)
{
    u32 b, c, d, round = 0;
    cpuid(1, &b, &c, &d);
    if (!(d >> 9 & 1)) skip_all("no local APIC");
    start_clocks();
    u32 disk = inb(DISK + 7) != 0 && inb(DISK + 7) != 0xff;
    __asm__ volatile("sti");
    if (disk) ask_disk();
    while (!enough()) work(round++);
    __asm__ volatile("cli");
    check_eq("a clock went back", 0, backwards);
    check_eq("sectors read", disk ? SECTORS : 0, sectors);
    print_hex_c(sum);
    print_hex_c(round);
}
