# Guest code on the host processor and in Calque.  `make check' runs a slice, `make silicon' as much as is asked for:
#   make silicon SILICON_CASES=50000000 SILICON_SEQUENCES=2000000 SILICON_SEED=7 SILICON_BACKEND=x86_64
check_PROGRAMS += tests/silicon/silicon
tests_silicon_silicon_SOURCES = tests/silicon/silicon.c tests/silicon/silicon.h tests/silicon/space.c \
	tests/silicon/native.c tests/silicon/long_mode.c \
	tests/silicon/long_mode.h tests/silicon/guest.c tests/silicon/values.c tests/silicon/rules.c \
	tests/silicon/generate.c tests/silicon/generate.h tests/silicon/operands.c tests/silicon/forms.c tests/silicon/forms.h \
	tests/silicon/sequence.c tests/silicon/sequence.h tests/silicon/sequence_plain.c tests/silicon/sequence_flow.c \
	tests/silicon/coverage.c tests/silicon/coverage.h tests/silicon/compare.c tests/silicon/known.c \
	tests/silicon/known.h tests/tap.h
tests_silicon_silicon_LDADD = libexec.a libbackend.a libfrontend.a libcpu.a libsoftmmu.a libtcg.a libutil.a \
	$(CAPSTONE_LIBS) $(FFI_LIBS) $(MPFR_LIBS) -lm
TESTS += tests/silicon/silicon

SILICON_CASES = 1000000
SILICON_SEQUENCES = 50000
SILICON_SEED = 1
SILICON_BACKEND = all
SILICON_SET = all
SILICON_OPTIONS =
.PHONY: silicon
silicon: tests/silicon/silicon$(EXEEXT)
	tests/silicon/silicon --cases $(SILICON_CASES) --sequences $(SILICON_SEQUENCES) --seed $(SILICON_SEED) \
		--backend $(SILICON_BACKEND) --set $(SILICON_SET) $(SILICON_OPTIONS)
