/*
 * Stochastic depth: a sample's rows are all dropped or all divided by the survival, as often as asked;
 * the same samples whatever block and batch they are in; nothing of it in evaluation.
 */
#include <math.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/math/threads.h"
#include "trireme/nn/ops.h"

enum { WIDTH = 5, ROWS = 3, MOST = 2000 };
static const double p_drop = 0.3;

typedef struct bench {
  trm_params *params;
  trm_tape *tape;
} bench;

/* y[samples * ROWS, WIDTH] of ones, for samples sample0 .. ; calls before it in the pass: `before`. */
static void run(bench *b, trm_pass pass, int64_t n, int before, trm_real *y) {
  static trm_real ones[MOST * ROWS * WIDTH];
  const trm_sequences s = trm_sequences_equal(n, ROWS);
  const int64_t dims[2] = {s.n_rows, WIDTH};
  for (int i = 0; i < MOST * ROWS * WIDTH; ++i) ones[i] = 1;
  for (int dry = 1; dry >= 0; --dry) {
    pass.dry = dry != 0;
    trm_tape_begin(b->tape, &pass);
    trm_var *out = NULL;
    for (int i = 0; i <= before; ++i) {
      out = trm_op_drop_path(b->tape, trm_tape_input(b->tape, dry ? NULL : ones, 2, dims, false),
                             p_drop, &s);
    }
    CHECK_OK(trm_tape_status(b->tape));
    if (dry) CHECK_OK(trm_tape_reserve(b->tape));
    if (!dry) memcpy(y, out->data, (size_t)(s.n_rows * WIDTH) * sizeof *y);
  }
}

static bool dropped(const trm_real *y, int64_t sample) {
  const trm_real first = y[sample * ROWS * WIDTH], kept = (trm_real)(1 / (1 - p_drop));
  for (int64_t i = 0; i < ROWS * WIDTH; ++i) CHECK(y[sample * ROWS * WIDTH + i] == first);
  CHECK(first == 0 || first == kept);
  return first == 0;
}

int main(void) {
  static trm_real y[MOST * ROWS * WIDTH], other[MOST * ROWS * WIDTH];
  bench b;
  int row;
  trm_math_init();
  CHECK_OK(trm_params_create(&b.params));
  CHECK_OK(trm_params_add(b.params, &row, 1, (int64_t[]){1}, TRM_INIT_ZERO, 0, false, "a"));
  CHECK_OK(trm_params_seal(b.params));
  CHECK_OK(trm_tape_create(b.params, &b.tape));
  trm_pass pass = {.training = true, .seed = 4, .step = 7};
  run(&b, pass, MOST, 0, y);
  int n_dropped = 0;
  for (int64_t i = 0; i < MOST; ++i) n_dropped += dropped(y, i);
  CHECK_NEAR(n_dropped / (double)MOST, p_drop, 4 * sqrt(p_drop * (1 - p_drop) / MOST));
  /* A block of the same samples, on more threads. */
  pass.sample0 = 700;
  trm_threads_set(3);
  run(&b, pass, 100, 0, other);
  CHECK(memcmp(other, y + 700 * ROWS * WIDTH, sizeof(trm_real) * 100 * ROWS * WIDTH) == 0);
  /* Other layers and other steps drop others. */
  pass.sample0 = 0;
  run(&b, pass, MOST, 1, other);
  CHECK(memcmp(other, y, sizeof y) != 0);
  pass.step = 8;
  run(&b, pass, MOST, 0, other);
  CHECK(memcmp(other, y, sizeof y) != 0);
  pass.training = false;
  run(&b, pass, 50, 0, other);
  for (int i = 0; i < 50 * ROWS * WIDTH; ++i) CHECK(other[i] == 1);
  trm_tape_destroy(&b.tape);
  trm_params_destroy(&b.params);
  return check_verdict();
}
