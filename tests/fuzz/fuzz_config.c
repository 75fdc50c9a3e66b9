/* A configuration from a stranger: the YAML reader, the checks, and the texts of lists in it. What was
 * read is written and read again, and must be the same. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "trireme/core/memory.h"
#include "trireme/input/augment.h"
#include "trireme/train/keys.h"

static void expect_same(const trm_config *config) {
  char *text = NULL;
  trm_config *again = NULL;
  trm_config_change change;
  if (trm_config_text(config, false, &text) != TRM_OK) abort();
  if (trm_program_config(&again) != TRM_OK) abort();
  if (trm_config_read_text(again, text, "again") != TRM_OK) abort();
  if (trm_config_difference(config, again, NULL, &change)) abort();
  trm_config_destroy(&again);
  TRM_FREE(text);
}

static void make_augment(const trm_config *config) {
  trm_augment *augment = NULL;
  for (int input = 0; input < 2; ++input) {
    if (!trm_config_used(config, "data.augment")) return;
    const char *list = trm_config_string(config, "data.augment");
    if (trm_augment_create("data.augment", list, (trm_augment_input)input, 1, &augment) == TRM_OK) {
      trm_augment_destroy(&augment);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const kinds[] = {"text", "samples", "graph", "graphs", "interactions"};
  fuzz_input in = {data, size};
  const uint32_t kind = fuzz_take(&in, 1);
  const int64_t blocks = fuzz_blocks();
  trm_config *config = NULL;
  char *text = fuzz_text(in);
  if (trm_program_config(&config) != TRM_OK) abort();
  if (trm_config_read_text(config, text, "fuzz.yaml") == TRM_OK) {
    trm_config_tell(config, "data", kinds[kind % 5]);
    trm_config_drop_idle(config);
    if (trm_config_check(config) == TRM_OK) {
      make_augment(config);
      expect_same(config);
    }
  }
  trm_config_destroy(&config);
  free(text);
  fuzz_expect_blocks(blocks);
  return 0;
}
