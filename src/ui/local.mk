noinst_LIBRARIES += libui.a
libui_a_SOURCES = src/ui/chardev.c src/ui/chardev.h src/ui/escape.c src/ui/escape.h src/ui/outqueue.c \
	src/ui/outqueue.h src/ui/stdio.c src/ui/stdio.h src/ui/terminal.c src/ui/terminal.h
