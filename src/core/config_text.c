/* What is made from the table and the values: resolved YAML, digest, difference, help. */
#include <string.h>
#include <strings.h>

#include "config_internal.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { HELP_COLUMNS = 100, HELP_INDENT = 26 };

static bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '/' || c == '-';
}

/* Whether every reader of YAML takes the bare text for a string: names and paths, in short. */
static bool is_plain(const char *text) {
  static const char *const special[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n"};
  const char first = text[0];
  const bool path = first == '/' || strncmp(text, "./", 2) == 0 || strncmp(text, "../", 3) == 0;
  if (!path &&
      !(is_word_byte(first) && first != '.' && first != '-' && !(first >= '0' && first <= '9'))) {
    return false;
  }
  for (const char *p = text; *p; ++p) {
    if (!is_word_byte(*p)) return false;
  }
  for (size_t i = 0; i < sizeof special / sizeof special[0]; ++i) {
    if (strcasecmp(text, special[i]) == 0) return false;
  }
  return true;
}

/* Characters that YAML takes as they are inside double quotes, line breaks of Unicode excluded. */
static bool is_printable(uint32_t code) {
  if (code < 0xA0) return code >= 0x20 && code < 0x7F;
  if (code == 0x2028 || code == 0x2029 || code == 0xFEFF) return false;
  return code <= 0xFFFD || code >= 0x10000;
}

static void write_quoted(trm_text *out, const char *text) {
  trm_text_add(out, "\"", 1);
  for (const char *p = text; *p;) {
    uint32_t code;
    const int n = trm_utf8_decode(p, TRM_UTF8_MAX_BYTES, &code);
    TRM_ASSERT(n > 0); /* checked when assigned */
    if (code == '"' || code == '\\') trm_text_add(out, "\\", 1);
    if (is_printable(code)) {
      trm_text_add(out, p, (size_t)n);
    } else {
      trm_text_print(out, "\\U%08X", (unsigned)code);
    }
    p += n;
  }
  trm_text_add(out, "\"", 1);
}

static void write_all(const trm_config *config, bool given, trm_text *out) {
  const char *group = "";
  for (int i = 0; i < config->n_slots; ++i) {
    const trm_config_slot *slot = &config->slots[i];
    const trm_config_value *value = trm_config_value_of(config, slot);
    const size_t n = trm_config_group_length(slot->name);
    if (!value || (given && !slot->given)) continue;
    if (strncmp(group, slot->name, n + 1) != 0) trm_text_print(out, "%.*s:\n", (int)n, slot->name);
    group = slot->name;
    trm_text_print(out, "  %s: ", slot->name + n + 1);
    if (slot->type == TRM_CONFIG_STRING && !is_plain(value->text)) {
      write_quoted(out, value->text);
    } else {
      trm_text_add(out, value->text, strlen(value->text));
    }
    trm_text_add(out, "\n", 1);
  }
}

trm_status trm_config_text(const trm_config *config, bool given, char **out) {
  trm_text text = {0};
  char *block = NULL;
  write_all(config, given, &text); /* measures */
  TRM_TRY(TRM_ALLOC(&block, (int64_t)text.used_bytes + 1, "configuration text"));
  text = (trm_text){.out = block, .capacity_bytes = text.used_bytes + 1};
  write_all(config, given, &text);
  *out = block;
  return TRM_OK;
}

/* What the row in use says that another value means. */
static trm_config_effect effect_of(const trm_config *config, const trm_config_slot *slot) {
  const trm_config_row *row = trm_config_row_used(config, slot);
  return row ? row->key->effect : TRM_NO_EFFECT;
}

static bool counts(trm_config_effect effect, bool all) {
  return all ? effect != TRM_NAMES_PLACE : effect == TRM_ON_RESULT || effect == TRM_ON_MODEL;
}

static void write_facts(const trm_config *config, trm_text *out) {
  for (int i = 0; i < config->n_slots; ++i) {
    const trm_config_slot *slot = &config->slots[i];
    const trm_config_value *value = trm_config_value_of(config, slot);
    if (!value || !counts(effect_of(config, slot), true)) continue;
    trm_text_print(out, "%s\t", slot->name);
    for (const char *c = value->text; *c; ++c) trm_text_add(out, *c == '\n' ? " " : c, 1);
    trm_text_add(out, "\n", 1);
  }
}

trm_status trm_config_facts(const trm_config *config, char **out) {
  trm_text text = {0};
  char *block = NULL;
  write_facts(config, &text); /* measures */
  TRM_TRY(TRM_ALLOC(&block, (int64_t)text.used_bytes + 1, "configuration text"));
  text = (trm_text){.out = block, .capacity_bytes = text.used_bytes + 1};
  write_facts(config, &text);
  *out = block;
  return TRM_OK;
}

/* Names are part of it, and each text with its terminating zero, so that no two lists run together. */
uint64_t trm_config_digest(const trm_config *config, bool all) {
  uint64_t hash = 0;
  for (int i = 0; i < config->n_slots; ++i) {
    const trm_config_slot *slot = &config->slots[i];
    const trm_config_value *value = trm_config_value_of(config, slot);
    if (!value || !counts(effect_of(config, slot), all)) continue;
    hash = trm_hash64(slot->name, strlen(slot->name) + 1, hash);
    hash = trm_hash64(value->text, strlen(value->text) + 1, hash);
  }
  return hash;
}

bool trm_config_difference(const trm_config *a, const trm_config *b, const char *after,
                           trm_config_change *change) {
  TRM_ASSERT(a->n_slots == b->n_slots);
  int i = 0;
  while (after && strcmp(a->slots[i++].name, after) != 0) TRM_ASSERT(i < a->n_slots);
  for (; i < a->n_slots; ++i) {
    const trm_config_slot *slot = &a->slots[i], *other = &b->slots[i];
    const trm_config_value *x = trm_config_value_of(a, slot), *y = trm_config_value_of(b, other);
    TRM_ASSERT(strcmp(slot->name, other->name) == 0);
    const trm_config_effect effect = effect_of(b, other);
    if (!x || !y || !counts(effect, false) || strcmp(x->text, y->text) == 0) continue;
    *change = (trm_config_change){.key = slot->name, .a = x->text, .b = y->text, .effect = effect};
    return true;
  }
  return false;
}

/* ---- help ------------------------------------------------------------------------------------ */

/* Words of `text` from column HELP_INDENT on, wrapped; the cursor stands there already. */
static void print_wrapped(FILE *file, const char *text) {
  size_t column = HELP_INDENT;
  for (const char *p = text; *p;) {
    const size_t n = strcspn(p, " ");
    const bool first = column == HELP_INDENT;
    if (!first && column + 1 + n > HELP_COLUMNS) {
      (void)fprintf(file, "\n%*s", (int)HELP_INDENT, "");
      column = HELP_INDENT;
    } else if (!first) {
      (void)fputc(' ', file);
      ++column;
    }
    (void)fprintf(file, "%.*s", (int)n, p);
    column += n;
    p += n;
    while (*p == ' ') ++p;
  }
  (void)fputc('\n', file);
}

static void indent(FILE *file) {
  (void)fprintf(file, "%*s", (int)HELP_INDENT, "");
}

/* "integer: 1 to 1024; default 4 *" */
static void print_form(FILE *file, const trm_config_slot *slot, const trm_config_key *key) {
  static const char *const type_names[] = {"integer", "real", "bool", "text", "choice"};
  char allowed[TRM_ALLOWED_TEXT_BYTES];
  char line[TRM_MESSAGE_BYTES];
  trm_text out = {.out = line, .capacity_bytes = sizeof line};
  trm_config_allowed(slot, key, allowed);
  trm_text_print(&out, "%s", type_names[key->type]);
  if (key->type != TRM_CONFIG_STRING) trm_text_print(&out, ": %s", allowed);
  if (!key->fallback) {
    trm_text_print(&out, "; required");
  } else {
    trm_text_print(&out, "; default %s", key->fallback[0] ? key->fallback : "empty");
  }
  if (counts(key->effect, false)) trm_text_print(&out, " *");
  print_wrapped(file, line);
}

/* One row, or two that say the same. */
static bool same_row(const trm_config_key *a, const trm_config_key *b) {
  if (a == b) return true;
  const char *fallbacks[2] = {a->fallback ? a->fallback : "", b->fallback ? b->fallback : ""};
  const char *choices[2] = {a->choices ? a->choices : "", b->choices ? b->choices : ""};
  return strcmp(a->help, b->help) == 0 && strcmp(fallbacks[0], fallbacks[1]) == 0 &&
         strcmp(choices[0], choices[1]) == 0 && strcmp(a->unit, b->unit) == 0 &&
         !(a->min < b->min || a->min > b->min || a->max < b->max || a->max > b->max) &&
         a->effect == b->effect;
}

/* Who brings a row: of those that share one, all. */
static void row_users(const trm_config_slot *slot, int row, char text[TRM_USERS_TEXT_BYTES]) {
  trm_config_row rows[TRM_CONFIG_MAX_PARTS];
  trm_config_slot same = {.rows = rows};
  for (int r = 0; r < slot->n_rows; ++r) {
    if (same_row(slot->rows[r].key, slot->rows[row].key)) rows[same.n_rows++] = slot->rows[r];
  }
  trm_config_users(&same, text);
}

static void print_slot(FILE *file, const trm_config_slot *slot) {
  (void)fprintf(file, "  %-*s", HELP_INDENT - 2, slot->name);
  for (int r = 0; r < slot->n_rows; ++r) {
    const trm_config_key *key = slot->rows[r].key;
    char users[TRM_USERS_TEXT_BYTES];
    bool seen = false;
    for (int q = 0; q < r; ++q) seen |= same_row(slot->rows[q].key, key);
    if (seen) continue;
    if (r > 0) indent(file);
    print_form(file, slot, key);
    row_users(slot, r, users);
    if (users[0]) {
      char line[TRM_USERS_TEXT_BYTES + 16];
      (void)snprintf(line, sizeof line, "for %s", users);
      indent(file);
      print_wrapped(file, line);
    }
    indent(file);
    print_wrapped(file, key->help);
  }
}

static void print_intro(FILE *file) {
  (void)fputs("A configuration is a YAML file of groups and keys, `group: { key: value }`; on the\n"
              "command line --set group.key=value overrides it.\n"
              "* marks keys that change the trained bits: a run is resumed with the same values.\n"
              "\"for ...\" says who uses a key; where nothing does, giving it is an error.\n",
              file);
}

/* Slots from `first` on whose names have the first n bytes alike, or all. */
static void print_slots(const trm_config *config, int first, const char *like, size_t n,
                        FILE *file) {
  const char *group = "";
  for (int i = first; i < config->n_slots; ++i) {
    const char *name = config->slots[i].name;
    const size_t length = trm_config_group_length(name);
    if (like && strncmp(name, like, n) != 0) continue;
    if (strncmp(group, name, length + 1) != 0) {
      (void)fprintf(file, "%s%.*s\n", like ? "" : "\n", (int)length, name);
    }
    group = name;
    print_slot(file, &config->slots[i]);
  }
}

static trm_status help_word(trm_config *config, const char *word, FILE *file) {
  char key[TRM_MEANT_BYTES];
  const size_t n = strlen(word);
  const int row = trm_config_find_group(config, word, n);
  if (row >= 0) {
    print_slots(config, row, config->slots[row].name, n + 1, file);
    return TRM_OK;
  }
  if (trm_config_meant(&config->parts, word, key)) {
    print_slots(config, 0, key, strlen(key) + 1, file);
    return TRM_OK;
  }
  (void)trm_config_unknown(config, word, (trm_config_origin){.label = "help"});
  return trm_fail(TRM_ERR_USAGE, "%s", trm_message());
}

trm_status trm_config_help(const trm_config_parts *parts, const char *word, FILE *file) {
  trm_config *config = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(trm_config_create(parts, &config));
  if (word) {
    status = help_word(config, word, file);
  } else {
    print_intro(file);
    print_slots(config, 0, NULL, 0, file);
  }
  trm_config_destroy(&config);
  return status;
}

bool trm_config_has_group(const trm_config_parts *parts, const char *group) {
  trm_config *config = NULL;
  if (trm_config_create(parts, &config) != TRM_OK) return false;
  const bool found = trm_config_find_group(config, group, strlen(group)) >= 0;
  trm_config_destroy(&config);
  return found;
}

trm_status trm_config_print_names(const trm_config_parts *parts, FILE *file) {
  trm_config *config = NULL;
  TRM_TRY(trm_config_create(parts, &config));
  for (int i = 0; i < config->n_slots; ++i) {
    (void)fprintf(file, "%s%s", i ? " " : "", config->slots[i].name);
  }
  trm_config_destroy(&config);
  return TRM_OK;
}
