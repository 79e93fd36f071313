noinst_LIBRARIES += libhw.a
libhw_a_SOURCES =
# The order of the machine
libhw_a_SOURCES += src/hw/machine.h src/hw/machine_board.h src/hw/machine.c src/hw/timer_heap.h \
	src/hw/timer_heap.c src/hw/icount.h src/hw/icount.c src/hw/digest.h src/hw/digest.c src/hw/alarm.h src/hw/alarm.c src/hw/alloc.h src/hw/ticks.h src/hw/inbox.h \
	src/hw/inbox.c src/hw/chardev.h src/hw/config.h
# Devices
libhw_a_SOURCES += src/hw/i8259.h src/hw/i8259.c src/hw/i8254.h src/hw/i8254.c src/hw/port61.h src/hw/speaker.h src/hw/port61.c \
	src/hw/calendar.h src/hw/calendar.c src/hw/mc146818.h src/hw/mc146818.c src/hw/i16550.h src/hw/i16550.c \
	src/hw/i8042.h src/hw/i8042.c src/hw/ps2.h src/hw/ps2_keyboard.c src/hw/ps2_mouse.c \
	src/hw/keys.def src/hw/input.h src/hw/input.c src/hw/vmmouse.h src/hw/vmmouse.c src/hw/port92.h src/hw/port92.c src/hw/port80.h \
	src/hw/port80.c src/hw/port_cf9.h src/hw/port_cf9.c src/hw/fpu_irq13.h src/hw/fpu_irq13.c \
	src/hw/debug_exit.h src/hw/debug_exit.c src/hw/debugcon.h src/hw/debugcon.c src/hw/acpi_pm.h src/hw/acpi_pm.c
# APICs and the HPET
libhw_a_SOURCES += src/hw/apic_bus.h src/hw/lapic.h src/hw/lapic_int.h src/hw/lapic.c src/hw/lapic_regs.c \
	src/hw/lapic_timer.c src/hw/ioapic.h src/hw/ioapic.c src/hw/isa_irq.h src/hw/isa_irq.c src/hw/hpet.h src/hw/hpet.c
# The chipset
libhw_a_SOURCES += src/hw/pci.h src/hw/pci.c src/hw/pci_print.c src/hw/i440fx.h src/hw/i440fx.c src/hw/piix3.h \
	src/hw/piix3.c src/hw/piix4_pm.h src/hw/piix4_pm.c src/hw/smbus.h src/hw/smbus.c src/hw/fw_cfg.h src/hw/fw_cfg.c
# Kernels
libhw_a_SOURCES += src/hw/load.h src/hw/load_common.c src/hw/load_cpu.c \
	src/hw/load_linux.c src/hw/load_multiboot.c
# The board, and what it tells its firmware
libhw_a_SOURCES += src/hw/firmware.h src/hw/firmware.c src/hw/acpi_tables.h src/hw/acpi_tables.c src/hw/smbios.h \
	src/hw/smbios.c src/hw/pc_firmware.h src/hw/pc_firmware.c src/hw/irq_or.h src/hw/pc_devices.h src/hw/pc_devices.c src/hw/pc.h src/hw/pc.c
# Disks and CDs
libhw_a_SOURCES += src/hw/ide.h src/hw/ide_int.h src/hw/ide.c src/hw/ide_dma.c src/hw/ide_xfer.c src/hw/ide_ata.c \
	src/hw/ide_identify.c src/hw/ide_smart.c src/hw/ide_atapi.c src/hw/ide_mmc.c src/hw/cd_sector.h src/hw/cd_sector.c
# The display: what is on the screen, and the adapter
libhw_a_SOURCES += src/hw/display.h src/hw/display.c src/hw/display_mirror.h src/hw/display_mirror.c src/hw/vga.h \
	src/hw/vga_int.h src/hw/vga.c src/hw/vga_regs.c src/hw/vga_timing.c src/hw/vga_memory.c src/hw/vga_vbe.c \
	src/hw/vga_picture.c src/hw/vga_draw.c src/hw/vga_draw_text.c src/hw/edid.h src/hw/edid.c
# Floppies and the DMA controller
libhw_a_SOURCES += src/hw/i8237.h src/hw/i8237.c src/hw/i82077.h src/hw/i82077_int.h src/hw/i82077.c \
	src/hw/i82077_cmd.c src/hw/i82077_xfer.c src/hw/i82077_drive.c
