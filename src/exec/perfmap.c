/* -perfmap: names for translated code in /tmp/perf-PID.map, where perf(1) looks for those of code that no file holds:
 *     START SIZE name        in hexadecimal, one line each (tools/perf/Documentation/jit-interface.txt in Linux)
 * A flush reuses addresses; perf then shows the newer name. */
#include "exec/tb.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

bool perfmap_open(Exec *ex, char *error, size_t error_size)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/perf-%ld.map", (long)getpid());
    ex->perfmap = fopen(path, "we");
    if (!ex->perfmap) snprintf(error, error_size, "-perfmap: cannot write %s", path);
    return ex->perfmap != NULL;
}

void perfmap_note(Exec *ex, const TB *tb)
{
    if (!ex->perfmap) return;
    fprintf(ex->perfmap, "%" PRIxPTR " %x cpl%u:%08x%s\n", (uintptr_t)tb->code.entry_checked, tb->code.size,
            tb->mode & MODE_CPL, tb->lin, tb->mode & MODE_WINDOW ? ":window" : "");
}

void perfmap_close(Exec *ex)
{
    if (ex->perfmap) fclose(ex->perfmap);
}
