/* x87 escapes D8..DF: SDM 2D tables.  Also what the manual leaves out and silicon accepts: FCOM2 (DC D0),
 * FCOMP3 (DC D8), FXCH4 (DD C8), FCOMP5 (DE D0), FFREEP (DF C0), FXCH7 (DF C8), FSTP1 (D9 D8), FSTP8 (DF D0), FSTP9
 * (DF D8), and FENI, FDISI, FSETPM (DB E0, E1, E4), which do nothing since the 387. */
#include "frontend/decode_tables.h"

#define FP          I0(X87)
#define FCMOV       FI0(cmov, X87)
#define FM(p, spec) I1(X87, p, spec)
#define ALL8(spec)                                                                                                     \
    BY_REG(FM(R_, spec), FM(R_, spec), FM(R_, spec), FM(R_, spec), FM(R_, spec), FM(R_, spec), FM(R_, spec),           \
           FM(R_, spec))

const OpRow decode_x87[8][2] = {
    /* D8 */
    { ALL8(Md), BY_REG(FP, FP, FP, FP, FP, FP, FP, FP) },
    /* D9 */
    { BY_REG([0] = FM(R_, Md), [2] = FM(W_, Md), [3] = FM(W_, Md), [4] = I1(FLDENV, R_, Mbig), [5] = I1(FLDCW, R_, Mw),
             [6] = I1(FNSTENV, W_, Mbig), [7] = I1(FNSTCW, W_, Mw)),
      BY_REG([0] = FP, [1] = FP, [2] = BY_RM([0] = FP), [3] = FP, [4] = BY_RM([0] = FP, [1] = FP, [4] = FP, [5] = FP),
             [5] = BY_RM(FP, FP, FP, FP, FP, FP, FP), [6] = FP, [7] = FP) },
    /* DA */
    { ALL8(Md), BY_REG([0] = FCMOV, [1] = FCMOV, [2] = FCMOV, [3] = FCMOV, [5] = BY_RM([1] = FP)) },
    /* DB */
    { BY_REG([0] = FM(R_, Md), [1] = FI1(sse3, X87, W_, Md), [2] = FM(W_, Md), [3] = FM(W_, Md), [5] = FM(R_, Mt),
             [7] = FM(W_, Mt)),
      BY_REG([0] = FCMOV, [1] = FCMOV, [2] = FCMOV, [3] = FCMOV,
             [4] = BY_RM([0] = FP, [1] = FP, [2] = I0(FNCLEX), [3] = I0(FNINIT), [4] = FP), [5] = FCMOV, [6] = FCMOV) },
    /* DC */
    { ALL8(Mq), BY_REG(FP, FP, FP, FP, FP, FP, FP, FP) },
    /* DD */
    { BY_REG([0] = FM(R_, Mq), [1] = FI1(sse3, X87, W_, Mq), [2] = FM(W_, Mq), [3] = FM(W_, Mq),
             [4] = I1(FRSTOR, R_, Mbig), [6] = I1(FNSAVE, W_, Mbig), [7] = I1(FNSTSW, W_, Mw)),
      BY_REG([0] = FP, [1] = FP, [2] = FP, [3] = FP, [4] = FP, [5] = FP) },
    /* DE */
    { ALL8(Mw), BY_REG([0] = FP, [1] = FP, [2] = FP, [3] = BY_RM([1] = FP), [4] = FP, [5] = FP, [6] = FP, [7] = FP) },
    /* DF */
    { BY_REG([0] = FM(R_, Mw), [1] = FI1(sse3, X87, W_, Mw), [2] = FM(W_, Mw), [3] = FM(W_, Mw), [4] = FM(R_, Mt),
             [5] = FM(R_, Mq), [6] = FM(W_, Mt), [7] = FM(W_, Mq)),
      BY_REG([0] = FP, [1] = FP, [2] = FP, [3] = FP, [4] = BY_RM([0] = I1(FNSTSW, W_, rAXw)), [5] = FCMOV,
             [6] = FCMOV) },
};
