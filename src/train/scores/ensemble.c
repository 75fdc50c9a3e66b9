#include "ensemble.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "trireme/comm/reducer.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"
#include "trireme/input/subset.h"

void trm_ensemble_free(trm_ensemble *e) {
  TRM_FREE(e->sums);
  TRM_FREE(e->votes);
  TRM_FREE(e->squares);
  TRM_FREE(e->counts);
  TRM_FREE(e->logits);
  TRM_FREE(e->values);
  TRM_FREE(e->ids);
  for (int q = 0; q < TRM_MAX_QUESTIONS; ++q) {
    for (int i = 0; i < e->answers[q].n; ++i) TRM_FREE(e->answers[q].voices[i].rows);
  }
}

bool trm_ensemble_full(const trm_ensemble *e) {
  return e->n_added == e->n_members;
}

/* ---- members --------------------------------------------------------------------------------- */

static trm_status take_room(trm_ensemble *e, int64_t n, int64_t C, bool numbers, uint64_t hash) {
  e->n = n;
  e->C = C;
  e->numbers = numbers;
  e->samples_hash = hash;
  TRM_TRY(TRM_ALLOC(&e->sums, n * C, "predictions of an ensemble"));
  TRM_TRY(TRM_ALLOC(&e->counts, n, "predictions of an ensemble"));
  if (e->parts) TRM_TRY(TRM_ALLOC(&e->squares, n * C, "predictions of an ensemble"));
  if (numbers) return TRM_OK;
  return e->vote ? TRM_ALLOC(&e->votes, n * C, "votes of an ensemble") : TRM_OK;
}

/* Which samples are scored; whether a member measured the training part too does not matter. */
static uint64_t hash_subsets(const int8_t *subsets, int64_t n, uint64_t hash) {
  for (int64_t i = 0; subsets && i < n; ++i) {
    const int8_t scored = (int8_t)(subsets[i] & ~(1 << TRM_SUBSET_TRAIN));
    hash = trm_hash64(&scored, sizeof scored, hash);
  }
  return hash;
}

/* The first member says what the others must have too. */
static trm_status check_member(trm_ensemble *e, int64_t n, int64_t C, bool numbers, uint64_t hash) {
  if (numbers && e->vote && !e->parts) {
    return trm_fail(TRM_ERR_USAGE, "--vote: models of numbers do not vote; leave it away");
  }
  if (e->answers[0].n > 0) {
    return trm_fail(TRM_ERR_DATA,
                    "member %d of the ensemble says %s, the first one ranks; leave it out",
                    e->n_added + 1, numbers ? "numbers" : "classes");
  }
  if (e->n_added == 0) return take_room(e, n, C, numbers, hash);
  if (e->numbers != numbers || e->C != C) {
    return trm_fail(TRM_ERR_DATA,
                    "member %d of the ensemble says %s of %lld values, the first one %s of %lld; "
                    "leave it out",
                    e->n_added + 1, numbers ? "numbers" : "classes", (long long)C,
                    e->numbers ? "numbers" : "classes", (long long)e->C);
  }
  if (e->n == n && e->samples_hash == hash) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "member %d of the ensemble has other samples, parts (data.split) or classes than "
                  "the first one; give --data, or leave it out",
                  e->n_added + 1);
}

static uint64_t hash_of(const void *data, int64_t bytes, uint64_t seed) {
  return data ? trm_hash64(data, (size_t)bytes, seed) : seed;
}

static uint64_t hash_names(const trm_classes *known, uint64_t seed) {
  if (!known || known->names.n == 0) return seed;
  const trm_texts *t = &known->names;
  seed = hash_of(t->offsets, (t->n + 1) * (int64_t)sizeof *t->offsets, seed);
  return hash_of(t->bytes, t->offsets[t->n], seed);
}

/* Adds what all ranks say of their samples: rows[n, C + 1], whose last column says that there is one. */
static trm_status add_rows(const trm_task *task, double *rows) {
  trm_ensemble *e = task->ensemble;
  const int64_t C = e->C;
  TRM_TRY(trm_comm_sum_f64(task->comm, rows, e->n * (C + 1)));
  for (int64_t i = 0; i < e->n; ++i) {
    const double *row = rows + i * (C + 1);
    int64_t most = 0;
    if (row[C] == 0) continue;
    e->counts[i] += 1;
    for (int64_t c = 0; c < C; ++c) {
      e->sums[i * C + c] += row[c];
      if (e->squares) e->squares[i * C + c] += row[c] * row[c];
      if (row[c] > row[most]) most = c;
    }
    if (e->votes) e->votes[i * C + most] += 1;
  }
  ++e->n_added;
  return TRM_OK;
}

/* Room for the own samples of the whole, dealt anew: *n of them, those that members said something of. */
static trm_status deal(const trm_task *task, int64_t *n) {
  trm_ensemble *e = task->ensemble;
  int64_t first, n_own;
  trm_block_range(e->n, trm_comm_rank(task->comm), trm_comm_size(task->comm), &first, &n_own);
  *n = 0;
  TRM_TRY(TRM_ALLOC(&e->ids, n_own, "predictions of an ensemble"));
  for (int64_t i = first; i < first + n_own; ++i) {
    if (e->counts[i] > 0) e->ids[(*n)++] = (int32_t)i;
  }
  if (e->numbers) return TRM_ALLOC(&e->values, *n, "predictions of an ensemble");
  return TRM_ALLOC(&e->logits, *n * e->C, "predictions of an ensemble");
}

/* Which part the bias and variance are of: the test part, without one the validation part. */
static trm_subset measured(const int8_t *subsets, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    if (subsets[i] >> TRM_SUBSET_TEST & 1) return TRM_SUBSET_TEST;
  }
  return TRM_SUBSET_VALID;
}

/* Of sample i, as the parts of the loss need it. */
static trm_spoken spoken_of(const trm_ensemble *e, int64_t i) {
  return (trm_spoken){.n_models = e->counts[i],
                      .n_values = e->C,
                      .sums = e->sums + i * e->C,
                      .squares = e->squares + i * e->C,
                      .votes = e->votes ? e->votes + i * e->C : NULL};
}

/* ---- classes --------------------------------------------------------------------------------- */

/* A member whose outputs are not finite says nothing of the sample. */
static void put_probabilities(const float *logits, int64_t C, double *row) {
  for (int64_t c = 0; c < C; ++c) {
    if (!isfinite(logits[c])) return;
  }
  double most = (double)logits[0], sum = 0;
  for (int64_t c = 1; c < C; ++c) most = (double)logits[c] > most ? (double)logits[c] : most;
  for (int64_t c = 0; c < C; ++c) sum += row[c] = exp((double)logits[c] - most);
  for (int64_t c = 0; c < C; ++c) row[c] /= sum;
  row[C] = 1;
}

/* Of sample i and class c, in the whole. With votes they count, and half a vote is the mean probability,
 * which decides between equal ones. */
static double probability(const trm_ensemble *e, int64_t i, int64_t c) {
  const double mean = e->sums[i * e->C + c] / e->counts[i];
  return e->votes ? (e->votes[i * e->C + c] + mean / 2) / (e->counts[i] + 0.5) : mean;
}

/* Mean cross-entropy over the validation part, in the order of samples. */
static void measure(trm_ensemble *e, const trm_class_rows *rows) {
  double sum = 0;
  int64_t n = 0;
  for (int64_t i = 0; rows->labels && i < e->n; ++i) {
    if (!(rows->subsets[i] >> TRM_SUBSET_VALID & 1) || rows->labels[i] < 0) continue;
    if (e->counts[i] == 0) continue;
    sum -= log(fmax(probability(e, i, rows->labels[i]), DBL_MIN));
    ++n;
  }
  e->whole.loss = n > 0 ? sum / (double)n : (double)NAN;
  e->whole.count = n;
}

static trm_status join_classes(const trm_task *task, const trm_class_rows *rows,
                               trm_class_rows *whole) {
  trm_ensemble *e = task->ensemble;
  int64_t n;
  TRM_TRY(trm_comm_agree(task->comm, deal(task, &n)));
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t c = 0; c < e->C; ++c) {
      e->logits[k * e->C + c] = (float)log(fmax(probability(e, e->ids[k], c), DBL_MIN));
    }
  }
  measure(e, rows);
  if (e->parts) {
    const trm_subset subset = measured(rows->subsets, e->n);
    e->parts->test = subset == TRM_SUBSET_TEST;
    for (int64_t i = 0; i < e->n; ++i) {
      if (!(rows->subsets[i] >> subset & 1) || rows->labels[i] < 0 || e->counts[i] == 0) continue;
      const trm_spoken spoken = spoken_of(e, i);
      trm_bias_variance_add_class(e->parts, &spoken, rows->labels[i]);
    }
  }
  *whole = *rows;
  whole->logits = e->logits;
  whole->ids = e->ids;
  whole->n = n;
  return TRM_OK;
}

trm_status trm_ensemble_add_classes(const trm_task *task, const trm_classes *known,
                                    const trm_class_rows *rows, trm_class_rows *whole) {
  trm_ensemble *e = task->ensemble;
  const int64_t C = rows->n_classes, n = rows->n_samples;
  double *all = NULL;
  uint64_t hash = hash_of(rows->labels, n * (int64_t)sizeof *rows->labels, 0);
  hash = hash_names(known, hash_subsets(rows->subsets, n, hash));
  trm_status status = check_member(e, n, C, false, hash);
  if (status == TRM_OK) status = TRM_ALLOC(&all, n * (C + 1), "predictions of an ensemble");
  TRM_TRY_OUT(trm_comm_agree(task->comm, status));
  for (int64_t i = 0; i < rows->n; ++i) {
    put_probabilities(rows->logits + i * C, C, all + rows->ids[i] * (C + 1));
  }
  TRM_TRY_OUT(add_rows(task, all));
  if (trm_ensemble_full(e)) TRM_TRY_OUT(join_classes(task, rows, whole));
out:
  TRM_FREE(all);
  return status;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static trm_status join_numbers(const trm_task *task, const trm_number_rows *rows,
                               trm_number_rows *whole) {
  trm_ensemble *e = task->ensemble;
  int64_t n;
  TRM_TRY(trm_comm_agree(task->comm, deal(task, &n)));
  for (int64_t k = 0; k < n; ++k) e->values[k] = e->sums[e->ids[k]] / e->counts[e->ids[k]];
  if (e->parts) {
    const trm_subset subset = measured(rows->subsets, e->n);
    e->parts->test = subset == TRM_SUBSET_TEST;
    for (int64_t i = 0; i < e->n; ++i) {
      if (!(rows->subsets[i] >> subset & 1) || isnan(rows->targets[i]) || e->counts[i] == 0)
        continue;
      const trm_spoken spoken = spoken_of(e, i);
      trm_bias_variance_add_number(e->parts, &spoken, (double)rows->targets[i]);
    }
  }
  e->whole.loss = (double)NAN; /* members measure theirs in units of their own */
  *whole = *rows;
  whole->values = e->values;
  whole->ids = e->ids;
  whole->n = n;
  return TRM_OK;
}

trm_status trm_ensemble_add_numbers(const trm_task *task, const trm_number_rows *rows,
                                    trm_number_rows *whole) {
  trm_ensemble *e = task->ensemble;
  const int64_t n = rows->n_samples;
  double *all = NULL;
  uint64_t hash = hash_of(rows->targets, n * (int64_t)sizeof *rows->targets, 0);
  hash = hash_subsets(rows->subsets, n, hash);
  trm_status status = check_member(e, n, 1, true, hash);
  if (status == TRM_OK) status = TRM_ALLOC(&all, 2 * n, "predictions of an ensemble");
  TRM_TRY_OUT(trm_comm_agree(task->comm, status));
  for (int64_t i = 0; i < rows->n; ++i) {
    all[2 * rows->ids[i]] = rows->values[i];
    all[2 * rows->ids[i] + 1] = 1;
  }
  TRM_TRY_OUT(add_rows(task, all));
  if (trm_ensemble_full(e)) TRM_TRY_OUT(join_numbers(task, rows, whole));
out:
  TRM_FREE(all);
  return status;
}

/* ---- rankings -------------------------------------------------------------------------------- */

static trm_status check_question(const trm_answers *a, const trm_question *q) {
  const trm_question *first = &a->question;
  const int member = a->n + 1;
  if (first->digest != q->digest || first->n_facts != q->n_facts) {
    return trm_fail(TRM_ERR_DATA,
                    "member %d of the ensemble has another data set (%s) than the first one; give "
                    "--data, or leave it out",
                    member, q->data);
  }
  for (int i = 0; i < q->n_facts; ++i) {
    if (first->facts[i].value == q->facts[i].value) continue;
    return trm_fail(
        TRM_ERR_DATA, "member %d of the ensemble has %s %lld, the first one %lld; leave it out",
        member, q->facts[i].key, (long long)q->facts[i].value, (long long)first->facts[i].value);
  }
  return TRM_OK;
}

/* Question 0 is that with which a member begins. */
static trm_status check_voice(const trm_ensemble *e, int number, const trm_question *question) {
  const trm_answers *a = &e->answers[number];
  if (e->vote) {
    return trm_fail(TRM_ERR_USAGE, "--vote: models that rank do not vote; leave it away");
  }
  if (e->n_added > 0 && e->answers[0].n == 0) {
    return trm_fail(TRM_ERR_DATA,
                    "member %d of the ensemble ranks, the first one says %s; leave it out",
                    e->n_added + 1, e->numbers ? "numbers" : "classes");
  }
  return a->n > 0 ? check_question(a, question) : TRM_OK;
}

trm_status trm_ensemble_add_voice(const trm_task *task, int number, const trm_question *question,
                                  const trm_voice *voice, int64_t n, const trm_answers **all) {
  trm_ensemble *e = task->ensemble;
  trm_answers *a = &e->answers[number];
  float *rows = NULL;
  *all = NULL;
  if (e->parts) return TRM_OK;
  trm_status status = check_voice(e, number, question);
  if (status == TRM_OK) status = TRM_ALLOC(&rows, n * voice->width, "rows of an ensemble");
  status = trm_comm_agree(task->comm, status);
  if (status != TRM_OK) {
    TRM_FREE(rows);
    return status;
  }
  memcpy(rows, voice->rows, (size_t)(n * voice->width) * sizeof *rows);
  if (a->n == 0) a->question = *question;
  a->voices[a->n++] = (trm_voice){.rows = rows, .width = voice->width};
  e->n_added = e->answers[0].n;
  if (a->n == e->n_members) *all = a;
  return TRM_OK;
}
