/* The guest that Calque carries in itself (roms/lesson.S): -lesson, and what a command line boots that names nothing. */
#include "roms/lesson_bin.h"
#include "roms/lesson_elf.h"

#include "cli/handlers.h"
#include "util/die.h"
#include "util/symbols.h"

enum { FLOPPY_BYTES = 1440 << 10 };

static const BlockBuiltIn lesson = { .bytes = lesson_bin, .size = sizeof lesson_bin, .total = FLOPPY_BYTES };

void opt_lesson(CliOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->lesson = true;
}

/* Who puts a machine together, or says what its firmware shall try, gets just that. */
static bool names_nothing(const CliOptions *o)
{
    const MachineConfig *m = &o->machine;
    return !m->n_drives && !o->medium_n && !o->drive_device_n && !m->kernel && !m->initrd && !m->append[0] &&
           !m->bios && !o->boot_set && !o->no_defaults;
}

void cli_say_lesson(const CliOptions *o)
{
    if (o->lesson_unasked)
        warn_line("nothing to boot was named, so this is the guest that Calque carries; "
                  "\"calque disk.img\" or \"calque -cdrom debian.iso\" boots something real (man calque)");
}

void cli_finish_lesson(CliOptions *o)
{
    const char *why;
    if (!o->lesson) {
        if (!names_nothing(o)) return;
        o->lesson = o->lesson_unasked = true;
    }
    cli_add_built_in(o, "-lesson", "the lesson's floppy", &lesson);
    if (!o->machine.boot.order) o->machine.boot.order = "a";
    if (!symbols_add(lesson_elf, sizeof lesson_elf, &why)) die("-lesson: its symbol table %s", why);
}
