/* silicon: runs random 32-bit user-mode code on the host processor and in Calque and compares.
 *
 *   silicon [--seed N] [--cases N] [--sequences N] [--backend x86_64|window|interp|all] [--only MNEMONIC|HEXBYTES]
 *           [--set integer|fp|all] [--first N] [--case N] [--sequence N] [--limit N] [--verbose] [--coverage] [--known]
 *           [--world NAME] [--long-mode]
 *
 * Speaks TAP: one test per backend and kind, and one for coverage when all forms had a fair chance.  A mismatch is
 * printed as the command that makes it again, the instruction's bytes and the fields that differ.  Each case depends on
 * the seed and its number alone.  --coverage prints how often each form of the decoder's tables was tried, in which
 * guises, and what it raised; --known what may differ; --world runs single instructions in one set of segments only.
 * --long-mode has the host run the cases as 64-bit code (long_mode.h) even if it can run them as they are. */
#include "silicon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#if defined(__unix__)
#include <sys/time.h>
#endif

#include "../tap.h"
#include "coverage.h"
#include "known.h"
#include "tcg/ir.h"

typedef struct Options {
    uint64_t seed, first, cases, sequences, one;
    const char *backend, *only;
    Filter filter;
    bool one_case, one_sequence, verbose, coverage, long_mode;
    unsigned limit; /* mismatches to print */
} Options;

enum {
    CASES = CODE_SIZE / SLOT,
    SEQUENCES = CODE_SIZE / SEQ_SLOT - 1,
    RUNS = 3,
    ENOUGH_TO_COVER = 300000,
    LONG_MODE_PERCENT = 95
};

/* With sanitizers, which look for other mistakes than wrong results, a slice of the slice. */
#if defined(__SANITIZE_ADDRESS__)
enum { CASES_USUAL = 60000, SEQUENCES_USUAL = 2000 };
#else
enum { CASES_USUAL = 300000, SEQUENCES_USUAL = 10000 };
#endif

static Guest *guests[3];
static unsigned n_guests;
static uint64_t mismatches[3];
static Case batch[CASES];
static uint8_t code[CODE_SIZE];

/* --- a stuck case must not hang the test --------------------------------------------------------------- */

static void watchdog(unsigned seconds)
{
#if defined(__unix__)
    struct itimerval t = { .it_value.tv_sec = seconds };
    setitimer(ITIMER_PROF, &t, NULL); /* processor time: the host may be busy otherwise */
#else
    (void)seconds;
#endif
}

/* --- reports ------------------------------------------------------------------------------------------------- */

static void print_state(const Case *c)
{
    static const char *const name[8] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };
    printf("#   code");
    for (unsigned i = 0; i < c->len; i++) printf(" %02x", c->code[i]);
    printf("\n#   world %s, eip %08x, eflags %08x\n#  ", c->world->name, c->in.eip, c->in.eflags);
    for (unsigned i = 0; i < 8; i++) printf(" %s %08x", name[i], c->in.regs[i]);
    putchar('\n');
    for (unsigned i = 0; i < c->n_patch; i++) {
        printf("#   memory %08x:", c->patch[i].at);
        for (unsigned k = 0; k < c->patch[i].len; k++) printf(" %02x", c->patch[i].bytes[k]);
        putchar('\n');
    }
    if (!c->fp) return;
    printf("#   fcw %02x%02x fsw %02x%02x ftw %02x mxcsr %02x%02x\n", c->in.fx[1], c->in.fx[0], c->in.fx[3],
           c->in.fx[2], c->in.fx[4], c->in.fx[25], c->in.fx[24]);
    for (unsigned i = 0; i < 8; i++) {
        printf("#   st%u ", i);
        for (unsigned k = 10; k--;) printf("%02x", c->in.fx[32 + 16 * i + k]);
        printf("  xmm%u ", i);
        for (unsigned k = 16; k--;) printf("%02x", c->in.fx[160 + 16 * i + k]);
        putchar('\n');
    }
}

static void print_bytes(const Case *c)
{
    for (unsigned i = 0; i < c->len; i++) printf("%02x", c->code[i]);
}

static void report(const Options *o, const Case *c, Guest *g, const Outcome *native, const Outcome *calque,
                   const char *variant)
{
    printf("# MISMATCH: silicon --seed %llu --set %s --%s %llu --backend %s", (unsigned long long)o->seed,
           o->filter.only_fp ? "fp"
           : o->filter.fp    ? "all"
                             : "integer",
           c->single ? "case" : "sequence", (unsigned long long)c->number, guest_backend(g));
    if (o->only) printf(" --only %s", o->only);
    if (o->filter.world) printf(" --world %s", o->filter.world->name);
    printf("  # %s%s ", c->single ? mnemonic_name(c->insn.mn) : "block", variant);
    print_bytes(c);
    putchar('\n');
    compare(c, g, native, calque, true);
    if (o->verbose) print_state(c);
}

static void judge(const Options *o, const Case *c, unsigned gi, const Outcome *native, const char *variant)
{
    static Outcome calque, again;
    guest_run(guests[gi], c, &calque);
    if (compare(c, guests[gi], native, &calque, false)) return;
    if (native_long_mode()) { /* an interrupt of the host's may have cost NT, or x87's pointers: hardly twice */
        native_run(c, &again);
        if (compare(c, guests[gi], &again, &calque, false)) return;
        native = &again;
    }
    if (mismatches[gi]++ < o->limit) report(o, c, guests[gi], native, &calque, variant);
}

/* --- batches ----------------------------------------------------------------------------------------------------- */

static void write_code(const Case *cases, unsigned n)
{
    memset(code, 0xcc, sizeof code);
    for (unsigned i = 0; i < n; i++) {
        uint32_t at = cases[i].code_at - CODE_BASE, len = cases[i].len;
        if (at + len > CODE_SIZE) len = CODE_SIZE - at; /* runs off into the unmapped page */
        memcpy(code + at, cases[i].code, len);
    }
    native_write_code(code, cases, n);
    for (unsigned i = 0; i < n_guests; i++) guest_write_code(guests[i], 0, code, CODE_SIZE);
}

static void run_cases(const Options *o, const DecodeFeatures *feat, uint64_t first, unsigned n)
{
    static Outcome native;
    for (unsigned i = 0; i < n; i++) {
        Rng r = rng_for(o->seed, first + i);
        batch[i].number = first + i;
        generate_case(&r, &o->filter, feat, (unsigned)((first + i) % CASES), &batch[i]);
    }
    write_code(batch, n);
    watchdog(20);
    for (unsigned i = 0; i < n; i++) {
        if (o->verbose && o->one_case) print_state(&batch[i]), fflush(stdout);
        native_run(&batch[i], &native);
        coverage_count(&batch[i], &native);
        if (o->verbose && o->one_case) printf("# silicon: vector %u at %08x\n", native.vector, native.s.eip);
        for (unsigned g = 0; g < n_guests; g++) judge(o, &batch[i], g, &native, "");
    }
    watchdog(0);
}

/* Passes to switch off: none, all, or one by its number. */
enum { ALL_ON = -1, ALL_OFF = -2 };

static void switch_passes(int off, bool on)
{
    for (unsigned p = 0; p < ir_pass_count; p++)
        if (off == ALL_OFF || off == (int)p) ir_pass_enable(ir_passes[p].name, on);
}

/* Each block several times with new inputs, so that it runs chained as well. */
static void run_variant(const Options *o, int off, uint64_t first, unsigned n)
{
    static Outcome native;
    char variant[40] = "";
    if (off != ALL_ON)
        snprintf(variant, sizeof variant, " without %s", off == ALL_OFF ? "any pass" : ir_passes[off].name);
    switch_passes(off, false);
    for (unsigned g = 0; g < n_guests; g++) guest_flush(guests[g]);
    watchdog(20);
    for (unsigned i = 0; i < n; i++) {
        Rng r = rng_for(o->seed ^ 0x5eed, first + i);
        for (unsigned run = 0; run < RUNS; run++) {
            generate_sequence_input(&r, &batch[i]);
            native_run(&batch[i], &native);
            if (off == ALL_ON) coverage_count_sequence(&native);
            for (unsigned g = 0; g < n_guests; g++) judge(o, &batch[i], g, &native, variant);
        }
    }
    watchdog(0);
    switch_passes(off, true);
}

static void run_sequences(const Options *o, const DecodeFeatures *feat, uint64_t first, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        Rng r = rng_for(~o->seed, first + i);
        batch[i].number = first + i;
        generate_sequence(&r, feat, o->filter.fp, (unsigned)((first + i) % SEQUENCES), &batch[i]);
    }
    write_code(batch, n);
    for (int off = ALL_OFF; off < (int)ir_pass_count; off++) run_variant(o, off, first, n);
}

typedef void RunBatch(const Options *o, const DecodeFeatures *feat, uint64_t first, unsigned n);

static void run_all(const Options *o, const char *what, RunBatch *run, unsigned per_batch, uint64_t first,
                    uint64_t count)
{
    DecodeFeatures feat;
    guest_features(guests[0], &feat);
    memset(mismatches, 0, sizeof mismatches);
    for (uint64_t i = 0; i < count;) {
        uint64_t left = count - i, room = per_batch - (first + i) % per_batch;
        unsigned n = (unsigned)(left < room ? left : room);
        run(o, &feat, first + i, n);
        i += n;
    }
    for (unsigned g = 0; g < n_guests; g++)
        ok(mismatches[g] == 0, "%s: %llu %s, %llu mismatches", guest_backend(guests[g]), (unsigned long long)count,
           what, (unsigned long long)mismatches[g]);
}

/* --- command line ------------------------------------------------------------------------------------------------ */

static void usage(const char *what)
{
    fprintf(stderr, "silicon: bad option or value '%s'\n", what);
    exit(1);
}

static uint64_t number(const char *s)
{
    char *end;
    uint64_t v = strtoull(s, &end, 0);
    if (!*s || *end) usage(s);
    return v;
}

static void set_only(Options *o, const char *s)
{
    o->only = s;
    for (unsigned mn = 0; mn < MN_COUNT; mn++)
        if (!strcasecmp(s, mnemonic_name(mn))) {
            o->filter.mn = (uint16_t)mn;
            return;
        }
    size_t n = strlen(s);
    if (n % 2 || n / 2 > sizeof o->filter.bytes || strspn(s, "0123456789abcdefABCDEF") != n) usage(s);
    for (unsigned i = 0; i < n / 2; i++) sscanf(s + 2 * i, "%2hhx", &o->filter.bytes[i]);
    o->filter.n_bytes = (uint8_t)(n / 2);
}

static void set_world(Options *o, const char *s)
{
    for (unsigned i = 0; i < world_count; i++)
        if (!strcmp(worlds[i].name, s)) o->filter.world = &worlds[i];
    if (!o->filter.world) usage(s);
}

static void set_option(Options *o, const char *name, const char *value)
{
    if (!strcmp(name, "--seed"))
        o->seed = number(value);
    else if (!strcmp(name, "--first"))
        o->first = number(value);
    else if (!strcmp(name, "--cases"))
        o->cases = number(value);
    else if (!strcmp(name, "--sequences"))
        o->sequences = number(value);
    else if (!strcmp(name, "--backend"))
        o->backend = value;
    else if (!strcmp(name, "--only"))
        set_only(o, value);
    else if (!strcmp(name, "--world"))
        set_world(o, value);
    else if (!strcmp(name, "--limit"))
        o->limit = (unsigned)number(value);
    else if (!strcmp(name, "--case"))
        o->one = number(value), o->one_case = true;
    else if (!strcmp(name, "--sequence"))
        o->one = number(value), o->one_sequence = true;
    else if (!strcmp(name, "--set")) {
        o->filter.fp = strcmp(value, "integer") != 0;
        o->filter.only_fp = strcmp(value, "fp") == 0;
    } else
        usage(name);
}

static void parse(Options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--verbose")) {
            o->verbose = true;
        } else if (!strcmp(argv[i], "--coverage")) {
            o->coverage = true;
        } else if (!strcmp(argv[i], "--long-mode")) {
            o->long_mode = true;
        } else if (!strcmp(argv[i], "--known")) {
            known_print();
            undefined_print();
            exit(0);
        } else {
            if (i + 1 == argc) usage(argv[i]);
            set_option(o, argv[i], argv[i + 1]);
            i++;
        }
    }
}

static void make_guests(const Options *o)
{
    static const char *const names[3] = { "x86_64", "window", "interp" };
    char error[200] = "";
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(o->backend, "all") && strcmp(o->backend, names[i])) continue;
        guests[n_guests] = guest_new(names[i], error, sizeof error);
        if (!guests[n_guests]) {
            fprintf(stderr, "silicon: %s\n", error);
            exit(1);
        }
        n_guests++;
    }
    if (!n_guests) usage(o->backend);
}

/* A host in 64-bit mode judges fewer forms; how few is a test of its own, so that it does not shrink unseen. */
static void report_judge(const Options *o, const DecodeFeatures *feat)
{
    if (!native_long_mode()) return;
    FormsJudged n = coverage_judged(feat);
    printf("# judge: this host in 64-bit mode, %u of %u forms\n", n.judged, n.of);
    if (o->one_case || o->one_sequence) return;
    ok(n.judged * 100 >= n.of * LONG_MODE_PERCENT,
       "%u of %u forms can be judged in 64-bit mode, %u per cent are expected", n.judged, n.of, LONG_MODE_PERCENT);
}

int main(int argc, char **argv)
{
    Options o = { .seed = 1, .cases = CASES_USUAL, .sequences = SEQUENCES_USUAL, .backend = "all", .limit = 20 };
    const char *why = "";
    o.filter.mn = MN_COUNT;
    o.filter.fp = true;
    parse(&o, argc, argv);
    if (!native_init(o.long_mode, &why)) {
        printf("1..0 # SKIP %s\n", why);
        return 0;
    }
    make_guests(&o);
    DecodeFeatures feat;
    guest_features(guests[0], &feat);
    filter_prepare(&o.filter, &feat);
    report_judge(&o, &feat);
    if (o.one_case) run_all(&o, "case", run_cases, CASES, o.one, 1);
    if (o.one_sequence) run_all(&o, "sequence", run_sequences, SEQUENCES, o.one, 1);
    if (!o.one_case && !o.one_sequence) {
        if (o.cases) run_all(&o, "instructions", run_cases, CASES, o.first, o.cases);
        if (o.cases >= ENOUGH_TO_COVER && o.filter.fp && !o.filter.only_fp && !o.only && !o.filter.world)
            ok(coverage_complete(&feat), "every form that user mode can run is tried, and every fault raised");
        if (o.sequences) run_all(&o, "sequences", run_sequences, SEQUENCES, o.first, o.sequences);
    }
    if (o.coverage) coverage_print();
    native_print_unjudged();
    for (unsigned i = 0; i < n_guests; i++) {
        if (!strcmp(guest_backend(guests[i]), "window"))
            printf("# window: %llu host page faults\n", (unsigned long long)guest_window_faults(guests[i]));
        guest_free(guests[i]);
    }
    guest_free_native();
    return tap_done();
}
