/* The argument of the string callout. */
#ifndef CALQUE_CPU_STRING_H
#define CALQUE_CPU_STRING_H

enum { STR_MOVS, STR_CMPS, STR_STOS, STR_LODS, STR_SCAS, STR_INS, STR_OUTS, STR_OPS };
enum { STR_REP_NONE, STR_REP, STR_REPNE };

/* op: STR_*; log2size: 0..2; asize32: 0 or 1; rep: STR_REP_*; seg: SEG_* of the source (DS:ESI or override). */
#define STR_DESC(op, log2size, asize32, rep, seg)                                                                      \
    ((uint32_t)(op) | (uint32_t)(log2size) << 4 | (uint32_t)(asize32) << 6 | (uint32_t)(rep) << 7 |                    \
     (uint32_t)(seg) << 9)

#endif
