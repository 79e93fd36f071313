check_PROGRAMS += tests/ui/test_chardev
TESTS += tests/ui/test_chardev
tests_ui_test_chardev_SOURCES = tests/ui/test_chardev.c tests/tap.h
tests_ui_test_chardev_LDADD = libui.a libutil.a
check_PROGRAMS += tests/ui/test_screendump
TESTS += tests/ui/test_screendump
tests_ui_test_screendump_SOURCES = tests/ui/test_screendump.c tests/tap.h
tests_ui_test_screendump_LDADD = libui.a libhw.a libblock.a libexec.a libbackend.a libfrontend.a libcpu.a libsoftmmu.a \
	libtcg.a libutil.a $(CAPSTONE_LIBS) $(FFI_LIBS) $(MPFR_LIBS) $(PNG_LIBS) -lm
check_PROGRAMS += tests/ui/test_keys tests/ui/test_window
TESTS += tests/ui/test_keys tests/ui/test_window
tests_ui_test_keys_SOURCES = tests/ui/test_keys.c tests/tap.h
tests_ui_test_keys_LDADD = libui.a libhw.a libsoftmmu.a libutil.a $(SDL2_LIBS)
tests_ui_test_window_SOURCES = tests/ui/test_window.c tests/tap.h
# The PC speaker
check_PROGRAMS += tests/ui/test_tone tests/ui/test_speaker
TESTS += tests/ui/test_tone tests/ui/test_speaker
tests_ui_test_tone_SOURCES = tests/ui/test_tone.c tests/tap.h
tests_ui_test_tone_LDADD = libui.a libutil.a -lm
tests_ui_test_speaker_SOURCES = tests/ui/test_speaker.c tests/tap.h
