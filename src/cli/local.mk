noinst_LIBRARIES += libcli.a
libcli_a_SOURCES = src/cli/explain.c src/cli/explain.h src/cli/explain_source.c src/cli/explain_machine.c src/cli/explain_state.c \
	src/cli/options.c src/cli/options.h src/cli/handlers.h src/cli/keyval.c src/cli/keyval.h \
	src/cli/opt_machine.c src/cli/opt_accel.c src/cli/opt_console.c src/cli/opt_display.c src/cli/opt_audio.c src/cli/opt_boot.c src/cli/opt_lesson.c src/cli/opt_device.c src/cli/opt_drive.c
