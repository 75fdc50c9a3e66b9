/* How far a run has come, for whoever starts it again. */
#include <stdio.h>

#include "rundir.h"
#include "trireme/ckpt/ckpt.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/train/train.h"

static void warn(void *context, const char *message) {
  if (context) trm_log_warn(context, "%s", message);
}

static trm_status step_of(const char *path, int64_t *step) {
  trm_ckpt_info info = {0};
  TRM_TRY(trm_ckpt_read_info(path, &info));
  *step = info.step;
  trm_ckpt_info_free(&info);
  return TRM_OK;
}

/* Of one run; -1 and "" where it has no checkpoint. */
static trm_status one_run(const char *run, int64_t *step, char *path, size_t size, trm_log *log) {
  trm_rundir dir;
  *step = -1;
  path[0] = 0;
  TRM_TRY(trm_rundir_paths(run, &dir));
  TRM_TRY(trm_ckpt_find_newest(dir.checkpoints, path, size, warn, log));
  return path[0] ? step_of(path, step) : TRM_OK;
}

/* Of the runs of a sweep, which are folders in its own; -1 where none has a checkpoint. */
static trm_status all_runs(const char *root, int64_t *sum, trm_log *log) {
  char **names = NULL, run[TRM_PATH_BYTES], path[TRM_PATH_BYTES];
  int n = 0;
  int64_t step;
  trm_status status = TRM_OK;
  *sum = -1;
  TRM_TRY(trm_folder_list(root, "", "", &names, &n));
  for (int i = 0; i < n && status == TRM_OK; ++i) {
    status = trm_path_join(run, sizeof run, root, names[i]);
    if (status == TRM_OK) status = one_run(run, &step, path, sizeof path, log);
    if (status == TRM_OK && step >= 0) *sum = step + (*sum > 0 ? *sum : 0);
  }
  TRM_FREE(names);
  return status;
}

trm_status trm_run_progress(const char *run, int64_t *step, char *path, size_t size, trm_log *log) {
  TRM_TRY(one_run(run, step, path, size, log));
  if (*step >= 0 || !trm_path_exists(run)) return TRM_OK;
  return all_runs(run, step, log);
}
