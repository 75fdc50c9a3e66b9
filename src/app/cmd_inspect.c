#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app.h"
#include "show.h"
#include "trireme/ckpt/ckpt.h"
#include "trireme/core/json.h"
#include "trireme/input/kind.h"
#include "trireme/io/container.h"
#include "trireme/train/report.h"
#include "trireme/train/scores.h"
#include "trireme/train/train.h"

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

/* ---- as JSON ---------------------------------------------------------------------------------- */

static void put_fact(const trm_fact *fact) {
  printf(", ");
  trm_json_text(stdout, fact->name);
  printf(": ");
  if (fact->type == TRM_FACT_INT) {
    int64_t value;
    memcpy(&value, trm_fact_data(fact), sizeof value);
    printf("%" PRId64, value);
  } else if (fact->type == TRM_FACT_TEXT) {
    trm_json_text(stdout, trm_fact_data(fact));
  } else {
    printf("{\"dtype\": \"%s\", \"elements\": %" PRId64 "}", trm_dtype_name((trm_dtype)fact->dtype),
           fact->n);
  }
}

static trm_status put_array(void *context, const char *name, const trm_array_info *info) {
  const char **between = context;
  printf("%s", *between);
  *between = ", ";
  trm_json_text(stdout, name);
  printf(": {\"dtype\": \"%s\", \"shape\": [", trm_dtype_name(info->dtype));
  for (int d = 0; d < info->n_dims; ++d) printf("%s%" PRId64, d ? ", " : "", info->dims[d]);
  printf("]}");
  return TRM_OK;
}

static trm_status put_arrays(const char *path) {
  const char *between = "";
  trm_container *file = NULL;
  TRM_TRY(trm_container_open(path, &file));
  printf(", \"arrays\": {");
  const trm_status visited = trm_container_visit(file, put_array, &between);
  printf("}");
  const trm_status closed = trm_container_close(&file);
  return visited == TRM_OK ? closed : visited;
}

static trm_status put_checkpoint(const char *path) {
  trm_ckpt_info info;
  TRM_TRY(trm_ckpt_verify(path));
  TRM_TRY(trm_ckpt_read_info(path, &info));
  printf("{\"file\": ");
  trm_json_text(stdout, path);
  printf(", \"kind\": \"checkpoint\", \"step\": %" PRId64 ", \"seed\": %" PRIu64
         ", \"weights_hash\": \"%016" PRIx64 "\", \"data_digest\": \"%016" PRIx64
         "\", \"version\": ",
         info.step, info.seed, info.weights_hash, info.data_digest);
  trm_json_text(stdout, info.program_version);
  printf(", \"bits_depend_on\": ");
  trm_json_text(stdout, info.fingerprint);
  if (info.best_step >= 0) printf(", \"best_step\": %" PRId64, info.best_step);
  for (const trm_fact *f = NULL; (f = trm_facts_next(&info.facts, f));) put_fact(f);
  printf(", \"config\": ");
  trm_json_text(stdout, info.config_text);
  trm_ckpt_info_free(&info);
  TRM_TRY(put_arrays(path));
  printf("}\n");
  return TRM_OK;
}

/* Lines "label   text" of a description; what belongs to no label, or has one a second time, in a list. */
static void put_lines(char *text) {
  const char *between = ", ";
  char *rest = NULL;
  printf("{\"lines\": [");
  between = "";
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    while (*line == ' ') ++line;
    char *gap = strstr(line, "  ");
    printf("%s", between);
    between = ", ";
    if (gap) {
      *gap++ = 0;
      while (*gap == ' ') ++gap;
      printf("[");
      trm_json_text(stdout, line);
      printf(", ");
      trm_json_text(stdout, gap);
      printf("]");
    } else {
      printf("[\"\", ");
      trm_json_text(stdout, line);
      printf("]");
    }
  }
  printf("]");
}

static trm_status put_dataset(const char *path) {
  const trm_data_kind *kind;
  char *text = NULL;
  size_t bytes = 0;
  TRM_TRY(trm_data_kind_of(path, &kind));
  FILE *file = open_memstream(&text, &bytes);
  if (!file) return trm_fail(TRM_ERR_MEMORY, "no memory for a description");
  trm_status status = kind->describe(path, file);
  if (fclose(file) != 0 && status == TRM_OK) {
    status = trm_fail(TRM_ERR_MEMORY, "no memory for a description");
  }
  if (status == TRM_OK) {
    put_lines(text);
    printf(", \"file\": ");
    trm_json_text(stdout, path);
    printf(", \"kind\": ");
    trm_json_text(stdout, kind->name);
    status = put_arrays(path);
    printf("}\n");
  }
  free(text);
  return status;
}

/* ---- the command ------------------------------------------------------------------------------ */

static bool is_folder(const char *path) {
  struct stat facts;
  return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
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

static trm_status inspect(const char *path, bool arrays, bool json, app_show *show) {
  bool checkpoint = false;
  show->data = path;
  if (app_show_asked(show)) return app_show_samples(show);
  if (is_folder(path)) return trm_run_describe(path, stdout);
  TRM_TRY(is_checkpoint(path, &checkpoint));
  if (json) return checkpoint ? put_checkpoint(path) : put_dataset(path);
  return checkpoint ? inspect_checkpoint(path, arrays) : inspect_dataset(path);
}

int app_inspect(int argc, char **argv) {
  app_list words;
  app_show show = {.seed = -1};
  bool helped, check = false, arrays = false, json = false;
  const app_option options[] = {
      APP_FLAG("--check", &check, "for files from strangers: read it in a child process first"),
      APP_JSON(&json),
      APP_FLAG("--arrays", &arrays, "checkpoint: list its arrays"),
      APP_SHOW_OPTIONS(&show),
  };
  trm_status status = app_parse("inspect", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_single_process("inspect");
  if (status == TRM_OK) status = app_expect("inspect", &words, 1, "one file or run");
  char newest[PATH_MAX];
  const char *file = words.items[0];
  if (status == TRM_OK && json && is_folder(file)) { /* a run: its result */
    status = trm_checkpoint_resolve(file, false, newest, sizeof newest, NULL);
    file = newest;
  }
  if (status == TRM_OK && check && !is_folder(file)) status = trm_container_probe(file);
  if (status == TRM_OK) status = inspect(file, arrays, json, &show);
  return app_end(NULL, status);
}
