noinst_LIBRARIES += libfrontend.a
libfrontend_a_SOURCES =
libfrontend_a_SOURCES += src/frontend/decode.c src/frontend/decode.h src/frontend/decode_mnemonics.def \
	src/frontend/decode_tables.h src/frontend/decode_tables.c src/frontend/decode_tables_0f.c \
	src/frontend/decode_tables_x87.c
libfrontend_a_SOURCES += src/frontend/translate.c src/frontend/translate.h src/frontend/translate_internal.h \
	src/frontend/translate_table.c src/frontend/translate_flags.c src/frontend/translate_flags.h \
	src/frontend/translate_operand.c src/frontend/translate_move.c src/frontend/translate_alu.c \
	src/frontend/translate_shift.c src/frontend/translate_stack.c src/frontend/translate_string.c \
	src/frontend/translate_flow.c src/frontend/translate_system.c
libfrontend_a_SOURCES += src/frontend/translate_x87.c src/frontend/translate_vec.c
