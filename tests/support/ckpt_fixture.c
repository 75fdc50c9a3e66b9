#include "ckpt_fixture.h"

#include <math.h>
#include <string.h>

#include "check.h"

static char config_text[] = "model:\n  layers: 2\n", version[] = "0.1.0-test", print[] = "isa blas";
static int64_t offsets[] = {0, 1, 3, 3, 6};
static char vocab_bytes[] = "a\xc3\xa4zzz";

static float weight(int64_t step, int i) {
  return (float)step * 0.5f + (float)i / 1024.0f;
}

static void lay_out(ckpt_fixture *f) {
  static const trm_region regions[FIXTURE_REGIONS] = {
      {.name = "model/blocks/0/w", .n_dims = 2, .dims = {64, 32}},
      {.name = "model/blocks/0/b", .n_dims = 1, .dims = {130}},
      {.name = "optimizer/m/blocks/0/w", .n_dims = 2, .dims = {64, 32}},
      {.name = "optimizer/t", .n_dims = 0, .dims = {0}},
  };
  float *at = f->data;
  for (int i = 0; i < FIXTURE_REGIONS; ++i) {
    int64_t n = 1;
    f->regions[i] = regions[i];
    f->regions[i].data = at;
    for (int d = 0; d < regions[i].n_dims; ++d) n *= regions[i].dims[d];
    at += n;
  }
}

void ckpt_fixture_fill(ckpt_fixture *f, int64_t step) {
  lay_out(f);
  for (int i = 0; i < FIXTURE_FLOATS; ++i) f->data[i] = weight(step, i);
  f->info = (trm_ckpt_info){.step = step,
                            .seed = UINT64_MAX - (uint64_t)step,
                            .data_digest = 0x123456789abcdef0u,
                            .weights_hash = 0xfedcba9876543210u + (uint64_t)step,
                            .samples_hash = 7 * (uint64_t)step,
                            .best_value = step == 0 ? NAN : 1.0 / (double)step,
                            .best_step = step / 2,
                            .eval_step = step - 1,
                            .config_text = config_text,
                            .program_version = version,
                            .fingerprint = print};
  trm_facts *facts = &f->info.facts;
  *facts = (trm_facts){.block = f->facts, .capacity_bytes = sizeof f->facts};
  (void)CHECK_OK(trm_facts_put_int(facts, "vocab", 4));
  (void)CHECK_OK(trm_facts_put_text(facts, "vocab_unit", "char"));
  (void)CHECK_OK(trm_facts_put_array(facts, "vocab/offsets", TRM_DTYPE_I64, 5, offsets));
  (void)CHECK_OK(trm_facts_put_array(facts, "vocab/bytes", TRM_DTYPE_U8, 6, vocab_bytes));
}

void ckpt_fixture_clear(ckpt_fixture *f) {
  lay_out(f);
  for (int i = 0; i < FIXTURE_FLOATS; ++i) f->data[i] = NAN;
}

bool ckpt_fixture_has_weights(const ckpt_fixture *f, int64_t step) {
  for (int i = 0; i < FIXTURE_FLOATS; ++i) {
    const float want = weight(step, i);
    if (memcmp(&f->data[i], &want, sizeof want) != 0) return false;
  }
  return true;
}

static bool same_facts(const trm_facts *facts) {
  int64_t n_offsets, n_bytes;
  const char *unit = trm_facts_text(facts, "vocab_unit");
  const void *found = trm_facts_array(facts, "vocab/offsets", TRM_DTYPE_I64, &n_offsets);
  const void *bytes = trm_facts_array(facts, "vocab/bytes", TRM_DTYPE_U8, &n_bytes);
  return trm_facts_int(facts, "vocab", -1) == 4 && unit && strcmp(unit, "char") == 0 && found &&
         n_offsets == 5 && memcmp(found, offsets, sizeof offsets) == 0 && bytes && n_bytes == 6 &&
         memcmp(bytes, vocab_bytes, 6) == 0;
}

bool ckpt_fixture_has_facts(const trm_ckpt_info *info, int64_t step) {
  const double loss = step == 0 ? NAN : 1.0 / (double)step;
  const bool same_loss =
      isnan(loss) ? isnan(info->best_value) : info->best_value >= loss && info->best_value <= loss;
  return info->step == step && info->seed == UINT64_MAX - (uint64_t)step && same_loss &&
         info->data_digest == 0x123456789abcdef0u &&
         info->weights_hash == 0xfedcba9876543210u + (uint64_t)step &&
         info->samples_hash == 7 * (uint64_t)step && info->best_step == step / 2 &&
         info->eval_step == step - 1 && same_facts(&info->facts) &&
         strcmp(info->config_text, config_text) == 0 &&
         strcmp(info->program_version, version) == 0 && strcmp(info->fingerprint, print) == 0;
}
