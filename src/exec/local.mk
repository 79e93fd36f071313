noinst_LIBRARIES += libexec.a
libexec_a_SOURCES = \
	src/exec/exec.h src/exec/tb.h \
	src/exec/cache.c \
	src/exec/smc.c \
	src/exec/build.c \
	src/exec/count.c \
	src/exec/announce.c \
	src/exec/announce.h \
	src/exec/gdbjit.c \
	src/exec/jitdump.c \
	src/exec/profile.c \
	src/exec/trace.h src/exec/trace_int.h src/exec/trace_format.h \
	src/exec/trace.c src/exec/trace_file.c src/exec/trace_callouts.c src/exec/trace_lookups.c src/exec/trace_sample.c \
	src/exec/stats.c \
	src/exec/twin.c \
	src/exec/hot.c \
	src/exec/loop.c \
	src/exec/dump.c \
	src/exec/dump_host.c \
	src/exec/lockstep.h src/exec/lockstep_int.h \
	src/exec/lockstep.c \
	src/exec/lockstep_step.c \
	src/exec/lockstep_memory.c \
	src/exec/lockstep_outside.c \
	src/exec/lockstep_state.c \
	src/exec/lockstep_report.c
