/* Drives a fuzz target without libFuzzer.
 *
 *      TARGET                    a test: the seeds, and mutations of them, TARGET's slice of inputs
 *      TARGET -n N [-s SEED]     the same with N inputs
 *      TARGET FILE...            these inputs, here and now: to repeat a finding
 *      TARGET -w FOLDER          writes the seeds there, and FOLDER.dict, for libFuzzer
 *
 * The test runs in a child process, so that a crash or a hang is a failed test that leaves its input behind. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "tap.h"

enum { MAX_SEEDS = 512, HANG_SECONDS = 30 };

typedef struct Input {
    uint8_t *data;
    size_t size;
} Input;
static Input seed[MAX_SEEDS];
static unsigned seeds;

static void keep_seed(const void *data, size_t size)
{
    if (seeds == MAX_SEEDS || size > fuzz_target.max_size) abort();
    seed[seeds] = (Input){ malloc(size + 1), size };
    memcpy(seed[seeds++].data, data, size);
}

/* --- mutation: splitmix64 -------------------------------------------------------------------------------- */

static uint64_t state;
static uint32_t below(uint32_t n)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(z >> 32) % n;
}

/* Room for n bytes at `at`, or for fewer. */
static size_t open_gap(Input *in, size_t at, size_t n)
{
    if (n > fuzz_target.max_size - in->size) n = fuzz_target.max_size - in->size;
    memmove(in->data + at + n, in->data + at, in->size - at);
    in->size += n;
    return n;
}

static void insert(Input *in, const void *bytes, size_t n)
{
    size_t at = below((uint32_t)in->size + 1);
    memcpy(in->data + at, bytes, open_gap(in, at, n));
}

static void overwrite(Input *in, const void *bytes, size_t n)
{
    if (n > in->size) return;
    memcpy(in->data + below((uint32_t)(in->size - n) + 1), bytes, n);
}

static const char *any_word(void)
{
    unsigned n = 0;
    while (fuzz_target.words && fuzz_target.words[n]) n++;
    return n ? fuzz_target.words[below(n)] : "\xff\xff\xff\xff";
}

static void mutate(Input *in)
{
    static const uint32_t edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, ~0u };
    const Input *other = &seed[below(seeds)];
    uint32_t number = edges[below(sizeof edges / sizeof *edges)];
    uint8_t noise[32];
    size_t at = in->size ? below((uint32_t)in->size) : 0, n = 1 + below(sizeof noise);
    for (unsigned i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)below(256);
    const char *word = any_word();
    switch (below(10)) {
    case 0:
    case 1:
        if (in->size) in->data[at] ^= (uint8_t)(1 << below(8));
        break;
    case 2:
    case 3:
        if (in->size) in->data[at] = noise[0];
        break;
    case 4: overwrite(in, &number, 1u << below(3)); break;
    case 5: insert(in, noise, n); break;
    case 6: insert(in, word, strlen(word)); break;
    case 7: overwrite(in, word, strlen(word)); break;
    case 8:
        if (n > in->size - at) n = in->size - at;
        memmove(in->data + at, in->data + at + n, in->size - at - n);
        in->size -= n;
        break;
    default:
        if (!other->size) break;
        at = below((uint32_t)other->size);
        insert(in, other->data + at, 1 + below((uint32_t)(other->size - at)));
        break;
    }
}

static void make_input(Input *in)
{
    if (below(16) == 0) {
        in->size = below((uint32_t)fuzz_target.max_size + 1);
        for (size_t i = 0; i < in->size; i++) in->data[i] = (uint8_t)below(256);
        return;
    }
    const Input *s = &seed[below(seeds)];
    memcpy(in->data, s->data, s->size);
    in->size = s->size;
    for (unsigned n = 1 + below(6); n--;) mutate(in);
}

/* --- the test -------------------------------------------------------------------------------------------- */

/* Seen by the parent when the child has gone: what it was working on. */
typedef struct Shared {
    size_t size;
    unsigned done;
    uint8_t data[];
} Shared;
static Shared *shared;

static void run_one(const Input *in)
{
    memcpy(shared->data, in->data, in->size);
    shared->size = in->size;
    uint8_t *copy = malloc(in->size ? in->size : 1); /* as long as it is, so that the sanitizer sees its end */
    memcpy(copy, in->data, in->size);
    alarm(HANG_SECONDS);
    LLVMFuzzerTestOneInput(copy, in->size);
    alarm(0);
    free(copy);
    shared->done++;
}

static void run_all(unsigned inputs)
{
    Input in = { .data = malloc(fuzz_target.max_size + 1) };
    for (unsigned i = 0; i < seeds; i++) run_one(&seed[i]);
    for (unsigned i = 0; i < inputs; i++) {
        make_input(&in);
        run_one(&in);
    }
    free(in.data);
}

static void save_input(void)
{
    char path[256];
    snprintf(path, sizeof path, "crash-%s-%u", fuzz_target.name, shared->done);
    FILE *f = fopen(path, "wb");
    if (f && fwrite(shared->data, 1, shared->size, f) == shared->size) diag("the input is in %s", path);
    if (f) fclose(f);
}

static int test(unsigned inputs)
{
    shared =
        mmap(NULL, sizeof *shared + fuzz_target.max_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return 2;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        run_all(inputs);
        exit(0);
    }
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    if (!ok(status == 0, "%s: %u seeds and %u mutations", fuzz_target.name, seeds, inputs)) {
        bool hang = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
        diag("input %u: %s, status %#x", shared->done, hang ? "hangs" : "fails", (unsigned)status);
        save_input();
    }
    return tap_done();
}

/* --- files ------------------------------------------------------------------------------------------------- */

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(fuzz_target.max_size + 1);
    if (!f) {
        perror(path);
        return 2;
    }
    size_t size = fread(data, 1, fuzz_target.max_size, f);
    fclose(f);
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    free(data);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    printf("%s: %zu bytes, nothing found\n", path, size);
    return 0;
}

static int write_dictionary(const char *folder)
{
    char path[512];
    snprintf(path, sizeof path, "%s.dict", folder);
    FILE *f = fopen(path, "w");
    if (!f) return perror(path), 2;
    for (unsigned i = 0; fuzz_target.words && fuzz_target.words[i]; i++) {
        fputc('"', f);
        for (const char *p = fuzz_target.words[i]; *p; p++) fprintf(f, "\\x%02x", (unsigned char)*p);
        fputs("\"\n", f);
    }
    return fclose(f) ? 2 : 0;
}

static int write_seeds(const char *folder)
{
    if (mkdir(folder, 0777) && errno != EEXIST) return perror(folder), 2;
    for (unsigned i = 0; i < seeds; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/seed-%03u", folder, i);
        FILE *f = fopen(path, "wb");
        if (!f || fwrite(seed[i].data, 1, seed[i].size, f) != seed[i].size || fclose(f)) return perror(path), 2;
    }
    return write_dictionary(folder);
}

int main(int argc, char **argv)
{
    unsigned inputs = fuzz_target.slice;
    const char *folder = NULL;
    for (int c; (c = getopt(argc, argv, "n:s:w:")) != -1;) {
        if (c == 'n') inputs = (unsigned)strtoul(optarg, NULL, 0);
        if (c == 's') state = strtoull(optarg, NULL, 0) * UINT64_C(0xd1342543de82ef95);
        if (c == 'w') folder = optarg;
        if (c == '?') return 2;
    }
    fuzz_target.seeds(keep_seed);
    if (folder) return write_seeds(folder);
    if (optind == argc) return test(inputs);
    int status = 0;
    for (int i = optind; i < argc; i++) status |= run_file(argv[i]);
    return status;
}
