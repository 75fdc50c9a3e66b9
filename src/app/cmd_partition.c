#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "trireme/core/clock.h"
#include "trireme/core/config.h"
#include "trireme/core/plural.h"
#include "trireme/input/graph_set.h"
#include "trireme/input/node_data.h"
#include "trireme/input/partition.h"

enum { MAX_COUNTS = 32, MAX_PARTS = 1 << 20 };

/* The numbers of parts out of "2,4,8". */
static trm_status read_counts(const char *text, int *counts, int *n) {
  *n = 0;
  for (const char *at = text;; ++at) {
    char *end;
    errno = 0;
    const long count = strtol(at, &end, 10);
    if (end == at || errno != 0 || (*end != ',' && *end != 0) || count < 1 || count > MAX_PARTS ||
        *n == MAX_COUNTS) {
      return trm_fail(TRM_ERR_USAGE,
                      "partition: --parts is '%s'; expected at most %d whole numbers from 1 to %d "
                      "with commas between: 2,4,8",
                      text, MAX_COUNTS, MAX_PARTS);
    }
    counts[(*n)++] = (int)count;
    if (*end == 0) return TRM_OK;
    at = end;
  }
}

static trm_status check_method(const char *method) {
  static const char *const methods[] = {"metis", "contiguous"};
  for (int i = 0; i < 2; ++i) {
    if (strcmp(method, methods[i]) == 0) return TRM_OK;
  }
  const char *near = trm_nearest(method, methods, 2);
  return trm_fail(TRM_ERR_USAGE,
                  "partition: --method is '%s'%s%s%s; there are metis and contiguous", method,
                  near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

/* One line of the table. */
static trm_status measure(const trm_graph *graph, const char *method, int n_parts, trm_ids training,
                          uint64_t seed) {
  const double start_s = trm_clock_s();
  trm_partition *partition = NULL;
  trm_partition_quality q;
  TRM_TRY(strcmp(method, "metis") == 0
              ? trm_partition_metis(graph, n_parts, training, seed, &partition)
              : trm_partition_contiguous(graph, n_parts, &partition));
  const double seconds = trm_clock_s() - start_s;
  const trm_status status = trm_partition_measure(graph, partition, training, &q);
  trm_partition_destroy(&partition);
  TRM_TRY(status);
  printf("  %5d  %6.2f %%  %6.3f  %6.3f  %6.3f  %8.3f  %7.2f\n", n_parts, 100 * q.cut_share,
         q.halo_factor, q.node_imbalance, q.edge_imbalance, q.balance_imbalance, seconds);
  (void)fflush(stdout); /* large graphs take minutes a line; app_end sees a failure */
  return TRM_OK;
}

static trm_status measure_all(const trm_graph *graph, const char *method, const int *counts, int n,
                              int64_t split, uint64_t seed) {
  trm_ids training = {0};
  const trm_node_data *nodes = trm_node_data_of(graph);
  if (nodes && nodes->n_splits > 0) {
    TRM_TRY(trm_node_data_split(nodes, split < 0 ? 0 : (int)split, TRM_SUBSET_TRAIN, &training));
  }
  printf("%s: %" PRId64 " node%s, %" PRId64 " edge%s, %" PRId64 " training node%s; %s\n",
         graph->path, graph->n_nodes, trm_plural(graph->n_nodes), graph->in.n_edges,
         trm_plural(graph->in.n_edges), training.n, trm_plural(training.n), method);
  printf("                          greatest over mean of\n"
         "  parts       cut    halo   nodes   edges  training  seconds\n");
  for (int i = 0; i < n; ++i) TRM_TRY(measure(graph, method, counts[i], training, seed));
  printf("  cut: edges between parts; halo: nodes with the neighbours a part needs, over nodes\n");
  return TRM_OK;
}

/* Sets of graphs are shared out by graphs, and interactions have no nodes for training. */
static trm_status check_graph(const trm_graph *graph, int64_t split) {
  if (trm_graph_set_of(graph)) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: a set of graphs is shared out graph by graph; partition takes one graph",
                    graph->path);
  }
  const trm_node_data *nodes = trm_node_data_of(graph);
  const int n_splits = nodes ? nodes->n_splits : 0;
  if (split >= 0 && split >= n_splits) {
    return trm_fail(TRM_ERR_USAGE, "partition: --split is %" PRId64 ", but %s has %d splits", split,
                    graph->path, n_splits);
  }
  return TRM_OK;
}

int app_partition(int argc, char **argv) {
  app_list words;
  bool helped;
  const char *parts = NULL, *method = "metis";
  int64_t split = -1, seed = 1;
  int counts[MAX_COUNTS], n = 0;
  const app_option options[] = {
      APP_TEXT("--parts", 0, &parts, "N[,N]...", "numbers of parts: 2,4,8"),
      APP_TEXT("--method", 0, &method, "metis|contiguous", "how (default metis)"),
      APP_INT("--split", 0, &split, 0, 1e6, "K", "training nodes of this split are balanced (0)"),
      APP_INT("--seed", 0, &seed, 0, 9e15, "N", "METIS: seed (default 1)"),
  };
  trm_graph *graph = NULL;
  trm_status status = app_parse("partition", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_single_process("partition");
  if (status == TRM_OK) status = app_expect("partition", &words, 1, "one data set");
  if (status == TRM_OK && !parts) {
    status = trm_fail(TRM_ERR_USAGE, "partition: give --parts N, or several: --parts 2,4,8");
  }
  if (status == TRM_OK) status = read_counts(parts, counts, &n);
  if (status == TRM_OK) status = check_method(method);
  if (status == TRM_OK) status = trm_graph_open(words.items[0], NULL, false, &graph);
  if (status == TRM_OK) status = check_graph(graph, split);
  if (status == TRM_OK) status = measure_all(graph, method, counts, n, split, (uint64_t)seed);
  trm_graph_close(&graph);
  return app_end(NULL, status);
}
