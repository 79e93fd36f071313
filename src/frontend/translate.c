/* The translator's main loop: fetch, decode, hand to the instruction's visitor, until the block ends; then ask the
 * look-ahead which flags the successors need. */
#include "frontend/translate.h"

#include <string.h>

#include "frontend/translate_flags.h"
#include "frontend/translate_internal.h"

/* --- features: SDM 2A, CPUID leaf 1 ----------------------------------------------------------------- */

void decode_features_from_cpu(DecodeFeatures *f, const CPUState *cpu)
{
    uint32_t edx = cpu->feat_1_edx, ecx = cpu->feat_1_ecx;

    *f = (DecodeFeatures){
        .fpu = edx & 1,
        .tsc = edx >> 4 & 1,
        .msr = edx >> 5 & 1,
        .cx8 = edx >> 8 & 1,
        .sep = edx >> 11 & 1,
        .cmov = edx >> 15 & 1,
        .clfsh = edx >> 19 & 1,
        .mmx = edx >> 23 & 1,
        .fxsr = edx >> 24 & 1,
        .sse = edx >> 25 & 1,
        .sse2 = edx >> 26 & 1,
        .sse3 = ecx & 1,
        .monitor = ecx >> 3 & 1,
        .ssse3 = ecx >> 9 & 1,
        .sse41 = ecx >> 19 & 1,
        .sse42 = ecx >> 20 & 1,
        .crc32_is_sse42 = ecx >> 20 & 1,
        .movbe = ecx >> 22 & 1,
        .popcnt = ecx >> 23 & 1,
        .rdrand = ecx >> 30 & 1,
        .smap = cpu->feat_7_ebx >> 20 & 1,
        .syscall = cpu->feat_ext_edx >> 11 & 1,
        .nopl = edx >> 15 & 1, /* no bit of its own: came with CMOV in the P6 */
        .i486 = true,          /* every model here has CPUID */
    };
}

/* There is one machine thread, and features change only with the model. */
const DecodeFeatures *tr_features(const CPUState *cpu)
{
    static DecodeFeatures feat;
    static uint32_t key[5];
    static bool valid;
    uint32_t now[5] = { cpu->feat_1_edx, cpu->feat_1_ecx, cpu->feat_7_ebx, cpu->feat_ext_edx, cpu->feat_ext_ecx };

    if (!valid || memcmp(now, key, sizeof key) != 0) {
        decode_features_from_cpu(&feat, cpu);
        memcpy(key, now, sizeof key);
        valid = true;
    }
    return &feat;
}

/* --- fetching ----------------------------------------------------------------------------------------- */

enum { FETCH_OK, FETCH_LIMIT /* #GP(0): CS limit, or over 15 bytes */, FETCH_FAULT /* the next page faults */ };

typedef struct Fetch {
    const CodeSource *src;
    const DecodeFeatures *feat;
    uint32_t offset;   /* of the instruction, from the start of page0 */
    unsigned examined; /* bytes looked at when the result is FETCH_LIMIT */
} Fetch;

static uint32_t code_end(const CodeSource *src)
{
    return src->end ? src->end : PAGE_SIZE;
}

/* An instruction that runs over the end of page0. */
static int fetch_crossing(Fetch *f, uint64_t to_limit, bool code32, Insn *in)
{
    uint8_t buf[DECODE_MAX];
    uint32_t head = PAGE_SIZE - f->offset;
    const uint8_t *page1 = f->src->next_page ? f->src->next_page(f->src->opaque) : NULL;

    if (!page1) return FETCH_FAULT;
    memcpy(buf, f->src->page0 + f->offset, head);
    memcpy(buf + head, page1, DECODE_MAX - head);
    f->examined = to_limit < DECODE_MAX ? (unsigned)to_limit : DECODE_MAX;
    return decode(buf, f->examined, code32, f->feat, in) > 0 ? FETCH_OK : FETCH_LIMIT;
}

static int fetch(Fetch *f, const Tr *t, Insn *in)
{
    uint32_t in_page = PAGE_SIZE - f->offset;
    uint64_t to_limit = t->eip > t->cs_limit ? 0 : (uint64_t)t->cs_limit - t->eip + 1;
    unsigned avail = in_page < DECODE_MAX ? in_page : DECODE_MAX;
    bool code32 = (t->mode & MODE_CS32) != 0;

    if (to_limit < avail) avail = (unsigned)to_limit;
    f->examined = avail;
    if (avail == 0) return FETCH_LIMIT;
    int len = decode(f->src->page0 + f->offset, avail, code32, f->feat, in);
    if (len > 0) return FETCH_OK;
    if (len == 0 && avail == in_page && to_limit > in_page) return fetch_crossing(f, to_limit, code32, in);
    return FETCH_LIMIT;
}

/* --- the loop ------------------------------------------------------------------------------------------- */

static void mark(Tr *t, unsigned len)
{
    IrInsn *i = ir_emit(t->b, IR_MARK, 4);
    i->target[0] = t->eip;
    i->target[1] = len;
    t->next = t->eip + len;
    t->b->size += len;
    t->b->n_guest++;
}

static void visit(Tr *t, const Insn *in)
{
    const TrEntry *e = &tr_table[in->mn];

    mark(t, in->len);
    if (!e->visit) {
        tr_ud(t);
        return;
    }
    t->op = (IrOp)e->op;
    e->visit(t, in);
}

/* Flags live behind the block, from its direct successors. */
static void look_ahead(Tr *t, Fetch *f, uint32_t page_eip)
{
    IrBlock *b = t->b;
    const IrInsn *end = &b->insn[b->n - 1];
    Window w = { .code = f->src->page0, .size = code_end(f->src), .eip0 = page_eip, .lo = code_end(f->src) };
    unsigned live = IR_FL_ALL, edge[2];

    w.code32 = (t->mode & MODE_CS32) != 0;
    b->fl_live_out = IR_FL_ALL;
    if (f->src->no_look_ahead) return;
    if (t->mode & MODE_SINGLE) return; /* every instruction's flags may be looked at */
    if (t->cpu->counting) return;      /* what an interrupt pushes shall not depend on where a deadline cut a block */
    switch (end->op) {
    case IR_GOTO:
    case IR_CALL: live = tr_flags_needed(&w, f->feat, end->target[0] - page_eip); break;
    case IR_JCC:
    case IR_JZ:
    case IR_JNZ:
        for (unsigned i = 0; i < 2; i++) edge[i] = tr_flags_needed(&w, f->feat, end->target[i] - page_eip);
        live = edge[0] | edge[1];
        for (unsigned i = 0; i < 2; i++) b->fl_dead_on[i] = (uint8_t)(live & ~edge[i]);
        break;
    default: break;
    }
    b->fl_live_out = (uint8_t)live;
    if (live != IR_FL_ALL || b->fl_dead_on[0] | b->fl_dead_on[1]) {
        b->look_lo = page_eip + w.lo;
        b->look_hi = page_eip + w.hi;
    }
}

static void start(Tr *t, IrBlock *b, CPUState *cpu)
{
    ir_block_reset(b);
    b->eip = cpu->eip;
    b->cs_base = cpu->seg[SEG_CS].base;
    b->mode = cpu->mode;
    b->mmu_idx = (uint8_t)cpu_mmu_idx(cpu);
    *t = (Tr){
        .b = b,
        .cpu = cpu,
        .mode = cpu->mode,
        .cs_limit = cpu->mode & MODE_FLAT_CS ? ~0u : cpu->seg[SEG_CS].limit,
        .eip = cpu->eip,
    };
}

enum TranslateResult translate_block(IrBlock *b, CPUState *cpu, const CodeSource *src, unsigned max_insns)
{
    Tr t;
    Fetch f = { .src = src, .feat = tr_features(cpu) };

    uint32_t end = code_end(src);
    start(&t, b, cpu);
    uint32_t first_offset = (b->cs_base + b->eip) & PAGE_MASK;
    if (src->soft_to > first_offset && src->soft_from < src->soft_to) {
        t.soft_from = src->soft_from > first_offset ? src->soft_from - first_offset : 0;
        t.soft_to = src->soft_to - first_offset;
    }
    if (max_insns > TRANSLATE_MAX_INSNS) max_insns = TRANSLATE_MAX_INSNS;
    if (max_insns == 0 || t.mode & MODE_SINGLE) max_insns = 1;

    while (!t.ended) {
        Insn in;
        f.offset = first_offset + b->size;
        bool first = b->n_guest == 0;
        int got = b->n_guest == max_insns || f.offset >= end ? -1 : fetch(&f, &t, &in);
        if (got == FETCH_OK) {
            t.last = t.cpu->counting && src->is_last && src->is_last(src->opaque, f.offset);
            t.more =
                !t.last && b->n_guest + 1 < max_insns && f.offset + in.len + DECODE_MAX <= end && t.cs_limit == ~0u;
            visit(&t, &in);
            if (t.poll_after == b->n_guest && !t.ended) tr_chkmode(&t);
            if (t.last && !t.ended) tr_goto(&t, t.next);
            t.eip = t.next;
        } else if (!first) {
            tr_goto(&t, t.eip);
        } else if (got == FETCH_FAULT) {
            return TRANSLATE_FAULT_NEXT_PAGE;
        } else {
            mark(&t, f.examined ? f.examined : 1);
            tr_gp0(&t);
        }
    }
    look_ahead(&t, &f, b->eip - first_offset);
    return TRANSLATE_OK;
}
