/* -jitdump: translated code in FOLDER/jit-PID.dump, in the format of tools/perf/Documentation/jitdump-specification.txt in
 * Linux.  Times are of CLOCK_MONOTONIC, so perf is to use that too:
 *
 *      perf record -k mono calque -jitdump . ...
 *      perf inject --jit -i perf.data -o perf.jit.data
 *      perf report -i perf.jit.data
 *
 * perf finds the file by its name, among what the process maps as executable.  The code is as it was made, not yet chained. */
#include "exec/announce.h"
#include "util/host_time.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAGIC = 0x4a695444, VERSION = 1, CODE_LOAD = 0, CODE_CLOSE = 3, MARK_SIZE = 4096 };

typedef struct FileHeader {
    uint32_t magic, version, total_size, elf_mach, pad, pid;
    uint64_t timestamp, flags;
} FileHeader;

typedef struct RecordHeader {
    uint32_t id, total_size;
    uint64_t timestamp;
} RecordHeader;

typedef struct CodeLoad {
    RecordHeader header;
    uint32_t pid, tid;
    uint64_t vma, code_addr, code_size, code_index;
} CodeLoad; /* then the name with its NUL, and the code */

struct JitDump {
    FILE *file;
    void *mark; /* the mapping that perf finds it by */
    uint64_t index;
};

JitDump *jitdump_open(const char *folder, char *error, size_t error_size)
{
    char path[512];
    if ((size_t)snprintf(path, sizeof path, "%s/jit-%ld.dump", folder, (long)getpid()) >= sizeof path) {
        snprintf(error, error_size, "-jitdump: the folder's name is too long");
        return NULL;
    }
    JitDump *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->file = fopen(path, "w+e");
    d->mark = d->file ? mmap(NULL, MARK_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(d->file), 0) : MAP_FAILED;
    if (d->mark == MAP_FAILED) {
        snprintf(error, error_size, "-jitdump: cannot write and map %s: %s", path, strerror(errno));
        if (d->file) fclose(d->file);
        free(d);
        return NULL;
    }
    FileHeader h = { .magic = MAGIC,
                     .version = VERSION,
                     .total_size = sizeof h,
                     .elf_mach = EM_X86_64,
                     .pid = (uint32_t)getpid(),
                     .timestamp = host_ns() };
    fwrite(&h, sizeof h, 1, d->file);
    return d;
}

void jitdump_note(JitDump *d, const CodeStretch *code)
{
    size_t name_size = strlen(code->name) + 1;
    CodeLoad r = { .header = { CODE_LOAD, (uint32_t)(sizeof r + name_size + code->size), host_ns() },
                   .pid = (uint32_t)getpid(),
                   .tid = (uint32_t)syscall(SYS_gettid),
                   .vma = (uintptr_t)code->start,
                   .code_addr = (uintptr_t)code->start,
                   .code_size = code->size,
                   .code_index = d->index++ };
    fwrite(&r, sizeof r, 1, d->file);
    fwrite(code->name, name_size, 1, d->file);
    fwrite(code->start, code->size, 1, d->file);
}

void jitdump_close(JitDump *d)
{
    if (!d) return;
    RecordHeader end = { CODE_CLOSE, sizeof end, host_ns() };
    fwrite(&end, sizeof end, 1, d->file);
    fclose(d->file);
    munmap(d->mark, MARK_SIZE);
    free(d);
}
