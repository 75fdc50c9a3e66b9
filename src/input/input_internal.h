/** What the files of `input` share: the data set, its vocabulary, reading its tokens. */
#ifndef TRIREME_INPUT_INPUT_INTERNAL_H
#define TRIREME_INPUT_INPUT_INTERNAL_H

#include "trireme/input/dataset.h"
#include "trireme/io/container.h"

enum {
  TRM_FORMAT_VERSION = 1,
  /* Most distinct characters that `prepare` writes: token ids are stored in 16 bits. */
  TRM_MAX_CHARS = 65535,
  /* Tokens are read, checked, hashed and written in pieces of this many. The digest chains over
   * the pieces, so the number is part of its definition. */
  TRM_PIECE_TOKENS = 1 << 20,
  /* Longest name of a kind that is told apart, and its 0. */
  TRM_KIND_BYTES = 32,
};

/* Token arrays up to this many bytes are kept in memory once they have been checked: README.md has
 * the measurement and the reasons. Past this size a copy on every rank costs more than it saves. */
#define TRM_CACHE_BYTES (INT64_C(64) << 20)

enum { TRM_N_RELATIONS = 4 };
/** Kinds of package relations, strongest first, as the groups below /debian are called. */
extern const char *const trm_relation_names[TRM_N_RELATIONS];

/** What /debian holds, counted when the file was checked. */
typedef struct trm_debian_counts {
  bool present;
  int64_t n_packages, n_sections, n_edges[TRM_N_RELATIONS];
  int64_t n_virtual[TRM_N_RELATIONS], n_unresolved[TRM_N_RELATIONS];
} trm_debian_counts;

struct trm_dataset {
  trm_container *file;
  char *path, *source, *created_by;
  trm_vocab vocab;
  trm_dtype stored; /* type of /tokens in the file */
  trm_dtype narrow; /* type in memory: the smallest that holds the vocabulary */
  int64_t n_tokens;
  struct {
    int64_t begin, n;
  } split[TRM_N_SPLITS];
  void *cache; /* [n_tokens] narrow, or NULL: read from the file */
  uint64_t digest;
  trm_debian_counts debian;
};

/** Checks the root's format and reads its kind, escaped and cut. */
trm_status trm_dataset_kind_read(trm_container *file, const char *path, char kind[TRM_KIND_BYTES]);
/** Text attribute of the root that may be absent: then "". */
trm_status trm_note_read(trm_container *file, const char *name, char **text);
/** Closes after a reading that ended with `status`: returns that failure with its message, if it is
 *  one, else that of closing. */
trm_status trm_input_close(trm_container **file, trm_status status);

/** Smallest of U8, U16, I32 that holds ids below `vocab`. */
trm_dtype trm_token_dtype(int64_t vocab);

/** Reads tokens [first, first + n) of /tokens, from memory or from the file. Any thread. */
trm_status trm_dataset_tokens_read(trm_dataset *dataset, int64_t first, int64_t n, int32_t *out);

/** Checks /tokens against the vocabulary in one pass; fills cache and digest. */
trm_status trm_dataset_tokens_scan(trm_dataset *dataset);

/** Checks the group /debian and counts what it holds. */
trm_status trm_debian_check(trm_dataset *dataset);

/** The arithmetic of trm_dataset_locate for a split of n tokens, without a data set. */
void trm_windows_locate(int64_t n, uint64_t seed, int64_t T, int64_t index, int64_t *epoch,
                        int64_t *window, int64_t *token);

/** A piece of text on one line: control characters and quotes escaped, invalid bytes as \xNN.
 *  Always 0-terminated; cut at a whole character. Returns the bytes of `text` that fitted. */
int64_t trm_text_escape(const char *text, int64_t bytes, char *out, int64_t size);

/** One line "label   text" of a description; the label column is as wide as the widest label. */
void trm_describe_row(FILE *file, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The first lines of every kind's description. */
void trm_describe_head(FILE *file, const char *path, const char *kind, const char *source,
                       const char *created_by);

#endif
