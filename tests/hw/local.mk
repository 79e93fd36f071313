hw_tests = tests/hw/test_machine tests/hw/test_icount tests/hw/test_i8259 tests/hw/test_i8254 tests/hw/test_mc146818 tests/hw/test_i16550 \
	tests/hw/test_i8042 tests/hw/test_ps2 tests/hw/test_ports tests/hw/test_load
check_PROGRAMS += $(hw_tests)
TESTS += $(hw_tests)
EXTRA_DIST += tests/hw/fake.h tests/hw/fake_chardev.h
# No processor is needed: the board's devices and the loaders stand on softmmu.
hw_test_libs = libhw.a libblock.a libsoftmmu.a libutil.a
tests_hw_test_machine_SOURCES = tests/hw/test_machine.c
tests_hw_test_machine_LDADD = $(hw_test_libs)
tests_hw_test_icount_SOURCES = tests/hw/test_icount.c
tests_hw_test_icount_LDADD = $(hw_test_libs)
tests_hw_test_i8259_SOURCES = tests/hw/test_i8259.c
tests_hw_test_i8259_LDADD = $(hw_test_libs)
tests_hw_test_i8254_SOURCES = tests/hw/test_i8254.c
tests_hw_test_i8254_LDADD = $(hw_test_libs)
tests_hw_test_mc146818_SOURCES = tests/hw/test_mc146818.c
tests_hw_test_mc146818_LDADD = $(hw_test_libs)
tests_hw_test_i16550_SOURCES = tests/hw/test_i16550.c
tests_hw_test_i16550_LDADD = $(hw_test_libs)
tests_hw_test_i8042_SOURCES = tests/hw/test_i8042.c
tests_hw_test_i8042_LDADD = $(hw_test_libs)
tests_hw_test_ps2_SOURCES = tests/hw/test_ps2.c
tests_hw_test_ps2_LDADD = $(hw_test_libs)
tests_hw_test_ports_SOURCES = tests/hw/test_ports.c
tests_hw_test_ports_LDADD = $(hw_test_libs)
tests_hw_test_load_SOURCES = tests/hw/test_load.c
tests_hw_test_load_LDADD = $(hw_test_libs)
check_PROGRAMS += tests/hw/test_ide tests/hw/test_ide_smart tests/hw/test_ide_fuzz
TESTS += tests/hw/test_ide tests/hw/test_ide_smart tests/hw/test_ide_fuzz
EXTRA_DIST += tests/hw/fake_ide.h tests/hw/ide_driver.h
tests_hw_test_ide_smart_SOURCES = tests/hw/test_ide_smart.c
tests_hw_test_ide_smart_LDADD = libhw.a libblock.a libsoftmmu.a libutil.a
tests_hw_test_ide_SOURCES = tests/hw/test_ide.c
tests_hw_test_ide_LDADD = libhw.a libblock.a libsoftmmu.a libutil.a
tests_hw_test_ide_fuzz_SOURCES = tests/hw/test_ide_fuzz.c
tests_hw_test_ide_fuzz_LDADD = libhw.a libblock.a libsoftmmu.a libutil.a
# The display
check_PROGRAMS += tests/hw/test_vga tests/hw/test_vga_picture
TESTS += tests/hw/test_vga tests/hw/test_vga_picture
EXTRA_DIST += tests/hw/vga_modes.h
tests_hw_test_vga_SOURCES = tests/hw/test_vga.c
tests_hw_test_vga_LDADD = $(hw_test_libs)
tests_hw_test_vga_picture_SOURCES = tests/hw/test_vga_picture.c
tests_hw_test_vga_picture_LDADD = $(hw_test_libs)
# The chipset and what firmware is told
check_PROGRAMS += tests/hw/test_i440fx tests/hw/test_fw_cfg tests/hw/test_acpi
TESTS += tests/hw/test_i440fx tests/hw/test_fw_cfg tests/hw/test_acpi
tests_hw_test_i440fx_SOURCES = tests/hw/test_i440fx.c
tests_hw_test_i440fx_LDADD = $(hw_test_libs)
tests_hw_test_fw_cfg_SOURCES = tests/hw/test_fw_cfg.c
tests_hw_test_fw_cfg_LDADD = $(hw_test_libs)
tests_hw_test_acpi_SOURCES = tests/hw/test_acpi.c
tests_hw_test_acpi_LDADD = $(hw_test_libs)
# APICs and the HPET
check_PROGRAMS += tests/hw/test_lapic tests/hw/test_ioapic tests/hw/test_hpet
TESTS += tests/hw/test_lapic tests/hw/test_ioapic tests/hw/test_hpet
tests_hw_test_lapic_SOURCES = tests/hw/test_lapic.c
tests_hw_test_lapic_LDADD = $(hw_test_libs)
tests_hw_test_ioapic_SOURCES = tests/hw/test_ioapic.c
tests_hw_test_ioapic_LDADD = $(hw_test_libs)
tests_hw_test_hpet_SOURCES = tests/hw/test_hpet.c
tests_hw_test_hpet_LDADD = $(hw_test_libs)
# Floppies and the DMA controllers
check_PROGRAMS += tests/hw/test_i8237 tests/hw/test_i82077
TESTS += tests/hw/test_i8237 tests/hw/test_i82077
tests_hw_test_i8237_SOURCES = tests/hw/test_i8237.c
tests_hw_test_i8237_LDADD = $(hw_test_libs)
tests_hw_test_i82077_SOURCES = tests/hw/test_i82077.c
tests_hw_test_i82077_LDADD = libhw.a libblock.a libsoftmmu.a libutil.a
# What lies between devices, and the SMBus
check_PROGRAMS += tests/hw/test_lines tests/hw/test_smbus
TESTS += tests/hw/test_lines tests/hw/test_smbus
tests_hw_test_lines_SOURCES = tests/hw/test_lines.c
tests_hw_test_lines_LDADD = $(hw_test_libs)
tests_hw_test_smbus_SOURCES = tests/hw/test_smbus.c
tests_hw_test_smbus_LDADD = $(hw_test_libs)
