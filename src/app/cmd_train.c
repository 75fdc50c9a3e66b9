#include <stdio.h>
#include <string.h>

#include "app.h"
#include "trireme/comm/watch.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/train/train.h"

/* "runs/lm" for "conf/lm.yaml". */
static trm_status default_run_dir(trm_config *config, const char *path) {
  if (*trm_config_string(config, "run.dir")) return TRM_OK;
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  const char *dot = strrchr(name, '.');
  const int length = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
  char text[1024];
  (void)snprintf(text, sizeof text, "run.dir=runs/%.*s", length, name);
  return trm_config_set(config, text);
}

static trm_status read_config(const app_list *words, const app_list *sets, trm_config **out) {
  if (words->n != 1) {
    return trm_fail(TRM_ERR_USAGE,
                    "train: give one configuration file (%d given); see trireme "
                    "help config for the keys",
                    words->n);
  }
  int n_keys;
  const trm_config_key *keys = trm_config_keys(&n_keys);
  TRM_TRY(trm_config_create(keys, n_keys, out));
  TRM_TRY(trm_config_read_file(*out, words->items[0]));
  for (int i = 0; i < sets->n; ++i) TRM_TRY(trm_config_set(*out, sets->items[i]));
  TRM_TRY(default_run_dir(*out, words->items[0]));
  return trm_config_check(*out);
}

static trm_status print_config(const trm_config *config) {
  char *text = NULL;
  TRM_TRY(trm_config_text(config, &text));
  (void)fputs(text, stdout);
  TRM_FREE(text);
  return TRM_OK;
}

int app_train(int argc, char **argv) {
  static const char *assignments[256];
  app_list words, sets = {.items = assignments, .capacity = 256};
  const char *resume = NULL;
  bool helped, check = false, allow_changes = false;
  int64_t threads = 0;
  const app_option options[] = {
      {"--set", 's', APP_LIST, &sets, .value_name = "KEY=VALUE", .help = "override a key"},
      {"--resume", 0, APP_TEXT, &resume, .value_optional = true, .value_name = "CHECKPOINT",
       .help = "go on from the newest good checkpoint, or this one"},
      {"--allow-changes", 0, APP_FLAG, &allow_changes,
       .help = "resume although keys that change the result differ"},
      {"--check", 0, APP_FLAG, &check,
       .help = "check the configuration, print it resolved, and leave"},
      {"--threads", 't', APP_INT, &threads, .min = 1, .max = 4096, .value_name = "N",
       .help = "compute threads a rank (default: OMP_NUM_THREADS, or its cores)"},
  };
  const int n_options = (int)(sizeof options / sizeof options[0]);
  trm_config *config = NULL;
  trm_comm *comm = NULL;
  trm_log log;
  trm_log_init(&log, NULL);

  trm_status status = app_parse("train", argc, argv, options, n_options, &words, &helped);
  if (status == TRM_OK && helped) return 0;
  const trm_status parsed = status;
  if (check) { /* one process is enough */
    if (status == TRM_OK) status = read_config(&words, &sets, &config);
    if (status == TRM_OK) status = print_config(config);
    trm_config_destroy(&config);
    return app_end(NULL, status);
  }
  status = app_start(&argc, &argv, threads, &comm);
  if (!comm) return app_end(NULL, status);
  if (status == TRM_OK) status = parsed;
  if (status == TRM_OK) status = read_config(&words, &sets, &config);
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK) {
    if (trm_comm_rank(comm) == 0) trm_log_init(&log, stderr);
    status =
        trm_comm_agree(comm, trm_watch_start(comm, trm_config_real(config, "comm.deadline_s")));
  }
  if (status == TRM_OK) {
    const trm_train_options train = {.config = config,
                                     .resume = resume != NULL,
                                     .resume_path = resume && *resume ? resume : NULL,
                                     .allow_changes = allow_changes};
    status = trm_train(comm, &train, &log);
    trm_watch_stop(comm);
  }
  trm_log_close(&log);
  trm_config_destroy(&config);
  return app_end(&comm, status);
}
