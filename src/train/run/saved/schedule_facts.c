#include "schedule_facts.h"

#include <string.h>

static const char fact_name[] = "schedule";

_Static_assert(sizeof(trm_schedule_state) == TRM_SCHEDULE_STATE_VALUES * sizeof(double),
               "a state is so many doubles");

trm_status trm_schedule_keep(const trm_config *config, const trm_schedule_state *state,
                             trm_facts *facts) {
  if (!trm_schedule_follows(config)) return TRM_OK;
  return trm_facts_put_array(facts, fact_name, TRM_DTYPE_F64, TRM_SCHEDULE_STATE_VALUES, state);
}

void trm_schedule_restore(const trm_facts *facts, trm_schedule_state *state) {
  int64_t n = 0;
  const double *values = trm_facts_array(facts, fact_name, TRM_DTYPE_F64, &n);
  if (values && n == TRM_SCHEDULE_STATE_VALUES) memcpy(state, values, sizeof *state);
}
