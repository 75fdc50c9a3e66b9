#include "training_part.h"

#include <inttypes.h>
#include <string.h>

#include "trireme/core/memory.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("data.folds", "0", 0, 1000000, "folds", TRM_ON_RESULT,
                "Cut training and validation part anew, class by class: data.fold validates, the "
                "others train; 0: as the data are."),
    TRM_KEY_INT("data.fold", "0", 0, 1000000, "", TRM_ON_RESULT, "Which of data.folds validates."),
    TRM_KEY_REAL("data.train_share", "1", 1e-9, 1, "", TRM_ON_RESULT,
                 "Share of the training part that is trained on, class by class; smaller ones are "
                 "parts of larger ones."),
    TRM_KEY_INT("data.part_seed", "1", 0, 9007199254740992.0, "", TRM_ON_RESULT,
                "Of data.folds, data.train_share and data.bootstrap."),
};
const trm_config_rows trm_part_keys = TRM_CONFIG_ROWS(keys);

static const trm_config_key bootstrap_keys[] = {
    TRM_KEY_INT(
        "data.bootstrap", "0", 0, 1000000, "", TRM_ON_RESULT,
        "Train on as many draws with replacement from the training part, the sample of this "
        "number; 0: on the part itself."),
};
const trm_config_rows trm_bootstrap_keys = TRM_CONFIG_ROWS(bootstrap_keys);

static const char part_text[] = "part of the data that is trained on";

/* Both lists, rising; they have no sample in common, or the same ones (data.hold_out: false). */
static int64_t merge(trm_ids a, trm_ids b, int32_t *out) {
  int64_t n = 0, i = 0, k = 0;
  while (i < a.n || k < b.n) {
    const bool first = k == b.n || (i < a.n && a.ids[i] <= b.ids[k]);
    if (i < a.n && k < b.n && a.ids[i] == b.ids[k]) ++k;
    out[n++] = first ? a.ids[i++] : b.ids[k++];
  }
  return n;
}

trm_status trm_training_part_check(const trm_config *config) {
  const int64_t n_folds = trm_config_int(config, "data.folds");
  const int64_t fold = trm_config_int(config, "data.fold");
  if (n_folds == 1) {
    return trm_fail(TRM_ERR_CONFIG, "data.folds is 1; set it to 2 or more, or to 0 for none");
  }
  if (fold == 0 || fold < n_folds) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "data.fold is %" PRId64 ", but data.folds %" PRId64
                  "; set data.folds to how many there are, and data.fold to one from 0 on",
                  fold, n_folds);
}

static trm_status take_fold(const trm_config *config, const trm_part_facts *facts, uint64_t seed,
                            trm_training_part *p) {
  const int64_t n_folds = trm_config_int(config, "data.folds");
  const int64_t fold = trm_config_int(config, "data.fold"), most = p->train.n + p->valid.n;
  int32_t *pool = NULL;
  trm_status status;
  TRM_TRY(trm_training_part_check(config));
  if (n_folds == 0) return TRM_OK;
  if (n_folds > most) {
    return trm_fail(TRM_ERR_CONFIG,
                    "data.folds is %" PRId64 " of %" PRId64 " samples; set it to 2 to %" PRId64,
                    n_folds, most, most);
  }
  TRM_TRY(TRM_ALLOC(&pool, most, part_text));
  TRM_TRY_OUT(TRM_ALLOC(&p->lists[0], most, part_text));
  TRM_TRY_OUT(TRM_ALLOC(&p->lists[1], most, part_text));
  const trm_ids all = {pool, merge(p->train, p->valid, pool)};
  status = trm_parts_fold(all, facts, n_folds, fold, seed, p->lists[0], &p->train.n, p->lists[1],
                          &p->valid.n);
  p->train.ids = p->lists[0];
  p->valid.ids = p->lists[1];
out:
  TRM_FREE(pool);
  return status;
}

trm_status trm_training_part_make(const trm_config *config, trm_ids train, trm_ids valid,
                                  const trm_part_facts *facts, trm_training_part *p) {
  const uint64_t seed = (uint64_t)trm_config_int(config, "data.part_seed");
  const double share = trm_config_real(config, "data.train_share");
  const int64_t bootstrap =
      trm_config_used(config, "data.bootstrap") ? trm_config_int(config, "data.bootstrap") : 0;
  *p = (trm_training_part){.train = train, .valid = valid};
  TRM_TRY(take_fold(config, facts, seed, p));
  if (share < 1) {
    TRM_TRY(TRM_ALLOC(&p->lists[2], p->train.n, part_text));
    TRM_TRY(trm_parts_share(p->train, facts, share, seed, p->lists[2], &p->train.n));
    p->train.ids = p->lists[2];
  }
  if (bootstrap > 0) {
    TRM_TRY(trm_parts_bootstrap(p->train, facts, bootstrap, seed, &p->lists[3], &p->train.n));
    p->train.ids = p->lists[3];
  }
  return TRM_OK;
}

void trm_training_part_free(trm_training_part *p) {
  for (int i = 0; i < 4; ++i) TRM_FREE(p->lists[i]);
}
