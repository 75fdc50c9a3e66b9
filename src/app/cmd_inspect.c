#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "app.h"
#include "show.h"
#include "trireme/ckpt/ckpt.h"
#include "trireme/input/kind.h"
#include "trireme/io/container.h"
#include "trireme/train/report.h"
#include "trireme/train/scores.h"

static trm_status print_array(void *context, const char *name, const trm_array_info *info) {
  (void)context;
  char shape[96] = "";
  int used = 0;
  for (int d = 0; d < info->n_dims; ++d) {
    used += snprintf(shape + used, sizeof shape - (size_t)used, "%s%" PRId64, d ? ", " : "",
                     info->dims[d]);
  }
  printf("  %-44s %-4s [%s]\n", name, trm_dtype_name(info->dtype), shape);
  return TRM_OK;
}

/* What the task has handed over. */
static void print_fact(const trm_fact *fact) {
  switch ((trm_fact_type)fact->type) {
  case TRM_FACT_INT: {
    int64_t value;
    memcpy(&value, trm_fact_data(fact), sizeof value);
    printf("  %-13s %" PRId64 "\n", fact->name, value);
    break;
  }
  case TRM_FACT_TEXT:
    printf("  %-13s %s\n", fact->name, (const char *)trm_fact_data(fact));
    break;
  case TRM_FACT_ARRAY:
    printf("  %-13s %" PRId64 " x %s\n", fact->name, fact->n,
           trm_dtype_name((trm_dtype)fact->dtype));
    break;
  }
}

/* What is kept is the lower the better: minus a score of which more is better. */
static void print_best(const trm_ckpt_info *info) {
  const char *select = trm_facts_text(&info->facts, "select");
  const trm_metric *metric = select ? trm_metric_find(select) : NULL; /* older files say nothing */
  const bool less = metric ? metric->less_is_better : info->best_value >= 0;
  printf("  best          %s %.4f at step %" PRId64 "\n",
         metric ? select
         : less ? "loss"
                : "score",
         less ? info->best_value : -info->best_value, info->best_step);
}

static trm_status inspect_checkpoint(const char *path, bool arrays) {
  trm_ckpt_info info;
  TRM_TRY(trm_ckpt_read_info(path, &info));
  printf("%s: checkpoint of step %" PRId64 "\n", path, info.step);
  printf("  written by    trireme %s on %s\n", info.program_version, info.fingerprint);
  printf("  weights hash  %016" PRIx64 "\n", info.weights_hash);
  printf("  seed          %" PRIu64 "\n  data digest   %016" PRIx64 "\n", info.seed,
         info.data_digest);
  for (const trm_fact *f = NULL; (f = trm_facts_next(&info.facts, f));) print_fact(f);
  if (info.best_step >= 0) print_best(&info);
  printf("  configuration\n%s", info.config_text);
  trm_ckpt_info_free(&info);
  if (arrays) {
    trm_container *file = NULL;
    TRM_TRY(trm_container_open(path, &file));
    const trm_status visited = trm_container_visit(file, print_array, NULL);
    const trm_status closed = trm_container_close(&file);
    TRM_TRY(visited);
    TRM_TRY(closed);
  }
  TRM_TRY(trm_ckpt_verify(path));
  printf("  every array matches its digest\n");
  return TRM_OK;
}

static trm_status is_checkpoint(const char *path, bool *yes) {
  trm_container *file = NULL;
  TRM_TRY(trm_container_open(path, &file));
  *yes = trm_container_has(file, "/run") && trm_container_has(file, "/model");
  return trm_container_close(&file);
}

static trm_status inspect_dataset(const char *path) {
  const trm_data_kind *kind;
  TRM_TRY(trm_data_kind_of(path, &kind));
  return kind->describe(path, stdout);
}

static bool is_folder(const char *path) {
  struct stat facts;
  return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static trm_status inspect(const char *path, bool arrays, app_show *show) {
  bool checkpoint = false;
  show->data = path;
  if (app_show_asked(show)) return app_show_samples(show);
  if (is_folder(path)) return trm_run_describe(path, stdout);
  TRM_TRY(is_checkpoint(path, &checkpoint));
  return checkpoint ? inspect_checkpoint(path, arrays) : inspect_dataset(path);
}

int app_inspect(int argc, char **argv) {
  app_list words;
  app_show show = {.seed = -1};
  bool helped, check = false, arrays = false;
  const app_option options[] = {
      APP_FLAG("--check", &check, "for files from strangers: read it in a child process first"),
      APP_FLAG("--arrays", &arrays, "checkpoint: list its arrays"),
      APP_SHOW_OPTIONS(&show),
  };
  trm_status status = app_parse("inspect", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_single_process("inspect");
  if (status == TRM_OK) status = app_expect("inspect", &words, 1, "one file or run");
  if (status == TRM_OK && check && !is_folder(words.items[0]))
    status = trm_container_probe(words.items[0]);
  if (status == TRM_OK) status = inspect(words.items[0], arrays, &show);
  return app_end(NULL, status);
}
