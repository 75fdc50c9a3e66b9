#include "continuation.h"

#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

/* Logits of the next token. */
static trm_var *logits_of(const trm_continuation_reader *r, const trm_step_batch *step) {
  trm_tape *tape = r->learner->tape;
  trm_var *x = trm_model_step(r->learner->model, tape, step);
  return trm_op_linear(tape, x, trm_model_head(r->learner->model, tape), NULL);
}

/* The step that reads tokens[n] at places from r->n_kept on. */
static trm_step_batch step_of(trm_continuation_reader *r, const int32_t *tokens, int64_t n,
                              const int32_t *last) {
  const int64_t n_keys = r->n_kept + n;
  r->keys = trm_sequences_equal(1, n_keys);
  trm_kept_rows_point(&r->kept, r->places + r->n_kept, &r->keys, NULL);
  return (trm_step_batch){.fresh = trm_sequences_equal(1, n),
                          .tokens = tokens,
                          .places = r->places + r->n_kept,
                          .last = last,
                          .self = r->kept.kept};
}

trm_status trm_continuation_begin(trm_learner *learner, trm_continuation_reader *r) {
  const trm_kept_sizes sizes = trm_model_kept(learner->model);
  *r = (trm_continuation_reader){.learner = learner, .context = sizes.context};
  TRM_TRY(trm_kept_rows_create(&sizes, sizes.context, &r->kept));
  TRM_TRY(TRM_ALLOC(&r->places, sizes.context, "places of tokens"));
  for (int64_t i = 0; i < sizes.context; ++i) r->places[i] = (int32_t)i;
  const trm_pass pass = {.dry = true, .bounds = true, .weights_use = TRM_WEIGHTS_FIRST};
  const trm_step_batch most = step_of(r, r->places, sizes.context, r->places);
  trm_tape_begin(learner->tape, &pass);
  (void)logits_of(r, &most);
  return trm_tape_status(learner->tape);
}

void trm_continuation_free(trm_continuation_reader *r) {
  trm_kept_rows_free(&r->kept);
  TRM_FREE(r->places);
}

trm_status trm_continuation_read(trm_continuation_reader *r, const int32_t *text, int64_t n,
                                 const trm_real **logits) {
  trm_tape *tape = r->learner->tape;
  if (n - r->first > r->context) { /* the newer half, as far as there are two */
    r->first = n - (r->context + 1) / 2;
    r->n_kept = 0;
  }
  const int64_t n_new = n - r->first - r->n_kept;
  const int32_t last = (int32_t)(n_new - 1);
  const trm_step_batch step = step_of(r, text + r->first + r->n_kept, n_new, &last);
  const trm_pass pass = {.weights_use = r->begun ? TRM_WEIGHTS_SAME : TRM_WEIGHTS_FIRST};
  trm_tape_begin(tape, &pass);
  const trm_var *y = logits_of(r, &step);
  TRM_TRY(trm_tape_status(tape));
  r->n_kept += n_new;
  r->begun = true;
  *logits = y->data;
  return TRM_OK;
}
