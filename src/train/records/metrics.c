#include "metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "table.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/io/events.h"

/* Scores of the task follow; zero_share stands there where weights shrink to zeros. */
static const char header[] =
    "step,loss,valid_loss,%slr,grad_norm,%ss_per_s,step_s,exposed_comm_s,"
    "slow_rank,slow_share,elapsed_s,peak_rss_mb,event,%sweights_hash,samples_hash";

struct trm_metrics {
  trm_log *log;
  trm_step_table rows;   /* metrics.csv */
  trm_step_table hashes; /* hashes.csv: every step's, for verify and bisect */
  trm_events *events;    /* NULL without TensorBoard */
  int64_t first_step, n_steps, log_every;
  double start_s;       /* of this start, monotonic */
  double before_s;      /* what earlier starts of the run took, up to the step it goes on from */
  double last_plain_s;  /* when the last plain progress line was written */
  int64_t n_evals_said; /* evaluations that had a line on the terminal, */
  double last_eval_s;   /* the last one when */
  double last_rate;     /* units a second between the last two rows, 0: none yet */
  const trm_task *task;
  const trm_optimizer *optimizer; /* NULL: no weights shrink to zeros */
  char rate_name[48];             /* m->rate_name */
  /* Since the last row. */
  int64_t window_units;
  double window_s, window_exposed_s;
  int64_t window_steps;
};

static void make_header(const trm_task *task, bool zeros, char *columns, size_t size) {
  int at = snprintf(columns, size, header, task->train_loss ? "train_loss," : "", task->unit,
                    zeros ? "zero_share," : "");
  for (int i = 0; i < task->n_scores; ++i) {
    at += snprintf(columns + at, size - (size_t)at, ",%s", task->scores[i]);
  }
}

/* The end of a row that has no scores. */
static trm_status end_row(trm_metrics *m) {
  for (int i = 0; i < m->task->n_scores; ++i) TRM_TRY(trm_step_table_put(&m->rows, ","));
  return trm_step_table_put(&m->rows, "\n");
}

trm_status trm_metrics_open(const trm_metrics_options *options, trm_log *log, trm_metrics **out) {
  trm_status status = TRM_OK;
  trm_metrics *m = NULL;
  TRM_TRY(TRM_ALLOC(&m, 1, "metrics"));
  m->log = log;
  m->first_step = options->first_step;
  m->n_steps = options->n_steps;
  m->log_every = options->log_every;
  m->task = options->task;
  m->optimizer = trm_optimizer_makes_zeros(options->optimizer) ? options->optimizer : NULL;
  (void)snprintf(m->rate_name, sizeof m->rate_name, "speed/%ss_per_s", m->task->unit);
  m->start_s = m->last_plain_s = trm_clock_s();
  char columns[1024];
  make_header(options->task, m->optimizer, columns, sizeof columns);
  TRM_TRY_OUT(trm_step_table_open(&m->rows, options->folder, "metrics.csv", columns,
                                  options->first_step, options->evaluated));
  TRM_TRY_OUT(trm_step_table_last(&m->rows, columns, "elapsed_s", &m->before_s));
  TRM_TRY_OUT(trm_step_table_open(&m->hashes, options->folder, "hashes.csv",
                                  "step,weights_hash,samples_hash", options->first_step, true));
  if (options->tensorboard) {
    TRM_TRY_OUT(trm_events_open(options->folder, options->first_step, &m->events));
  }
  *out = m;
  return TRM_OK;
out:
  (void)trm_step_table_close(&m->rows);
  (void)trm_step_table_close(&m->hashes);
  TRM_FREE(m);
  return status;
}

/* Seconds of the run, this start and those before it. */
static double elapsed_s(const trm_metrics *m) {
  return m->before_s + trm_process_age_s();
}

static double peak_mb(void) {
  return (double)trm_peak_resident_bytes() / 1e6;
}

static trm_status show_progress(trm_metrics *m, const trm_step_record *r) {
  const double now = trm_clock_s();
  const double elapsed = now - m->start_s;
  const double per_step = elapsed / (double)(r->step - m->first_step);
  char left[32], step[32], steps[32], rate[32];
  trm_format_duration(per_step * (double)(m->n_steps - r->step), left);
  trm_format_count(r->step, step);
  trm_format_count(m->n_steps, steps);
  trm_format_count((long long)(m->last_rate > 0 ? m->last_rate : (double)r->units / r->step_s),
                   rate);
  /* Plain lines (file, job log): often enough to see it live, seldom enough to read. */
  const bool keep = now - m->last_plain_s >= 10 || r->step == m->n_steps;
  if (keep) m->last_plain_s = now;
  trm_log_progress(m->log, keep, "step %s/%s  loss %.4f  %s %ss/s  lr %.2e  %s left", step, steps,
                   r->loss, rate, m->task->unit, r->lr, left);
  return TRM_OK;
}

static bool wants_row(const trm_metrics *m, int64_t step) {
  return step % m->log_every == 0 || step == m->n_steps || step == m->first_step + 1;
}

trm_status trm_metrics_step(trm_metrics *m, const trm_step_record *r) {
  m->window_units += r->units;
  m->window_s += r->step_s;
  m->window_exposed_s += r->exposed_s;
  ++m->window_steps;
  TRM_TRY(show_progress(m, r));
  TRM_TRY(trm_step_table_put(&m->hashes, "%lld,%016" PRIx64 ",%016" PRIx64 "\n", (long long)r->step,
                             r->weights_hash, r->samples_hash));
  if (!wants_row(m, r->step)) return TRM_OK;
  TRM_TRY(trm_step_table_flush(&m->hashes));
  const double rate = (double)m->window_units / m->window_s;
  const double n = (double)m->window_steps;
  m->last_rate = rate;
  const double zeros = m->optimizer ? trm_optimizer_zero_share(m->optimizer) : 0;
  char slow[48] = ",";
  if (r->slow_rank >= 0) {
    (void)snprintf(slow, sizeof slow, "%d,%.3f", r->slow_rank, r->slow_share);
  }
  TRM_TRY(trm_step_table_put(&m->rows, "%lld,%.9g,,%s%.9g,%.9g,%.6g,%.6g,%.6g,%s,%.6g,%.6g,,",
                             (long long)r->step, r->loss, m->task->train_loss ? "," : "", r->lr,
                             r->grad_norm, rate, m->window_s / n, m->window_exposed_s / n, slow,
                             elapsed_s(m), peak_mb()));
  if (m->optimizer) TRM_TRY(trm_step_table_put(&m->rows, "%.6g,", zeros));
  TRM_TRY(
      trm_step_table_put(&m->rows, "%016" PRIx64 ",%016" PRIx64, r->weights_hash, r->samples_hash));
  TRM_TRY(end_row(m));
  TRM_TRY(trm_step_table_flush(&m->rows));
  m->window_units = m->window_steps = 0;
  m->window_s = m->window_exposed_s = 0;
  if (!m->events) return TRM_OK;
  TRM_TRY(trm_events_scalar(m->events, r->step, "train/loss", r->loss));
  TRM_TRY(trm_events_scalar(m->events, r->step, "train/lr", r->lr));
  TRM_TRY(trm_events_scalar(m->events, r->step, "train/grad_norm", r->grad_norm));
  TRM_TRY(trm_events_scalar(m->events, r->step, m->rate_name, rate));
  if (m->optimizer) TRM_TRY(trm_events_scalar(m->events, r->step, "train/zero_share", zeros));
  return trm_events_flush(m->events);
}

/* Errors of numbers may be of any size. */
static void add_score(char *text, size_t size, const char *name, double value) {
  const size_t at = strlen(text);
  (void)snprintf(text + at, size - at, fabs(value) < 1e6 ? "  %s %.4f" : "  %s %.6g", name, value);
}

enum { FIRST_EVALS = 10, EVAL_LINES_S = 10 };

static void say_evaluation(trm_metrics *m, const trm_evaluation *e, bool best) {
  char count[32], text[1024] = "";
  trm_format_count(e->step, count);
  for (int i = 0; i < e->n_scores; ++i) {
    if (strncmp(e->scores[i].name, "train_", 6) == 0 || isnan(e->scores[i].value)) continue;
    add_score(text, sizeof text, e->scores[i].name, e->scores[i].value);
  }
  if (e->n_scores == 0) (void)snprintf(text, sizeof text, "  perplexity %.3f", exp(e->loss));
  char loss[48] = "";
  char train[48] = "";
  if (e->count > 0) (void)snprintf(loss, sizeof loss, "  %s loss %.4f", e->subset, e->loss);
  if (m->task->train_loss) (void)snprintf(train, sizeof train, "  train loss %.4f", e->train_loss);
  /* Of many evaluations the terminal gets a line now and then; log.txt and metrics.csv have all. */
  const double now = trm_clock_s();
  const bool due = m->n_evals_said < FIRST_EVALS || now - m->last_eval_s >= EVAL_LINES_S ||
                   e->step == m->n_steps;
  if (!due) {
    trm_log_note(m->log, "step %s%s%s%s%s", count, loss, train, text, best ? "  (best)" : "");
    return;
  }
  ++m->n_evals_said;
  m->last_eval_s = now;
  trm_log_line(m->log, "step %s%s%s%s%s", count, loss, train, text, best ? "  (best)" : "");
}

/* "valid_macro_f1" is "valid/macro_f1": all curves of a part stand together in TensorBoard. */
static void make_tag(const char *score, char tag[TRM_SCORE_BYTES]) {
  (void)snprintf(tag, TRM_SCORE_BYTES, "%s", score);
  char *underscore = strchr(tag, '_');
  if (underscore) *underscore = '/';
}

trm_status trm_metrics_eval(trm_metrics *m, const trm_evaluation *e, bool best) {
  say_evaluation(m, e, best);
  TRM_TRY(trm_step_table_put(&m->rows, "%lld,,%.9g,", (long long)e->step, e->loss));
  if (m->task->train_loss) TRM_TRY(trm_step_table_put(&m->rows, "%.9g,", e->train_loss));
  TRM_TRY(trm_step_table_put(&m->rows, ",,,,,,,%.6g,%.6g,,%s,", elapsed_s(m), peak_mb(),
                             m->optimizer ? "," : ""));
  for (int i = 0; i < e->n_scores; ++i) {
    TRM_TRY(trm_step_table_put(&m->rows, ",%.9g", e->scores[i].value));
  }
  TRM_TRY(trm_step_table_put(&m->rows, "\n"));
  TRM_TRY(trm_step_table_flush(&m->rows));
  if (!m->events) return TRM_OK;
  TRM_TRY(trm_events_scalar(m->events, e->step, "valid/loss", e->loss));
  if (m->task->train_loss) {
    TRM_TRY(trm_events_scalar(m->events, e->step, "train/evaluated_loss", e->train_loss));
  }
  for (int i = 0; i < e->n_scores; ++i) {
    char tag[TRM_SCORE_BYTES];
    make_tag(e->scores[i].name, tag);
    TRM_TRY(trm_events_scalar(m->events, e->step, tag, e->scores[i].value));
  }
  return trm_events_flush(m->events);
}

trm_status trm_metrics_event(trm_metrics *m, int64_t step, const char *event) {
  TRM_ASSERT(!strchr(event, ','));
  TRM_TRY(trm_step_table_put(&m->rows, "%lld,,,%s,,,,,,,%.6g,%.6g,%s,%s,", (long long)step,
                             m->task->train_loss ? "," : "", elapsed_s(m), peak_mb(), event,
                             m->optimizer ? "," : ""));
  TRM_TRY(end_row(m));
  return trm_step_table_flush(&m->rows);
}

trm_status trm_metrics_scalar(trm_metrics *m, int64_t step, const char *name, double value) {
  return m->events ? trm_events_scalar(m->events, step, name, value) : TRM_OK;
}

trm_status trm_metrics_flush(trm_metrics *m) {
  TRM_TRY(trm_step_table_flush(&m->hashes));
  return trm_step_table_flush(&m->rows);
}

trm_status trm_metrics_close(trm_metrics **metrics) {
  trm_metrics *m = *metrics;
  if (!m) return TRM_OK;
  trm_status status = trm_step_table_close(&m->rows);
  const trm_status hashes = trm_step_table_close(&m->hashes);
  if (status == TRM_OK) status = hashes;
  const trm_status events = trm_events_close(&m->events);
  if (status == TRM_OK) status = events;
  TRM_FREE(*metrics);
  return status;
}
