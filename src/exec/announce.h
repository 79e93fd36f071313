/* Telling other programs about translated code: what is where, under which name.  Internal to exec; nothing here costs anything
 * until an option asks for it. */
#ifndef CALQUE_EXEC_ANNOUNCE_H
#define CALQUE_EXEC_ANNOUNCE_H

#include "exec/tb.h"

/* A stretch of host code. */
typedef struct CodeStretch {
    const uint8_t *start;
    size_t size;
    const char *name;
} CodeStretch;

/* announce.c */
bool announce_open(Exec *ex, char *error, size_t error_size); /* those that ExecOptions asks for */
void announce_block(Exec *ex, const TB *tb);
void announce_poll(Exec *ex);
void announce_flush(Exec *ex); /* no block is valid any more */
void announce_close(Exec *ex);

/* jitdump.c */
typedef struct JitDump JitDump;
JitDump *jitdump_open(const char *folder, char *error, size_t error_size);
void jitdump_note(JitDump *d, const CodeStretch *code);
void jitdump_close(JitDump *d);

/* gdbjit.c: there can be one only */
typedef struct GdbJit GdbJit;
GdbJit *gdbjit_open(const Backend *backend);          /* NULL: no memory */
void gdbjit_note(GdbJit *g, const CodeStretch *code); /* in order of addresses */
void gdbjit_poll(GdbJit *g);
void gdbjit_forget(GdbJit *g); /* all of it */
void gdbjit_close(GdbJit *g);

#endif
