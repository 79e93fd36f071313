/* A PC's IDE function with drives over temporary files, for its tests. */
#ifndef CALQUE_TESTS_HW_FAKE_IDE_H
#define CALQUE_TESTS_HW_FAKE_IDE_H

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hw/ide.h"
#include "fake.h"

typedef struct FakeIde {
    Fake f; /* lines 14, 15 */
    PciBus *bus;
    DriveSet *drives;
    Ide *ide;
    char file[6][64];
    DriveConfig cfg[6];
    unsigned n;
} FakeIde;

enum { FAKE_DEVFN = 1 << 3 | 1, FAKE_RAM = 1 << 20, FAKE_BM = 0xc000 };

static void fake_post(void *m, void (*fn)(void *arg), void *arg)
{
    machine_post(m, fn, arg);
}

/* A file of sectors, each filled with a pattern of its number. */
static void fake_add_drive(FakeIde *t, unsigned index, bool cd, uint32_t sectors)
{
    char *path = t->file[t->n];
    strcpy(path, "/tmp/calque-ide-XXXXXX");
    int fd = mkstemp(path);
    for (uint32_t s = 0; fd >= 0 && s < sectors; s++) {
        uint32_t words[128];
        for (uint32_t i = 0; i < 128; i++) words[i] = s << 8 | i;
        if (write(fd, words, sizeof words) != (ssize_t)sizeof words) break;
    }
    close(fd);
    t->cfg[t->n++] = (DriveConfig){ .bus = DRIVE_IDE,
                                    .index = (uint8_t)index,
                                    .cdrom = cd,
                                    .image = { .file = path, .unmap = true },
                                    .on_write_error = DRIVE_ERROR_ENOSPC };
}

static void fake_ide_start(FakeIde *t)
{
    char error[256];
    fake_init(&t->f);
    phys_add_ram(t->f.phys, "ram", 0, FAKE_RAM, 0);
    BlockPoster poster = { .post = fake_post, .opaque = t->f.m };
    t->drives = drives_open(t->cfg, t->n, &poster, error, sizeof error);
    if (!t->drives) {
        diag("%s", error);
        exit(1);
    }
    t->bus = pci_bus_new(t->f.m);
    IrqLine irq[2] = { fake_line(&t->f, 14), fake_line(&t->f, 15) };
    t->ide = ide_new(t->f.m, t->bus, FAKE_DEVFN, irq, t->drives);
    machine_reset_now(t->f.m);
    pci_config_write(t->bus, FAKE_DEVFN, 0x20, FAKE_BM, 4);
    pci_config_write(t->bus, FAKE_DEVFN, 0x40, 0x80008000, 4);
    pci_config_write(t->bus, FAKE_DEVFN, 4, 5, 2);
}

static void fake_ide_end(FakeIde *t)
{
    ide_free(t->ide);
    pci_bus_free(t->bus);
    drives_close(t->drives);
    fake_free(&t->f);
    for (unsigned i = 0; i < t->n; i++) unlink(t->file[i]);
}

/* Lets the workers' completions in, until the drive is not busy. */
__attribute__((unused)) static uint8_t fake_wait(FakeIde *t, uint16_t base)
{
    for (int i = 0; i < 20000; i++) {
        machine_poll(t->f.m);
        if (!(in8(&t->f, (uint16_t)(base + 0x206)) & 0x80)) break;
        nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
    }
    return in8(&t->f, (uint16_t)(base + 0x206));
}

#endif
