check_PROGRAMS += tests/block/test_block
TESTS += tests/block/test_block
tests_block_test_block_SOURCES = tests/block/test_block.c
tests_block_test_block_LDADD = libblock.a libutil.a
