#include "monitor/expr.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

typedef struct Expr {
    const char *p;
    const CPUState *cpu;
    const char *error; /* the first one */
    char name[16];     /* what error is about, or empty */
    int depth;
} Expr;

static uint64_t sum(Expr *e);

static uint64_t bad(Expr *e, const char *what)
{
    if (!e->error) e->error = what;
    return 0;
}

static void next(Expr *e)
{
    e->p++;
    while (isspace((unsigned char)*e->p)) e->p++;
}

/* --- registers ------------------------------------------------------------------------------------------------ */

typedef enum RegKind { REG_GPR, REG_EIP, REG_EFLAGS, REG_SEG, REG_BASE, REG_CR, REG_GDT, REG_IDT, REG_CPL } RegKind;
static const struct {
    const char *name;
    uint8_t kind, n;
} registers[] = {
    { "eax", REG_GPR, R_EAX },
    { "ecx", REG_GPR, R_ECX },
    { "edx", REG_GPR, R_EDX },
    { "ebx", REG_GPR, R_EBX },
    { "esp", REG_GPR, R_ESP },
    { "ebp", REG_GPR, R_EBP },
    { "esi", REG_GPR, R_ESI },
    { "edi", REG_GPR, R_EDI },
    { "sp", REG_GPR, R_ESP },
    { "fp", REG_GPR, R_EBP },
    { "eip", REG_EIP, 0 },
    { "pc", REG_EIP, 0 },
    { "eflags", REG_EFLAGS, 0 },
    { "es", REG_SEG, SEG_ES },
    { "cs", REG_SEG, SEG_CS },
    { "ss", REG_SEG, SEG_SS },
    { "ds", REG_SEG, SEG_DS },
    { "fs", REG_SEG, SEG_FS },
    { "gs", REG_SEG, SEG_GS },
    { "es.base", REG_BASE, SEG_ES },
    { "cs.base", REG_BASE, SEG_CS },
    { "ss.base", REG_BASE, SEG_SS },
    { "ds.base", REG_BASE, SEG_DS },
    { "fs.base", REG_BASE, SEG_FS },
    { "gs.base", REG_BASE, SEG_GS },
    { "cr0", REG_CR, 0 },
    { "cr2", REG_CR, 2 },
    { "cr3", REG_CR, 3 },
    { "cr4", REG_CR, 4 },
    { "gdtr", REG_GDT, 0 },
    { "idtr", REG_IDT, 0 },
    { "cpl", REG_CPL, 0 },
};

static uint32_t read_register(const CPUState *cpu, RegKind kind, unsigned n)
{
    const uint32_t cr[] = { cpu->cr0, 0, cpu->cr2, cpu->cr3, cpu->cr4 };
    switch (kind) {
    case REG_GPR: return cpu->regs[n];
    case REG_EIP: return cpu->seg[SEG_CS].base + cpu->eip; /* where it is in memory, so that x/i $pc works */
    case REG_EFLAGS: return cpu_get_eflags(cpu);
    case REG_SEG: return cpu->seg[n].sel;
    case REG_BASE: return cpu->seg[n].base;
    case REG_CR: return cr[n];
    case REG_GDT: return cpu->gdt.base;
    case REG_IDT: return cpu->idt.base;
    case REG_CPL: return cpu_cpl(cpu);
    }
    return 0;
}

static uint64_t named(Expr *e)
{
    size_t n = 0;
    for (e->p++; isalnum((unsigned char)*e->p) || *e->p == '.' || *e->p == '_'; e->p++)
        if (n + 1 < sizeof e->name) e->name[n++] = *e->p;
    e->name[n] = 0;
    while (isspace((unsigned char)*e->p)) e->p++;
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++)
        if (strcmp(registers[i].name, e->name) == 0)
            return read_register(e->cpu, (RegKind)registers[i].kind, registers[i].n);
    return bad(e, "unknown register");
}

/* --- grammar --------------------------------------------------------------------------------------------------- */

static uint64_t number(Expr *e)
{
    char *end;
    errno = 0;
    uint64_t v = strtoull(e->p, &end, 0);
    if (errno == ERANGE) return bad(e, "number too large");
    if (end == e->p) return bad(e, "invalid char in expression");
    e->p = end;
    while (isspace((unsigned char)*e->p)) e->p++;
    return v;
}

static uint64_t character(Expr *e)
{
    e->p++;
    if (!*e->p) return bad(e, "character constant expected");
    uint64_t v = (unsigned char)*e->p++;
    if (*e->p != '\'') return bad(e, "missing terminating ' character");
    next(e);
    return v;
}

static uint64_t primary(Expr *e)
{
    uint64_t v;
    switch (*e->p) {
    case 0: return bad(e, "unexpected end of expression");
    case '\'': return character(e);
    case '$': return named(e);
    case '(':
        next(e);
        v = sum(e);
        if (*e->p != ')') return bad(e, "')' expected");
        next(e);
        return v;
    default:
        if (!isdigit((unsigned char)*e->p)) return bad(e, "invalid char in expression");
        return number(e);
    }
}

static uint64_t unary(Expr *e)
{
    char op = *e->p;
    if (op != '+' && op != '-' && op != '~') return primary(e);
    if (++e->depth > DEPTH_MAX) return bad(e, "expression too deep");
    next(e);
    uint64_t v = unary(e);
    e->depth--;
    return op == '-' ? 0 - v : op == '~' ? ~v : v;
}

static uint64_t divide(Expr *e, char op, uint64_t a, uint64_t b)
{
    if (!b) return bad(e, "division by zero");
    if (b == UINT64_MAX) return op == '/' ? 0 - a : 0; /* INT64_MIN / -1 */
    return op == '/' ? (uint64_t)((int64_t)a / (int64_t)b) : (uint64_t)((int64_t)a % (int64_t)b);
}

static uint64_t product(Expr *e)
{
    uint64_t v = unary(e);
    for (char op; !e->error && ((op = *e->p) == '*' || op == '/' || op == '%');) {
        next(e);
        uint64_t b = unary(e);
        v = op == '*' ? v * b : divide(e, op, v, b);
    }
    return v;
}

static uint64_t logic(Expr *e)
{
    uint64_t v = product(e);
    for (char op; !e->error && ((op = *e->p) == '&' || op == '|' || op == '^');) {
        next(e);
        uint64_t b = product(e);
        v = op == '&' ? v & b : op == '|' ? v | b : v ^ b;
    }
    return v;
}

static uint64_t sum(Expr *e)
{
    if (++e->depth > DEPTH_MAX) return bad(e, "expression too deep");
    uint64_t v = logic(e);
    for (char op; !e->error && ((op = *e->p) == '+' || op == '-');) {
        next(e);
        uint64_t b = logic(e);
        v = op == '+' ? v + b : v - b;
    }
    e->depth--;
    return v;
}

bool expr_eval(const char **text, const CPUState *cpu, int64_t *value, char *error, size_t error_size)
{
    Expr e = { .p = *text, .cpu = cpu };
    while (isspace((unsigned char)*e.p)) e.p++;
    *value = (int64_t)sum(&e);
    *text = e.p;
    if (e.error) snprintf(error, error_size, "%s%s%s", e.error, e.name[0] ? ": $" : "", e.name);
    return !e.error;
}
