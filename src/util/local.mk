noinst_LIBRARIES += libutil.a
libutil_a_SOURCES = src/util/log.c src/util/log.h src/util/die.c src/util/die.h src/util/file.c src/util/file.h \
	src/util/hash.h src/util/number.c src/util/number.h src/util/nearest.c src/util/nearest.h src/util/bytes.h \
	src/util/elf32.c src/util/elf32.h src/util/symbols.c src/util/symbols.h \
	src/util/host_time.c src/util/host_time.h src/util/lines.c src/util/lines.h src/util/sampler.c src/util/sampler.h \
	src/util/commit.c src/util/commit.h src/util/thread.c src/util/thread.h
