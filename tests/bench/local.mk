# How fast it is; minutes, so not in "make check" (smoke.sh sees that it works):
#   make bench BENCH="--rounds 3 --only integer,patch"        the options are bench.py's
EXTRA_DIST += tests/bench/bench.py tests/bench/smoke.sh
bench_sources = tests/bench/workloads.c tests/bench/integer.c tests/bench/memory.c tests/bench/float.c \
	tests/bench/system.c tests/bench/rewriting.c
EXTRA_DIST += $(bench_sources) tests/bench/workload.h
BENCH =
BENCH_CFLAGS = -std=gnu17 -O2 -static -fno-pie -no-pie
if HAVE_GUEST_LIBC
tests/bench/workloads: $(bench_sources) tests/bench/workload.h
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(GUEST_LIBC_CC) -march=pentium4 $(BENCH_CFLAGS) -o $@ $(bench_sources:%.c=$(top_srcdir)/%.c) -lm
tests/bench/initramfs: tests/bench/workloads tests/guests/mkinitramfs$(EXEEXT)
	$(AM_V_GEN)tests/guests/mkinitramfs $@ tests/bench/workloads
check_DATA += tests/bench/initramfs
CLEANFILES += tests/bench/workloads tests/bench/initramfs
if !SANITIZERS
TESTS += tests/bench/smoke.sh
endif
# For hosts that run no 32-bit programs.
if HOST_X86_64
tests/bench/workloads64: $(bench_sources) tests/bench/workload.h
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -mfpmath=387 $(BENCH_CFLAGS) -o $@ $(bench_sources:%.c=$(top_srcdir)/%.c) -lm
check_DATA += tests/bench/workloads64
CLEANFILES += tests/bench/workloads64
endif
bench: calque$(EXEEXT) tests/bench/initramfs
	@$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/bench/bench.py ./calque$(EXEEXT) $(BENCH)
else
bench:
	@echo "make bench needs a compiler and C library for 32-bit x86: install Debian's package gcc-multilib and configure again" >&2; \
		exit 1
endif

# What single operations cost: a bare-metal guest, half a minute.
#   make bench-micro BENCH_MICRO="--rounds 4 --peer none"
EXTRA_DIST += tests/bench/micro.py tests/bench/micro.c tests/bench/micro_ops.S
BENCH_MICRO =
if HAVE_GUEST_CC
micro_sources = tests/guests/start.S tests/bench/micro_ops.S tests/bench/micro.c
tests/bench/micro.guest: $(micro_sources) tests/guests/guest.h tests/guests/guest_c.h tests/guests/guest.ld
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(GUEST_CC) $(GUEST_CFLAGS) -mgeneral-regs-only -I$(top_srcdir)/tests/guests -Wl,--build-id=none \
		-Wl,-z,noexecstack -Wl,-T,$(top_srcdir)/tests/guests/guest.ld -o $@ $(micro_sources:%=$(top_srcdir)/%)
check_DATA += tests/bench/micro.guest
CLEANFILES += tests/bench/micro.guest
bench-micro: calque$(EXEEXT) tests/bench/micro.guest
	@$(top_srcdir)/tests/bench/micro.py ./calque$(EXEEXT) $(BENCH_MICRO)
endif
.PHONY: bench bench-micro
