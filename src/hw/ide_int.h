/* The inside of the IDE function, shared by ide*.c.
 *
 *   ide.c           the channel: task file, status, interrupts, reset; the PCI function
 *   ide_dma.c       the bus master: its registers, and moving bytes along the scatter list
 *   ide_xfer.c      the way of data between disk, buffer and host: one loop for PIO and DMA, both ways
 *   ide_ata.c       ATA commands of disks (ide_identify.c: IDENTIFY; ide_smart.c: SMART and TRIM)
 *   ide_atapi.c     packets: sense, media, reads (ide_mmc.c: answers to all that inquires)
 *
 * A drive works on one command at a time, with one buffer.  The host disk's part runs on the image's worker; a command that
 * is forgotten meanwhile (reset, eject) waits for it, and the completion that is still in the machine's queue is
 * then counted as stale. */
#ifndef CALQUE_HW_IDE_INT_H
#define CALQUE_HW_IDE_INT_H

#include "hw/ide.h"
#include "util/bytes.h"

enum { ST_BSY = 0x80, ST_DRDY = 0x40, ST_DF = 0x20, ST_DSC = 0x10, ST_DRQ = 8, ST_ERR = 1 };
enum { ER_UNC = 0x40, ER_IDNF = 0x10, ER_ABRT = 4 };
enum { SEL_LBA = 0x40, SEL_DRIVE = 0x10, SEL_HEAD = 0x0f };
enum { CTL_HOB = 0x80, CTL_SRST = 4, CTL_NIEN = 2 };
enum { REASON_CD = 1, REASON_IO = 2 }; /* interrupt reason: the sector count register of packet devices */
enum { ATA_PACKET = 0xa0 };
enum { PACKET_SIZE = 12, CD_SECTOR = 2048, CD_RAW = 2352 };

enum {
    IDE_BUF = 256 << 10,
    IDE_MULT_MAX = 16,
    IDE_INLINE_MAX = 8, /* buffers filled without giving the guest a turn */
    IDE_TRIM_BLOCKS = IDE_BUF / BLOCK_SECTOR,
    SMART_TESTS = 21, /* in the self-test log */
};

/* Where a command stands. */
typedef enum IdePhase {
    IDE_IDLE,
    IDE_FETCH,   /* from the disk to the buffer ... */
    IDE_DELIVER, /* ... to the host */
    IDE_COLLECT, /* from the host to the buffer ... */
    IDE_STORE,   /* ... to the disk */
    IDE_FLUSH,
    IDE_TRIM,    /* the buffer holds ranges to be given up */
    IDE_NEXT,    /* a buffer's worth is done */
    IDE_STOPPED, /* the host failed, and the machine has been stopped for it: try again when it goes on */
} IdePhase;

/* Registers as written, with what was in them before (LBA48's "high order byte"). */
typedef struct TaskFile {
    uint8_t feature, nsector, lba[3];
    uint8_t hob_feature, hob_nsector, hob_lba[3];
} TaskFile;

typedef struct IdeChannel IdeChannel;
typedef struct IdeDrive IdeDrive;
struct IdeDrive {
    IdeChannel *ch;
    Drive *drive; /* NULL: nothing is connected */
    Machine *machine;
    Timer *retry;
    BlockRequest req;
    bool in_flight; /* req is the worker's, or on its way back */
    unsigned stale; /* completions to come that nobody waits for */
    char name[24];

    bool cd;
    TaskFile tf;
    uint8_t status, error;
    bool irq; /* INTRQ, if it were selected */
    bool asleep;

    /* Settings. */
    uint16_t cylinders, heads, spt;             /* as shipped: IDENTIFY words 1, 3, 6 */
    uint16_t cur_cylinders, cur_heads, cur_spt; /* after INITIALIZE DEVICE PARAMETERS */
    uint8_t mult;                               /* sectors per DRQ block of READ MULTIPLE; 0: off */
    uint8_t power;                              /* as CHECK POWER MODE says */
    uint8_t dma_mode;                           /* as SET FEATURES 03h had it: 20h.. multiword, 40h.. ultra */
    bool write_cache, look_ahead, smart_enabled;
    uint8_t smart_autosave;
    uint8_t smart_test[SMART_TESTS], smart_tests; /* the log: a ring, and where its newest entry is (from 1) */
    uint16_t smart_hours[SMART_TESTS];
    uint8_t sector_buf[BLOCK_SECTOR]; /* READ BUFFER, WRITE BUFFER */

    /* The command under way. */
    uint8_t command;
    uint8_t phase, resume;              /* IdePhase; resume: after IDE_STOPPED */
    bool dma, write, fua, verify, disk; /* disk: data of the medium, not of the drive itself */
    bool bad;                           /* the sector behind what is in the buffer cannot be read */
    uint64_t lba;                       /* of the buffer, in units */
    uint32_t left;                      /* units, with those in the buffer */
    uint32_t unit;                      /* bytes of one as the host sees it: 512, 2048, 2352 */
    uint32_t pos, block_end, filled;    /* in the buffer: host is at pos; this DRQ block; valid data */
    uint32_t block;                     /* bytes of a DRQ block */

    /* ATAPI. */
    bool awaits_packet;
    uint8_t packet[PACKET_SIZE];
    uint8_t sense_key, asc, ascq;
    bool changed; /* still to be told: there is another medium */
    bool locked, tray_open, new_media, eject_wanted;
    uint8_t raw_parts; /* READ CD byte 9: what of a 2352-byte sector is wanted */

    _Alignas(4096) uint8_t buf[IDE_BUF];
};

struct IdeChannel {
    Ide *ide;
    Machine *machine;
    IrqLine irq_line;
    bool line; /* its level */
    uint8_t select, control;
    IdeDrive drive[2];

    uint8_t bm_command, bm_status;
    uint32_t bm_table;
    uint32_t prd_at, prd_addr, prd_left;
    bool prd_last;
};

struct Ide {
    PciDevice pci;
    Machine *machine;
    void *memory; /* what the allocator gave: the struct is aligned for O_DIRECT within */
    IdeChannel ch[2];
};

static inline IdeDrive *ide_selected(IdeChannel *ch)
{
    return &ch->drive[ch->select & SEL_DRIVE ? 1 : 0];
}

/* --- ide.c ------------------------------------------------------------------------------------------------- */
void ide_raise(IdeDrive *d); /* INTRQ */
void ide_update_irq(IdeChannel *ch);
void ide_signature(IdeDrive *d);     /* what tells a disk from a packet device after a reset */
void ide_drive_reset(IdeDrive *d);   /* SRST or DEVICE RESET */
void ide_diagnostic(IdeChannel *ch); /* EXECUTE DEVICE DIAGNOSTIC */

/* --- ide_dma.c ----------------------------------------------------------------------------------------------- */
extern const IoPortOps ide_bm_ops; /* opaque: Ide */
void ide_bm_reset(IdeChannel *ch);
/* Moves buf[pos .. filled); false: not all of it could be, wait. */
bool ide_dma_move(IdeDrive *d, bool to_memory);
void ide_dma_done(IdeDrive *d); /* the drive's part of the transfer is over */

/* --- ide_xfer.c ---------------------------------------------------------------------------------------------- */
void ide_run(IdeDrive *d); /* goes on with the command as far as it can */
/* Moves units of the medium; the rest of the command's state has been set. */
void ide_start_disk(IdeDrive *d, bool write, uint64_t lba, uint32_t units, uint32_t unit);
/* n bytes of the drive's own, in buf already or to be collected there (n <= IDE_BUF). */
void ide_start_data(IdeDrive *d, bool write, uint32_t n);
void ide_start_flush(IdeDrive *d);
void ide_forget(IdeDrive *d);              /* drops the command under way */
void ide_finish(IdeDrive *d);              /* good status, and an interrupt */
void ide_fail(IdeDrive *d, uint8_t error); /* the same with ERR */
uint32_t ide_data_read(IdeDrive *d, unsigned size);
void ide_data_write(IdeDrive *d, uint32_t v, unsigned size);
void ide_retry(void *drive); /* Timer */

/* --- ide_ata.c, ide_identify.c ----------------------------------------------------------------------------------- */
void ide_command(IdeDrive *d, uint8_t command);
/* A buffer-sized part of a disk command is over. */
void ata_set_address(IdeDrive *d, uint64_t lba, bool ext);
bool ata_is_ext(uint8_t command);
bool ata_is_trim(uint8_t command);
void ata_own_data_written(IdeDrive *d); /* WRITE BUFFER */
uint64_t ide_sectors(const IdeDrive *d);
void ide_guess_geometry(IdeDrive *d);
uint8_t ide_translation(const IdeDrive *d); /* as CMOS 39h has it */
void ata_identify(const IdeDrive *d, uint8_t out[512]);
void atapi_identify(const IdeDrive *d, uint8_t out[512]);

/* --- ide_smart.c --------------------------------------------------------------------------------------------- */
void ata_smart(IdeDrive *d, unsigned flags);
void ata_data_set_management(IdeDrive *d, unsigned flags);
bool ata_trim_is_in_range(const IdeDrive *d);                    /* all ranges in buf */
bool ata_next_trim(IdeDrive *d, uint64_t *lba, uint32_t *count); /* the range at pos; false: none is left */
void ata_trim_done(IdeDrive *d);

/* --- ide_atapi.c, ide_mmc.c ---------------------------------------------------------------------------------- */
void atapi_packet_command(IdeDrive *d); /* A0h: asks for the packet */
void atapi_packet(IdeDrive *d);         /* it has come */
void atapi_reset(IdeDrive *d);
void atapi_read_failed(IdeDrive *d);
void atapi_make_raw(IdeDrive *d, uint32_t units); /* READ CD: 2048-byte sectors in buf become what was asked for */
uint32_t atapi_units(const IdeDrive *d);          /* 2048-byte sectors; 0: no medium */
extern const DriveClient atapi_client;            /* opaque: IdeDrive */
void atapi_error(IdeDrive *d, uint8_t key, uint8_t asc, uint8_t ascq);
/* Answers with buf[0 .. n), cut to what the host has allotted. */
void atapi_reply(IdeDrive *d, uint32_t n, uint32_t allotted);
bool atapi_has_medium(const IdeDrive *d);

typedef void AtapiHandler(IdeDrive *d, const uint8_t *packet);
AtapiHandler mmc_inquiry, mmc_mode_sense_6, mmc_mode_sense_10, mmc_read_toc, mmc_read_capacity, mmc_get_configuration,
    mmc_get_event_status, mmc_mechanism_status, mmc_read_disc_information, mmc_read_dvd_structure, mmc_request_sense;

enum {
    SENSE_NONE = 0,
    SENSE_NOT_READY = 2,
    SENSE_MEDIUM_ERROR = 3,
    SENSE_HARDWARE = 4,
    SENSE_ILLEGAL = 5,
    SENSE_ATTENTION = 6
};

#endif
