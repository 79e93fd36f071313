/* The window while generated code runs: a block that changes the memory map goes on with the new one. */
#include "rig.h"
#include "softmmu/window.h"

enum { OVER = 0x20000, PORT = 0x80 };

static PhysRegion *over;

static void toggle(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)opaque, (void)port, (void)size;
    phys_region_set(over, OVER, value & 1, false);
}
static uint32_t nothing(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque, (void)port, (void)size;
    return 0;
}

static void open_it(Rig *r)
{
    if (!r->cpu->mmu.window_open) window_open_now(&r->cpu->mmu, MMU_SUPER);
}

/* As SeaBIOS does when it writes into its own shadow. */
static void test_remap(Rig *r)
{
    static const uint8_t code[] = {
        0x8b, 0x1d, 0x00, 0x00, 0x02, 0x00, /* mov 20000h, %ebx */
        0xb8, 0x01, 0x00, 0x00, 0x00,       /* mov $1, %eax */
        0xe6, 0x80,                         /* out %al, $80h: the other memory is there */
        0x8b, 0x0d, 0x00, 0x00, 0x02, 0x00, /* mov 20000h, %ecx */
        0xc7, 0x05, 0x04, 0x00, 0x02, 0x00, /* movl $77h, 20004h */
        0x77, 0x00, 0x00, 0x00,             /* */
        0xf4,                               /* hlt */
    };
    rig_write(r, 0x1000, code, sizeof code);
    toggle(NULL, PORT, 0, 1);
    phys_st(r->phys, OVER, 0x11, 4);
    uint8_t *other = phys_region_host(over);
    other[0] = 0x22;
    for (unsigned i = 0; i < 3; i++) {
        toggle(NULL, PORT, 0, 1);
        phys_st(r->phys, OVER + 4, 0, 4);
        other[4] = 0;
        open_it(r);
        bool good = rig_run(r, 0x1000) && r->cpu->regs[R_EBX] == 0x11;
        ok(good && r->cpu->regs[R_ECX] == 0x22, "a load after the map changed: %02x", r->cpu->regs[R_ECX]);
        ok(other[4] == 0x77 && r->ram[OVER + 4] == 0, "and a store");
    }
    toggle(NULL, PORT, 0, 1);
}

/* That host addresses are the same as those of the machine before must not keep it from being told of others. */
static void test_moves(void)
{
    static const uint8_t code[] = { 0xa1, 0x00, 0x00, 0x02, 0x00, 0xf4 }; /* mov 20000h, %eax; hlt */
    for (unsigned i = 0; i < 3; i++) {
        Rig r;
        rig_init(&r, &(ExecOptions){ 0 });
        rig_write(&r, 0x1000, code, sizeof code);
        open_it(&r);
        ok(rig_run(&r, 0x1000) && (!r.cpu->mmu.window || r.cpu->mmu.on_window_moved), "machine %u hears of moves", i);
        rig_free(&r);
    }
}

int main(void)
{
    static const IoPortOps ops = { nothing, toggle, 1 };
    Rig r;
    if (!backend_find("x86_64")) {
        puts("1..0 # SKIP no native code on this host");
        return 0;
    }
    rig_init(&r, &(ExecOptions){ .backend = "x86_64", .tb_size_mib = 4 });
    if (!r.cpu->mmu.window) {
        puts("1..0 # SKIP no room for the window");
        return 0;
    }
    over = phys_add_ram(r.phys, "over", OVER, 0x1000, 1);
    ioports_map(r.io, PORT, 1, &ops, NULL);
    test_remap(&r);
    rig_free(&r);
    test_moves();
    return tap_done();
}
