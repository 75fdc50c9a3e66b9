/* The search for a learning rate: the ramp, where it ends, and what is read from the curve. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "rate_search.h"
#include "trireme/core/memory.h"
#include "trireme/train/find_lr.h"

enum { STEPS = 100 };

static void test_ramp(void) {
  const trm_rate_search search = {.from = 1e-6, .to = 10, .n_steps = 8};
  for (int i = 0; i < 8; ++i) {
    CHECK_NEAR(trm_rate_search_rate(&search, i) / pow(10, i - 6), 1, 1e-12);
  }
  CHECK(trm_rate_search_rate(&search, 7) == 10);
  CHECK(trm_rate_search_rate(&search, 8) == 10);
}

static void test_end(void) {
  double losses[STEPS + 1];
  trm_rate_search search = {.from = 1e-6, .to = 1, .n_steps = STEPS, .losses = losses};
  for (int i = 0; i < STEPS; ++i) trm_rate_search_note(&search, 2, true);
  CHECK(!search.over && !search.diverged);
  trm_rate_search_note(&search, 2, true);
  CHECK(search.over && !search.diverged && search.n == STEPS + 1);

  search = (trm_rate_search){.n_steps = STEPS, .losses = losses};
  trm_rate_search_note(&search, 2, true);
  trm_rate_search_note(&search, (double)NAN, true);
  CHECK(search.over && search.diverged && search.n == 1);

  search = (trm_rate_search){.n_steps = STEPS, .losses = losses};
  trm_rate_search_note(&search, 2, false);
  CHECK(search.over && search.diverged && search.n == 0);

  /* Mean 1, then losses of 10: 1 + 9 (1 - 0.9^k) is above 4 at k = 4; weights of all are past 0.999. */
  search = (trm_rate_search){.n_steps = 1000, .losses = malloc(1001 * sizeof(double))};
  for (int i = 0; i < 100; ++i) trm_rate_search_note(&search, 1, true);
  for (int i = 0; i < 3; ++i) trm_rate_search_note(&search, 10, true);
  CHECK(!search.over);
  trm_rate_search_note(&search, 10, true);
  CHECK(search.over && search.diverged && search.n == 104);
  free(search.losses);
}

/* A fall of the shape of a logistic curve around rate 1e-3, and a rise around 1e-1, in decades. */
static double loss_at(double rate) {
  const double x = log10(rate);
  return 3 - 2 / (1 + exp(-4 * (x + 3))) + 6 / (1 + exp(-8 * (x + 1)));
}

static void make(double noise, bool flat, trm_rate_curve *curve) {
  double rates[STEPS + 1], losses[STEPS + 1];
  const trm_rate_search search = {.from = 1e-6, .to = 1, .n_steps = STEPS};
  losses[0] = 3;
  for (int i = 0; i <= STEPS; ++i) rates[i] = trm_rate_search_rate(&search, i);
  for (int i = 0; i < STEPS; ++i) {
    losses[i + 1] = (flat ? 3 : loss_at(rates[i])) + (i % 2 ? noise : -noise);
  }
  CHECK_OK(trm_rate_curve_make(rates, losses, STEPS + 1, false, curve));
}

static void test_curve(void) {
  trm_rate_curve c;
  double low, high;
  for (int k = 0; k < 2; ++k) {
    make(k * 0.1, false, &c);
    CHECK_EQ(c.n, STEPS);
    CHECK(c.fell);
    CHECK_NEAR(log10(c.rates[c.steepest]), -3, 0.1);
    CHECK_NEAR(log10(c.rates[c.lowest]), -1.8, 0.3);
    CHECK(c.suggestion == fmin(c.rates[c.steepest], c.rates[c.lowest] / 10));
    trm_rate_curve_range(&c, &low, &high);
    CHECK(low == c.smooth[c.lowest] && high > 3 && high < 4);
    trm_rate_curve_free(&c);
  }
  make(0.1, true, &c); /* scatter is no fall */
  CHECK(!c.fell && c.suggestion == 0 && c.steepest == -1);
  trm_rate_curve_range(&c, &low, &high);
  CHECK(low < high);
  trm_rate_curve_free(&c);
}

/* It diverged at once: nothing to say, and nothing that breaks. */
static void test_short(void) {
  const double rates[] = {1, 2, 3}, losses[] = {2, 3, 9};
  for (int64_t n = 0; n <= 3; ++n) {
    trm_rate_curve c;
    char *text = NULL;
    size_t bytes = 0;
    CHECK_OK(trm_rate_curve_make(rates, losses, n, true, &c));
    CHECK(!c.fell && c.suggestion == 0);
    FILE *file = open_memstream(&text, &bytes);
    trm_rate_curve_write_csv(&c, file);
    trm_rate_curve_write_svg(&c, "a < b & c", file);
    CHECK_EQ(fclose(file), 0);
    CHECK_HAS(text, "step,lr,loss,smooth_loss\n");
    CHECK_HAS(text, "a &lt; b &amp; c");
    CHECK(!strstr(text, "nan") && !strstr(text, "inf"));
    free(text);
    trm_rate_curve_free(&c);
  }
}

int main(void) {
  test_ramp();
  test_end();
  test_curve();
  test_short();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
