#include "findings.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text_file.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"

trm_status trm_findings_create(trm_findings **out) {
  return TRM_ALLOC(out, 1, "findings of evaluations");
}

void trm_findings_begin(trm_findings *findings) {
  TRM_FREE(findings->confusion);
  findings->n_classes = 0;
  findings->n_mistakes = findings->n_texts = 0;
}

void trm_findings_destroy(trm_findings **findings) {
  if (*findings) trm_findings_begin(*findings);
  TRM_FREE(*findings);
}

/* ---- classes --------------------------------------------------------------------------------- */

double trm_class_confidence(const float *logits, int64_t C, int32_t predicted) {
  double sum = 0;
  for (int64_t c = 0; c < C; ++c) sum += exp((double)logits[c] - (double)logits[predicted]);
  return 1 / sum;
}

static bool is_in(const trm_findings_rows *rows, int64_t i, int subset) {
  const int32_t id = rows->ids[i];
  return (rows->subsets[id] >> subset & 1) && rows->labels[id] >= 0 && rows->predicted[i] >= 0;
}

static void count(const trm_findings_rows *rows, double *confusion) {
  const int64_t C = rows->n_classes;
  for (int s = 0; s < TRM_N_SUBSETS; ++s) {
    for (int64_t i = 0; i < rows->n; ++i) {
      if (!is_in(rows, i, s)) continue;
      ++confusion[(s * C + rows->labels[rows->ids[i]]) * C + rows->predicted[i]];
    }
  }
}

/* The surest first; of equally sure ones the first sample. */
static int by_sureness(const void *a, const void *b) {
  const trm_mistake *x = a, *y = b;
  if (x->probability != y->probability) return x->probability < y->probability ? 1 : -1;
  return (x->sample > y->sample) - (x->sample < y->sample);
}

/* The surest mistakes of one rank, into found[TRM_FINDINGS_MISTAKES]. */
static void find_own(const trm_findings_rows *rows, trm_subset subset, trm_mistake *found) {
  int n = 0;
  for (int64_t i = 0; i < rows->n; ++i) {
    const int32_t id = rows->ids[i];
    if (!is_in(rows, i, (int)subset) || rows->predicted[i] == rows->labels[id]) continue;
    const trm_mistake mistake = {trm_class_confidence(rows->logits + i * rows->n_classes,
                                                      rows->n_classes, rows->predicted[i]),
                                 id, rows->labels[id], rows->predicted[i]};
    int at = n < TRM_FINDINGS_MISTAKES ? n++ : n;
    while (at > 0 && by_sureness(&mistake, &found[at - 1]) < 0) {
      if (at < TRM_FINDINGS_MISTAKES) found[at] = found[at - 1];
      --at;
    }
    if (at < TRM_FINDINGS_MISTAKES) found[at] = mistake;
  }
}

static bool has_any(const trm_findings *o, trm_subset subset) {
  const int64_t n = o->n_classes * o->n_classes;
  for (int64_t i = 0; i < n; ++i) {
    if (o->confusion[(int64_t)subset * n + i] > 0) return true;
  }
  return false;
}

/* Each rank fills its own part of the array; others' are 0, so the sum is exact. */
static trm_status share_mistakes(trm_findings *o, trm_comm *comm, const trm_findings_rows *rows,
                                 trm_mistake *all) {
  const int64_t n = (int64_t)TRM_FINDINGS_MISTAKES * trm_comm_size(comm);
  find_own(rows, o->shown, all + (int64_t)TRM_FINDINGS_MISTAKES * trm_comm_rank(comm));
  TRM_TRY(trm_comm_sum_f64(comm, &all->probability, 4 * n));
  qsort(all, (size_t)n, sizeof *all, by_sureness);
  while (o->n_mistakes < TRM_FINDINGS_MISTAKES && all[o->n_mistakes].probability > 0) {
    o->mistakes[o->n_mistakes] = all[o->n_mistakes];
    ++o->n_mistakes;
  }
  return TRM_OK;
}

trm_status trm_findings_add_classes(trm_findings *o, trm_comm *comm,
                                    const trm_findings_rows *rows) {
  const int64_t C = rows->n_classes, n = TRM_N_SUBSETS * C * C;
  trm_mistake *all = NULL;
  if (C > TRM_FINDINGS_CLASSES) return TRM_OK;
  trm_findings_begin(o);
  trm_status status = TRM_ALLOC(&o->confusion, n, "confusion of classes");
  if (status == TRM_OK) {
    status = TRM_ALLOC(&all, (int64_t)TRM_FINDINGS_MISTAKES * trm_comm_size(comm), "mistakes");
  }
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  o->n_classes = C;
  count(rows, o->confusion);
  TRM_TRY_OUT(trm_comm_sum_f64(comm, o->confusion, n));
  o->shown = has_any(o, TRM_SUBSET_VALID) ? TRM_SUBSET_VALID : TRM_SUBSET_TEST;
  TRM_TRY_OUT(share_mistakes(o, comm, rows, all));
out:
  TRM_FREE(all);
  return status;
}

/* ---- files ----------------------------------------------------------------------------------- */

static void put_class(FILE *file, const trm_findings *o, int64_t class) {
  const trm_texts *names = o->class_names;
  if (names && names->n == o->n_classes) {
    trm_put_text_field(file, names, class);
  } else {
    (void)fputc('\t', file);
  }
}

/* The name of a sample, nothing where samples have none. */
static void put_sample(FILE *file, const trm_findings *o, int64_t sample) {
  if (o->names && o->names->n > 0) {
    trm_put_text_field(file, o->names, sample);
  } else {
    (void)fputc('\t', file);
  }
}

static void write_confusion(const trm_findings *o, FILE *file) {
  const int64_t C = o->n_classes;
  (void)fprintf(file, "subset\tlabel\tpredicted\tcount\tlabel_name\tpredicted_name\n");
  for (int s = 0; s < TRM_N_SUBSETS; ++s) {
    if (!has_any(o, (trm_subset)s)) continue;
    for (int64_t i = 0; i < C * C; ++i) {
      const double n = o->confusion[s * C * C + i];
      if (n == 0 && i / C != i % C) continue; /* the diagonal names every class */
      (void)fprintf(file, "%s\t%" PRId64 "\t%" PRId64 "\t%.0f", trm_subset_name((trm_subset)s),
                    i / C, i % C, n);
      put_class(file, o, i / C);
      put_class(file, o, i % C);
      (void)fputc('\n', file);
    }
  }
}

static void write_mistakes(const trm_findings *o, FILE *file) {
  (void)fprintf(
      file, "subset\tsample\tlabel\tpredicted\tprobability\tlabel_name\tpredicted_name\tname\n");
  for (int i = 0; i < o->n_mistakes; ++i) {
    const trm_mistake *m = &o->mistakes[i];
    (void)fprintf(file, "%s\t%.0f\t%.0f\t%.0f\t%.6f", trm_subset_name(o->shown), m->sample,
                  m->label, m->predicted, m->probability);
    put_class(file, o, (int64_t)m->label);
    put_class(file, o, (int64_t)m->predicted);
    put_sample(file, o, (int64_t)m->sample);
    (void)fputc('\n', file);
  }
}

static void write_texts(const trm_findings *o, FILE *file) {
  (void)fprintf(file, "source\treference\twritten\tname\n");
  for (int i = 0; i < o->n_texts; ++i) {
    const trm_written_text *t = &o->texts[i];
    trm_put_one_line(file, t->source, (int64_t)strlen(t->source));
    (void)fputc('\t', file);
    trm_put_one_line(file, t->reference, (int64_t)strlen(t->reference));
    (void)fputc('\t', file);
    trm_put_one_line(file, t->written, (int64_t)strlen(t->written));
    put_sample(file, o, t->sample);
    (void)fputc('\n', file);
  }
}

static trm_status write_one(const trm_findings *o, void (*write)(const trm_findings *, FILE *),
                            const char *folder, const char *name) {
  char path[4096];
  trm_text_file file;
  TRM_TRY(trm_path_join(path, sizeof path, folder, name));
  TRM_TRY(trm_text_file_begin(&file));
  write(o, file.stream);
  return trm_text_file_publish(&file, path);
}

trm_status trm_findings_write(const trm_findings *o, const char *folder) {
  if (o->n_classes > 0) {
    TRM_TRY(write_one(o, write_confusion, folder, "confusion.tsv"));
    TRM_TRY(write_one(o, write_mistakes, folder, "mistakes.tsv"));
  }
  if (o->n_texts == 0) return TRM_OK;
  return write_one(o, write_texts, folder, "written.tsv");
}
