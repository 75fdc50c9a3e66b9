/* Which rank is slower than the others, from what ranks tell of the time they work. */
#include <string.h>

#include "trireme/comm/reducer.h"
#include "trireme/core/memory.h"
#include "watch_internal.h"

/* A window ends no earlier than after so many steps: within a step all ranks may work. */
enum { LEAST_STEPS = 3 };

/* What a rank had told when the window began. */
typedef struct mark {
  double clock_s, busy_s;
  int64_t step;
} mark;

struct trm_pace {
  int size;
  double window_s, since_s;
  mark *marks;    /* [size] owned */
  double *shares; /* [size] owned: of the window, worked, a block */
  double *sorted; /* [size] owned */
  trm_straggler found;
};

trm_status trm_pace_create(int size, double window_s, trm_pace **out) {
  trm_pace *pace = NULL;
  trm_status status = TRM_ALLOC(&pace, 1, "paces of ranks");
  if (status == TRM_OK) {
    pace->size = size;
    pace->window_s = window_s;
    pace->found = (trm_straggler){.rank = -1, .window_s = window_s};
    status = TRM_ALLOC(&pace->marks, size, "paces of ranks");
  }
  if (status == TRM_OK) status = TRM_ALLOC(&pace->shares, size, "paces of ranks");
  if (status == TRM_OK) status = TRM_ALLOC(&pace->sorted, size, "paces of ranks");
  if (status != TRM_OK) trm_pace_destroy(&pace);
  *out = pace;
  return status;
}

void trm_pace_destroy(trm_pace **pace) {
  if (!*pace) return;
  TRM_FREE((*pace)->marks);
  TRM_FREE((*pace)->shares);
  TRM_FREE((*pace)->sorted);
  TRM_FREE(*pace);
}

static void begin_window(trm_pace *pace, const trm_patient *rows, double now_s) {
  pace->since_s = now_s;
  for (int r = 0; r < pace->size; ++r) {
    const trm_vital *v = &rows[r].vital;
    pace->marks[r] = (mark){.clock_s = v->clock_s, .busy_s = v->busy_s, .step = v->step};
  }
}

/* Whether every rank has told enough since the window began. */
static bool is_whole(const trm_pace *pace, const trm_patient *rows) {
  for (int r = 0; r < pace->size; ++r) {
    const trm_vital *v = &rows[r].vital;
    if (!rows[r].heard || v->clock_s - pace->marks[r].clock_s < pace->window_s / 2) return false;
    if (v->step - pace->marks[r].step < LEAST_STEPS) return false;
  }
  return true;
}

/* Small arrays, seldom: nothing that could allocate. */
static double median_of_others(trm_pace *pace, int without) {
  int n = 0;
  for (int r = 0; r < pace->size; ++r) {
    if (r == without) continue;
    int i = n++;
    for (; i > 0 && pace->sorted[i - 1] > pace->shares[r]; --i) {
      pace->sorted[i] = pace->sorted[i - 1];
    }
    pace->sorted[i] = pace->shares[r];
  }
  return 0.5 * (pace->sorted[(n - 1) / 2] + pace->sorted[n / 2]);
}

static double worked(const trm_pace *pace, const trm_patient *rows, int r) {
  const trm_vital *v = &rows[r].vital;
  return (v->busy_s - pace->marks[r].busy_s) / (v->clock_s - pace->marks[r].clock_s);
}

static void compare(trm_pace *pace, const trm_patient *rows, int64_t n_blocks) {
  int slowest = 0;
  for (int r = 0; r < pace->size; ++r) {
    int64_t first, n;
    trm_block_range(n_blocks, r, pace->size, &first, &n);
    pace->shares[r] = worked(pace, rows, r) / (n > 0 ? (double)n : 1);
    if (pace->shares[r] > pace->shares[slowest]) slowest = r;
  }
  trm_straggler *found = &pace->found;
  const double typical = median_of_others(pace, slowest), own = worked(pace, rows, slowest);
  const mark *m = &pace->marks[slowest];
  const double steps = (double)(rows[slowest].vital.step - m->step);
  found->n_windows = found->rank == slowest ? found->n_windows + 1 : 1;
  found->rank = slowest;
  found->works = own;
  found->share = pace->shares[slowest] > 0 ? own * (1 - typical / pace->shares[slowest]) : 0;
  found->step_s = (rows[slowest].vital.clock_s - m->clock_s) / steps;
}

bool trm_pace_look(trm_pace *pace, const trm_patient *rows, int64_t n_blocks, double now_s) {
  if (pace->since_s <= 0) begin_window(pace, rows, now_s);
  if (n_blocks < pace->size || now_s - pace->since_s < pace->window_s) return false;
  const bool whole = is_whole(pace, rows);
  if (whole) compare(pace, rows, n_blocks);
  /* A window without steps (an evaluation) is given up. */
  if (whole || now_s - pace->since_s > 10 * pace->window_s) begin_window(pace, rows, now_s);
  return whole;
}

const trm_straggler *trm_pace_found(const trm_pace *pace) {
  return &pace->found;
}
