#include "look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/input/graph_set.h"
#include "trireme/input/kind.h"
#include "trireme/io/files.h"

static trm_status describe(const trm_data_kind *kind, const char *path, trm_look *look) {
  size_t bytes = 0;
  FILE *file = open_memstream(&look->words, &bytes);
  if (!file) return trm_fail(TRM_ERR_MEMORY, "%s: no memory for its description", path);
  const trm_status status = kind->describe(path, file);
  (void)fclose(file); /* in memory */
  return status;
}

static trm_status look_at_graph(const char *path, trm_look *look) {
  const int32_t *labels = NULL;
  int n_classes = 0;
  TRM_TRY(trm_graph_open(path, NULL, false, &look->graph));
  const trm_graph_set *set = trm_graph_set_of(look->graph);
  const trm_node_data *nodes = trm_node_data_of(look->graph);
  if (set) {
    look->n_graphs = set->n_graphs;
    look->classes = &set->classes;
  } else if (nodes) {
    look->classes = &nodes->classes;
    labels = nodes->classes.labels;
    n_classes = nodes->classes.n;
  }
  TRM_TRY(trm_structure_of(&look->graph->in, look->graph->symmetric, labels, n_classes,
                           &look->structure));
  look->has_structure = true;
  return TRM_OK;
}

static trm_status look_at(const char *path, trm_look *look) {
  const trm_data_kind *kind;
  TRM_TRY(trm_data_kind_of(path, &kind));
  TRM_TRY(describe(kind, path, look));
  if (kind->graph) return look_at_graph(path, look);
  if (strcmp(kind->name, "samples") != 0) return TRM_OK;
  TRM_TRY(trm_samples_open(path, &look->samples));
  if (look->samples->target == TRM_TARGET_CLASS) look->classes = &look->samples->classes;
  return TRM_OK;
}

void trm_look_open(const trm_record *record, trm_look *look) {
  const char *path = trm_record_value(record, "data.path");
  *look = (trm_look){0};
  if (!path) return;
  if (!trm_path_exists(path)) {
    (void)snprintf(look->why, sizeof look->why, "%.400s is not there (any more)", path);
  } else if (look_at(path, look) != TRM_OK) {
    (void)snprintf(look->why, sizeof look->why, "%.500s", trm_message());
  }
}

void trm_look_close(trm_look *look) {
  free(look->words);
  trm_samples_close(&look->samples);
  trm_graph_close(&look->graph);
  *look = (trm_look){0};
}
