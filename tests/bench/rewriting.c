/* Code that is written and run in turn. */
#include <string.h>
#include <sys/mman.h>

#include "workload.h"

enum { PAGE = 4096, RETURN = 0xc3 };

/* How a function gets its argument into EAX, and what 40h was before it was a REX prefix. */
#ifdef __x86_64__
static const char take_argument[] = "\x89\xf8", inc_eax[] = "\xff\xc0";
#else
static const char take_argument[] = "\x8b\x44\x24\x04", inc_eax[] = "\x40";
#endif

static uint8_t *code_page(void)
{
    uint8_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) give_up("mmap");
    return p;
}

static uint8_t *put(uint8_t *p, const void *bytes, uint32_t n)
{
    memcpy(p, bytes, n);
    return p + n;
}

static uint32_t run_at(void *code, uint32_t argument)
{
    uint32_t (*function)(uint32_t);
    memcpy(&function, &code, sizeof function);
    return function(argument);
}

/* Another constant in an instruction that stays, as a just-in-time compiler patches it. */
static uint32_t patch(uint32_t times)
{
    uint8_t *page = code_page(), *p = page, *constant;
    p = put(p, take_argument, sizeof take_argument - 1);
    p = put(p, "\x05", 1); /* add eax, imm32 */
    constant = p;
    p += 4;
    *p = RETURN;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < times * 100; i++) {
        memcpy(constant, &i, sizeof i);
        sum = run_at(page, sum);
    }
    munmap(page, PAGE);
    return sum;
}

/* A new function each time, run a few times. */
static uint32_t generate(uint32_t times)
{
    static const struct {
        const char *bytes;
        uint32_t size;
    } piece[] = {
        { inc_eax, sizeof inc_eax - 1 },
        { "\xc1\xc0\x05", 3 }, /* rol eax, 5 */
        { "\x8d\x04\x40", 3 }, /* lea eax, [eax+eax*2] */
        { "\x35", 1 },         /* xor eax, imm32 */
    };
    uint8_t *page = code_page();
    uint32_t state = 8, sum = 0;
    for (uint32_t i = 0; i < times * 100; i++) {
        uint8_t *p = put(page + (i & 7) * 128, take_argument, sizeof take_argument - 1);
        uint32_t r = next_random(&state);
        for (int n = 0; n < 12; n++) {
            uint32_t which = r >> n * 2 & 3;
            p = put(p, piece[which].bytes, piece[which].size);
            if (which == 3) p = put(p, &r, sizeof r);
        }
        *p = RETURN;
        for (int n = 0; n < 4; n++) sum = run_at(page + (i & 7) * 128, sum);
    }
    munmap(page, PAGE);
    return sum;
}

const Workload rewriting_workloads[] = {
    { "patch", "self-modifying", patch, 400 },
    { "generate", "self-modifying", generate, 300 },
    { 0 },
};
