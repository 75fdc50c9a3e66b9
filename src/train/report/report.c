#include "trireme/train/report.h"

#include <sys/stat.h>

#include "output_check.h"
#include "page.h"
#include "tasks_internal.h"
#include "text_file.h"
#include "trireme/input/kind.h"
#include "trireme/io/files.h"
#include "trireme/io/output.h"

/* Points of all lines of a page together: about 25 bytes each, so that 40 runs stay below 2 MB. */
static const int64_t page_points = 36000;

static trm_status write_page(const trm_study *study, const trm_look *look, const char *text,
                             const trm_report_options *options, const char *path) {
  trm_charts charts;
  trm_text_file file;
  TRM_TRY(trm_charts_make(study, NULL, page_points, &charts));
  trm_status status = trm_text_file_begin(&file);
  if (status == TRM_OK) {
    const trm_page page = {.file = file.stream,
                           .study = study,
                           .charts = &charts,
                           .options = options,
                           .look = look,
                           .text = text,
                           .best = &study->records[trm_study_best_record(study)]};
    trm_page_write(&page);
    status = trm_text_file_publish(&file, path);
  }
  trm_charts_free(&charts);
  return status;
}

/* Whether the data set of a run is so small that reading it costs nothing beside the run. */
static bool has_little_data(const char *folder) {
  enum { MOST_BYTES = 64 << 20 };
  trm_record record;
  struct stat info;
  if (trm_record_read(folder, &record) != TRM_OK) return false;
  const char *path = trm_record_value(&record, "data.path");
  const bool little = path && stat(path, &info) == 0 && info.st_size <= MOST_BYTES;
  trm_record_free(&record);
  return little;
}

trm_status trm_report_of_run(const char *folder) {
  char path[TRM_RECORD_PATH_BYTES];
  const trm_report_options options = {.data = has_little_data(folder)};
  TRM_TRY(trm_path_join(path, sizeof path, folder, "report.html"));
  return trm_report_write(&folder, 1, &options, path);
}

/* Whether the model of a run writes text that goes on, as far as its data set tells. */
static bool generates(const trm_record *record) {
  const trm_data_kind *data;
  const char *path = trm_record_value(record, "data.path");
  if (!path || !trm_path_exists(path) || trm_data_kind_of(path, &data) != TRM_OK) return false;
  const trm_task_kind *kind = trm_task_find(data->name);
  return kind && kind->generate;
}

/* What it writes, into `file` from trm_text_file_begin; its text stays NULL where there is none. */
static void write_text(const trm_study *study, const trm_report_options *options,
                       trm_text_file *file) {
  if (!options->generate || study->n != 1 || !generates(&study->records[0])) return;
  if (trm_text_file_begin(file) != TRM_OK) return;
  if (options->generate(options->context, study->records[0].folder, file->stream) == TRM_OK) {
    (void)fflush(file->stream); /* in memory */
  } else {
    trm_text_file_discard(file);
  }
}

/* By what page.c writes first. */
static bool is_report(const char *path) {
  return trm_file_begins_with(path, TRM_PAGE_MARK);
}

trm_status trm_report_write(const char *const *folders, int n_folders,
                            const trm_report_options *options, const char *path) {
  static const trm_report_options none;
  trm_study study;
  if (!options) options = &none;
  const trm_output_rule rule = {.command = "report", .made = is_report, .force = options->force};
  TRM_TRY(trm_report_check_output(&rule, folders, n_folders, path));
  if (options->csv) TRM_TRY(trm_report_csv_check(folders, n_folders, options->csv, options->force));
  TRM_TRY(trm_study_read(folders, n_folders, &study));
  trm_look look = {0};
  trm_text_file text = {0};
  write_text(&study, options, &text);
  if (options->data) trm_look_open(&study.records[trm_study_best_record(&study)], &look);
  trm_status status = write_page(&study, &look, text.text, options, path);
  if (status == TRM_OK && options->csv) status = trm_report_csv(&study, &look, options->csv);
  trm_look_close(&look);
  trm_text_file_discard(&text);
  trm_study_free(&study);
  return status;
}
