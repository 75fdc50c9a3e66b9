/* Every number of a report as CSV. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "csv.h"
#include "ensemble_table.h"
#include "output_check.h"
#include "page.h"
#include "text_file.h"
#include "trireme/io/files.h"
#include "tsv.h"

static void put_number(FILE *file, double value) {
  (void)fputc(',', file);
  if (!isnan(value)) (void)fprintf(file, "%.9g", value);
}

/* Configuration and run that a row is of. */
static void put_run(FILE *file, const trm_study *s, int record) {
  trm_csv_field(s->groups[trm_study_group_of(s, record)].label, file);
  (void)fputc(',', file);
  trm_csv_field(s->records[record].name, file);
}

/* What all runs have, each run's best row. */
static void write_results(const trm_study *s, FILE *file) {
  const trm_record *first = &s->records[0];
  (void)fprintf(file, "configuration,run,state,resumed,steps,best_step,last_loss");
  for (int c = 1; c < first->n_columns; ++c) {
    if (!first->columns[c].values || strcmp(first->columns[c].name, "loss") == 0) continue;
    (void)fputc(',', file);
    trm_csv_field(first->columns[c].name, file);
  }
  (void)fputc('\n', file);
  for (int i = 0; i < s->n; ++i) {
    const trm_record *r = &s->records[i];
    const int64_t best = trm_study_best_row(s, r);
    put_run(file, s, i);
    (void)fprintf(file, ",%s,%d,%" PRId64, trm_run_state_text(r->state), r->n_resumes,
                  r->last_step);
    put_number(file, best < 0 ? (double)NAN : r->steps[best]);
    put_number(file, trm_record_last(r, "loss"));
    for (int c = 1; c < first->n_columns; ++c) {
      const char *name = first->columns[c].name;
      if (!first->columns[c].values || strcmp(name, "loss") == 0) continue;
      const double here = trm_record_at(r, name, best);
      put_number(file, isnan(here) && c < first->first_score ? trm_record_last(r, name) : here);
    }
    (void)fputc('\n', file);
  }
}

static void write_differences(const trm_study *s, FILE *file) {
  (void)fprintf(file, "configuration");
  for (int d = 0; d < s->n_differences; ++d) {
    (void)fputc(',', file);
    trm_csv_field(s->differences[d], file);
  }
  (void)fputc('\n', file);
  for (int g = 0; g < s->n_groups; ++g) {
    const trm_record *r = &s->records[s->groups[g].members[0]];
    trm_csv_field(s->groups[g].label, file);
    for (int d = 0; d < s->n_differences; ++d) {
      const char *value = trm_record_value(r, s->differences[d]);
      (void)fputc(',', file);
      trm_csv_field(value ? value : "", file);
    }
    (void)fputc('\n', file);
  }
}

/* Every number of every curve, one a row: nothing is thinned. */
static void write_curves(const trm_study *s, FILE *file) {
  (void)fprintf(file, "configuration,run,column,step,value\n");
  for (int i = 0; i < s->n; ++i) {
    const trm_record *r = &s->records[i];
    for (int c = 1; c < r->n_columns; ++c) {
      for (int64_t k = 0; r->columns[c].values && k < r->n_rows; ++k) {
        const double value = r->columns[c].values[k];
        if (isnan(value)) continue;
        put_run(file, s, i);
        (void)fprintf(file, ",%s,%.0f,%.9g\n", r->columns[c].name, r->steps[k], value);
      }
    }
  }
}

static trm_status write_bands(const trm_study *s, FILE *file) {
  (void)fprintf(file, "configuration,column,step,mean,deviation\n");
  for (int g = 0; g < s->n_groups; ++g) {
    const trm_record *r = &s->records[s->groups[g].members[0]];
    if (s->groups[g].n < 2) continue;
    for (int c = 1; c < r->n_columns; ++c) {
      trm_points points;
      if (!r->columns[c].values) continue;
      TRM_TRY(trm_group_points(s, g, r->columns[c].name, &points));
      for (int64_t i = 0; i < points.n; ++i) {
        trm_csv_field(s->groups[g].label, file);
        (void)fprintf(file, ",%s,%.0f,%.9g,%.9g\n", r->columns[c].name, points.x[i], points.y[i],
                      points.spread[i]);
      }
      trm_points_free(&points);
    }
  }
  return TRM_OK;
}

/* ---- tables that runs have left --------------------------------------------------------------- */

typedef struct joined {
  FILE *file;
  const char *run;
  bool headed;  /* the names of the fields are written */
  int n_fields; /* as many as there are names */
  int64_t n_lines;
} joined;

static void put_line(void *context, char *const *fields, int n_fields) {
  joined *j = context;
  const bool head = j->n_lines++ == 0;
  if (head && j->headed) return;
  if (head) j->n_fields = n_fields;
  j->headed = true;
  trm_csv_field(head ? "run" : j->run, j->file);
  for (int i = 0; i < j->n_fields; ++i) { /* tables of older versions may have fewer, or more */
    (void)fputc(',', j->file);
    if (i < n_fields) trm_csv_field(fields[i], j->file);
  }
  (void)fputc('\n', j->file);
}

/* The tables of one name of all runs below each other. */
static trm_status write_joined(const trm_study *s, const char *name, FILE *file) {
  joined j = {.file = file};
  for (int i = 0; i < s->n; ++i) {
    j.run = s->records[i].name;
    j.n_lines = 0;
    TRM_TRY(trm_tsv_read(s->records[i].folder, name, put_line, &j));
  }
  return TRM_OK;
}

static void write_structure(const trm_look *look, FILE *file) {
  const trm_structure *s = &look->structure;
  (void)fprintf(file,
                "what,value\nnodes,%" PRId64 "\nedges,%" PRId64 "\nloops,%" PRId64
                "\nisolated,%" PRId64 "\ncomponents,%" PRId64 "\nlargest_component,%" PRId64
                "\nmedian_degree,%" PRId64 "\nmost_degree,%" PRId64 "\nmean_degree",
                s->n_nodes, s->n_edges, s->n_loops, s->n_isolated, s->n_components,
                s->largest_component, s->median_degree, s->most_degree);
  put_number(file, s->mean_degree);
  (void)fprintf(file, "\ntriangles");
  put_number(file, s->n_triangles);
  (void)fprintf(file, "\nclustering");
  put_number(file, s->clustering);
  (void)fprintf(file, "\ntransitivity");
  put_number(file, s->transitivity);
  (void)fprintf(file, "\nhomophily");
  put_number(file, s->homophily);
  (void)fprintf(file, "\nadjusted_homophily");
  put_number(file, s->adjusted_homophily);
  (void)fputc('\n', file);
  for (int b = 0; b < s->n_bins; ++b) {
    const int64_t first = b == 0 ? 0 : (int64_t)1 << (b - 1);
    (void)fprintf(file, "degree_%" PRId64 "_to_%" PRId64 ",%" PRId64 "\n", first,
                  b == 0 ? 0 : 2 * first - 1, s->bins[b]);
  }
}

/* ---- files ----------------------------------------------------------------------------------- */

typedef enum content {
  RESULTS,
  DIFFERENCES,
  CURVES,
  BANDS,
  STRUCTURE,
  LAYERS,
  CONFUSION,
  MISTAKES,
  WRITTEN,
  ENSEMBLE,
  N_CONTENTS
} content;

static const char *const names[N_CONTENTS] = {
    [RESULTS] = "results.csv",     [DIFFERENCES] = "differences.csv", [CURVES] = "curves.csv",
    [BANDS] = "bands.csv",         [STRUCTURE] = "structure.csv",     [LAYERS] = "layers.csv",
    [CONFUSION] = "confusion.csv", [MISTAKES] = "mistakes.csv",       [WRITTEN] = "written.csv",
    [ENSEMBLE] = "ensemble.csv"};

/* How each begins, by which it is known. */
static const char *const begins[N_CONTENTS] = {[RESULTS] = "configuration,run,state,",
                                               [DIFFERENCES] = "configuration",
                                               [CURVES] = "configuration,run,column,",
                                               [BANDS] = "configuration,column,step,",
                                               [STRUCTURE] = "what,value\nnodes,",
                                               [LAYERS] = "run,",
                                               [CONFUSION] = "run,",
                                               [MISTAKES] = "run,",
                                               [WRITTEN] = "run,",
                                               [ENSEMBLE] = "run,"};

static bool is_ours(const char *path) {
  const char *slash = strrchr(path, '/');
  for (int i = 0; i < N_CONTENTS; ++i) {
    if (strcmp(slash ? slash + 1 : path, names[i]) != 0) continue;
    char begin[64] = "";
    int64_t n = 0;
    return trm_file_read_start(path, begin, sizeof begin - 1, &n) == TRM_OK &&
           strncmp(begin, begins[i], strlen(begins[i])) == 0;
  }
  return false;
}

trm_status trm_report_csv_check(const char *const *runs, int n_runs, const char *folder,
                                bool force) {
  const trm_output_rule rule = {.command = "report", .made = is_ours, .force = force};
  TRM_TRY(trm_folder_make(folder));
  for (int i = 0; i < N_CONTENTS; ++i) {
    char path[TRM_RECORD_PATH_BYTES];
    TRM_TRY(trm_path_join(path, sizeof path, folder, names[i]));
    TRM_TRY(trm_report_check_output(&rule, runs, n_runs, path));
  }
  return TRM_OK;
}

static trm_status write_one(const trm_study *s, const trm_look *look, content what,
                            const char *folder) {
  static const char *const sources[N_CONTENTS] = {[LAYERS] = "layers.tsv",
                                                  [CONFUSION] = "confusion.tsv",
                                                  [MISTAKES] = "mistakes.tsv",
                                                  [WRITTEN] = "written.tsv",
                                                  [ENSEMBLE] = TRM_ENSEMBLE_TABLE};
  char path[TRM_RECORD_PATH_BYTES];
  trm_text_file file;
  trm_status status = TRM_OK;
  TRM_TRY(trm_path_join(path, sizeof path, folder, names[what]));
  TRM_TRY(trm_text_file_begin(&file));
  if (what == RESULTS) write_results(s, file.stream);
  if (what == DIFFERENCES) write_differences(s, file.stream);
  if (what == CURVES) write_curves(s, file.stream);
  if (what == BANDS) status = write_bands(s, file.stream);
  if (what == STRUCTURE && look->has_structure) write_structure(look, file.stream);
  if (sources[what]) status = write_joined(s, sources[what], file.stream);
  const bool any = ftell(file.stream) > 0;
  if (status == TRM_OK && any) return trm_text_file_publish(&file, path);
  trm_text_file_discard(&file);
  return status;
}

trm_status trm_report_csv(const trm_study *study, const trm_look *look, const char *folder) {
  TRM_TRY(trm_folder_make(folder));
  for (int i = 0; i < N_CONTENTS; ++i) TRM_TRY(write_one(study, look, (content)i, folder));
  return TRM_OK;
}
