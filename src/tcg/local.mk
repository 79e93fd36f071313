noinst_LIBRARIES += libtcg.a
libtcg_a_SOURCES =
libtcg_a_SOURCES += src/tcg/ir.c src/tcg/ir.h src/tcg/ir_ops.def src/tcg/ir_uses.c src/tcg/ir_print.c \
	src/tcg/ir_helpers.c src/tcg/notes.c src/tcg/notes.h src/tcg/pass.h src/tcg/passes.c src/tcg/pass_flags.c src/tcg/pass_constprop.c \
	src/tcg/pass_addr.c src/tcg/pass_dce.c src/tcg/pass_runs.c \
	src/tcg/silicon.c src/tcg/silicon.h
