#include "ckpt_fixture.h"

#include <math.h>
#include <string.h>

static char config_text[] = "model:\n  layers: 2\n", version[] = "0.1.0-test", print[] = "isa blas";
static int64_t offsets[] = {0, 1, 3, 3, 6};
static char vocab_bytes[] = "a\xc3\xa4zzz";

static float weight(int64_t step, int i) {
  return (float)step * 0.5f + (float)i / 1024.0f;
}

static void lay_out(ckpt_fixture *f) {
  static const trm_region regions[FIXTURE_REGIONS] = {
      {"model/blocks/0/w", 2, {64, 32}, NULL},
      {"model/blocks/0/b", 1, {130}, NULL},
      {"optimizer/m/blocks/0/w", 2, {64, 32}, NULL},
      {"optimizer/t", 0, {0}, NULL},
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
                            .best_loss = step == 0 ? NAN : 1.0 / (double)step,
                            .best_step = step / 2,
                            .eval_step = step - 1,
                            .vocab = 4,
                            .config_text = config_text,
                            .program_version = version,
                            .fingerprint = print,
                            .vocab_unit = "char",
                            .vocab_offsets = offsets,
                            .vocab_bytes = vocab_bytes};
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

bool ckpt_fixture_has_facts(const trm_ckpt_info *info, int64_t step) {
  const double loss = step == 0 ? NAN : 1.0 / (double)step;
  const bool same_loss =
      isnan(loss) ? isnan(info->best_loss) : info->best_loss >= loss && info->best_loss <= loss;
  return info->step == step && info->seed == UINT64_MAX - (uint64_t)step && same_loss &&
         info->data_digest == 0x123456789abcdef0u &&
         info->weights_hash == 0xfedcba9876543210u + (uint64_t)step &&
         info->samples_hash == 7 * (uint64_t)step && info->best_step == step / 2 &&
         info->eval_step == step - 1 && info->vocab == 4 &&
         strcmp(info->config_text, config_text) == 0 &&
         strcmp(info->program_version, version) == 0 && strcmp(info->fingerprint, print) == 0 &&
         strcmp(info->vocab_unit, "char") == 0 &&
         memcmp(info->vocab_offsets, offsets, sizeof offsets) == 0 &&
         memcmp(info->vocab_bytes, vocab_bytes, 6) == 0;
}
