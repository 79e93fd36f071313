hw_tests = tests/hw/test_machine tests/hw/test_i8259 tests/hw/test_i8254 tests/hw/test_mc146818 tests/hw/test_i16550 \
	tests/hw/test_i8042 tests/hw/test_ports tests/hw/test_port_fuzz tests/hw/test_load
check_PROGRAMS += $(hw_tests)
TESTS += $(hw_tests)
EXTRA_DIST += tests/hw/fake.h tests/hw/fake_chardev.h
# No processor is needed: the board's devices and the loaders stand on softmmu.
hw_test_libs = libhw.a libsoftmmu.a libutil.a
tests_hw_test_machine_SOURCES = tests/hw/test_machine.c
tests_hw_test_machine_LDADD = $(hw_test_libs)
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
tests_hw_test_ports_SOURCES = tests/hw/test_ports.c
tests_hw_test_ports_LDADD = $(hw_test_libs)
tests_hw_test_port_fuzz_SOURCES = tests/hw/test_port_fuzz.c
tests_hw_test_port_fuzz_LDADD = $(hw_test_libs)
tests_hw_test_load_SOURCES = tests/hw/test_load.c
tests_hw_test_load_LDADD = $(hw_test_libs)
