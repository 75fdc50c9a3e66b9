#include "trireme/nn/params.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/hash.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/kernels.h"

trm_status trm_params_create(trm_params **out) {
  trm_params *params = NULL;
  TRM_TRY(TRM_ALLOC(&params, 1, "parameter table"));
  *out = params;
  return TRM_OK;
}

void trm_params_destroy(trm_params **params) {
  if (!*params) return;
  TRM_FREE((*params)->rows);
  TRM_FREE((*params)->weights);
  TRM_FREE(*params);
}

static trm_status grow(trm_params *params) {
  if (params->n_rows < params->capacity) return TRM_OK;
  const int capacity = params->capacity ? 2 * params->capacity : 64;
  trm_param *rows = NULL;
  TRM_TRY(TRM_ALLOC(&rows, capacity, "parameter table"));
  if (params->rows) memcpy(rows, params->rows, (size_t)params->n_rows * sizeof *rows);
  TRM_FREE(params->rows);
  params->rows = rows;
  params->capacity = capacity;
  return TRM_OK;
}

/* `row` has everything but its size and its name. */
__attribute__((format(printf, 5, 0))) static trm_status add_row(trm_params *params, int *index,
                                                                trm_param row, const int64_t *dims,
                                                                const char *format,
                                                                va_list arguments) {
  TRM_ASSERT(!params->sealed);
  TRM_ASSERT(row.n_dims >= 1 && row.n_dims <= 4);
  TRM_TRY(grow(params));
  row.n = 1;
  row.n_stacked = 1;
  for (int d = 0; d < row.n_dims; ++d) {
    row.dims[d] = dims[d];
    if (dims[d] < 1 || !trm_size_mul(row.n, dims[d], &row.n)) {
      return trm_fail(TRM_ERR_CONFIG,
                      "a parameter of the model would have %lld elements along axis "
                      "%d; make the model smaller",
                      (long long)dims[d], d);
    }
  }
  const int n = vsnprintf(row.name, sizeof row.name, format, arguments);
  TRM_ASSERT(n > 0 && n < TRM_PARAM_NAME_BYTES);
  params->rows[params->n_rows] = row;
  *index = params->n_rows++;
  return TRM_OK;
}

trm_status trm_params_add(trm_params *params, int *index, int n_dims, const int64_t *dims,
                          trm_init init, double scale, bool decay, const char *format, ...) {
  const trm_param row = {.n_dims = n_dims, .init = init, .scale = scale, .decay = decay};
  va_list arguments;
  va_start(arguments, format);
  const trm_status status = add_row(params, index, row, dims, format, arguments);
  va_end(arguments);
  return status;
}

trm_status trm_params_add_buffer(trm_params *params, int *index, int64_t n, trm_init init,
                                 const char *format, ...) {
  const trm_param row = {.n_dims = 1, .init = init, .buffer = true};
  va_list arguments;
  va_start(arguments, format);
  const trm_status status = add_row(params, index, row, &n, format, arguments);
  va_end(arguments);
  return status;
}

void trm_params_mark(trm_params *params, int first, trm_role role) {
  TRM_ASSERT(first >= 0);
  for (int i = first; i < params->n_rows; ++i) params->rows[i].role = role;
}

void trm_params_mark_tokens(trm_params *params, int index) {
  TRM_ASSERT(index >= 0 && index < params->n_rows && params->rows[index].n_dims == 2);
  params->rows[index].tokens = true;
}

void trm_params_mark_columns(trm_params *params, int index) {
  TRM_ASSERT(index >= 0 && index < params->n_rows && params->rows[index].n_dims == 2);
  params->rows[index].columns = true;
}

void trm_params_mark_by_inputs(trm_params *params, int index) {
  TRM_ASSERT(index >= 0 && index < params->n_rows && params->rows[index].n_dims == 2);
  params->rows[index].by_inputs = true;
}

void trm_params_mark_drawn_by_inputs(trm_params *params, int index) {
  TRM_ASSERT(index >= 0 && index < params->n_rows && params->rows[index].n_dims == 2);
  params->rows[index].drawn_by_inputs = true;
}

void trm_params_mark_stacked(trm_params *params, int index, int n) {
  TRM_ASSERT(index >= 0 && index < params->n_rows && params->rows[index].n_dims == 2);
  TRM_ASSERT(n >= 1 && params->rows[index].dims[0] % n == 0);
  params->rows[index].n_stacked = n;
}

trm_status trm_params_seal(trm_params *params) {
  TRM_ASSERT(!params->sealed);
  int64_t offset = 0, n_weights = 0;
  for (int i = params->n_rows - 1; i >= 0; --i) {
    trm_param *row = &params->rows[i];
    row->offset = offset;
    offset += (row->n + TRM_PARAM_ALIGN - 1) / TRM_PARAM_ALIGN * TRM_PARAM_ALIGN;
    n_weights += row->n;
  }
  TRM_TRY(TRM_ALLOC(&params->weights, offset, "weights"));
  params->n_elements = offset;
  params->n_weights = n_weights;
  params->sealed = true;
  return TRM_OK;
}

/* Random numbers number `first` to first + n - 1 of a row. */
static void draw(trm_real *w, const trm_param *row, trm_random_key key, int64_t first, int64_t n) {
  if (row->init == TRM_INIT_NORMAL)
    trm_fill_normal(w, row->scale, key, (uint64_t)first, n);
  else
    trm_fill_uniform(w, row->scale, key, (uint64_t)first, n);
}

/* Number i * outputs + o for w[o, i], a few inputs at a time. */
static void draw_by_inputs(trm_real *w, const trm_param *row, trm_random_key key) {
  enum { PIECE = 4096 };
  trm_real numbers[PIECE];
  const int64_t n_outputs = row->dims[0], n_inputs = row->dims[1];
  for (int64_t first = 0; first < row->n; first += PIECE) {
    const int64_t n = row->n - first < PIECE ? row->n - first : PIECE;
    draw(numbers, row, key, first, n);
    for (int64_t k = 0; k < n; ++k) {
      const int64_t input = (first + k) / n_outputs, output = (first + k) % n_outputs;
      w[output * n_inputs + input] = numbers[k];
    }
  }
}

void trm_params_init(trm_params *params, uint64_t seed) {
  TRM_ASSERT(params->sealed);
  for (int i = 0; i < params->n_rows; ++i) {
    const trm_param *row = &params->rows[i];
    trm_real *w = params->weights + row->offset;
    const uint64_t salt = trm_hash64(row->name, strlen(row->name), 0);
    const trm_random_key key = trm_random_key_make(seed, TRM_RANDOM_INIT, 0, salt);
    switch (row->init) {
    case TRM_INIT_ZERO:
      trm_fill(w, 0, row->n);
      break;
    case TRM_INIT_ONE:
      trm_fill(w, 1, row->n);
      break;
    case TRM_INIT_NORMAL:
    case TRM_INIT_UNIFORM:
      if (row->drawn_by_inputs)
        draw_by_inputs(w, row, key);
      else
        draw(w, row, key, 0, row->n);
      break;
    }
  }
}

uint64_t trm_params_hash(const trm_params *params) {
  return trm_hash_reals(params->weights, params->n_elements);
}

int trm_params_find(const trm_params *params, int64_t element) {
  for (int i = 0; i < params->n_rows; ++i) {
    const trm_param *row = &params->rows[i];
    if (element >= row->offset && element < row->offset + row->n) return i;
  }
  return -1;
}
