/**
 * Opening a data set. The order of the checks is the point: each array's shape is checked against
 * what bounds it (by `io` against the bytes in the file, here against the unit and the vocabulary)
 * before memory is sized by it.
 */
#include "trireme/input/dataset.h"

#include <math.h>
#include <string.h>

#include "kind_internal.h"
#include "text_internal.h"
#include "trireme/core/hash.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/io/seal.h"

static bool is_integer(trm_dtype dtype) {
  return dtype != TRM_DTYPE_F32 && dtype != TRM_DTYPE_F64;
}

/* A one-dimensional integer array. */
static trm_status vector_info(trm_dataset *dataset, const char *name, trm_array_info *info) {
  if (!trm_container_has(dataset->file, name)) {
    return trm_fail(TRM_ERR_DATA, "%s: no array '%s', which a data set of kind text must have",
                    dataset->path, name);
  }
  TRM_TRY(trm_array_info_get(dataset->file, name, info));
  if (info->n_dims != 1 || !is_integer(info->dtype)) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: array '%s' is %s with %d dimensions, expected integers with one",
                    dataset->path, name, trm_dtype_name(info->dtype), info->n_dims);
  }
  return TRM_OK;
}

static trm_status check_kind(const trm_dataset *dataset) {
  char kind[TRM_KIND_BYTES];
  TRM_TRY(trm_dataset_kind_read(dataset->file, dataset->path, kind));
  if (strcmp(kind, "text") == 0) return TRM_OK;
  return trm_data_kind_refuse(dataset->path, kind, "'text'");
}

/* Characters of a split's text; -1: not said. */
static trm_status read_characters(const trm_dataset *dataset, const char *name, int64_t *n) {
  *n = -1;
  if (!trm_attr_has(dataset->file, name, "characters")) return TRM_OK;
  TRM_TRY(trm_attr_read_int(dataset->file, name, "characters", n));
  if (*n >= 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: attribute 'characters' of '%s' is %lld, expected a count",
                  dataset->path, name, (long long)*n);
}

static trm_status read_splits(trm_dataset *dataset) {
  for (int s = 0; s < TRM_N_TEXT_SUBSETS; ++s) {
    const char *name = s == TRM_SUBSET_TRAIN ? "/splits/train" : "/splits/valid";
    trm_array_info info;
    TRM_TRY(vector_info(dataset, name, &info));
    if (info.n_elements != 2) {
      return trm_fail(TRM_ERR_DATA, "%s: array '%s' has %lld elements, expected begin and end",
                      dataset->path, name, (long long)info.n_elements);
    }
    int64_t range[2];
    TRM_TRY(trm_array_read(dataset->file, name, TRM_DTYPE_I64, range, 2));
    if (range[0] < 0 || range[1] < range[0] || range[1] > dataset->n_tokens) {
      return trm_fail(TRM_ERR_DATA, "%s: split %s is [%lld, %lld), out of the %lld tokens",
                      dataset->path, trm_subset_name((trm_subset)s), (long long)range[0],
                      (long long)range[1], (long long)dataset->n_tokens);
    }
    dataset->subset[s].begin = range[0];
    dataset->subset[s].n = range[1] - range[0];
    TRM_TRY(read_characters(dataset, name, &dataset->subset[s].characters));
  }
  const int64_t t = dataset->subset[TRM_SUBSET_TRAIN].begin,
                n_t = dataset->subset[TRM_SUBSET_TRAIN].n;
  const int64_t v = dataset->subset[TRM_SUBSET_VALID].begin,
                n_v = dataset->subset[TRM_SUBSET_VALID].n;
  if (n_t == 0) return trm_fail(TRM_ERR_DATA, "%s: the training split is empty", dataset->path);
  if (n_v > 0 && t < v + n_v && v < t + n_t) {
    return trm_fail(TRM_ERR_DATA, "%s: splits train [%lld, %lld) and valid [%lld, %lld) overlap",
                    dataset->path, (long long)t, (long long)(t + n_t), (long long)v,
                    (long long)(v + n_v));
  }
  return TRM_OK;
}

trm_status trm_dataset_set_parts(trm_dataset *dataset, int64_t n_folds, int64_t fold,
                                 double share) {
  trm_token_range *train = &dataset->subset[TRM_SUBSET_TRAIN],
                  *valid = &dataset->subset[TRM_SUBSET_VALID];
  const int64_t n = train->n + valid->n;
  if (n_folds > 0 && valid->n > 0 && valid->begin != train->begin + train->n) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "data.folds is %lld, but the validation part of %s does not follow its training "
        "part; set it to 0, or prepare the data with --valid-share",
        (long long)n_folds, dataset->path);
  }
  if (n_folds > 0) {
    train->n = trm_share_begin(n, fold + 1, n_folds + 1);
    valid->begin = train->begin + train->n;
    valid->n = trm_share_begin(n, fold + 2, n_folds + 1) - train->n;
    train->characters = valid->characters = -1;
  }
  const double kept = ceil(share * (double)train->n);
  if (share < 1) train->n = kept > 1 ? (int64_t)kept : 1;
  if (share < 1) train->characters = -1;
  return TRM_OK;
}

/* The tokens' digest is there already; vocabulary and splits go on top. */
static void finish_digest(trm_dataset *dataset) {
  const trm_vocab *vocab = &dataset->vocab;
  uint64_t h = trm_hash64(&dataset->n_tokens, sizeof dataset->n_tokens, dataset->digest);
  h = trm_hash64(vocab->unit, strlen(vocab->unit), h);
  h = trm_hash64(vocab->offsets, (size_t)(vocab->n + 1) * sizeof *vocab->offsets, h);
  h = trm_hash64(vocab->bytes, (size_t)vocab->offsets[vocab->n], h);
  const int32_t specials[] = {vocab->unk, vocab->bos, vocab->eos};
  if (vocab->unk >= 0 || vocab->bos >= 0 || vocab->eos >= 0) {
    h = trm_hash64(specials, sizeof specials, h);
  }
  if (vocab->model) h = trm_hash64(vocab->model, (size_t)vocab->n_model, h);
  for (int s = 0; s < TRM_N_TEXT_SUBSETS; ++s) {
    const int64_t range[2] = {dataset->subset[s].begin, dataset->subset[s].n};
    h = trm_hash64(range, sizeof range, h);
  }
  dataset->digest = h;
}

static trm_status open_checked(trm_dataset *dataset, const char *path) {
  const int64_t n_path = (int64_t)strlen(path) + 1;
  TRM_TRY(TRM_ALLOC(&dataset->path, n_path, "path of a data set"));
  memcpy(dataset->path, path, (size_t)n_path);
  bool sealed; /* a file of another tool is not */
  TRM_TRY(trm_container_open(path, &dataset->file));
  TRM_TRY(trm_file_seal_check(path, &sealed));
  TRM_TRY(check_kind(dataset));
  TRM_TRY(trm_note_read(dataset->file, "source", &dataset->source));
  TRM_TRY(trm_note_read(dataset->file, "created_by", &dataset->created_by));
  TRM_TRY(trm_vocab_read(dataset->file, dataset->path, "/vocab", &dataset->vocab));
  trm_array_info tokens;
  TRM_TRY(vector_info(dataset, "/tokens", &tokens));
  dataset->stored = tokens.dtype;
  dataset->narrow = trm_token_dtype(dataset->vocab.n);
  dataset->n_tokens = tokens.n_elements;
  TRM_TRY(read_splits(dataset));
  TRM_TRY(trm_debian_check(dataset));
  TRM_TRY(trm_dataset_tokens_scan(dataset));
  finish_digest(dataset);
  return TRM_OK;
}

trm_status trm_dataset_open(const char *path, trm_dataset **out) {
  *out = NULL;
  trm_dataset *dataset = NULL;
  TRM_TRY(TRM_ALLOC(&dataset, 1, "data set"));
  const trm_status status = open_checked(dataset, path);
  if (status != TRM_OK) {
    trm_dataset_close(&dataset);
    return status;
  }
  *out = dataset;
  return TRM_OK;
}

/* Nothing was written, so a failure to close has nothing to say; the message of the failure that
 * brought us here is kept. */
void trm_dataset_close(trm_dataset **dataset) {
  trm_dataset *d = *dataset;
  if (!d) return;
  (void)trm_input_close(&d->file, TRM_ERR_DATA);
  trm_vocab_free(&d->vocab);
  TRM_FREE(d->cache);
  TRM_FREE(d->source);
  TRM_FREE(d->created_by);
  TRM_FREE(d->path);
  TRM_FREE(*dataset);
}

const char *trm_dataset_path(const trm_dataset *dataset) {
  return dataset->path;
}

int64_t trm_dataset_vocab(const trm_dataset *dataset) {
  return dataset->vocab.n;
}

int64_t trm_dataset_tokens(const trm_dataset *dataset, trm_subset subset) {
  return dataset->subset[subset].n;
}

uint64_t trm_dataset_digest(const trm_dataset *dataset) {
  return dataset->digest;
}

int64_t trm_dataset_characters(const trm_dataset *dataset, trm_subset subset) {
  return dataset->subset[subset].characters;
}

const trm_vocab *trm_dataset_vocabulary(const trm_dataset *dataset) {
  return &dataset->vocab;
}

const char *trm_dataset_token_text(const trm_dataset *dataset, int32_t token, int *bytes) {
  const trm_vocab *vocab = &dataset->vocab;
  TRM_ASSERT(token >= 0 && token < vocab->n);
  *bytes = (int)(vocab->offsets[token + 1] - vocab->offsets[token]);
  return vocab->bytes + vocab->offsets[token];
}

trm_status trm_dataset_encode(const trm_dataset *dataset, const char *text, int64_t bytes,
                              int32_t **tokens, int64_t *n) {
  return trm_vocab_encode(&dataset->vocab, text, bytes, tokens, n);
}
