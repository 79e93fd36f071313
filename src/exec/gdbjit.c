/* -gdbjit: translated code for gdb, by its "JIT compilation interface": a list of object files in memory, and a function in
 * which gdb has a breakpoint, to hear when the list changes.
 *
 * gdb takes its time for each object file, so blocks are gathered for a tenth of a second; the object holds their names, and
 * how to find the caller of generated code, which runs on a stack of its own (Backend.frame): backtraces go through it. */
#include "exec/announce.h"
#include "util/host_time.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define GATHER_NS UINT64_C(100000000)

/* gdb's names, types and numbers (gdb manual, "JIT Interface: Declarations"). */
enum { JIT_NOACTION, JIT_REGISTER_FN, JIT_UNREGISTER_FN };
struct jit_code_entry {
    struct jit_code_entry *next_entry, *prev_entry;
    const char *symfile_addr;
    uint64_t symfile_size;
};
struct jit_descriptor {
    uint32_t version, action_flag;
    struct jit_code_entry *relevant_entry, *first_entry;
};
struct jit_descriptor __jit_debug_descriptor = { 1, JIT_NOACTION, NULL, NULL };
void __jit_debug_register_code(void);
void __attribute__((noinline)) __jit_debug_register_code(void)
{
    __asm__ volatile("" ::: "memory"); /* gdb looks at it here */
}

typedef struct Text {
    uint8_t *bytes;
    size_t used, room;
} Text;

struct GdbJit {
    const Backend *backend;
    uint64_t last; /* when gdb was told */
    /* Gathered: */
    const uint8_t *first, *end;
    Text symbols, names, frames;
};

/* --- building ---------------------------------------------------------------------------------------------------- */

static void put(Text *t, const void *bytes, size_t n)
{
    if (t->used + n > t->room) {
        size_t room = 2 * (t->used + n);
        uint8_t *more = realloc(t->bytes, room);
        if (!more) abort();
        t->bytes = more;
        t->room = room;
    }
    memcpy(t->bytes + t->used, bytes, n);
    t->used += n;
}

static void put32(Text *t, uint32_t v)
{
    put(t, &v, sizeof v);
}

static void pad8(Text *t)
{
    while (t->used % 8) put(t, "", 1); /* DW_CFA_nop */
}

/* .eh_frame (LSB Core, "Exception Frames"): a CIE that says nothing, and an FDE for each stretch. */
static void start_frames(Text *t)
{
    enum { VERSION = 1, NO_AUGMENTATION = 0, CODE_ALIGN_1 = 1, DATA_ALIGN_MINUS_8 = 0x78, RETURN_REGISTER = 16 };
    static const uint8_t cie[] = {
        VERSION, NO_AUGMENTATION, CODE_ALIGN_1, DATA_ALIGN_MINUS_8, RETURN_REGISTER, 0, 0, 0
    };
    t->used = 0;
    put32(t, 4 + sizeof cie);
    put32(t, 0); /* a CIE */
    put(t, cie, sizeof cie);
}

static void put_frame(Text *t, const Backend *backend, const CodeStretch *code)
{
    uint8_t program[BACKEND_FRAME_MAX];
    size_t start = t->used;
    uint64_t range[2] = { (uintptr_t)code->start, code->size };
    put32(t, 0);
    put32(t, (uint32_t)(start + 4)); /* back to the CIE */
    put(t, range, sizeof range);
    put(t, program, backend->frame(code->start, program));
    pad8(t);
    uint32_t length = (uint32_t)(t->used - start - 4);
    memcpy(t->bytes + start, &length, sizeof length);
}

enum { S_NULL, S_TEXT, S_FRAMES, S_SYMBOLS, S_NAMES, S_SECTIONS, N_SECTIONS };
static const char section_names[] = "\0.text\0.eh_frame\0.symtab\0.strtab\0.shstrtab";
enum { AT_TEXT = 1, AT_FRAMES = 7, AT_SYMBOLS = 17, AT_NAMES = 25, AT_SECTIONS = 33 };

static void add(Text *file, Elf64_Shdr *s, const void *bytes, size_t n)
{
    pad8(file);
    s->sh_offset = file->used;
    s->sh_size = n;
    put(file, bytes, n);
}

static Text object_file(GdbJit *g)
{
    Text file = { 0 };
    Elf64_Ehdr h = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                     .e_type = ET_EXEC,
                     .e_machine = EM_X86_64,
                     .e_version = EV_CURRENT,
                     .e_shoff = sizeof h,
                     .e_ehsize = sizeof h,
                     .e_shentsize = sizeof(Elf64_Shdr),
                     .e_shnum = N_SECTIONS,
                     .e_shstrndx = S_SECTIONS };
    Elf64_Shdr s[N_SECTIONS] = {
        [S_TEXT] = { .sh_name = AT_TEXT,
                     .sh_type = SHT_NOBITS,
                     .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                     .sh_addralign = 1 },
        [S_FRAMES] = { .sh_name = AT_FRAMES, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addralign = 8 },
        [S_SYMBOLS] = { .sh_name = AT_SYMBOLS,
                        .sh_type = SHT_SYMTAB,
                        .sh_link = S_NAMES,
                        .sh_info = 1,
                        .sh_addralign = 8 },
        [S_NAMES] = { .sh_name = AT_NAMES, .sh_type = SHT_STRTAB, .sh_addralign = 1 },
        [S_SECTIONS] = { .sh_name = AT_SECTIONS, .sh_type = SHT_STRTAB, .sh_addralign = 1 },
    };
    s[S_SYMBOLS].sh_entsize = sizeof(Elf64_Sym);
    s[S_TEXT].sh_addr = (uintptr_t)g->first;
    s[S_TEXT].sh_size = (size_t)(g->end - g->first);
    put32(&g->frames, 0); /* the end */
    put(&file, &h, sizeof h);
    put(&file, s, sizeof s);
    add(&file, &s[S_FRAMES], g->frames.bytes, g->frames.used);
    add(&file, &s[S_SYMBOLS], g->symbols.bytes, g->symbols.used);
    add(&file, &s[S_NAMES], g->names.bytes, g->names.used);
    add(&file, &s[S_SECTIONS], section_names, sizeof section_names);
    memcpy(file.bytes + sizeof h, s, sizeof s);
    return file;
}

/* --- telling gdb ---------------------------------------------------------------------------------------------------- */

static void start_gathering(GdbJit *g)
{
    static const Elf64_Sym none;
    g->first = g->end = NULL;
    g->symbols.used = g->names.used = 0;
    put(&g->symbols, &none, sizeof none);
    put(&g->names, "", 1);
    start_frames(&g->frames);
}

static void tell(struct jit_code_entry *e, uint32_t action)
{
    __jit_debug_descriptor.relevant_entry = e;
    __jit_debug_descriptor.action_flag = action;
    __jit_debug_register_code();
    __jit_debug_descriptor.action_flag = JIT_NOACTION;
}

static void hand_over(GdbJit *g)
{
    struct jit_code_entry *e = calloc(1, sizeof *e);
    if (!e) abort();
    Text file = object_file(g);
    e->symfile_addr = (const char *)file.bytes;
    e->symfile_size = file.used;
    e->next_entry = __jit_debug_descriptor.first_entry;
    if (e->next_entry) e->next_entry->prev_entry = e;
    __jit_debug_descriptor.first_entry = e;
    tell(e, JIT_REGISTER_FN);
    start_gathering(g);
    g->last = host_ns();
}

void gdbjit_poll(GdbJit *g)
{
    if (g->first && host_ns() - g->last >= GATHER_NS) hand_over(g);
}

void gdbjit_note(GdbJit *g, const CodeStretch *code)
{
    Elf64_Sym s = { .st_name = (uint32_t)g->names.used,
                    .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                    .st_shndx = S_TEXT,
                    .st_value = (uintptr_t)code->start,
                    .st_size = code->size };
    if (!g->first) g->first = code->start;
    g->end = code->start + code->size;
    put(&g->symbols, &s, sizeof s);
    put(&g->names, code->name, strlen(code->name) + 1);
    put_frame(&g->frames, g->backend, code);
    gdbjit_poll(g);
}

void gdbjit_forget(GdbJit *g)
{
    struct jit_code_entry *e;
    while ((e = __jit_debug_descriptor.first_entry)) {
        __jit_debug_descriptor.first_entry = e->next_entry;
        if (e->next_entry) e->next_entry->prev_entry = NULL;
        tell(e, JIT_UNREGISTER_FN);
        free((void *)(uintptr_t)e->symfile_addr);
        free(e);
    }
    start_gathering(g);
}

GdbJit *gdbjit_open(const Backend *backend)
{
    GdbJit *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->backend = backend;
    g->last = host_ns();
    start_gathering(g);
    return g;
}

void gdbjit_close(GdbJit *g)
{
    if (!g) return;
    gdbjit_forget(g);
    free(g->symbols.bytes);
    free(g->names.bytes);
    free(g->frames.bytes);
    free(g);
}
