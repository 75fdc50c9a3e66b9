#include "best_kept.h"

#include <math.h>
#include <string.h>

static const char fact_name[] = "best_list"; /* values, then steps */

bool trm_best_list_offer(trm_best_list *list, int most, int64_t step, double value) {
  TRM_ASSERT(most >= 1 && most <= TRM_BEST_LIST_MOST);
  int at = list->n < most ? list->n : most;
  if (!isfinite(value) || (at == most && !(value < list->values[most - 1]))) return false;
  if (at == most) --at;
  for (; at > 0 && value < list->values[at - 1]; --at) {
    list->values[at] = list->values[at - 1];
    list->steps[at] = list->steps[at - 1];
  }
  list->values[at] = value;
  list->steps[at] = (double)step;
  list->n = list->n < most ? list->n + 1 : most;
  return true;
}

trm_status trm_best_list_keep(const trm_best_list *list, trm_facts *facts) {
  double all[2 * TRM_BEST_LIST_MOST];
  if (list->n == 0) return TRM_OK;
  memcpy(all, list->values, (size_t)list->n * sizeof *all);
  memcpy(all + list->n, list->steps, (size_t)list->n * sizeof *all);
  return trm_facts_put_array(facts, fact_name, TRM_DTYPE_F64, 2 * (int64_t)list->n, all);
}

void trm_best_list_restore(const trm_facts *facts, trm_best_list *list) {
  int64_t n = 0;
  const double *all = trm_facts_array(facts, fact_name, TRM_DTYPE_F64, &n);
  if (!all || n % 2 != 0 || n > 2 * TRM_BEST_LIST_MOST) return;
  list->n = (int)(n / 2);
  memcpy(list->values, all, (size_t)list->n * sizeof *all);
  memcpy(list->steps, all + list->n, (size_t)list->n * sizeof *all);
}
