#include <math.h>

#include "augment_internal.h"

/* Position of a draw, counted on. */
typedef struct stream {
  trm_random_key key;
  uint64_t sample, position;
} stream;

static double next_uniform(stream *s) {
  return 1 - trm_random_uniform(s->key, s->sample, s->position++); /* in (0, 1] */
}

/*
 * Logarithm of a gamma variable of shape `a` > 0; shapes below 1 through a + 1 and a power, which as a
 * logarithm does not underflow.
 * Source: Marsaglia, Tsang 2000, "A simple method for generating gamma variables", ACM TOMS 26(3).
 */
static double log_gamma_variable(stream *s, double a) {
  const double below_one = a < 1 ? log(next_uniform(s)) / a : 0;
  const double d = (a < 1 ? a + 1 : a) - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    const double x = trm_random_normal(s->key, s->sample, s->position++);
    const double root = 1 + c * x, u = next_uniform(s);
    if (root <= 0) continue;
    const double v = root * root * root;
    if (log(u) < 0.5 * x * x + d - d * v + d * log(v)) return log(d * v) + below_one;
  }
}

static double mix(trm_augment_given given, const trm_augment_draw *draw) {
  stream s = {.key = trm_augment_key(draw), .sample = (uint64_t)draw->of.sample};
  const double a = log_gamma_variable(&s, given.number), b = log_gamma_variable(&s, given.number);
  const double more = a > b ? a : b, less = a > b ? b : a;
  return 1 / (1 + exp(less - more));
}

/**
 * Shares of a mixture are l and 1 - l with l of Beta(ALPHA, ALPHA), which is X / (X + Y) of two gamma
 * variables; a sample keeps the larger one of itself, which makes no difference to the mixtures.
 * Source: Zhang, Cisse, Dauphin, Lopez-Paz 2017, arXiv:1710.09412, section 2.
 */
const trm_augment_op trm_augment_op_mixup = {
    .name = "mixup",
    .number = "ALPHA",
    .min = 1e-3,
    .max = 1e3,
    .help = "mixed with the next sample by a share of Beta(ALPHA, ALPHA), targets too; after all "
            "others",
    .mix = mix,
};
