/* Sectors of a CD as they are on the disc (ECMA-130): an image holds only their 2048 bytes of user data; sync pattern, header, EDC
 * and ECC are worked out. */
#ifndef CALQUE_HW_CD_SECTOR_H
#define CALQUE_HW_CD_SECTOR_H

#include <stdint.h>

/* A whole mode 1 sector of 2352 bytes. */
void cd_make_sector(uint8_t raw[2352], uint32_t lba, const uint8_t data[2048]);
/* READ CD's byte 9, bits 7-3: sync, header (2 bits), user data, EDC and ECC.  Bytes of one such selection. */
uint32_t cd_parts_size(uint8_t parts);
void cd_take_parts(uint8_t *out, const uint8_t raw[2352], uint8_t parts);

/* Binary minutes, seconds, frames; 00:02:00 is block 0. */
void cd_lba_to_msf(uint32_t lba, uint8_t msf[3]);
uint32_t cd_msf_to_lba(uint8_t m, uint8_t s, uint8_t f);

#endif
