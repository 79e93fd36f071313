/* Runs the workloads, as an ordinary program (the host's own figures) and as /init of a guest.
 *
 *      BENCH-UP                the program runs (as /init: the guest has booted)
 *      BENCH-START name group  its time is that of the host between these two lines
 *      BENCH-DONE name sum
 *      BENCH-END
 *
 * Words, of its own command line or the kernel's: only=a,b,c (workloads and groups) and percent=N (of each workload's usual size). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workload.h"

static const Workload *const groups[] = { integer_workloads, memory_workloads, float_workloads, system_workloads,
                                          rewriting_workloads };
static char only[512];
static uint32_t percent = 100;

void give_up(const char *what)
{
    printf("BENCH-FAILED %s: %s\n", what, strerror(errno));
    exit(1);
}

void *need_memory(uint32_t bytes)
{
    void *p = aligned_alloc(4096, (bytes + 4095) & ~4095u);
    if (!p) give_up("memory");
    return memset(p, 0, bytes);
}

static void take_word(const char *word)
{
    if (!strncmp(word, "only=", 5)) snprintf(only, sizeof only, "%s", word + 5);
    if (!strncmp(word, "percent=", 8)) percent = (uint32_t)strtoul(word + 8, NULL, 10);
}

static void take_kernel_line(void)
{
    char line[4096] = "", *save;
    FILE *f = fopen("/proc/cmdline", "r");
    if (!f || !fgets(line, sizeof line, f)) give_up("/proc/cmdline");
    fclose(f);
    for (char *word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) take_word(word);
}

static int wanted(const Workload *w)
{
    char list[sizeof only], *save;
    if (!*only) return 1;
    memcpy(list, only, sizeof list);
    for (char *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save))
        if (!strcmp(word, w->name) || !strcmp(word, w->group)) return 1;
    return 0;
}

static void run_all(void)
{
    for (unsigned g = 0; g < sizeof groups / sizeof *groups; g++)
        for (const Workload *w = groups[g]; w->name; w++) {
            if (!wanted(w)) continue;
            uint32_t times = (uint32_t)((uint64_t)w->times * percent / 100);
            printf("BENCH-START %s %s\n", w->name, w->group);
            uint32_t sum = w->run(times ? times : 1);
            printf("BENCH-DONE %s %08x\n", w->name, (unsigned)sum);
        }
}

int main(int argc, char **argv)
{
    int init = getpid() == 1;
    if (argc == 2 && !strcmp(argv[1], "--nothing")) return 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (init) {
        if (mount("proc", "/proc", "proc", 0, NULL)) give_up("/proc");
        take_kernel_line();
    } else {
        for (int i = 1; i < argc; i++) take_word(argv[i]);
    }
    puts("BENCH-UP");
    run_all();
    puts("BENCH-END");
    if (init) reboot(RB_POWER_OFF);
    return 0;
}
