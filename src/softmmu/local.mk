noinst_LIBRARIES += libsoftmmu.a
libsoftmmu_a_SOURCES =
libsoftmmu_a_SOURCES += src/softmmu/phys.c src/softmmu/phys.h src/softmmu/phys_int.h
libsoftmmu_a_SOURCES += src/softmmu/phys_access.c src/softmmu/phys_code.c src/softmmu/phys_dirty.c src/softmmu/phys_tap.c
libsoftmmu_a_SOURCES += src/softmmu/mmu.c src/softmmu/mmu.h src/softmmu/mmu_book.h
libsoftmmu_a_SOURCES += src/softmmu/mmu_access.c src/softmmu/mmu_print.c src/softmmu/mmu_undo.c
libsoftmmu_a_SOURCES += src/softmmu/walk.c src/softmmu/walk.h
libsoftmmu_a_SOURCES += src/softmmu/ioport.c src/softmmu/ioport.h
