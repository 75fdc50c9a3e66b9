/** Operations of augmentation: what one is, for the files that define them. */
#ifndef TRIREME_INPUT_AUGMENT_INTERNAL_H
#define TRIREME_INPUT_AUGMENT_INTERNAL_H

#include "trireme/core/random.h"
#include "trireme/input/augment.h"

/** Where the draws of one operation for one sample come from. */
typedef struct trm_augment_draw {
  uint64_t seed, place; /* place of the operation in the list */
  trm_augment_sample of;
} trm_augment_draw;

/** Numbers of (seed, epoch, place); the counter is (sample, position). */
static inline trm_random_key trm_augment_key(const trm_augment_draw *d) {
  return trm_random_key_make(d->seed, TRM_RANDOM_AUGMENT, (uint64_t)d->of.epoch, d->place);
}
/** Uniform in [low, high). */
static inline double trm_augment_between(const trm_augment_draw *d, uint64_t position, double low,
                                         double high) {
  const double u = trm_random_uniform(trm_augment_key(d), (uint64_t)d->of.sample, position);
  return low + (high - low) * u;
}
/** A whole number in [0, n). */
static inline int64_t trm_augment_below(const trm_augment_draw *d, uint64_t position, int64_t n) {
  return (int64_t)trm_random_below(trm_augment_key(d), (uint64_t)d->of.sample, position,
                                   (uint64_t)n);
}

/** An image that is worked on in place; `scratch` has as many numbers as `pixels`. */
typedef struct trm_augment_picture {
  float *pixels, *scratch; /* [height, width, channels] in [0, 1] */
  int64_t height, width, channels;
  const float *fill; /* [channels] */
} trm_augment_picture;
/** Copies the pixels to the scratch. */
void trm_augment_picture_keep(const trm_augment_picture *p);

static inline float trm_augment_unit(float x) {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}

/** What a list gives an operation. */
typedef struct trm_augment_given {
  double number;
  bool word; /* the operation's word stood behind the number */
} trm_augment_given;

/** An operation: a table. At least one of the functions, or `mixes`. */
typedef struct trm_augment_op {
  const char *name;
  const char *number;   /* what help calls its number; NULL: it has none */
  double min, max;      /* of the number */
  const char *fallback; /* the number when none is given, as text; NULL: it must be given */
  bool whole;           /* the number is a whole one */
  const char *word;     /* may follow the number; NULL: no word may */
  const char *help;
  void (*image)(trm_augment_given given, const trm_augment_draw *draw, trm_augment_picture *p);
  void (*row)(trm_augment_given given, const trm_augment_draw *draw, float *numbers, int64_t n);
  void (*tokens)(trm_augment_given given, const trm_augment_draw *draw, int32_t *tokens, int64_t *n,
                 int32_t unk);
  double (*mix)(trm_augment_given given, const trm_augment_draw *draw); /* images and rows; see
                                                              trm_augment_mix */
  bool needs_unk;
} trm_augment_op;

#define TRM_AUGMENT_OP(name) extern const trm_augment_op trm_augment_op_##name;
#include "augment_list.h"
#undef TRM_AUGMENT_OP

#endif
