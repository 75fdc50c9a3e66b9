/**
 * What each sample is for. Units are dealt whole: groups of samples, as those with one source, or single samples. Each
 * class is a stratum of its own, dealt by a permutation keyed by (seed, split, class).
 */
#include <math.h>
#include <string.h>

#include "corpus_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/core/utf8.h"

enum { FOLDS_STEP = 1 << 20, SHOWN_BYTES = 80 };

typedef struct dealing {
  const trm_corpus *corpus;
  int64_t n_units, n_strata;
  int32_t *unit_of; /* [n] unit of each sample */
  int32_t *first;   /* [n_units] its first sample */
  int64_t *begins;  /* [n_strata + 1] of the strata in `order` */
  int32_t *order;   /* units that are dealt, by stratum */
  trm_parts *parts;
} dealing;

/* ---- units ------------------------------------------------------------------------------------ */

/* Samples of one group and one part are a unit; counts those whose group is also trained on. */
static trm_status make_group_units(dealing *d, const int32_t *group) {
  const trm_corpus *c = d->corpus;
  int32_t *unit_of_group = NULL; /* [n, TRM_N_SUBSETS] unit + 1 */
  TRM_TRY(TRM_ALLOC(&unit_of_group, c->n * TRM_N_SUBSETS, "groups"));
  for (int64_t i = 0; i < c->n; ++i) {
    int32_t *unit = &unit_of_group[(int64_t)group[i] * TRM_N_SUBSETS + (int)c->origins[i].part];
    if (*unit == 0) {
      d->first[d->n_units] = (int32_t)i;
      *unit = (int32_t)++d->n_units;
    }
    d->unit_of[i] = *unit - 1;
  }
  for (int64_t i = 0; i < c->n; ++i) {
    c->counts->leaked += c->origins[i].part != TRM_SUBSET_TRAIN &&
                         unit_of_group[(int64_t)group[i] * TRM_N_SUBSETS + TRM_SUBSET_TRAIN] > 0;
  }
  TRM_FREE(unit_of_group);
  return TRM_OK;
}

/* Samples of one source are a group. */
static trm_status group_by_source(dealing *d) {
  const trm_corpus *c = d->corpus;
  trm_names sources = {0};
  int32_t *group = NULL;
  trm_status status = TRM_OK;
  bool added;
  TRM_TRY_OUT(TRM_ALLOC(&group, c->n, "groups"));
  for (int64_t i = 0; i < c->n; ++i) {
    int64_t bytes;
    const char *text = trm_text_list_get(&c->sources, i, &bytes);
    TRM_TRY_OUT(trm_names_add(&sources, text, bytes, &group[i], &added));
  }
  status = make_group_units(d, group);
out:
  trm_names_free(&sources);
  TRM_FREE(group);
  return status;
}

static trm_status make_units(dealing *d) {
  const trm_corpus *c = d->corpus;
  TRM_TRY(TRM_ALLOC(&d->unit_of, c->n, "units"));
  TRM_TRY(TRM_ALLOC(&d->first, c->n, "units"));
  TRM_TRY(TRM_ALLOC(&d->order, c->n, "units"));
  d->n_strata = c->target == TRM_TARGET_CLASS ? c->classes.n : 1;
  TRM_TRY(TRM_ALLOC(&d->begins, d->n_strata + 1, "classes"));
  if (c->target == TRM_TARGET_TOKENS) return group_by_source(d);
  if (c->has_groups) return make_group_units(d, c->groups);
  d->n_units = c->n;
  for (int64_t i = 0; i < c->n; ++i) d->unit_of[i] = d->first[i] = (int32_t)i;
  return TRM_OK;
}

static int64_t stratum_of(const dealing *d, int64_t unit) {
  return d->corpus->target == TRM_TARGET_CLASS ? d->corpus->labels[d->first[unit]] : 0;
}

/* ---- permutations ----------------------------------------------------------------------------- */

/* Units whose part[n] is train, by stratum, each shuffled.
 * Source: Durstenfeld 1964, "Algorithm 235: random permutation", CACM 7(7). */
static void shuffle_strata(dealing *d, const uint8_t *part, uint64_t step) {
  memset(d->begins, 0, (size_t)(d->n_strata + 1) * sizeof *d->begins);
  for (int64_t u = 0; u < d->n_units; ++u) {
    if (part[d->first[u]] == TRM_SUBSET_TRAIN) ++d->begins[stratum_of(d, u) + 1];
  }
  for (int64_t s = 0; s < d->n_strata; ++s) d->begins[s + 1] += d->begins[s];
  for (int64_t u = 0; u < d->n_units; ++u) {
    if (part[d->first[u]] == TRM_SUBSET_TRAIN) d->order[d->begins[stratum_of(d, u)]++] = (int32_t)u;
  }
  for (int64_t s = d->n_strata; s > 0; --s) d->begins[s] = d->begins[s - 1];
  d->begins[0] = 0;
  for (int64_t s = 0; s < d->n_strata; ++s) {
    const trm_random_key key =
        trm_random_key_make(d->corpus->options->seed, TRM_RANDOM_SPLIT, step, (uint64_t)s);
    int32_t *ids = d->order + d->begins[s];
    for (int64_t i = d->begins[s + 1] - d->begins[s] - 1; i > 0; --i) {
      const int64_t j = (int64_t)trm_random_below(key, (uint64_t)i, 0, (uint64_t)i + 1);
      const int32_t id = ids[i];
      ids[i] = ids[j];
      ids[j] = id;
    }
  }
}

/* Every sample of a unit gets its value. */
static void spread(const dealing *d, const uint8_t *of_unit, uint8_t *part) {
  for (int64_t i = 0; i < d->corpus->n; ++i) {
    if (of_unit[d->unit_of[i]] != TRM_SUBSET_TRAIN) part[i] = of_unit[d->unit_of[i]];
  }
}

/* Shares of each stratum of part[n]'s train, to the nearest unit. */
static trm_status deal_shares(dealing *d, double test, double valid, uint64_t step, uint8_t *part) {
  uint8_t *of_unit = NULL;
  if (test <= 0 && valid <= 0) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&of_unit, d->n_units, "parts of units"));
  shuffle_strata(d, part, step);
  for (int64_t s = 0; s < d->n_strata; ++s) {
    const int64_t begin = d->begins[s], n = d->begins[s + 1] - begin;
    const int64_t n_test = (int64_t)floor(test * (double)n + 0.5);
    const int64_t n_out = n_test + (int64_t)floor(valid * (double)n + 0.5);
    for (int64_t i = 0; i < n_out && i < n; ++i) {
      of_unit[d->order[begin + i]] = i < n_test ? TRM_SUBSET_TEST : TRM_SUBSET_VALID;
    }
  }
  spread(d, of_unit, part);
  TRM_FREE(of_unit);
  return TRM_OK;
}

/* ---- splits ----------------------------------------------------------------------------------- */

static double valid_share(const trm_corpus *c) {
  if (c->options->valid_share >= 0) return c->options->valid_share;
  return c->has_part[TRM_SUBSET_VALID] ? 0 : 0.1;
}

/* Folds dealt in turn over all strata, so that they differ by one unit at most. */
static trm_status deal_folds(dealing *d, int32_t *fold) {
  const trm_corpus *c = d->corpus;
  int32_t *of_unit = NULL;
  uint8_t *all = NULL; /* every sample is dealt */
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&of_unit, d->n_units, "folds"));
  TRM_TRY_OUT(TRM_ALLOC(&all, c->n, "folds"));
  shuffle_strata(d, all, FOLDS_STEP);
  for (int64_t i = 0; i < d->n_units; ++i) {
    of_unit[d->order[i]] = (int32_t)(i % d->parts->n_splits);
  }
  for (int64_t i = 0; i < c->n; ++i) fold[i] = of_unit[d->unit_of[i]];
out:
  TRM_FREE(of_unit);
  TRM_FREE(all);
  return status;
}

static trm_status split_by_folds(dealing *d) {
  const trm_corpus *c = d->corpus;
  int32_t *fold = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&fold, c->n, "folds"));
  if (c->has_folds) {
    memcpy(fold, c->folds, (size_t)c->n * sizeof *fold);
  } else {
    TRM_TRY_OUT(deal_folds(d, fold));
  }
  for (int k = 0; k < d->parts->n_splits; ++k) {
    uint8_t *part = d->parts->part + k * c->n;
    for (int64_t i = 0; i < c->n; ++i) part[i] = fold[i] == k ? TRM_SUBSET_TEST : TRM_SUBSET_TRAIN;
    TRM_TRY_OUT(deal_shares(d, 0, valid_share(c), (uint64_t)k, part));
  }
out:
  TRM_FREE(fold);
  return status;
}

static trm_status make_splits(dealing *d) {
  const trm_corpus *c = d->corpus;
  const bool folds = c->has_folds || c->options->n_folds > 0;
  d->parts->n_splits = !folds ? 1 : c->has_folds ? (int)c->fold_names.n : (int)c->options->n_folds;
  TRM_TRY(TRM_ALLOC(&d->parts->part, d->parts->n_splits * c->n, "parts of samples"));
  if (folds) return split_by_folds(d);
  for (int64_t i = 0; i < c->n; ++i) d->parts->part[i] = (uint8_t)c->origins[i].part;
  return deal_shares(d, c->options->test_share > 0 ? c->options->test_share : 0, valid_share(c), 0,
                     d->parts->part);
}

/* ---- checks ----------------------------------------------------------------------------------- */

static trm_status check_options(const trm_corpus *c) {
  const trm_prepare_samples_options *o = c->options;
  const bool folds = c->has_folds || o->n_folds > 0;
  if (c->has_folds && o->n_folds > 0) {
    return trm_fail(TRM_ERR_USAGE, "folds are in a column (--fold) or dealt (--folds), not both");
  }
  if (folds && (c->has_part[TRM_SUBSET_VALID] || c->has_part[TRM_SUBSET_TEST])) {
    return trm_fail(TRM_ERR_USAGE,
                    "with folds the parts are made of them; leave files to validate or test out");
  }
  if (folds && o->test_share > 0) {
    return trm_fail(TRM_ERR_USAGE, "with folds each is the test part once; leave --test-share out");
  }
  if (o->valid_share > 0 && c->has_part[TRM_SUBSET_VALID]) {
    return trm_fail(TRM_ERR_USAGE, "samples to validate come from a file or are a share, not both");
  }
  if (o->test_share > 0 && c->has_part[TRM_SUBSET_TEST]) {
    return trm_fail(TRM_ERR_USAGE, "samples to test come from a file or are a share, not both");
  }
  if (c->has_folds && c->fold_names.n < 2) {
    return trm_fail(TRM_ERR_DATA, "%s: the column of folds has one value; two at least are needed",
                    c->origins[0].path);
  }
  if (o->n_folds <= c->n) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%lld folds of %lld samples", (long long)o->n_folds,
                  (long long)c->n);
}

static trm_status no_such_class(const trm_corpus *c, int64_t i, int split, int n_splits,
                                const char *part) {
  const int64_t *offsets = trm_names_offsets(&c->classes), begin = offsets[c->labels[i]];
  char shown[SHOWN_BYTES], of[48] = "";
  trm_text_escape(c->classes.bytes.data + begin, offsets[c->labels[i] + 1] - begin, shown,
                  sizeof shown);
  if (n_splits > 1) (void)snprintf(of, sizeof of, " of split %d", split);
  return trm_corpus_fail(
      c, i,
      "class '%s' is in the %s part%s, but no sample to train on has it; correct the "
      "label, or leave the class out",
      shown, part, of);
}

/* trained[classes]: room for which there are. */
static trm_status check_split(const trm_corpus *c, const trm_parts *parts, int k,
                              const uint8_t *kept, uint8_t *trained) {
  const uint8_t *part = parts->part + k * c->n;
  const bool classes = c->target == TRM_TARGET_CLASS;
  int64_t n_train = 0;
  memset(trained, 0, (size_t)c->classes.n);
  for (int64_t i = 0; i < c->n; ++i) {
    if (part[i] != TRM_SUBSET_TRAIN || (kept && !kept[i])) continue;
    if (classes) trained[c->labels[i]] = 1;
    ++n_train;
  }
  if (n_train == 0) {
    return trm_fail(TRM_ERR_DATA, "%s: no samples are left to train on", c->inputs.source);
  }
  for (int64_t i = 0; classes && i < c->n; ++i) {
    if (trained[c->labels[i]] || (kept && !kept[i])) continue;
    return no_such_class(c, i, k, parts->n_splits, trm_subset_name((trm_subset)part[i]));
  }
  return TRM_OK;
}

trm_status trm_parts_check(const trm_corpus *corpus, const trm_parts *parts, const uint8_t *kept) {
  uint8_t *trained = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&trained, corpus->classes.n, "classes"));
  for (int k = 0; k < parts->n_splits && status == TRM_OK; ++k) {
    status = check_split(corpus, parts, k, kept, trained);
  }
  TRM_FREE(trained);
  return status;
}

trm_status trm_parts_make(const trm_corpus *corpus, trm_parts *parts) {
  dealing d = {.corpus = corpus, .parts = parts};
  trm_status status = TRM_OK;
  TRM_TRY(check_options(corpus));
  TRM_TRY_OUT(make_units(&d));
  TRM_TRY_OUT(make_splits(&d));
  if (d.n_units < corpus->n) {
    parts->groups = d.unit_of;
    d.unit_of = NULL;
  }
out:
  TRM_FREE(d.unit_of);
  TRM_FREE(d.first);
  TRM_FREE(d.begins);
  TRM_FREE(d.order);
  return status;
}

trm_status trm_parts_lists(const trm_parts *parts, int64_t n, const uint8_t *kept, trm_ids **splits,
                           int32_t **ids) {
  TRM_TRY(TRM_ALLOC(splits, parts->n_splits * TRM_N_SUBSETS, "splits"));
  TRM_TRY(TRM_ALLOC(ids, parts->n_splits * n, "splits"));
  int32_t *next = *ids;
  for (int k = 0; k < parts->n_splits; ++k) {
    for (int p = 0; p < TRM_N_SUBSETS; ++p) {
      trm_ids *list = &(*splits)[k * TRM_N_SUBSETS + p];
      int32_t id = 0;
      list->ids = next;
      for (int64_t i = 0; i < n; ++i) {
        if (kept && !kept[i]) continue;
        if (parts->part[k * n + i] == p) *next++ = id;
        ++id;
      }
      list->n = next - list->ids;
    }
  }
  return TRM_OK;
}

void trm_parts_free(trm_parts *parts) {
  TRM_FREE(parts->part);
  TRM_FREE(parts->groups);
}
