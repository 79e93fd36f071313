noinst_LIBRARIES += libcli.a
libcli_a_SOURCES = src/cli/subcommand.c src/cli/subcommand.h \
	src/cli/explain.c src/cli/explain.h src/cli/explain_source.c src/cli/explain_machine.c src/cli/explain_state.c \
	src/cli/report.c src/cli/report.h src/cli/report_read.c src/cli/report_text.c src/cli/report_json.c src/cli/report_dot.c \
	src/cli/report_block.c src/cli/report_html.c src/cli/report_view.c \
	src/cli/options.c src/cli/options.h src/cli/handlers.h src/cli/keyval.c src/cli/keyval.h \
	src/cli/opt_machine.c src/cli/opt_accel.c src/cli/opt_console.c src/cli/opt_display.c src/cli/opt_audio.c src/cli/opt_boot.c src/cli/opt_lesson.c src/cli/opt_device.c src/cli/opt_drive.c
