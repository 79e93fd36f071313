noinst_LIBRARIES += libexec.a
libexec_a_SOURCES = \
	src/exec/exec.h src/exec/tb.h \
	src/exec/cache.c \
	src/exec/build.c \
	src/exec/count.c \
	src/exec/loop.c \
	src/exec/dump.c
