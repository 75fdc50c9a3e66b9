/* The exponential inside the kernels, over its whole range and at the values that are not numbers. */
#include <stdint.h>

#include "../../src/math/kernels/real_math.h"
#include "check.h"

/* Distance in units in the last place of the wanted value; subnormal results count in their units. */
static double ulps(float got, double want) {
  const float near = (float)want;
  const double unit = fmax((double)(nextafterf(near, INFINITY) - near), 0x1p-149);
  return fabs((double)got - want) / unit;
}

int main(void) {
  for (uint32_t bits = 0; bits < UINT32_C(0x43000000); bits += 1013) { /* 0 to 128 */
    float x;
    memcpy(&x, &bits, sizeof x);
    for (int sign = 0; sign < 2; ++sign, x = -x) {
      const double want = exp((double)x);
      const float got = (float)trm_exp(x);
      if (want > 3.4028235e38) {
        CHECK(isinf(got) && got > 0);
      } else if (!CHECK(ulps(got, want) <= 1)) {
        CHECK_NEAR(got, want, 0);
      }
    }
  }
  CHECK_EQ(trm_exp(0), 1);
  CHECK_EQ(trm_exp(-(trm_real)INFINITY), 0);
  CHECK_EQ(trm_exp((trm_real)-1e30), 0);
  CHECK(isinf(trm_exp((trm_real)INFINITY)));
  CHECK(isinf(trm_exp((trm_real)1e30)));
  CHECK(isnan(trm_exp((trm_real)NAN)));
  CHECK(isnan(trm_exp(-(trm_real)NAN)));
  return check_verdict();
}
