# The boot of Debian's kernel: our own /init, an initramfs around it.
check_PROGRAMS += tests/guests/mkinitramfs
tests_guests_mkinitramfs_SOURCES = tests/guests/mkinitramfs.c
tests_guests_mkinitramfs_LDADD = libutil.a
EXTRA_DIST += tests/guests/boot.sh tests/guests/boot_interp.sh tests/guests/linux_init.c
TESTS += tests/guests/boot.sh
if !SANITIZERS
TESTS += tests/guests/boot_interp.sh
endif
if HAVE_GUEST_CC
GUEST_CFLAGS = -march=pentium4 -O2 -ffreestanding -nostdlib -static -fno-pie -no-pie -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables
tests/guests/linux_init: $(top_srcdir)/tests/guests/linux_init.c
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(GUEST_CC) $(GUEST_CFLAGS) -o $@ $(top_srcdir)/tests/guests/linux_init.c
tests/guests/initramfs: tests/guests/linux_init tests/guests/mkinitramfs
	$(AM_V_GEN)tests/guests/mkinitramfs $@ tests/guests/linux_init
check_DATA += tests/guests/initramfs
CLEANFILES += tests/guests/initramfs tests/guests/linux_init
endif
