# Fuzz targets.  Each is a test that drives itself (driver.c), and with "configure --enable-fuzzers CC=clang" also a libFuzzer
# program, tests/fuzz/libfuzzer-NAME:
#   make fuzz-targets                     builds those
#   make fuzz-run FUZZ_SECONDS=3600       runs them all at once; logs, corpora and findings in FUZZ_FOLDER
fuzz_tests = tests/fuzz/decode tests/fuzz/block tests/fuzz/linux tests/fuzz/multiboot tests/fuzz/cli tests/fuzz/drive \
	tests/fuzz/devices tests/fuzz/report
check_PROGRAMS += $(fuzz_tests)
TESTS += $(fuzz_tests)
EXTRA_DIST += tests/fuzz/run.sh

fuzz_driver = tests/fuzz/driver.c tests/fuzz/fuzz.h tests/tap.h
fuzz_parse = tests/fuzz/parse.c tests/fuzz/parse.h
fuzz_load = tests/fuzz/load.h
fuzz_guest = tests/fuzz/guest.c tests/fuzz/guest.h
fuzz_devices = tests/fuzz/devices.c tests/fuzz/devices_seeds.c tests/fuzz/devices.h
fuzz_exec_libs = libexec.a libbackend.a libfrontend.a libcpu.a libsoftmmu.a libtcg.a libutil.a $(CAPSTONE_LIBS) \
	$(FFI_LIBS) $(MPFR_LIBS) -lm
fuzz_hw_libs = libhw.a libblock.a libsoftmmu.a libutil.a
fuzz_wrap = -Wl,--wrap=exit,--wrap=open,--wrap=fopen

tests_fuzz_decode_SOURCES = tests/fuzz/decode.c $(fuzz_driver)
tests_fuzz_decode_LDADD = libfrontend.a
tests_fuzz_block_SOURCES = tests/fuzz/block.c $(fuzz_guest) $(fuzz_driver)
tests_fuzz_block_LDADD = $(fuzz_exec_libs)
tests_fuzz_linux_SOURCES = tests/fuzz/linux.c $(fuzz_load) $(fuzz_driver)
tests_fuzz_linux_LDADD = $(fuzz_hw_libs)
tests_fuzz_multiboot_SOURCES = tests/fuzz/multiboot.c $(fuzz_load) $(fuzz_driver)
tests_fuzz_multiboot_LDADD = $(fuzz_hw_libs)
tests_fuzz_cli_SOURCES = tests/fuzz/cli.c $(fuzz_parse) $(fuzz_driver)
tests_fuzz_cli_LDADD = $(calque_LDADD)
tests_fuzz_cli_LDFLAGS = $(AM_LDFLAGS) $(fuzz_wrap)
tests_fuzz_drive_SOURCES = tests/fuzz/drive.c $(fuzz_parse) $(fuzz_driver)
tests_fuzz_drive_LDADD = $(calque_LDADD)
tests_fuzz_drive_LDFLAGS = $(AM_LDFLAGS) $(fuzz_wrap)
tests_fuzz_report_SOURCES = tests/fuzz/report.c $(fuzz_parse) $(fuzz_driver)
tests_fuzz_report_LDADD = $(calque_LDADD)
tests_fuzz_report_LDFLAGS = $(AM_LDFLAGS) $(fuzz_wrap)
tests_fuzz_devices_SOURCES = $(fuzz_devices) $(fuzz_driver)
tests_fuzz_devices_LDADD = $(fuzz_hw_libs)

if FUZZERS
fuzz_programs = tests/fuzz/libfuzzer-decode tests/fuzz/libfuzzer-block tests/fuzz/libfuzzer-linux \
	tests/fuzz/libfuzzer-multiboot tests/fuzz/libfuzzer-cli tests/fuzz/libfuzzer-drive \
	tests/fuzz/libfuzzer-devices tests/fuzz/libfuzzer-report
EXTRA_PROGRAMS += $(fuzz_programs)
fuzz_flags = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_libfuzzer_decode_SOURCES = tests/fuzz/decode.c
tests_fuzz_libfuzzer_decode_LDADD = $(tests_fuzz_decode_LDADD)
tests_fuzz_libfuzzer_decode_LDFLAGS = $(fuzz_flags)
tests_fuzz_libfuzzer_block_SOURCES = tests/fuzz/block.c $(fuzz_guest)
tests_fuzz_libfuzzer_block_LDADD = $(tests_fuzz_block_LDADD)
tests_fuzz_libfuzzer_block_LDFLAGS = $(fuzz_flags)
tests_fuzz_libfuzzer_linux_SOURCES = tests/fuzz/linux.c
tests_fuzz_libfuzzer_linux_LDADD = $(tests_fuzz_linux_LDADD)
tests_fuzz_libfuzzer_linux_LDFLAGS = $(fuzz_flags)
tests_fuzz_libfuzzer_multiboot_SOURCES = tests/fuzz/multiboot.c
tests_fuzz_libfuzzer_multiboot_LDADD = $(tests_fuzz_multiboot_LDADD)
tests_fuzz_libfuzzer_multiboot_LDFLAGS = $(fuzz_flags)
tests_fuzz_libfuzzer_cli_SOURCES = tests/fuzz/cli.c $(fuzz_parse)
tests_fuzz_libfuzzer_cli_LDADD = $(tests_fuzz_cli_LDADD)
tests_fuzz_libfuzzer_cli_LDFLAGS = $(fuzz_flags) $(fuzz_wrap)
tests_fuzz_libfuzzer_drive_SOURCES = tests/fuzz/drive.c $(fuzz_parse)
tests_fuzz_libfuzzer_drive_LDADD = $(tests_fuzz_drive_LDADD)
tests_fuzz_libfuzzer_drive_LDFLAGS = $(fuzz_flags) $(fuzz_wrap)
tests_fuzz_libfuzzer_report_SOURCES = tests/fuzz/report.c $(fuzz_parse)
tests_fuzz_libfuzzer_report_LDADD = $(tests_fuzz_report_LDADD)
tests_fuzz_libfuzzer_report_LDFLAGS = $(fuzz_flags) $(fuzz_wrap)
tests_fuzz_libfuzzer_devices_SOURCES = $(fuzz_devices)
tests_fuzz_libfuzzer_devices_LDADD = $(tests_fuzz_devices_LDADD)
tests_fuzz_libfuzzer_devices_LDFLAGS = $(fuzz_flags)

FUZZ_SECONDS = 3600
FUZZ_FOLDER = fuzzing
fuzz-targets: $(BUILT_SOURCES)
	$(MAKE) $(AM_MAKEFLAGS) $(fuzz_programs) $(fuzz_tests)
fuzz-run: fuzz-targets
	$(SHELL) $(srcdir)/tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_FOLDER) $(fuzz_tests)
else
fuzz-targets fuzz-run:
	@echo "configure with --enable-fuzzers CC=clang for libFuzzer programs" >&2; exit 1
endif
.PHONY: fuzz-targets fuzz-run

# Guests of random bytes on the whole board: a slice here, as many as wanted with "make fuzz FUZZ_GUESTS=100000 FUZZ_SEED=7".
check_PROGRAMS += tests/fuzz/guests
TESTS += tests/fuzz/guests
tests_fuzz_guests_SOURCES = tests/fuzz/guests.c $(fuzz_guest)
tests_fuzz_guests_LDADD = libhw.a libblock.a $(fuzz_exec_libs)
FUZZ_GUESTS = 10000
FUZZ_SEED = 1
fuzz: tests/fuzz/guests$(EXEEXT)
	tests/fuzz/guests -n $(FUZZ_GUESTS) -s $(FUZZ_SEED)
.PHONY: fuzz
