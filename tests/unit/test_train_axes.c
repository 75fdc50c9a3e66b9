/* What checkpoints say of a matrix's axes, by model: one way, and what older files had. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/math/threads.h"
#include "trireme/train/keys.h"
#include "trireme/train/learner.h"

/* `turned` is the map of sparse features, which older files have the other way round, with its shape. */
static void check_model(const char *kind, const char *turned, int64_t outputs, int64_t inputs) {
  const trm_model_dims dims = {
      .n_outputs = 3, .n_features = 5, .sparse = true, .n_nodes = 7, .n_facts = 2, .n_habits = 2};
  trm_config *config = NULL;
  trm_learner learner = {0};
  trm_regions regions = {0};
  int n_turned = 0;
  CHECK_OK(trm_program_config(&config));
  CHECK_OK(trm_config_set(config, kind));
  CHECK_OK(trm_config_set(config, "model.width=16"));
  if (CHECK_OK(trm_learner_create(config, &dims, true, 0, 1, &learner)) &&
      CHECK_OK(trm_learner_regions(&learner, &regions))) {
    for (int i = 0; i < regions.n; ++i) {
      const trm_region *r = &regions.rows[i];
      if (r->axes_old == TRM_AXES_UNSAID) continue;
      ++n_turned;
      CHECK(strstr(r->name, turned) != NULL);
      CHECK_EQ(r->axes_old, TRM_AXES_INPUTS_OUTPUTS);
      CHECK_EQ(r->axes, TRM_AXES_OUTPUTS_INPUTS);
      CHECK_EQ(r->dims[0], outputs);
      CHECK_EQ(r->dims[1], inputs);
    }
    /* weights and their moments */
    CHECK_EQ(n_turned, 1 + trm_optimizer_n_states(learner.optimizer));
  }
  trm_regions_free(&regions);
  trm_learner_destroy(&learner);
  trm_config_destroy(&config);
}

int main(void) {
  trm_math_init();
  check_model("model.kind=gcn", "layers/0/weight", 16, 5);
  check_model("model.kind=gat", "layers/0/weight", 16, 5);
  check_model("model.kind=mlp", "layers/0/weight", 16, 5);
  check_model("model.kind=shop", "words/weight", 16, 5);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
