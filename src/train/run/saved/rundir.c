#include "rundir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trireme/ckpt/ckpt.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/train/train.h"

trm_status trm_rundir_paths(const char *root, trm_rundir *dir) {
  const int n = snprintf(dir->root, sizeof dir->root, "%s", root);
  if (n < 0 || n >= (int)sizeof dir->root) {
    return trm_fail(TRM_ERR_CONFIG, "run.dir is %zu bytes long; choose a shorter path",
                    strlen(root));
  }
  return trm_path_join(dir->checkpoints, sizeof dir->checkpoints, dir->root, "checkpoints");
}

trm_status trm_rundir_make(const trm_rundir *dir, const trm_config *config) {
  TRM_TRY(trm_folder_make(dir->checkpoints));
  if (access(dir->checkpoints, W_OK) != 0) {
    return trm_fail(TRM_ERR_IO, "%s: cannot write there: %s; choose another run.dir",
                    dir->checkpoints, strerror(errno));
  }
  char path[TRM_PATH_BYTES], *text = NULL;
  TRM_TRY(trm_path_join(path, sizeof path, dir->root, "config.yaml"));
  TRM_TRY(trm_config_text(config, false, &text));
  const trm_status status = trm_file_write_atomic(path, text, strlen(text));
  TRM_FREE(text);
  return status;
}

trm_status trm_rundir_has_checkpoints(const trm_rundir *dir, bool *has) {
  *has = false;
  if (!trm_path_exists(dir->checkpoints)) return TRM_OK;
  char **names = NULL;
  int n = 0;
  TRM_TRY(trm_folder_list(dir->checkpoints, "step_", ".h5", &names, &n));
  TRM_FREE(names);
  *has = n > 0;
  return TRM_OK;
}

static const char best_name[] = "best.h5", final_name[] = "final.h5";

trm_status trm_rundir_final_make(const trm_rundir *dir) {
  char best[TRM_PATH_BYTES], path[TRM_PATH_BYTES];
  TRM_TRY(trm_path_join(best, sizeof best, dir->checkpoints, best_name));
  TRM_TRY(trm_path_join(path, sizeof path, dir->checkpoints, final_name));
  return trm_file_link(best, path);
}

trm_status trm_rundir_final_remove(const trm_rundir *dir) {
  char path[TRM_PATH_BYTES];
  TRM_TRY(trm_path_join(path, sizeof path, dir->checkpoints, final_name));
  return trm_file_remove(path);
}

static void warn(void *context, const char *message) {
  if (context) trm_log_warn(context, "%s", message);
}

static bool is_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

typedef enum choice { BEST, RESULT, NEWEST } choice;

static trm_status resolve(const char *run, choice wanted, char *path, size_t size, trm_log *log) {
  if (!trm_path_exists(run)) {
    return trm_fail(TRM_ERR_MISSING, "%s: no such run directory or checkpoint", run);
  }
  if (!is_folder(run)) {
    const int n = snprintf(path, size, "%s", run);
    return n > 0 && (size_t)n < size ? TRM_OK : trm_fail(TRM_ERR_IO, "%s: path too long", run);
  }
  trm_rundir dir;
  TRM_TRY(trm_path_join(path, size, run, "sweep.csv"));
  if (trm_path_exists(path)) {
    return trm_fail(TRM_ERR_USAGE,
                    "%s: holds the runs of a sweep; name one of them (they are in its sweep.csv)",
                    run);
  }
  TRM_TRY(trm_path_join(path, size, run, "journal.csv"));
  if (trm_path_exists(path)) {
    return trm_fail(TRM_ERR_USAGE,
                    "%s: holds the trials of a search; name one of them (trials/NUMBER, those of "
                    "its trials.csv), or train its best.yaml",
                    run);
  }
  TRM_TRY(trm_rundir_paths(run, &dir));
  const char *folder = trm_path_exists(dir.checkpoints) ? dir.checkpoints : dir.root;
  if (wanted == RESULT) {
    TRM_TRY(trm_path_join(path, size, folder, final_name));
    if (trm_path_exists(path)) return TRM_OK;
  }
  if (wanted == BEST) {
    TRM_TRY(trm_path_join(path, size, folder, best_name));
    if (trm_path_exists(path)) return TRM_OK;
    return trm_fail(TRM_ERR_IO,
                    "%s: no best checkpoint there; train with eval.every > 0, or use "
                    "the newest one",
                    folder);
  }
  TRM_TRY(trm_ckpt_find_newest(folder, path, size, warn, log));
  if (path[0] == 0) {
    return trm_fail(TRM_ERR_IO, "%s: no checkpoint there; is it a run directory?", run);
  }
  return TRM_OK;
}

trm_status trm_checkpoint_resolve(const char *run, bool best, char *path, size_t size,
                                  trm_log *log) {
  return resolve(run, best ? BEST : RESULT, path, size, log);
}

trm_status trm_checkpoint_newest(const char *run, char *path, size_t size, trm_log *log) {
  return resolve(run, NEWEST, path, size, log);
}
