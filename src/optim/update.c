/* The update: runs of parameters that are treated alike, each by its optimizer's step. */
#include <math.h>
#include <string.h>

#include "optimizer.h"
#include "trireme/core/random.h"
#include "trireme/math/kernels.h"

/* Whether two rows are updated alike. */
static bool alike(const trm_optimizer *optimizer, int a, int b) {
  const trm_treatment *x = &optimizer->how[a], *y = &optimizer->how[b];
  const trm_param *rows_of = optimizer->params->rows;
  if (optimizer->plugged) return false; /* it is told whose elements they are */
  return x->rate == y->rate && x->decay == y->decay && x->l1 == y->l1 && x->l2 == y->l2 &&
         x->frozen == y->frozen && rows_of[a].buffer == rows_of[b].buffer &&
         (optimizer->movers[a] < 0) == (optimizer->movers[b] < 0);
}

/* Rows that lie side by side and are updated alike are updated in one call: the last row (in flat
 * order) of the run that begins at `row`, counting down. */
static int run_end(const trm_optimizer *optimizer, int row) {
  int i = row;
  while (i > 0 && alike(optimizer, i - 1, row)) --i;
  return i;
}

/* One past its last element, padding included, which a plug-in does not see. */
static int64_t run_finish_of(const trm_optimizer *optimizer, int row, int last) {
  const trm_params *params = optimizer->params;
  if (optimizer->plugged) return params->rows[row].offset + params->rows[row].n;
  return last > 0 ? params->rows[last - 1].offset : params->n_elements;
}

/* What is the same for all elements of a step. */
typedef struct update {
  const trm_real *grads;
  double scale, lr;
  double mean_scale; /* 1 / count, without clipping: of buffers */
  double deviation;  /* of the noise on gradients */
  int64_t step;
  double settings[TRM_OPTIMIZER_SETTINGS]; /* the optimizer's, with the momentum of this step */
} update;

static const double average_rate = 0.1; /* of buffers: PyTorch's momentum of running statistics */

/* Rows first, first - 1 .. last, which are updated alike, or a part of them: elements [from, to) of the
 * flat array, whose state begins at `kept`. */
typedef struct span {
  int first, last;
  int64_t from, to, kept;
} span;

/* The update of a plug-in, or, of a parameter that is moved whole, the direction. */
static void update_plugged(trm_optimizer *o, const update *u, span s, const trm_real *g,
                           double scale) {
  const trm_treatment *how = &o->how[s.first];
  trm_plugged_span own = trm_optimizer_plugged_span(o, s.first, s.from, s.to - s.from, s.kept);
  own.w = o->params->weights + s.from;
  own.g = g;
  own.u = o->movers[s.first] >= 0 ? o->directions + s.from : NULL;
  own.scale = scale;
  own.lr = u->lr * how->rate;
  own.decay = how->decay;
  own.step = u->step;
  trm_plugged_step(o->plugged, &own);
  if (how->l1 > 0 && !own.u) trm_shrink(own.w, own.lr * how->l1, own.n);
}

/* g[to - from): the gradient with its scale; 0 where no row is. */
static void update_elements(trm_optimizer *o, const update *u, span s, const trm_real *g,
                            double scale) {
  const trm_treatment *how = &o->how[s.first];
  if (o->plugged) {
    update_plugged(o, u, s, g, scale);
    return;
  }
  const int64_t n = s.to - s.from;
  const double lr = u->lr * how->rate;
  trm_real *w = o->params->weights + s.from, *states[TRM_OPTIMIZER_MAX_STATES] = {NULL};
  for (int i = 0; i < o->n_states; ++i) states[i] = o->states[i] + s.kept;
  if (o->movers[s.first] >= 0) {
    o->kind->whole->direct(u->settings, o->directions + s.from, w, states, g, how->decay, scale,
                           u->step, n);
    return;
  }
  o->kind->step(u->settings, w, states, g, how->decay, scale, lr, u->step, n);
  if (how->l1 > 0) trm_shrink(w, trm_optimizer_rate(o, lr) * how->l1, n);
}

/* Noise of the step, by seed, step and place in the flat array alone; none between rows. */
static void draw_noise(const trm_optimizer *o, const update *u, span s, trm_real *g) {
  const trm_random_key key = trm_random_key_make(o->seed, TRM_RANDOM_NOISE, (uint64_t)u->step, 0);
  trm_fill(g, 0, s.to - s.from);
  for (int r = s.first; r >= s.last; --r) {
    const trm_param *row = &o->params->rows[r];
    const int64_t from = row->offset > s.from ? row->offset : s.from;
    const int64_t to = row->offset + row->n < s.to ? row->offset + row->n : s.to;
    if (from >= to) continue;
    trm_fill_normal(g + (from - s.from), u->deviation, key, (uint64_t)from, to - from);
  }
}

/* The same where rules or noise add to the gradient, after clipping: g scale + l2 w + noise. */
static void update_with_more(trm_optimizer *o, const update *u, span all) {
  for (span s = all; s.from < all.to; s.kept += s.to - s.from, s.from = s.to) {
    const int64_t n = all.to - s.from < TRM_GRADIENT_PIECE ? all.to - s.from : TRM_GRADIENT_PIECE;
    const double l2 = o->how[s.first].l2;
    s.to = s.from + n;
    if (o->noise > 0) draw_noise(o, u, s, o->gradient);
    trm_scale(o->gradient, u->grads + s.from, (trm_real)u->scale, n, o->noise > 0);
    if (l2 > 0) trm_scale(o->gradient, o->params->weights + s.from, (trm_real)l2, n, true);
    update_elements(o, u, s, o->gradient, 1);
  }
}

static void update_alike(trm_optimizer *o, const update *u, span s) {
  const trm_param *row = &o->params->rows[s.first];
  if (o->how[s.first].frozen) return;
  if (row->buffer) {
    trm_average_update(o->params->weights + s.from, u->grads + s.from, (trm_real)u->mean_scale,
                       (trm_real)average_rate, s.to - s.from);
  } else if (o->how[s.first].l2 > 0 || o->noise > 0) {
    update_with_more(o, u, s);
  } else {
    update_elements(o, u, s, u->grads + s.from, u->scale);
  }
}

/* Elements [begin, end), whose state is kept from `kept` on. The flat order is the reverse of the
 * rows' order, and padding is 0 and stays 0. The update is element by element: it has the same bits
 * wherever rows are cut. */
static void update_span(trm_optimizer *optimizer, const update *u, int64_t begin, int64_t end,
                        int64_t kept) {
  const trm_params *params = optimizer->params;
  for (int row = params->n_rows - 1; row >= 0;) {
    const int last = run_end(optimizer, row);
    const int64_t run_begin = params->rows[row].offset;
    const int64_t run_finish = run_finish_of(optimizer, row, last);
    const int64_t from = run_begin > begin ? run_begin : begin;
    const int64_t to = run_finish < end ? run_finish : end;
    const span s = {row, last, from, to, kept + (from - begin)};
    row = last - 1;
    if (from < to) update_alike(optimizer, u, s);
  }
}

static void set_settings(const trm_optimizer *optimizer, update *u) {
  const trm_optimizer_kind *kind = optimizer->kind;
  double momentum;
  memcpy(u->settings, optimizer->settings, sizeof u->settings);
  if (kind->has_momentum && isnan(optimizer->fixed_rate) &&
      trm_schedule_momentum(optimizer->config, kind->momentum_cycles, u->step, &momentum)) {
    u->settings[kind->momentum] = momentum;
  }
}

static double scheduled_rate(const trm_optimizer *optimizer, int64_t step) {
  if (!isnan(optimizer->fixed_rate)) return optimizer->fixed_rate;
  return trm_schedule_lr_after(optimizer->config, &optimizer->schedule, step);
}

/* Source: Neelakantan et al. 2015, arXiv:1511.06807, section 3, with its gamma of 0.55. */
static double noise_deviation(const trm_optimizer *optimizer, int64_t step) {
  return sqrt(optimizer->noise / pow(1 + (double)step, 0.55));
}

void trm_optimizer_apply(trm_optimizer *optimizer, const trm_real *grads, double sum_squares,
                         double count, int64_t step, trm_step_info *info) {
  TRM_ASSERT(count > 0);
  const double norm = sqrt(sum_squares) / count;
  *info = (trm_step_info){.lr = scheduled_rate(optimizer, step),
                          .grad_norm = norm,
                          .finite = isfinite(norm),
                          .bad_element = -1};
  info->finite = info->finite && isfinite(info->lr) && info->lr >= 0;
  if (!info->finite) return;
  optimizer->step = step;
  double scale = 1 / count;
  if (optimizer->clip_norm > 0 && norm > optimizer->clip_norm) scale *= optimizer->clip_norm / norm;
  update u = {.grads = grads,
              .scale = scale,
              .lr = info->lr,
              .mean_scale = 1 / count,
              .deviation = noise_deviation(optimizer, step),
              .step = step};
  set_settings(optimizer, &u);
  const trm_stripes *stripes = &optimizer->stripes;
  if (stripes->size == 1) { /* in one go: as much work as there is for the threads to share */
    update_span(optimizer, &u, 0, stripes->n, 0);
    trm_optimizer_move(optimizer, info->lr);
    trm_optimizer_limit_norms(optimizer);
    return;
  }
  TRM_FOR_STRIPES(stripes, optimizer->rank, begin, end) {
    update_span(optimizer, &u, begin, end, trm_stripes_before(stripes, optimizer->rank, begin));
  }
}

void trm_optimizer_step(trm_optimizer *optimizer, const trm_real *grads, double count, int64_t step,
                        trm_step_info *info) {
  const int64_t n = optimizer->params->n_elements;
  TRM_ASSERT(optimizer->stripes.size == 1);
  trm_optimizer_apply(optimizer, grads, trm_optimizer_sum_squares(optimizer, grads), count, step,
                      info);
  if (!info->finite) info->bad_element = trm_find_not_finite(grads, n);
}
