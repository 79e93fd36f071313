/* Sessions with the monitor of a running Calque, over its sockets and its terminal. */
#include "session.h"

static void start(const char *monitor, int in, int out)
{
    char debugcon[80];
    snprintf(debugcon, sizeof debugcon, "file:%s", keys);
    fflush(stdout);
    child = fork();
    if (child) return;
    dup2(in, 0);
    dup2(out, 1);
    alarm(60);
    execl(exe, exe, "-display", "none", "-bios", "none", "-m", "16", "-kernel", guest, "-debugcon", debugcon, "-name",
          "test machine", "-monitor", monitor, (char *)NULL);
    _exit(127);
}

static void check(const char *line, const char *want)
{
    bool good = tell(line) && strstr(answer, want);
    if (!ok(good, "%s -> %s", line, want)) diag("got: %s", answer);
}

/* The answer is just the echo of the line. */
static void check_silent(const char *line)
{
    bool good = tell(line) && strlen(answer) == strlen(line) + 2 + sizeof prompt - 1;
    if (!ok(good, "%s", line)) diag("got: %s", answer);
}

static void test_commands(void)
{
    check("info status", "VM status: running");
    check("info name", "test machine");
    check("info cpus", "* CPU #0: thread_id=");
    check("info registers", "EFL=");
    check("info mtree", "ram");
    check("info pci", "8086:1237");
    check("info pic", "pic0: irr=");
    check("info pic", "ioapic0: ver=0x20");
    check("info irq", "IRQ statistics for ioapic:");
    check("info irq", "IRQ statistics for isa-i8259:");
    check("info jit", "");
    check("info block", "");
    check("info tlb", "PG disabled");
    check("xp /4xb 0x100020", "0000000000100020: 0xb0 0x52 0xe6 0xe9");
    check("x /1xw 0x100000", "00100000: 0x1badb002");
    check("xp /2i 0x100022", "out");
    check("print 6 * 7", "0x2a");
    check("p /d 1 - 2", "-1");
    check("p /x $cs", "0x");
    check("help sendkey", "sendkey keys [hold_ms]");
    check("help", "system_powerdown");
    check("stats", "unknown command: 'stats'");
    check("info regsters", "the nearest one is 'info registers'");
    check("xp", "unexpected end of expression");
    check("x /4z 0", "invalid char in format: 'z'");
    check("print 1 / 0", "division by zero");
    check("sendkey a-nokey", "invalid parameter: nokey");
    check("eject nodrive", "nodrive");
    check("log nothing", "unknown log item");
    check_silent("log none");
    check_silent("o /b 0x80 1");
    check("i /b 0x64", "portb[0x0064] = 0x");
    check_silent("stop");
    check("info status", "VM status: paused");
    check_silent("cont");
    check("info status", "VM status: running");
    check("screendump x.png", "Error: the machine has no display"); /* without firmware there is no adapter */
}

static void test_keys(void)
{
    ok(keys_are("R", 1), "the guest runs");
    check_silent("sendkey a 20");
    ok(keys_are("R\x1e\x9e", 3), "sendkey a");
    check_silent("sendkey ctrl-alt-delete 20");
    ok(keys_are("R\x1e\x9e\x1d\x38\xe0\x53\xe0\xd3\xb8\x9d", 11), "sendkey ctrl-alt-delete, in order and back");
}

/* Typed as a person types: corrections, history, completion, a second visitor. */
static void test_editing(void)
{
    check("inffo\b\bo status", "VM status: running");
    check("\x1b[A", "VM status: running");
    check("info st\t", "VM status: running");
    check("xnfo status\x01\x1b[3~i", "VM status: running");
    check("rubbish\x15info status", "VM status: running");
    check("info history", "info status");
    close(fd);
    ok(connect_to(sock) && hear() && strstr(answer, "type 'help'"), "a second visitor is greeted");
}

/* As "echo info status | nc -N -U" does it: all is said before anything is heard. */
static void test_script(void)
{
    size_t n = 0;
    ssize_t got;
    close(fd);
    ok(connect_to(sock) && write(fd, "info status\ninfo name\n", 22) == 22 && shutdown(fd, SHUT_WR) == 0,
       "a visitor who only writes");
    while ((got = read(fd, answer + n, sizeof answer - 1 - n)) > 0) n += (size_t)got;
    answer[n] = 0;
    if (!ok(got == 0 && strstr(answer, "VM status: running") && strstr(answer, "test machine"),
            "hears all the answers"))
        diag("got: %s", answer);
    close(fd);
    ok(connect_to(sock) && hear() && strstr(answer, "type 'help'"), "the next one is greeted");
}

static void test_socket(void)
{
    char spec[100];
    snprintf(spec, sizeof spec, "unix:%s,server,nowait", sock);
    int null = open("/dev/null", O_RDWR);
    start(spec, null, null);
    ok(connect_to(sock) && hear() && strstr(answer, "monitor - type 'help'"), "greeting");
    test_commands();
    test_keys();
    test_editing();
    test_script();
    check_silent("system_reset");
    ok(keys_are("R\x1e\x9e\x1d\x38\xe0\x53\xe0\xd3\xb8\x9dR", 12), "the guest starts anew");
    ok(write(fd, "quit\n", 5) == 5 && exit_status() == 0, "quit");
    ok(access(sock, F_OK) != 0, "the socket is removed");
    close(fd);
    close(null);
}

static void test_stdio(void)
{
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0) exit(1);
    start("stdio", to[0], from[1]);
    close(to[0]);
    close(from[1]);
    fd = from[0];
    ok(hear(), "-monitor stdio: greeting");
    ok(write(to[1], "info status\n", 12) == 12 && hear() && strstr(answer, "VM status: running"), "answers");
    ok(write(to[1], "q\n", 2) == 2 && exit_status() == 0, "q");
    close(to[1]);
    close(from[0]);
}

int main(void)
{
    if (!session_begin()) return 1;
    test_socket();
    test_stdio();
    session_end();
    return tap_done();
}
