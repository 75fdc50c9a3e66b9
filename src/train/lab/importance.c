#include "importance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/memory.h"

typedef struct ranked {
  double key;
  int64_t place;
} ranked;

static int rising(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

/* The trials that are compared, and their ranks, equal ones sharing the mean. */
typedef struct sample {
  int64_t n;
  int64_t *trials; /* [n] */
  double *ranks;   /* [n] */
  ranked *sorted;  /* [n] scratch */
  int *groups;     /* [n] of the parameter at hand */
} sample;

static void rank_all(sample *s, const double *costs) {
  for (int64_t i = 0; i < s->n; ++i) s->sorted[i] = (ranked){costs[i], i};
  qsort(s->sorted, (size_t)s->n, sizeof *s->sorted, rising);
  for (int64_t i = 0; i < s->n;) {
    int64_t end = i;
    while (end < s->n && s->sorted[end].key == s->sorted[i].key) ++end;
    for (int64_t k = i; k < end; ++k) {
      s->ranks[s->sorted[k].place] = (double)(i + end - 1) / 2;
    }
    i = end;
  }
}

static void gather(const trm_tuning *search, sample *s, double *costs) {
  for (int64_t j = 0; j < search->n_jobs; ++j) {
    const trm_job *job = &search->jobs[j];
    if (job->trial < 0 || job->rung != 0) continue;
    if (job->outcome == TRM_JOB_PENDING || job->outcome == TRM_JOB_PRUNED) continue;
    const bool bad = job->outcome != TRM_JOB_DONE || isnan(job->score);
    costs[s->n] = bad ? HUGE_VAL : search->higher ? -job->score : job->score;
    s->trials[s->n++] = job->trial;
  }
  rank_all(s, costs);
}

/* Groups of the trials by parameter i; how many there are. */
static int group_by(const trm_tuning *search, sample *s, int i) {
  enum { MOST = 4, LEAST_TRIALS = 5 };
  const trm_parameter *p = &search->space->parameters[i];
  int64_t n = 0;
  for (int64_t t = 0; t < s->n; ++t) {
    const double value = search->values[s->trials[t] * TRM_SPACE_MOST + i];
    s->groups[t] = 0; /* without a value */
    if (!isnan(value)) s->sorted[n++] = (ranked){value, t};
  }
  qsort(s->sorted, (size_t)n, sizeof *s->sorted, rising);
  const int64_t n_groups =
      n / LEAST_TRIALS < MOST ? (n / LEAST_TRIALS > 1 ? n / LEAST_TRIALS : 1) : MOST;
  for (int64_t k = 0; k < n; ++k) {
    int group = (int)(k * n_groups / n);
    if (k > 0 && s->sorted[k].key == s->sorted[k - 1].key) {
      group = s->groups[s->sorted[k - 1].place] - 1; /* equal values stay together */
    }
    s->groups[s->sorted[k].place] =
        1 + (p->kind == TRM_PARAMETER_CHOICE ? (int)s->sorted[k].key : group);
  }
  return TRM_SPACE_CHOICES + 1;
}

static double share_explained(const sample *s, int n_groups) {
  double sums[TRM_SPACE_CHOICES + 1] = {0}, squares = 0, all = 0, between = 0;
  int64_t counts[TRM_SPACE_CHOICES + 1] = {0};
  int n_used = 0;
  for (int64_t t = 0; t < s->n; ++t) {
    sums[s->groups[t]] += s->ranks[t];
    ++counts[s->groups[t]];
    all += s->ranks[t];
    squares += s->ranks[t] * s->ranks[t];
  }
  const double n = (double)s->n, total = squares - all * all / n;
  for (int g = 0; g < n_groups; ++g) {
    if (counts[g] == 0) continue;
    ++n_used;
    between += sums[g] * sums[g] / (double)counts[g];
  }
  between -= all * all / n;
  if (n_used < 2 || !(total > 0) || s->n <= n_used) return 0;
  const double within = (total - between) / (n - n_used);
  const double share = (between - (n_used - 1) * within) / total;
  return share > 0 ? share : 0;
}

trm_status trm_tuning_importance(const trm_tuning *search, double *shares, int64_t *n) {
  enum { LEAST = 10 };
  static const char what[] = "importance of parameters";
  sample s = {.n = 0};
  double *costs = NULL;
  trm_status status;
  const int64_t most = search->n_begun;
  TRM_TRY_OUT(TRM_ALLOC(&s.trials, most, what));
  TRM_TRY_OUT(TRM_ALLOC(&s.ranks, most, what));
  TRM_TRY_OUT(TRM_ALLOC(&s.sorted, most, what));
  TRM_TRY_OUT(TRM_ALLOC(&s.groups, most, what));
  TRM_TRY_OUT(TRM_ALLOC(&costs, most, what));
  gather(search, &s, costs);
  *n = s.n;
  for (int i = 0; i < search->space->n; ++i) {
    const int n_groups = group_by(search, &s, i);
    shares[i] = s.n >= LEAST ? share_explained(&s, n_groups) : (double)NAN;
  }
out:
  TRM_FREE(s.trials);
  TRM_FREE(s.ranks);
  TRM_FREE(s.sorted);
  TRM_FREE(s.groups);
  TRM_FREE(costs);
  return status;
}
