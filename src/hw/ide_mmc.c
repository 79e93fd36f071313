/* What a CD-ROM drive answers to inquiries (MMC-3; INQUIRY and REQUEST SENSE: SPC-2).  An answer is put together whole, and
 * cut to what the host has allotted. */
#include "hw/ide_int.h"

#include <string.h>

#include "hw/cd_sector.h"

enum { ASC_FIELD = 0x24, ASC_SAVING = 0x39, ASC_DVD_STRUCTURE = 0x30 };
/* 80 minutes: what is larger must be a DVD. */
enum { CD_UNITS_MAX = 80 * 60 * 75, PROFILE_CD = 0x08, PROFILE_DVD = 0x10, LEAD_OUT = 0xaa };

static void bad_field(IdeDrive *d)
{
    atapi_error(d, SENSE_ILLEGAL, ASC_FIELD, 0);
}

static bool is_dvd(const IdeDrive *d)
{
    return atapi_units(d) > CD_UNITS_MAX;
}

static uint8_t *answer(IdeDrive *d, uint32_t size)
{
    memset(d->buf, 0, size);
    return d->buf;
}

static void put_text(uint8_t *out, size_t size, const char *text)
{
    for (size_t i = 0; i < size; i++) out[i] = *text ? (uint8_t)*text++ : ' ';
}

/* --- SPC ----------------------------------------------------------------------------------------------------------------- */

void mmc_request_sense(IdeDrive *d, const uint8_t *p)
{
    uint8_t *out = answer(d, 18);
    out[0] = 0x70; /* current, fixed format */
    out[2] = d->sense_key;
    out[7] = 10;
    out[12] = d->asc;
    out[13] = d->ascq;
    d->sense_key = d->asc = d->ascq = 0;
    atapi_reply(d, 18, p[4]);
}

/* Vital product data: the list of pages, and the drive's name. */
static void inquiry_page(IdeDrive *d, const uint8_t *p)
{
    uint8_t *out = answer(d, 64);
    out[0] = 5;
    out[1] = p[2];
    switch (p[2]) {
    case 0x00:
        out[3] = 2;
        out[5] = 0x83;
        atapi_reply(d, 6, get_be16(p + 3));
        break;
    case 0x83:
        out[3] = 4 + 24;
        out[4] = 2;  /* ASCII */
        out[5] = 1;  /* vendor's */
        out[7] = 24; /* of the identifier */
        put_text(out + 8, 8, "QEMU");
        put_text(out + 16, 16, "QEMU DVD-ROM");
        atapi_reply(d, 32, get_be16(p + 3));
        break;
    default: bad_field(d); break;
    }
}

void mmc_inquiry(IdeDrive *d, const uint8_t *p)
{
    if (p[1] & 1) {
        inquiry_page(d, p);
        return;
    }
    if (p[2]) {
        bad_field(d);
        return;
    }
    uint8_t *out = answer(d, 36);
    out[0] = 5;    /* CD/DVD */
    out[1] = 0x80; /* removable */
    out[3] = 0x21; /* ATAPI, answers of this format */
    out[4] = 36 - 5;
    put_text(out + 8, 8, "QEMU");
    put_text(out + 16, 16, "QEMU DVD-ROM");
    put_text(out + 32, 4, "2.5+");
    atapi_reply(d, 36, get_be16(p + 3));
}

/* --- mode pages ---------------------------------------------------------------------------------------------------------------- */

/* Fills out; its length. */
typedef uint32_t ModePage(const IdeDrive *d, uint8_t *out, bool changeable);

static uint32_t page_error_recovery(const IdeDrive *d, uint8_t *out, bool changeable)
{
    (void)d;
    out[0] = 0x01;
    out[1] = 6;
    if (!changeable) out[3] = 5; /* retries */
    return 8;
}

static uint32_t page_audio(const IdeDrive *d, uint8_t *out, bool changeable)
{
    (void)d, (void)changeable;
    out[0] = 0x0e;
    out[1] = 14;
    return 16;
}

static uint32_t page_power(const IdeDrive *d, uint8_t *out, bool changeable)
{
    (void)d, (void)changeable;
    out[0] = 0x1a;
    out[1] = 10;
    return 12;
}

/* MMC-3, 6.3.11: capabilities and mechanical status. */
static uint32_t page_capabilities(const IdeDrive *d, uint8_t *out, bool changeable)
{
    out[0] = 0x2a;
    out[1] = 20;
    if (changeable) return 22;
    out[2] = 0x3b;                       /* reads CD-R, CD-RW, method 2, DVD-ROM, DVD-R */
    out[4] = 0x70;                       /* mode 2 form 1 and 2, multisession */
    out[6] = 0x29 | (d->locked ? 2 : 0); /* tray, can eject and be locked */
    put_be16(out + 8, 704);              /* kB/s: 4 x */
    put_be16(out + 10, 2);               /* volume levels */
    put_be16(out + 12, IDE_BUF / 1024);  /* KiB */
    put_be16(out + 14, 704);
    return 22;
}

typedef struct ModeRow {
    uint8_t code;
    ModePage *fill;
} ModeRow;
static const ModeRow mode_pages[] = {
    { 0x01, page_error_recovery },
    { 0x0e, page_audio },
    { 0x1a, page_power },
    { 0x2a, page_capabilities },
};

static uint8_t medium_type(const IdeDrive *d)
{
    if (d->tray_open) return 0x71;
    return atapi_has_medium(d) ? 0x01 : 0x70; /* 120 mm data, none */
}

/* header: 4 bytes (6-byte command) or 8. */
static void mode_sense(IdeDrive *d, const uint8_t *p, uint32_t header, uint32_t allotted)
{
    uint8_t code = p[2] & 0x3f, control = p[2] >> 6;
    uint8_t *out = answer(d, 256);
    uint32_t n = header;
    if (control == 3) {
        atapi_error(d, SENSE_ILLEGAL, ASC_SAVING, 0); /* there are no saved values */
        return;
    }
    for (size_t i = 0; i < sizeof mode_pages / sizeof mode_pages[0]; i++)
        if (code == 0x3f || code == mode_pages[i].code) n += mode_pages[i].fill(d, out + n, control == 1);
    if (n == header) {
        bad_field(d);
        return;
    }
    if (header == 4) {
        out[0] = (uint8_t)(n - 1);
        out[1] = medium_type(d);
    } else {
        put_be16(out, n - 2);
        out[2] = medium_type(d);
    }
    atapi_reply(d, n, allotted);
}

void mmc_mode_sense_6(IdeDrive *d, const uint8_t *p)
{
    mode_sense(d, p, 4, p[4]);
}
void mmc_mode_sense_10(IdeDrive *d, const uint8_t *p)
{
    mode_sense(d, p, 8, get_be16(p + 7));
}

/* --- the medium ------------------------------------------------------------------------------------------------------------------ */

void mmc_read_capacity(IdeDrive *d, const uint8_t *p)
{
    (void)p;
    uint8_t *out = answer(d, 8);
    put_be32(out, atapi_units(d) - 1);
    put_be32(out + 4, CD_SECTOR);
    atapi_reply(d, 8, 8);
}

static void put_address(uint8_t *out, uint32_t lba, bool msf)
{
    if (msf) {
        out[0] = 0;
        cd_lba_to_msf(lba, out + 1);
    } else {
        put_be32(out, lba);
    }
}

/* Format 0: one data track, and the lead-out.  Its length, 0 for a track that is not there. */
static uint32_t toc_tracks(const IdeDrive *d, uint8_t *out, uint8_t from, bool msf)
{
    uint32_t n = 4;
    if (from > 1 && from != LEAD_OUT) return 0;
    out[2] = out[3] = 1; /* first and last track */
    if (from <= 1) {
        out[n + 1] = 0x14; /* ADR 1; data, no copying */
        out[n + 2] = 1;
        put_address(out + n + 4, 0, msf);
        n += 8;
    }
    out[n + 1] = 0x14;
    out[n + 2] = LEAD_OUT;
    put_address(out + n + 4, atapi_units(d), msf);
    return n + 8;
}

/* Format 1: one session, whose first track is track 1. */
static uint32_t toc_sessions(const IdeDrive *d, uint8_t *out, bool msf)
{
    (void)d;
    out[2] = out[3] = 1;
    out[5] = 0x14;
    out[6] = 1;
    put_address(out + 8, 0, msf);
    return 12;
}

/* Format 2: as in the lead-in's Q channel: points A0 to A2, and the track. */
static uint32_t toc_raw(const IdeDrive *d, uint8_t *out)
{
    static const uint8_t points[] = { 0xa0, 0xa1, 0xa2, 0x01 };
    uint32_t n = 4;
    out[2] = out[3] = 1;
    for (size_t i = 0; i < sizeof points; i++, n += 11) {
        out[n] = 1; /* session */
        out[n + 1] = 0x14;
        out[n + 3] = points[i];
        if (points[i] < 0xa2)
            out[n + 8] = 1; /* A0: first track, A1: last track */
        else
            cd_lba_to_msf(points[i] == 0xa2 ? atapi_units(d) : 0, out + n + 8);
    }
    return n;
}

void mmc_read_toc(IdeDrive *d, const uint8_t *p)
{
    uint8_t format = p[2] & 0x0f;
    if (!format) format = p[9] >> 6; /* where SFF-8020i has it */
    bool msf = p[1] & 2;
    uint8_t *out = answer(d, 64);
    uint32_t n = 0;
    switch (format) {
    case 0: n = toc_tracks(d, out, p[6], msf); break;
    case 1: n = toc_sessions(d, out, msf); break;
    case 2: n = toc_raw(d, out); break;
    }
    if (!n) {
        bad_field(d);
        return;
    }
    put_be16(out, n - 2);
    atapi_reply(d, n, get_be16(p + 7));
}

void mmc_read_disc_information(IdeDrive *d, const uint8_t *p)
{
    if (p[1] & 7) {
        bad_field(d);
        return;
    }
    uint8_t *out = answer(d, 34);
    put_be16(out, 32);
    out[2] = 0x0e;             /* last session complete, disc finalized */
    out[3] = 1;                /* first track */
    out[4] = 1;                /* sessions */
    out[5] = out[6] = 1;       /* first and last track of the last one */
    out[7] = 0x20;             /* unrestricted use */
    memset(out + 16, 0xff, 8); /* a finished disc has no next session */
    atapi_reply(d, 34, get_be16(p + 7));
}

/* --- DVD ---------------------------------------------------------------------------------------------------------------------------- */

static void physical_format(const IdeDrive *d, uint8_t *out)
{
    uint32_t last = atapi_units(d) - 1;
    out[0] = 0x01;              /* DVD-ROM, version 1 */
    out[1] = 0x0f;              /* 120 mm, no maximum rate */
    out[2] = 0x01;              /* one layer, read-only */
    put_be32(out + 4, 0x30000); /* first data sector */
    put_be32(out + 8, 0x30000 + last);
    put_be32(out + 12, 0x30000 + last);
}

typedef struct DvdFormat {
    uint8_t code;
    uint16_t size; /* with the header of 4 bytes */
} DvdFormat;
static const DvdFormat dvd_formats[] = { { 0x00, 2048 + 4 }, { 0x01, 4 + 4 }, { 0x04, 2048 + 4 }, { 0xff, 4 + 4 * 4 } };

static void list_formats(uint8_t *out)
{
    for (size_t i = 0; i < sizeof dvd_formats / sizeof dvd_formats[0]; i++, out += 4) {
        out[0] = dvd_formats[i].code;
        out[1] = 0x40; /* can be read, not written */
        put_be16(out + 2, dvd_formats[i].size);
    }
}

void mmc_read_dvd_structure(IdeDrive *d, const uint8_t *p)
{
    const DvdFormat *f = dvd_formats, *end = f + sizeof dvd_formats / sizeof dvd_formats[0];
    while (f < end && f->code != p[7]) f++;
    if (f == end || p[1] & 0x0f || p[6]) { /* media type 0: DVD; one layer */
        bad_field(d);
        return;
    }
    if (!is_dvd(d) && f->code != 0xff) {
        atapi_error(d, SENSE_ILLEGAL, ASC_DVD_STRUCTURE, 2); /* the medium has the wrong format */
        return;
    }
    uint8_t *out = answer(d, 2048 + 4);
    put_be16(out, f->size - 2u);
    if (f->code == 0x00) physical_format(d, out + 4);
    if (f->code == 0xff) list_formats(out + 4);
    atapi_reply(d, f->size, get_be16(p + 8)); /* 01: no copy protection; 04: nothing from the manufacturer */
}

/* --- the drive ------------------------------------------------------------------------------------------------------------------------ */

static uint8_t *put_feature(uint8_t *out, uint16_t code, uint8_t flags, uint8_t extra)
{
    put_be16(out, code);
    out[2] = flags; /* version, persistent, current */
    out[3] = extra;
    return out + 4;
}

/* Each is listed if p asks for all, for current ones, or for just it. */
static bool wants(const uint8_t *p, uint16_t code, bool current)
{
    uint16_t from = get_be16(p + 2);
    switch (p[1] & 3) {
    case 0: return code >= from;
    case 1: return code >= from && current;
    default: return code == from;
    }
}

void mmc_get_configuration(IdeDrive *d, const uint8_t *p)
{
    if ((p[1] & 3) == 3) {
        bad_field(d);
        return;
    }
    uint8_t *start = answer(d, 128), *out = start + 8;
    bool medium = atapi_has_medium(d), dvd = medium && is_dvd(d), cd = medium && !dvd;
    put_be16(start + 6, dvd ? PROFILE_DVD : cd ? PROFILE_CD : 0);
    if (wants(p, 0x0000, true)) { /* profile list */
        out = put_feature(out, 0x0000, 3, 8);
        put_be16(out, PROFILE_DVD);
        out[2] = dvd;
        put_be16(out + 4, PROFILE_CD);
        out[6] = cd;
        out += 8;
    }
    if (wants(p, 0x0001, true)) { /* core: ATAPI, device busy events */
        out = put_feature(out, 0x0001, 2 << 2 | 3, 8);
        put_be32(out, 2);
        out[4] = 1;
        out += 8;
    }
    if (wants(p, 0x0003, true)) { /* removable medium: tray, can eject, can be locked */
        out = put_feature(out, 0x0003, 3, 4);
        out[0] = 0x29;
        out += 4;
    }
    if (wants(p, 0x0010, medium)) { /* random readable */
        out = put_feature(out, 0x0010, medium, 8);
        put_be32(out, CD_SECTOR);
        put_be16(out + 4, 1);
        out += 8;
    }
    if (wants(p, 0x001e, cd)) out = put_feature(out, 0x001e, 2 << 2 | cd, 4) + 4; /* CD read */
    if (wants(p, 0x001f, dvd)) out = put_feature(out, 0x001f, dvd, 4) + 4;        /* DVD read */
    uint32_t n = (uint32_t)(out - start);
    put_be32(start, n - 4);
    atapi_reply(d, n, get_be16(p + 7));
}

/* MMC-3, 5.13: events of class 4, the medium. */
void mmc_get_event_status(IdeDrive *d, const uint8_t *p)
{
    enum { CLASS_MEDIA = 4, NO_EVENT_AVAILABLE = 0x80 };
    if (!(p[1] & 1)) { /* only polling */
        bad_field(d);
        return;
    }
    uint8_t *out = answer(d, 8);
    out[3] = 1 << CLASS_MEDIA; /* supported */
    if (!(p[4] & 1 << CLASS_MEDIA)) {
        out[2] = NO_EVENT_AVAILABLE;
        put_be16(out, 2);
        atapi_reply(d, 4, get_be16(p + 7));
        return;
    }
    put_be16(out, 6);
    out[2] = CLASS_MEDIA;
    if (d->eject_wanted) {
        out[4] = 1;
        d->eject_wanted = false;
    } else if (d->new_media && atapi_has_medium(d)) {
        out[4] = 2;
        d->new_media = false;
    }
    out[5] = (uint8_t)((d->tray_open ? 1 : 0) | (atapi_has_medium(d) ? 2 : 0));
    atapi_reply(d, 8, get_be16(p + 7));
}

void mmc_mechanism_status(IdeDrive *d, const uint8_t *p)
{
    uint8_t *out = answer(d, 8);
    if (d->tray_open) out[1] = 0x10; /* no changer, door open */
    out[5] = 1;                      /* slots... of a drive that is not a changer */
    atapi_reply(d, 8, get_be16(p + 8));
}
