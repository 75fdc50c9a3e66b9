#include "trireme/core/config.h"

#include <stdarg.h>
#include <string.h>

#include "config_internal.h"
#include "trireme/core/memory.h"

trm_status trm_config_fail(trm_config_origin origin, const char *format, ...) {
  char text[TRM_MESSAGE_BYTES];
  va_list args;
  va_start(args, format);
  const int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  TRM_ASSERT(n >= 0);
  if (origin.line == 0) return trm_fail(TRM_ERR_CONFIG, "%.400s: %s", origin.label, text);
  return trm_fail(TRM_ERR_CONFIG, "%.400s:%lld: %s", origin.label, (long long)origin.line, text);
}

size_t trm_config_group_length(const char *name) {
  return strcspn(name, ".");
}

int trm_config_find(const trm_config *config, const char *name, size_t n) {
  for (int i = 0; i < config->n_keys; ++i) {
    const char *key = config->keys[i].name;
    if (strncmp(key, name, n) == 0 && key[n] == '\0') return i;
  }
  return -1;
}

int trm_config_find_group(const trm_config *config, const char *group, size_t n) {
  for (int i = 0; i < config->n_keys; ++i) {
    const char *key = config->keys[i].name;
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
  for (int i = 0; i < config->n_keys && group_row >= 0; ++i) {
    const char *key = config->keys[i].name;
    if (strncmp(key, name, n_group + 1) != 0) continue;
    const int distance = trm_near_distance(leaf_of(name), leaf_of(key));
    if (distance >= best_distance) continue;
    best = key;
    best_distance = distance;
  }
  for (int i = 0; i < config->n_keys && !best; ++i) {
    if (strcmp(leaf_of(config->keys[i].name), leaf_of(name)) == 0) best = config->keys[i].name;
  }
  for (int i = 0; i < config->n_keys && !best && group_row < 0; ++i) {
    const int distance = trm_near_distance(name, config->keys[i].name);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = config->keys[i].name;
  }
  return best;
}

/* "name, lr, beta1" for the group of a row; with row -1 the names of all groups. */
static void list_names(const trm_config *config, int group_row, trm_text *out) {
  const char *group = group_row < 0 ? NULL : config->keys[group_row].name;
  const char *last = "";
  for (int i = 0; i < config->n_keys; ++i) {
    const char *key = config->keys[i].name;
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
  for (int i = 0; i < config->n_keys; ++i) {
    char candidate[64];
    const char *key = config->keys[i].name;
    (void)snprintf(candidate, sizeof candidate, "%.*s", (int)trm_config_group_length(key), key);
    const int distance = trm_near_distance(name, candidate);
    if (distance >= best_distance) continue;
    best_distance = distance;
    memcpy(group, candidate, sizeof candidate);
  }
  return best_distance < INT32_MAX;
}

trm_status trm_config_unknown(const trm_config *config, const char *name,
                              trm_config_origin origin) {
  char names[600] = "";
  char group[64];
  trm_text out = {.out = names, .capacity_bytes = sizeof names};
  const char *kind = strchr(name, '.') || origin.line == 0 ? "key" : "group";
  const int group_row = trm_config_find_group(config, name, trm_config_group_length(name));
  const char *meant = meant_key(config, name, group_row);
  if (!meant && kind[0] == 'g' && meant_group(config, name, group)) meant = group;
  if (meant) {
    return trm_config_fail(origin, "unknown %s '%.80s'; did you mean '%s'?", kind, name, meant);
  }
  list_names(config, group_row, &out);
  return trm_config_fail(origin, "unknown %s '%.80s'; known %s: %s", kind, name,
                         group_row < 0 ? "groups" : "keys of the group", names);
}

/* The table is ours: each name is "group.key", groups stand together, defaults pass the check. */
static void check_table(const trm_config_key *keys, int n_keys) {
  for (int i = 0; i < n_keys; ++i) {
    const char *dot = strchr(keys[i].name, '.');
    TRM_ASSERT(dot && dot > keys[i].name && dot[1] != '\0' && !strchr(dot + 1, '.'));
    TRM_ASSERT(keys[i].type != TRM_CONFIG_CHOICE || keys[i].choices);
    TRM_ASSERT(keys[i].type != TRM_CONFIG_INT || (keys[i].min >= -0x1p53 && keys[i].max <= 0x1p53));
  }
}

trm_status trm_config_create(const trm_config_key *keys, int n_keys, trm_config **out) {
  const trm_config_origin origin = {.label = "default"};
  trm_config *config = NULL;
  trm_status status = TRM_OK;
  check_table(keys, n_keys);
  TRM_TRY_OUT(TRM_ALLOC(&config, 1, "configuration"));
  config->keys = keys;
  TRM_TRY_OUT(TRM_ALLOC(&config->values, n_keys, "configuration"));
  config->n_keys = n_keys;
  for (int i = 0; i < n_keys; ++i) {
    if (!keys[i].fallback) continue;
    status = trm_config_assign(config, i, keys[i].fallback, false, origin);
    TRM_ASSERT(status != TRM_ERR_CONFIG);
    if (status != TRM_OK) goto out;
  }
  *out = config;
  return TRM_OK;
out:
  trm_config_destroy(&config);
  return status;
}

void trm_config_destroy(trm_config **config) {
  trm_config *c = *config;
  if (!c) return;
  for (int i = 0; i < c->n_keys; ++i) TRM_FREE(c->values[i].text);
  TRM_FREE(c->values);
  TRM_FREE(*config);
}

trm_status trm_config_set(trm_config *config, const char *assignment) {
  const trm_config_origin origin = {.label = "--set"};
  char name[128];
  const char *equals = strchr(assignment, '=');
  const size_t n = equals ? (size_t)(equals - assignment) : strlen(assignment);
  if (!equals || n == 0) {
    return trm_config_fail(origin, "'%.80s' is no assignment; write --set group.key=value",
                           assignment);
  }
  const int index = trm_config_find(config, assignment, n);
  if (index >= 0) return trm_config_assign(config, index, equals + 1, true, origin);
  (void)snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name), assignment);
  return trm_config_unknown(config, name, origin);
}

trm_status trm_config_check(const trm_config *config) {
  for (int i = 0; i < config->n_keys; ++i) {
    if (config->values[i].text) continue;
    const char *name = config->keys[i].name;
    return trm_fail(TRM_ERR_CONFIG,
                    "%s has no value; give it in the configuration file or with --set %s=...", name,
                    name);
  }
  return TRM_OK;
}

static const trm_config_value *value_of(const trm_config *config, const char *name,
                                        trm_config_type type, trm_config_type other) {
  const int index = trm_config_find(config, name, strlen(name));
  TRM_ASSERT(index >= 0);
  TRM_ASSERT(config->keys[index].type == type || config->keys[index].type == other);
  TRM_ASSERT(config->values[index].text); /* a required key: trm_config_check comes first */
  return &config->values[index];
}

int64_t trm_config_int(const trm_config *config, const char *name) {
  return value_of(config, name, TRM_CONFIG_INT, TRM_CONFIG_INT)->integer;
}

double trm_config_real(const trm_config *config, const char *name) {
  return value_of(config, name, TRM_CONFIG_REAL, TRM_CONFIG_REAL)->real;
}

bool trm_config_bool(const trm_config *config, const char *name) {
  return value_of(config, name, TRM_CONFIG_BOOL, TRM_CONFIG_BOOL)->boolean;
}

const char *trm_config_string(const trm_config *config, const char *name) {
  return value_of(config, name, TRM_CONFIG_STRING, TRM_CONFIG_CHOICE)->text;
}

bool trm_config_given(const trm_config *config, const char *name) {
  const int index = trm_config_find(config, name, strlen(name));
  TRM_ASSERT(index >= 0);
  return config->values[index].given;
}
