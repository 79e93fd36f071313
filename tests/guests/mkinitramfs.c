/* mkinitramfs OUT INIT: an initramfs with /dev/console and INIT as /init, in cpio's "newc" format
 * (Linux, Documentation/driver-api/early-userspace/buffer-format.rst), with no need to be root. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/die.h"
#include "util/file.h"

enum { DIR_MODE = 0040755, CONSOLE_MODE = 0020600, PROGRAM_MODE = 0100755, MAX_PROGRAM = 16 << 20 };

static unsigned next_inode = 1;

static void pad4(FILE *f, size_t written)
{
    for (; written % 4; written++) fputc(0, f);
}

static void entry(FILE *f, const char *name, unsigned mode, unsigned major, unsigned minor, const FileData *data)
{
    size_t size = data ? data->size : 0, name_size = strlen(name) + 1;
    const unsigned fields[13] = {
        next_inode++, mode, 0, 0, 1, 0, (unsigned)size, 0, 0, major, minor, (unsigned)name_size, 0,
    };
    fputs("070701", f);
    for (int i = 0; i < 13; i++) fprintf(f, "%08X", fields[i]);
    fwrite(name, 1, name_size, f);
    pad4(f, 110 + name_size);
    if (size) fwrite(data->bytes, 1, size, f);
    pad4(f, size);
}

int main(int argc, char **argv)
{
    char error[512];
    FileData program;
    if (argc != 3) die("usage: mkinitramfs OUT INIT");
    if (!file_load("init", argv[2], MAX_PROGRAM, &program, error, sizeof error)) die("%s", error);
    FILE *f = fopen(argv[1], "wb");
    if (!f) die("cannot write %s", argv[1]);
    entry(f, "dev", DIR_MODE, 0, 0, NULL);
    entry(f, "dev/console", CONSOLE_MODE, 5, 1, NULL);
    entry(f, "proc", DIR_MODE, 0, 0, NULL);
    entry(f, "init", PROGRAM_MODE, 0, 0, &program);
    entry(f, "TRAILER!!!", 0, 0, 0, NULL);
    if (fclose(f) != 0) die("cannot write %s", argv[1]);
    file_free(&program);
    return 0;
}
