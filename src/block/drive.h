/* Drives: where an image is put in.  A drive has a place on the board (ide0-hd0, floppy0), perhaps a medium, and rules for
 * what happens when the host fails it.  Devices attach themselves as clients; the monitor ejects and changes media
 * by the drives' names.  All on the machine thread. */
#ifndef CALQUE_BLOCK_DRIVE_H
#define CALQUE_BLOCK_DRIVE_H

#include "block/block.h"

typedef enum DriveBus { DRIVE_IDE, DRIVE_FLOPPY, DRIVE_BUSES } DriveBus;
enum { DRIVES_MAX = 6 }; /* IDE 0..3: primary master, primary slave, ...; floppy 0..1: A, B */

/* rerror=, werror= */
typedef enum DriveOnError {
    DRIVE_ERROR_REPORT, /* the guest's drive fails the command */
    DRIVE_ERROR_STOP,   /* the machine stops; the request is tried again when it goes on */
    DRIVE_ERROR_ENOSPC, /* stop if the host's disk is full, else report */
    DRIVE_ERROR_IGNORE,
} DriveOnError;

/* One -drive. */
typedef struct DriveConfig {
    DriveBus bus;
    uint8_t index;
    bool cdrom;
    BlockOptions image; /* file NULL: no medium */
    DriveOnError on_read_error, on_write_error;
    const char *id;             /* NULL: named by its place */
    const char *serial, *model; /* as IDENTIFY shows them; NULL: the usual ones */
    uint32_t boot_rank;         /* the firmware tries lower ones first; 0: by kind and place */
} DriveConfig;

typedef struct Drive Drive;
/* What the drive's device is told and asked.  Any may be NULL. */
typedef struct DriveClient {
    /* The medium is about to go: forget requests under way (they are executed before the image is closed). */
    void (*closing)(void *opaque);
    /* drive_image() is another one now, or NULL.  The tray is closed over a new medium, and open without one. */
    void (*changed)(void *opaque);
    bool (*locked)(void *opaque); /* the guest prevents removal */
    bool (*tray_open)(void *opaque);
    void (*eject_wanted)(void *opaque); /* the button was pressed while locked: tell the guest */
} DriveClient;

typedef struct DriveSet DriveSet;
/* Opens all images.  NULL: error says why in one line. */
DriveSet *drives_open(const DriveConfig *cfg, unsigned n, const BlockPoster *poster, char *error, size_t error_size);
/* Closes all images.  After the devices have been freed. */
void drives_close(DriveSet *set);
/* The drive configured at this place, or NULL. */
Drive *drives_at(DriveSet *set, DriveBus bus, unsigned index);
Drive *drives_find(DriveSet *set, const char *name);

void drive_attach(Drive *d, const DriveClient *client, void *opaque); /* client NULL: detach */
BlockImage *drive_image(Drive *d);                                    /* NULL: no medium */
const char *drive_name(const Drive *d);
const DriveConfig *drive_config(const Drive *d);
bool drive_is_cdrom(const Drive *d);
bool drive_is_removable(const Drive *d); /* CD or floppy */

/* What to do about a failed request (error: an errno).  Writes the message where one is due; STOP is for the caller to
 * carry out with machine_stop().  Never DRIVE_ERROR_ENOSPC. */
DriveOnError drive_error_action(Drive *d, bool write, int error);

/* For the monitor.  False: error says why. */
bool drive_eject(DriveSet *set, const char *name, bool force, char *error, size_t error_size);
/* read_only: as an option of -drive; -1: as before. */
bool drive_change(DriveSet *set, const char *name, const char *file, int read_only, char *error, size_t error_size);
/* Text for `info block`, line by line. */
void drives_print(DriveSet *set, void (*emit)(void *opaque, const char *line), void *opaque);
/* All images: what has been submitted is executed; and on the disk, if they are written back.  0 or an errno. */
void drives_drain(DriveSet *set);
int drives_flush(DriveSet *set);

#endif
