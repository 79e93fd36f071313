/* See rig.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "rig.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ARENA_SIZE = 1 << 20 };

const uint32_t rig_mode = MODE_PE | MODE_CS32 | MODE_SS32 | MODE_FLAT_ES | MODE_FLAT_CS | MODE_FLAT_SS | MODE_FLAT_DS |
                          MODE_FLAT_FS | MODE_FLAT_GS;

static bool open_arena(CodeArena *a)
{
    int fd = memfd_create("arena", 0);
    if (fd < 0 || ftruncate(fd, ARENA_SIZE)) return false;
    uint8_t *rw = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint8_t *rx = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    close(fd);
    if (rw == MAP_FAILED || rx == MAP_FAILED) return false;
    *a = (CodeArena){ .rw = rw, .size = ARENA_SIZE / 2, .cold_end = ARENA_SIZE, .exec_delta = rx - rw };
    arena_rewind(a, 0);
    return true;
}

bool rig_open(Rig *r, const char *backend)
{
    char error[200];
    const char *why = NULL;

    memset(r, 0, sizeof *r);
    r->backend = backend_find(backend);
    if (!r->backend) return false;
    r->phys = phys_new();
    r->ram = phys_region_host(phys_add_ram(r->phys, "ram", 0, RIG_RAM, 0));
    r->cpu = cpu_new(r->phys, NULL, "max", error, sizeof error);
    if (!r->cpu || !open_arena(&r->arena)) return false;
    cpu_reset(r->cpu);
    for (unsigned s = 0; s < 6; s++)
        r->cpu->seg[s] =
            (SegCache){ .limit = 0xffffffff,
                        .rd_bound = 0xfffffff0,
                        .wr_bound = 0xfffffff0,
                        .attr = SEG_P | SEG_S | SEG_W | SEG_A | SEG_DB | SEG_G | (s == SEG_CS ? SEG_X : 0) };
    r->cpu->cr0 |= CR0_PE;
    mmu_set_control(&r->cpu->mmu, r->cpu->cr0, 0, r->cpu->cr4, false, false);
    r->cpu->mode = rig_mode;
    r->cpu->mode_id = 7;
    r->cpu->exit_request = 0;
    if (!r->backend->init(r->cpu, &r->arena, &why)) return false;
    r->arena_start = r->arena;
    ir_block_init(&r->b);
    return true;
}

void rig_close(Rig *r)
{
    munmap(r->arena.rw, ARENA_SIZE);
    munmap(r->arena.rw + r->arena.exec_delta, ARENA_SIZE);
    ir_block_free(&r->b);
    cpu_free(r->cpu);
    phys_free(r->phys);
}

void rig_begin(Rig *r)
{
    ir_block_reset(&r->b);
    r->b.eip = RIG_EIP;
    r->b.mode = r->cpu->mode;
    r->b.mmu_idx = MMU_SUPER;
    r->b.size = 2;
    r->b.n_guest = 1;
    memset(&r->info, 0, sizeof r->info);
    r->info.mode_id = r->cpu->mode_id;
    IrInsn *in = ir_emit(&r->b, IR_MARK, 0);
    in->target[0] = RIG_EIP;
    in->target[1] = 2;
}

bool rig_emit(Rig *r)
{
    r->arena = r->arena_start;
    return r->backend->emit(&r->arena, &r->b, &r->info, &r->code, NULL, 0, NULL);
}

void rig_run(Rig *r)
{
    jmp_buf env;

    r->raised = -1;
    r->cpu->exc_vector = -1;
    r->cpu->exc_env = &env;
    r->cpu->exit_slot = NULL;
    if (setjmp(env)) {
        r->backend->after_jump(r->cpu);
        r->raised = r->cpu->exc_vector;
        return;
    }
    r->backend->run(r->cpu, r->code.entry);
}

static uint32_t slot_offset(unsigned slot)
{
    return (uint32_t)(offsetof(CPUState, mtrr_fixed) + 4 * slot);
}

uint32_t *rig_slot(Rig *r, unsigned slot)
{
    return (uint32_t *)(void *)((char *)r->cpu + slot_offset(slot));
}

void rig_load_temp(Rig *r, unsigned reg, unsigned slot)
{
    IrInsn *in = ir_emit(&r->b, IR_LDSTATE, 4);
    in->dst = ir_reg(reg);
    in->b = ir_imm(slot_offset(slot));
}

void rig_store_reg(Rig *r, unsigned reg, unsigned slot)
{
    IrInsn *in = ir_emit(&r->b, IR_STSTATE, 4);
    in->a = ir_reg(reg);
    in->b = ir_imm(slot_offset(slot));
}

void rig_end(Rig *r, uint32_t eip)
{
    IrInsn *in = ir_emit(&r->b, IR_STSTATE, 4);
    in->a = ir_imm(eip);
    in->b = ir_imm(offsetof(CPUState, eip));
    ir_emit(&r->b, IR_EXIT, 0);
}

/* xorshift32: the same sequence everywhere. */
uint32_t rig_random(void)
{
    static uint32_t x = 0x2545f491;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

uint32_t rig_random_value(void)
{
    static const uint32_t edge[] = {
        0,      1,      2,       0x7f,       0x80,       0xff,       0x100,      0x7fff,
        0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0xffffff80, 0xffff8000
    };
    uint32_t v = rig_random();

    if (v & 1) return rig_random();
    if (v & 2) return edge[v >> 8 & 15];
    return edge[v >> 8 & 15] + (v >> 16 & 3) - 1;
}
