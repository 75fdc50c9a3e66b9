/* What a checkpoint says of data and vocabularies, where its digests are right but its words are not: what
 * evaluating, predicting and transferring believe of it.
 *
 * The first byte chooses a good data set, whose facts they are; what follows are edits of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/train/tasks/samples/sample_facts.h"
#include "../../src/train/tasks/samples/value_facts.h"
#include "../../src/train/tasks/text/vocab_facts.h"
#include "fuzz.h"
#include "small_sets.h"
#include "trireme/core/memory.h"

enum { N_SETS = 4, MOST_BYTES = 4096 };

typedef struct good_set {
  char path[256];
  trm_facts facts;
} good_set;

static const small_set which[N_SETS] = {SMALL_LABELLED, SMALL_PAIRS, SMALL_TABLE, SMALL_IMAGES};
static good_set sets[N_SETS];

/* ---- good ones -------------------------------------------------------------------------------- */

static void must(bool good) {
  if (good) return;
  (void)fprintf(stderr, "%s\n", trm_message());
  abort();
}

static void make_sets(void) {
  char name[16];
  for (int i = 0; i < N_SETS; ++i) {
    trm_samples *data = NULL;
    trm_sample_scale scale = {0};
    trm_ids ids;
    (void)snprintf(name, sizeof name, "set%d.h5", i);
    (void)snprintf(sets[i].path, sizeof sets[i].path, "%s", fuzz_path(name));
    small_set_make(which[i], fuzz_folder(), sets[i].path);
    must(trm_samples_open(sets[i].path, &data) == TRM_OK);
    must(trm_samples_split(data, 0, TRM_SUBSET_TRAIN, &ids) == TRM_OK);
    must(trm_sample_scale_fit(data, ids, &scale) == TRM_OK);
    const trm_sample_view view = {.data = data, .scale = &scale, .deviation = 1};
    must(trm_sample_facts_put(&sets[i].facts, &view) == TRM_OK);
    must(trm_value_facts_put(&sets[i].facts, &view) == TRM_OK);
    trm_sample_scale_free(&scale);
    trm_samples_close(&data);
  }
}

/* ---- edits ------------------------------------------------------------------------------------- */

/* A fact of the good ones with an edit, into *to. */
static void put(trm_facts *to, const trm_fact *fact, fuzz_input *in) {
  const uint32_t way = fuzz_take(in, 1);
  unsigned char bytes[MOST_BYTES] = {0};
  const size_t unit = fact->type == TRM_FACT_ARRAY ? trm_dtype_bytes((trm_dtype)fact->dtype) : 1;
  int64_t n = fact->n;
  const size_t had = fact->type == TRM_FACT_INT ? sizeof(int64_t) : (size_t)n * unit;
  must(had < sizeof bytes);
  memcpy(bytes, trm_fact_data(fact), had);
  if (way >= 240) return; /* left out */
  if (way & 1) n = fuzz_take(in, 1) % 64;
  if ((size_t)n * unit >= sizeof bytes) n = 0;
  for (uint32_t edits = way >> 1 & 3; edits > 0; --edits) {
    const size_t at = fuzz_take(in, 2) % 512;
    bytes[at] = (unsigned char)fuzz_take(in, 1);
  }
  if (fact->type == TRM_FACT_INT) {
    int64_t value;
    memcpy(&value, bytes, sizeof value);
    must(trm_facts_put_int(to, fact->name, value) == TRM_OK);
  } else if (fact->type == TRM_FACT_TEXT) {
    bytes[n] = 0;
    must(trm_facts_put_text(to, fact->name, (const char *)bytes) == TRM_OK);
  } else {
    must(trm_facts_put_array(to, fact->name, (trm_dtype)fact->dtype, n, bytes) == TRM_OK);
  }
}

static void believe(const trm_facts *facts, const good_set *set) {
  static const trm_task_use uses[] = {TRM_USE_TRAIN, TRM_USE_EVALUATE, TRM_USE_PREDICT};
  const char *other;
  trm_sample_facts known;
  trm_samples *data = NULL;
  trm_sample_scale scale = {0};
  int32_t *categories = NULL;
  (void)trm_sample_facts_get(facts, "step.h5", &known);
  (void)trm_sample_facts_same_classes(facts, &set->facts);
  (void)trm_vocab_facts_same(facts, &set->facts);
  (void)trm_value_facts_compare(&set->facts, facts, "step.h5", &other);
  must(trm_samples_open(set->path, &data) == TRM_OK);
  trm_sample_view view = {.data = data, .deviation = 1};
  for (int u = 0; u < 3; ++u) (void)trm_sample_facts_check(facts, "step.h5", uses[u], &view);
  if (trm_value_facts_check(facts, "step.h5", data) == TRM_OK)
    (void)trm_value_facts_take(facts, "step.h5", data, &scale, &categories);
  trm_sample_scale_free(&scale);
  TRM_FREE(categories);
  trm_samples_close(&data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  if (!sets[0].path[0]) make_sets();
  const int64_t blocks = fuzz_blocks();
  const good_set *set = &sets[fuzz_take(&in, 1) % N_SETS];
  trm_facts facts = {0};
  for (const trm_fact *f = NULL; (f = trm_facts_next(&set->facts, f));) put(&facts, f, &in);
  believe(&facts, set);
  trm_facts_free(&facts);
  fuzz_expect_blocks(blocks);
  return 0;
}
