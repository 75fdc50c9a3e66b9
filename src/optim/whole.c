/* Parameters that are moved whole, such as matrices: who moves which, and the moves. */
#include "optimizer.h"
#include "trireme/core/memory.h"

/* Work of moving a parameter, in no unit: products take a matrix's shorter side times its size. */
static double work_of(const trm_param *row) {
  const double rest = (double)row->n / (double)row->dims[0];
  const double first = (double)row->dims[0] / (double)row->n_stacked;
  return (double)row->n * (first < rest ? first : rest);
}

/* Whether a parameter is moved whole, and elements of scratch for it. */
bool trm_optimizer_wants_whole(const trm_optimizer *o, const trm_param *row) {
  if (row->buffer) return false;
  if (o->plugged) return trm_plugged_wants(o->plugged, row);
  return o->kind->whole && o->kind->whole->wants(row);
}

static int64_t scratch_for(const trm_optimizer *o, const trm_param *row) {
  if (o->plugged) return trm_plugged_n_scratch(o->plugged, row);
  return o->kind->whole->n_scratch ? o->kind->whole->n_scratch(row) : 0;
}

/* Deals whole parameters to ranks, each to the one that has least to do: the same on all of them. */
static trm_status deal(trm_optimizer *o) {
  const trm_params *params = o->params;
  double *loads = NULL;
  TRM_TRY(TRM_ALLOC(&loads, o->stripes.size, "optimizer"));
  for (int i = 0; i < params->n_rows; ++i) {
    o->movers[i] = -1;
    if (o->how[i].frozen || !trm_optimizer_wants_whole(o, &params->rows[i])) continue;
    int idlest = 0;
    for (int r = 1; r < o->stripes.size; ++r) idlest = loads[r] < loads[idlest] ? r : idlest;
    o->movers[i] = idlest;
    loads[idlest] += work_of(&params->rows[i]);
  }
  TRM_FREE(loads);
  return TRM_OK;
}

/* Room for the directions and for the moves of this rank. */
trm_status trm_optimizer_prepare_moves(trm_optimizer *o) {
  int64_t n_scratch = 0;
  bool any = false;
  TRM_TRY(TRM_ALLOC(&o->movers, o->params->n_rows, "optimizer"));
  TRM_TRY(deal(o));
  for (int i = 0; i < o->params->n_rows; ++i) {
    any = any || o->movers[i] >= 0;
    if (o->movers[i] != o->rank) continue;
    const int64_t n = scratch_for(o, &o->params->rows[i]);
    n_scratch = n > n_scratch ? n : n_scratch;
  }
  if (!any) return TRM_OK;
  TRM_TRY(trm_optimizer_take(o, &o->scratch, n_scratch, "room for whole parameters"));
  return trm_optimizer_take(o, &o->directions, o->params->n_elements,
                            "directions of whole parameters");
}

trm_real *trm_optimizer_directions(trm_optimizer *optimizer) {
  return optimizer->directions;
}

int trm_optimizer_mover(const trm_optimizer *optimizer, int row) {
  return optimizer->movers[row];
}

void trm_optimizer_move(trm_optimizer *optimizer, double lr) {
  const trm_params *params = optimizer->params;
  for (int row = params->n_rows - 1; row >= 0; --row) {
    if (optimizer->movers[row] != optimizer->rank) continue;
    const trm_param *p = &params->rows[row];
    const trm_treatment *how = &optimizer->how[row];
    trm_real *w = params->weights + p->offset;
    trm_real *u = optimizer->directions + p->offset;
    const double rate = lr * how->rate;
    if (optimizer->plugged) {
      const trm_plugged_span own = {.row = p,
                                    .n = p->n,
                                    .w = w,
                                    .u = u,
                                    .lr = rate,
                                    .decay = how->decay,
                                    .step = optimizer->step};
      trm_plugged_move(optimizer->plugged, &own, optimizer->scratch);
    } else {
      optimizer->kind->whole->move(optimizer->settings, p, w, u, how->decay, rate,
                                   optimizer->scratch);
    }
    if (how->l1 > 0) trm_shrink(w, rate * how->l1, p->n);
  }
}
