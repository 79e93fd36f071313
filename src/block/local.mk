noinst_LIBRARIES += libblock.a
libblock_a_SOURCES = src/block/block.h src/block/block.c src/block/file.h src/block/file.c src/block/lock.h \
	src/block/lock.c src/block/overlay.h src/block/overlay.c src/block/drive.h src/block/drive.c
