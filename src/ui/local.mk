noinst_LIBRARIES += libui.a
libui_a_SOURCES = src/ui/chardev.c src/ui/chardev.h src/ui/escape.c src/ui/escape.h src/ui/outqueue.c \
	src/ui/outqueue.h src/ui/stdio.c src/ui/stdio.h src/ui/terminal.c src/ui/terminal.h
libui_a_SOURCES += src/ui/source.h src/ui/socket.c src/ui/socket.h
# What shows the screen
libui_a_SOURCES += src/ui/frontend.h src/ui/machine_calls.c src/ui/machine_calls.h src/ui/sdl.c src/ui/banner.c src/ui/banner.h src/ui/curses.c \
	src/ui/cp437.c src/ui/cp437.h
libui_a_SOURCES += src/ui/audio.c src/ui/audio.h src/ui/tone.c src/ui/tone.h
libui_a_SOURCES += src/ui/screendump.c src/ui/screendump.h
