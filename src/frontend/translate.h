/* Guest code -> IR: one translation block. */
#ifndef CALQUE_FRONTEND_TRANSLATE_H
#define CALQUE_FRONTEND_TRANSLATE_H

#include "cpu/cpu.h"
#include "frontend/decode.h"
#include "tcg/ir.h"

enum { TRANSLATE_MAX_INSNS = 64 };

/* Where code bytes come from.  page0 is the host address of the page holding the first byte; next_page() is called at
 * most once, when an instruction runs over its end, and returns the following linear page, or NULL when fetching there
 * faults (no exception is raised yet). */
typedef struct CodeSource {
    const uint8_t *page0;
    const uint8_t *(*next_page)(void *opaque);
    /* Where instructions are counted: the one at this offset from page0 is to be the last of its block.  May be NULL. */
    bool (*is_last)(void *opaque, uint32_t offset);
    uint32_t end; /* offset from page0 where the code ends, with nothing known of what is behind; 0: not in this page */
    /* Offsets from page0 [from, to): immediates in there are read when the block runs, not now. */
    uint16_t soft_from, soft_to;
    bool no_look_ahead; /* all flags count as live at the end */
    void *opaque;
} CodeSource;

enum TranslateResult {
    TRANSLATE_OK,
    TRANSLATE_FAULT_NEXT_PAGE, /* the first instruction needs the next page, and fetching there faults: raise that #PF */
};

/* Fills b from cpu->eip in cpu->mode, with at most max_insns instructions; stops before an instruction that
 * would need a faulting page or run over the CS limit, at a page's end (an instruction may cross it, as
 * the last one) and after control flow.  Where instructions are counted (CPUState.counting) it also stops after one that
 * may read the time, and wherever the block may be left.  b->size guest bytes. */
enum TranslateResult translate_block(IrBlock *b, CPUState *cpu, const CodeSource *src, unsigned max_insns);

/* Arithmetic flags that the code at eip reads before writing them (look-ahead over a few instructions from page0 only;
 * IR_FL_ALL when it cannot tell).  code: bytes at eip, avail of them. */
uint8_t translate_flags_needed(CPUState *cpu, const uint8_t *code, unsigned avail);

/* One line of disassembly for -d in_asm (Capstone). Returns its length. */
#endif
