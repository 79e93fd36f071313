#include "block/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/fs.h>
#endif

#include "block/lock.h"
#include "util/die.h"

/* What O_DIRECT asks of addresses, sizes and buffers: enough for any disk. */
enum { DIRECT_ALIGN = 4096 };
/* 48-bit LBA and off_t both hold it. */
#define BYTES_MAX (UINT64_C(1) << 56)

/* --- what it is ---------------------------------------------------------------------------------------- */

typedef struct Magic {
    const char *format;
    uint16_t at, len;
    const char *bytes;
} Magic;
static const Magic magics[] = {
    { "qcow2", 0, 4, "QFI\xfb" },
    { "QED", 0, 4, "QED\0" },
    { "VMDK", 0, 4, "KDMV" },
    { "VMDK", 0, 4, "COWD" },
    { "VMDK", 0, 21, "# Disk DescriptorFile" },
    { "VDI", 64, 4, "\x7f\x10\xda\xbe" },
    { "VHD", 0, 8, "conectix" },
    { "VHDX", 0, 8, "vhdxfile" },
    { "Parallels", 0, 16, "WithoutFreeSpace" },
    { "Parallels", 0, 16, "WithouFreSpacExt" },
};

/* Taken for raw, one of these would show the guest garbage, which it may then "repair". */
static const char *other_format(const HostFile *f)
{
    char head[512];
    if (f->bytes < sizeof head || host_file_read(f, 0, head, sizeof head)) return NULL;
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (memcmp(head + magics[i].at, magics[i].bytes, magics[i].len) == 0) return magics[i].format;
    return NULL;
}

/* False: error has the reason, without the file's name. */
static bool find_size(HostFile *f, char *why, size_t why_size)
{
    struct stat st;
    if (fstat(f->fd, &st) < 0) {
        snprintf(why, why_size, "%s", strerror(errno));
        return false;
    }
    if (S_ISREG(st.st_mode)) {
        f->bytes = (uint64_t)st.st_size;
#ifdef BLKGETSIZE64
    } else if (S_ISBLK(st.st_mode)) {
        int ro = 0;
        if (ioctl(f->fd, BLKGETSIZE64, &f->bytes) < 0) {
            snprintf(why, why_size, "%s", strerror(errno));
            return false;
        }
        if (!f->read_only && ioctl(f->fd, BLKROGET, &ro) == 0 && ro) {
            snprintf(why, why_size, "the device is read-only; add readonly=on or snapshot=on");
            return false;
        }
#endif
    } else {
        snprintf(why, why_size, "%s", S_ISDIR(st.st_mode) ? "is a directory" : "is neither a file nor a block device");
        return false;
    }
    if (f->bytes == 0) snprintf(why, why_size, "is empty");
    if (f->bytes > BYTES_MAX) snprintf(why, why_size, "is too large");
    return f->bytes > 0 && f->bytes <= BYTES_MAX;
}

/* --- raw CD images -------------------------------------------------------------------------------------------- */

/* ECMA-130, 14: a sector of a data track is 12 bytes of synchronisation, address and mode, then in mode 1 the data; CD-ROM XA
 * has 8 bytes more before it (mode 2, form 1). */
enum { CD_RAW = 2352, CD_DATA = 2048, CD_MODE_AT = 15, CD_MODE1_DATA = 16, CD_MODE2_DATA = 24 };

static bool has_cd_header(const HostFile *f, uint64_t at, uint8_t head[16])
{
    static const uint8_t sync[12] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
    return host_file_read(f, at, head, 16) == 0 && memcmp(head, sync, sizeof sync) == 0;
}

static void find_raw_cd(HostFile *f)
{
    uint8_t head[16];
    if (f->bytes % CD_RAW || !has_cd_header(f, f->bytes - CD_RAW, head) || !has_cd_header(f, 0, head)) return;
    f->cd_data_at = head[CD_MODE_AT] == 2 ? CD_MODE2_DATA : CD_MODE1_DATA;
    f->bytes = f->bytes / CD_RAW * CD_DATA;
}

/* Where byte at of the data is in the file, and how much of len follows it there. */
static uint64_t place(const HostFile *f, uint64_t at, size_t *len)
{
    if (!f->cd_data_at) return at;
    size_t left = (size_t)(CD_DATA - at % CD_DATA);
    if (*len > left) *len = left;
    return at / CD_DATA * CD_RAW + f->cd_data_at + at % CD_DATA;
}

/* --- opening --------------------------------------------------------------------------------------------- */

static bool is_block_device(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISBLK(st.st_mode);
}

/* A file without a name, in memory: from here on it is as any other. */
static int open_built_in(const BlockBuiltIn *image, bool *read_only)
{
    *read_only = true;
    int fd = memfd_create("calque-image", MFD_CLOEXEC);
    HostFile f = { .fd = fd, .direct_fd = -1 };
    if (fd < 0) return fd;
    int error = host_file_write(&f, 0, image->bytes, image->size);
    if (!error && ftruncate(fd, (off_t)image->total) == 0) return fd;
    if (!error) error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* O_NONBLOCK: neither a named pipe nor a drive without medium keeps us. */
static int open_main(const BlockOptions *opt, bool *read_only)
{
    int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    if (opt->built_in) return open_built_in(opt->built_in, read_only);
    if (!*read_only) {
        /* On a block device O_EXCL refuses one that the host has mounted. */
        int fd = open(opt->file, flags | O_RDWR | (is_block_device(opt->file) ? O_EXCL : 0));
        if (fd >= 0 || !opt->removable || (errno != EACCES && errno != EROFS && errno != EPERM)) return fd;
        *read_only = true;
    }
    return open(opt->file, flags | O_RDONLY);
}

static const char *open_reason(int error, bool read_only)
{
    switch (error) {
    case EACCES:
    case EROFS:
    case EPERM:
        if (!read_only) return "it cannot be written here; add readonly=on or snapshot=on, or change its permissions";
        break;
    case EBUSY: return "the host uses the device (is it mounted?)";
    case ENOMEDIUM: return "there is no medium in the device";
    case EISDIR: return "is a directory";
    case ENXIO: return "is neither a file nor a block device";
    }
    return strerror(error);
}

static bool open_direct(HostFile *f, const BlockOptions *opt, char *why, size_t why_size)
{
    struct stat a, b;
    f->direct_fd = open(opt->file, O_CLOEXEC | O_NONBLOCK | O_DIRECT | (f->read_only ? O_RDONLY : O_RDWR));
    if (f->direct_fd < 0) {
        snprintf(why, why_size, "cache=%s: %s", block_cache_name(opt->cache),
                 errno == EINVAL ? "the file system cannot go past the page cache" : strerror(errno));
        return false;
    }
    if (fstat(f->fd, &a) == 0 && fstat(f->direct_fd, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev)
        return true;
    snprintf(why, why_size, "has been replaced while it was opened");
    return false;
}

static bool lock_it(const HostFile *f, const BlockOptions *opt, char *why, size_t why_size)
{
    switch (image_lock(f->fd, !f->read_only)) {
    case IMAGE_LOCKED: return true;
    case IMAGE_UNLOCKABLE:
        warn_line("'%s': the file system has no locks; nothing keeps another program from writing to it", opt->file);
        return true;
    case IMAGE_BUSY: break;
    }
    snprintf(why, why_size, "%s",
             f->read_only ? "in use: another machine or program writes to it"
                          : "in use: another machine or program has it open");
    return false;
}

static bool open_checked(HostFile *f, const BlockOptions *opt, char *why, size_t why_size)
{
    f->fd = open_main(opt, &f->read_only);
    if (f->fd < 0) {
        snprintf(why, why_size, "%s", open_reason(errno, f->read_only));
        return false;
    }
    if (!find_size(f, why, why_size) || !lock_it(f, opt, why, why_size)) return false;
    const char *format = opt->raw_format ? NULL : other_format(f);
    if (format) {
        snprintf(why, why_size, "is a %s image; only raw ones are supported (format=raw takes it as it is)", format);
        return false;
    }
    if (opt->cd && f->read_only) find_raw_cd(f);
    if (f->cd_data_at) return true; /* in pieces of 2048 bytes: never past the page cache */
    bool direct = opt->cache == BLOCK_CACHE_NONE || opt->cache == BLOCK_CACHE_DIRECTSYNC;
    return !direct || open_direct(f, opt, why, why_size);
}

bool host_file_open(HostFile *f, const BlockOptions *opt, char *error, size_t error_size)
{
    char why[256] = "";
    *f = (HostFile){ .fd = -1, .direct_fd = -1, .read_only = opt->read_only || opt->snapshot };
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error (EFBIG), not our death */
    if (open_checked(f, opt, why, sizeof why)) {
        if (f->bytes % BLOCK_SECTOR)
            warn_line("'%s': its size is not a multiple of 512 bytes; the last sector is filled up with zeros",
                      opt->file);
        return true;
    }
    snprintf(error, error_size, "'%s': %s", opt->file, why);
    host_file_close(f);
    return false;
}

void host_file_close(HostFile *f)
{
    if (f->fd >= 0) close(f->fd);
    if (f->direct_fd >= 0) close(f->direct_fd);
    f->fd = f->direct_fd = -1;
}

/* --- bytes ------------------------------------------------------------------------------------------------- */

static bool is_aligned(uint64_t at, const void *buf, size_t len)
{
    return ((at | len | (uintptr_t)buf) & (DIRECT_ALIGN - 1)) == 0;
}

/* What lies behind the end of the file is zero. */
static size_t clip(const HostFile *f, uint64_t at, uint8_t *buf, size_t len)
{
    size_t real = at >= f->bytes ? 0 : len < f->bytes - at ? len : (size_t)(f->bytes - at);
    memset(buf + real, 0, len - real);
    return real;
}

int host_file_read(const HostFile *f, uint64_t at, void *buf, size_t len)
{
    uint8_t *to = buf;
    size_t left = clip(f, at, to, len);
    /* The aligned part may go direct; a rest or an odd request goes through the page cache, which the host keeps
     * consistent. */
    int fd = f->direct_fd >= 0 && is_aligned(at, buf, len) && left == len ? f->direct_fd : f->fd;
    while (left) {
        size_t piece = left;
        uint64_t from = place(f, at, &piece);
        ssize_t n = pread(fd, to, piece, (off_t)from);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return EIO; /* somebody made the file shorter */
        if (fd != f->fd && n % DIRECT_ALIGN) fd = f->fd;
        to += n, at += (uint64_t)n, left -= (size_t)n;
    }
    return 0;
}

int host_file_write(const HostFile *f, uint64_t at, const void *buf, size_t len)
{
    const uint8_t *from = buf;
    int fd = f->direct_fd >= 0 && is_aligned(at, buf, len) ? f->direct_fd : f->fd;
    while (len) {
        ssize_t n = pwrite(fd, from, len, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return ENOSPC;
        if (fd != f->fd && n % DIRECT_ALIGN) fd = f->fd;
        from += n, at += (uint64_t)n, len -= (size_t)n;
    }
    return 0;
}

int host_file_sync(const HostFile *f)
{
    while (fdatasync(f->fd) < 0)
        if (errno != EINTR) return errno;
    return 0;
}

static int discard_range(int fd, uint64_t at, uint64_t len)
{
    struct stat st;
    if (fstat(fd, &st) < 0) return errno;
#ifdef BLKDISCARD
    uint64_t range[2] = { at, len };
    if (S_ISBLK(st.st_mode)) return ioctl(fd, BLKDISCARD, range) < 0 ? errno : 0;
#endif
#ifdef FALLOC_FL_PUNCH_HOLE
    while (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)len) < 0)
        if (errno != EINTR) return errno;
    return 0;
#else
    return EOPNOTSUPP;
#endif
}

int host_file_discard(HostFile *f, uint64_t at, uint64_t len)
{
    if (f->no_discard) return 0;
    int error = discard_range(f->fd, at, len);
    if (error == EINVAL) return 0; /* a disk whose units are larger: it was only an offer */
    if (error != EOPNOTSUPP && error != ENOTTY && error != ENOSYS) return error;
    f->no_discard = true;
    return 0;
}

bool host_file_read_now(HostFile *f, uint64_t at, void *buf, size_t len)
{
#ifdef RWF_NOWAIT
    if (f->no_read_now || f->cd_data_at || f->direct_fd >= 0 || at > f->bytes || len > f->bytes - at) return false;
    struct iovec v = { buf, len };
    ssize_t n = preadv2(f->fd, &v, 1, (off_t)at, RWF_NOWAIT);
    if (n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL)) f->no_read_now = true;
    return n == (ssize_t)len;
#else
    (void)f, (void)at, (void)buf, (void)len;
    return false;
#endif
}
