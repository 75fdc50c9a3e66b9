/**
 * Configuration: one table of keys makes the parser, `help config`, the log header, the resolved
 * config.yaml of a run and the text stored in checkpoints.
 *
 * The file is YAML, at most two levels: `group: { key: value }`. A key is named `group.key`.
 * Errors name file, line, key, value, the allowed values and, for an unknown key, the nearest name.
 */
#ifndef TRIREME_CORE_CONFIG_H
#define TRIREME_CORE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trireme/core/status.h"

typedef enum trm_config_type {
  TRM_CONFIG_INT,    /* int64_t in [min, max] */
  TRM_CONFIG_REAL,   /* double in [min, max], finite */
  TRM_CONFIG_BOOL,   /* true or false */
  TRM_CONFIG_STRING, /* any text */
  TRM_CONFIG_CHOICE, /* one of `choices`, separated by '|' */
} trm_config_type;

/** A row of the table. `min`, `max` are inclusive. */
typedef struct trm_config_key {
  const char *name; /* "optimizer.lr" */
  trm_config_type type;
  const char *fallback; /* default as text; NULL: the key is required */
  double min, max;
  const char *choices;
  const char *unit;    /* "tokens", "s", "" */
  bool affects_result; /* changes the trained bits: must be equal when a run is resumed */
  const char *help;
} trm_config_key;

/** Trireme's own table and its length. */
const trm_config_key *trm_config_keys(int *n_keys);

typedef struct trm_config trm_config;

/** New configuration with all defaults. */
trm_status trm_config_create(const trm_config_key *keys, int n_keys, trm_config **out);
void trm_config_destroy(trm_config **config);

/** Reads a YAML file over the present values. */
trm_status trm_config_read_file(trm_config *config, const char *path);
/** The same from memory; `label` stands for the file name in messages. */
trm_status trm_config_read_text(trm_config *config, const char *text, const char *label);
/** One override "group.key=value", as given with --set. */
trm_status trm_config_set(trm_config *config, const char *assignment);
/** Fails when a required key has no value. */
trm_status trm_config_check(const trm_config *config);

/** Typed access; asking for a key that is not in the table, or by the wrong type, is a bug. */
int64_t trm_config_int(const trm_config *config, const char *name);
double trm_config_real(const trm_config *config, const char *name);
bool trm_config_bool(const trm_config *config, const char *name);
const char *trm_config_string(const trm_config *config, const char *name); /* also CHOICE */
/** Whether the value was given by a file or an override. */
bool trm_config_given(const trm_config *config, const char *name);

/** Resolved YAML of every key; *out is a counted block (TRM_FREE). Reading it back is exact. */
trm_status trm_config_text(const trm_config *config, char **out);
/** Hash of all keys with affects_result set; `all` true: of every key but run.dir and data.path, which
 *  ranks may see under different names. */
uint64_t trm_config_digest(const trm_config *config, bool all);
/**
 * First key with affects_result, past key `after` (NULL: from the start), whose value differs; NULL
 * if none.
 * `a_text`, `b_text`: their values, borrowed from the configurations.
 */
const char *trm_config_difference(const trm_config *a, const trm_config *b, const char *after,
                                  const char **a_text, const char **b_text);

/** Prints the table: every key with type, default, range or choices, unit and help. */
void trm_config_help(const trm_config_key *keys, int n_keys, FILE *file);

/** The candidate nearest to `word` (Levenshtein), NULL if none is near. `candidates` has n rows. */
const char *trm_nearest(const char *word, const char *const *candidates, int n);

#endif
