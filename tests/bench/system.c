/* What a kernel does for its programs. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

static uint32_t system_call(uint32_t times)
{
    uint32_t before = (uint32_t)getpid(), same = 0;
    for (uint32_t i = 0; i < times * 100; i++) same += (uint32_t)syscall(SYS_getpid) == before;
    return same;
}

static void wait_for(pid_t child)
{
    int status;
    if (child < 0) give_up("fork");
    if (waitpid(child, &status, 0) != child) give_up("waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) give_up("a child that failed");
}

static void echo(int from, int to)
{
    uint32_t word;
    while (read(from, &word, sizeof word) == sizeof word) {
        word = word * 5 + 1;
        if (write(to, &word, sizeof word) != sizeof word) _exit(1);
    }
    _exit(0);
}

/* Two processes in turn: context switches. */
static uint32_t pipe_pair(uint32_t times)
{
    int to[2], from[2];
    if (pipe(to) || pipe(from)) give_up("pipe");
    pid_t child = fork();
    if (!child) {
        close(to[1]);
        echo(to[0], from[1]);
    }
    uint32_t word = 1;
    for (uint32_t i = 0; i < times * 100; i++) {
        if (write(to[1], &word, sizeof word) != sizeof word) give_up("write");
        if (read(from[0], &word, sizeof word) != sizeof word) give_up("read");
    }
    close(to[1]);
    wait_for(child);
    close(to[0]), close(from[0]), close(from[1]);
    return word;
}

/* A child that writes to a few of its parent's pages. */
static uint32_t forking(uint32_t times)
{
    enum { PAGES = 64 };
    uint8_t *shared = need_memory(PAGES * 4096);
    for (uint32_t i = 0; i < times; i++) {
        shared[i % PAGES * 4096] = (uint8_t)i;
        pid_t child = fork();
        if (!child) {
            for (int page = 0; page < PAGES; page += 8) shared[page * 4096]++;
            _exit(0);
        }
        wait_for(child);
    }
    uint32_t sum = 0;
    for (int page = 0; page < PAGES; page++) sum = sum * 31 + shared[page * 4096];
    free(shared);
    return sum;
}

static uint32_t execing(uint32_t times)
{
    for (uint32_t i = 0; i < times; i++) {
        pid_t child = fork();
        if (!child) {
            execl("/proc/self/exe", "bench", "--nothing", (char *)NULL);
            _exit(1);
        }
        wait_for(child);
    }
    return times;
}

/* Fresh memory, first read and then written. */
static uint32_t page_fault(uint32_t times)
{
    enum { BYTES = 8 << 20, PAGE = 4096 };
    uint32_t sum = 0;
    while (times--) {
        uint8_t *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) give_up("mmap");
        for (uint32_t i = 0; i < BYTES / 4; i += PAGE) sum += p[i];
        for (uint32_t i = 0; i < BYTES; i += PAGE) sum += ++p[i];
        munmap(p, BYTES);
    }
    return sum;
}

const Workload system_workloads[] = {
    { "syscall", "system", system_call, 5000 }, { "pipe", "system", pipe_pair, 200 },
    { "fork", "system", forking, 800 },         { "exec", "system", execing, 200 },
    { "fault", "system", page_fault, 20 },      { 0 },
};
