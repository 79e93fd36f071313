/* The two backends differ: everything that it takes to find out why, and the end of the program. */
#include "exec/lockstep_int.h"

#include <stdlib.h>
#include <string.h>

#include "util/die.h"
#include "util/log.h"

static void emit_text(void *opaque, const char *line)
{
    (void)opaque;
    log_printf("        %s\n", line);
}

/* The block, translated once more: its intermediate form is not kept. */
static void print_block(const Lockstep *ls)
{
    Exec *ex = ls->cpu->exec;
    jmp_buf env;
    memcpy(ls->cpu, ls->before.bytes, STATE_SIZE);
    ls->cpu->exc_env = &env;
    if (setjmp(env)) { /* its second page is gone, as far as the TLBs know */
        log_printf("the block can no longer be read\n");
        return;
    }
    const TB *tb = build_show(ex, ls->code->tb);
    if (!tb) return;
    const LockstepCode *c = tb->code.entry;
    if (!ls->tested->native) return;
    log_printf("%s runs it as\n", ls->reference->name);
    ls->reference->dump(&c->reference, 0, c->reference.size, emit_text, NULL);
}

static const char *outcome(bool raised)
{
    return raised ? "raises an exception" : "completes";
}

static void print_differences(const Lockstep *ls)
{
    if (ls->reference_raised != ls->tested_raised)
        log_printf("%s %s, %s %s\n", ls->reference->name, outcome(ls->reference_raised), ls->tested->name,
                   outcome(ls->tested_raised));
    if (!ls->on_path) log_printf("%s takes another way\n", ls->tested->name);
    if (ls->astray[0]) log_printf("%s\n", ls->astray);
    state_print(ls);
    if (pages_same(ls)) return;
    log_printf("memory, before, %s, %s:\n", ls->reference->name, ls->tested->name);
    pages_print(ls);
}

void lockstep_report_step(const Lockstep *ls)
{
    log_printf("lockstep: after %llu blocks, %s and %s differ after %u more:\n", (unsigned long long)ls->n_blocks,
               ls->reference->name, ls->tested->name, ls->n_path);
    for (unsigned i = 0; i < ls->n_path; i++)
        log_printf("%s%08x", i % 12 ? " " : i ? "\n  " : "  ", ls->path[i]->tb->eip);
    log_printf("\n");
    print_differences(ls);
    log_printf("running these blocks one by one:\n");
}

void lockstep_report(const Lockstep *ls)
{
    const TB *tb = ls->code->tb;
    log_printf("lockstep: %s and %s differ after block %08x (linear %08x, physical %09llx)\n", ls->reference->name,
               ls->tested->name, tb->eip, tb->lin, (unsigned long long)tb->phys);
    print_differences(ls);
    print_block(ls);
    fflush(log_file());
    die("lockstep: the backends %s and %s differ at %08x%s", ls->reference->name, ls->tested->name,
        state_of(&ls->before)->eip, log_file() == stderr ? "" : "; the log has the details");
}
