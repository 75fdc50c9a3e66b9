/* A JSON schema of configuration files. */
#include <math.h>
#include <string.h>

#include "config_internal.h"
#include "trireme/core/json.h"

/* ---- one key --------------------------------------------------------------------------------- */

/* The widest range of its rows. */
static void print_range(FILE *file, const trm_config_slot *slot) {
  double min = INFINITY, max = -INFINITY;
  for (int r = 0; r < slot->n_rows; ++r) {
    min = fmin(min, slot->rows[r].key->min);
    max = fmax(max, slot->rows[r].key->max);
  }
  if (min > -DBL_MAX) (void)fprintf(file, ", \"minimum\": %.17g", min);
  if (max < DBL_MAX) (void)fprintf(file, ", \"maximum\": %.17g", max);
}

/* Whether the choice at `text` stands in a list "a|b". */
static bool has_choice(const char *choices, const char *text, size_t n) {
  for (const char *p = choices; *p;) {
    const size_t length = strcspn(p, "|");
    if (length == n && strncmp(p, text, n) == 0) return true;
    p += length + (p[length] == '|');
  }
  return false;
}

/* Names, and a name of digits as a number besides, as YAML reads it. */
static void print_choice(FILE *file, const char *text, size_t n, const char *before) {
  (void)fprintf(file, "%s\"%.*s\"", before, (int)n, text);
  if (strspn(text, "0123456789") >= n) (void)fprintf(file, ", %.*s", (int)n, text);
}

/* Choices of all rows, each once. */
static void print_choices(FILE *file, const trm_config_slot *slot) {
  const char *before = "";
  (void)fputs("\"enum\": [", file);
  for (int r = 0; r < slot->n_rows; ++r) {
    const char *choices = slot->choices ? slot->choices : slot->rows[r].key->choices;
    for (const char *p = choices; *p;) {
      const size_t n = strcspn(p, "|");
      bool seen = false;
      for (int q = 0; q < r && !seen; ++q) {
        seen = has_choice(slot->choices ? slot->choices : slot->rows[q].key->choices, p, n);
      }
      if (!seen) {
        print_choice(file, p, n, before);
        before = ", ";
      }
      p += n + (p[n] == '|');
    }
  }
  (void)fputc(']', file);
}

static void print_type(FILE *file, const trm_config_slot *slot) {
  switch (slot->type) {
  case TRM_CONFIG_INT:
    (void)fputs("\"type\": \"integer\"", file);
    print_range(file, slot);
    break;
  case TRM_CONFIG_REAL:
    /* YAML 1.1 takes 1e-4, without a point, for a text. */
    (void)fputs("\"type\": [\"number\", \"string\"], "
                "\"pattern\": \"^[-+]?[0-9]+([.][0-9]*)?[eE][-+]?[0-9]+$\"",
                file);
    print_range(file, slot);
    break;
  case TRM_CONFIG_BOOL:
    (void)fputs("\"type\": \"boolean\"", file);
    break;
  case TRM_CONFIG_STRING:
    (void)fputs("\"type\": [\"string\", \"number\", \"boolean\", \"array\"]", file);
    break;
  case TRM_CONFIG_CHOICE:
    print_choices(file, slot);
    break;
  }
}

/* Its help, and who uses it. */
static void print_description(FILE *file, const trm_config_slot *slot) {
  char users[TRM_USERS_TEXT_BYTES], text[TRM_MESSAGE_BYTES];
  const trm_config_key *key = slot->rows[0].key;
  trm_config_users(slot, users);
  (void)snprintf(text, sizeof text, "%s%s%s%s%s", key->help,
                 key->fallback && key->fallback[0] ? " Default: " : "",
                 key->fallback && key->fallback[0] ? key->fallback : "", users[0] ? ". For " : "",
                 users);
  (void)fputs(", \"description\": ", file);
  trm_json_text(file, text);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Keys of the group from slot `first` on; returns the slot behind them. */
static int print_group(FILE *file, const trm_config *config, int first) {
  const char *group = config->slots[first].name;
  const size_t n = trm_config_group_length(group);
  int i = first;
  (void)fprintf(file,
                "    \"%.*s\": {\"type\": [\"object\", \"null\"], "
                "\"additionalProperties\": false, \"properties\": {\n"
                "      \"<<\": {\"type\": [\"object\", \"array\"]}",
                (int)n, group);
  for (; i < config->n_slots && strncmp(config->slots[i].name, group, n + 1) == 0; ++i) {
    (void)fprintf(file, ",\n      \"%s\": {", config->slots[i].name + n + 1);
    print_type(file, &config->slots[i]);
    print_description(file, &config->slots[i]);
    (void)fputc('}', file);
  }
  (void)fputs("}}", file);
  return i;
}

trm_status trm_config_schema(const trm_config_parts *parts, FILE *file) {
  trm_config *config = NULL;
  TRM_TRY(trm_config_create(parts, &config));
  (void)fputs("{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n"
              "  \"title\": \"Configuration of a Trireme run\",\n  \"type\": \"object\",\n"
              "  \"additionalProperties\": false,\n"
              "  \"patternProperties\": {\"^x-\": {}},\n  \"properties\": {\n",
              file);
  (void)fputs("    \"<<\": {\"type\": [\"object\", \"array\"]},\n", file);
  if (parts->list) (void)fprintf(file, "    \"%s\": {\"type\": \"array\"},\n", parts->list);
  for (int i = 0; i < config->n_slots;) {
    i = print_group(file, config, i);
    (void)fputs(i < config->n_slots ? ",\n" : "\n", file);
  }
  (void)fputs("  }\n}\n", file);
  trm_config_destroy(&config);
  return TRM_OK;
}
