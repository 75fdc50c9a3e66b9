/* Scalars of the configuration: from text, to text, and what is allowed. */
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { MAX_NUMBER = 120 }; /* bytes of a number's text */

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *p) {
  while (is_digit(*p)) ++p;
  return p;
}

bool trm_int_parse(const char *text, int64_t *value) {
  const char *p = text;
  const bool negative = *p == '-';
  if (*p == '-' || *p == '+') ++p;
  if (!is_digit(*p)) return false;
  int64_t result = 0;
  for (; is_digit(*p); ++p) {
    const int digit = *p - '0';
    if (__builtin_mul_overflow(result, 10, &result)) return false;
    if (__builtin_add_overflow(result, negative ? -digit : digit, &result)) return false;
  }
  if (*p != '\0') return false;
  *value = result;
  return true;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or after the point. */
static bool is_decimal(const char *text, const char **point) {
  const char *p = text;
  *point = NULL;
  if (*p == '-' || *p == '+') ++p;
  const char *end = skip_digits(p);
  bool has_digits = end > p;
  p = end;
  if (*p == '.') {
    *point = p++;
    end = skip_digits(p);
    has_digits = has_digits || end > p;
    p = end;
  }
  if (!has_digits) return false;
  if (*p == 'e' || *p == 'E') {
    ++p;
    if (*p == '-' || *p == '+') ++p;
    if (!is_digit(*p)) return false;
    p = skip_digits(p);
  }
  return *p == '\0';
}

/*
 * strtod and printf write the decimal point of the process's locale, which a library must not
 * change. The point is learned from printf itself: localeconv is not safe among threads.
 */
static size_t locale_point(char point[16]) {
  char half[24];
  const int n = snprintf(half, sizeof half, "%.1f", 0.5);
  TRM_ASSERT(n >= 3 && n <= 16);
  memcpy(point, half + 1, (size_t)n - 2);
  return (size_t)n - 2;
}

bool trm_real_parse(const char *text, double *value) {
  char copy[MAX_NUMBER + 16] = "";
  const char *point;
  const size_t n = strnlen(text, MAX_NUMBER + 1);
  if (n > MAX_NUMBER || !is_decimal(text, &point)) return false;
  if (point) {
    const size_t before = (size_t)(point - text);
    memcpy(copy, text, before);
    const size_t n_point = locale_point(copy + before);
    memcpy(copy + before + n_point, point + 1, n - before); /* with the terminating zero */
  } else {
    memcpy(copy, text, n + 1);
  }
  char *end;
  const double result = strtod(copy, &end);
  if (*end != '\0' || !isfinite(result)) return false;
  *value = result + 0.0; /* -0 becomes 0: equal values must have equal texts */
  return true;
}

/* printf's number with '.' for the locale's point and no zeros before the exponent's digits. */
static void tidy_number(const char *raw, char text[TRM_REAL_TEXT_BYTES]) {
  size_t n = 0;
  bool has_point = false;
  for (const char *p = raw; *p && n < TRM_REAL_TEXT_BYTES - 6; ++p) {
    if (*p == 'e') {
      /* Readers of YAML 1.1 take "1e-3" for a string: they ask for a point and a signed exponent. */
      if (!has_point) {
        text[n++] = '.';
        text[n++] = '0';
      }
      text[n++] = 'e';
      text[n++] = *++p;
      while (p[1] == '0' && p[2] != '\0') ++p;
    } else if (is_digit(*p) || *p == '-') {
      text[n++] = *p;
    } else if (!has_point) { /* first byte of the point, which may have several */
      text[n++] = '.';
      has_point = true;
    }
  }
  text[n] = '\0';
}

void trm_real_text(double value, char text[TRM_REAL_TEXT_BYTES]) {
  char raw[64];
  if (value == floor(value) && fabs(value) < 1e15) {
    (void)snprintf(text, TRM_REAL_TEXT_BYTES, "%.0f", value);
    return;
  }
  for (int digits = 1; digits <= 17; ++digits) {
    double back;
    (void)snprintf(raw, sizeof raw, "%.*g", digits, value);
    tidy_number(raw, text);
    if (trm_real_parse(text, &back) && back == value) return;
  }
}

void trm_text_add(trm_text *text, const char *part, size_t n) {
  for (size_t i = 0; text->out && i < n; ++i) {
    if (text->used_bytes + i + 1 < text->capacity_bytes) text->out[text->used_bytes + i] = part[i];
  }
  text->used_bytes += n;
  if (!text->out || text->capacity_bytes == 0) return;
  const size_t last = text->capacity_bytes - 1;
  text->out[text->used_bytes < last ? text->used_bytes : last] = '\0';
}

void trm_text_print(trm_text *text, const char *format, ...) {
  char part[TRM_MESSAGE_BYTES];
  va_list args;
  va_start(args, format);
  const int n = vsnprintf(part, sizeof part, format, args);
  va_end(args);
  TRM_ASSERT(n >= 0);
  trm_text_add(text, part, (size_t)n < sizeof part ? (size_t)n : sizeof part - 1);
}

static void choices_list(const char *choices, trm_text *out) {
  for (const char *p = choices; *p; ++p) {
    if (*p == '|') {
      trm_text_add(out, ", ", 2);
    } else {
      trm_text_add(out, p, 1);
    }
  }
}

/* Names to choose from, separated by '|'. */
static const char *choices_of(const trm_config_slot *slot, const trm_config_key *key) {
  return key->choices ? key->choices : slot->choices;
}

void trm_config_allowed(const trm_config_slot *slot, const trm_config_key *key,
                        char text[TRM_ALLOWED_TEXT_BYTES]) {
  char low[TRM_REAL_TEXT_BYTES], high[TRM_REAL_TEXT_BYTES];
  trm_text out = {.out = text, .capacity_bytes = TRM_ALLOWED_TEXT_BYTES};
  text[0] = '\0';
  switch (key->type) {
  case TRM_CONFIG_BOOL:
    trm_text_add(&out, "true, false", 11);
    return;
  case TRM_CONFIG_STRING:
    trm_text_add(&out, "text", 4);
    return;
  case TRM_CONFIG_CHOICE:
    choices_list(choices_of(slot, key), &out);
    return;
  case TRM_CONFIG_INT:
  case TRM_CONFIG_REAL:
    break;
  }
  trm_real_text(key->min, low);
  trm_real_text(key->max, high);
  if (key->min <= -DBL_MAX) {
    trm_text_print(&out, key->max >= DBL_MAX ? "any number" : "at most %s", high);
  } else if (key->max >= DBL_MAX) {
    trm_text_print(&out, "%s or more", low);
  } else {
    trm_text_print(&out, "%s to %s", low, high);
  }
  if (key->unit && key->unit[0]) trm_text_print(&out, " (%s)", key->unit);
}

/* What a number should have been, for text that is none of the key's type. */
static const char *number_kind(const trm_config_key *key, const char *text) {
  const char *point;
  const char *word = text + strspn(text, "+-.");
  double real;
  if (key->type == TRM_CONFIG_INT) {
    const bool is_whole = trm_real_parse(text, &real) && real == floor(real);
    return is_whole ? "a whole number in plain digits" : "a whole number"; /* 1e3, 12.0 */
  }
  const bool is_special = strncasecmp(word, "nan", 3) == 0 || strncasecmp(word, "inf", 3) == 0;
  return is_special || is_decimal(text, &point) ? "a finite number" : "a number";
}

/* Also one with more digits than an int64_t holds: out of range, and no question of spelling. */
static bool is_integer(const char *text) {
  const char *digits = text + (*text == '-' || *text == '+');
  return is_digit(*digits) && *skip_digits(digits) == '\0';
}

/* The choice that `text` is, or the nearest one with *is_near set; its length into *n. */
static const char *choice_find(const char *choices, const char *text, size_t *n, bool *is_near) {
  const char *best = NULL;
  int best_distance = INT32_MAX;
  for (const char *p = choices; *p;) {
    char choice[64];
    const size_t length = strcspn(p, "|");
    TRM_ASSERT(length > 0 && length < sizeof choice);
    memcpy(choice, p, length);
    choice[length] = '\0';
    const bool same = strcmp(choice, text) == 0;
    const int distance = same ? -1 : trm_near_distance(text, choice);
    if (distance < best_distance) {
      best_distance = distance;
      best = p;
      *n = length;
    }
    p += length + (p[length] == '|');
  }
  *is_near = best && best_distance >= 0;
  return best;
}

static trm_status choice_check(const trm_config *config, const trm_config_slot *slot,
                               const trm_config_key *key, const char *text,
                               trm_config_origin origin) {
  char allowed[TRM_ALLOWED_TEXT_BYTES];
  const trm_config_word *foreign = trm_config_word_find(&config->parts, key->name, text);
  size_t n = 0;
  bool is_near = false;
  const char *found = choice_find(choices_of(slot, key), text, &n, &is_near);
  if (found && !is_near) return TRM_OK;
  trm_config_allowed(slot, key, allowed);
  if (foreign) {
    return trm_config_fail(origin, "%s is '%.80s', which is %s here; allowed: %s", key->name, text,
                           foreign->ours, allowed);
  }
  if (!found)
    return trm_config_fail(origin, "%s is '%.80s'; allowed: %s", key->name, text, allowed);
  return trm_config_fail(origin, "%s is '%.80s'; allowed: %s; did you mean '%.*s'?", key->name,
                         text, allowed, (int)n, found);
}

/* A string must survive being written to the resolved configuration, which is UTF-8. */
static trm_status string_check(const trm_config_key *key, const char *text,
                               trm_config_origin origin) {
  if (strnlen(text, TRM_CONFIG_STRING_BYTES) >= TRM_CONFIG_STRING_BYTES) {
    return trm_config_fail(origin, "%s has %d bytes or more; use a shorter text", key->name,
                           (int)TRM_CONFIG_STRING_BYTES);
  }
  for (const char *p = text; *p;) {
    uint32_t code;
    const int n = trm_utf8_decode(p, TRM_UTF8_MAX_BYTES, &code);
    if (n <= 0) {
      return trm_config_fail(origin, "%s is '%.80s', not UTF-8 at byte %lld; write it in UTF-8",
                             key->name, text, (long long)(p - text) + 1);
    }
    p += n;
  }
  return TRM_OK;
}

/* Length of a variable's name. */
static size_t name_length(const char *text) {
  size_t n = 0;
  while ((text[n] >= 'A' && text[n] <= 'Z') || (text[n] >= 'a' && text[n] <= 'z') ||
         text[n] == '_' || (n > 0 && is_digit(text[n]))) {
    ++n;
  }
  return n;
}

/* Value of the variable at "$NAME" or "${NAME}"; *n bytes are its name and what stands around it. NULL
 * with *n > 0: it is not set; NULL with 0: no variable. */
static const char *variable_at(const char *text, size_t *n) {
  char name[128];
  const bool braces = text[1] == '{';
  const size_t length = name_length(text + 1 + braces);
  *n = 0;
  if (length == 0 || length >= sizeof name || (braces && text[2 + length] != '}')) return NULL;
  memcpy(name, text + 1 + braces, length);
  name[length] = 0;
  *n = 1 + length + (braces ? 2 : 0);
  return getenv(name);
}

/* "~/data" and "$HOME/data" as a shell has them, into path[TRM_CONFIG_STRING_BYTES]. */
static trm_status expand_path(const trm_config_key *key, const char *text, char *path,
                              trm_config_origin origin) {
  trm_text out = {.out = path, .capacity_bytes = TRM_CONFIG_STRING_BYTES};
  path[0] = '\0';
  for (const char *p = text; *p;) {
    size_t n = 1;
    const char *value = NULL;
    if (*p == '$') {
      value = variable_at(p, &n);
    } else if (p == text && *p == '~' && (p[1] == '/' || !p[1])) {
      value = getenv("HOME");
    }
    if (value) {
      trm_text_add(&out, value, strlen(value));
    } else if ((*p == '$' && n > 0) || (p == text && *p == '~')) {
      return trm_config_fail(origin,
                             "%s is '%.200s', but the environment has no '%.*s'; set it, or write "
                             "the path itself",
                             key->name, text, *p == '~' ? 4 : (int)n, *p == '~' ? "HOME" : p);
    } else {
      trm_text_add(&out, p, n = 1);
    }
    p += n;
  }
  if (out.used_bytes < TRM_CONFIG_STRING_BYTES) return TRM_OK;
  return trm_config_fail(origin, "%s has %d bytes or more; use a shorter path", key->name,
                         (int)TRM_CONFIG_STRING_BYTES);
}

static bool number_in_range(const trm_config_key *key, const char *text, trm_config_value *value) {
  if (key->type == TRM_CONFIG_REAL) {
    return trm_real_parse(text, &value->real) && value->real >= key->min && value->real <= key->max;
  }
  /* Compared as integers: as a double, 2^53 + 1 would pass for 2^53. */
  return trm_int_parse(text, &value->integer) && value->integer >= (int64_t)key->min &&
         value->integer <= (int64_t)key->max;
}

static trm_status number_check(const trm_config_slot *slot, const trm_config_key *key,
                               const char *text, trm_config_value *value,
                               trm_config_origin origin) {
  char allowed[TRM_ALLOWED_TEXT_BYTES];
  double real;
  if (number_in_range(key, text, value)) return TRM_OK;
  trm_config_allowed(slot, key, allowed);
  if (key->type == TRM_CONFIG_INT ? is_integer(text) : trm_real_parse(text, &real)) {
    return trm_config_fail(origin, "%s is %.80s; allowed: %s", key->name, text, allowed);
  }
  return trm_config_fail(origin, "%s is '%.80s', not %s; allowed: %s", key->name, text,
                         number_kind(key, text), allowed);
}

static trm_status bool_check(const trm_config_key *key, const char *text, trm_config_value *value,
                             trm_config_origin origin) {
  value->boolean = strcmp(text, "true") == 0;
  if (value->boolean || strcmp(text, "false") == 0) return TRM_OK;
  return trm_config_fail(origin, "%s is '%.80s'; allowed: true, false", key->name, text);
}

/* Canonical text of a checked value; `buffer` holds a number's. */
static const char *canonical_text(const trm_config_key *key, const trm_config_value *value,
                                  const char *text, char buffer[TRM_REAL_TEXT_BYTES]) {
  if (key->type == TRM_CONFIG_INT) {
    (void)snprintf(buffer, TRM_REAL_TEXT_BYTES, "%lld", (long long)value->integer);
    return buffer;
  }
  if (key->type == TRM_CONFIG_REAL) {
    trm_real_text(value->real, buffer);
    return buffer;
  }
  return text;
}

void trm_config_value_free(trm_config_value *value) {
  TRM_FREE(value->text);
}

trm_status trm_config_parse(const trm_config *config, const trm_config_slot *slot,
                            const trm_config_key *key, const char *text, trm_config_origin origin,
                            trm_config_value *value) {
  char buffer[TRM_REAL_TEXT_BYTES], path[TRM_CONFIG_STRING_BYTES];
  *value = (trm_config_value){0};
  switch (key->type) {
  case TRM_CONFIG_INT:
  case TRM_CONFIG_REAL:
    TRM_TRY(number_check(slot, key, text, value, origin));
    break;
  case TRM_CONFIG_BOOL:
    TRM_TRY(bool_check(key, text, value, origin));
    break;
  case TRM_CONFIG_CHOICE:
    TRM_TRY(choice_check(config, slot, key, text, origin));
    break;
  case TRM_CONFIG_STRING:
    TRM_TRY(string_check(key, text, origin));
    if (strcmp(key->unit, "path") != 0) break;
    TRM_TRY(expand_path(key, text, path, origin));
    text = path;
    break;
  }
  const char *canonical = canonical_text(key, value, text, buffer);
  const int64_t n = (int64_t)strlen(canonical) + 1;
  TRM_TRY(TRM_ALLOC(&value->text, n, "configuration"));
  memcpy(value->text, canonical, (size_t)n);
  return TRM_OK;
}

/* By the row in use as things stand, or another one: what chooses between them may come later. */
static trm_status parse_by_any(const trm_config *config, const trm_config_slot *slot,
                               const char *text, trm_config_origin origin,
                               trm_config_value *value) {
  const trm_config_row *first = trm_config_row_used(config, slot);
  if (!first) first = &slot->rows[0];
  trm_status status = trm_config_parse(config, slot, first->key, text, origin, value);
  for (int r = 0; status == TRM_ERR_CONFIG && r < slot->n_rows; ++r) {
    status = trm_config_parse(config, slot, slot->rows[r].key, text, origin, value);
  }
  /* When none takes it, the first one's message. */
  return status == TRM_ERR_CONFIG ? trm_config_parse(config, slot, first->key, text, origin, value)
                                  : status;
}

trm_status trm_config_assign(trm_config *config, int index, const char *text,
                             trm_config_origin origin) {
  trm_config_slot *slot = &config->slots[index];
  trm_config_value value;
  char *label = NULL;
  const int64_t n = (int64_t)strlen(origin.label) + 1;
  trm_status status = parse_by_any(config, slot, text, origin, &value);
  config->unsettled = config->unsettled || (status == TRM_ERR_CONFIG && slot->choices);
  slot->refused = status == TRM_ERR_CONFIG;
  TRM_TRY(status);
  status = TRM_ALLOC(&label, n, "configuration");
  if (status != TRM_OK) {
    trm_config_value_free(&value);
    return status;
  }
  memcpy(label, origin.label, (size_t)n);
  trm_config_value_free(&slot->value);
  TRM_FREE(slot->label);
  slot->value = value;
  slot->label = label;
  slot->line = origin.line;
  slot->given = true;
  return TRM_OK;
}
