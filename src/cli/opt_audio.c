/* Options about sound: -audiodev, -machine pcspk-audiodev=. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/handlers.h"
#include "cli/keyval.h"
#include "ui/frontend.h"
#include "util/die.h"
#include "util/nearest.h"

static const struct {
    const char *name, *help;
    bool sdl;
} drivers[] = {
    { "sdl", "the host's sound, as SDL finds it", true },
    { "none", "nothing is heard", false },
};
enum { DRIVERS = sizeof drivers / sizeof drivers[0] };

static void set_id(CliOptions *o, const char *where, const char *value)
{
    for (unsigned i = 0; i < o->audio_n; i++)
        if (strcmp(o->audio[i].id, value) == 0) bad_value(where, value, "another -audiodev has that id");
    o->audio[o->audio_n].id = value;
}

static const Property audio_properties[] = {
    { "id", "a name, for -machine pcspk-audiodev=", set_id },
    { 0 },
};

static _Noreturn void audio_help(void)
{
    for (int i = 0; i < DRIVERS; i++) printf("%-10s %s\n", drivers[i].name, drivers[i].help);
    exit(0);
}

void opt_audiodev(CliOptions *o, const char *where, const char *arg)
{
    const char *rest = arg, *name = next_item(&rest);
    if (strncmp(name, "driver=", 7) == 0) name += 7;
    if (strcmp(name, "help") == 0) audio_help();
    if (o->audio_n == CLI_AUDIODEVS_MAX) die("%s: there are at most %d", where, CLI_AUDIODEVS_MAX);
    Nearest near = { .word = name };
    int i = 0;
    for (; i < DRIVERS && strcmp(drivers[i].name, name) != 0; i++) nearest_offer(&near, drivers[i].name);
    if (i == DRIVERS) die("%s: there is no driver '%s'; the nearest one is '%s'", where, name, near.best);
    CliAudio *a = &o->audio[o->audio_n];
    *a = (CliAudio){ .sdl = drivers[i].sdl };
    apply_properties(o, where, rest, audio_properties);
    if (!a->id) die("%s: id= is missing: -audiodev %s,id=ID", where, name);
    o->audio_n++;
}

void opt_speaker_audio(CliOptions *o, const char *where, const char *arg)
{
    (void)where;
    o->speaker_audio = arg;
}

static const CliAudio *find_audio(const CliOptions *o, const char *id)
{
    Nearest near = { .word = id };
    for (unsigned i = 0; i < o->audio_n; i++) {
        if (strcmp(o->audio[i].id, id) == 0) return &o->audio[i];
        nearest_offer(&near, o->audio[i].id);
    }
    if (!near.best) die("-machine pcspk-audiodev=%s: there is no -audiodev with id=%s", id, id);
    die("-machine pcspk-audiodev=%s: there is no such -audiodev; the nearest one is '%s'", id, near.best);
}

/* Where there is a window there is somebody to hear it. */
void cli_choose_audio(CliOptions *o)
{
    if (o->speaker_audio)
        o->speaker_on_sdl = find_audio(o, o->speaker_audio)->sdl;
    else if (o->audio_n)
        o->speaker_on_sdl = o->audio[0].sdl;
    else
        o->speaker_on_sdl = o->frontend == &sdl_frontend;
}
