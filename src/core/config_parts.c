/* Keys from the parts that bring them, and which of the parts are in use. */
#include <string.h>

#include "config_internal.h"
#include "trireme/core/memory.h"

void trm_config_parts_add(trm_config_parts *parts, const trm_config_part *part) {
  for (int i = 0; i < parts->n; ++i) {
    if (parts->parts[i] == part) return;
  }
  TRM_ASSERT(parts->n < TRM_CONFIG_MAX_PARTS);
  parts->parts[parts->n++] = part;
}

/* ---- gathering ------------------------------------------------------------------------------- */

/* A row as it stands in the tables: counts calls to `visit` for each row of each part. */
typedef void (*row_visitor)(trm_config *config, const trm_config_part *part,
                            const trm_config_key *key);

static void visit_rows(trm_config *config, row_visitor visit) {
  for (int p = 0; p < config->parts.n; ++p) {
    const trm_config_part *part = config->parts.parts[p];
    for (int s = 0; s < TRM_PART_ROWS && part->rows[s]; ++s) {
      for (int k = 0; k < part->rows[s]->n; ++k) visit(config, part, &part->rows[s]->keys[k]);
    }
  }
}

/* The tables are ours: each name is "group.key", rows of a key have one type. */
static void check_key(const trm_config_slot *slot, const trm_config_key *key) {
  const char *dot = strchr(key->name, '.');
  TRM_ASSERT(dot && dot > key->name && dot[1] != '\0' && !strchr(dot + 1, '.'));
  TRM_ASSERT(key->type != TRM_CONFIG_INT || (key->min >= -0x1p53 && key->max <= 0x1p53));
  TRM_ASSERT(slot->type == key->type);
}

/* Place of a key's group in the order of groups; those that are not in it come last. */
static int group_rank(const trm_config *config, const char *name) {
  const size_t n = trm_config_group_length(name);
  int rank = 0;
  for (const char *p = config->parts.groups ? config->parts.groups : ""; *p; ++rank) {
    const size_t length = strcspn(p, " ");
    if (length == n && strncmp(p, name, n) == 0) break;
    p += length + strspn(p + length, " ");
  }
  return rank;
}

/* Slots have been allocated for all rows there are: a new one goes behind the last of its group, or
 * behind the groups that come before. */
static void add_slot(trm_config *config, const trm_config_key *key) {
  const size_t n = trm_config_group_length(key->name);
  const int rank = group_rank(config, key->name);
  int at = config->n_slots;
  while (at > 0 && strncmp(config->slots[at - 1].name, key->name, n + 1) != 0) --at;
  if (at == 0) {
    at = config->n_slots;
    while (at > 0 && group_rank(config, config->slots[at - 1].name) > rank) --at;
  }
  memmove(&config->slots[at + 1], &config->slots[at],
          (size_t)(config->n_slots - at) * sizeof *config->slots);
  config->slots[at] = (trm_config_slot){.name = key->name, .type = key->type};
  ++config->n_slots;
}

static void count_row(trm_config *config, const trm_config_part *part, const trm_config_key *key) {
  (void)part;
  if (trm_config_find(config, key->name, strlen(key->name)) < 0) add_slot(config, key);
  trm_config_slot *slot = &config->slots[trm_config_find(config, key->name, strlen(key->name))];
  check_key(slot, key);
  ++slot->n_rows;
}

static void put_row(trm_config *config, const trm_config_part *part, const trm_config_key *key) {
  trm_config_slot *slot = &config->slots[trm_config_find(config, key->name, strlen(key->name))];
  slot->rows[slot->n_rows++] = (trm_config_row){.key = key, .part = part};
}

static trm_status take_rows(trm_config *config) {
  int n = 0;
  for (int p = 0; p < config->parts.n; ++p) {
    const trm_config_part *part = config->parts.parts[p];
    for (int s = 0; s < TRM_PART_ROWS && part->rows[s]; ++s) n += part->rows[s]->n;
  }
  TRM_TRY(TRM_ALLOC(&config->slots, n + 1, "configuration"));
  visit_rows(config, count_row);
  for (int i = 0; i < config->n_slots; ++i) {
    TRM_TRY(TRM_ALLOC(&config->slots[i].rows, config->slots[i].n_rows, "configuration"));
    config->slots[i].n_rows = 0;
  }
  visit_rows(config, put_row);
  return TRM_OK;
}

/* "adamw|sgd" of the parts that a key selects; measured while `out` is NULL. */
static size_t list_choices(const trm_config *config, const char *selector, char *out, size_t size) {
  trm_text text = {.out = out, .capacity_bytes = size};
  for (int p = 0; p < config->parts.n; ++p) {
    const trm_config_part *part = config->parts.parts[p];
    if (!part->selector || strcmp(part->selector, selector) != 0) continue;
    if (text.used_bytes) trm_text_add(&text, "|", 1);
    trm_text_add(&text, part->name, strlen(part->name));
  }
  return text.used_bytes;
}

static trm_status make_choices(const trm_config *config, trm_config_slot *slot) {
  if (slot->type != TRM_CONFIG_CHOICE || slot->rows[0].key->choices) return TRM_OK;
  const size_t n = list_choices(config, slot->name, NULL, 0);
  TRM_ASSERT(n > 0);
  TRM_TRY(TRM_ALLOC(&slot->choices, (int64_t)n + 1, "configuration"));
  (void)list_choices(config, slot->name, slot->choices, n + 1);
  return TRM_OK;
}

static trm_status make_fallbacks(const trm_config *config, trm_config_slot *slot) {
  const trm_config_origin origin = {.label = "default"};
  for (int r = 0; r < slot->n_rows; ++r) {
    trm_config_row *row = &slot->rows[r];
    if (!row->key->fallback) continue;
    const trm_status status =
        trm_config_parse(config, slot, row->key, row->key->fallback, origin, &row->fallback);
    TRM_ASSERT(status != TRM_ERR_CONFIG); /* a default passes its own check */
    TRM_TRY(status);
  }
  return TRM_OK;
}

trm_status trm_config_gather(trm_config *config) {
  TRM_TRY(take_rows(config));
  for (int i = 0; i < config->n_slots; ++i) {
    TRM_TRY(make_choices(config, &config->slots[i]));
    TRM_TRY(make_fallbacks(config, &config->slots[i]));
  }
  return TRM_OK;
}

/* ---- use ------------------------------------------------------------------------------------- */

/* A part that a key selects is in use when the key is, and has its name for a value. Selectors of
 * selectors end at parts that are always there, since the tables have no cycle. */
bool trm_config_part_used(const trm_config *config, const trm_config_part *part) {
  if (part->within && !trm_config_part_used(config, part->within)) return false;
  if (!part->selector) return true;
  if (!strchr(part->selector, '.')) {
    for (int i = 0; i < config->n_facts; ++i) {
      if (strcmp(config->facts[i].name, part->selector) != 0) continue;
      return strcmp(config->facts[i].value, part->name) == 0;
    }
    return true;
  }
  const int index = trm_config_find(config, part->selector, strlen(part->selector));
  TRM_ASSERT(index >= 0);
  const trm_config_slot *slot = &config->slots[index];
  if (!trm_config_row_used(config, slot)) return false;
  const trm_config_value *value = trm_config_value_of(config, slot);
  return value && strcmp(value->text, part->name) == 0;
}

const trm_config_row *trm_config_row_used(const trm_config *config, const trm_config_slot *slot) {
  for (int r = 0; r < slot->n_rows; ++r) {
    if (trm_config_part_used(config, slot->rows[r].part)) return &slot->rows[r];
  }
  return NULL;
}

const trm_config_value *trm_config_value_of(const trm_config *config, const trm_config_slot *slot) {
  const trm_config_row *row = trm_config_row_used(config, slot);
  if (!row) return NULL;
  const trm_config_value *value = slot->given ? &slot->value : &row->fallback;
  return value->text ? value : NULL;
}

void trm_config_users(const trm_config_slot *slot, char text[TRM_USERS_TEXT_BYTES]) {
  trm_text out = {.out = text, .capacity_bytes = TRM_USERS_TEXT_BYTES};
  const char *selector = "";
  text[0] = '\0';
  for (int r = 0; r < slot->n_rows; ++r) {
    const trm_config_part *part = slot->rows[r].part;
    if (!part->selector) {
      text[0] = '\0';
      return;
    }
    const bool same = strcmp(selector, part->selector) == 0 && !part->label;
    if (out.used_bytes) trm_text_print(&out, ", ");
    if (part->label) {
      trm_text_print(&out, "%s", part->label);
    } else {
      trm_text_print(&out, "%s%s%s", same ? "" : part->selector, same ? "" : " ", part->name);
    }
    selector = part->selector;
  }
}
