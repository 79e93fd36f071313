/* The inside of the floppy controller, shared by i82077*.c.
 *
 *   i82077.c         registers, the command and result phases, reset, interrupts
 *   i82077_cmd.c     the command table, and the commands that move no data
 *   i82077_xfer.c    the ones that do: the way of a sector between the disk and the host
 *   i82077_drive.c   drives: formats, heads, the change line
 *
 * Chapter and table numbers are those of the 82077AA data sheet.  Times are not those of a real drive, which nobody wants to
 * wait for, but nothing ends before the guest has had its turn.  The host is never too late: data waits for it, and
 * there is no overrun. */
#ifndef CALQUE_HW_I82077_INT_H
#define CALQUE_HW_I82077_INT_H

#include "hw/i82077.h"

enum { FDC_UNITS = 4, FDC_DRIVES = 2, FDC_FIFO = 16, FDC_PARAMS_MAX = 9, FDC_DMA_CHANNEL = 2 };
enum {
    FDC_SECTOR_NS = 100000,    /* from one sector to the next */
    FDC_STEP_NS = 20000,       /* from one cylinder to the next */
    FDC_NO_TRACK_NS = 2000000, /* until a track is found to hold nothing */
    FDC_SECTORS_MAX = 83 * 2 * 48,
};

enum { ST0_ABNORMAL = 0x40, ST0_INVALID = 0x80, ST0_POLLED = 0xc0, ST0_SE = 0x20, ST0_EC = 0x10, ST0_HEAD = 4 };
enum { ST1_EN = 0x80, ST1_DE = 0x20, ST1_ND = 4, ST1_NW = 2, ST1_MA = 1 };
enum { ST2_CM = 0x40, ST2_DD = 0x20, ST2_WC = 0x10, ST2_SH = 8, ST2_SN = 4 };
enum { ST3_WP = 0x40, ST3_READY = 0x20, ST3_T0 = 0x10, ST3_TWO_SIDED = 8 };
enum { CMD_MT = 0x80, CMD_MFM = 0x40, CMD_SK = 0x20 };
enum { CONFIG_EIS = 0x40, CONFIG_EFIFO = 0x20, CONFIG_POLL = 0x10, CONFIG_THRESHOLD = 15 };
enum { RATE_500K, RATE_300K, RATE_250K, RATE_1M };
enum { DOR_RESET = 4, DOR_DMA = 8 };

/* --- drives ------------------------------------------------------------------------------------------------------- */

/* As CMOS has them. */
typedef enum FloppyType { FLOPPY_NONE, FLOPPY_360K, FLOPPY_1200K, FLOPPY_720K, FLOPPY_1440K, FLOPPY_2880K } FloppyType;
typedef enum FloppyDensity { DENSITY_LOW, DENSITY_HIGH, DENSITY_EXTRA } FloppyDensity;

typedef struct FloppyFormat {
    uint8_t cylinders, heads, sectors; /* of 512 bytes */
    uint8_t density;                   /* FloppyDensity */
    bool small;                        /* 3.5 inches, else 5.25 */
} FloppyFormat;

typedef struct FloppyDrive {
    I82077 *fdc;
    Drive *drive;               /* NULL: nothing is connected here */
    uint8_t type;               /* FloppyType */
    const FloppyFormat *format; /* NULL: no medium, or one that this drive cannot read */
    uint8_t cylinder;           /* where the heads are */
    bool changed;               /* the disk change line */
    bool dirty, flushing;       /* written since the last flush; a flush is under way */
    BlockRequest flush;
    uint8_t deleted[FDC_SECTORS_MAX / 8]; /* address marks, which an image cannot keep */

    /* What the controller knows of the unit. */
    uint8_t pcn;      /* where it thinks the heads are */
    uint8_t seek_st0; /* what SENSE INTERRUPT STATUS will say */
    Timer *seek_done;
} FloppyDrive;

/* --- transfers ------------------------------------------------------------------------------------------------------ */

typedef enum XferKind {
    XFER_READ,
    XFER_WRITE,
    XFER_TRACK,
    XFER_VERIFY,
    XFER_SCAN_EQUAL,
    XFER_SCAN_LOW,
    XFER_SCAN_HIGH,
    XFER_ID,
    XFER_FORMAT,
} XferKind;

typedef enum XferPhase {
    XFER_NONE,
    XFER_FIND,    /* until the sector comes by */
    XFER_LOAD,    /* from the image to the buffer */
    XFER_MOVE,    /* between the buffer and the host */
    XFER_STORE,   /* from the buffer to the image */
    XFER_STOPPED, /* the host failed, and the machine has been stopped for it: try again when it goes on */
} XferPhase;

typedef struct Xfer {
    uint8_t kind, phase, resume; /* resume: the phase after XFER_STOPPED */
    uint8_t unit, head;
    bool mt, mfm, sk;
    bool deleted;       /* a command for deleted data */
    bool last;          /* the wrong mark was met: this sector is the last one */
    bool tc;            /* terminal count */
    bool counted;       /* VERIFY with a sector count */
    uint8_t c, h, r, n; /* the ID looked for */
    uint8_t eot, step;  /* step: between sectors of a scan */
    uint8_t fill;       /* FORMAT */
    uint16_t left;      /* sectors: VERIFY with a count, FORMAT */
    uint16_t index;     /* READ TRACK: sectors since the index hole */
    uint8_t st0, st1, st2;
    uint16_t pos, len; /* the host's place in buf, and the end of what it has to move */
    uint16_t sector;   /* of the image */
} Xfer;

struct I82077 {
    Machine *machine;
    I8237 *dma;
    IrqLine irq6;
    Timer *timer; /* of the transfer */
    BlockRequest req;
    bool in_flight; /* req is the worker's, or on its way back */
    uint32_t stale; /* completions to come that nobody waits for */

    uint8_t dor, tdr, dsr;
    uint8_t srt_hut, hlt_nd; /* SPECIFY */
    uint8_t config, pretrk;  /* CONFIGURE */
    bool lock;
    uint8_t perpendicular;
    uint8_t sc_eot; /* the last EOT or SC, for DUMPREG */

    uint8_t command[FDC_PARAMS_MAX], n_command, n_wanted; /* n_wanted 0: idle */
    uint8_t result[10], n_result, result_at;              /* n_result 0: none */

    /* Reasons for INT. */
    bool result_int, data_int, poll_int;
    uint8_t poll_left;  /* statuses of the polling after a reset that are still to be sensed */
    uint8_t seek_ended; /* units whose seek has ended and was not sensed */
    uint8_t seeking;    /* MSR's drive busy bits */

    Xfer x;
    uint8_t chunk_left; /* PIO: bytes until the next interrupt */
    FloppyDrive unit[FDC_UNITS];
    uint8_t buf[BLOCK_SECTOR];
};

/* --- i82077.c --------------------------------------------------------------------------------------------------------- */
void fdc_update_irq(I82077 *f);
void fdc_drop_polled(I82077 *f);                        /* something newer is to be sensed */
void fdc_result(I82077 *f, unsigned n, bool interrupt); /* result[0..n) is there; n 0: the command is over */
static inline bool fdc_non_dma(const I82077 *f)
{
    return f->hlt_nd & 1;
}

/* --- i82077_cmd.c ------------------------------------------------------------------------------------------------------- */
unsigned fdc_command_length(uint8_t command); /* bytes with the first one */
void fdc_execute(I82077 *f);                  /* command[] is complete */
void fdc_seek_ended(void *unit);              /* Timer; opaque: FloppyDrive */

/* --- i82077_xfer.c ------------------------------------------------------------------------------------------------------ */
void fdc_xfer_start(I82077 *f, XferKind kind);
void fdc_xfer_timer(void *fdc); /* Timer */
void fdc_xfer_forget(I82077 *f);
void fdc_xfer_no_medium(I82077 *f, const FloppyDrive *d); /* it is about to go */
DmaMove fdc_dma_move;
void fdc_ask_host(I82077 *f); /* if its bytes are what the transfer waits for */
/* Non-DMA mode.  MSR's RQM and DIO. */
bool fdc_pio_ready(const I82077 *f);
bool fdc_pio_to_host(const I82077 *f);
uint8_t fdc_pio_read(I82077 *f);
void fdc_pio_write(I82077 *f, uint8_t v);

/* --- i82077_drive.c ------------------------------------------------------------------------------------------------------ */
void floppy_connect(FloppyDrive *d, Drive *drive);
void floppy_disconnect(FloppyDrive *d);
/* n pulses, inwards or out to cylinder 0; how many it took until the heads reached an end. */
unsigned floppy_step(FloppyDrive *d, bool in, unsigned n);
bool floppy_protected(const FloppyDrive *d);
/* The track under this head can be read at this rate; *cylinder: as its IDs have it. */
bool floppy_track(const FloppyDrive *d, unsigned head, unsigned rate, uint8_t *cylinder);
/* r: 1 .. sectors */
uint16_t floppy_sector(const FloppyDrive *d, unsigned cylinder, unsigned head, unsigned r);
bool floppy_is_deleted(const FloppyDrive *d, uint16_t sector);
void floppy_set_deleted(FloppyDrive *d, uint16_t sector, bool deleted);
void floppy_motor_off(FloppyDrive *d); /* what has been written goes to the host's disk */

#endif
