# The boot of Debian's kernel: our own /init, an initramfs around it.
check_PROGRAMS += tests/guests/mkinitramfs
tests_guests_mkinitramfs_SOURCES = tests/guests/mkinitramfs.c
tests_guests_mkinitramfs_LDADD = libutil.a
EXTRA_DIST += tests/guests/boot.sh tests/guests/boot_interp.sh tests/guests/lockstep.sh tests/guests/firmware.sh tests/guests/lesson.sh \
	tests/guests/linux_init.c
TESTS += tests/guests/boot.sh tests/guests/firmware.sh tests/guests/lesson.sh tests/guests/lockstep.sh
if !SANITIZERS
TESTS += tests/guests/boot_interp.sh tests/guests/icount_linux.sh tests/guests/memory.sh
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

# Screens of real guests against those of qemu-system-i386; minutes, so not in "make check".
EXTRA_DIST += tests/guests/screens.py tests/guests/modes.S
SCENES =
if HAVE_GUEST_CC
MODES_IMAGE = tests/guests/modes.img
tests/guests/modes.img: $(top_srcdir)/tests/guests/modes.S
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(GUEST_CC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-Ttext=0x7c00 \
		-Wl,--oformat=binary -o $@ $(top_srcdir)/tests/guests/modes.S && truncate -s 1440K $@
CLEANFILES += tests/guests/modes.img
endif
screens: calque$(EXEEXT) $(MODES_IMAGE)
	@command -v python3 >/dev/null || { echo '1..0 # SKIP needs python3'; exit 0; }; \
		$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/guests/screens.py $(SCENES)
.PHONY: screens

# Bare-metal guests, one file for each topic; "list" names those that have been built.
bare_guests_s = segments gates exceptions triple tasks v86 crossing smc codelimit realmode interrupts debug fpu sysenter \
	iobitmap smm smmstate nmi apic nesting stepping traced
bare_guests_c = paging entries availability limits newstack twofaults watch clocks
bare_guests = $(bare_guests_s) $(bare_guests_c)
bare_guest_sources = tests/guests/start.S tests/guests/guest.h tests/guests/guest_c.h tests/guests/guest.ld \
	$(bare_guests_s:%=tests/guests/%.S) $(bare_guests_c:%=tests/guests/%.c)
EXTRA_DIST += $(bare_guest_sources) tests/guests/run.sh tests/guests/icount.sh tests/guests/icount_linux.sh tests/guests/elsewhere.sh tests/guests/memory.sh
TESTS += tests/guests/run.sh tests/guests/icount.sh
if HAVE_GUEST_CC
tests/guests/list: $(bare_guest_sources)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && for guest in $(bare_guests); do \
		source=$(top_srcdir)/tests/guests/$$guest.S; test -f $$source || source=$(top_srcdir)/tests/guests/$$guest.c; \
		$(GUEST_CC) $(GUEST_CFLAGS) -mgeneral-regs-only -I$(top_srcdir)/tests/guests -Wl,--build-id=none -Wl,-z,noexecstack \
			-Wl,-T,$(top_srcdir)/tests/guests/guest.ld -o tests/guests/$$guest.guest \
			$(top_srcdir)/tests/guests/start.S $$source || exit 1; \
	done; echo $(bare_guests) >$@
check_DATA += tests/guests/list
CLEANFILES += tests/guests/list tests/guests/*.guest
endif

# Long and not part of check: a whole Debian on a disk, made (as root, from a Debian mirror) and used.
EXTRA_DIST += tests/guests/debian_disk.sh tests/guests/login.py
debian.img: | calque$(EXEEXT)
	$(SHELL) $(top_srcdir)/tests/guests/debian_disk.sh $@.new && mv $@.new $@
debian-disk: calque$(EXEEXT) debian.img
	cp --sparse=always debian.img debian-used.img
	python3 $(top_srcdir)/tests/guests/login.py ./calque$(EXEEXT) debian-used.img --screens debian-console.png
.PHONY: debian-disk
