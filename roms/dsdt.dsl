/* The board for ACPI: devices that enumerate themselves on no bus, PCI interrupt routing, S5.
 *
 * What differs from one machine to the next (which ports are there, where the PCI hole begins) are the names
 * below, whose values src/hw/acpi_tables.c writes in; 0x7fffffff makes iasl leave four bytes for each.  They are
 * not External with a table of their own, because SeaBIOS gives up on a DSDT at its first ExternalOp. */
DefinitionBlock ("dsdt.aml", "DSDT", 1, "CALQUE", "CALQUEPC", 1)
{
    Name (CQC1, 0x7fffffff)    // _STA of COM1..COM4
    Name (CQC2, 0x7fffffff)
    Name (CQC3, 0x7fffffff)
    Name (CQC4, 0x7fffffff)
    Name (CQFD, 0x7fffffff)    // _STA of the floppy controller
    Name (CQHP, 0x7fffffff)    // _STA of the HPET
    Name (CQPM, 0x7fffffff)    // first address of the PCI memory hole

    Name (\_S5, Package () { 0, 0, 0, 0 })

    // Which interrupt controllers the system uses: 0 the 8259s, 1 the I/O APIC.  Lines have the same
    // numbers with both.
    Name (\PICM, 0)
    Method (\_PIC, 1) { PICM = Arg0 }

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_BBN, 0)

            Name (CRES, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0xff, 0, 0x100)
                IO (Decode16, 0x0cf8, 0x0cf8, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0, 0x0cf7, 0, 0x0cf8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0d00, 0xffff, 0, 0xf300)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite,
                    0, 0x000a0000, 0x000bffff, 0, 0x00020000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                    0, 0xe0000000, 0xfebfffff, 0, 0x1ec00000,,, HOLE)
            })
            Method (_CRS, 0, Serialized)
            {
                CreateDWordField (CRES, ^HOLE._MIN, HMIN)
                CreateDWordField (CRES, ^HOLE._LEN, HLEN)
                HMIN = \CQPM
                HLEN = 0xfec00000 - \CQPM
                Return (CRES)
            }

            // INTA of slot n is PIRQ (n - 1) mod 4, the other pins follow; the PM function (slot 1, INTA) is
            // wired to IRQ 9.
            Name (_PRT, Package ()
            {
                Package () { 0x0000ffff, 0, LNKD, 0 }, Package () { 0x0000ffff, 1, LNKA, 0 },
                Package () { 0x0000ffff, 2, LNKB, 0 }, Package () { 0x0000ffff, 3, LNKC, 0 },
                Package () { 0x0001ffff, 0, LNKS, 0 }, Package () { 0x0001ffff, 1, LNKB, 0 },
                Package () { 0x0001ffff, 2, LNKC, 0 }, Package () { 0x0001ffff, 3, LNKD, 0 },
                Package () { 0x0002ffff, 0, LNKB, 0 }, Package () { 0x0002ffff, 1, LNKC, 0 },
                Package () { 0x0002ffff, 2, LNKD, 0 }, Package () { 0x0002ffff, 3, LNKA, 0 },
                Package () { 0x0003ffff, 0, LNKC, 0 }, Package () { 0x0003ffff, 1, LNKD, 0 },
                Package () { 0x0003ffff, 2, LNKA, 0 }, Package () { 0x0003ffff, 3, LNKB, 0 },
                Package () { 0x0004ffff, 0, LNKD, 0 }, Package () { 0x0004ffff, 1, LNKA, 0 },
                Package () { 0x0004ffff, 2, LNKB, 0 }, Package () { 0x0004ffff, 3, LNKC, 0 },
                Package () { 0x0005ffff, 0, LNKA, 0 }, Package () { 0x0005ffff, 1, LNKB, 0 },
                Package () { 0x0005ffff, 2, LNKC, 0 }, Package () { 0x0005ffff, 3, LNKD, 0 },
                Package () { 0x0006ffff, 0, LNKB, 0 }, Package () { 0x0006ffff, 1, LNKC, 0 },
                Package () { 0x0006ffff, 2, LNKD, 0 }, Package () { 0x0006ffff, 3, LNKA, 0 },
                Package () { 0x0007ffff, 0, LNKC, 0 }, Package () { 0x0007ffff, 1, LNKD, 0 },
                Package () { 0x0007ffff, 2, LNKA, 0 }, Package () { 0x0007ffff, 3, LNKB, 0 },
                Package () { 0x0008ffff, 0, LNKD, 0 }, Package () { 0x0008ffff, 1, LNKA, 0 },
                Package () { 0x0008ffff, 2, LNKB, 0 }, Package () { 0x0008ffff, 3, LNKC, 0 },
                Package () { 0x0009ffff, 0, LNKA, 0 }, Package () { 0x0009ffff, 1, LNKB, 0 },
                Package () { 0x0009ffff, 2, LNKC, 0 }, Package () { 0x0009ffff, 3, LNKD, 0 },
                Package () { 0x000affff, 0, LNKB, 0 }, Package () { 0x000affff, 1, LNKC, 0 },
                Package () { 0x000affff, 2, LNKD, 0 }, Package () { 0x000affff, 3, LNKA, 0 },
                Package () { 0x000bffff, 0, LNKC, 0 }, Package () { 0x000bffff, 1, LNKD, 0 },
                Package () { 0x000bffff, 2, LNKA, 0 }, Package () { 0x000bffff, 3, LNKB, 0 },
                Package () { 0x000cffff, 0, LNKD, 0 }, Package () { 0x000cffff, 1, LNKA, 0 },
                Package () { 0x000cffff, 2, LNKB, 0 }, Package () { 0x000cffff, 3, LNKC, 0 },
                Package () { 0x000dffff, 0, LNKA, 0 }, Package () { 0x000dffff, 1, LNKB, 0 },
                Package () { 0x000dffff, 2, LNKC, 0 }, Package () { 0x000dffff, 3, LNKD, 0 },
                Package () { 0x000effff, 0, LNKB, 0 }, Package () { 0x000effff, 1, LNKC, 0 },
                Package () { 0x000effff, 2, LNKD, 0 }, Package () { 0x000effff, 3, LNKA, 0 },
                Package () { 0x000fffff, 0, LNKC, 0 }, Package () { 0x000fffff, 1, LNKD, 0 },
                Package () { 0x000fffff, 2, LNKA, 0 }, Package () { 0x000fffff, 3, LNKB, 0 },
                Package () { 0x0010ffff, 0, LNKD, 0 }, Package () { 0x0010ffff, 1, LNKA, 0 },
                Package () { 0x0010ffff, 2, LNKB, 0 }, Package () { 0x0010ffff, 3, LNKC, 0 },
                Package () { 0x0011ffff, 0, LNKA, 0 }, Package () { 0x0011ffff, 1, LNKB, 0 },
                Package () { 0x0011ffff, 2, LNKC, 0 }, Package () { 0x0011ffff, 3, LNKD, 0 },
                Package () { 0x0012ffff, 0, LNKB, 0 }, Package () { 0x0012ffff, 1, LNKC, 0 },
                Package () { 0x0012ffff, 2, LNKD, 0 }, Package () { 0x0012ffff, 3, LNKA, 0 },
                Package () { 0x0013ffff, 0, LNKC, 0 }, Package () { 0x0013ffff, 1, LNKD, 0 },
                Package () { 0x0013ffff, 2, LNKA, 0 }, Package () { 0x0013ffff, 3, LNKB, 0 },
                Package () { 0x0014ffff, 0, LNKD, 0 }, Package () { 0x0014ffff, 1, LNKA, 0 },
                Package () { 0x0014ffff, 2, LNKB, 0 }, Package () { 0x0014ffff, 3, LNKC, 0 },
                Package () { 0x0015ffff, 0, LNKA, 0 }, Package () { 0x0015ffff, 1, LNKB, 0 },
                Package () { 0x0015ffff, 2, LNKC, 0 }, Package () { 0x0015ffff, 3, LNKD, 0 },
                Package () { 0x0016ffff, 0, LNKB, 0 }, Package () { 0x0016ffff, 1, LNKC, 0 },
                Package () { 0x0016ffff, 2, LNKD, 0 }, Package () { 0x0016ffff, 3, LNKA, 0 },
                Package () { 0x0017ffff, 0, LNKC, 0 }, Package () { 0x0017ffff, 1, LNKD, 0 },
                Package () { 0x0017ffff, 2, LNKA, 0 }, Package () { 0x0017ffff, 3, LNKB, 0 },
                Package () { 0x0018ffff, 0, LNKD, 0 }, Package () { 0x0018ffff, 1, LNKA, 0 },
                Package () { 0x0018ffff, 2, LNKB, 0 }, Package () { 0x0018ffff, 3, LNKC, 0 },
                Package () { 0x0019ffff, 0, LNKA, 0 }, Package () { 0x0019ffff, 1, LNKB, 0 },
                Package () { 0x0019ffff, 2, LNKC, 0 }, Package () { 0x0019ffff, 3, LNKD, 0 },
                Package () { 0x001affff, 0, LNKB, 0 }, Package () { 0x001affff, 1, LNKC, 0 },
                Package () { 0x001affff, 2, LNKD, 0 }, Package () { 0x001affff, 3, LNKA, 0 },
                Package () { 0x001bffff, 0, LNKC, 0 }, Package () { 0x001bffff, 1, LNKD, 0 },
                Package () { 0x001bffff, 2, LNKA, 0 }, Package () { 0x001bffff, 3, LNKB, 0 },
                Package () { 0x001cffff, 0, LNKD, 0 }, Package () { 0x001cffff, 1, LNKA, 0 },
                Package () { 0x001cffff, 2, LNKB, 0 }, Package () { 0x001cffff, 3, LNKC, 0 },
                Package () { 0x001dffff, 0, LNKA, 0 }, Package () { 0x001dffff, 1, LNKB, 0 },
                Package () { 0x001dffff, 2, LNKC, 0 }, Package () { 0x001dffff, 3, LNKD, 0 },
                Package () { 0x001effff, 0, LNKB, 0 }, Package () { 0x001effff, 1, LNKC, 0 },
                Package () { 0x001effff, 2, LNKD, 0 }, Package () { 0x001effff, 3, LNKA, 0 },
                Package () { 0x001fffff, 0, LNKC, 0 }, Package () { 0x001fffff, 1, LNKD, 0 },
                Package () { 0x001fffff, 2, LNKA, 0 }, Package () { 0x001fffff, 3, LNKB, 0 }
            })

            Device (ISA)
            {
                Name (_ADR, 0x00010000)
                OperationRegion (PIRR, PCI_Config, 0x60, 4)

                Device (RTC)
                {
                    Name (_HID, EisaId ("PNP0B00"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x70, 0x70, 1, 2)
                        IRQNoFlags () { 8 }
                        IO (Decode16, 0x72, 0x72, 2, 6)
                    })
                }
                Device (KBD)
                {
                    Name (_HID, EisaId ("PNP0303"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x60, 0x60, 1, 1)
                        IO (Decode16, 0x64, 0x64, 1, 1)
                        IRQNoFlags () { 1 }
                    })
                }
                Device (MOU)
                {
                    Name (_HID, EisaId ("PNP0F13"))
                    Name (_CRS, ResourceTemplate () { IRQNoFlags () { 12 } })
                }
                Device (FDC0)
                {
                    Name (_HID, EisaId ("PNP0700"))
                    Method (_STA) { Return (\CQFD) }
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x03f2, 0x03f2, 0, 4)
                        IO (Decode16, 0x03f7, 0x03f7, 0, 1)
                        IRQNoFlags () { 6 }
                        DMA (Compatibility, NotBusMaster, Transfer8) { 2 }
                    })
                }
                Device (COM1)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, 1)
                    Method (_STA) { Return (\CQC1) }
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x03f8, 0x03f8, 0, 8)
                        IRQNoFlags () { 4 }
                    })
                }
                Device (COM2)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, 2)
                    Method (_STA) { Return (\CQC2) }
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x02f8, 0x02f8, 0, 8)
                        IRQNoFlags () { 3 }
                    })
                }
                Device (COM3)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, 3)
                    Method (_STA) { Return (\CQC3) }
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x03e8, 0x03e8, 0, 8)
                        IRQNoFlags () { 4 }
                    })
                }
                Device (COM4)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, 4)
                    Method (_STA) { Return (\CQC4) }
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x02e8, 0x02e8, 0, 8)
                        IRQNoFlags () { 3 }
                    })
                }
            }
        }

        Device (HPET)
        {
            Name (_HID, EisaId ("PNP0103"))
            Name (_UID, 0)
            Method (_STA) { Return (\CQHP) }
            Name (_CRS, ResourceTemplate () { Memory32Fixed (ReadOnly, 0xfed00000, 0x400) })
        }

        // The firmware configuration device.
        Device (FWCF)
        {
            Name (_HID, "QEMU0002")
            Name (_STA, 0x0b)
            Name (_CRS, ResourceTemplate () { IO (Decode16, 0x0510, 0x0510, 1, 12) })
        }

        // PIRQRC registers: bit 7 off, bits 0-3 the ISA interrupt.
        Field (PCI0.ISA.PIRR, ByteAcc, NoLock, Preserve)
        {
            PRRA, 8, PRRB, 8, PRRC, 8, PRRD, 8
        }
        Method (LSTA, 1) { If (Arg0 & 0x80) { Return (0x09) } Return (0x0b) }
        Name (LBUF, ResourceTemplate () { Interrupt (, Level, ActiveHigh, Shared,,, VEC) { 0 } })
        Method (LCRS, 1, Serialized)
        {
            CreateDWordField (LBUF, ^VEC._INT, IVEC)
            IVEC = 0
            If (!(Arg0 & 0x80)) { IVEC = Arg0 }
            Return (LBUF)
        }
        Name (LPRS, ResourceTemplate () { Interrupt (, Level, ActiveHigh, Shared) { 5, 10, 11 } })

        Device (LNKA)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 0)
            Method (_STA) { Return (LSTA (PRRA)) }
            Method (_CRS) { Return (LCRS (PRRA)) }
            Method (_PRS) { Return (LPRS) }
            Method (_DIS) { PRRA |= 0x80 }
            Method (_SRS, 1)
            {
                CreateDWordField (Arg0, 5, IRQA)
                PRRA = IRQA
            }
        }
        Device (LNKB)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 1)
            Method (_STA) { Return (LSTA (PRRB)) }
            Method (_CRS) { Return (LCRS (PRRB)) }
            Method (_PRS) { Return (LPRS) }
            Method (_DIS) { PRRB |= 0x80 }
            Method (_SRS, 1)
            {
                CreateDWordField (Arg0, 5, IRQB)
                PRRB = IRQB
            }
        }
        Device (LNKC)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 2)
            Method (_STA) { Return (LSTA (PRRC)) }
            Method (_CRS) { Return (LCRS (PRRC)) }
            Method (_PRS) { Return (LPRS) }
            Method (_DIS) { PRRC |= 0x80 }
            Method (_SRS, 1)
            {
                CreateDWordField (Arg0, 5, IRQC)
                PRRC = IRQC
            }
        }
        Device (LNKD)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 3)
            Method (_STA) { Return (LSTA (PRRD)) }
            Method (_CRS) { Return (LCRS (PRRD)) }
            Method (_PRS) { Return (LPRS) }
            Method (_DIS) { PRRD |= 0x80 }
            Method (_SRS, 1)
            {
                CreateDWordField (Arg0, 5, IRQD)
                PRRD = IRQD
            }
        }

        // Firmware has routed the PM function already.
        Device (LNKS)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 4)
            Name (_PRS, ResourceTemplate () { Interrupt (, Level, ActiveHigh, Shared) { 9 } })
            Method (_CRS) { Return (_PRS) }
            Method (_STA) { Return (0x0b) }
            Method (_SRS, 1) { }
            Method (_DIS) { }
        }
    }

    Scope (\_PR)
    {
        Processor (C000, 0, 0, 0) { }
    }

    Scope (\_GPE)
    {
        Name (_HID, "ACPI0006")
    }
}
