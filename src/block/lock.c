/* Locks of open file descriptions on single bytes, laid out as QEMU does, so that the two programs respect each
 * other: byte 100 + p says "I use the image in way p", byte 200 + p "nobody else may use it in way p".  All are
 * shared locks, since what matters is only whether some other one is there. */
#include "block/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

enum { USE_AT = 100, FORBID_AT = 200 };
enum { WAY_READ, WAY_WRITE, WAY_WRITE_SAME, WAY_RESIZE, WAYS };

#ifdef F_OFD_SETLK
static int lock_byte(int fd, int command, short type, int at)
{
    struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
    if (fcntl(fd, command, &l) < 0) return -1;
    return l.l_type != F_UNLCK;
}

static ImageLock lock_bytes(int fd, unsigned uses, unsigned forbids)
{
    for (int way = 0; way < WAYS; way++) {
        if (uses >> way & 1 && lock_byte(fd, F_OFD_SETLK, F_RDLCK, USE_AT + way) < 0)
            return errno == EAGAIN || errno == EACCES ? IMAGE_BUSY : IMAGE_UNLOCKABLE;
        if (forbids >> way & 1 && lock_byte(fd, F_OFD_SETLK, F_RDLCK, FORBID_AT + way) < 0)
            return errno == EAGAIN || errno == EACCES ? IMAGE_BUSY : IMAGE_UNLOCKABLE;
    }
    for (int way = 0; way < WAYS; way++) {
        if (uses >> way & 1 && lock_byte(fd, F_OFD_GETLK, F_WRLCK, FORBID_AT + way) > 0) return IMAGE_BUSY;
        if (forbids >> way & 1 && lock_byte(fd, F_OFD_GETLK, F_WRLCK, USE_AT + way) > 0) return IMAGE_BUSY;
    }
    return IMAGE_LOCKED;
}
#endif

ImageLock image_lock(int fd, bool write)
{
#ifdef F_OFD_SETLK
    unsigned uses = 1u << WAY_READ | (write ? 1u << WAY_WRITE : 0);
    ImageLock lock = lock_bytes(fd, uses, 1u << WAY_WRITE | 1u << WAY_RESIZE);
    if (lock != IMAGE_UNLOCKABLE) return lock;
#endif
    if (flock(fd, LOCK_NB | (write ? LOCK_EX : LOCK_SH)) == 0) return IMAGE_LOCKED;
    return errno == EWOULDBLOCK ? IMAGE_BUSY : IMAGE_UNLOCKABLE;
}
