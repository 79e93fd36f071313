noinst_LIBRARIES += libbackend.a
libbackend_a_SOURCES =
libbackend_a_SOURCES += src/backend/backend.c src/backend/backend.h src/backend/interp/interp.c \
	src/backend/interp/interp.h src/backend/interp/emit.c src/backend/interp/dump.c src/backend/interp/ops_alu.c \
	src/backend/interp/ops_shift.c src/backend/interp/ops_arith.c src/backend/interp/ops_move.c \
	src/backend/interp/ops_cond.c src/backend/interp/ops_mem.c src/backend/interp/ops_flow.c \
	src/backend/interp/ops_helper.c

if HOST_X86_64
libbackend_a_SOURCES += \
	src/backend/x86_64/asm.h src/backend/x86_64/asm.c \
	src/backend/x86_64/emit.h src/backend/x86_64/emit.c \
	src/backend/x86_64/emit_alu.c \
	src/backend/x86_64/emit_call.c \
	src/backend/x86_64/emit_flow.c \
	src/backend/x86_64/emit_fp.c \
	src/backend/x86_64/emit_inline.c \
	src/backend/x86_64/emit_mem.c \
	src/backend/x86_64/fault.c \
	src/backend/x86_64/relocate.c \
	src/backend/x86_64/thunks.c
endif
