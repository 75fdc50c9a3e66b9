#include "trireme/core/config.h"

#include <inttypes.h>
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

trm_status trm_config_create(const trm_config_parts *parts, trm_config **out) {
  trm_config *config = NULL;
  TRM_TRY(TRM_ALLOC(&config, 1, "configuration"));
  config->parts = *parts;
  const trm_status status = trm_config_gather(config);
  if (status != TRM_OK) {
    trm_config_destroy(&config);
    return status;
  }
  *out = config;
  return TRM_OK;
}

void trm_config_destroy(trm_config **config) {
  trm_config *c = *config;
  if (!c) return;
  for (int i = 0; i < c->n_carried; ++i) c->carried[i].release(c->carried[i].thing);
  for (int i = 0; i < c->n_slots; ++i) {
    trm_config_slot *slot = &c->slots[i];
    for (int r = 0; slot->rows && r < slot->n_rows; ++r) {
      trm_config_value_free(&slot->rows[r].fallback);
    }
    TRM_FREE(slot->rows);
    TRM_FREE(slot->choices);
    trm_config_value_free(&slot->value);
    TRM_FREE(slot->label);
  }
  TRM_FREE(c->slots);
  TRM_FREE(*config);
}

trm_status trm_config_set_from(trm_config *config, const char *assignment, const char *label,
                               int64_t line) {
  const trm_config_origin origin = {.label = label, .line = line};
  char name[128];
  const char *equals = strchr(assignment, '=');
  const size_t n = equals ? (size_t)(equals - assignment) : strlen(assignment);
  if (!equals || n == 0) {
    return trm_config_fail(origin, "'%.80s' is no assignment; write %sgroup.key=value", assignment,
                           strcmp(label, "--set") == 0 ? "--set " : "");
  }
  const int index = trm_config_find(config, assignment, n);
  if (index >= 0) return trm_config_assign(config, index, equals + 1, origin);
  (void)snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name), assignment);
  return trm_config_unknown(config, name, origin);
}

trm_status trm_config_set(trm_config *config, const char *assignment) {
  return trm_config_set_from(config, assignment, "--set", 0);
}

void trm_config_forget_lines(trm_config *config) {
  for (int i = 0; i < config->n_slots; ++i) config->slots[i].line = 0;
}

trm_status trm_config_set_text(trm_config *config, const char *key, const char *value) {
  const int index = trm_config_find(config, key, strlen(key));
  TRM_ASSERT(index >= 0);
  return trm_config_assign(config, index, value, (trm_config_origin){.label = "the program"});
}

trm_status trm_config_set_int(trm_config *config, const char *key, int64_t value) {
  char text[32];
  (void)snprintf(text, sizeof text, "%" PRId64, value);
  return trm_config_set_text(config, key, text);
}

void trm_config_tell(trm_config *config, const char *fact, const char *value) {
  int i = 0;
  while (i < config->n_facts && strcmp(config->facts[i].name, fact) != 0) ++i;
  TRM_ASSERT(i < TRM_CONFIG_MAX_FACTS);
  config->facts[i].name = fact;
  config->facts[i].value = value;
  if (i == config->n_facts) ++config->n_facts;
}

void trm_config_carry(trm_config *config, const char *name, void *thing, void (*release)(void *)) {
  int i = 0;
  while (i < config->n_carried && strcmp(config->carried[i].name, name) != 0) ++i;
  TRM_ASSERT(i < TRM_CONFIG_MAX_CARRIED);
  if (i < config->n_carried) config->carried[i].release(config->carried[i].thing);
  config->carried[i].name = name;
  config->carried[i].thing = thing;
  config->carried[i].release = release;
  if (i == config->n_carried) ++config->n_carried;
}

void *trm_config_carried(const trm_config *config, const char *name) {
  for (int i = 0; i < config->n_carried; ++i) {
    if (strcmp(config->carried[i].name, name) == 0) return config->carried[i].thing;
  }
  return NULL;
}

/* ---- check ----------------------------------------------------------------------------------- */

static trm_config_origin origin_of(const trm_config_slot *slot) {
  return (trm_config_origin){.label = slot->label, .line = slot->line};
}

static bool is_idle(const trm_config *config, const trm_config_slot *slot) {
  return slot->given && !trm_config_row_used(config, slot);
}

/* `first` is given and nothing uses it; so may be others, which are named too. */
static trm_status say_idle(const trm_config *config, int first) {
  const trm_config_slot *slot = &config->slots[first];
  char users[TRM_USERS_TEXT_BYTES], others[256] = "";
  trm_text out = {.out = others, .capacity_bytes = sizeof others};
  for (int i = first + 1; i < config->n_slots; ++i) {
    if (!is_idle(config, &config->slots[i])) continue;
    trm_text_print(&out, "%s%s", out.used_bytes ? ", " : "; the same holds for ",
                   config->slots[i].name);
  }
  trm_config_users(slot, users);
  return trm_config_fail(origin_of(slot),
                         "%s has no effect here: it is for %s; remove it, or choose what uses it%s",
                         slot->name, users, others);
}

/* When the value was set, a row that is not in use may have taken it. While a fact is not told, several
 * may be in use, of which one has to take it; `first` is the first of them. */
static trm_status check_given(const trm_config *config, const trm_config_slot *slot,
                              const trm_config_row *first) {
  trm_config_value value = {0};
  const char *text = slot->value.text;
  trm_status status = trm_config_parse(config, slot, first->key, text, origin_of(slot), &value);
  for (int r = 0; r < slot->n_rows && status == TRM_ERR_CONFIG; ++r) {
    if (!trm_config_part_used(config, slot->rows[r].part)) continue;
    status = trm_config_parse(config, slot, slot->rows[r].key, text, origin_of(slot), &value);
  }
  if (status == TRM_ERR_CONFIG) { /* with the message of the first */
    status = trm_config_parse(config, slot, first->key, text, origin_of(slot), &value);
  }
  trm_config_value_free(&value);
  return status;
}

static trm_status check_slot(const trm_config *config, const trm_config_slot *slot) {
  const trm_config_row *row = trm_config_row_used(config, slot);
  if (!row) return TRM_OK;
  if (slot->given) TRM_TRY(check_given(config, slot, row));
  if (trm_config_value_of(config, slot) || slot->refused) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "%s has no value; give it in the configuration file or with --set %s=...",
                  slot->name, slot->name);
}

trm_status trm_config_check(const trm_config *config) {
  trm_failures failures = {0};
  bool idle = false; /* one line for all of them */
  if (config->unsettled) return TRM_OK;
  for (int i = 0; i < config->n_slots; ++i) {
    const trm_config_slot *slot = &config->slots[i];
    if (is_idle(config, slot)) {
      if (!idle) trm_failures_add(&failures, say_idle(config, i));
      idle = true;
    } else {
      trm_failures_add(&failures, check_slot(config, slot));
    }
  }
  return trm_failures_end(&failures);
}

/* Whether the message has the place where some key was given; a rank may stand before it. */
static bool has_place(const trm_config *config, const char *message) {
  for (int i = 0; i < config->n_slots; ++i) {
    const char *label = config->slots[i].given ? config->slots[i].label : NULL;
    const char *found = label && label[0] ? strstr(message, label) : NULL;
    if (found && found[strlen(label)] == ':') return true;
  }
  return false;
}

/* The key given whose name stands first in the message; NULL: none. */
static const trm_config_slot *spoken_of(const trm_config *config, const char *message) {
  const trm_config_slot *first = NULL;
  const char *place = NULL;
  for (int i = 0; i < config->n_slots; ++i) {
    const trm_config_slot *slot = &config->slots[i];
    const char *found = slot->given ? strstr(message, slot->name) : NULL;
    const char behind = found ? found[strlen(slot->name)] : 0;
    if (!found || behind == '_' || (behind >= 'a' && behind <= 'z')) continue;
    if (place && found >= place) continue;
    place = found;
    first = slot;
  }
  return first;
}

/* Length of the "rank 0 (host): " that a message of several ranks begins with; 0: it has none. */
static int rank_length(const char *message) {
  int n = 0;
  (void)sscanf(message, "rank %*d (%*[^)]): %n", &n);
  return n;
}

void trm_config_locate(const trm_config *config) {
  char message[TRM_MESSAGE_BYTES], placed[TRM_MESSAGE_BYTES];
  (void)snprintf(message, sizeof message, "%s", trm_message());
  const trm_config_slot *slot = spoken_of(config, message);
  if (!slot || has_place(config, message)) return;
  const int n = rank_length(message);
  (void)trm_config_fail(origin_of(slot), "%s", message + n);
  if (n == 0) return;
  (void)snprintf(placed, sizeof placed, "%s", trm_message());
  (void)trm_fail(TRM_ERR_CONFIG, "%.*s%s", n, message, placed);
}

void trm_config_drop_idle(trm_config *config) {
  for (int i = 0; i < config->n_slots; ++i) { /* an idle selector selects nothing as it is */
    if (is_idle(config, &config->slots[i])) config->slots[i].given = false;
  }
}

/* ---- access ---------------------------------------------------------------------------------- */

static const trm_config_slot *slot_of(const trm_config *config, const char *key) {
  const int index = trm_config_find(config, key, strlen(key));
  TRM_ASSERT(index >= 0);
  return &config->slots[index];
}

bool trm_config_type_of(const trm_config *config, const char *key, trm_config_type *type) {
  const int index = trm_config_find(config, key, strlen(key));
  if (index >= 0) *type = config->slots[index].type;
  return index >= 0;
}

static const trm_config_value *value_of(const trm_config *config, const char *key,
                                        trm_config_type type, trm_config_type other) {
  const trm_config_slot *slot = slot_of(config, key);
  TRM_ASSERT(slot->type == type || slot->type == other);
  const trm_config_value *value = trm_config_value_of(config, slot);
  if (!value) { /* who reads a key brings its row; a required one: trm_config_check comes first */
    char what[160];
    (void)snprintf(what, sizeof what, "%s is read, but no part in use has brought it", key);
    trm_assert_failed(what, __FILE__, __LINE__);
  }
  return value;
}

int64_t trm_config_int(const trm_config *config, const char *key) {
  return value_of(config, key, TRM_CONFIG_INT, TRM_CONFIG_INT)->integer;
}

double trm_config_real(const trm_config *config, const char *key) {
  return value_of(config, key, TRM_CONFIG_REAL, TRM_CONFIG_REAL)->real;
}

bool trm_config_bool(const trm_config *config, const char *key) {
  return value_of(config, key, TRM_CONFIG_BOOL, TRM_CONFIG_BOOL)->boolean;
}

const char *trm_config_string(const trm_config *config, const char *key) {
  return value_of(config, key, TRM_CONFIG_STRING, TRM_CONFIG_CHOICE)->text;
}

bool trm_config_is(const trm_config *config, const char *key, const char *value) {
  return trm_config_used(config, key) && strcmp(trm_config_string(config, key), value) == 0;
}

bool trm_config_used(const trm_config *config, const char *key) {
  return trm_config_row_used(config, slot_of(config, key)) != NULL;
}

bool trm_config_given(const trm_config *config, const char *key) {
  return slot_of(config, key)->given;
}
