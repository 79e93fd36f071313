noinst_LIBRARIES += libmonitor.a
libmonitor_a_SOURCES = src/monitor/monitor.c src/monitor/monitor.h src/monitor/monitor_int.h src/monitor/args.c \
	src/monitor/args.h src/monitor/expr.c src/monitor/expr.h src/monitor/line_edit.c src/monitor/line_edit.h \
	src/monitor/cmd_table.c src/monitor/cmd_machine.c src/monitor/cmd_memory.c src/monitor/cmd_input.c \
	src/monitor/cmd_block.c src/monitor/info.c src/monitor/info_paging.c src/monitor/info_devices.c \
	src/monitor/sendkey.c src/monitor/sendkey.h
