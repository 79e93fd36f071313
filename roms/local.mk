# What Calque carries in itself: the ACPI DSDT and the option ROM that starts -kernel, as C arrays.
EXTRA_DIST += roms/bin2c.sh roms/dsdt.dsl roms/linuxboot.S
rom_arrays = roms/dsdt_aml.h roms/linuxboot_bin.h
BUILT_SOURCES += $(rom_arrays)
CLEANFILES += $(rom_arrays) roms/dsdt.aml roms/linuxboot.bin
roms/dsdt.aml: $(top_srcdir)/roms/dsdt.dsl
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(IASL) -vs -vw 3168 -p $(@D)/dsdt $(top_srcdir)/roms/dsdt.dsl >$(@D)/dsdt.log \
		|| { cat $(@D)/dsdt.log >&2; exit 1; }; rm -f $(@D)/dsdt.log
roms/dsdt_aml.h: roms/dsdt.aml $(top_srcdir)/roms/bin2c.sh
	$(AM_V_GEN)$(SHELL) $(top_srcdir)/roms/bin2c.sh dsdt_aml <roms/dsdt.aml >$@.tmp && mv $@.tmp $@
roms/linuxboot.bin: $(top_srcdir)/roms/linuxboot.S
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(GUEST_CC) -nostdlib -static -no-pie -Wl,--oformat=binary,-Ttext=0,-e,0,--build-id=none \
		-o $@ $(top_srcdir)/roms/linuxboot.S
roms/linuxboot_bin.h: roms/linuxboot.bin $(top_srcdir)/roms/bin2c.sh
	$(AM_V_GEN)$(SHELL) $(top_srcdir)/roms/bin2c.sh linuxboot_bin <roms/linuxboot.bin >$@.tmp && mv $@.tmp $@
