/* calque report --dot: the hottest blocks, or functions, and how one leads to another, for Graphviz. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "util/die.h"

/* A node: a block, a function, or a page of code that has no names. */
typedef struct Node {
    uint64_t key;
    uint32_t first; /* block made first */
    uint32_t blocks, samples;
    uint64_t callouts;
    bool gone; /* all of it */
} Node;

typedef struct Graph {
    const Report *r;
    bool functions;
    Node *node; /* hottest first */
    uint32_t n;
    uint32_t *of;  /* by block: its node; n: none */
    uint32_t most; /* samples of a node */
} Graph;

/* What is drawn between two nodes. */
typedef struct Line {
    uint32_t from, to, kind;
    bool gone;
} Line;

static void *table(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);
    if (!p) die("report: out of memory");
    return p;
}

static uint64_t key_of(const Graph *g, uint32_t block)
{
    const ReportBlock *b = &g->r->block[block];
    if (!g->functions) return block;
    return b->symbol ? b->symbol : UINT64_C(1) << 32 | b->lin >> 12;
}

typedef struct Keyed {
    uint64_t key;
    uint32_t block;
} Keyed;

static int by_key(const void *a, const void *b)
{
    const Keyed *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->block > y->block) - (x->block < y->block);
}

static int by_heat(const void *a, const void *b)
{
    const Node *x = a, *y = b;
    if (x->samples != y->samples) return x->samples < y->samples ? 1 : -1;
    if (x->callouts != y->callouts) return x->callouts < y->callouts ? 1 : -1;
    return (x->first > y->first) - (x->first < y->first);
}

static void add_block(Node *n, const ReportBlock *b)
{
    n->blocks++;
    n->samples += b->samples;
    n->callouts += b->callouts;
    n->gone &= b->gone != REPORT_NONE;
}

static int node_by_key(const void *key, const void *node)
{
    uint64_t k = *(const uint64_t *)key, n = ((const Node *)node)->key;
    return (k > n) - (k < n);
}

static int nodes_by_key(const void *a, const void *b)
{
    return node_by_key(&((const Node *)a)->key, b);
}

/* All nodes, of which the hottest stay. */
static void make_nodes(Graph *g, uint32_t most)
{
    const Report *r = g->r;
    Keyed *k = table(r->n_block, sizeof *k);
    g->node = table(r->n_block, sizeof *g->node);
    for (uint32_t i = 0; i < r->n_block; i++) k[i] = (Keyed){ key_of(g, i), i };
    qsort(k, r->n_block, sizeof *k, by_key);
    for (uint32_t i = 0; i < r->n_block; i++) {
        if (!i || k[i].key != k[i - 1].key)
            g->node[g->n++] = (Node){ .key = k[i].key, .first = k[i].block, .gone = true };
        add_block(&g->node[g->n - 1], &r->block[k[i].block]);
    }
    free(k);
    qsort(g->node, g->n, sizeof *g->node, by_heat);
    if (g->n > most) g->n = most;
    for (uint32_t i = 0; i < g->n; i++)
        if (g->node[i].samples > g->most) g->most = g->node[i].samples;
    qsort(g->node, g->n, sizeof *g->node, nodes_by_key);
    g->of = table(r->n_block, sizeof *g->of);
    for (uint32_t i = 0; i < r->n_block; i++) {
        uint64_t key = key_of(g, i);
        const Node *n = g->n ? bsearch(&key, g->node, g->n, sizeof *n, node_by_key) : NULL;
        g->of[i] = n ? (uint32_t)(n - g->node) : g->n;
    }
}

/* --- lines ------------------------------------------------------------------------------------------------------ */

static int by_ends(const void *a, const void *b)
{
    const Line *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    if (x->to != y->to) return x->to < y->to ? -1 : 1;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return x->gone - y->gone;
}

static uint32_t make_lines(const Graph *g, Line **out)
{
    const Report *r = g->r;
    Line *line = table(r->n_edge, sizeof *line);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_edge; i++) {
        const ReportEdge *e = &r->edge[i];
        uint32_t from = g->of[e->from], to = g->of[e->to];
        if (from == g->n || to == g->n || (g->functions && from == to)) continue;
        line[n++] = (Line){ from, to, e->kind, e->until != REPORT_NONE };
    }
    qsort(line, n, sizeof *line, by_ends);
    *out = line;
    return n;
}

static void put_line(const Graph *g, const Line *l, uint32_t times, FILE *out)
{
    static const char *const style[EDGE_KINDS] = {
        [EDGE_NEXT] = "",
        [EDGE_TAKEN] = ", label=\"taken\"",
        [EDGE_NOT_TAKEN] = "",
        [EDGE_CALL] = ", color=\"#2060c0\", label=\"call\"",
        [EDGE_BACK] = ", color=\"#909090\", label=\"back\"",
        [EDGE_LOOKUP] = ", style=dashed, color=\"#a040a0\"",
        [EDGE_RETURN] = ", style=dashed, color=\"#608030\"",
    };
    fprintf(out, "  n%u -> n%u [penwidth=%.1f%s%s];\n", l->from, l->to, g->functions && times > 1 ? 2.0 : 1.0,
            style[l->kind], l->gone ? ", arrowhead=open" : "");
}

static void put_lines(const Graph *g, FILE *out)
{
    Line *line;
    uint32_t n = make_lines(g, &line), times = 0;
    for (uint32_t i = 0; i < n; i++) {
        times++;
        /* one that is there now stands for those that are gone */
        bool last = i + 1 == n || line[i + 1].from != line[i].from || line[i + 1].to != line[i].to ||
                    line[i + 1].kind != line[i].kind;
        if (!last) continue;
        put_line(g, &line[i + 1 - times], times, out);
        times = 0;
    }
    free(line);
}

/* --- nodes -------------------------------------------------------------------------------------------------------- */

/* As text of a label between quotes: names may hold anything that can be printed. */
static void put_name(FILE *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') putc('\\', out);
        putc((unsigned char)*s < 0x80 ? *s : '?', out);
    }
}

static void put_node(const Graph *g, uint32_t i, FILE *out)
{
    const Node *n = &g->node[i];
    const ReportBlock *b = &g->r->block[n->first];
    char name[160];
    double heat = g->most ? (double)n->samples / g->most : 0;
    fprintf(out, "  n%u [label=\"", i);
    report_symbol_text(name, sizeof name, g->r, b);
    if (!g->functions)
        fprintf(out, "%08x", b->eip);
    else if (!b->symbol)
        fprintf(out, "page %08x", b->lin & ~0xfffu);
    if (g->functions && b->symbol) snprintf(name, sizeof name, "%s", g->r->symbol[b->symbol]);
    if (*name) {
        if (!g->functions) fputs("\\n", out);
        put_name(out, name);
    }
    if (g->functions)
        fprintf(out, "\\n%u blocks", n->blocks);
    else
        fprintf(out, "\\n%u instructions, %u -> %u bytes", b->guest_insns, b->guest_bytes, b->host_bytes);
    if (n->samples) fprintf(out, "\\n%u samples", n->samples);
    if (n->callouts) fprintf(out, "\\n%" PRIu64 " callouts", n->callouts);
    /* from white to red; HSV */
    fprintf(out, "\", fillcolor=\"0.02 %.3f 1.0\"%s];\n", heat * 0.7, n->gone ? ", style=\"filled,dashed\"" : "");
}

void report_dot(const Report *r, const ReportOptions *o, FILE *out)
{
    Graph g = { .r = r, .functions = o->functions };
    make_nodes(&g, o->nodes);
    fputs("digraph calque {\n  node [shape=box, style=filled, fontname=\"monospace\", fontsize=9];\n"
          "  edge [fontname=\"monospace\", fontsize=8];\n",
          out);
    for (uint32_t i = 0; i < g.n; i++) put_node(&g, i, out);
    put_lines(&g, out);
    fputs("}\n", out);
    free(g.of);
    free(g.node);
}
