/* The parts of the monitor: expressions, arguments, line editing, and commands on a machine without a processor. */
#include <stdlib.h>
#include <string.h>

#include "../hw/fake.h"
#include "../hw/fake_chardev.h"
#include "hw/i8042.h"
#include "hw/vmmouse.h"
#include "monitor/args.h"
#include "monitor/expr.h"
#include "monitor/monitor.h"

static Fake f;

/* --- expressions --------------------------------------------------------------------------------------------------- */

static void value(const char *text, int64_t want)
{
    char error[160] = "";
    int64_t got = 0;
    const char *p = text;
    bool good = expr_eval(&p, f.cpu, &got, error, sizeof error) && !*p;
    if (!ok(good && got == want, "%s", text)) diag("got %lld, %s, rest '%s'", (long long)got, error, p);
}

static void no_value(const char *text, const char *why)
{
    char error[160] = "";
    int64_t got;
    const char *p = text;
    bool good = expr_eval(&p, f.cpu, &got, error, sizeof error);
    if (!ok(!good && strstr(error, why), "%s: %s", text, why)) diag("'%s'", error);
}

static void test_expr(void)
{
    f.cpu->regs[R_EAX] = 0x1234;
    f.cpu->seg[SEG_CS].base = 0xf0000;
    f.cpu->eip = 0xfff0;
    value("1 + 2 * 3", 7);
    value("(1 + 2) * 3", 9);
    value("0x10 | 3", 0x13);
    value("010", 8);
    value("-1", -1);
    value("~0", -1);
    value("- - 5", 5);
    value("7 % 4 - 1", 2);
    value("10 / -2", -5);
    value("'A'", 65);
    value("$eax + 1", 0x1235);
    value("$pc", 0xffff0);
    value("0x8000000000000000 / -1", INT64_MIN);
    value("0xffffffffffffffff + 2", 1);
    no_value("", "unexpected end");
    no_value("1 +", "unexpected end");
    no_value("(1", "')' expected");
    no_value("1 / 0", "division by zero");
    no_value("1 % (2 - 2)", "division by zero");
    no_value("$nonsense", "unknown register: $nonsense");
    no_value("hello", "invalid char");
    no_value("99999999999999999999999", "too large");
    no_value("'a", "missing terminating");
    char deep[4001];
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    no_value(deep, "too deep");
    memset(deep, '-', sizeof deep - 1);
    no_value(deep, "too deep");
}

/* --- arguments ------------------------------------------------------------------------------------------------------- */

static bool parse(Args *a, const char *spec, const char *line)
{
    char error[160];
    return args_parse(a, spec, line, f.cpu, error, sizeof error);
}

static void test_args(void)
{
    Args a;
    ok(parse(&a, "/l", "/12xb 0x10") && a.count == 12 && a.format == 'x' && a.size == 'b' && a.value[0] == 16, "/12xb");
    ok(parse(&a, "/l", " 5") && a.count == -1 && !a.has_format && a.value[0] == 5, "no format");
    ok(parse(&a, "/l", "/99999999999x 5") && a.count == 65536, "a count has a limit");
    ok(!parse(&a, "/l", "/x"), "address missing");
    ok(!parse(&a, "/l", "1 2"), "something left over");
    ok(parse(&a, "-fw", "-f cd0") && a.flag && strcmp(a.word[0], "cd0") == 0, "flag");
    ok(parse(&a, "-fw", "-foo") && !a.flag && strcmp(a.word[0], "-foo") == 0, "no flag");
    ok(parse(&a, "ww?", "\"a b\\\"c\" d") && strcmp(a.word[0], "a b\"c") == 0 && strcmp(a.word[1], "d") == 0, "quotes");
    ok(!parse(&a, "w", "\"abc"), "quotes not closed");
    ok(parse(&a, "wl?", "x") && !a.given[1], "optional argument");
    ok(parse(&a, "lll?", "-3 4") && a.value[0] == -3 && a.value[1] == 4 && !a.given[2],
       "two numbers, not a difference");
    char line[3000];
    memset(line, 'w', sizeof line - 1);
    line[sizeof line - 1] = 0;
    ok(!parse(&a, "w", line), "a word that is too long");
}

/* --- a monitor on a fake line ------------------------------------------------------------------------------------------ */

static FakeChardev line;
static Monitor *mon;
static Input *in;
static I8042 *free_later;

static const char *ask(const char *text)
{
    static char heard[4096];
    line.n_out = 0;
    fcd_send(&line, text, strlen(text));
    for (int i = 0; i < 8; i++) machine_poll(f.m);
    size_t n = line.n_out < sizeof heard - 1 ? line.n_out : sizeof heard - 1;
    memcpy(heard, line.out, n);
    heard[n] = 0;
    return heard;
}

static void says(const char *text, const char *want)
{
    const char *got = ask(text);
    if (!ok(strstr(got, want) != NULL, "%.*s", (int)strcspn(text, "\r\n"), text)) diag("got: %s", got);
}

static void test_memory(void)
{
    phys_add_ram(f.phys, "ram", 0, 1 << 20, 0);
    phys_write(f.phys, 0x1000, "\x01\x80\xff\x7fHello, w\x00", 13);
    f.cpu->mmu.phys = f.phys;
    says("xp/4xb 0x1000\n", "0000000000001000: 0x01 0x80 0xff 0x7f\r\n");
    says("xp/2xh 0x1000\n", "0000000000001000: 0x8001 0x7fff\r\n");
    says("xp/1xw 0x1000\n", "0000000000001000: 0x7fff8001\r\n");
    says("xp/1xg 0x1000\n", "0000000000001000: 0x6c6c65487fff8001\r\n");
    says("xp/2db 0x1001\n", "0000000000001001: -128  -1\r\n");
    says("xp/2ub 0x1001\n", "0000000000001001: 128 255\r\n");
    says("xp/1ob 0x1001\n", "0000000000001001: 0200\r\n");
    says("xp/6c 0x1004\n", "0000000000001004: 'H' 'e' 'l' 'l' 'o' ','\r\n");
    says("xp/17xb 0x1000\n", "\r\n0000000000001010: ");
    says("xp 0xffffffffffff\n", "Cannot access memory");
    says("xp/2i 0x1004\n", "0x00001004:  48");
    says("print/c 65\n", "'A'\r\n");
    says("print/o 8\n", "010\r\n");
    ioports_write(f.io, 0x60, 0, 1);
    says("i/h 0x1000\n", "portw[0x1000] = 0xffff\r\n");
    says("i 0x1000\n", "portb[0x1000] = 0xff\r\n");
}

static void test_keys(void)
{
    I8042 *kbc = i8042_new(f.m, (I8042Lines){ fake_line(&f, 1), fake_line(&f, 12), fake_line(&f, 20) });
    i8042_attach_input(kbc, in);
    ask("sendkey shift-a 50\n");
    IS(in8(&f, 0x60), 0x2a, "Shift is pressed at once");
    fake_jump(&f, 40000000);
    IS(in8(&f, 0x64) & 1, 0, "and held");
    fake_jump(&f, 11000000);
    machine_poll(f.m);
    IS(in8(&f, 0x60), 0x1e, "then a");
    fake_jump(&f, 51000000);
    machine_poll(f.m);
    IS(in8(&f, 0x60), 0x9e, "a is let go");
    fake_jump(&f, 51000000);
    machine_poll(f.m);
    IS(in8(&f, 0x60), 0xaa, "and Shift");
    says("sendkey a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q\n", "too many keys");
    out8(&f, 0x64, 0xd4);
    out8(&f, 0x60, 0xf4);
    fake_jump(&f, 60000000);
    in8(&f, 0x60);
    fake_jump(&f, 1000000);
    ask("mouse_move 3 -2\n");
    machine_poll(f.m);
    IS(in8(&f, 0x60), 0x08, "mouse_move");
    fake_jump(&f, 1000000);
    IS(in8(&f, 0x60), 3, "x");
    fake_jump(&f, 1000000);
    IS(in8(&f, 0x60), 2, "y");
    fake_jump(&f, 100000000);
    ask("mouse_button 1\n");
    machine_poll(f.m);
    IS(in8(&f, 0x60), 0x09, "mouse_button");
    input_set_keyboard(in, NULL);
    input_set_pointer(in, NULL);
    free_later = kbc; /* the machine knows it until its end */
}

static void test_lines(void)
{
    says("\r\n\r\n", "(calque) ");
    says("bogus\rstatus\x15info na\tinfo", "unknown command: 'bogus'");
    says("\x15p/d 1\x1b[D+2\n", "21");
    char noise[3000];
    unsigned r = 1;
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof noise - 1; i++) {
            r = r * 1664525 + 1013904223;
            unsigned c = r >> 16;
            /* No line ends: what would be done is not what is tested here. */
            noise[i] = c % 3 ? (char)(1 + c / 3 % 127) : "\x1b[3~\t\b\x10\x0e"[c / 3 % 8];
            if (noise[i] == '\n' || noise[i] == '\r') noise[i] = 'x';
        }
        noise[sizeof noise - 1] = 0;
        ask(noise);
    }
    says("\x1b\x1b\x05\x15info status\n", "VM status: running");
}

int main(void)
{
    fake_init(&f);
    test_expr();
    test_args();
    line.cd.ops = &fcd_ops;
    in = input_new(f.m);
    mon = monitor_new(&(MonitorBoard){ .machine = f.m, .input = in }, &line.cd);
    line.r.event(line.r.opaque, CHARDEV_OPENED);
    says("", "monitor - type 'help' for more information\r\n(calque) ");
    test_memory();
    test_keys();
    test_lines();
    says("info block\n", "(calque) ");
    says("screendump x\n", "no display");
    says("eject x\n", "no drives");
    monitor_free(mon);
    i8042_free(free_later);
    input_free(in);
    fake_free(&f);
    return tap_done();
}
