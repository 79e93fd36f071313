/* Where explain's code comes from: bytes on the command line, a file of bytes, or assembly source by way of GNU as and ld. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/explain.h"
#include "util/die.h"
#include "util/elf32.h"
#include "util/file.h"
#include "util/symbols.h"

extern char **environ;

/* --- bytes ------------------------------------------------------------------------------------------------ */

static bool is_hex(const char *text)
{
    size_t digits = 0;
    for (; *text; text++) {
        if (!isxdigit((unsigned char)*text) && *text != ' ') return false;
        digits += *text != ' ';
    }
    return digits > 0;
}

static unsigned digit(char c)
{
    return (unsigned)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
}

static void append(ExplainCode *code, uint8_t byte)
{
    if (code->size == EXPLAIN_CODE_MAX) die("explain: the code is longer than %d bytes", EXPLAIN_CODE_MAX);
    code->bytes[code->size++] = byte;
}

static void add_hex(ExplainCode *code, const char *text)
{
    const char *whole = text;
    for (; *text; text++) {
        if (*text == ' ') continue;
        if (!isxdigit((unsigned char)text[1])) die("explain: '%s': a byte has two hexadecimal digits", whole);
        append(code, (uint8_t)(digit(text[0]) << 4 | digit(text[1])));
        text++;
    }
}

static void add_bytes(ExplainCode *code, const FileData *f)
{
    for (size_t i = 0; i < f->size; i++) append(code, f->bytes[i]);
}

/* --- assembly --------------------------------------------------------------------------------------------- */

/* Files that go when the program ends. */
static char dir[256];
static const char *const made[] = { "head.s", "input.s", "out.o", "out", "messages" };
enum { MADE = sizeof made / sizeof *made };

static void in_dir(char path[300], const char *name)
{
    snprintf(path, 300, "%s/%s", dir, name);
}

static void remove_files(void)
{
    char path[300];
    for (unsigned i = 0; i < MADE; i++) {
        in_dir(path, made[i]);
        unlink(path);
    }
    rmdir(dir);
}

static void make_dir(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/calque-explain-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        die("explain: cannot make a folder for the assembler in '%s': %s", tmp && *tmp ? tmp : "/tmp", strerror(errno));
    atexit(remove_files);
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "we");
    bool good = f && fwrite(bytes, 1, size, f) == size;
    if (f && fclose(f)) good = false;
    if (!good) die("explain: cannot write '%s': %s", path, strerror(errno));
}

/* The tool's own word on what is wrong: as says "Error" first where it matters, ld ends with it. */
static char *pick_line(char *text)
{
    char *line = strstr(text, "Error: ");
    if (!line) {
        size_t n = strlen(text);
        while (n && text[n - 1] == '\n') text[--n] = '\0';
        line = text + n;
    }
    while (line > text && line[-1] != '\n') line--;
    line[strcspn(line, "\n")] = '\0';
    return line;
}

static _Noreturn void report(const char *tool, const char *source)
{
    char path[300], error[400];
    FileData f = { 0 };
    in_dir(path, "messages");
    if (!file_load("", path, 1 << 20, &f, error, sizeof error)) die("explain: %s failed on '%s'", tool, source);
    char *line = pick_line((char *)f.bytes), *ours = strstr(line, dir);
    if (ours) line = ours + strlen(dir) + 1; /* behind the name of our folder */
    die("explain: %s", line);
}

/* False: there is no such program. */
static bool run_tool(char *const argv[], const char *source)
{
    char path[300];
    pid_t pid;
    int status;
    posix_spawn_file_actions_t actions;
    in_dir(path, "messages");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    int why = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (why == ENOENT || why == EACCES) return false;
    if (why) die("explain: cannot start %s: %s", argv[0], strerror(why));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status)) report(argv[0], source);
    return true;
}

/* The first of names that there is runs with the arguments. */
static void run_first(const char *const names[], char *argv[], const char *source)
{
    for (; *names; names++) {
        argv[0] = (char *)(uintptr_t)*names;
        if (run_tool(argv, source)) return;
    }
    die("explain: '%s' is assembly source, and there is no GNU %s here: install binutils (on a host other than x86, "
        "binutils-i686-linux-gnu), or give bytes",
        source, argv[1][1] == '-' ? "as" : "ld");
}

static void add_elf(const ExplainOptions *o, ExplainCode *code, const FileData *f)
{
    Elf32 e;
    const char *why;
    if (!elf32_open(&e, f->bytes, f->size, &why)) die("explain: what ld made %s", why);
    for (uint32_t i = 0; i < e.n_segments; i++) {
        ElfPart s = elf32_segment(&e, i);
        if (s.type != ELF_PT_LOAD || !s.data || !s.size) continue;
        uint32_t at = s.addr - o->base;
        if (s.addr < o->base || at > EXPLAIN_CODE_MAX || s.size > EXPLAIN_CODE_MAX - at)
            die("explain: code and data must lie within %d bytes from %#x", EXPLAIN_CODE_MAX, o->base);
        memcpy(code->bytes + at, s.data, s.size);
        if (at + s.size > code->size) code->size = at + s.size;
    }
    if (!code->size) die("explain: the source assembles to nothing");
    if (e.entry - o->base < code->size) code->entry = e.entry;
    symbols_add(f->bytes, f->size, &why); /* no labels, no names */
}

static void assemble(const ExplainOptions *o, ExplainCode *code, const char *source)
{
    static const char *const as_names[] = { "i686-linux-gnu-as", "x86_64-linux-gnu-as", "as", NULL };
    static const char *const ld_names[] = { "i686-linux-gnu-ld", "x86_64-linux-gnu-ld", "ld", NULL };
    char head[300], object[300], out[300], text[24], error[400], mode[80];
    FileData f;
    in_dir(head, "head.s");
    in_dir(object, "out.o");
    in_dir(out, "out");
    int n = snprintf(mode, sizeof mode, ".code%d\n%s", o->code16 ? 16 : 32, o->intel ? ".intel_syntax noprefix\n" : "");
    write_file(head, mode, (size_t)n);
    char *as_argv[] = { NULL, "--32", "-o", object, head, (char *)(uintptr_t)source, NULL };
    run_first(as_names, as_argv, source);
    snprintf(text, sizeof text, "%#x", o->base);
    char *ld_argv[] = { NULL, "-m", "elf_i386", "-N", "-Ttext", text, "-o", out, object, NULL };
    run_first(ld_names, ld_argv, source);
    if (!file_load("explain:", out, 1 << 26, &f, error, sizeof error)) die("%s", error);
    add_elf(o, code, &f);
    file_free(&f);
}

static bool is_text(const FileData *f)
{
    for (size_t i = 0; i < f->size; i++)
        if (f->bytes[i] < 9 || (f->bytes[i] > 13 && f->bytes[i] < ' ')) return false;
    return true;
}

static bool is_source(const char *path)
{
    size_t n = strlen(path);
    return n > 2 && path[n - 2] == '.' && (path[n - 1] == 's' || path[n - 1] == 'S');
}

static void read_input(const ExplainOptions *o, ExplainCode *code, const char *input)
{
    char error[512], path[300];
    FileData f;
    bool standard = !strcmp(input, "-");
    if (!file_load("explain:", standard ? "/dev/stdin" : input,
                   standard || is_source(input) ? 1 << 20 : EXPLAIN_CODE_MAX, &f, error, sizeof error))
        die("%s", error);
    if (standard ? is_text(&f) : is_source(input)) {
        make_dir();
        in_dir(path, "input.s");
        if (standard) write_file(path, f.bytes, f.size);
        assemble(o, code, standard ? path : input);
    } else {
        add_bytes(code, &f);
    }
    file_free(&f);
}

void explain_read(const ExplainOptions *o, ExplainCode *code)
{
    code->entry = o->base;
    if (o->n_inputs == 1 && (!is_hex(o->input[0]) || access(o->input[0], F_OK) == 0)) {
        read_input(o, code, o->input[0]);
    } else {
        for (int i = 0; i < o->n_inputs; i++) {
            if (!is_hex(o->input[i])) die("explain: '%s': one file, or bytes in hexadecimal", o->input[i]);
            add_hex(code, o->input[i]);
        }
    }
    uint32_t room = o->code16 ? 0x10000 : EXPLAIN_RAM;
    if (o->base > room || code->size > room - o->base)
        die("explain: %u bytes at %#x do not fit below %#x", code->size, o->base, room);
}
