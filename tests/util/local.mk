check_PROGRAMS += tests/util/test_number tests/util/test_file tests/util/test_log
TESTS += tests/util/test_number tests/util/test_file tests/util/test_log
tests_util_test_number_SOURCES = tests/util/test_number.c tests/tap.h
tests_util_test_number_LDADD = libutil.a
tests_util_test_file_SOURCES = tests/util/test_file.c tests/tap.h
tests_util_test_file_LDADD = libutil.a
tests_util_test_log_SOURCES = tests/util/test_log.c tests/tap.h
tests_util_test_log_LDADD = libutil.a
