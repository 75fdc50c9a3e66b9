#include <stdio.h>

#include "app.h"
#include "trireme/train/report.h"

/* Words as run directories, one at least. */
static trm_status expect_runs(const char *command, const app_list *words) {
  if (words->n > 0) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s: give one run directory or more; see trireme help %s", command,
                  command);
}

/* What it takes to write text with a model. */
typedef struct writer {
  int *argc;
  char ***argv;
  trm_comm *comm; /* once it has been needed */
  int64_t n_tokens;
} writer;

static trm_status generate(void *context, const char *run, FILE *out) {
  writer *w = context;
  const trm_generate_options options = {
      .run = run, .prompt = "", .n_tokens = w->n_tokens, .temperature = 0.8, .top_p = 1, .seed = 1};
  if (!w->comm) TRM_TRY(app_start(w->argc, w->argv, 0, TRM_OK, &w->comm));
  const trm_status status = trm_generate_run(w->comm, &options, out);
  if (status != TRM_OK) fprintf(stderr, "warning: no text in the report: %s\n", trm_message());
  return status;
}

int app_report(int argc, char **argv) {
  app_list words;
  writer w = {.argc = &argc, .argv = &argv, .n_tokens = 400};
  trm_report_options o = {.context = &w};
  const char *output = "report.html";
  bool helped, no_data = false;
  const app_option options[] = {
      APP_TEXT("--output", 'o', &output, "FILE.html", "page to write (report.html)"),
      APP_TEXT("--csv", 0, &o.csv, "FOLDER", "write every number of the page there, as CSV"),
      APP_TEXT("--title", 0, &o.title, "TEXT", "title of the page (default: names of the runs)"),
      APP_INT("--tokens", 0, &w.n_tokens, 0, 100000, "N",
              "of text that the language model of a single run writes for it (400; 0: none)"),
      APP_FORCE(&o.force),
      APP_FLAG("--no-data", &no_data, "do not open data sets: no samples, no structure of graphs"),
  };
  trm_status status = app_parse("report", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_single_process("report");
  if (status == TRM_OK) status = expect_runs("report", &words);
  o.data = !no_data;
  if (o.data && w.n_tokens > 0) o.generate = generate;
  if (status == TRM_OK) status = trm_report_write(words.items, words.n, &o, output);
  if (status == TRM_OK) printf("# report: %s\n", output);
  if (status == TRM_OK && o.csv) printf("# numbers: %s\n", o.csv);
  return app_end(w.comm ? &w.comm : NULL, status);
}

int app_plot(int argc, char **argv) {
  app_list words;
  const char *output = "curves.svg", *what = NULL;
  bool helped, force = false;
  const app_option options[] = {
      APP_FORCE(&force),
      APP_TEXT("--output", 'o', &output, "FILE.svg|.png", "picture to write (curves.svg)"),
      APP_TEXT("--column", 'c', &what, "NAME",
               "one column of metrics.csv, or a kind of score (default: loss and best score)"),
  };
  trm_status status = app_parse("plot", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_single_process("plot");
  if (status == TRM_OK) status = expect_runs("plot", &words);
  if (status == TRM_OK) status = trm_plot_write(words.items, words.n, what, force, output);
  if (status == TRM_OK) printf("# picture: %s\n", output);
  return app_end(NULL, status);
}
