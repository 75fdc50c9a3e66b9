#include "layers.h"

#include <inttypes.h>

#include "text_file.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"

typedef struct writer {
  const trm_params *params;
  bool *seen; /* [params->n_rows] */
  FILE *file;
} writer;

static void write_step(void *context, const trm_tape_step *step) {
  writer *w = context;
  int64_t n_weights = 0;
  (void)fprintf(w->file, "%s\t", step->name);
  for (int d = 0; d < step->n_dims; ++d) {
    (void)fprintf(w->file, "%s%" PRId64, d ? " " : "", step->dims[d]);
  }
  (void)fputc('\t', w->file);
  for (int i = 0; i < step->n_params; ++i) {
    const trm_param *row = &w->params->rows[step->params[i]];
    (void)fprintf(w->file, "%s%s", i ? " " : "", row->name);
    if (!w->seen[step->params[i]] && !row->buffer) n_weights += row->n;
    w->seen[step->params[i]] = true;
  }
  (void)fprintf(w->file, "\t%" PRId64 "\n", n_weights);
}

trm_status trm_layers_write(const trm_learner *learner, const char *folder) {
  char path[4096];
  trm_text_file file;
  writer w = {.params = learner->params};
  TRM_TRY(trm_path_join(path, sizeof path, folder, "layers.tsv"));
  TRM_TRY(TRM_ALLOC(&w.seen, learner->params->n_rows, "layers"));
  trm_status status = trm_text_file_begin(&file);
  if (status == TRM_OK) {
    w.file = file.stream;
    (void)fprintf(w.file, "operator\tshape\tparameters\tweights\n");
    trm_tape_visit(learner->tape, write_step, &w);
    status = trm_text_file_publish(&file, path);
  }
  TRM_FREE(w.seen);
  return status;
}
