/* Names of translated code, for perf(1) and gdb.  A block's name is where it comes from,
 *     cplN:ADDRESS, linear and in hexadecimal, ":window" when its accesses are unchecked, and with -symbols the guest's name;
 * what all blocks share has its own.
 *
 *   -perfmap   /tmp/perf-PID.map, where perf looks for names of code that no file holds:
 *                  START SIZE name    in hexadecimal (tools/perf/Documentation/jit-interface.txt in Linux)
 *              A flush reuses addresses; perf then shows the newer name.
 *   -jitdump   code and all, with times, so that perf can disassemble it and knows what was where when (jitdump.c)
 *   -gdbjit    for a debugger that is attached (gdbjit.c) */
#include "exec/announce.h"
#include "util/symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct Announce {
    FILE *perfmap; /* these are NULL when not asked for */
    JitDump *jitdump;
    GdbJit *gdbjit, *gdbjit_cold; /* two, for what each tells is one range of addresses */
};

static void note(const struct Announce *a, const CodeStretch *code, GdbJit *gdbjit)
{
    if (a->perfmap) fprintf(a->perfmap, "%" PRIxPTR " %zx %s\n", (uintptr_t)code->start, code->size, code->name);
    if (a->jitdump) jitdump_note(a->jitdump, code);
    if (gdbjit) gdbjit_note(gdbjit, code);
}

void announce_block(Exec *ex, const TB *tb)
{
    char symbol[160], name[256];
    if (!ex->announce) return;
    symbols_text(symbol, sizeof symbol, tb->lin);
    snprintf(name, sizeof name, "cpl%u:%08x%s%s%s", tb->mode & MODE_CPL, tb->lin,
             tb->mode & MODE_WINDOW || tb->system_window ? ":window" : "", *symbol ? " " : "", symbol);
    const struct Announce *a = ex->announce;
    note(a, &(CodeStretch){ tb->code.entry_checked, tb->code.size, name }, a->gdbjit);
    strncat(name, ":out-of-line", sizeof name - strlen(name) - 1);
    if (tb->code.cold_size) note(a, &(CodeStretch){ tb->code.cold, tb->code.cold_size, name }, a->gdbjit_cold);
}

/* From the name at one address to the next: a thunk has no other end. */
static void announce_shared(const Exec *ex)
{
    const uint8_t *code = ex->arena.rw + ex->arena.exec_delta, *end = code + ex->arena_base, *start = code;
    const char *name = "enter";
    if (!ex->backend->shared_name) return;
    for (const uint8_t *p = code + 1; p <= end; p++) {
        const char *next = p < end ? ex->backend->shared_name(p) : "";
        if (!next) continue;
        note(ex->announce, &(CodeStretch){ start, (size_t)(p - start), name }, ex->announce->gdbjit);
        start = p;
        name = next;
    }
}

static bool open_perfmap(struct Announce *a, char *error, size_t error_size)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/perf-%ld.map", (long)getpid());
    a->perfmap = fopen(path, "we");
    if (!a->perfmap) snprintf(error, error_size, "-perfmap: cannot write %s", path);
    return a->perfmap != NULL;
}

bool announce_open(Exec *ex, char *error, size_t error_size)
{
    const ExecOptions *o = &ex->opt;
    if (!o->perfmap && !o->jitdump && !o->gdbjit) return true;
    if ((o->jitdump || o->gdbjit) && !ex->backend->native) {
        snprintf(error, error_size, "%s: backend %s makes no code of the host's", o->jitdump ? "-jitdump" : "-gdbjit",
                 ex->backend->name);
        return false;
    }
    snprintf(error, error_size, "out of memory");
    struct Announce *a = ex->announce = calloc(1, sizeof *a);
    if (!a) return false;
    if (o->perfmap && !open_perfmap(a, error, error_size)) return false;
    if (o->jitdump && !(a->jitdump = jitdump_open(o->jitdump, error, error_size))) return false;
    if (o->gdbjit && !(a->gdbjit = gdbjit_open(ex->backend))) return false;
    if (o->gdbjit && !(a->gdbjit_cold = gdbjit_open(ex->backend))) return false;
    announce_shared(ex);
    return true;
}

void announce_poll(Exec *ex)
{
    if (!ex->announce || !ex->announce->gdbjit) return;
    gdbjit_poll(ex->announce->gdbjit);
    gdbjit_poll(ex->announce->gdbjit_cold);
}

void announce_flush(Exec *ex)
{
    if (!ex->announce || !ex->announce->gdbjit) return;
    gdbjit_forget(ex->announce->gdbjit);
    gdbjit_forget(ex->announce->gdbjit_cold);
    announce_shared(ex);
}

void announce_close(Exec *ex)
{
    struct Announce *a = ex->announce;
    if (!a) return;
    if (a->perfmap) fclose(a->perfmap);
    jitdump_close(a->jitdump);
    gdbjit_close(a->gdbjit);
    gdbjit_close(a->gdbjit_cold);
    free(a);
    ex->announce = NULL;
}
