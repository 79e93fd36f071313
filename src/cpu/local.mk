noinst_LIBRARIES += libcpu.a
libcpu_a_SOURCES =
libcpu_a_SOURCES += src/cpu/into.c
libcpu_a_SOURCES += src/cpu/cpu.c src/cpu/control.c src/cpu/eflags.c src/cpu/msr.c src/cpu/rdrand.c
libcpu_a_SOURCES += src/cpu/cpuid.c src/cpu/cpuid.h src/cpu/cpuid_models.c
libcpu_a_SOURCES += src/cpu/io.c src/cpu/io.h
libcpu_a_SOURCES += src/cpu/cpu.h src/cpu/state.h src/cpu/mode.h src/cpu/mode.c src/cpu/mem.c src/cpu/mem.h
libcpu_a_SOURCES += src/cpu/stack.c src/cpu/stack.h src/cpu/segment.c src/cpu/segment.h src/cpu/far.c
libcpu_a_SOURCES += src/cpu/task.c src/cpu/task.h src/cpu/interrupt.c src/cpu/interrupt.h src/cpu/deliver.c src/cpu/iret.c
libcpu_a_SOURCES += src/cpu/debug.c src/cpu/debug.h src/cpu/smm.c src/cpu/smm.h src/cpu/string.c src/cpu/string.h
libcpu_a_SOURCES += src/cpu/rare.c src/cpu/print.c src/cpu/helpers.c src/cpu/helpers.h src/cpu/helpers.def
libcpu_a_SOURCES += src/cpu/fpu.h src/cpu/fpu_state.c src/cpu/softfp.h src/cpu/softfp.c
libcpu_a_SOURCES += src/cpu/ref_x87.h src/cpu/ref_x87.c src/cpu/ref_x87_arith.c src/cpu/ref_x87_conv.c src/cpu/ref_x87_trans.c
libcpu_a_SOURCES += src/cpu/ref_vec.h src/cpu/ref_vec_ops.def src/cpu/ref_vec.c src/cpu/ref_vec_mov.c src/cpu/ref_vec_int.c \
	src/cpu/ref_vec_str.c src/cpu/ref_vec_fp.h src/cpu/ref_vec_fp.c src/cpu/ref_vec_cvt.c
