/* The least guest that hears its keyboard: it writes R to port e9h, and then every byte of port 60h. */
#ifndef CALQUE_TESTS_MONITOR_GUEST_H
#define CALQUE_TESTS_MONITOR_GUEST_H

#include <stdint.h>
#include <stdio.h>

/* Multiboot, loaded as it is at 1 MiB. */
static const uint8_t key_guest[] = {
    0x02, 0xb0, 0xad, 0x1b, 0x00, 0x00, 0x01, 0x00, 0xfe, 0x4f, 0x51, 0xe4, /* magic, flags, checksum */
    0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x10, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0x00, 0x10, 0x00,
    0xb0, 'R',                                              /*       mov al, 'R' */
    0xe6, 0xe9,                                             /*       out 0xe9, al */
    0xe4, 0x64, 0xa8, 0x01, 0x74, 0xfa,                     /* wait: in al, 0x64; test al, 1; jz wait */
    0xe4, 0x60, 0xe6, 0xe9, 0xeb, 0xf4,                     /*       in al, 0x60; out 0xe9, al; jmp wait */
};

static inline bool write_key_guest(const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f) return false;
    bool good = fwrite(key_guest, 1, sizeof key_guest, f) == sizeof key_guest;
    return fclose(f) == 0 && good;
}

#endif
