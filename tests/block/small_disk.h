/* A file system that is soon full, seen by this process and its children only. */
#ifndef CALQUE_TESTS_BLOCK_SMALL_DISK_H
#define CALQUE_TESTS_BLOCK_SMALL_DISK_H

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_proc(const char *path, const char *text)
{
    int to = open(path, O_WRONLY);
    bool good = to >= 0 && write(to, text, strlen(text)) == (ssize_t)strlen(text);
    if (to >= 0) close(to);
    return good;
}

/* Not root: be root of a user namespace of our own, where the host allows that. */
static bool own_mounts(void)
{
    char map[40];
    unsigned uid = geteuid(), gid = getegid();
    if (unshare(uid ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) < 0) return false;
    if (uid) {
        snprintf(map, sizeof map, "0 %u 1", uid);
        if (!write_proc("/proc/self/uid_map", map) || !write_proc("/proc/self/setgroups", "deny")) return false;
        snprintf(map, sizeof map, "0 %u 1", gid);
        if (!write_proc("/proc/self/gid_map", map)) return false;
    }
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* One thread only, once in a process.  False: the host does not let us. */
static bool small_disk_mount(const char *folder_made, unsigned kib)
{
    char options[40];
    snprintf(options, sizeof options, "size=%uk", kib);
    mkdir(folder_made, 0700);
    return own_mounts() && mount("none", folder_made, "tmpfs", 0, options) == 0;
}

static bool small_disk_grow(const char *mounted, unsigned kib)
{
    char options[40];
    snprintf(options, sizeof options, "size=%uk", kib);
    return mount("none", mounted, "tmpfs", MS_REMOUNT, options) == 0;
}

#endif
