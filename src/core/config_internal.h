/** What the files of the configuration share; private to src/core. */
#ifndef TRIREME_CORE_CONFIG_INTERNAL_H
#define TRIREME_CORE_CONFIG_INTERNAL_H

#include "trireme/core/config.h"

enum {
  TRM_REAL_TEXT_BYTES = 32,
  TRM_ALLOWED_TEXT_BYTES = 256,
  TRM_CONFIG_STRING_BYTES = 4096, /* longest string value */
};

typedef struct trm_config_value {
  char *
      text; /* owned; canonical: equal values have equal texts. NULL while a required key is unset */
  int64_t integer;
  double real;
  bool boolean;
  bool given;
} trm_config_value;

struct trm_config {
  const trm_config_key *keys; /* kept: static tables */
  int n_keys;
  trm_config_value *values; /* [n_keys] */
};

/** The origin of a value, for messages: "lm.yaml:9", or the label alone when line is 0. */
typedef struct trm_config_origin {
  const char *label;
  int64_t line;
} trm_config_origin;

/** Records "<origin>: <message>" as a TRM_ERR_CONFIG. */
trm_status trm_config_fail(trm_config_origin origin, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Row of a key, -1 if there is none; `n` bytes of `name` count. */
int trm_config_find(const trm_config *config, const char *name, size_t n);
/** First row of a group ("optimizer"), -1 if there is none. */
int trm_config_find_group(const trm_config *config, const char *group, size_t n);
/** Bytes of the group's name in a key's. */
size_t trm_config_group_length(const char *name);
/** The failure for a name that is no key, with what was probably meant. */
trm_status trm_config_unknown(const trm_config *config, const char *name, trm_config_origin origin);

/** Checks `text` against row `index` and takes it as its value. On failure nothing has changed. */
trm_status trm_config_assign(trm_config *config, int index, const char *text, bool given,
                             trm_config_origin origin);

/** "1 to 1048576 (sequences)", "adamw, sgd". */
void trm_config_allowed(const trm_config_key *key, char text[TRM_ALLOWED_TEXT_BYTES]);

/** Decimal numbers, whatever the locale. False: not a number, or past the type's range. */
bool trm_int_parse(const char *text, int64_t *value);
bool trm_real_parse(const char *text, double *value);
/** Shortest decimal text that reads back as the same finite double. */
void trm_real_text(double value, char text[TRM_REAL_TEXT_BYTES]);

/** Levenshtein distance, INT32_MAX past the limit that counts as near for `word`: a third of it may
 *  be wrong, so that "trian" finds "train" (2 of 5) and "lx" finds "lr" (1 of 2). */
int trm_near_distance(const char *word, const char *candidate);

/** Text written to memory of known size, or only measured while `out` is NULL. */
typedef struct trm_text {
  char *out;
  size_t capacity_bytes, used_bytes; /* used_bytes may pass the capacity: the rest was dropped */
} trm_text;
void trm_text_add(trm_text *text, const char *part, size_t n);
void trm_text_print(trm_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
