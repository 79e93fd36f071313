/* The options about drives.  Input: arguments of -drive, one in a line; a line like "-hda file" is that option. */
#include "fuzz/parse.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *argv[PARSE_ARGS + 2] = { "calque" };
    FUZZ_CHECK(text);
    memcpy(text, data, size);
    text[size] = 0;
    int argc = 1;
    for (char *at = text, *next; argc < PARSE_ARGS && *at; at = next) {
        next = at + strcspn(at, "\n");
        if (*next) *next++ = 0;
        char *blank = strchr(at, ' ');
        argv[argc++] = *at == '-' ? at : "-drive";
        if (*at != '-') argv[argc++] = at;
        if (*at != '-' || !blank) continue;
        *blank = 0;
        argv[argc++] = blank + 1;
    }
    CliOptions o;
    if (parse(argc, argv, &o)) {
        parse_check(&o);
        parse_done(&o);
    }
    free(text);
    return 0;
}

static void seeds(FuzzGive *give)
{
    static const char *const lines[] = {
        "file=a.img,format=raw,if=ide,index=0,media=disk,cache=writeback\nfile=b.iso,media=cdrom,readonly=on",
        "file=x,,y.img,if=floppy,index=1,snapshot=on,id=floppy\nif=floppy,index=0",
        "file=a,bus=1,unit=1,werror=stop,rerror=report\nfile=b,bus=1\nfile=c,unit=1,read-only=off",
        "-hda a\n-hdb b\n-hdd d\n-cdrom c\n-fda x\n-fdb y\n-snapshot",
        "file=a\nfile=b\nfile=c\nfile=d\nif=floppy,file=e\nif=floppy,file=f",
        "file=a,cache=none,aio=threads\nfile=b,cache=directsync,id=one\nfile=c,cache=writethrough,id=two\n-nodefaults",
        "media=cdrom\nmedia=cdrom,index=3\nfile=a,werror=enospc,rerror=ignore",
        "help",
    };
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) give(lines[i], strlen(lines[i]));
}

static const char *const words[] = {
    "file=",   "if=",        "ide",     "floppy",        "media=",          "disk",       "cdrom",     "format=",
    "raw",     "index=",     "bus=",    "unit=",         "readonly=",       "read-only=", "snapshot=", "cache=",
    "none",    "werror=",    "rerror=", "enospc",        "report",          "stop",       "ignore",    "id=",
    "aio=",    "threads",    "unsafe",  "writethrough",  "\n-hda ",         "\n-hdb ",    "\n-hdc ",   "\n-hdd ",
    "\n-fda ", "\n-cdrom ",  "\n-fdb ", "\n-snapshot\n", "\n-nodefaults\n", "=on",        "=off",      ",,",
    "0x3",     "4294967296", NULL
};
const FuzzTarget fuzz_target = { .name = "drive", .slice = 60000, .max_size = 1024, .seeds = seeds, .words = words };
