/** What the files about text share: the data set, reading its tokens. */
#ifndef TRIREME_INPUT_TEXT_INTERNAL_H
#define TRIREME_INPUT_TEXT_INTERNAL_H

#include "trireme/input/data_file.h"
#include "trireme/input/dataset.h"
#include "trireme/input/package_relations.h"
#include "trireme/io/container.h"

/* Token arrays up to this many bytes are kept in memory once they have been checked: README.md has
 * the measurement and the reasons. Past this size a copy on every rank costs more than it saves. */
#define TRM_CACHE_BYTES (INT64_C(64) << 20)

/** What /debian holds, counted when the file was checked. */
typedef struct trm_debian_counts {
  bool present;
  int64_t n_packages, n_sections, n_edges[TRM_N_RELATIONS];
  int64_t n_virtual[TRM_N_RELATIONS], n_unresolved[TRM_N_RELATIONS];
} trm_debian_counts;

typedef struct trm_token_range {
  int64_t begin, n;
  int64_t characters; /* of its text, -1: it is not said */
} trm_token_range;

struct trm_dataset {
  trm_container *file;
  char *path, *source, *created_by;
  trm_vocab vocab;
  trm_dtype stored; /* type of /tokens in the file */
  trm_dtype narrow; /* type in memory: the smallest that holds the vocabulary */
  int64_t n_tokens;
  trm_token_range subset[TRM_N_TEXT_SUBSETS];
  void *cache; /* [n_tokens] narrow, or NULL: read from the file */
  uint64_t digest;
  trm_debian_counts debian;
};

/** Reads tokens [first, first + n) of /tokens, from memory or from the file. Any thread. */
trm_status trm_dataset_tokens_read(trm_dataset *dataset, int64_t first, int64_t n, int32_t *out);

/** Checks /tokens against the vocabulary in one pass; fills cache and digest. */
trm_status trm_dataset_tokens_scan(trm_dataset *dataset);

/** Checks the group /debian and counts what it holds. */
trm_status trm_debian_check(trm_dataset *dataset);

/** The arithmetic of trm_dataset_locate for a split of n tokens, without a data set. */
void trm_windows_locate(int64_t n, uint64_t seed, int64_t T, int64_t index, int64_t *epoch,
                        int64_t *window, int64_t *token);

#endif
