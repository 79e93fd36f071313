/* The least guest that hears its keyboard: it writes R to port e9h, and then every byte of port 60h. */
#ifndef CALQUE_TESTS_MONITOR_GUEST_H
#define CALQUE_TESTS_MONITOR_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Multiboot, loaded as it is at 1 MiB. */
static const uint8_t key_guest[] = {
    0x02, 0xb0, 0xad, 0x1b, 0x00, 0x00, 0x01, 0x00, 0xfe, 0x4f, 0x51, 0xe4, /* magic, flags, checksum */
    0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x10, 0x00, 0,    0,    0,    0,
    0,    0,    0,    0,    0x20, 0x00, 0x10, 0x00, 0xb0, 'R', /*       mov al, 'R' */
    0xe6, 0xe9,                                                /*       out 0xe9, al */
    0xe4, 0x64, 0xa8, 0x01, 0x74, 0xfa,                        /* wait: in al, 0x64; test al, 1; jz wait */
    0xe4, 0x60, 0xe6, 0xe9, 0xeb, 0xf4,                        /*       in al, 0x60; out 0xe9, al; jmp wait */
};

static inline bool write_key_guest(const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f) return false;
    bool good = fwrite(key_guest, 1, sizeof key_guest, f) == sizeof key_guest;
    return fclose(f) == 0 && good;
}

/* The same as the boot sector of a floppy: these instructions are the same in 16-bit code. */
static inline bool write_key_floppy(const char *path)
{
    enum { HEADER = 32, SECTOR = 512, FLOPPY = 1474560 };
    uint8_t sector[SECTOR] = { 0xfa }; /* cli */
    for (unsigned i = HEADER; i < sizeof key_guest; i++) sector[1 + i - HEADER] = key_guest[i];
    sector[510] = 0x55;
    sector[511] = 0xaa;
    FILE *f = fopen(path, "wb");
    if (!f) return false;
    bool good = fwrite(sector, 1, SECTOR, f) == SECTOR && fseek(f, FLOPPY - 1, SEEK_SET) == 0 && fputc(0, f) == 0;
    return fclose(f) == 0 && good;
}

#endif
