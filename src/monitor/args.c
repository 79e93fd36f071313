#include "monitor/args.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/expr.h"

typedef struct Parse {
    Args *a;
    const char *p;
    const CPUState *cpu;
    char *error;
    size_t error_size;
} Parse;

static bool fail(Parse *ps, const char *what)
{
    snprintf(ps->error, ps->error_size, "%s", what);
    return false;
}

static void skip_space(Parse *ps)
{
    while (isspace((unsigned char)*ps->p)) ps->p++;
}

/* Room for the longest rest of the line: text never fills up. */
static char *keep(Args *a, size_t len)
{
    char *t = a->text + a->used;
    if (a->used + len + 1 > sizeof a->text) return NULL;
    a->used += len + 1;
    return t;
}

static char unescape(char c)
{
    return c == 'n' ? '\n' : c == 'r' ? '\r' : c;
}

static bool take_quoted(Parse *ps, const char **word)
{
    char *t = keep(ps->a, strlen(ps->p));
    *word = t;
    if (!t) return fail(ps, "line too long");
    for (ps->p++; *ps->p && *ps->p != '"'; ps->p++) {
        if (*ps->p == '\\' && ps->p[1])
            ps->p++, *t++ = unescape(*ps->p);
        else
            *t++ = *ps->p;
    }
    *t = 0;
    if (!*ps->p) return fail(ps, "unterminated string");
    ps->p++;
    return true;
}

static bool take_word(Parse *ps, const char **word, bool to_end)
{
    if (*ps->p == '"' && !to_end) return take_quoted(ps, word);
    size_t len = 0;
    while (ps->p[len] && (to_end || !isspace((unsigned char)ps->p[len]))) len++;
    while (to_end && len && isspace((unsigned char)ps->p[len - 1])) len--;
    char *t = keep(ps->a, len);
    if (!t) return fail(ps, "line too long");
    memcpy(t, ps->p, len);
    t[len] = 0;
    *word = t;
    ps->p += len;
    return true;
}

static bool take_format(Parse *ps)
{
    Args *a = ps->a;
    a->count = -1;
    if (*ps->p != '/') return true;
    ps->p++;
    a->has_format = true;
    if (isdigit((unsigned char)*ps->p)) {
        char *end;
        unsigned long n = strtoul(ps->p, &end, 10);
        a->count = n > 65536 ? 65536 : (int)n;
        ps->p = end;
    }
    for (; *ps->p && !isspace((unsigned char)*ps->p); ps->p++) {
        if (strchr("oduxic", *ps->p))
            a->format = *ps->p;
        else if (strchr("bhwgl", *ps->p))
            a->size = *ps->p;
        else {
            snprintf(ps->error, ps->error_size, "invalid char in format: '%c'", *ps->p);
            return false;
        }
    }
    return true;
}

static bool take_flag(Parse *ps, char letter)
{
    if (ps->p[0] != '-' || ps->p[1] != letter || (ps->p[2] && !isspace((unsigned char)ps->p[2]))) return true;
    ps->p += 2;
    ps->a->flag = true;
    return true;
}

static bool take_argument(Parse *ps, char kind, bool optional)
{
    Args *a = ps->a;
    unsigned i = a->n++;
    if (!*ps->p) {
        if (optional) return true;
        return fail(ps, kind == 'l' ? "unexpected end of expression" : "argument expected");
    }
    a->given[i] = true;
    if (kind == 'l') return expr_eval(&ps->p, ps->cpu, &a->value[i], ps->error, ps->error_size);
    return take_word(ps, &a->word[i], kind == 'W');
}

bool args_parse(Args *a, const char *spec, const char *line, const CPUState *cpu, char *error, size_t error_size)
{
    Parse ps = { a, line, cpu, error, error_size };
    *a = (Args){ .count = -1 };
    for (; *spec; spec++) {
        bool good;
        skip_space(&ps);
        if (*spec == '/') {
            good = take_format(&ps);
        } else if (*spec == '-') {
            good = take_flag(&ps, *++spec);
        } else {
            good = take_argument(&ps, *spec, spec[1] == '?');
            if (spec[1] == '?') spec++;
        }
        if (!good) return false;
    }
    skip_space(&ps);
    return *ps.p ? fail(&ps, "extraneous characters at the end of line") : true;
}
