monitor_tests = tests/monitor/test_monitor tests/monitor/test_session
check_PROGRAMS += $(monitor_tests)
TESTS += $(monitor_tests)
EXTRA_DIST += tests/monitor/guest.h tests/monitor/session.h
tests_monitor_test_monitor_SOURCES = tests/monitor/test_monitor.c
tests_monitor_test_monitor_LDADD = libmonitor.a libui.a libhw.a libblock.a libexec.a libbackend.a libfrontend.a \
	libcpu.a libsoftmmu.a libtcg.a libutil.a $(CAPSTONE_LIBS) $(FFI_LIBS) $(MPFR_LIBS) $(PNG_LIBS) -lm
tests_monitor_test_session_SOURCES = tests/monitor/test_session.c
