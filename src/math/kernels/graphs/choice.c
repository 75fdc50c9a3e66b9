/** Choices among products: every customer's loss, and slopes in the place of the scores. */
#include "isa.h"

#include <math.h>

#include "real_math.h"
#include "team.h"
#include "trireme/core/batch.h"
#include "trireme/math/choice.h"

#if TRM_REAL_IS_DOUBLE
static trm_real log_one_plus(trm_real x) {
  return log1p(x);
}
static trm_real log_of(trm_real x) {
  return log(x);
}
#else
static trm_real log_one_plus(trm_real x) {
  return log1pf(x);
}
static trm_real log_of(trm_real x) {
  return logf(x);
}
#endif

/* log(1 + e^x) without an exponential that overflows; and its slope, sigmoid(x). */
static trm_real softplus(trm_real x) {
  return (x > 0 ? x : 0) + log_one_plus(trm_exp(x > 0 ? -x : x));
}
static trm_real sigmoid(trm_real x) {
  const trm_real e = trm_exp(x > 0 ? -x : x);
  return x > 0 ? 1 / (1 + e) : e / (1 + e);
}

/* A customer's row. */
typedef struct row {
  trm_real *s; /* [J] */
  const int32_t *bought, *known;
  int64_t n_bought, n_known, J;
  const float *log_shares;
} row;

/* Moves on in a rising list; whether it has j. */
static bool meets(const int32_t *list, int64_t n, int64_t *at, int32_t j) {
  while (*at < n && list[*at] < j) ++*at;
  return *at < n && list[*at] == j;
}

/* ---- softmax ---------------------------------------------------------------------------------- */

/* One of the two lists of a row: what is known, or the rest. */
typedef struct contest {
  trm_real most, others; /* greatest t of all, sum of e^(t - most) of what is not bought */
  trm_real pull;         /* sum over what is bought of w / (its part of the sum and the others') */
} contest;

/* Of the products of the row calls body(j, whether bought) for those of the list, j rising. */
#define FOR_LIST(r, of_known, j, is_bought, ...)                                                   \
  do {                                                                                             \
    int64_t in_known = 0, in_bought = 0;                                                           \
    const int64_t n_here = (of_known) ? (r)->n_known : (r)->J;                                     \
    for (int64_t i = 0; i < n_here; ++i) {                                                         \
      const int32_t j = (of_known) ? (r)->known[i] : (int32_t)i;                                   \
      const bool is_bought = meets((r)->bought, (r)->n_bought, &in_bought, j);                     \
      if (!(of_known) && meets((r)->known, (r)->n_known, &in_known, j)) continue;                  \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  } while (0)

/* t - most of product j: what is larger than all is infinite. */
static trm_real lifted(const row *r, const contest *c, int32_t j) {
  return r->s[j] - (trm_real)r->log_shares[j] - c->most;
}

static trm_real softmax_list(const row *r, bool of_known, trm_real weight) {
  contest c = {.most = -(trm_real)INFINITY};
  trm_real loss = 0;
  int64_t n = 0;
  FOR_LIST(r, of_known, j, is_bought, {
    const trm_real t = r->s[j] - (trm_real)r->log_shares[j];
    if (!(t <= c.most)) c.most = t; /* NaN too */
    n += is_bought;
  });
  FOR_LIST(r, of_known, j, is_bought, {
    if (is_bought || n == 0) continue;
    c.others += trm_exp(lifted(r, &c, j));
  });
  FOR_LIST(r, of_known, j, is_bought, {
    if (!is_bought) continue;
    const trm_real t = lifted(r, &c, j), all = trm_exp(t) + c.others;
    loss += weight * (log_of(all) - t);
    c.pull += weight / all;
  });
  FOR_LIST(r, of_known, j, is_bought, {
    const trm_real t = n == 0 ? 0 : lifted(r, &c, j), e = n == 0 ? 0 : trm_exp(t);
    r->s[j] = is_bought ? -weight * (c.others / (e + c.others)) : e * c.pull;
  });
  return loss;
}

/* ---- pairs, each ------------------------------------------------------------------------------ */

/* A product may be in several pairs: as bought in one, as a rival of several. */
static trm_real pairs(const row *r, const int32_t *rivals, trm_real weight) {
  trm_real loss = 0;
  for (int64_t i = 0; i < r->n_bought; ++i) {
    if (rivals[i] < 0) continue;
    loss += weight * softplus(r->s[rivals[i]] - r->s[r->bought[i]]);
  }
  return loss;
}

static trm_real pair_slope(const row *r, const int32_t *rivals, int64_t i, trm_real weight) {
  return rivals[i] < 0 ? 0 : weight * sigmoid(r->s[rivals[i]] - r->s[r->bought[i]]);
}

/* Slopes of the scores; a rival's is the sum of those of its pairs, in their order. */
static void pair_slopes(const row *r, const int32_t *rivals, trm_real weight, trm_real *slopes) {
  for (int64_t i = 0; i < r->n_bought; ++i) slopes[i] = pair_slope(r, rivals, i, weight);
  for (int64_t j = 0; j < r->J; ++j) r->s[j] = 0;
  for (int64_t i = 0; i < r->n_bought; ++i) {
    if (rivals[i] < 0) continue;
    r->s[r->bought[i]] -= slopes[i];
    r->s[rivals[i]] += slopes[i];
  }
}

static trm_real each(const row *r) {
  trm_real loss = 0;
  int64_t at = 0;
  for (int64_t j = 0; j < r->J; ++j) {
    const trm_real s = r->s[j];
    if (meets(r->bought, r->n_bought, &at, (int32_t)j)) {
      loss += softplus(-s);
      r->s[j] = -sigmoid(-s);
    } else {
      const float share = r->log_shares[j];
      const trm_real w = share == 0 ? 1 : trm_exp(-(trm_real)share);
      loss += w * softplus(s);
      r->s[j] = w * sigmoid(s);
    }
  }
  return loss;
}

/* ---- rows ------------------------------------------------------------------------------------- */

static row row_of(trm_real *s, const trm_choices *c, int64_t u) {
  const int64_t bought = c->bought.offsets[u], known = c->known.offsets[u];
  return (row){.s = s + u * c->n_products,
               .bought = c->bought.columns + bought,
               .known = c->known.columns + known,
               .n_bought = c->bought.offsets[u + 1] - bought,
               .n_known = c->known.offsets[u + 1] - known,
               .J = c->n_products,
               .log_shares = c->log_shares};
}

/* Biases, and habits of what is known. */
static void complete(const row *r, const trm_choice_scores *scores, const trm_real *h,
                     const float *habits, int64_t K) {
  for (int64_t j = 0; j < r->J; ++j) r->s[j] += scores->bias[j] + h[0];
  for (int64_t i = 0; i < r->n_known; ++i) {
    trm_real sum = 0;
    for (int64_t k = 0; k < K; ++k) sum = trm_fma(sum, (trm_real)habits[i * K + k], h[1 + k]);
    r->s[r->known[i]] += sum;
  }
}

/* What is the same for all products of a customer cancels out where they compete: the sum of their slopes
 * is 0, of which rounding would leave something that Adam would take for a gradient. */
static void gather(const row *r, const float *habits, int64_t K, bool compete, trm_real *dh) {
  for (int64_t k = 0; k <= K; ++k) dh[k] = 0;
  for (int64_t j = 0; j < r->J && !compete; ++j) dh[0] += r->s[j];
  for (int64_t i = 0; i < r->n_known; ++i) {
    for (int64_t k = 0; k < K; ++k) {
      dh[1 + k] = trm_fma(dh[1 + k], (trm_real)habits[i * K + k], r->s[r->known[i]]);
    }
  }
}

void trm_choice_complete(trm_real *s, const trm_choices *choices, const trm_choice_scores *scores) {
  const int64_t n = choices->n_customers, K = choices->n_habits;
#pragma omp parallel for schedule(static) num_threads(trm_team(n, n * choices->n_products))
  for (int64_t u = 0; u < n; ++u) {
    const row r = row_of(s, choices, u);
    complete(&r, scores, scores->customers + u * scores->step,
             choices->habits + choices->known.offsets[u] * K, K);
  }
}

void trm_choice(trm_real *s, trm_real *losses, trm_real *dh, trm_real *scratch,
                const trm_choices *choices, const trm_real *weights, trm_choice_loss kind) {
  const int64_t n = choices->n_customers, K = choices->n_habits;
#pragma omp parallel for schedule(static) num_threads(trm_team(n, 32 * n * choices->n_products))
  for (int64_t u = 0; u < n; ++u) {
    const row r = row_of(s, choices, u);
    const int64_t at = choices->bought.offsets[u];
    if (kind == TRM_CHOICE_SOFTMAX) {
      losses[u] = softmax_list(&r, false, weights[u]);
      losses[u] += softmax_list(&r, true, weights[u]);
    } else if (kind == TRM_CHOICE_PAIRS) {
      losses[u] = pairs(&r, choices->rivals + at, weights[u]);
      pair_slopes(&r, choices->rivals + at, weights[u], scratch + at);
    } else {
      losses[u] = each(&r);
    }
    gather(&r, choices->habits + choices->known.offsets[u] * K, K, kind != TRM_CHOICE_EACH,
           dh + u * (1 + K));
  }
}
