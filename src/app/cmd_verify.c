#include <inttypes.h>
#include <stdio.h>

#include "app.h"
#include "trireme/train/verify.h"

#define APP_PLUGIN(value)                                                                          \
  APP_TEXT("--plugin", 0, value, "FILE.so", "the optimizer's shared library, if it has one")
#define APP_SCHEDULE_PLUGIN(value)                                                                 \
  APP_TEXT("--schedule-plugin", 0, value, "FILE.so", "the schedule's shared library, if it has one")

static trm_status report(const char *run, const trm_verify_result *r, bool speaks) {
  if (r->differs >= 0 && r->change[0]) {
    return trm_fail(TRM_DIFFERENT,
                    "%s: the weights after step %" PRId64 " differ from the run's, which went on "
                    "with --allow-changes (%s); %s",
                    run, r->differs, r->change, r->remedy);
  }
  if (r->differs >= 0) {
    return trm_fail(TRM_DIFFERENT,
                    "%s: the weights after step %" PRId64 " differ from the run's%s; compare the "
                    "'bits depend on' lines of trireme doctor, and the layout if comm.allreduce is "
                    "ring",
                    run, r->differs, r->samples_differ >= 0 ? " (its samples, too)" : "");
  }
  if (speaks) {
    printf("%s: steps %" PRId64 " to %" PRId64 " repeat in every bit\n", run, r->first, r->last);
  }
  return TRM_OK;
}

int app_verify(int argc, char **argv) {
  app_list words;
  trm_verify_options verify = {.from = -1};
  bool helped;
  int64_t threads = 0;
  const app_option options[] = {
      APP_INT("--from", 0, &verify.from, 0, 9e15, "STEP",
              "begin at the newest checkpoint up to this step (default: the oldest)"),
      APP_INT("--steps", 'n', &verify.n_steps, 1, 9e15, "N",
              "replay this many (default: to the end of the run)"),
      APP_TEXT("--data", 0, &verify.data, "DATA.h5", "the data set, if it has moved"),
      APP_PLUGIN(&verify.plugins.optimizer),
      APP_SCHEDULE_PLUGIN(&verify.plugins.schedule),
      APP_THREADS(&threads),
  };
  trm_comm *comm = NULL;
  trm_verify_result result;
  trm_log log;
  trm_log_init(&log, NULL);
  trm_status status = app_parse("verify", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_expect("verify", &words, 1, "one run directory");
  status = app_start(&argc, &argv, threads, status, &comm);
  if (!comm) return app_end(NULL, status);
  if (status == TRM_OK) {
    verify.run = words.items[0];
    if (trm_comm_rank(comm) == 0) trm_log_init(&log, stderr);
    status = trm_verify_run(comm, &verify, &log, &result);
  }
  if (status == TRM_OK) status = report(words.items[0], &result, trm_comm_rank(comm) == 0);
  trm_log_close(&log);
  return app_end(&comm, status);
}

int app_bisect(int argc, char **argv) {
  app_list words;
  bool helped, parted = false;
  int64_t threads = 0;
  trm_verify_plugins plugins = {0};
  const app_option options[] = {APP_PLUGIN(&plugins.optimizer),
                                APP_SCHEDULE_PLUGIN(&plugins.schedule), APP_THREADS(&threads)};
  trm_comm *comm = NULL;
  trm_log log;
  trm_log_init(&log, NULL);
  trm_status status = app_parse("bisect", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_expect("bisect", &words, 2, "two run directories");
  status = app_start(&argc, &argv, threads, status, &comm);
  if (!comm) return app_end(NULL, status);
  if (status == TRM_OK) {
    if (trm_comm_rank(comm) == 0) trm_log_init(&log, stderr);
    status = trm_bisect_runs(comm, words.items[0], words.items[1], &plugins, stdout, &log, &parted);
  }
  if (status == TRM_OK && parted) { /* all is said */
    trm_message_set("");
    status = TRM_DIFFERENT;
  }
  trm_log_close(&log);
  return app_end(&comm, status);
}
