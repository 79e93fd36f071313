exec_test_libs = libexec.a libbackend.a libfrontend.a libcpu.a libsoftmmu.a libtcg.a libutil.a $(CAPSTONE_LIBS) \
	$(FFI_LIBS) $(MPFR_LIBS) -lm
exec_tests = tests/exec/test_cache tests/exec/test_smc tests/exec/test_count tests/exec/test_lockstep tests/exec/test_twin \
	tests/exec/test_window tests/exec/test_system_window
check_PROGRAMS += $(exec_tests)
TESTS += $(exec_tests)
EXTRA_DIST += tests/exec/rig.h
tests_exec_test_cache_SOURCES = tests/exec/test_cache.c
tests_exec_test_cache_LDADD = $(exec_test_libs)
tests_exec_test_smc_SOURCES = tests/exec/test_smc.c
tests_exec_test_smc_LDADD = $(exec_test_libs)
tests_exec_test_count_SOURCES = tests/exec/test_count.c
tests_exec_test_count_LDADD = $(exec_test_libs)
tests_exec_test_lockstep_SOURCES = tests/exec/test_lockstep.c
tests_exec_test_lockstep_LDADD = $(exec_test_libs)

tests_exec_test_twin_SOURCES = tests/exec/test_twin.c
tests_exec_test_twin_LDADD = $(exec_test_libs)

tests_exec_test_window_SOURCES = tests/exec/test_window.c
tests_exec_test_window_LDADD = $(exec_test_libs)

tests_exec_test_system_window_SOURCES = tests/exec/test_system_window.c
tests_exec_test_system_window_LDADD = $(exec_test_libs)
