/* The monitor's self-description (VESA E-EDID 1.4). */
#ifndef CALQUE_HW_EDID_H
#define CALQUE_HW_EDID_H

#include <stdint.h>

enum { EDID_BYTES = 128 };
void edid_build(uint8_t edid[EDID_BYTES]);

#endif
