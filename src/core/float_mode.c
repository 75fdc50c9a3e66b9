#include "trireme/core/float_mode.h"

#include <fenv.h>
#include <float.h>

#include "trireme/core/status.h"

void trm_float_mode_standard(void) {
  const int error = fesetenv(FE_DFL_ENV);
  TRM_ASSERT(error == 0);
}

bool trm_float_mode_is_standard(void) {
  volatile float tiny = FLT_MIN;
  tiny /= 2; /* flushed to 0 in the other mode, or read as 0 */
  return tiny > 0 && tiny * 2 >= FLT_MIN && fegetround() == FE_TONEAREST;
}
