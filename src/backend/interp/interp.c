/* The portable backend: runs the IR on any host, pre-decoded by emit.c into the Ops of interp.h.  It is what other
 * backends are checked against, and what a host without one of its own uses. */
#include "backend/interp/interp.h"

#include <string.h>

const InterpArena *interp_arena;

static bool init(CPUState *cpu, CodeArena *arena, const char **error)
{
    InterpArena *head = (InterpArena *)(void *)arena->rw;

    if (!interp_helper_init(error)) return false;
    if (arena->size < sizeof *head + sizeof(Op)) {
        *error = "the translation cache is too small";
        return false;
    }
    memset(head, 0, sizeof *head);
    head->cpu = cpu;
    interp_arena = head;
    arena->used = (sizeof *head + sizeof(Op) - 1) / sizeof(Op) * sizeof(Op);
    return true;
}

/* exit->site is the pointer to follow, inside the Op that ends the block. */
static void link_exit(CodeArena *arena, BackendExit *exit, const void *entry)
{
    (void)arena;
    if (exit->site) *(const void **)exit->site = entry;
}

static void unlink_exit(CodeArena *arena, BackendExit *exit)
{
    link_exit(arena, exit, exit->stub);
}

static void run(CPUState *cpu, const void *entry)
{
    const Op *op = entry;

    while (op) op = op->fn(cpu, op);
    cpu->host_pc = NULL;
}

static void after_jump(CPUState *cpu)
{
    cpu->host_pc = NULL;
    cpu->exit_slot = NULL;
}

const Backend backend_interp = {
    .name = "interp",
    .registers = "in CPUState, and so are the flags (cc)",
    .init = init,
    .emit = interp_emit,
    .link = link_exit,
    .unlink = unlink_exit,
    .run = run,
    .after_jump = after_jump,
    .native = false,
    .dump = interp_dump,
};
