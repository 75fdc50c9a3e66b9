#include "trireme/optim/optim.h"

#include <math.h>
#include <string.h>

#include "optim_internal.h"
#include "plugged.h"
#include "rules.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/kernels.h"

enum { PIECE = 16 * TRM_CHUNK }; /* elements of a gradient that more is added to at a time */

struct trm_optimizer {
  const trm_optimizer_kind *kind;
  const trm_plugged *plugged; /* the user's own, which the configuration owns; NULL: kind is all */
  const trm_config *config;   /* kept: the schedule reads it */
  trm_params *params;         /* kept */
  trm_stripes stripes;        /* those of `rank` are updated here */
  int rank;
  int n_states;
  double settings[TRM_OPTIMIZER_SETTINGS];
  double clip_norm;
  double noise;       /* variance of the first step's noise on gradients; 0: none */
  uint64_t seed;      /* of the noise */
  trm_treatment *how; /* [n_rows], owned */
  trm_rules rules;
  trm_real *gradient; /* [PIECE] what becomes of a gradient, owned; NULL: gradients are as given */
  double fixed_rate;  /* in place of the schedule's, NaN: none */
  trm_real *states[TRM_OPTIMIZER_MAX_STATES]; /* of the own stripes, owned */
  int *movers;          /* [n_rows] rank that moves a whole parameter, -1: element by element */
  trm_real *directions; /* [n_elements] of whole parameters; NULL: there are none. Owned */
  trm_real *scratch;    /* for the moves of this rank, owned */
  int64_t step;         /* number of the update at hand, for moves */
  int64_t bytes;        /* of what is owned */
  trm_schedule_state schedule;
};

/* ---- the list -------------------------------------------------------------------------------- */

static const trm_optimizer_kind *const kinds[] = {
#define TRM_OPTIMIZER(name) &trm_optimizer_##name,
#include "optimizer_list.h"
#undef TRM_OPTIMIZER
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static const trm_config_key keys[] = {
    TRM_KEY_SELECTOR("optimizer.name", "adamw", TRM_ON_RESULT, "Update rule."),
    TRM_KEY_REAL("optimizer.lr", "1e-3", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Learning rate at its highest."),
    TRM_KEY_REAL("optimizer.clip_norm", "1.0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Longer gradients are scaled down to this norm; 0: off."),
    TRM_KEY_REAL("optimizer.gradient_noise", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Variance of normal noise on the clipped gradients, times (1 + step)^-0.55; 0: "
                 "none."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static const trm_config_key decay_keys[] = {
    TRM_KEY_REAL("optimizer.weight_decay", "0.1", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Pull of matrices towards zero, times the learning rate; biases and norms have "
                 "none."),
};
const trm_config_rows trm_decoupled_decay_keys = TRM_CONFIG_ROWS(decay_keys);

static const trm_config_key l2_keys[] = {
    TRM_KEY_REAL("optimizer.weight_decay", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Times the weights of matrices, added to the gradient (L2); biases and norms have "
                 "none."),
};
const trm_config_rows trm_l2_decay_keys = TRM_CONFIG_ROWS(l2_keys);

static const trm_config_part common = {.rows = {&rows, &trm_rule_keys}};

void trm_optim_parts(trm_config_parts *parts) {
  trm_config_parts_add(parts, &common);
  for (int i = 0; i < N_KINDS; ++i) trm_config_parts_add(parts, &kinds[i]->part);
  trm_schedule_parts(parts);
}

/* The choices of the key are the names of the list. */
static const trm_optimizer_kind *find_kind(const trm_config *config) {
  const char *name = trm_config_string(config, "optimizer.name");
  int i = 0;
  while (strcmp(kinds[i]->part.name, name) != 0) {
    ++i;
    TRM_ASSERT(i < N_KINDS);
  }
  return kinds[i];
}

trm_status trm_optimizer_check(const trm_config *config) {
  const trm_optimizer_kind *kind = find_kind(config);
  if (trm_schedule_wants_momentum(config) && !kind->has_momentum) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "schedule.cycle_momentum is on, but optimizer.name is %s, which has no momentum "
        "to cycle; set it to off",
        kind->part.name);
  }
  return kind->check ? kind->check(config) : TRM_OK;
}

/* ---- life ------------------------------------------------------------------------------------ */

trm_status trm_optimizer_create(const trm_config *config, trm_params *params, trm_optimizer **out) {
  return trm_optimizer_create_share(config, params, 0, 1, out);
}

/* Work of moving a parameter, in no unit: products take a matrix's shorter side times its size. */
static double work_of(const trm_param *row) {
  const double rest = (double)row->n / (double)row->dims[0];
  const double first = (double)row->dims[0] / (double)row->n_stacked;
  return (double)row->n * (first < rest ? first : rest);
}

/* Whether a parameter is moved whole, and elements of scratch for it. */
static bool wants_whole(const trm_optimizer *o, const trm_param *row) {
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
    if (o->how[i].frozen || !wants_whole(o, &params->rows[i])) continue;
    int idlest = 0;
    for (int r = 1; r < o->stripes.size; ++r) idlest = loads[r] < loads[idlest] ? r : idlest;
    o->movers[i] = idlest;
    loads[idlest] += work_of(&params->rows[i]);
  }
  TRM_FREE(loads);
  return TRM_OK;
}

static trm_status take(trm_optimizer *o, trm_real **array, int64_t n, const char *what) {
  o->bytes += n * (int64_t)sizeof **array;
  return TRM_ALLOC(array, n, what);
}

/* Room for the directions and for the moves of this rank. */
static trm_status prepare_moves(trm_optimizer *o) {
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
  TRM_TRY(take(o, &o->scratch, n_scratch, "room for whole parameters"));
  return take(o, &o->directions, o->params->n_elements, "directions of whole parameters");
}

/* Rate of weights that are updated element by element, by the schedule's. */
static double rate_of(const trm_optimizer *o, double lr) {
  return o->kind->rate ? o->kind->rate(o->settings, lr) : lr;
}

/* What the keys say of each parameter, before anything is dealt out. */
static trm_status read_rules(trm_optimizer *o) {
  trm_status status = TRM_OK;
  const double lr = trm_config_real(o->config, "optimizer.lr");
  const trm_params *params = o->params;
  double *rates = NULL;
  bool adds = o->noise > 0;
  TRM_TRY(TRM_ALLOC(&o->how, params->n_rows, "rules"));
  TRM_TRY(TRM_ALLOC(&rates, params->n_rows, "rules"));
  for (int i = 0; i < params->n_rows; ++i) {
    rates[i] = wants_whole(o, &params->rows[i]) ? lr : rate_of(o, lr);
  }
  TRM_TRY_OUT(trm_rules_read(o->config, params, rates, o->how, &o->rules));
  for (int i = 0; i < params->n_rows; ++i) adds = adds || o->how[i].l2 > 0;
  if (adds) TRM_TRY_OUT(take(o, &o->gradient, PIECE, "a piece of the gradient"));
out:
  TRM_FREE(rates);
  return status;
}

/* The part of a plug-in's parameter from element `from` on, whose states are kept from `kept` on. */
static trm_plugged_span plugged_span(const trm_optimizer *o, int row, int64_t from, int64_t n,
                                     int64_t kept) {
  const trm_param *p = &o->params->rows[row];
  trm_plugged_span span = {.row = p, .first = from - p->offset, .n = n};
  for (int i = 0; i < o->n_states; ++i) span.states[i] = o->states[i] + kept;
  return span;
}

/* Padding has state 0, whatever the library begins with: it belongs to no parameter. */
static void init_states(trm_optimizer *o) {
  TRM_FOR_STRIPES(&o->stripes, o->rank, begin, end) {
    const int64_t kept = trm_stripes_before(&o->stripes, o->rank, begin);
    for (int r = 0; r < o->params->n_rows; ++r) {
      const trm_param *row = &o->params->rows[r];
      const int64_t from = row->offset > begin ? row->offset : begin;
      const int64_t to = row->offset + row->n < end ? row->offset + row->n : end;
      if (from >= to || row->buffer) continue;
      const trm_plugged_span span = plugged_span(o, r, from, to - from, kept + (from - begin));
      trm_plugged_init(o->plugged, &span);
    }
  }
}

/* Settings, and how many states there are. */
static trm_status plan(trm_optimizer *o) {
  const trm_optimizer_kind *kind = o->kind;
  if (kind == &trm_optimizer_plugin) {
    TRM_TRY(trm_plugged_optimizer(o->config, &o->plugged));
    o->n_states = o->plugged->optimizer->n_states;
    return TRM_OK;
  }
  kind->plan(o->config, o->settings);
  o->n_states = kind->count_states ? kind->count_states(o->settings) : kind->n_states;
  return TRM_OK;
}

trm_status trm_optimizer_create_share(const trm_config *config, trm_params *params, int rank,
                                      int size, trm_optimizer **out) {
  TRM_ASSERT(params->sealed);
  trm_status status = TRM_OK;
  trm_optimizer *optimizer = NULL;
  TRM_TRY(TRM_ALLOC(&optimizer, 1, "optimizer"));
  optimizer->kind = find_kind(config);
  optimizer->config = config;
  optimizer->params = params;
  optimizer->stripes = trm_stripes_make(params->n_elements, size);
  optimizer->rank = rank;
  optimizer->fixed_rate = (double)NAN;
  optimizer->clip_norm = trm_config_real(config, "optimizer.clip_norm");
  optimizer->noise = trm_config_real(config, "optimizer.gradient_noise");
  if (optimizer->noise > 0) optimizer->seed = (uint64_t)trm_config_int(config, "run.seed");
  TRM_TRY_OUT(plan(optimizer));
  const int64_t n = trm_stripes_before(&optimizer->stripes, rank, params->n_elements);
  for (int i = 0; i < optimizer->n_states; ++i) {
    TRM_TRY_OUT(take(optimizer, &optimizer->states[i], n, "optimizer state"));
  }
  TRM_TRY_OUT(read_rules(optimizer));
  TRM_TRY_OUT(prepare_moves(optimizer));
  if (optimizer->plugged) init_states(optimizer);
  *out = optimizer;
  return TRM_OK;
out:
  trm_optimizer_destroy(&optimizer);
  return status;
}

void trm_optimizer_destroy(trm_optimizer **optimizer) {
  if (!*optimizer) return;
  for (int i = 0; i < TRM_OPTIMIZER_MAX_STATES; ++i) TRM_FREE((*optimizer)->states[i]);
  TRM_FREE((*optimizer)->how);
  trm_rules_free(&(*optimizer)->rules);
  TRM_FREE((*optimizer)->gradient);
  TRM_FREE((*optimizer)->movers);
  TRM_FREE((*optimizer)->directions);
  TRM_FREE((*optimizer)->scratch);
  TRM_FREE(*optimizer);
}

int trm_optimizer_n_states(const trm_optimizer *optimizer) {
  return optimizer->n_states;
}

const trm_params *trm_optimizer_params(const trm_optimizer *optimizer) {
  return optimizer->params;
}

trm_schedule_state *trm_optimizer_schedule(trm_optimizer *optimizer) {
  return &optimizer->schedule;
}

int64_t trm_optimizer_bytes(const trm_optimizer *optimizer) {
  return optimizer->bytes;
}

const char *trm_optimizer_state_name(const trm_optimizer *optimizer, int state) {
  return optimizer->plugged ? optimizer->plugged->optimizer->state_names[state]
                            : optimizer->kind->state_names[state];
}

trm_real *trm_optimizer_state(trm_optimizer *optimizer, int state) {
  return optimizer->states[state];
}

trm_stripes trm_optimizer_stripes(const trm_optimizer *optimizer) {
  return optimizer->stripes;
}

/* ---- rules ----------------------------------------------------------------------------------- */

int trm_optimizer_n_rules(const trm_optimizer *optimizer) {
  return optimizer->rules.n;
}

trm_rule_match trm_optimizer_rule(const trm_optimizer *optimizer, int i) {
  return optimizer->rules.matches[i];
}

static bool shrinks(const trm_optimizer *optimizer, int row) {
  return optimizer->how[row].l1 > 0 && !optimizer->how[row].frozen;
}

bool trm_optimizer_makes_zeros(const trm_optimizer *optimizer) {
  for (int r = 0; r < optimizer->params->n_rows; ++r) {
    if (shrinks(optimizer, r)) return true;
  }
  return false;
}

double trm_optimizer_zero_share(const trm_optimizer *optimizer) {
  const trm_params *params = optimizer->params;
  int64_t n = 0, n_zeros = 0;
  for (int r = 0; r < params->n_rows; ++r) {
    const trm_param *row = &params->rows[r];
    if (!shrinks(optimizer, r)) continue;
    n += row->n;
    for (int64_t i = 0; i < row->n; ++i) n_zeros += params->weights[row->offset + i] == 0;
  }
  return n > 0 ? (double)n_zeros / (double)n : 0;
}

void trm_optimizer_limit_norms(trm_optimizer *optimizer) {
  const trm_params *params = optimizer->params;
  for (int r = params->n_rows - 1; r >= 0; --r) {
    const trm_treatment *how = &optimizer->how[r];
    const trm_param *row = &params->rows[r];
    if (how->max_norm == 0 || how->frozen) continue;
    trm_limit_norms(row, params->weights + row->offset, how->max_norm);
  }
}

/* ---- the norm -------------------------------------------------------------------------------- */

bool trm_optimizer_is_frozen(const trm_optimizer *optimizer, int row) {
  return optimizer->how[row].frozen;
}

/* Whether a row is not in the norm: buffers, and what is frozen. */
static bool left_out(const trm_optimizer *optimizer, int row) {
  return optimizer->params->rows[row].buffer || optimizer->how[row].frozen;
}

/* Sum of squares of a chunk, elements that are left out of the norm apart. One of them that is not
 * finite stays in, so that the step is not taken and the element is found and named. */
static double sum_squares_of_rest(const trm_optimizer *optimizer, const trm_real *grads,
                                  int64_t begin, int64_t end) {
  trm_real chunk[TRM_CHUNK];
  double sum;
  memcpy(chunk, grads + begin, (size_t)(end - begin) * sizeof *chunk);
  for (int r = 0; r < optimizer->params->n_rows; ++r) {
    const trm_param *row = &optimizer->params->rows[r];
    if (!left_out(optimizer, r)) continue;
    const int64_t from = row->offset > begin ? row->offset : begin;
    const int64_t to = row->offset + row->n < end ? row->offset + row->n : end;
    for (int64_t i = from; i < to; ++i) {
      if (isfinite(chunk[i - begin])) chunk[i - begin] = 0;
    }
  }
  trm_sum_squares_chunks(&sum, chunk, end - begin);
  return sum;
}

static bool leaves_out(const trm_optimizer *optimizer, int64_t begin, int64_t end) {
  for (int r = 0; r < optimizer->params->n_rows; ++r) {
    const trm_param *row = &optimizer->params->rows[r];
    if (left_out(optimizer, r) && row->offset < end && row->offset + row->n > begin) return true;
  }
  return false;
}

void trm_optimizer_sum_squares_chunks(const trm_optimizer *optimizer, double *sums,
                                      const trm_real *grads, int64_t begin, int64_t end) {
  TRM_ASSERT(begin % TRM_CHUNK == 0);
  trm_sum_squares_chunks(sums, grads + begin, end - begin);
  if (!leaves_out(optimizer, begin, end)) return;
  for (int64_t from = begin; from < end; from += TRM_CHUNK) {
    const int64_t to = from + TRM_CHUNK < end ? from + TRM_CHUNK : end;
    if (!leaves_out(optimizer, from, to)) continue;
    sums[(from - begin) / TRM_CHUNK] = sum_squares_of_rest(optimizer, grads, from, to);
  }
}

/* Chunk by chunk, in order: the same bits as from chunks that ranks have summed (sharded.c). */
static double sum_squares(const trm_optimizer *optimizer, const trm_real *grads) {
  enum { GROUP = 512 };
  const int64_t n = optimizer->params->n_elements, group = GROUP * (int64_t)TRM_CHUNK;
  double sum = 0, sums[GROUP];
  for (int64_t begin = 0; begin < n; begin += group) {
    const int64_t end = begin + group < n ? begin + group : n;
    trm_optimizer_sum_squares_chunks(optimizer, sums, grads, begin, end);
    for (int64_t k = 0; begin + k * TRM_CHUNK < end; ++k) sum += sums[k];
  }
  return sum;
}

/* ---- the update ------------------------------------------------------------------------------ */

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
  trm_plugged_span own = plugged_span(o, s.first, s.from, s.to - s.from, s.kept);
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
  if (how->l1 > 0) trm_shrink(w, rate_of(o, lr) * how->l1, n);
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
    const int64_t n = all.to - s.from < PIECE ? all.to - s.from : PIECE;
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

void trm_optimizer_fix_rate(trm_optimizer *optimizer, double rate) {
  optimizer->fixed_rate = rate;
}

static double scheduled_rate(const trm_optimizer *optimizer, int64_t step) {
  if (!isnan(optimizer->fixed_rate)) return optimizer->fixed_rate;
  return trm_schedule_lr_after(optimizer->config, &optimizer->schedule, step);
}

bool trm_optimizer_is_plugged(const trm_optimizer *optimizer) {
  return optimizer->plugged != NULL;
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
  trm_optimizer_apply(optimizer, grads, sum_squares(optimizer, grads), count, step, info);
  if (!info->finite) info->bad_element = trm_find_not_finite(grads, n);
}
