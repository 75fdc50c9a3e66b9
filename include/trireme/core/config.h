/**
 * Configuration: keys, each brought by the part of the program that reads it.
 *
 * A *part* is something that may be in use: the run itself, which always is, or a model family, an
 * optimizer, a schedule, a kind of data, which the value of a key (a *selector*) or a fact chooses.
 * It brings the rows of the keys it reads. Parts may bring rows for the same key, with a default, a
 * range and a help text of their own; the row of the part in use counts. The parts together make the
 * parser, `help config`, the log header, the resolved config.yaml of a run and the text stored in
 * checkpoints. This layer knows none of them by name.
 *
 * The file is YAML, at most two levels: `group: { key: value }`. A key is named `group.key`. The value
 * of a text may be a list, which is its items with commas between; an item {match: A, b: c} is "A b=c".
 * Errors name file, line, key, value, the allowed values and, for an unknown key, the nearest name.
 * Nothing here is collective.
 */
#ifndef TRIREME_CORE_CONFIG_H
#define TRIREME_CORE_CONFIG_H

#include <float.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trireme/core/status.h"

typedef enum trm_config_type {
  TRM_CONFIG_INT,    /* int64_t in [min, max] */
  TRM_CONFIG_REAL,   /* double in [min, max], finite */
  TRM_CONFIG_BOOL,   /* true or false */
  TRM_CONFIG_STRING, /* any text */
  TRM_CONFIG_CHOICE, /* one of `choices` */
} trm_config_type;

/** What another value means for a run that is resumed. */
typedef enum trm_config_effect {
  TRM_NO_EFFECT,   /* the same trained bits */
  TRM_ON_RESULT,   /* other bits: only on request */
  TRM_ON_MODEL,    /* another model: the checkpoint does not fit */
  TRM_NAMES_PLACE, /* no effect, and ranks may see one thing under different names */
} trm_config_effect;

/** A row: a key as one part reads it. `min`, `max` are inclusive. */
typedef struct trm_config_key {
  const char *name; /* "optimizer.lr" */
  trm_config_type type;
  const char *fallback; /* default as text; NULL: the key is required */
  double min, max;
  const char *choices; /* separated by '|'; NULL: the names of the parts that the key selects */
  const char *unit;    /* "tokens", "s", "" */
  trm_config_effect effect;
  const char *help;
} trm_config_key;

#define TRM_KEY_INT(name, fallback, min, max, unit, effect, help)                                  \
  { name, TRM_CONFIG_INT, fallback, min, max, NULL, unit, effect, help }
#define TRM_KEY_REAL(name, fallback, min, max, unit, effect, help)                                 \
  { name, TRM_CONFIG_REAL, fallback, min, max, NULL, unit, effect, help }
#define TRM_KEY_BOOL(name, fallback, effect, help)                                                 \
  { name, TRM_CONFIG_BOOL, fallback, 0, 0, NULL, "", effect, help }
#define TRM_KEY_TEXT(name, fallback, effect, help)                                                 \
  { name, TRM_CONFIG_STRING, fallback, 0, 0, NULL, "", effect, help }
#define TRM_KEY_CHOICE(name, fallback, choices, effect, help)                                      \
  { name, TRM_CONFIG_CHOICE, fallback, 0, 0, choices, "", effect, help }
/** The name of a file or folder: "~" and "$NAME" in it are what the environment says. */
#define TRM_KEY_PATH(name, fallback, effect, help)                                                 \
  { name, TRM_CONFIG_STRING, fallback, 0, 0, NULL, "path", effect, help }
/** Chooses among parts. */
#define TRM_KEY_SELECTOR(name, fallback, effect, help)                                             \
  { name, TRM_CONFIG_CHOICE, fallback, 0, 0, NULL, "", effect, help }

#define TRM_MAX_STEPS 1099511627776.0 /* 2^40 */
#define TRM_NO_LIMIT DBL_MAX
#define TRM_BELOW_ONE 0.9999999

/** Rows that stand together; parts may share them. */
typedef struct trm_config_rows {
  const trm_config_key *keys;
  int n;
} trm_config_rows;
#define TRM_CONFIG_ROWS(array)                                                                     \
  { array, (int)(sizeof(array) / sizeof *(array)) }

enum { TRM_PART_ROWS = 8, TRM_CONFIG_MAX_PARTS = 128 };

/** What brings rows. All members are static tables. */
typedef struct trm_config_part {
  const struct trm_config_part *within; /* must be in use as well; NULL: no other */
  const char
      *selector;     /* key whose value chooses the part ("optimizer.name"); without a dot: a fact
                           (trm_config_tell); NULL: always in use */
  const char *name;  /* that value */
  const char *label; /* in messages, after "it is for"; NULL: "<selector> <name>" */
  const trm_config_rows *rows[TRM_PART_ROWS]; /* NULL past the last one, and at the end */
} trm_config_part;

/** A word of other programs, and what it is here. Case does not count, and '-' is '_'. */
typedef struct trm_config_word {
  const char *key; /* whose value the word is; NULL: it is the name of a key or group */
  const char *word;
  const char *ours; /* the key, or the value; NULL: there is none */
  const char *note; /* what else is to be said; "": nothing */
} trm_config_word;

/** The parts of a program. Zero it first. */
typedef struct trm_config_parts {
  const char *groups; /* order of groups, for help and files: "run data model"; others follow */
  const trm_config_part *parts[TRM_CONFIG_MAX_PARTS];
  int n;
  const char *list, *list_key; /* "groups: [...]" at the top is the value of that key; NULL: none */
  const trm_config_word *words; /* [n_words] of other programs */
  int n_words;
} trm_config_parts;
/** One that is there already is not added again. */
void trm_config_parts_add(trm_config_parts *parts, const trm_config_part *part);

typedef struct trm_config trm_config;

/** New configuration in which nothing is given. `parts` may go, what it points to is kept. */
trm_status trm_config_create(const trm_config_parts *parts, trm_config **out);
void trm_config_destroy(trm_config **config);

/** Reads a YAML file over the present values.
 *  @return TRM_ERR_MISSING where there is none; TRM_ERR_CONFIG for what is wrong in it */
trm_status trm_config_read_file(trm_config *config, const char *path);
/** The same from memory; `label` stands for the file name in messages. */
trm_status trm_config_read_text(trm_config *config, const char *text, const char *label);
/** Forgets the lines of what was given: messages name the labels alone. For texts that nobody sees. */
void trm_config_forget_lines(trm_config *config);
/** One override "group.key=value", as given with --set. */
trm_status trm_config_set(trm_config *config, const char *assignment);
/** The same, given somewhere else: messages begin with `label`, and with the line unless it is 0. */
trm_status trm_config_set_from(trm_config *config, const char *assignment, const char *label,
                               int64_t line);
/** What the program works out for itself: of a key that there is. @return as trm_config_set */
trm_status trm_config_set_text(trm_config *config, const char *key, const char *value);
/** The same for a whole number. */
trm_status trm_config_set_int(trm_config *config, const char *key, int64_t value);
/** Tells what is not in the configuration but chooses parts: ("data", "graph"). Until a fact is told,
 *  each of its parts counts as in use. Both texts outlive the configuration. */
void trm_config_tell(trm_config *config, const char *fact, const char *value);

/** Lets the configuration own a thing that was made from it (a library that was loaded), until it is
 *  destroyed: then `release` gets it. One that it carries under the name is released and replaced. */
void trm_config_carry(trm_config *config, const char *name, void *thing, void (*release)(void *));
/** What it carries, NULL: nothing under that name. */
void *trm_config_carried(const trm_config *config, const char *name);

/**
 * Whether what was given fits what is in use: a required key has a value, a value is one that the part
 * in use takes, and no key is given that nothing uses. Call it again once a fact is told.
 * Says nothing while a value or name that may choose who reads what has been refused: that comes first.
 * @return TRM_ERR_CONFIG, with a line for each that does not
 */
trm_status trm_config_check(const trm_config *config);

/** Forgets what was given for keys that nothing uses: of a text that listed every key there was. */
void trm_config_drop_idle(trm_config *config);

/**
 * Typed access to a key in use: what was given, or the default of the part in use. Asking for a key
 * that no part in use has brought, or by the wrong type, is a bug: who reads a key brings its row.
 * Strings are valid until the key is set again.
 */
int64_t trm_config_int(const trm_config *config, const char *key);
double trm_config_real(const trm_config *config, const char *key);
bool trm_config_bool(const trm_config *config, const char *key);
const char *trm_config_string(const trm_config *config, const char *key); /* also CHOICE */
/** Whether a string or choice is in use and has this value. */
bool trm_config_is(const trm_config *config, const char *key, const char *value);
/** Whether a part in use has brought the key. */
bool trm_config_used(const trm_config *config, const char *key);
/** Type of the key of that name; false: there is none. */
bool trm_config_type_of(const trm_config *config, const char *key, trm_config_type *type);
/** Whether the value was given by a file or an override. */
bool trm_config_given(const trm_config *config, const char *key);

/** YAML of every key in use, resolved, or (`given`) of those alone that were given; *out is a counted
 *  block (TRM_FREE). Reading it back is exact. */
trm_status trm_config_text(const trm_config *config, bool given, char **out);
/** A line "key<TAB>value" for every key in use but those that name places; *out is a counted block. */
trm_status trm_config_facts(const trm_config *config, char **out);
/** Hash of the keys in use that have an effect on result or model; `all` true: of all but places. */
uint64_t trm_config_digest(const trm_config *config, bool all);
/** A key in use whose value differs, and what it means. Texts are borrowed. */
typedef struct trm_config_change {
  const char *key, *a, *b; /* its values in both */
  trm_config_effect effect;
} trm_config_change;
/**
 * First key that both have in use, past `after` (NULL: from the start), with an effect and another
 * value; false if there is none. Both have the same parts.
 */
bool trm_config_difference(const trm_config *a, const trm_config *b, const char *after,
                           trm_config_change *change);

enum { TRM_MEANT_BYTES = 96 };
/** The key that a word on the command line means: its name, the name without its group, or a word of
 *  other programs; false: none. */
bool trm_config_meant(const trm_config_parts *parts, const char *word, char key[TRM_MEANT_BYTES]);
/** Why there is no key for a word of other programs, and what to do; NULL: nothing is known of it. */
const char *trm_config_absent(const trm_config_parts *parts, const char *word);

/** Puts before this thread's message where the first key that it speaks of was given: "lm.yaml:3: "; a
 *  message that has a place already, or speaks of no key that was given, stays. For TRM_ERR_CONFIG. */
void trm_config_locate(const trm_config *config);

/**
 * Prints keys with type, default, range or choices, unit, who uses them, and help.
 * @param word  a group or key, or a word of other programs for one; NULL: all there are
 * @return TRM_ERR_USAGE when there is nothing of that name
 */
trm_status trm_config_help(const trm_config_parts *parts, const char *word, FILE *file);
/** Prints a JSON schema (draft 7) of configuration files, for editors and validators. It knows no
 *  relations of keys: what a key of another model.kind needs is `trireme train --check`'s to say. */
trm_status trm_config_schema(const trm_config_parts *parts, FILE *file);
/** Prints the names of all keys, blanks between. */
trm_status trm_config_print_names(const trm_config_parts *parts, FILE *file);
/** Whether there is a group of that name. */
bool trm_config_has_group(const trm_config_parts *parts, const char *group);

/** Gets each "group.key" of a text and its value; a list is its items with ", " between. */
typedef trm_status (*trm_config_visitor)(void *context, const char *name, const char *value);
/** Reads the text of a configuration, of any version of the program: names and values are not looked at.
 *  Long ones are cut. @return TRM_ERR_DATA for what is no YAML, TRM_ERR_MEMORY, or what `visit` says */
trm_status trm_config_pairs(const char *text, const char *label, trm_config_visitor visit,
                            void *context);

/** The candidate nearest to `word` (Levenshtein), NULL if none is near. `candidates` has n rows. */
const char *trm_nearest(const char *word, const char *const *candidates, int n);

#endif
