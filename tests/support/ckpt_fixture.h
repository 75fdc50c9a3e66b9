/** A small model's worth of checkpoint for tests: contents that follow from the step alone. */
#ifndef TRIREME_TESTS_CKPT_FIXTURE_H
#define TRIREME_TESTS_CKPT_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/ckpt/ckpt.h"

enum { FIXTURE_REGIONS = 4, FIXTURE_FLOATS = 64 * 32 + 130 + 64 * 32 + 1 };

typedef struct ckpt_fixture {
  float data[FIXTURE_FLOATS];
  trm_region regions[FIXTURE_REGIONS];
  trm_ckpt_info info;
  _Alignas(16) unsigned char facts[1024]; /* info's */
} ckpt_fixture;

/** Weights and facts as they are after `step`. What info points to is the fixture's: not to be freed. */
void ckpt_fixture_fill(ckpt_fixture *fixture, int64_t step);
/** NaN everywhere, to be read into. */
void ckpt_fixture_clear(ckpt_fixture *fixture);
/** Whether weights, or facts, are those of `step` in every bit. */
bool ckpt_fixture_has_weights(const ckpt_fixture *fixture, int64_t step);
bool ckpt_fixture_has_facts(const trm_ckpt_info *info, int64_t step);

#endif
