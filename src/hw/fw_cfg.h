/* The firmware configuration device: how the machine tells its firmware what it consists of.  Selector at port 510h, data
 * at 511h, DMA at 514h (QEMU's documentation, docs/specs/fw_cfg, is its specification). */
#ifndef CALQUE_HW_FW_CFG_H
#define CALQUE_HW_FW_CFG_H

#include "hw/machine.h"

enum {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_DEVICE = 0x0c,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_ENTRY = 0x10,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_FILE_SLOTS = 0x20,
    FW_CFG_ARCH_LOCAL = 0x8000,
    FW_CFG_IRQ0_OVERRIDE = FW_CFG_ARCH_LOCAL + 2,
    FW_CFG_E820_TABLE = FW_CFG_ARCH_LOCAL + 3,
};
enum { FW_CFG_NAME_MAX = 55 };

typedef struct FwCfg FwCfg;
FwCfg *fw_cfg_new(Machine *m);
void fw_cfg_free(FwCfg *fw);
/* An item by key: keeps a copy, replaces an earlier one. */
void fw_cfg_add(FwCfg *fw, uint16_t key, const void *data, size_t len);
void fw_cfg_add_u16(FwCfg *fw, uint16_t key, uint16_t v);
void fw_cfg_add_u32(FwCfg *fw, uint16_t key, uint32_t v);
/* Large items: data is borrowed and must outlive fw. */
void fw_cfg_lend(FwCfg *fw, uint16_t key, const void *data, size_t len);
/* A named file ("etc/e820"): keeps a copy, replaces an earlier one of that name. */
void fw_cfg_add_file(FwCfg *fw, const char *name, const void *data, size_t len);

#endif
