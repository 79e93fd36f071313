noinst_LIBRARIES += libhw.a
libhw_a_SOURCES =
# The order of the machine
libhw_a_SOURCES += src/hw/machine.h src/hw/machine_board.h src/hw/machine.c src/hw/timer_heap.h \
	src/hw/timer_heap.c src/hw/alarm.h src/hw/alarm.c src/hw/alloc.h src/hw/ticks.h src/hw/inbox.h \
	src/hw/inbox.c src/hw/chardev.h src/hw/config.h
# Devices
libhw_a_SOURCES += src/hw/i8259.h src/hw/i8259.c src/hw/i8254.h src/hw/i8254.c src/hw/port61.h src/hw/port61.c \
	src/hw/calendar.h src/hw/calendar.c src/hw/mc146818.h src/hw/mc146818.c src/hw/i16550.h src/hw/i16550.c \
	src/hw/i8042.h src/hw/i8042.c src/hw/ps2.h src/hw/ps2_keyboard.c src/hw/ps2_mouse.c \
	src/hw/keys.def src/hw/input.h src/hw/input.c src/hw/vmmouse.h src/hw/vmmouse.c src/hw/port92.h src/hw/port92.c src/hw/port80.h \
	src/hw/port80.c src/hw/port_cf9.h src/hw/port_cf9.c src/hw/fpu_irq13.h src/hw/fpu_irq13.c \
	src/hw/debug_exit.h src/hw/debug_exit.c src/hw/debugcon.h src/hw/debugcon.c src/hw/acpi_pm.h src/hw/acpi_pm.c
# Kernels without firmware
libhw_a_SOURCES += src/hw/acpi_tables.h src/hw/acpi_tables.c src/hw/load.h src/hw/load_common.c src/hw/load_cpu.c \
	src/hw/load_linux.c src/hw/load_multiboot.c
# The board
libhw_a_SOURCES += src/hw/irq_or.h src/hw/pc_devices.h src/hw/pc_devices.c src/hw/pc.h src/hw/pc.c
