#include "hw/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hw/machine_board.h"
#include "util/hash.h"

typedef struct Digest {
    void (*emit)(void *opaque, const char *line);
    void *opaque;
    uint64_t all;
} Digest;

static void part(Digest *d, const char *name, uint64_t hash)
{
    char line[96];
    snprintf(line, sizeof line, "%-16s %016" PRIx64, name, hash);
    d->all = hash_u64(d->all, hash);
    d->emit(d->opaque, line);
}

/* --- the processor ------------------------------------------------------------------------------------- */

/* Plain numbers of CPUState.  The rest is composed below. */
#define CPU_FIELD(m)                                                                                                   \
    {                                                                                                                  \
        offsetof(CPUState, m), sizeof(((CPUState *)0)->m)                                                              \
    }
static const struct {
    uint32_t offset, size;
} cpu_fields[] = {
    CPU_FIELD(eip),           CPU_FIELD(cr0),          CPU_FIELD(cr2),
    CPU_FIELD(cr3),           CPU_FIELD(cr4),          CPU_FIELD(gdt.base),
    CPU_FIELD(gdt.limit),     CPU_FIELD(idt.base),     CPU_FIELD(idt.limit),
    CPU_FIELD(a20),           CPU_FIELD(shadow),       CPU_FIELD(cpl),
    CPU_FIELD(halted),        CPU_FIELD(in_smm),       CPU_FIELD(smi_pending),
    CPU_FIELD(nmi_pending),   CPU_FIELD(nmi_blocked),  CPU_FIELD(init_pending),
    CPU_FIELD(shutdown),      CPU_FIELD(smbase),       CPU_FIELD(intr_line),
    CPU_FIELD(efer),          CPU_FIELD(pat),          CPU_FIELD(apic_base),
    CPU_FIELD(misc_enable),   CPU_FIELD(tsc_offset),   CPU_FIELD(tsc_adjust_offset),
    CPU_FIELD(sysenter_cs),   CPU_FIELD(sysenter_esp), CPU_FIELD(sysenter_eip),
    CPU_FIELD(mtrr_def),      CPU_FIELD(star),         CPU_FIELD(debugctl),
    CPU_FIELD(monitor_armed), CPU_FIELD(fpu.cw),       CPU_FIELD(fpu.sw),
    CPU_FIELD(fpu.tag_valid), CPU_FIELD(fpu.fop),      CPU_FIELD(fpu.fip),
    CPU_FIELD(fpu.fcs),       CPU_FIELD(fpu.fdp),      CPU_FIELD(fpu.fds),
    CPU_FIELD(fpu.mxcsr),
};

static uint64_t number_at(const void *p, size_t size)
{
    uint16_t w;
    uint32_t l;
    uint64_t q;
    switch (size) {
    case 1: return *(const uint8_t *)p;
    case 2: memcpy(&w, p, 2); return w;
    case 4: memcpy(&l, p, 4); return l;
    default: memcpy(&q, p, 8); return q;
    }
}

static uint64_t hash_segments(uint64_t h, const CPUState *cpu)
{
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        const SegCache *s = &cpu->seg[i];
        h = hash_u64(h, s->base);
        h = hash_u64(h, (uint64_t)s->limit << 32 | (uint32_t)s->sel << 16 | s->attr);
    }
    return h;
}

static uint64_t hash_fpu(uint64_t h, const FpuState *f)
{
    for (unsigned i = 0; i < 8; i++) {
        h = hash_u64(hash_u64(h, f->r[i].mant), f->r[i].se);
        h = hash_bytes(h, f->xmm[i].b, sizeof f->xmm[i].b);
    }
    return h;
}

static uint64_t hash_cpu(CPUState *cpu)
{
    uint64_t h = HASH_START;
    if (cpu->fpu_sync_out) cpu->fpu_sync_out(cpu);
    for (size_t i = 0; i < sizeof cpu_fields / sizeof *cpu_fields; i++)
        h = hash_u64(h, number_at((const char *)cpu + cpu_fields[i].offset, cpu_fields[i].size));
    h = hash_u64(h, cpu_get_eflags(cpu));
    for (unsigned i = 0; i < 8; i++) h = hash_u64(h, (uint64_t)cpu->dr[i] << 32 | cpu->regs[i]);
    for (unsigned i = 0; i < sizeof cpu->mtrr_fixed / 8; i++) h = hash_u64(h, cpu->mtrr_fixed[i]);
    for (unsigned i = 0; i < sizeof cpu->mtrr_var / 8; i++) h = hash_u64(h, cpu->mtrr_var[i]);
    return hash_fpu(hash_segments(h, cpu), &cpu->fpu);
}

/* --- memory and devices ---------------------------------------------------------------------------------- */

static void hash_memory(void *opaque, const char *name, const uint8_t *host, uint64_t size)
{
    part(opaque, name, hash_bytes(HASH_START, host, size));
}

static uint64_t hash_field(uint64_t h, const Field *f, const uint8_t *dev)
{
    const uint8_t *p = dev + f->offset;
    switch (f->type) {
    case FIELD_U16:
        for (uint32_t i = 0; i < f->count; i++) h = hash_u64(h, number_at(p + 2 * i, 2));
        return h;
    case FIELD_U32:
        for (uint32_t i = 0; i < f->count; i++) h = hash_u64(h, number_at(p + 4 * i, 4));
        return h;
    case FIELD_U64:
        for (uint32_t i = 0; i < f->count; i++) h = hash_u64(h, number_at(p + 8 * i, 8));
        return h;
    default: return hash_bytes(h, p, f->count);
    }
}

static uint64_t hash_device(const DeviceClass *cls, const void *dev)
{
    uint64_t h = HASH_START;
    for (const Field *f = cls->fields; f && f->name; f++) h = hash_field(h, f, dev);
    return h;
}

void machine_digest(Machine *m, void (*emit)(void *opaque, const char *line), void *opaque)
{
    Digest d = { .emit = emit, .opaque = opaque, .all = HASH_START };
    uint64_t count = cpu_insns(machine_cpu(m)), now = clock_now(m);
    char line[96];
    snprintf(line, sizeof line, "%-16s %" PRIu64 ", %" PRIu64 " ns", "instructions", count, now);
    emit(opaque, line);
    d.all = hash_u64(hash_u64(d.all, count), now);
    part(&d, "cpu", hash_cpu(machine_cpu(m)));
    phys_each_memory(machine_phys(m), hash_memory, &d);
    void *dev;
    const DeviceClass *cls;
    for (size_t i = 0; (cls = machine_device(m, i, &dev)); i++) part(&d, cls->name, hash_device(cls, dev));
    part(&d, "all", d.all);
}
