/* What a run of explain's code changed. */
#include <stdio.h>
#include <string.h>

#include "cli/explain.h"
#include "cpu/cpu.h"
#include "tcg/ir.h"

void explain_state_take(ExplainState *s, void *opaque)
{
    CPUState *cpu = opaque;
    if (cpu->fpu_sync_out) cpu->fpu_sync_out(cpu);
    memcpy(s->regs, cpu->regs, sizeof s->regs);
    s->eip = cpu->eip;
    s->eflags = cpu_get_eflags(cpu);
    s->fpu_sw = cpu->fpu.sw;
    for (unsigned i = 0; i < 8; i++) {
        const Fp80 *st = &cpu->fpu.r[((cpu->fpu.sw >> 11 & 7) + i) & 7];
        s->mm[i] = st->mant;
        s->st_top[i] = st->se;
        memcpy(s->xmm[i], cpu->fpu.xmm[i].q, sizeof s->xmm[i]);
    }
}

static const char *changed(bool yes)
{
    return yes ? "  changed" : "";
}

static void flags_text(char buf[8], uint32_t fl)
{
    static const struct {
        uint32_t bit;
        char letter;
    } all[] = { { FL_DF, 'D' }, { FL_OF, 'O' }, { FL_SF, 'S' }, { FL_ZF, 'Z' },
                { FL_AF, 'A' }, { FL_PF, 'P' }, { FL_CF, 'C' } };
    for (unsigned i = 0; i < 7; i++) buf[i] = fl & all[i].bit ? all[i].letter : '-';
    buf[7] = '\0';
}

static void print_units(const ExplainState *a, const ExplainState *b)
{
    for (unsigned i = 0; i < 8; i++) {
        if (a->mm[i] == b->mm[i] && a->st_top[i] == b->st_top[i]) continue;
        printf("st%u      %04x %016llx  %04x %016llx%s\n", i, a->st_top[i], (unsigned long long)a->mm[i], b->st_top[i],
               (unsigned long long)b->mm[i], changed(true));
    }
    for (unsigned i = 0; i < 8; i++) {
        if (!memcmp(a->xmm[i], b->xmm[i], sizeof a->xmm[i])) continue;
        printf("xmm%u     %016llx%016llx  %016llx%016llx%s\n", i, (unsigned long long)a->xmm[i][1],
               (unsigned long long)a->xmm[i][0], (unsigned long long)b->xmm[i][1], (unsigned long long)b->xmm[i][0],
               changed(true));
    }
}

void explain_state_print(const ExplainState *a, const ExplainState *b)
{
    char name[8], fa[8], fb[8];
    printf("%-8s %-9s %s\n", "", "before", "after");
    for (unsigned r = 0; r < 8; r++)
        printf("%-8s %08x  %08x%s\n", ir_reg_text(name, r), a->regs[r], b->regs[r], changed(a->regs[r] != b->regs[r]));
    printf("%-8s %08x  %08x%s\n", "eip", a->eip, b->eip, changed(a->eip != b->eip));
    flags_text(fa, a->eflags);
    flags_text(fb, b->eflags);
    printf("%-8s %-8s  %-8s%s\n", "flags", fa, fb, changed(strcmp(fa, fb) != 0));
    print_units(a, b);
}

enum { MEMORY_LINES = 32, PER_LINE = 16 };

static uint8_t original(const ExplainOptions *o, const ExplainCode *code, uint32_t at)
{
    return at - o->base < code->size ? code->bytes[at - o->base] : 0;
}

static bool word_changed(const uint8_t *memory, const ExplainOptions *o, const ExplainCode *code, uint32_t at)
{
    for (uint32_t i = 0; i < 4; i++)
        if (memory[at + i] != original(o, code, at + i)) return true;
    return false;
}

/* n bytes, a multiple of 4. */
static void memory_line(const uint8_t *memory, const ExplainOptions *o, const ExplainCode *code, uint32_t at,
                        uint32_t n)
{
    printf("memory   %08x ", at);
    for (uint32_t i = 0; i < n; i++) printf(" %02x", original(o, code, at + i));
    printf("  ->");
    for (uint32_t i = 0; i < n; i++) printf(" %02x", memory[at + i]);
    putchar('\n');
}

void explain_memory_print(const uint8_t *memory, const ExplainOptions *o, const ExplainCode *code)
{
    unsigned lines = 0, more = 0;
    for (uint32_t at = 0, n; at < EXPLAIN_RAM; at += n ? n : 4) {
        for (n = 0; n < PER_LINE && at + n < EXPLAIN_RAM && word_changed(memory, o, code, at + n);) n += 4;
        if (n && lines++ < MEMORY_LINES)
            memory_line(memory, o, code, at, n);
        else
            more += n;
    }
    if (more) printf("memory   and %u more bytes\n", more);
}
