/* Elements as numbers, denormals-are-zeros applied: shared by the floating-point parts. */
#ifndef CALQUE_CPU_REF_VEC_FP_H
#define CALQUE_CPU_REF_VEC_FP_H

#include "cpu/ref_vec.h"

SfNum vec_daz(Vec *v, SfNum n);
SfNum vec_single(Vec *v, uint32_t bits);
SfNum vec_double(Vec *v, uint64_t bits);

#endif
