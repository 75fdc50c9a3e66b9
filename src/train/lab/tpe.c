#include "tpe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/core/random.h"

/* ---- numbers --------------------------------------------------------------------------------- */

/* Random numbers of a trial's parameter: one key each, counted by candidate and use. */
enum { USE_KERNEL, USE_VALUE };

static trm_random_key key_of(uint64_t seed, int64_t number, int parameter) {
  return trm_random_key_make(seed, TRM_RANDOM_SEARCH, (uint64_t)number, (uint64_t)parameter);
}

/* The range that is drawn from: of logarithms where p->log, with half a step to both sides. */
typedef struct range {
  double low, high;
} range;

static range range_of(const trm_parameter *p) {
  range r = {p->low - p->step / 2, p->high + p->step / 2};
  if (p->log) r = (range){log(r.low), log(r.high)};
  return r;
}

static double inward(const trm_parameter *p, double value) {
  return p->log ? log(value) : value;
}

/* The value that a drawn number stands for. */
static double outward(const trm_parameter *p, double x) {
  return trm_parameter_on_step(p, p->log ? exp(x) : x);
}

void trm_tuning_draw(const trm_space *space, uint64_t seed, int64_t number, double *values) {
  for (int i = 0; i < space->n; ++i) {
    const trm_parameter *p = &space->parameters[i];
    const double u = trm_random_uniform(key_of(seed, number, i), 0, USE_VALUE);
    const range r = range_of(p);
    if (!trm_parameter_wanted(space, i, values)) {
      values[i] = (double)NAN;
    } else if (p->kind == TRM_PARAMETER_CHOICE) {
      values[i] = floor(u * p->n_choices);
    } else {
      values[i] = outward(p, r.low + u * (r.high - r.low));
    }
  }
}

/* ---- densities ------------------------------------------------------------------------------- */

static double below(double z) {
  return 0.5 * erfc(-z * 0.70710678118654752440);
}

/* A kernel a trial, and one of the prior. */
typedef struct density {
  const trm_parameter *p;
  range r;
  int64_t n;       /* kernels */
  double *weights; /* [n] that sum up to 1 */
  double *at;      /* [n] centres of normal kernels, or observed choices; -1: even */
  double *spread;  /* [n] of normal kernels */
} density;

static void free_density(density *d) {
  TRM_FREE(d->weights);
  TRM_FREE(d->at);
  TRM_FREE(d->spread);
}

/* Of n observations in their order: the newest 25 count full, older ones by a ramp. */
static void weigh(double *weights, int64_t n) {
  enum { FULL = 25 };
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t n_ramp = n - FULL;
    weights[i] = 1;
    if (n >= FULL && i < n_ramp) {
      const double least = 1 / (double)n;
      weights[i] = n_ramp > 1 ? least + (1 - least) * (double)i / (double)(n_ramp - 1) : least;
    }
  }
  weights[n] = 1; /* the prior */
  for (int64_t i = 0; i <= n; ++i) sum += weights[i];
  for (int64_t i = 0; i <= n; ++i) weights[i] /= sum;
}

typedef struct ordered {
  double at;
  int64_t place;
} ordered;

static int rising(const void *a, const void *b) {
  const ordered *x = a, *y = b;
  if (x->at != y->at) return x->at < y->at ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

/* Each kernel is as wide as the greater distance to its neighbours, within bounds; the ends of the range
 * are neighbours of nobody but an only observation. */
static trm_status spread_kernels(density *d, int64_t n) {
  ordered *sorted = NULL;
  const double most = d->r.high - d->r.low;
  const double least = most / fmin(100, 2 + (double)n);
  TRM_TRY(TRM_ALLOC(&sorted, n, "search"));
  for (int64_t i = 0; i < n; ++i) sorted[i] = (ordered){d->at[i], i};
  qsort(sorted, (size_t)n, sizeof *sorted, rising);
  for (int64_t i = 0; i < n; ++i) {
    const double left = sorted[i].at - (i > 0 ? sorted[i - 1].at : d->r.low);
    const double right = (i + 1 < n ? sorted[i + 1].at : d->r.high) - sorted[i].at;
    double spread = fmax(left, right);
    if (n > 1 && i == 0) spread = right;
    if (n > 1 && i == n - 1) spread = left;
    d->spread[sorted[i].place] = fmin(fmax(spread, least), most);
  }
  TRM_FREE(sorted);
  return TRM_OK;
}

/* Of parameter i over the trials of one side. */
static trm_status make_density(const trm_space *space, int i, const trm_trial *trials,
                               const bool *good, int64_t n_trials, bool side, density *d) {
  static const char what[] = "search";
  const trm_parameter *p = &space->parameters[i];
  int64_t n = 0;
  *d = (density){.p = p, .r = range_of(p)};
  TRM_TRY(TRM_ALLOC(&d->weights, n_trials + 1, what));
  TRM_TRY(TRM_ALLOC(&d->at, n_trials + 1, what));
  TRM_TRY(TRM_ALLOC(&d->spread, n_trials + 1, what));
  for (int64_t t = 0; t < n_trials; ++t) {
    if (good[t] != side || isnan(trials[t].values[i])) continue;
    d->at[n++] =
        p->kind == TRM_PARAMETER_CHOICE ? trials[t].values[i] : inward(p, trials[t].values[i]);
  }
  weigh(d->weights, n);
  d->n = n + 1;
  if (p->kind == TRM_PARAMETER_CHOICE) {
    d->at[n] = -1;
    return TRM_OK;
  }
  TRM_TRY(spread_kernels(d, n));
  d->at[n] = 0.5 * (d->r.low + d->r.high);
  d->spread[n] = d->r.high - d->r.low;
  return TRM_OK;
}

/* A choice k of a kernel that saw one of C: 1 for it, and the prior's share 1 / kernels for each. */
static double choice_probability(const density *d, int64_t kernel, int k) {
  const int C = d->p->n_choices;
  if (d->at[kernel] < 0) return 1 / (double)C;
  const double share = 1 / (double)d->n;
  return ((k == (int)d->at[kernel]) + share) / (1 + C * share);
}

static double kernel_density(const density *d, int64_t k, double value) {
  const trm_parameter *p = d->p;
  const double mu = d->at[k], sigma = d->spread[k];
  if (p->kind == TRM_PARAMETER_CHOICE) return choice_probability(d, k, (int)value);
  const double mass = below((d->r.high - mu) / sigma) - below((d->r.low - mu) / sigma);
  if (p->step > 0) {
    const double a = inward(p, value - p->step / 2), b = inward(p, value + p->step / 2);
    return (below((b - mu) / sigma) - below((a - mu) / sigma)) / mass;
  }
  const double z = (inward(p, value) - mu) / sigma;
  return exp(-z * z / 2) / (sigma * mass);
}

static double log_density(const density *d, double value) {
  double sum = 0;
  for (int64_t k = 0; k < d->n; ++k) sum += d->weights[k] * kernel_density(d, k, value);
  return log(sum);
}

/* The number below which a share u of the kernel in the range lies, by halving. */
static double quantile(const density *d, int64_t k, double u) {
  const double mu = d->at[k], sigma = d->spread[k];
  const double first = below((d->r.low - mu) / sigma), last = below((d->r.high - mu) / sigma);
  const double wanted = first + u * (last - first);
  double low = d->r.low, high = d->r.high;
  for (int i = 0; i < 100 && low < high; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (below((middle - mu) / sigma) < wanted) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

static double sample(const density *d, trm_random_key key, int64_t candidate) {
  const double u = trm_random_uniform(key, (uint64_t)candidate, USE_KERNEL);
  const double v = trm_random_uniform(key, (uint64_t)candidate, USE_VALUE);
  double sum = 0;
  int64_t k = 0;
  while (k < d->n - 1 && u >= (sum += d->weights[k])) ++k;
  if (d->p->kind != TRM_PARAMETER_CHOICE) return outward(d->p, quantile(d, k, v));
  int c = 0;
  sum = 0;
  while (c < d->p->n_choices - 1 && v >= (sum += choice_probability(d, k, c))) ++c;
  return c;
}

/* ---- good and bad ---------------------------------------------------------------------------- */

/* The better comes first: complete ones by cost, then those that got far, then those that went wrong. */
static int by_merit(const void *a, const void *b) {
  const trm_trial *x = *(const trm_trial *const *)a, *y = *(const trm_trial *const *)b;
  if (x->state != y->state) return x->state < y->state ? -1 : 1;
  if (x->state == TRM_TRIAL_PRUNED && x->reached != y->reached)
    return x->reached > y->reached ? -1 : 1;
  if (x->state != TRM_TRIAL_BAD && x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
  return (x > y) - (x < y); /* the earlier one */
}

static trm_status split(const trm_trial *trials, int64_t n, bool *good) {
  const trm_trial **sorted = NULL;
  int64_t n_finished = 0, n_ranked = 0;
  TRM_TRY(TRM_ALLOC(&sorted, n, "search"));
  for (int64_t t = 0; t < n; ++t) {
    const trm_trial_state state = trials[t].state;
    n_finished += state != TRM_TRIAL_UNDER_WAY;
    if (state == TRM_TRIAL_COMPLETE || state == TRM_TRIAL_PRUNED) sorted[n_ranked++] = &trials[t];
  }
  qsort(sorted, (size_t)n_ranked, sizeof(const trm_trial *), by_merit);
  const double share = ceil(0.1 * (double)n_finished);
  const int64_t wanted = share < 25 ? (int64_t)share : 25;
  for (int64_t i = 0; i < wanted && i < n_ranked; ++i) good[sorted[i] - trials] = true;
  TRM_FREE(sorted);
  return TRM_OK;
}

/* ---- proposals ------------------------------------------------------------------------------- */

static trm_status propose_one(const trm_space *space, const trm_search_options *o, int i,
                              const trm_trial *trials, const bool *good, int64_t n, int64_t number,
                              double *value) {
  density l = {0}, g = {0};
  double best = 0;
  const trm_random_key key = key_of(o->seed, number, i);
  trm_status status = make_density(space, i, trials, good, n, true, &l);
  if (status == TRM_OK) status = make_density(space, i, trials, good, n, false, &g);
  for (int64_t c = 0; status == TRM_OK && c < o->candidates; ++c) {
    const double candidate = sample(&l, key, c);
    const double gain = log_density(&l, candidate) - log_density(&g, candidate);
    if (c > 0 && !(gain > best)) continue;
    best = gain;
    *value = candidate;
  }
  free_density(&l);
  free_density(&g);
  return status;
}

trm_status trm_tpe_propose(const trm_space *space, const trm_search_options *options,
                           const trm_trial *trials, int64_t n, int64_t number, double *values) {
  bool *good = NULL;
  TRM_TRY(TRM_ALLOC(&good, n, "search"));
  trm_status status = split(trials, n, good);
  for (int i = 0; i < space->n && status == TRM_OK; ++i) {
    values[i] = (double)NAN;
    if (!trm_parameter_wanted(space, i, values)) continue;
    status = propose_one(space, options, i, trials, good, n, number, &values[i]);
  }
  TRM_FREE(good);
  return status;
}
