/* Control registers, system flags, I/O permission, reset. */
#include <string.h>

#include "priv.h"
#include "cpu/io.h"

static uint32_t result;
#define WRITE_CR(n, v) RAISED(helper_write_cr(cpu, n, v))

static void test_cr(void)
{
    priv_start("max");
    ok(cpu->cr0 == 0x60000010 && cpu->eip == 0xfff0 && cpu->seg[SEG_CS].base == 0xffff0000, "reset state");
    ok(WRITE_CR(0, CR0_PG | CR0_CD) == EXC_GP && WRITE_CR(0, CR0_NW) == EXC_GP, "PG needs PE, NW needs CD");
    ok(WRITE_CR(1, 0) == EXC_UD && WRITE_CR(5, 0) == EXC_UD && WRITE_CR(8, 0) == EXC_UD, "CR1, CR5, CR8: #UD");
    ok(WRITE_CR(0, 0xffffffff & ~CR0_PG) < 0 && helper_read_cr(cpu, 0) == 0x6005003f, "reserved bits of CR0 read 0");
    ok(cpu->mode & MODE_PE && cpu->mode & MODE_NM_FPU, "mode follows");
    ok(WRITE_CR(4, 0x80000000) == EXC_GP && WRITE_CR(4, 1 << 13) == EXC_GP, "reserved bits of CR4");
    ok(WRITE_CR(4, 0x300fff) < 0 && helper_read_cr(cpu, 4) == 0x300fff, "all of CR4 that max has");
    ok(WRITE_CR(4, CR4_PAE) < 0 && WRITE_CR(3, 0x1000) < 0, "PAE prepared");
    phys_st(priv_phys, 0x1000, 0x1e1, 8);
    ok(WRITE_CR(0, CR0_PG | CR0_PE) == EXC_GP && !(cpu->cr0 & CR0_PG), "bad PDPTE: #GP, nothing changes");
    phys_st(priv_phys, 0x1000, 0, 8);
    ok(WRITE_CR(0, CR0_PG | CR0_PE) < 0, "good PDPTEs");
    ok(WRITE_CR(0, CR0_PE) < 0, "paging off");
    ok(RAISED(helper_lmsw(cpu, 0xe)) < 0 && (cpu->cr0 & 0xf) == 0xf, "LMSW cannot clear PE");
    helper_clts(cpu);
    ok(!(cpu->cr0 & CR0_TS) && (helper_smsw(cpu) & 0xf) == 7 && cpu->mmu.cr0 == cpu->cr0, "CLTS, SMSW");
    priv_level(3, 3);
    ok(WRITE_CR(3, 0) == EXC_GP && RAISED(result = helper_read_cr(cpu, 0)) == EXC_GP, "MOV CR needs CPL 0");
    ok(WRITE_CR(1, 0) == EXC_UD, "but #UD comes first");
    ok(RAISED(helper_clts(cpu)) == EXC_GP && RAISED(helper_lmsw(cpu, 0)) == EXC_GP &&
           RAISED(helper_invlpg(cpu, SEG_DS, 0)) == EXC_GP && RAISED(helper_wbinvd(cpu)) == EXC_GP,
       "so do CLTS LMSW INVLPG WBINVD");
    ok(RAISED(result = helper_smsw(cpu)) < 0, "SMSW does not");
    cpu->cr4 |= CR4_UMIP;
    ok(RAISED(result = helper_smsw(cpu)) == EXC_GP, "unless UMIP");
    ok(RAISED(helper_stac(cpu, 1)) == EXC_UD, "STAC at CPL 3");
    priv_level(0, 0);
    helper_stac(cpu, 1);
    ok(cpu->eflags & FL_AC, "STAC");
    helper_stac(cpu, 0);
    ok(!(cpu->eflags & FL_AC), "CLAC");
    priv_start("486");
    ok(WRITE_CR(4, CR4_PAE) == EXC_GP && WRITE_CR(4, CR4_PSE) < 0, "486: CR4 has less");
    ok(RAISED(helper_stac(cpu, 1)) == EXC_UD, "486: no STAC");
}

/* Apart, so that the jump does not pass through the loops. */
__attribute__((noinline)) static int raised_by(unsigned sti)
{
    return sti ? RAISED(helper_sti(cpu)) : RAISED(helper_cli(cpu));
}

/* What CLI, STI, PUSHF, POPF do for each level (4: v86), IOPL, and VME/PVI, against SDM 3B table 20-2. */
static void test_if(void)
{
    unsigned bad = 0;
    priv_start("max");
    for (unsigned level = 0; level <= 4; level++)
        for (unsigned iopl = 0; iopl < 4; iopl++)
            for (unsigned bits = 0; bits < 8; bits++) {
                unsigned cpl = level > 3 ? 3 : level;
                bool v86 = level == 4, virt = bits & 1 && cpl == 3, vip = bits & 2, set = bits & 4;
                uint32_t cr4 = bits & 1 ? (v86 ? CR4_VME : CR4_PVI) : 0;
                bool real_if = cpl <= iopl;
                for (unsigned op = 0; op < 2; op++) {
                    priv_level(level, iopl);
                    cpu->cr4 = cr4;
                    cpu->shadow = 0;
                    cpu->eflags |= (vip ? FL_VIP : 0) | (set ? FL_IF | FL_VIF : 0);
                    uint32_t before = cpu->eflags;
                    int vector = raised_by(op);
                    uint32_t flag = real_if ? FL_IF : FL_VIF;
                    bool faults = !real_if && (!virt || (op && vip));
                    if (vector != (faults ? EXC_GP : -1)) bad++;
                    if (cpu->eflags != (faults ? before : op ? before | flag : before & ~flag)) bad++;
                    if (cpu->shadow != (op && real_if && !set ? SHADOW_STI : 0)) bad++;
                }
            }
    ok(bad == 0, "CLI and STI, %u wrong", bad);
    priv_start("max");
    cpu->intr_line = true;
    cpu->exit_request = 0;
    helper_sti(cpu);
    ok(cpu->exit_request, "STI with an interrupt waiting leaves the block");
}

static void test_popf(void)
{
    priv_start("max");
    helper_popf(cpu, 0xffffffff, 4);
    ok(cpu_get_eflags(cpu) == (0x3fffff & ~(FL_VM | FL_RF | FL_VIF | FL_VIP | 0x8028)), "POPFD in real mode");
    helper_popf(cpu, 0, 2);
    ok(cpu_get_eflags(cpu) == (FL_AC | FL_ID | FL_1), "POPF leaves the upper half");
    cpu->eflags |= FL_RF | FL_VIF;
    cpu_update_mode(cpu);
    ok(helper_pushf(cpu, 4) == (FL_AC | FL_ID | FL_VIF | FL_1), "PUSHFD hides RF");
    helper_popf(cpu, 0, 4);
    ok(cpu_get_eflags(cpu) == (FL_VIF | FL_1), "POPFD clears RF and keeps VIF");
    priv_level(3, 0);
    cpu->eflags |= FL_IF;
    helper_popf(cpu, FL_IOPL | FL_CF, 4);
    ok(cpu_get_eflags(cpu) == (FL_IF | FL_CF | FL_1), "CPL 3, IOPL 0: IF and IOPL stay");
    priv_level(3, 3);
    cpu->eflags |= FL_IF;
    helper_popf(cpu, 0, 4);
    ok(cpu_get_eflags(cpu) == (FL_IOPL | FL_1), "CPL 3, IOPL 3: IF changes");
    priv_level(1, 1);
    helper_popf(cpu, FL_IOPL | FL_IF, 4);
    ok(cpu_get_eflags(cpu) == (1 << 12 | FL_IF | FL_1), "CPL 1: IOPL stays");
    priv_level(4, 3);
    helper_popf(cpu, 0x3fffff & ~FL_TF, 4);
    ok((cpu_get_eflags(cpu) & (FL_VM | FL_IOPL | FL_VIF | FL_VIP | FL_IF)) == (FL_VM | FL_IOPL | FL_IF), "v86, IOPL 3");
    ok(RAISED(result = helper_pushf(cpu, 4)) < 0 && !(result & FL_VM), "PUSHFD hides VM");
    priv_level(4, 0);
    ok(RAISED(result = helper_pushf(cpu, 2)) == EXC_GP && RAISED(helper_popf(cpu, 0, 2)) == EXC_GP, "v86, IOPL 0");
    cpu->cr4 |= CR4_VME;
    ok(RAISED(helper_popf(cpu, FL_IF, 4)) == EXC_GP && RAISED(result = helper_pushf(cpu, 4)) == EXC_GP,
       "VME: 32-bit forms fault");
    ok(RAISED(helper_popf(cpu, FL_IF | FL_CF, 2)) < 0 && cpu_get_eflags(cpu) == (FL_VM | FL_VIF | FL_CF | FL_1),
       "VME: IF goes to VIF");
    ok(RAISED(result = helper_pushf(cpu, 2)) < 0 && result == (FL_IF | FL_IOPL | FL_CF | FL_1), "and comes from there");
    ok(RAISED(helper_popf(cpu, FL_TF, 2)) == EXC_GP, "VME: TF faults");
    cpu->eflags |= FL_VIP;
    ok(RAISED(helper_popf(cpu, FL_IF, 2)) == EXC_GP && RAISED(helper_popf(cpu, 0, 2)) < 0, "VME: IF with VIP faults");
}

static void test_io(void)
{
    enum { TSS = 0x8000, MAP = 0x90 };
    priv_start("max");
    for (uint32_t i = 0; i < 0x2000; i++) phys_st(priv_phys, TSS + MAP + i, 0xff, 1);
    phys_st(priv_phys, TSS + 102, MAP, 2);
    cpu->seg[SEG_TR] = (SegCache){ .base = TSS, .limit = MAP + 0x100, .attr = SEG_P | 11 };
    phys_st(priv_phys, TSS + MAP + 0x60 / 8, 0xfe, 1);  /* 60 */
    phys_st(priv_phys, TSS + MAP + 0x1f0 / 8, 0x00, 1); /* 1F0-1F7 */
    ok(RAISED(cpu_check_io(cpu, 0x70, 1)) < 0, "real mode: all ports");
    priv_level(3, 3);
    ok(RAISED(cpu_check_io(cpu, 0x70, 1)) < 0, "IOPL 3: all ports");
    priv_level(3, 0);
    ok(RAISED(cpu_check_io(cpu, 0x60, 1)) < 0 && RAISED(cpu_check_io(cpu, 0x60, 2)) == EXC_GP, "one bit a port");
    ok(RAISED(cpu_check_io(cpu, 0x1f0, 4)) < 0 && RAISED(cpu_check_io(cpu, 0x1f4, 4)) < 0 &&
           RAISED(cpu_check_io(cpu, 0x1f5, 4)) == EXC_GP,
       "dwords, across bytes of the map");
    ok(RAISED(cpu_check_io(cpu, 0xfff0, 1)) == EXC_GP, "beyond the TSS's limit");
    phys_st(priv_phys, TSS + MAP + 0x7f8 / 8, 0, 2);
    ok(RAISED(cpu_check_io(cpu, 0x7f8, 1)) < 0 && RAISED(cpu_check_io(cpu, 0x800, 1)) == EXC_GP,
       "the byte after it must be within the limit");
    priv_level(4, 3);
    ok(RAISED(cpu_check_io(cpu, 0x60, 1)) < 0 && RAISED(cpu_check_io(cpu, 0x61, 1)) == EXC_GP, "v86: always the map");
    cpu->seg[SEG_TR].attr = SEG_P | 3;
    ok(RAISED(cpu_check_io(cpu, 0x60, 1)) == EXC_GP, "a 16-bit TSS has none");
    ok(RAISED(result = helper_in(cpu, 0x60, 1)) == EXC_GP, "IN checks");
    priv_level(0, 0);
    ok(RAISED(result = helper_in(cpu, 0x60, 2)) < 0 && result == 0xffff, "IN from nowhere");
    ok(RAISED(helper_out(cpu, 0x60, 1, 2)) < 0, "OUT to nowhere");
}

static void test_monitor(void)
{
    priv_start("max");
    cpu->regs[R_ECX] = 0;
    ok(RAISED(helper_monitor(cpu, SEG_DS, 0x2000)) < 0 && cpu->monitor_armed, "MONITOR");
    helper_mwait(cpu, 0x1234);
    ok(cpu->halted && cpu->eip == 0x1234, "MWAIT waits");
    cpu->halted = false;
    helper_mwait(cpu, 0x1234);
    ok(!cpu->halted, "but only once");
    helper_monitor(cpu, SEG_DS, 0x2000);
    phys_st(priv_phys, 0x203f, 1, 1);
    helper_mwait(cpu, 0x1234);
    ok(!cpu->halted, "nor when the line has changed");
    cpu->regs[R_ECX] = 1;
    ok(RAISED(helper_monitor(cpu, SEG_DS, 0)) == EXC_GP && RAISED(helper_mwait(cpu, 0)) == EXC_GP, "no extensions");
    priv_level(3, 3);
    ok(RAISED(helper_monitor(cpu, SEG_DS, 0)) == EXC_UD, "CPL 3");
}

static void test_reset(void)
{
    priv_start("max");
    cpu->fpu.cw = 0x37f;
    cpu->pat = 1;
    cpu->cr0 = 0x11;
    cpu->halted = cpu->shutdown = true;
    cpu_init_signal(cpu);
    ok(cpu->cr0 == 0x10 && cpu->fpu.cw == 0x37f && cpu->pat == 1, "INIT keeps CD, NW, x87 and MSRs");
    ok(!cpu->halted && !cpu->shutdown && cpu->seg[SEG_CS].sel == 0xf000 && cpu->dr[7] == 0x400, "and starts again");
    cpu_reset(cpu);
    ok(cpu->cr0 == 0x60000010 && cpu->fpu.cw == 0x40 && cpu->pat != 1, "RESET does not");
    cpu_set_a20(cpu, false);
    phys_st(priv_phys, 0x10, 1, 1);
    phys_st(priv_phys, 0x100010, 2, 1);
    uint64_t v = 0;
    MmuFault f;
    ok(mmu_ld(&cpu->mmu, 0x100010, 1, MMU_SUPER, &v, &f) && v == 1, "A20 gate");
}

int main(void)
{
    test_cr();
    test_if();
    test_popf();
    test_io();
    test_monitor();
    test_reset();
    priv_end();
    return tap_done();
}
