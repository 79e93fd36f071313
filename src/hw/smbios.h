/* The SMBIOS tables that firmware puts into memory: what `dmidecode` shows of the board. */
#ifndef CALQUE_HW_SMBIOS_H
#define CALQUE_HW_SMBIOS_H

#include "hw/fw_cfg.h"

/* mem_bytes: all RAM; low_ram: the part below 4 GiB. */
void smbios_offer(FwCfg *fw, uint32_t mem_bytes, uint32_t low_ram);

#endif
