/*
 * A post-norm Transformer layer of width 512 on [10 sequences of 32]: output, and gradients of the input
 * and all parameters, against torch.nn.TransformerEncoderLayer; tests/golden/layer_torch.py wrote
 * layer_values.csv and says how both sides make what is given. Promised are 1e-5; seen are 6e-7 of an
 * array's greatest value, as PyTorch's float32 is, and less than 4e-12 in double.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../../src/model/transformer.h"
#include "../../src/nn/tape_internal.h"
#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"

enum { N = 10, T = 32, C = 512, HEADS = 8, FF_WIDTH = 2048, NAME_BYTES = 64, MAX_SAMPLES = 64 };

static const char values_path[] = TRM_SOURCE_DIR "/tests/golden/layer_values.csv";
static const double tolerance = TRM_REAL_IS_DOUBLE ? 2e-11 : 2e-6; /* of the greatest value */

/* An array of the file: how what is given is made, and what comes out. */
typedef struct expected {
  char name[NAME_BYTES];
  int number;
  long long n;
  double base, scale, greatest, sum, squares;
  int n_samples;
  long long at[MAX_SAMPLES];
  double value[MAX_SAMPLES];
} expected;

typedef struct expectations {
  int n;
  expected arrays[16];
} expectations;

static void read_line(expectations *e, const char *line) {
  expected next = {.n_samples = 0}, *last = &e->arrays[e->n - 1];
  if (line[0] == '#' || strncmp(line, "array,", 6) == 0) return;
  if (line[0] == ',') {
    const int k = last->n_samples++;
    CHECK(k < MAX_SAMPLES && sscanf(line, ",%lld,%lf", &last->at[k], &last->value[k]) == 2);
    return;
  }
  CHECK(sscanf(line, "%63[^,],%d,%lld,%lf,%lf,%lf,%lf,%lf", next.name, &next.number, &next.n,
               &next.base, &next.scale, &next.greatest, &next.sum, &next.squares) == 8);
  e->arrays[e->n++] = next;
}

static void read_expectations(expectations *e) {
  char line[256];
  FILE *file = fopen(values_path, "r");
  e->n = 0;
  if (!CHECK(file != NULL)) return;
  while (fgets(line, sizeof line, file)) read_line(e, line);
  (void)fclose(file);
}

static const expected *find(const expectations *e, const char *name) {
  for (int i = 0; i < e->n; ++i) {
    if (strcmp(e->arrays[i].name, name) == 0) return &e->arrays[i];
  }
  fprintf(stderr, "%s: no array '%s'\n", values_path, name);
  CHECK(false);
  return &e->arrays[0];
}

/* ---- what is given ---------------------------------------------------------------------------- */

/* Wellons' lowbias32 of the index and the array's number, its upper half. */
static uint32_t hashed(uint32_t number, uint32_t index) {
  uint32_t h = index * 0x9E3779B1U + number * 0x01000193U;
  h ^= h >> 16;
  h *= 0x7FEB352DU;
  h ^= h >> 15;
  h *= 0x846CA68BU;
  return h >> 16;
}

static void give(trm_real *to, const expected *e, int64_t n) {
  if (!CHECK_EQ(n, e->n)) return;
  for (int64_t i = 0; i < n; ++i) {
    const double u = hashed((uint32_t)e->number, (uint32_t)i) / 65536.0 - 0.5;
    to[i] = (trm_real)(e->base + e->scale * u);
  }
}

/* ---- what comes out --------------------------------------------------------------------------- */

static void compare(const trm_real *got, const expected *e) {
  const double bound = tolerance * e->greatest;
  double sum = 0, squares = 0;
  bool same = true;
  for (int k = 0; k < e->n_samples; ++k) {
    same &= CHECK_NEAR_AT(got[e->at[k]], e->value[k], bound, e->at[k]);
  }
  for (int64_t i = 0; i < e->n; ++i) {
    sum += (double)got[i];
    squares += (double)got[i] * (double)got[i];
  }
  same &= CHECK_NEAR(sum, e->sum, tolerance * sqrt((double)e->n * e->squares));
  same &= CHECK_NEAR(squares, e->squares, tolerance * e->squares);
  if (!same) fprintf(stderr, "  %s\n", e->name);
}

/* ---- the layer -------------------------------------------------------------------------------- */

typedef struct bench {
  trm_transformer t;
  trm_transformer_layer layer;
  trm_params *params;
  trm_tape *tape;
  trm_real *grads, *x, *dy; /* [params->n_elements], [N*T, C] twice */
} bench;

static trm_status bench_make(bench *b, const expectations *e) {
  const int64_t n = (int64_t)N * T * C;
  b->t = (trm_transformer){.layers = 1,
                           .heads = HEADS,
                           .width = C,
                           .ff_width = FF_WIDTH,
                           .context = T,
                           .bias = true,
                           .post_norm = true};
  TRM_TRY(trm_params_create(&b->params));
  TRM_TRY(trm_transformer_layer_add(&b->t, b->params, &b->layer, false, "x"));
  TRM_TRY(trm_params_seal(b->params));
  TRM_TRY(trm_tape_create(b->params, &b->tape));
  TRM_TRY(TRM_ALLOC(&b->grads, b->params->n_elements, "gradients"));
  TRM_TRY(TRM_ALLOC(&b->x, n, "input"));
  TRM_TRY(TRM_ALLOC(&b->dy, n, "gradient of the output"));
  give(b->x, find(e, "input"), n);
  give(b->dy, find(e, "output"), n);
  for (int i = 0; i < b->params->n_rows; ++i) {
    const trm_param *row = &b->params->rows[i];
    give(b->params->weights + row->offset, find(e, row->name + strlen("x/")), row->n);
  }
  return TRM_OK;
}

static void bench_free(bench *b) {
  TRM_FREE(b->grads);
  TRM_FREE(b->x);
  TRM_FREE(b->dy);
  trm_tape_destroy(&b->tape);
  trm_params_destroy(&b->params);
}

/* Forward and back; the variables are valid until the next pass. */
static void run(bench *b, bool dry, const trm_var **in, const trm_var **out) {
  const trm_sequences s = trm_sequences_equal(N, T);
  const trm_pass pass = {.training = true, .dry = dry, .grads = b->grads};
  trm_tape_begin(b->tape, &pass);
  trm_var *x = trm_tape_input(b->tape, dry ? NULL : b->x, 2, (int64_t[]){N * T, C}, true);
  trm_var *y = trm_transformer_layer_run(&b->t, b->tape, &b->layer, x, &s, false, NULL, NULL);
  CHECK_OK(trm_tape_status(b->tape));
  trm_tape_backward_from(b->tape, y, b->dy, NULL, NULL, NULL);
  *in = x;
  *out = y;
}

static void check_layer(const expectations *e, const char *products, int threads) {
  bench b = {0};
  const trm_var *x, *y;
  CHECK_OK(trm_gemm_select(products));
  trm_threads_set(threads);
  if (CHECK_OK(bench_make(&b, e))) {
    CHECK_EQ(b.params->n_rows + 2, e->n);
    run(&b, true, &x, &y);
    CHECK_OK(trm_tape_reserve(b.tape));
    run(&b, false, &x, &y);
    compare(y->data, find(e, "output"));
    compare(x->grad, find(e, "input"));
    for (int i = 0; i < b.params->n_rows; ++i) {
      const trm_param *row = &b.params->rows[i];
      compare(b.grads + row->offset, find(e, row->name + strlen("x/")));
    }
  }
  bench_free(&b);
}

int main(void) {
  static expectations e;
  trm_math_init();
  read_expectations(&e);
#if TRM_REAL_IS_DOUBLE
  check_layer(&e, "openblas", 2);
#else
  check_layer(&e, "native", 2);
  check_layer(&e, "openblas", 1);
#endif
  return check_verdict();
}
