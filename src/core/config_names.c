/* Names of keys and groups, and the nearest ones, for "did you mean". */
#include <stddef.h>
#include <string.h>

#include "config_internal.h"

enum { MAX_WORD = 64 };

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* One row of the table at a time: row[j] is the distance of the prefixes of lengths i and j. */
static int levenshtein(const char *a, size_t n_a, const char *b, size_t n_b) {
  int row[MAX_WORD + 1];
  for (size_t j = 0; j <= n_b; ++j) row[j] = (int)j;
  for (size_t i = 1; i <= n_a; ++i) {
    int diagonal = row[0];
    row[0] = (int)i;
    for (size_t j = 1; j <= n_b; ++j) {
      int best = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[n_b];
}

int trm_near_distance(const char *word, const char *candidate) {
  const size_t n_word = strnlen(word, MAX_WORD + 1);
  const size_t n_candidate = strnlen(candidate, MAX_WORD + 1);
  if (n_word == 0 || n_word > MAX_WORD || n_candidate > MAX_WORD) return INT32_MAX;
  const int limit = n_word < 5 ? 1 : (int)(n_word + 1) / 3;
  const int distance = levenshtein(word, n_word, candidate, n_candidate);
  return distance <= limit ? distance : INT32_MAX;
}

const char *trm_nearest(const char *word, const char *const *candidates, int n) {
  const char *best = NULL;
  int best_distance = INT32_MAX;
  for (int i = 0; i < n; ++i) {
    const int distance = trm_near_distance(word, candidates[i]);
    if (distance >= best_distance) continue;
    best = candidates[i];
    best_distance = distance;
  }
  return best;
}

/* ---- keys and groups ------------------------------------------------------------------------- */

size_t trm_config_group_length(const char *name) {
  return strcspn(name, ".");
}

int trm_config_find(const trm_config *config, const char *name, size_t n) {
  for (int i = 0; i < config->n_slots; ++i) {
    const char *key = config->slots[i].name;
    if (strncmp(key, name, n) == 0 && key[n] == '\0') return i;
  }
  return -1;
}

int trm_config_find_group(const trm_config *config, const char *group, size_t n) {
  for (int i = 0; i < config->n_slots; ++i) {
    const char *key = config->slots[i].name;
    if (strncmp(key, group, n) == 0 && trm_config_group_length(key) == n) return i;
  }
  return -1;
}

static const char *leaf_of(const char *name) {
  const char *dot = strchr(name, '.');
  return dot ? dot + 1 : name;
}

/*
 * The key that was probably meant, NULL if none comes to mind: a near name in the same group, then
 * the same name in another group ("train.lr"), then, for an unknown group, a near full name.
 */
static const char *meant_key(const trm_config *config, const char *name, int group_row) {
  const char *best = NULL;
  int best_distance = INT32_MAX;
  const size_t n_group = trm_config_group_length(name);
  for (int i = 0; i < config->n_slots && group_row >= 0; ++i) {
    const char *key = config->slots[i].name;
    if (strncmp(key, name, n_group + 1) != 0) continue;
    const int distance = trm_near_distance(leaf_of(name), leaf_of(key));
    if (distance >= best_distance) continue;
    best = key;
    best_distance = distance;
  }
  for (int i = 0; i < config->n_slots && !best; ++i) {
    if (strcmp(leaf_of(config->slots[i].name), leaf_of(name)) == 0) best = config->slots[i].name;
  }
  for (int i = 0; i < config->n_slots && !best && group_row < 0; ++i) {
    const int distance = trm_near_distance(name, config->slots[i].name);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = config->slots[i].name;
  }
  return best;
}

/* "name, lr, beta1" for the group of a row; with row -1 the names of all groups. */
static void list_names(const trm_config *config, int group_row, trm_text *out) {
  const char *group = group_row < 0 ? NULL : config->slots[group_row].name;
  const char *last = "";
  for (int i = 0; i < config->n_slots; ++i) {
    const char *key = config->slots[i].name;
    const size_t n = trm_config_group_length(key);
    if (group && strncmp(key, group, trm_config_group_length(group) + 1) != 0) continue;
    if (!group && strncmp(key, last, n + 1) == 0) continue;
    trm_text_print(out, "%s%.*s", out->used_bytes ? ", " : "", group ? (int)strlen(key) : (int)n,
                   group ? leaf_of(key) : key);
    last = key;
  }
}

/* A near name of a group, copied into `group`; false if there is none. */
static bool meant_group(const trm_config *config, const char *name, char group[64]) {
  int best_distance = INT32_MAX;
  for (int i = 0; i < config->n_slots; ++i) {
    char candidate[64];
    const char *key = config->slots[i].name;
    (void)snprintf(candidate, sizeof candidate, "%.*s", (int)trm_config_group_length(key), key);
    const int distance = trm_near_distance(name, candidate);
    if (distance >= best_distance) continue;
    best_distance = distance;
    memcpy(group, candidate, sizeof candidate);
  }
  return best_distance < INT32_MAX;
}

/* Whether a name like this chooses parts: "knid", "optimizer.nmae", or a group of such. */
static bool may_choose(const trm_config *config, const char *name) {
  const char *last = strrchr(name, '.');
  for (int i = 0; i < config->n_slots; ++i) {
    if (!config->slots[i].choices) continue;
    if (!last || trm_near_distance(last + 1, leaf_of(config->slots[i].name)) < INT32_MAX) {
      return true;
    }
  }
  return false;
}

trm_status trm_config_unknown(trm_config *config, const char *name, trm_config_origin origin) {
  config->unsettled = config->unsettled || may_choose(config, name);
  char names[600] = "";
  char group[64];
  trm_text out = {.out = names, .capacity_bytes = sizeof names};
  const char *kind = strchr(name, '.') || origin.line == 0 ? "key" : "group";
  const int group_row = trm_config_find_group(config, name, trm_config_group_length(name));
  const char *last = strrchr(name, '.');
  const trm_config_word *foreign =
      trm_config_word_find(&config->parts, NULL, last ? last + 1 : name);
  const char *own = last ? last + 1 : name;
  if (foreign && trm_config_find_group(config, foreign->word, strlen(foreign->word)) >= 0) {
    foreign = NULL; /* "MODEL" is the group "model", not its key that chooses */
  }
  if (last && own[0] >= '0' && own[0] <= '9') {
    return trm_config_fail(origin,
                           "unknown key '%.80s'; if a number was meant, write its point: 1.5, not "
                           "1,5",
                           name);
  }
  if (foreign && foreign->ours) {
    return trm_config_fail(origin, "unknown %s '%.80s'; here it is '%s'%s%s", kind, name,
                           foreign->ours, foreign->note[0] ? ": " : "", foreign->note);
  }
  if (foreign) {
    return trm_config_fail(origin, "unknown %s '%.80s'; there is none here: %s", kind, name,
                           foreign->note);
  }
  const char *meant = meant_key(config, name, group_row);
  if (!meant && kind[0] == 'g' && meant_group(config, name, group)) meant = group;
  if (meant) {
    return trm_config_fail(origin, "unknown %s '%.80s'; did you mean '%s'?", kind, name, meant);
  }
  list_names(config, group_row, &out);
  return trm_config_fail(origin, "unknown %s '%.80s'; known %s: %s", kind, name,
                         group_row < 0 ? "groups" : "keys of the group", names);
}
