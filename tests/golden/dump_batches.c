/*
 * Writes the global batches of a run as /inputs and /targets [steps, batch, context] int32:
 *   dump_batches CONFIG.yaml DATA.h5 OUT.h5
 * for an oracle that cannot draw them itself. They come from the loader that training uses.
 */
#include <stdio.h>
#include <string.h>

#include "trireme/core/config.h"
#include "trireme/core/memory.h"
#include "trireme/input/loader.h"
#include "trireme/io/container.h"
#include "trireme/train/keys.h"

static trm_status read_config(const char *path, const char *data, trm_config **config) {
  char assignment[4096];
  const int n = snprintf(assignment, sizeof assignment, "data.path=%s", data);
  if (n < 0 || n >= (int)sizeof assignment) return trm_fail(TRM_ERR_USAGE, "%s: too long", data);
  TRM_TRY(trm_program_config(config));
  TRM_TRY(trm_config_read_file(*config, path));
  TRM_TRY(trm_config_set(*config, assignment));
  return trm_config_check(*config);
}

static trm_status read_batches(trm_dataset *dataset, const trm_loader_options *options,
                               int32_t *inputs, int32_t *targets) {
  trm_loader *loader = NULL;
  TRM_TRY(trm_loader_create(dataset, options, &loader));
  const int64_t n = options->batch * options->context;
  trm_status status = TRM_OK;
  for (int64_t step = 0; step < options->end_step; ++step) {
    trm_text_batch batch;
    TRM_TRY_OUT(trm_loader_next(loader, &batch));
    memcpy(inputs + step * n, batch.tokens.inputs, (size_t)n * sizeof *inputs);
    memcpy(targets + step * n, batch.tokens.targets, (size_t)n * sizeof *targets);
  }
out:
  trm_loader_destroy(&loader);
  return status;
}

static trm_status write_batches(const char *path, const trm_loader_options *options,
                                const int32_t *inputs, const int32_t *targets) {
  const int64_t dims[3] = {options->end_step, options->batch, options->context};
  trm_container *out = NULL;
  TRM_TRY(trm_container_create(path, &out));
  trm_status status = trm_array_write(out, "/inputs", TRM_DTYPE_I32, 3, dims, inputs);
  if (status == TRM_OK) {
    status = trm_array_write(out, "/targets", TRM_DTYPE_I32, 3, dims, targets);
  }
  const trm_status closed = trm_container_close(&out);
  return status != TRM_OK ? status : closed;
}

static trm_status dump(const char *config_path, const char *data, const char *path) {
  trm_config *config = NULL;
  trm_dataset *dataset = NULL;
  int32_t *inputs = NULL, *targets = NULL;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(read_config(config_path, data, &config));
  TRM_TRY_OUT(trm_dataset_open(data, &dataset));
  const trm_loader_options options = {
      .seed = (uint64_t)trm_config_int(config, "run.seed"),
      .context = trm_config_int(config, "model.context"),
      .batch = trm_config_int(config, "batch.size"),
      .n = trm_config_int(config, "batch.size"),
      .end_step = trm_config_int(config, "train.steps"),
      .depth = 2,
  };
  const int64_t n = options.end_step * options.batch * options.context;
  TRM_TRY_OUT(TRM_ALLOC(&inputs, n, "batches"));
  TRM_TRY_OUT(TRM_ALLOC(&targets, n, "batches"));
  TRM_TRY_OUT(read_batches(dataset, &options, inputs, targets));
  TRM_TRY_OUT(write_batches(path, &options, inputs, targets));
out:
  TRM_FREE(inputs);
  TRM_FREE(targets);
  trm_dataset_close(&dataset);
  trm_config_destroy(&config);
  return status;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: dump_batches CONFIG.yaml DATA.h5 OUT.h5\n");
    return trm_status_exit_code(TRM_ERR_USAGE);
  }
  const trm_status status = dump(argv[1], argv[2], argv[3]);
  if (status != TRM_OK) fprintf(stderr, "dump_batches: %s\n", trm_message());
  return trm_status_exit_code(status);
}
