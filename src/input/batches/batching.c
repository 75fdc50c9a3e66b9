/** Finding a way of batching; what the options of all ways must hold to. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "batching_internal.h"
#include "trireme/core/memory.h"

static const trm_batching_way *const ways[] = {
#define TRM_BATCHING(name) &trm_batching_way_##name,
#include "batching_list.h"
#undef TRM_BATCHING
};
enum { N_WAYS = sizeof ways / sizeof ways[0] };

const trm_batching_way *trm_batching_find(const char *name) {
  for (int i = 0; i < N_WAYS; ++i) {
    if (strcmp(ways[i]->name, name) == 0) return ways[i];
  }
  return NULL;
}

int64_t trm_graph_epoch_samples(trm_batching batching) {
  const trm_batching_way *way = trm_batching_find(batching.name);
  trm_batching_facts facts = {0};
  TRM_ASSERT(way);
  way->facts(batching.options, &facts);
  return facts.n_epoch;
}

static trm_status find_way(const trm_graph_loader_options *o, const trm_batching_way **way) {
  char known[128] = "";
  *way = o->way.name ? trm_batching_find(o->way.name) : NULL;
  if (*way && o->way.options) return TRM_OK;
  for (int i = 0; i < N_WAYS; ++i) {
    const size_t at = strlen(known);
    (void)snprintf(known + at, sizeof known - at, "%s%s", i > 0 ? ", " : "", ways[i]->name);
  }
  return trm_fail(TRM_ERR_ARG, "graph loader: no way of batching '%s'%s; there are %s",
                  o->way.name ? o->way.name : "", *way ? " without options" : "", known);
}

static trm_status check_numbers(const trm_graph_loader_options *o) {
  int64_t samples;
  if (o->batch < 1 || o->batch > INT32_MAX / 4 || o->n_blocks < 1 || o->n_blocks > INT32_MAX ||
      o->n_local < 0 || o->first_block < 0 || o->first_block > o->n_blocks - o->n_local ||
      o->first_step < 0 || o->end_step < o->first_step || o->depth < 1 || o->n_threads < 1 ||
      !trm_size_mul(o->end_step, o->batch, &samples)) {
    return trm_fail(TRM_ERR_ARG,
                    "graph loader: batch %" PRId64 " in %" PRId64 " blocks, of them [%" PRId64
                    ", %" PRId64 "), steps [%" PRId64 ", %" PRId64
                    "), depth %d, %d threads do not fit together",
                    o->batch, o->n_blocks, o->first_block, o->first_block + o->n_local,
                    o->first_step, o->end_step, o->depth, o->n_threads);
  }
  return TRM_OK;
}

static trm_status check_partition(const trm_batching_facts *facts) {
  const trm_partition *p = facts->partition;
  if (!p || p->n_nodes == facts->graph->n_nodes) return TRM_OK;
  return trm_fail(TRM_ERR_ARG,
                  "graph loader: the partition has %" PRId64 " nodes, the graph %" PRId64,
                  p->n_nodes, facts->graph->n_nodes);
}

static trm_status check_features(const trm_batching_facts *facts) {
  const trm_graph *g = facts->graph;
  if (g->n_features == 0 || facts->featureless) return TRM_OK;
  if (facts->fetched && g->sparse) {
    return trm_fail(TRM_ERR_ARG, "graph loader: sparse features cannot be fetched");
  }
  if (facts->fetched || g->sparse || g->dense) return TRM_OK;
  return trm_fail(TRM_ERR_ARG, "graph loader: the features are not in memory, so must be fetched");
}

trm_status trm_batching_plan_make(const trm_graph_loader_options *options,
                                  trm_batching_plan *plan) {
  *plan = (trm_batching_plan){.options = *options};
  TRM_TRY(find_way(options, &plan->way));
  TRM_TRY(check_numbers(options));
  plan->way->facts(options->way.options, &plan->facts);
  plan->facts.neighbors.seed = options->seed;
  TRM_TRY(check_partition(&plan->facts));
  if (plan->way->check) TRM_TRY(plan->way->check(plan));
  TRM_TRY(check_features(&plan->facts));
  if (plan->facts.n_epoch >= 1) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: there are no samples to train on",
                  plan->facts.graph->path ? plan->facts.graph->path : "graph");
}
