/** Writing a data set of samples: all of it under a temporary name, then published. */
#include <string.h>

#include "samples_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

enum { PIECE = 1 << 16 };

/* Smallest type that holds values[n]. */
static trm_dtype narrow_type(const int32_t *values, int64_t n) {
  int32_t most = 0, least = 0;
  for (int64_t i = 0; i < n; ++i) {
    most = values[i] > most ? values[i] : most;
    least = values[i] < least ? values[i] : least;
  }
  return least < 0 ? TRM_DTYPE_I32 : trm_token_dtype((int64_t)most + 1);
}

static void narrow(trm_dtype dtype, const int32_t *values, int64_t n, void *out) {
  uint8_t *u8 = out;
  uint16_t *u16 = out;
  for (int64_t i = 0; i < n; ++i) {
    if (dtype == TRM_DTYPE_U8) {
      u8[i] = (uint8_t)values[i];
    } else {
      u16[i] = (uint16_t)values[i];
    }
  }
}

/* Integers of a shape, in the smallest type that holds them. */
static trm_status write_ids(trm_container *file, const char *name, const int32_t *values,
                            int n_dims, const int64_t *dims) {
  uint16_t piece[PIECE / sizeof(uint16_t)];
  const int64_t most = PIECE / sizeof(uint16_t);
  int64_t n = 1;
  for (int d = 0; d < n_dims; ++d) n *= dims[d];
  const trm_dtype dtype = narrow_type(values, n);
  if (n == 0 || dtype == TRM_DTYPE_I32) {
    return trm_array_write(file, name, TRM_DTYPE_I32, n_dims, dims, values);
  }
  TRM_TRY(trm_array_create(file, name, dtype, n_dims, dims));
  for (int64_t first = 0; first < n; first += most) {
    const int64_t here = trm_min_i64(n - first, most);
    narrow(dtype, values + first, here, piece);
    TRM_TRY(trm_array_write_range(file, name, dtype, first, here, piece));
  }
  return TRM_OK;
}

static trm_status write_array(trm_container *file, const trm_samples *s, int place) {
  const trm_sample_array *a = &trm_sample_arrays[place];
  int64_t dims[TRM_MAX_DIMS];
  const void *data = trm_sample_array_of(s, place);
  const int n_dims = trm_sample_shape(s, place, dims);
  if (n_dims == 0) return TRM_OK;
  if (a->dtype == TRM_DTYPE_I32) return write_ids(file, a->name, data, n_dims, dims);
  return trm_array_write(file, a->name, a->dtype, n_dims, dims, data);
}

static trm_status write_splits(trm_container *file, const trm_samples *s) {
  char name[TRM_SAMPLE_NAME_BYTES];
  for (int i = 0; i < s->n_splits * TRM_N_SUBSETS; ++i) {
    trm_sample_split_name(i / TRM_N_SUBSETS, i % TRM_N_SUBSETS, name);
    TRM_TRY(write_ids(file, name, s->splits[i].ids, 1, &s->splits[i].n));
  }
  return TRM_OK;
}

static trm_status write_all(trm_container *file, const trm_samples *s) {
  TRM_TRY(trm_output_head(file, "samples", s->source ? s->source : ""));
  TRM_TRY(trm_attr_write_text(file, "/", "input", trm_sample_input_names[s->input]));
  TRM_TRY(trm_attr_write_text(file, "/", "target", trm_sample_target_names[s->target]));
  for (int i = 0; i < TRM_N_SAMPLE_PLACES; ++i) TRM_TRY(write_array(file, s, i));
  if (s->input == TRM_INPUT_TOKENS) {
    TRM_TRY(trm_vocab_write(file, "/input/vocab", &s->input_vocab));
  }
  if (s->target == TRM_TARGET_TOKENS && !s->shared_vocab) {
    TRM_TRY(trm_vocab_write(file, "/target/vocab", &s->target_vocab));
  }
  const int classes = trm_sample_classes_place(s);
  if (classes >= 0) {
    TRM_TRY(trm_attr_write_int(file, trm_sample_arrays[classes].name, "n_classes", s->classes.n));
  }
  return write_splits(file, s);
}

trm_status trm_samples_write(const char *path, const trm_samples *samples) {
  trm_output output = {0};
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_output_check_place(path, NULL, 0));
  TRM_TRY_OUT(trm_output_create(&output, path));
  TRM_TRY_OUT(write_all(output.file, samples));
  TRM_TRY_OUT(trm_output_publish(&output));
out:
  trm_output_abandon(&output);
  return status;
}
