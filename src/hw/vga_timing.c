/* Where the beam is: Input Status 1 from the CRTC's timing registers and virtual time.  Programs wait in loops for
 * retrace to begin and end, count lines between retraces, and measure the refresh rate. */
#include "hw/ticks.h"
#include "hw/vga_int.h"

typedef struct Timing {
    uint32_t clock; /* character clocks per second */
    uint32_t h_total, h_shown;
    uint32_t v_total, v_shown, v_retrace, v_retrace_lines;
} Timing;

enum { IS1_NOT_SHOWN = 1, IS1_V_RETRACE = 8 };

static uint32_t overflow_bits(const Vga *v, uint8_t low, unsigned bit8, unsigned bit9)
{
    uint8_t o = v->cr[CR_OVERFLOW];
    return low | (uint32_t)(o >> bit8 & 1) << 8 | (uint32_t)(o >> bit9 & 1) << 9;
}

static Timing vga_timing(const Vga *v)
{
    static const uint32_t dot_clock[4] = { 25175000, 28322000, 25175000, 25175000 };
    uint8_t sr1 = v->sr[SR_CLOCKING];
    return (Timing){
        .clock = (dot_clock[v->misc >> 2 & 3] >> (sr1 & SR1_HALF_CLOCK ? 1 : 0)) / (sr1 & SR1_8_DOTS ? 8 : 9),
        .h_total = v->cr[CR_H_TOTAL] + 5u,
        .h_shown = v->cr[CR_H_END] + 1u,
        .v_total = overflow_bits(v, v->cr[CR_V_TOTAL], 0, 5) + 2,
        .v_shown = overflow_bits(v, v->cr[CR_V_END], 1, 6) + 1,
        .v_retrace = overflow_bits(v, v->cr[CR_V_RETRACE], 2, 7),
        .v_retrace_lines = (v->cr[CR_V_RETRACE_END] - v->cr[CR_V_RETRACE]) & 15u,
    };
}

/* VBE has no timing: 60 Hz with a tenth of each direction blank. */
static Timing vbe_timing(const Vga *v)
{
    uint32_t w = v->vbe[VBE_XRES] / 8u, h = v->vbe[VBE_YRES];
    Timing t = { .h_total = w + w / 8 + 1, .h_shown = w, .v_total = h + h / 16 + 8, .v_shown = h, .v_retrace = h + 3 };
    t.clock = t.h_total * t.v_total * 60;
    t.v_retrace_lines = 3;
    return t;
}

/* A guest in the middle of a mode change must still see retrace come and go, or it would wait for ever. */
static void make_possible(Timing *t)
{
    if (t->h_total < 8) t->h_total = 100;
    if (t->v_total < 16) t->v_total = 449;
    if (t->h_shown >= t->h_total) t->h_shown = t->h_total - 1;
    if (!t->v_retrace_lines) t->v_retrace_lines = 2;
    if (t->v_retrace + t->v_retrace_lines > t->v_total) t->v_retrace = t->v_total - t->v_retrace_lines;
    if (t->v_shown > t->v_retrace) t->v_shown = t->v_retrace;
}

uint8_t vga_input_status_1(Vga *v)
{
    Timing t = vbe_on(v) ? vbe_timing(v) : vga_timing(v);
    make_possible(&t);
    uint64_t clocks = ticks_from_ns(clock_now(v->machine), t.clock);
    uint32_t at = (uint32_t)(clocks % ((uint64_t)t.h_total * t.v_total)), line = at / t.h_total,
             column = at % t.h_total;
    uint8_t status = line >= t.v_shown || column >= t.h_shown ? IS1_NOT_SHOWN : 0;
    if (line - t.v_retrace < t.v_retrace_lines) status |= IS1_V_RETRACE;
    return status;
}
