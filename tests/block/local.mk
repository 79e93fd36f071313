check_PROGRAMS += tests/block/test_block
TESTS += tests/block/test_block
tests_block_test_block_SOURCES = tests/block/test_block.c
tests_block_test_block_LDADD = libblock.a libutil.a
# With the whole program: a full host disk, two programs at one image.
check_PROGRAMS += tests/block/test_full
TESTS += tests/block/test_full tests/block/lock.sh
EXTRA_DIST += tests/block/small_disk.h tests/block/lock.sh
tests_block_test_full_SOURCES = tests/block/test_full.c
