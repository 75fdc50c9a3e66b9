#include "trireme/input/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/core/random.h"

/* Users of the one purpose. */
enum { USE_FOLD, USE_SHARE, USE_BOOTSTRAP };

/* What is dealt: a sample, or the samples of a group. */
typedef struct unit {
  int32_t group, label;
  int64_t first, n; /* samples, in the list of samples by group */
  double key;       /* of the order that it is dealt in */
  double place;     /* among its class, from 0 to 1 */
} unit;

typedef struct units {
  unit *units;      /* [n] owned */
  int32_t *samples; /* [pool.n] by group; owned */
  int64_t n;
} units;

static void free_units(units *u) {
  TRM_FREE(u->units);
  TRM_FREE(u->samples);
}

typedef struct pair {
  int32_t group, sample;
} pair;

static int by_group(const void *a, const void *b) {
  const pair *x = a, *y = b;
  if (x->group != y->group) return x->group < y->group ? -1 : 1;
  return (x->sample > y->sample) - (x->sample < y->sample);
}

static int by_class(const void *a, const void *b) {
  const unit *x = a, *y = b;
  if (x->label != y->label) return x->label < y->label ? -1 : 1;
  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return (x->group > y->group) - (x->group < y->group);
}

static int by_place(const void *a, const void *b) {
  const unit *x = a, *y = b;
  if (x->place != y->place) return x->place < y->place ? -1 : 1;
  return by_class(a, b);
}

static int by_number(const void *a, const void *b) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

/* Units of the pool, class by class in an order that the seed decides. A group has the class of its first
 * sample. */
static trm_status make_units(trm_ids pool, const trm_part_facts *f, uint64_t seed, int use,
                             units *u) {
  static const char what[] = "parts of the data";
  const trm_random_key key = trm_random_key_make(seed, TRM_RANDOM_PART, 0, (uint64_t)use);
  pair *pairs = NULL;
  trm_status status;
  *u = (units){.n = 0};
  TRM_TRY_OUT(TRM_ALLOC(&pairs, pool.n, what));
  TRM_TRY_OUT(TRM_ALLOC(&u->units, pool.n, what));
  TRM_TRY_OUT(TRM_ALLOC(&u->samples, pool.n, what));
  for (int64_t i = 0; i < pool.n; ++i) {
    pairs[i] = (pair){f->groups ? f->groups[pool.ids[i]] : pool.ids[i], pool.ids[i]};
  }
  qsort(pairs, (size_t)pool.n, sizeof *pairs, by_group);
  for (int64_t i = 0; i < pool.n; ++i) {
    u->samples[i] = pairs[i].sample;
    if (i > 0 && pairs[i].group == pairs[i - 1].group) {
      ++u->units[u->n - 1].n;
      continue;
    }
    u->units[u->n++] = (unit){.group = pairs[i].group,
                              .label = f->labels ? f->labels[pairs[i].sample] : 0,
                              .first = i,
                              .n = 1,
                              .key = trm_random_uniform(key, (uint64_t)pairs[i].group, 0)};
  }
  qsort(u->units, (size_t)u->n, sizeof *u->units, by_class);
out:
  TRM_FREE(pairs);
  return status;
}

static void put_unit(const units *u, const unit *one, int32_t *list, int64_t *n) {
  memcpy(list + *n, u->samples + one->first, (size_t)one->n * sizeof *list);
  *n += one->n;
}

static void sort_list(int32_t *list, int64_t n) {
  qsort(list, (size_t)n, sizeof *list, by_number);
}

trm_status trm_parts_fold(trm_ids pool, const trm_part_facts *facts, int64_t n_folds, int64_t fold,
                          uint64_t seed, int32_t *rest, int64_t *n_rest, int32_t *held,
                          int64_t *n_held) {
  units u;
  *n_rest = *n_held = 0;
  const trm_status status = make_units(pool, facts, seed, USE_FOLD, &u);
  for (int64_t i = 0; i < u.n && status == TRM_OK; ++i) {
    const bool mine = i % n_folds == fold;
    put_unit(&u, &u.units[i], mine ? held : rest, mine ? n_held : n_rest);
  }
  sort_list(rest, *n_rest);
  sort_list(held, *n_held);
  free_units(&u);
  return status;
}

trm_status trm_parts_share(trm_ids pool, const trm_part_facts *facts, double share, uint64_t seed,
                           int32_t *kept, int64_t *n_kept) {
  units u;
  *n_kept = 0;
  const trm_status status = make_units(pool, facts, seed, USE_SHARE, &u);
  for (int64_t first = 0, end; first < u.n && status == TRM_OK; first = end) {
    for (end = first; end < u.n && u.units[end].label == u.units[first].label;) ++end;
    for (int64_t i = first; i < end; ++i) {
      u.units[i].place = ((double)(i - first) + 0.5) / (double)(end - first);
    }
  }
  if (status == TRM_OK) qsort(u.units, (size_t)u.n, sizeof *u.units, by_place);
  const double wanted = ceil(share * (double)u.n - 1e-9);
  for (int64_t i = 0; i < u.n && ((double)i < wanted || i == 0) && status == TRM_OK; ++i) {
    put_unit(&u, &u.units[i], kept, n_kept);
  }
  sort_list(kept, *n_kept);
  free_units(&u);
  return status;
}

trm_status trm_parts_bootstrap(trm_ids pool, const trm_part_facts *facts, int64_t number,
                               uint64_t seed, int32_t **drawn, int64_t *n_drawn) {
  units u;
  int64_t n = 0;
  *drawn = NULL;
  *n_drawn = 0;
  const trm_random_key key =
      trm_random_key_make(seed, TRM_RANDOM_PART, (uint64_t)number, USE_BOOTSTRAP);
  trm_status status = make_units(pool, facts, seed, USE_BOOTSTRAP, &u);
  for (int64_t i = 0; i < u.n && status == TRM_OK; ++i) {
    n += u.units[trm_random_below(key, (uint64_t)i, 0, (uint64_t)u.n)].n;
  }
  if (status == TRM_OK) status = TRM_ALLOC(drawn, n, "bootstrap sample");
  for (int64_t i = 0; i < u.n && status == TRM_OK; ++i) {
    put_unit(&u, &u.units[trm_random_below(key, (uint64_t)i, 0, (uint64_t)u.n)], *drawn, n_drawn);
  }
  if (status == TRM_OK) sort_list(*drawn, *n_drawn);
  free_units(&u);
  return status;
}
