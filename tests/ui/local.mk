check_PROGRAMS += tests/ui/test_chardev
TESTS += tests/ui/test_chardev
tests_ui_test_chardev_SOURCES = tests/ui/test_chardev.c tests/tap.h
tests_ui_test_chardev_LDADD = libui.a libutil.a
