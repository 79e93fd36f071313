/* Integer workloads. */
#include <stdlib.h>
#include <string.h>

#include "workload.h"

/* Registers only: two of ChaCha's quarter rounds a turn. */
static uint32_t alu(uint32_t times)
{
    uint32_t a = 0x61707865, b = 0x3320646e, c = 0x79622d32, d = 0x6b206574;
#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))
    for (uint32_t i = 0; i < times * 1000; i++) {
        a += b, d = ROTATE(d ^ a, 16);
        c += d, b = ROTATE(b ^ c, 12);
        a += b ^ i, d = ROTATE(d ^ a, 8);
        c += d, b = ROTATE(b ^ c, 7);
    }
    return a ^ b ^ c ^ d;
}

typedef struct Record {
    uint32_t key, value;
} Record;

static int by_key(const void *a, const void *b)
{
    const Record *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* The C library's sort: a call through a pointer for each comparison, and moves. */
static uint32_t sort(uint32_t times)
{
    enum { RECORDS = 20000 };
    Record *r = need_memory(RECORDS * sizeof *r);
    uint32_t state = 1, sum = 0;
    while (times--) {
        for (uint32_t i = 0; i < RECORDS; i++) r[i] = (Record){ next_random(&state), i };
        qsort(r, RECORDS, sizeof *r, by_key);
        for (uint32_t i = 0; i < RECORDS; i++) sum = sum * 31 + r[i].value;
    }
    free(r);
    return sum;
}

/* A table lookup for each byte: CRC-32C. */
static uint32_t crc(uint32_t times)
{
    enum { BYTES = 64 << 10 };
    static uint32_t table[256];
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78 : 0);
    }
    uint8_t *data = need_memory(BYTES);
    uint32_t state = 2, sum = 0;
    for (uint32_t i = 0; i < BYTES; i++) data[i] = (uint8_t)next_random(&state);
    while (times--) {
        sum = ~sum;
        for (uint32_t i = 0; i < BYTES; i++) sum = sum >> 8 ^ table[(sum ^ data[i]) & 0xff];
        sum = ~sum;
    }
    free(data);
    return sum;
}

typedef struct Node {
    struct Node *next;
    uint32_t number, unused[2];
} Node;

/* One round through a list that lies across 8 MiB at random: each step waits for the one before, and for the TLB. */
static uint32_t chase(uint32_t times)
{
    enum { NODES = (8 << 20) / sizeof(Node) };
    Node *node = need_memory(NODES * sizeof *node);
    uint32_t state = 3, sum = 0;
    for (uint32_t i = 0; i < NODES; i++) node[i] = (Node){ &node[i], i, { 0 } };
    for (uint32_t i = NODES - 1; i; i--) { /* one cycle of all: Sattolo */
        uint32_t j = next_random(&state) % i;
        Node *next = node[i].next;
        node[i].next = node[j].next;
        node[j].next = next;
    }
    const Node *at = node;
    for (uint32_t i = 0; i < times * 1000; i++) {
        sum += at->number;
        at = at->next;
    }
    free(node);
    return sum;
}

/* Integer matrix product: two loads, a multiplication, an addition. */
static uint32_t matmul(uint32_t times)
{
    enum { N = 96 };
    static int32_t a[N][N], b[N][N], c[N][N];
    uint32_t state = 4, sum = 0;
    for (int i = 0; i < N * N; i++) {
        a[i / N][i % N] = (int32_t)(next_random(&state) & 0xffff);
        b[i / N][i % N] = (int32_t)(next_random(&state) & 0xffff);
    }
    while (times--) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                uint32_t s = 0;
                for (int k = 0; k < N; k++) s += (uint32_t)a[i][k] * (uint32_t)b[k][j];
                c[i][j] = (int32_t)s;
            }
        a[1][2] = c[3][4];
        sum += (uint32_t)c[times % N][5];
    }
    return sum;
}

/* Greatest common divisors: 32-bit divisions, and 64-bit ones by the compiler's helper. */
static uint32_t division(uint32_t times)
{
    uint32_t state = 5, sum = 0;
    for (uint32_t i = 0; i < times * 100; i++) {
        uint32_t x = next_random(&state), y = next_random(&state) >> 8;
        uint64_t n = (uint64_t)x << 32 | y;
        while (y) {
            uint32_t rest = x % y;
            x = y;
            y = rest;
        }
        sum += x + (uint32_t)(n / (x + 12345));
    }
    return sum;
}

/* Takeuchi's function: next to nothing but calls and returns. */
static __attribute__((noinline)) int32_t tak(int32_t x, int32_t y, int32_t z)
{
    HIDE(x);
    return y < x ? tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)) : z;
}

static uint32_t calls(uint32_t times)
{
    uint32_t sum = 0;
    while (times--) sum += (uint32_t)tak(12, 8, (int32_t)(times & 3));
    return sum;
}

#define STEP(name, expression)                                                                                         \
    static __attribute__((noinline)) uint32_t name(uint32_t x)                                                         \
    {                                                                                                                  \
        return expression;                                                                                             \
    }
STEP(step_half, x >> 1)
STEP(step_grow, x * 3 + 1)
STEP(step_turn, x << 9 | x >> 23)
STEP(step_mask, x ^ 0x55aa55aa)
STEP(step_down, x - 0x1234567)

/* Calls through a table, in an order that cannot be predicted. */
static uint32_t indirect(uint32_t times)
{
    static uint32_t (*volatile const steps[])(uint32_t) = { step_half, step_grow, step_turn, step_mask,
                                                            step_down, step_grow, step_turn, step_mask };
    uint32_t x = 27;
    for (uint32_t i = 0; i < times * 1000; i++) x = steps[(x ^ i) & 7](x);
    return x;
}

enum { OP_PUSH, OP_LOAD, OP_STORE, OP_ADD, OP_MUL, OP_XOR, OP_LESS, OP_JUMP_IF, OP_DROP, OP_END };

/* A bytecode interpreter for a stack machine, which runs a loop of 17 instructions. */
static uint32_t interpret(const uint8_t *code, uint32_t limit)
{
    uint32_t stack[16], var[4] = { 0, 1, limit, 0 }, *top = stack;
    for (const uint8_t *pc = code;;) {
        switch (*pc++) {
        case OP_PUSH: *top++ = *pc++; break;
        case OP_LOAD: *top++ = var[*pc++]; break;
        case OP_STORE: var[*pc++] = *--top; break;
        case OP_ADD: top--, top[-1] += top[0]; break;
        case OP_MUL: top--, top[-1] *= top[0]; break;
        case OP_XOR: top--, top[-1] ^= top[0]; break;
        case OP_LESS: top--, top[-1] = top[-1] < top[0]; break;
        case OP_JUMP_IF: pc = *--top ? code + *pc : pc + 1; break;
        case OP_DROP: top--; break;
        default: return var[1];
        }
    }
}

static uint32_t bytecode(uint32_t times)
{
    static const uint8_t code[] = {
        OP_LOAD, 1,       OP_PUSH, 33, OP_MUL,  OP_LOAD,    0, OP_XOR,  OP_STORE, 1,
        OP_LOAD, 0,       OP_PUSH, 1,  OP_ADD,  OP_STORE,   0, OP_LOAD, 0,        OP_LOAD,
        3,       OP_DROP, OP_LOAD, 2,  OP_LESS, OP_JUMP_IF, 0, OP_END,
    };
    return interpret(code, times * 100);
}

/* The C library's string functions on a text of short words. */
static uint32_t strings(uint32_t times)
{
    enum { BYTES = 8 << 10 };
    char *text = need_memory(BYTES);
    uint32_t state = 6, sum = 0;
    for (uint32_t i = 0; i < BYTES - 1; i++) {
        uint32_t r = next_random(&state) >> 9;
        text[i] = r % 6 ? (char)('a' + r % 26) : ' ';
    }
    text[BYTES - 1] = 0;
    while (times--) {
        text[BYTES - 2] = (char)('A' + (times & 15));
        sum += (uint32_t)strlen(text) + (uint32_t)strcspn(text, "A") + (uint32_t)(strchr(text, text[BYTES - 2]) - text);
        for (const char *word = text; (word = strchr(word, ' ')); word++)
            sum += (uint32_t)strncmp(word, " zeal", 3) & 1;
    }
    free(text);
    return sum;
}

const Workload integer_workloads[] = {
    { "alu", "integer", alu, 15000 },
    { "sort", "integer", sort, 20 },
    { "crc", "integer", crc, 400 },
    { "chase", "integer", chase, 2000 },
    { "matmul", "integer", matmul, 240 },
    { "div", "integer", division, 6000 },
    { "calls", "integer", calls, 500 },
    { "indirect", "integer", indirect, 40000 },
    { "bytecode", "integer", bytecode, 20000 },
    { "strings", "integer", strings, 5000 },
    { 0 },
};
