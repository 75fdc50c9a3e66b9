/* What an update costs beside the pass that makes its gradient, for each optimizer.
 *
 *   bench_update [THREADS [ROUNDS]]             default: 1 9
 *
 * The small decoder (4 layers, 4 heads, width 128; 12 sequences of 64 of 65 characters) and a network of
 * 784-128-128-10 on 128 images, on one rank. In each round every optimizer in turn makes a pass forwards
 * and backwards and an update. Times are the processor's, of all threads, so that what else the machine
 * does counts little. Printed of an update: ms (least / median / greatest of the rounds), its share of
 * pass and update together, and GB/s, where the gradient is read, weights and states are read and
 * written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/threads.h"
#include "trireme/model/model.h"
#include "trireme/optim/optim.h"
#include "trireme/train/keys.h"

enum { MOST_ROUNDS = 99, SEQUENCES = 12, LENGTH = 64, VOCABULARY = 65, IMAGES = 128 };
enum { PIXELS = 28 * 28, CLASSES = 10 };

static const char *const optimizers[] = {"adamw",   "adam", "sgd",  "rmsprop",
                                         "adagrad", "lion", "lamb", "muon"};
enum { N_OPTIMIZERS = sizeof optimizers / sizeof optimizers[0] };

/* A model, what it is given, and one optimizer of it. */
typedef struct subject {
  trm_config *config;
  trm_params *params;
  trm_model *model;
  trm_tape *tape;
  trm_optimizer *optimizer;
  trm_real *grads; /* [n_elements] */
  double pass_s[MOST_ROUNDS], update_s[MOST_ROUNDS];
} subject;

/* ---- what models are given ------------------------------------------------------------------- */

static int32_t tokens_in[SEQUENCES * LENGTH], tokens_out[SEQUENCES * LENGTH], classes[IMAGES];
static float pixels[IMAGES * PIXELS];
static const float one = 1, zero = 0;
static const trm_tokens tokens = {SEQUENCES, LENGTH, tokens_in, tokens_out};
static const trm_sample_batch samples = {
    .n = IMAGES,
    .values = {.n_dims = 3, .dims = {28, 28, 1}, .values = pixels, .scale = &one, .shift = &zero},
    .targets = classes};

static void draw(void) {
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_TEST, 0, 0);
  for (int i = 0; i < SEQUENCES * LENGTH; ++i) {
    tokens_in[i] = (int32_t)trm_random_below(key, 0, (uint64_t)i, VOCABULARY);
    tokens_out[i] = (int32_t)trm_random_below(key, 1, (uint64_t)i, VOCABULARY);
  }
  for (int i = 0; i < IMAGES; ++i) {
    classes[i] = (int32_t)trm_random_below(key, 2, (uint64_t)i, CLASSES);
  }
  for (int i = 0; i < IMAGES * PIXELS; ++i) {
    pixels[i] = (float)trm_random_uniform(key, 3, (uint64_t)i);
  }
}

typedef struct kind {
  const char *name, *model; /* keys with spaces between them */
  trm_model_dims dims;
  trm_batch batch;
  double count; /* samples that a pass adds up */
} kind;

static const kind kinds[] = {
    {"small decoder",
     "model.kind=decoder model.layers=4 model.heads=4 model.width=128 model.context=64",
     {.n_outputs = VOCABULARY},
     {.tokens = &tokens},
     SEQUENCES *LENGTH},
    {"mlp 784-128-128-10",
     "model.kind=mlp model.widths=128,128 model.dropout=0 model.input_dropout=0",
     {.n_outputs = CLASSES, .n_value_dims = 3, .value_dims = {28, 28, 1}},
     {.samples = &samples},
     IMAGES},
};

/* ---- passes and updates ---------------------------------------------------------------------- */

static trm_status set_keys(trm_config *config, const char *words) {
  char text[256], *rest = text;
  (void)snprintf(text, sizeof text, "%s", words);
  for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
    TRM_TRY(trm_config_set(config, word));
  }
  return TRM_OK;
}

static trm_status run_pass(subject *s, const kind *k, bool dry, int64_t step) {
  const trm_pass pass = {
      .training = true, .dry = dry, .seed = 1, .step = step, .grads = s->grads, .weight = k->count};
  trm_tape_begin(s->tape, &pass);
  trm_var *loss = trm_model_loss(s->model, s->tape, &k->batch);
  trm_tape_backward(s->tape, loss, NULL, NULL, NULL);
  return trm_tape_status(s->tape);
}

static trm_status open_subject(subject *s, const kind *k, const char *optimizer) {
  char words[256];
  (void)snprintf(words, sizeof words,
                 "%s optimizer.name=%s optimizer.lr=1e-5 schedule.name=constant "
                 "schedule.warmup_steps=0",
                 k->model, optimizer);
  TRM_TRY(trm_program_config(&s->config));
  TRM_TRY(set_keys(s->config, words));
  TRM_TRY(trm_params_create(&s->params));
  TRM_TRY(trm_model_create(s->config, &k->dims, s->params, &s->model));
  TRM_TRY(trm_tape_create(s->params, &s->tape));
  TRM_TRY(TRM_ALLOC(&s->grads, s->params->n_elements, "gradients"));
  trm_params_init(s->params, 1);
  TRM_TRY(trm_optimizer_create(s->config, s->params, &s->optimizer));
  TRM_TRY(run_pass(s, k, true, 0));
  return trm_tape_reserve(s->tape);
}

static void close_subject(subject *s) {
  trm_optimizer_destroy(&s->optimizer);
  TRM_FREE(s->grads);
  trm_tape_destroy(&s->tape);
  trm_model_destroy(&s->model);
  trm_params_destroy(&s->params);
  trm_config_destroy(&s->config);
}

/* Processor time of all threads. */
static double cpu_s(void) {
  struct timespec t;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0) return 0;
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Round -1 touches memory and is not counted. */
static trm_status one_round(subject *s, const kind *k, int round) {
  trm_step_info info;
  const double start_s = cpu_s();
  TRM_TRY(run_pass(s, k, false, round + 1));
  const double middle_s = cpu_s();
  trm_optimizer_step(s->optimizer, s->grads, k->count, round + 1, &info);
  const double end_s = cpu_s();
  if (!info.finite) return trm_fail(TRM_ERR_INTERNAL, "a gradient is not finite");
  if (round < 0) return TRM_OK;
  s->pass_s[round] = middle_s - start_s;
  s->update_s[round] = end_s - middle_s;
  return TRM_OK;
}

/* ---- what is printed ------------------------------------------------------------------------- */

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print_row(subject *s, const char *name, int n_rounds) {
  double shares[MOST_ROUNDS], *t = s->update_s;
  const double n = (double)s->params->n_elements;
  const double n_bytes = n * sizeof(trm_real) * (3 + 2 * trm_optimizer_n_states(s->optimizer));
  for (int r = 0; r < n_rounds; ++r) shares[r] = 100 * t[r] / (t[r] + s->pass_s[r]);
  qsort(shares, (size_t)n_rounds, sizeof *shares, compare);
  qsort(t, (size_t)n_rounds, sizeof *t, compare);
  const int last = n_rounds - 1, middle = n_rounds / 2;
  printf("  %-8s %7.3f / %7.3f / %7.3f ms   %5.2f / %5.2f / %5.2f %%   %6.1f GB/s\n", name,
         1e3 * t[0], 1e3 * t[middle], 1e3 * t[last], shares[0], shares[middle], shares[last],
         1e-9 * n_bytes / t[middle]);
}

static trm_status run_kind(const kind *k, int n_rounds) {
  static subject subjects[N_OPTIMIZERS];
  trm_status status = TRM_OK;
  memset(subjects, 0, sizeof subjects);
  for (int i = 0; i < N_OPTIMIZERS; ++i) TRM_TRY_OUT(open_subject(&subjects[i], k, optimizers[i]));
  for (int r = -1; r < n_rounds; ++r) {
    for (int i = 0; i < N_OPTIMIZERS; ++i) TRM_TRY_OUT(one_round(&subjects[i], k, r));
  }
  double passes[MOST_ROUNDS];
  memcpy(passes, subjects[0].pass_s, sizeof passes);
  qsort(passes, (size_t)n_rounds, sizeof *passes, compare);
  printf("%s, %lld weights: a pass takes %.2f / %.2f / %.2f ms; an update\n", k->name,
         (long long)subjects[0].params->n_weights, 1e3 * passes[0], 1e3 * passes[n_rounds / 2],
         1e3 * passes[n_rounds - 1]);
  for (int i = 0; i < N_OPTIMIZERS; ++i) print_row(&subjects[i], optimizers[i], n_rounds);
out:
  for (int i = 0; i < N_OPTIMIZERS; ++i) close_subject(&subjects[i]);
  return status;
}

int main(int argc, char **argv) {
  const int n_threads = argc > 1 ? atoi(argv[1]) : 1, n_rounds = argc > 2 ? atoi(argv[2]) : 9;
  if (n_threads < 1 || n_rounds < 1 || n_rounds > MOST_ROUNDS) {
    fprintf(stderr, "usage: bench_update [THREADS [ROUNDS]], with 1 to %d rounds\n", MOST_ROUNDS);
    return 64;
  }
  trm_math_init();
  trm_threads_set(n_threads);
  draw();
  printf("%s, %d thread%s, %d rounds\n", trm_math_isa(), trm_threads_get(),
         trm_threads_get() == 1 ? "" : "s", n_rounds);
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
    if (run_kind(&kinds[i], n_rounds) == TRM_OK) continue;
    fprintf(stderr, "error: %s\n", trm_message());
    return 1;
  }
  return 0;
}
