/*
 * Sampling of tokens: frequencies of many draws against the exact probabilities of softmax at a
 * temperature, cut to the top k and then to the nucleus; ties; the order of the cuts.
 */
#include <math.h>

#include "../../src/train/tasks/text/token_sampler.h"
#include "check.h"

enum { V = 6, N_DRAWS = 40000 };

/* In order: 3 (2.0), 0 (1.2), 2 and 4 (0.5 both), 1 (-0.3), 5 (-1.7). */
static const trm_real logits[V] = {1.2F, -0.3F, 0.5F, 2.0F, 0.5F, -1.7F};

static void draw_many(double temperature, int64_t top_k, double top_p, int64_t counts[V]) {
  trm_token_sampler sampler;
  for (int v = 0; v < V; ++v) counts[v] = 0;
  CHECK_OK(trm_token_sampler_create(V, temperature, top_k, top_p, 7, &sampler));
  for (uint64_t i = 0; i < N_DRAWS; ++i) {
    const int32_t token = trm_token_sampler_draw(&sampler, logits, i);
    if (CHECK(token >= 0 && token < V)) ++counts[token];
  }
  trm_token_sampler_free(&sampler);
}

/*
 * Draws are of the tokens in `reachable`, each as often as its share of their softmax says, within
 * five standard deviations of the binomial distribution; others never come.
 */
static void check_frequencies(double temperature, int64_t top_k, double top_p,
                              const bool reachable[V]) {
  int64_t counts[V];
  double p[V], sum = 0;
  for (int v = 0; v < V; ++v) {
    p[v] = reachable[v] ? exp((double)logits[v] / temperature) : 0;
    sum += p[v];
  }
  draw_many(temperature, top_k, top_p, counts);
  for (int v = 0; v < V; ++v) {
    const double share = p[v] / sum;
    const double bound = 5 * sqrt(N_DRAWS * share * (1 - share));
    CHECK_NEAR_AT(counts[v], N_DRAWS * share, bound, v);
  }
}

static const bool all[V] = {true, true, true, true, true, true};
static const bool one[V] = {[3] = true};
static const bool two[V] = {[3] = true, [0] = true};
static const bool three[V] = {[3] = true, [0] = true, [2] = true}; /* of 2 and 4 the first */
static const bool four[V] = {[3] = true, [0] = true, [2] = true, [4] = true};
static const bool five[V] = {true, true, true, true, true, false};

/* Five standard deviations tell temperatures of 0.5, 1 and 2 apart. */
static void check_temperature(void) {
  static const double temperatures[] = {0.5, 1, 2};
  for (int i = 0; i < 3; ++i) {
    check_frequencies(temperatures[i], 0, 1, all);
    check_frequencies(temperatures[i], V, 1, all);
    check_frequencies(temperatures[i], 1000, 1, all);
  }
}

static void check_top_k(void) {
  static const double temperatures[] = {0.5, 1, 2};
  for (int i = 0; i < 3; ++i) {
    check_frequencies(temperatures[i], 1, 1, one);
    check_frequencies(temperatures[i], 2, 1, two);
    check_frequencies(temperatures[i], 3, 1, three);
    check_frequencies(temperatures[i], 4, 1, four);
  }
}

/*
 * Shares in order, summed: temperature 0.5   0.762 0.916 0.954 0.992 1.000 1
 *                          temperature 1     0.495 0.717 0.828 0.938 0.988 1
 *                          temperature 2     0.324 0.541 0.694 0.847 0.949 1
 */
static void check_top_p(void) {
  check_frequencies(0.5, 0, 0.3, one);
  check_frequencies(1, 0, 0.3, one);
  check_frequencies(2, 0, 0.3, one);
  check_frequencies(1, 0, 0.4, one);
  check_frequencies(2, 0, 0.4, two);
  check_frequencies(0.5, 0, 0.9, two);
  check_frequencies(1, 0, 0.9, four);
  check_frequencies(2, 0, 0.9, five);
  check_frequencies(1, 0, 1, all);
}

/*
 * The temperature comes first, so it decides how many reach top_p (above); then top_k, and top_p is a
 * part of what that has left: 0.65 of the 0.717 of two is reached by the first alone, 0.65 of all not.
 */
static void check_order(void) {
  check_frequencies(1, 2, 0.65, one);
  check_frequencies(1, 2, 0.9, two);
  check_frequencies(1, 4, 0.75, two);
  check_frequencies(1, 3, 0.9, three);
  check_frequencies(2, 2, 0.55, one);
  check_frequencies(2, 3, 0.3, one);
  check_frequencies(2, 1, 0.9, one);
  check_frequencies(1, 4, 0.3, one);
}

/* No temperature: the greatest, the first of equals. */
static void check_greedy(void) {
  static const trm_real equal[V] = {-1, 2, 0, 2, 2, 1};
  static const trm_real wide[V] = {-1e30F, 88, 3e38F, -3e38F, 0, 1e30F};
  trm_token_sampler sampler;
  CHECK_OK(trm_token_sampler_create(V, 0, 3, 0.9, 7, &sampler));
  for (uint64_t i = 0; i < 20; ++i) {
    CHECK_EQ(trm_token_sampler_draw(&sampler, equal, i), 1);
    CHECK_EQ(trm_token_sampler_draw(&sampler, wide, i), 2);
  }
  sampler.temperature = sampler.top_p = 1; /* exponentials that overflow would leave no share */
  sampler.top_k = 0;
  for (uint64_t i = 0; i < 20; ++i) CHECK_EQ(trm_token_sampler_draw(&sampler, wide, i), 2);
  trm_token_sampler_free(&sampler);
}

/* A draw is a function of seed and position, whatever was drawn before. */
static void check_keys(void) {
  trm_token_sampler a, b, other;
  int differ = 0;
  CHECK_OK(trm_token_sampler_create(V, 1, 0, 1, 7, &a));
  CHECK_OK(trm_token_sampler_create(V, 1, 0, 1, 7, &b));
  CHECK_OK(trm_token_sampler_create(V, 1, 0, 1, 8, &other));
  for (int i = 0; i < 200; ++i) {
    const int32_t token = trm_token_sampler_draw(&a, logits, (uint64_t)i);
    differ += token != trm_token_sampler_draw(&other, logits, (uint64_t)i);
    (void)trm_token_sampler_draw(&b, logits, (uint64_t)(199 - i));
    CHECK_EQ(trm_token_sampler_draw(&b, logits, (uint64_t)i), token);
  }
  CHECK(differ > 50);
  trm_token_sampler_free(&a);
  trm_token_sampler_free(&b);
  trm_token_sampler_free(&other);
}

int main(void) {
  check_temperature();
  check_top_k();
  check_top_p();
  check_order();
  check_greedy();
  check_keys();
  return check_verdict();
}
