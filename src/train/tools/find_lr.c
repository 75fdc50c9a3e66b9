#include "trireme/train/find_lr.h"

#include <inttypes.h>

#include "rate_search.h"
#include "rundir.h"
#include "text_file.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/io/output.h"
#include "trireme/train/train.h"

/* ---- files ------------------------------------------------------------------------------------ */

static const char *const files[] = {"find_lr.csv", "find_lr.svg"};

static trm_status publish(const trm_find_lr_options *options, const trm_rate_curve *curve,
                          bool picture) {
  char path[TRM_PATH_BYTES];
  trm_text_file file;
  TRM_TRY(trm_path_join(path, sizeof path, options->folder, files[picture]));
  TRM_TRY(trm_text_file_begin(&file));
  if (picture) {
    char title[128];
    (void)snprintf(title, sizeof title, "%s, %s: loss over learning rates",
                   trm_config_string(options->config, "model.kind"),
                   trm_config_string(options->config, "optimizer.name"));
    trm_rate_curve_write_svg(curve, title, file.stream);
  } else {
    trm_rate_curve_write_csv(curve, file.stream);
  }
  return trm_text_file_publish(&file, path);
}

static trm_status write_files(const trm_find_lr_options *options, const trm_rate_curve *curve) {
  TRM_TRY(publish(options, curve, false));
  return publish(options, curve, true);
}

static bool is_table(const char *path) {
  return trm_file_begins_with(path, TRM_RATE_CURVE_COLUMNS);
}

static bool is_picture(const char *path) {
  return trm_file_begins_with(path, TRM_RATE_CURVE_MARK);
}

/* That the folder can be written to shows before the run, not after it. */
static trm_status prepare_folder(const trm_find_lr_options *options) {
  char path[TRM_PATH_BYTES];
  TRM_TRY(trm_folder_make(options->folder));
  for (int picture = 0; picture < 2; ++picture) {
    const trm_output_rule rule = {
        .command = "find-lr", .made = picture ? is_picture : is_table, .force = options->force};
    TRM_TRY(trm_path_join(path, sizeof path, options->folder, files[picture]));
    TRM_TRY(trm_output_check(&rule, path));
  }
  return TRM_OK;
}

/* ---- the run ---------------------------------------------------------------------------------- */

/* One batch more than there are updates, for the loss after the last one. */
static trm_status shorten(const trm_find_lr_options *options) {
  trm_config *config = options->config;
  TRM_TRY(trm_config_set_int(config, "train.steps", options->n_steps + 1));
  TRM_TRY(trm_config_set(config, "train.epochs=0")); /* else it sets the steps */
  return trm_config_set(config, "train.time_budget_s=0");
}

static trm_status run(trm_comm *comm, const trm_find_lr_options *options, trm_rate_search *search,
                      trm_log *log, trm_rate_curve *curve) {
  double *rates = NULL;
  trm_status status = TRM_ALLOC(&search->losses, options->n_steps + 1, "losses");
  if (status == TRM_OK) status = TRM_ALLOC(&rates, options->n_steps + 1, "rates");
  if (status == TRM_OK) status = shorten(options);
  if (status == TRM_OK && options->folder && trm_comm_rank(comm) == 0) {
    status = prepare_folder(options);
  }
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  for (int64_t i = 0; i <= options->n_steps; ++i) rates[i] = trm_rate_search_rate(search, i);
  const trm_train_options train = {.config = options->config, .search = search};
  TRM_TRY_OUT(trm_train(comm, &train, log));
  status = trm_rate_curve_make(rates, search->losses, search->n, search->diverged, curve);
  if (status == TRM_OK && options->folder && trm_comm_rank(comm) == 0) {
    status = write_files(options, curve);
  }
  status = trm_comm_agree(comm, status);
out:
  TRM_FREE(rates);
  return status;
}

trm_status trm_find_lr(trm_comm *comm, const trm_find_lr_options *options, trm_log *log,
                       trm_rate_curve *curve) {
  trm_rate_search search = {.from = options->from, .to = options->to, .n_steps = options->n_steps};
  *curve = (trm_rate_curve){0};
  const trm_status status = run(comm, options, &search, log, curve);
  TRM_FREE(search.losses);
  return status;
}
