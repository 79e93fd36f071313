/* The real window, in a virtual X server: shown, typed into, clicked, photographed.  Skipped where Xvfb, xdotool or
 * ImageMagick are not installed. */
#include "../monitor/session.h"

static pid_t x_server, manager;

static bool have(const char *tool)
{
    char command[100];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", tool);
    return system(command) == 0;
}

/* The server chooses its number and tells it. */
static bool start_x(void)
{
    int p[2];
    char number[16] = "", fd_text[16], display[20];
    if (pipe(p) != 0) return false;
    fflush(stdout);
    x_server = fork();
    if (x_server == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        snprintf(fd_text, sizeof fd_text, "%d", p[1]);
        execlp("Xvfb", "Xvfb", "-displayfd", fd_text, "-screen", "0", "1280x1024x24", "-nolisten", "tcp", (char *)NULL);
        _exit(127);
    }
    close(p[1]);
    struct pollfd wait = { .fd = p[0], .events = POLLIN };
    bool good = poll(&wait, 1, 20000) == 1 && read(p[0], number, sizeof number - 1) > 0;
    close(p[0]);
    snprintf(display, sizeof display, ":%d", atoi(number));
    setenv("DISPLAY", display, 1);
    return good;
}

static void start_calque(void)
{
    char debugcon[80], spec[100];
    snprintf(debugcon, sizeof debugcon, "file:%s", keys);
    snprintf(spec, sizeof spec, "unix:%s,server,nowait", sock);
    fflush(stdout);
    child = fork();
    if (child) return;
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    alarm(120);
    if (chdir(folder) != 0) _exit(126);          /* screenshots go there */
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* D-Bus and X, which SDL loads, leave theirs behind */
    execl(exe, exe, "-display", "sdl", "-m", "32", "-fda", guest, "-debugcon", debugcon, "-name", "window test",
          "-monitor", spec, (char *)NULL);
    _exit(127);
}

/* The first line that a command prints. */
static const char *output(const char *command)
{
    static char text[300];
    FILE *f = popen(command, "r");
    text[0] = 0;
    if (f && !fgets(text, sizeof text, f)) text[0] = 0;
    if (f) pclose(f);
    text[strcspn(text, "\n")] = 0;
    return text;
}

static char window[32];

static bool find_window(void)
{
    for (int i = 0; i < 100; i++) {
        snprintf(window, sizeof window, "%.30s",
                 output("xdotool search --onlyvisible --name 'Calque - window test' 2>&1"));
        if (atol(window) > 0) return true;
        usleep(100000);
    }
    return false;
}

static void xdotool(const char *what)
{
    char command[200];
    snprintf(command, sizeof command, "xdotool %s >/dev/null 2>&1", what);
    if (system(command) != 0) diag("failed: %s", command);
}

static bool title_says(const char *text)
{
    char command[80];
    snprintf(command, sizeof command, "xdotool getwindowname %s", window);
    for (int i = 0; i < 40; i++) {
        if (strstr(output(command), text)) return true;
        usleep(100000);
    }
    diag("the title is: %s", output(command));
    return false;
}

/* Guest time in percent of real time; on a busy host it may be anything but nothing. */
static bool title_tells_speed(void)
{
    char command[80];
    unsigned speed = 0, cpu = 0;
    snprintf(command, sizeof command, "xdotool getwindowname %s", window);
    for (int i = 0; i < 40 && !speed; i++, usleep(100000)) {
        const char *at = strstr(output(command), "speed ");
        if (at && sscanf(at, "speed %u%%, CPU %u%%", &speed, &cpu) != 2) speed = 0;
    }
    diag("speed %u%%, CPU %u%%", speed, cpu);
    return speed > 0 && speed <= 1000 && cpu <= 100;
}

/* The cursor blinks, so a few photographs may be needed. */
static bool same_picture_at(unsigned percent)
{
    char command[400], dump[100];
    snprintf(dump, sizeof dump, "screendump %s/screen.png", folder);
    snprintf(command, sizeof command,
             "import -window %s %s/window.png && convert %s/screen.png -scale %u%% %s/scaled.png && "
             "compare -metric AE %s/scaled.png %s/window.png null: 2>&1; echo",
             window, folder, folder, percent, folder, folder, folder);
    const char *differ = "";
    for (int i = 0; i < 20; i++) {
        tell(dump);
        differ = output(command);
        if (strcmp(differ, "0") == 0) return true;
        usleep(150000);
    }
    diag("pixels that differ: %s", differ);
    return false;
}

static bool same_picture(void)
{
    return same_picture_at(100);
}

/* Something over the guest's picture: it is not what screendump writes, at any phase of the cursor. */
static bool is_covered(void)
{
    char command[400], dump[100];
    snprintf(dump, sizeof dump, "screendump %s/screen.png", folder);
    snprintf(command, sizeof command,
             "import -window %s %s/window.png && compare -metric AE %s/screen.png %s/window.png null: 2>&1; echo",
             window, folder, folder, folder);
    for (int i = 0; i < 20; i++) {
        tell(dump);
        if (atol(output(command)) > 1000) return true;
        usleep(100000);
    }
    return false;
}

static void xdo_window(const char *format)
{
    char command[100];
    snprintf(command, sizeof command, format, window);
    xdotool(command);
}

static void test_menu(void)
{
    xdotool("key ctrl+alt+h");
    ok(is_covered(), "Ctrl-Alt-H shows the keys over the picture");
    xdotool("key ctrl+alt+h");
    ok(same_picture(), "and takes them away");
    xdotool("key ctrl+alt+s");
    char path[100];
    snprintf(path, sizeof path, "%s/calque-1.png", folder);
    for (int i = 0; i < 50 && access(path, R_OK) != 0; i++) usleep(100000);
    ok(access(path, R_OK) == 0 && title_says("saved calque-1.png"), "Ctrl-Alt-S writes a screenshot, and says where");
    unlink(path);
}

static void test_scaling(void)
{
    xdo_window("windowsize --sync %s 1440 800");
    ok(same_picture_at(200), "twice the size: every pixel is four");
    xdotool("key ctrl+alt+u");
    ok(same_picture(), "Ctrl-Alt-U: the guest's own size");
}

/* What needs a window manager: full screen, and the button that closes. */
static void test_managed(void)
{
    if (!have("openbox")) {
        ok(true, "full screen and closing # SKIP openbox is not installed");
        ok(write(fd, "quit\n", 5) == 5 && exit_status() == 0, "quit closes the window");
        return;
    }
    char command[100];
    manager = fork();
    if (manager == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        dup2(null, 2);
        execlp("openbox", "openbox", (char *)NULL);
        _exit(127);
    }
    sleep(1);
    xdo_window("windowfocus --sync %s");
    xdotool("key ctrl+alt+f");
    snprintf(command, sizeof command, "xdotool getwindowgeometry %s | grep -c 1280x1024", window);
    bool large = false;
    for (int i = 0; i < 50 && !(large = atoi(output(command)) == 1); i++) usleep(100000);
    ok(large && title_says("Ctrl-Alt-G releases"), "Ctrl-Alt-F fills the screen and grabs the mouse");
    xdotool("key ctrl+alt+f");
    ok(title_says("Ctrl-Alt-H for help"), "and leaves it, with the mouse");
    xdotool("key alt+F4");
    ok(title_says("close again to force"), "closing presses the power button");
    ok(tell("info status") && strstr(answer, "VM status: running"), "the guest has time to shut down");
    tell("i /h 0x600");
    ok(strtol(strstr(answer, "= ") ? strstr(answer, "= ") + 2 : "0", NULL, 0) & 0x100, "PWRBTN_STS says so to it");
    xdotool("key alt+F4");
    ok(exit_status() == 0, "closing again ends it");
}

static void test_window(void)
{
    char command[80];
    start_calque();
    if (!ok(connect_to(sock) && hear() && find_window(), "the window is there")) return;
    ok(keys_are("R", 1), "the guest runs");
    ok(title_says("[running"), "the title tells the state");
    ok(title_tells_speed(), "and the speed");
    snprintf(command, sizeof command, "windowfocus --sync %s", window);
    xdotool(command);
    xdotool("key --delay 50 a");
    ok(keys_are("R\x1e\x9e", 3), "a key typed into the window");
    ok(same_picture(), "the window shows what screendump writes");
    snprintf(command, sizeof command, "mousemove --window %s 50 50 click 1", window);
    xdotool(command);
    ok(title_says("Ctrl-Alt-G releases"), "a click grabs the mouse");
    xdotool("key ctrl+alt+g");
    ok(title_says("Ctrl-Alt-H for help"), "Ctrl-Alt-G lets it go");
    xdotool("key ctrl+alt+p");
    ok(title_says("[paused]"), "Ctrl-Alt-P");
    tell("info status");
    ok(strstr(answer, "VM status: paused") != NULL, "the machine has stopped");
    tell("cont");
    ok(title_says("[running"), "and goes on");
    test_menu();
    test_scaling();
    test_managed();
}

int main(void)
{
    static const char *const tools[] = { "Xvfb", "xdotool", "import", "compare", "convert" };
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        if (have(tools[i])) continue;
        printf("1..0 # SKIP %s is not installed\n", tools[i]);
        return 0;
    }
    if (!session_begin() || !write_key_floppy(guest) || !start_x()) return 1;
    test_window();
    if (manager > 0) {
        kill(manager, SIGTERM);
        waitpid(manager, NULL, 0);
    }
    kill(x_server, SIGTERM);
    waitpid(x_server, NULL, 0);
    char path[100];
    snprintf(path, sizeof path, "%s/screen.png", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/window.png", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/scaled.png", folder);
    unlink(path);
    session_end();
    return tap_done();
}
