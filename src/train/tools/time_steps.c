/* How long a step takes, by a few of them on the configuration's data, at a rate of next to nothing. */
#include <math.h>

#include "rate_search.h"
#include "trireme/core/memory.h"
#include "trireme/optim/plugins.h"
#include "trireme/train/keys.h"
#include "trireme/train/train.h"

enum { STEPS = 2 }; /* timed, behind one that is not: it touches its memory first */

static trm_status copy_config(const trm_config *config, trm_config **out) {
  char *text = NULL;
  TRM_TRY(trm_program_config(out));
  trm_status status = trm_config_text(config, true, &text);
  if (status == TRM_OK) status = trm_config_read_text(*out, text, "the configuration");
  TRM_FREE(text);
  TRM_TRY(status);
  TRM_TRY(trm_config_set_int(*out, "train.steps", STEPS + 1));
  TRM_TRY(trm_config_set(*out, "train.epochs=0"));
  TRM_TRY(trm_config_set(*out, "train.time_budget_s=0"));
  return trm_plugins_load(*out);
}

trm_status trm_train_time(trm_comm *comm, const trm_config *config, double *step_s) {
  double losses[STEPS + 2];
  trm_rate_search search = {.from = 1e-12, .to = 1e-12, .n_steps = STEPS + 1, .losses = losses};
  trm_config *own = NULL;
  trm_log silent;
  trm_log_init(&silent, NULL);
  *step_s = (double)NAN;
  trm_status status = trm_comm_agree(comm, copy_config(config, &own));
  if (status == TRM_OK) {
    const trm_train_options options = {.config = own, .search = &search};
    status = trm_train(comm, &options, &silent);
  }
  if (status == TRM_OK && search.n > 1) {
    *step_s = (search.last_s - search.first_s) / (double)(search.n - 1);
  }
  trm_config_destroy(&own);
  return status;
}
