/** What the files of the configuration share; private to src/core. */
#ifndef TRIREME_CORE_CONFIG_INTERNAL_H
#define TRIREME_CORE_CONFIG_INTERNAL_H

#include "trireme/core/config.h"
#include "trireme/core/numbers.h"

enum {
  TRM_REAL_TEXT_BYTES = 32,
  TRM_ALLOWED_TEXT_BYTES = 512,
  TRM_USERS_TEXT_BYTES = 512,
  TRM_CONFIG_STRING_BYTES = 4096, /* longest string value */
  TRM_CONFIG_MAX_FACTS = 4,
  TRM_CONFIG_MAX_CARRIED = 4,
};

typedef struct trm_config_value {
  char *text; /* owned; canonical: equal values have equal texts. NULL: there is none */
  int64_t integer;
  double real;
  bool boolean;
} trm_config_value;

/** The origin of a value, for messages: "lm.yaml:9", or the label alone when line is 0. */
typedef struct trm_config_origin {
  const char *label;
  int64_t line;
} trm_config_origin;

/** A row and who brought it. */
typedef struct trm_config_row {
  const trm_config_key *key;
  const trm_config_part *part; /* the first of those that share the row */
  trm_config_value fallback;   /* text NULL: required */
} trm_config_row;

/** A key: the rows for it, and what was given. */
typedef struct trm_config_slot {
  const char *name;
  trm_config_type type;
  trm_config_row *rows; /* [n_rows] in the order of the parts, one each; owned */
  int n_rows;
  char *choices;          /* of the parts it selects; NULL: it selects none; owned */
  bool refused;           /* what was given was not taken */
  bool given;             /* by file or override: */
  trm_config_value value; /* then this */
  char *label;            /* its origin; owned */
  int64_t line;
} trm_config_slot;

struct trm_config {
  bool unsettled; /* a value or name was refused that may choose parts: what is idle is not known */
  trm_config_parts parts;
  trm_config_slot *slots; /* [n_slots] groups together, in the order of their first part */
  int n_slots;
  struct {
    const char *name, *value;
  } facts[TRM_CONFIG_MAX_FACTS];
  int n_facts;
  struct {
    const char *name;
    void *thing; /* owned */
    void (*release)(void *thing);
  } carried[TRM_CONFIG_MAX_CARRIED];
  int n_carried;
};

/** Records "<origin>: <message>" as a TRM_ERR_CONFIG. */
trm_status trm_config_fail(trm_config_origin origin, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- names: config_names.c ------------------------------------------------------------------- */

/** Slot of a key, -1 if there is none; `n` bytes of `name` count. */
int trm_config_find(const trm_config *config, const char *name, size_t n);
/** First slot of a group ("optimizer"), -1 if there is none. */
int trm_config_find_group(const trm_config *config, const char *group, size_t n);
/** Bytes of the group's name in a key's. */
size_t trm_config_group_length(const char *name);
/** The failure for a name that is no key, with what was probably meant. */
trm_status trm_config_unknown(trm_config *config, const char *name, trm_config_origin origin);

/* ---- words of others: config_words.c --------------------------------------------------------- */

/** Of the value of a key, or (key NULL) the name of one; NULL: none. */
const trm_config_word *trm_config_word_find(const trm_config_parts *parts, const char *key,
                                            const char *word);

/* ---- parts: config_parts.c ------------------------------------------------------------------- */

/** Slots from the parts: rows gathered by key, groups brought together. */
trm_status trm_config_gather(trm_config *config);
bool trm_config_part_used(const trm_config *config, const trm_config_part *part);
/** The row of the part in use, NULL if there is none. */
const trm_config_row *trm_config_row_used(const trm_config *config, const trm_config_slot *slot);
/** What was given, or the default of the part in use; NULL when nothing uses the key, or when it is
 *  required and not given. */
const trm_config_value *trm_config_value_of(const trm_config *config, const trm_config_slot *slot);
/** "model.kind gcn, gat; a set of graphs": who brings the rows; "" when one of them always is. */
void trm_config_users(const trm_config_slot *slot, char text[TRM_USERS_TEXT_BYTES]);

/* ---- values: config_value.c ------------------------------------------------------------------ */

/** Whether a row takes `text`, and the value it is then: *value owns its text. Otherwise the failure's
 *  message begins with the origin. */
trm_status trm_config_parse(const trm_config *config, const trm_config_slot *slot,
                            const trm_config_key *key, const char *text, trm_config_origin origin,
                            trm_config_value *value);
/** Takes `text` as given for a slot when some row takes it. On failure nothing has changed. */
trm_status trm_config_assign(trm_config *config, int slot, const char *text,
                             trm_config_origin origin);
void trm_config_value_free(trm_config_value *value);

/** "1 to 1048576 (sequences)", "adamw, sgd". */
void trm_config_allowed(const trm_config_slot *slot, const trm_config_key *key,
                        char text[TRM_ALLOWED_TEXT_BYTES]);

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
