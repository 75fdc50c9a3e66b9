/**
 * Optimizers and schedules of one's own, as shared libraries: the one header such a library needs.
 *
 *   optimizer: {name: plugin, plugin: ./my_optimizer.so, plugin_settings: "nu=0.7, beta=0.99"}
 *   schedule: {name: plugin, plugin: ./my_schedule.so}
 *
 * A library defines TRM_PLUGIN_OPTIMIZER, TRM_PLUGIN_SCHEDULE, or both:
 *
 *   static void step(const trm_plugin_slice *s) {
 *     for (int64_t i = 0; i < s->n; ++i) s->w[i] -= (trm_plugin_real)s->lr * s->g[i];
 *   }
 *   TRM_PLUGIN_OPTIMIZER = {TRM_PLUGIN_OPTIMIZER_HEAD, .name = "plain", .version = "1", .step = step};
 *
 * The trainer divides gradients by their count, clips them, allocates the state arrays, shares them
 * out among ranks, saves and restores them. What a library must keep to, so that a run has the same
 * bits on any number of ranks and threads:
 *
 * - step is element by element: what it makes of element i depends on the arrays at i, on the scalars
 *   and on the parameter alone, never on where a slice begins or ends;
 * - it is called from several threads at once, each with elements of its own: no variables of the
 *   library's own that a step changes, no allocation, no random numbers but from (step, first + i);
 * - it is built without contraction of products and sums (-ffp-contract=off) where bits are to be the
 *   same on other processors.
 *
 * examples/optimizer has one of each. Everything pointed to stays valid as long as the library is
 * loaded; texts are UTF-8.
 */
#ifndef TRIREME_OPTIM_PLUGIN_H
#define TRIREME_OPTIM_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Counts up when a table below changes; a library of another number is refused. */
#define TRM_PLUGIN_ABI 1

enum { TRM_PLUGIN_MAX_STATES = 8, TRM_PLUGIN_MAX_SETTINGS = 32 };

/** Weights, gradients and states: float, in a trainer that is built as usual. */
#if defined(TRM_REAL_IS_DOUBLE) && TRM_REAL_IS_DOUBLE
typedef double trm_plugin_real;
#else
typedef float trm_plugin_real;
#endif

/** A number that the user may set: "nu=0.7" in optimizer.plugin_settings. */
typedef struct trm_plugin_setting {
  const char *name;
  double fallback; /* what it is when it is not given */
  double min, max; /* inclusive */
} trm_plugin_setting;

/** A parameter of the model. */
typedef struct trm_plugin_parameter {
  const char *name; /* path, "blocks/0/attn/qkv/weight" */
  int n_dims;
  int64_t dims[4]; /* row-major, outermost first */
  int64_t n;       /* elements, the product of dims */
} trm_plugin_parameter;

/** Elements [first, first + n) of a parameter. */
typedef struct trm_plugin_slice {
  size_t bytes; /* sizeof(trm_plugin_slice) of the trainer: later ones may add members at the end */
  const trm_plugin_parameter *parameter;
  int64_t first, n;
  trm_plugin_real *w;       /* [n] weights; NULL in init */
  const trm_plugin_real *g; /* [n] gradient: mean over the global batch, clipped; NULL in init */
  trm_plugin_real *const *states; /* n_states arrays, each [n] */
  trm_plugin_real *u;             /* [n] direction to write instead of w; NULL: update w */
  const double *settings;         /* [n_settings] in the order of the table */
  double lr;                      /* of this update, from the schedule */
  double decay;                   /* optimizer.weight_decay, or 0 where it does not apply */
  int64_t step;                   /* number of this update, from 0 */
} trm_plugin_slice;

/** A whole parameter, to be moved along its direction. */
typedef struct trm_plugin_move {
  size_t bytes;
  const trm_plugin_parameter *parameter;
  trm_plugin_real *w;       /* [n] */
  trm_plugin_real *u;       /* [n] what step wrote; may be overwritten */
  trm_plugin_real *scratch; /* [n_scratch(parameter)] */
  const double *settings;
  double lr, decay;
  int64_t step;
} trm_plugin_move;

/** Writes one line of what is wrong with the settings into message[size], and returns 1; 0: nothing. */
typedef int (*trm_plugin_check)(const double *settings, char *message, size_t size);

/** An optimizer. Members left out are 0, which means that there is none. */
typedef struct trm_plugin_optimizer {
  uint32_t abi, real_bytes; /* TRM_PLUGIN_OPTIMIZER_HEAD sets these three */
  uint64_t bytes;
  const char *name, *version; /* both go into checkpoints: a run goes on with the same ones */
  int n_states;               /* 0 to TRM_PLUGIN_MAX_STATES */
  const char *state_names[TRM_PLUGIN_MAX_STATES]; /* letters, digits and _, for checkpoints */
  int n_settings;
  const trm_plugin_setting *settings;
  trm_plugin_check check;
  /** First values of states, which are 0 without it. Once, when training begins. */
  void (*init)(const trm_plugin_slice *slice);
  /** Updates w, or writes the direction u, and updates the states. */
  void (*step)(const trm_plugin_slice *slice);
  /**
   * For updates that need parameters whole, such as norms of matrices: step has written the direction
   * of the parameter, and one rank, whichever, moves it. Not called from several threads. Sums over
   * elements are to be made in a fixed order.
   */
  void (*move)(const trm_plugin_move *move);
  /** Which parameters are moved, 1 or 0; the others are updated by step alone. NULL: all. */
  int (*wants)(const trm_plugin_parameter *parameter);
  /** Elements of scratch that a move needs. */
  int64_t (*n_scratch)(const trm_plugin_parameter *parameter);
} trm_plugin_optimizer;

/** Of a run whose warm-up, if there is one, the trainer makes itself. */
typedef struct trm_plugin_moment {
  size_t bytes;
  const double *settings;
  double base;    /* optimizer.lr */
  int64_t warmup; /* steps of the warm-up */
  int64_t
      length;   /* step at which the schedule ends: schedule.decay_steps, or the steps of the run */
  int64_t step; /* from 0, at least warmup; may be length and more */
} trm_plugin_moment;

/** A schedule: a pure function of what it is given. */
typedef struct trm_plugin_schedule {
  uint32_t abi, real_bytes; /* TRM_PLUGIN_SCHEDULE_HEAD */
  uint64_t bytes;
  const char *name, *version;
  int n_settings;
  const trm_plugin_setting *settings;
  trm_plugin_check check;
  /** Rate of an update, finite and at least 0. */
  double (*lr)(const trm_plugin_moment *moment);
} trm_plugin_schedule;

#if defined(__GNUC__)
#define TRM_PLUGIN_VISIBLE __attribute__((visibility("default")))
#else
#define TRM_PLUGIN_VISIBLE
#endif

/* What the trainer looks for in the library. */
extern TRM_PLUGIN_VISIBLE const trm_plugin_optimizer trm_plugin_optimizer_entry;
extern TRM_PLUGIN_VISIBLE const trm_plugin_schedule trm_plugin_schedule_entry;

#define TRM_PLUGIN_OPTIMIZER const trm_plugin_optimizer trm_plugin_optimizer_entry
#define TRM_PLUGIN_SCHEDULE const trm_plugin_schedule trm_plugin_schedule_entry
#define TRM_PLUGIN_OPTIMIZER_HEAD TRM_PLUGIN_HEAD_OF(trm_plugin_optimizer)
#define TRM_PLUGIN_SCHEDULE_HEAD TRM_PLUGIN_HEAD_OF(trm_plugin_schedule)
#define TRM_PLUGIN_HEAD_OF(type)                                                                   \
  .abi = TRM_PLUGIN_ABI, .real_bytes = sizeof(trm_plugin_real), .bytes = sizeof(type)

#ifdef __cplusplus
}
#endif

#endif
