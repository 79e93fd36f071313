# What Calque carries in itself, as C arrays: the ACPI DSDT, the option ROM that starts -kernel, and the lesson's guest, as a
# floppy's first sectors and as an ELF file for its symbols.
EXTRA_DIST += roms/bin2c.sh roms/dsdt.dsl roms/linuxboot.S roms/lesson.S roms/lesson_shows.S
rom_arrays = roms/dsdt_aml.h roms/linuxboot_bin.h roms/lesson_bin.h roms/lesson_elf.h
BUILT_SOURCES += $(rom_arrays)
CLEANFILES += $(rom_arrays) roms/dsdt.aml roms/linuxboot.bin roms/lesson.bin roms/lesson.elf
ROM_LINK = $(GUEST_CC) -nostdlib -static -no-pie -Wl,--build-id=none
roms/dsdt.aml: $(top_srcdir)/roms/dsdt.dsl
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(IASL) -vs -vw 3168 -p $(@D)/dsdt $(top_srcdir)/roms/dsdt.dsl >$(@D)/dsdt.log \
		|| { cat $(@D)/dsdt.log >&2; exit 1; }; rm -f $(@D)/dsdt.log
roms/dsdt_aml.h: roms/dsdt.aml $(top_srcdir)/roms/bin2c.sh
	$(AM_V_GEN)$(SHELL) $(top_srcdir)/roms/bin2c.sh dsdt_aml <roms/dsdt.aml >$@.tmp && mv $@.tmp $@
roms/linuxboot.bin: $(top_srcdir)/roms/linuxboot.S
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(ROM_LINK) -Wl,--oformat=binary,-Ttext=0,-e,0 -o $@ $(top_srcdir)/roms/linuxboot.S
roms/linuxboot_bin.h: roms/linuxboot.bin $(top_srcdir)/roms/bin2c.sh
	$(AM_V_GEN)$(SHELL) $(top_srcdir)/roms/bin2c.sh linuxboot_bin <roms/linuxboot.bin >$@.tmp && mv $@.tmp $@
roms/lesson.bin: $(top_srcdir)/roms/lesson.S $(top_srcdir)/roms/lesson_shows.S
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(ROM_LINK) -Wl,--oformat=binary,-Ttext=0x7c00 -o $@ $(top_srcdir)/roms/lesson.S
roms/lesson.elf: $(top_srcdir)/roms/lesson.S $(top_srcdir)/roms/lesson_shows.S
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(ROM_LINK) -Wl,-Ttext=0x7c00 -o $@ $(top_srcdir)/roms/lesson.S
roms/lesson_bin.h: roms/lesson.bin $(top_srcdir)/roms/bin2c.sh
	$(AM_V_GEN)$(SHELL) $(top_srcdir)/roms/bin2c.sh lesson_bin <roms/lesson.bin >$@.tmp && mv $@.tmp $@
roms/lesson_elf.h: roms/lesson.elf $(top_srcdir)/roms/bin2c.sh
	$(AM_V_GEN)$(SHELL) $(top_srcdir)/roms/bin2c.sh lesson_elf <roms/lesson.elf >$@.tmp && mv $@.tmp $@
# Named here besides BUILT_SOURCES, which only "make all" and "make check" look at: "make calque" needs them too.
src/hw/acpi_tables.$(OBJEXT): roms/dsdt_aml.h
src/hw/pc_firmware.$(OBJEXT): roms/linuxboot_bin.h
src/cli/opt_lesson.$(OBJEXT): roms/lesson_bin.h roms/lesson_elf.h
