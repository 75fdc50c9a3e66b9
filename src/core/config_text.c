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

static void write_all(const trm_config *config, trm_text *out) {
  const char *group = "";
  for (int i = 0; i < config->n_keys; ++i) {
    const trm_config_key *key = &config->keys[i];
    const char *text = config->values[i].text;
    const size_t n = trm_config_group_length(key->name);
    if (!text) continue;
    if (strncmp(group, key->name, n + 1) != 0) trm_text_print(out, "%.*s:\n", (int)n, key->name);
    group = key->name;
    trm_text_print(out, "  %s: ", key->name + n + 1);
    if (key->type == TRM_CONFIG_STRING && !is_plain(text)) {
      write_quoted(out, text);
    } else {
      trm_text_add(out, text, strlen(text));
    }
    trm_text_add(out, "\n", 1);
  }
}

trm_status trm_config_text(const trm_config *config, char **out) {
  trm_text text = {0};
  char *block = NULL;
  write_all(config, &text); /* measures */
  TRM_TRY(TRM_ALLOC(&block, (int64_t)text.used_bytes + 1, "configuration text"));
  text = (trm_text){.out = block, .capacity_bytes = text.used_bytes + 1};
  write_all(config, &text);
  *out = block;
  return TRM_OK;
}

/* Keys that say where something lies: ranks may see it under different names. */
static bool is_place(const trm_config_key *key) {
  return strcmp(key->name, "run.dir") == 0 || strcmp(key->name, "data.path") == 0;
}

uint64_t trm_config_digest(const trm_config *config, bool all) {
  uint64_t hash = 0;
  for (int i = 0; i < config->n_keys; ++i) {
    const trm_config_key *key = &config->keys[i];
    const char *text = config->values[i].text ? config->values[i].text : "";
    if (all ? is_place(key) : !key->affects_result) continue;
    /* With the name, and with terminating zeros, so that no two lists run together. */
    hash = trm_hash64(key->name, strlen(key->name) + 1, hash);
    hash = trm_hash64(text, strlen(text) + 1, hash);
  }
  return hash;
}

const char *trm_config_difference(const trm_config *a, const trm_config *b, const char *after,
                                  const char **a_text, const char **b_text) {
  TRM_ASSERT(a->n_keys == b->n_keys);
  int i = 0;
  while (after && strcmp(a->keys[i++].name, after) != 0) TRM_ASSERT(i < a->n_keys);
  for (; i < a->n_keys; ++i) {
    const char *text = a->values[i].text ? a->values[i].text : "";
    const char *other = b->values[i].text ? b->values[i].text : "";
    TRM_ASSERT(strcmp(a->keys[i].name, b->keys[i].name) == 0);
    if (!a->keys[i].affects_result || strcmp(text, other) == 0) continue;
    *a_text = text;
    *b_text = other;
    return a->keys[i].name;
  }
  return NULL;
}

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

static void print_key(FILE *file, const trm_config_key *key) {
  static const char *const type_names[] = {"integer", "real", "bool", "text", "choice"};
  char allowed[TRM_ALLOWED_TEXT_BYTES];
  char line[TRM_MESSAGE_BYTES];
  trm_text out = {.out = line, .capacity_bytes = sizeof line};
  trm_config_allowed(key, allowed);
  trm_text_print(&out, "%s", type_names[key->type]);
  if (key->type != TRM_CONFIG_STRING) trm_text_print(&out, ": %s", allowed);
  if (!key->fallback) {
    trm_text_print(&out, "; required");
  } else {
    trm_text_print(&out, "; default %s", key->fallback[0] ? key->fallback : "empty");
  }
  if (key->affects_result) trm_text_print(&out, " *");
  (void)fprintf(file, "  %-*s", HELP_INDENT - 2, key->name);
  print_wrapped(file, line);
  (void)fprintf(file, "%*s", (int)HELP_INDENT, "");
  print_wrapped(file, key->help);
}

void trm_config_help(const trm_config_key *keys, int n_keys, FILE *file) {
  const char *group = "";
  (void)fputs("A configuration is a YAML file of groups and keys, `group: { key: value }`; on the\n"
              "command line --set group.key=value overrides it.\n"
              "* marks keys that change the trained bits: a run is resumed with the same values.\n",
              file);
  for (int i = 0; i < n_keys; ++i) {
    const size_t n = trm_config_group_length(keys[i].name);
    if (strncmp(group, keys[i].name, n + 1) != 0) {
      (void)fprintf(file, "\n%.*s\n", (int)n, keys[i].name);
    }
    group = keys[i].name;
    print_key(file, &keys[i]);
  }
}
