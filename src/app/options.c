#include "app.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "option_words.h"
#include "trireme/core/config.h"
#include "trireme/core/log.h"
#include "trireme/train/keys.h"

void app_print_usage(const app_command *c) {
  printf("trireme %s", c->name);
  if (c->print_kinds) c->print_kinds();
  printf("%s%s\n", *c->words ? " " : "", c->words);
}

const app_option *app_option_find(const app_option *options, int n, const char *word) {
  const size_t length = strcspn(word, "=");
  for (int i = 0; i < n; ++i) {
    if (strlen(options[i].name) == length && strncmp(options[i].name, word, length) == 0) {
      return &options[i];
    }
    if (options[i].letter && length == 2 && word[0] == '-' && word[1] == options[i].letter) {
      return &options[i];
    }
  }
  return NULL;
}

bool app_option_takes_next(const app_option *o, const char *word) {
  return o->type != APP_TYPE_FLAG && !o->value_optional && !strchr(word, '=');
}

/* The key that a word means, where a command takes --set with such keys: "KEY=VALUE", or
 * "eval.KEY=VALUE". */
static bool means_key(const app_option *options, int n, const char *word,
                      char key[TRM_MEANT_BYTES]) {
  char name[TRM_MEANT_BYTES];
  trm_config_parts parts;
  (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
  const app_option *set = app_option_find(options, n, "--set");
  if (!set) return false;
  trm_program_parts(&parts);
  const size_t n_group = (size_t)(strstr(set->value_name, "KEY") - set->value_name);
  return trm_config_meant(&parts, name, key) && strncmp(key, set->value_name, n_group) == 0;
}

/* What was meant as the value of an option that there is not; `next`: the next word, NULL: none. */
static const char *value_of(const char *word, const char *next) {
  const char *equals = strchr(word, '=');
  if (equals) return equals + 1;
  const char *dot = next ? strrchr(next, '.') : NULL;
  const bool config = dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
  return next && next[0] != '-' && !config ? next : "VALUE";
}

/* An option that is a key, or a word of other programs for what is no key here; TRM_OK: neither. */
static trm_status no_option_but_key(const char *command, const app_option *options, int n,
                                    const char *word, const char *next) {
  char key[TRM_MEANT_BYTES], name[TRM_MEANT_BYTES];
  trm_config_parts parts;
  const char *bare = word + strspn(word, "-");
  if (!app_option_find(options, n, "--set") || strcspn(bare, "=") < 2) return TRM_OK;
  if (means_key(options, n, bare, key)) {
    const char *value = value_of(word, next);
    const bool several = strchr(value, ',') && app_option_find(options, n, "--grid");
    return trm_fail(TRM_ERR_USAGE, "%s: no option '%s'; that is a key: %s %s=%s", command, word,
                    several ? "--grid" : "--set", key, value);
  }
  (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(bare, "="), bare);
  trm_program_parts(&parts);
  const char *note = trm_config_absent(&parts, name);
  if (!note) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s: no option '%s': %s", command, word, note);
}

static trm_status unknown(const char *command, const app_option *options, int n, const char *word,
                          const char *next) {
  const char *advice = app_option_advice(command, word);
  if (advice) {
    return trm_fail(TRM_ERR_USAGE, "%s: no option '%s'; %s", command, word, advice);
  }
  TRM_TRY(no_option_but_key(command, options, n, word, next));
  const char *names[64];
  TRM_ASSERT(n <= 64);
  for (int i = 0; i < n; ++i) names[i] = options[i].name;
  const char *near = app_option_related(options, n, word);
  if (!near) near = trm_nearest(word, names, n);
  return trm_fail(TRM_ERR_USAGE, "%s: no option '%s'%s%s%s; see trireme %s --help", command, word,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", command);
}

static trm_status store_number(const char *command, const app_option *o, const char *text) {
  char *end;
  errno = 0;
  const double x = strtod(text, &end);
  if (end == text || *end || errno != 0 || !isfinite(x) || x < o->min || x > o->max ||
      (o->type == APP_TYPE_INT && x != floor(x))) {
    return trm_fail(TRM_ERR_USAGE, "%s: %s is '%s'; allowed: %s from %g to %g", command, o->name,
                    text, o->type == APP_TYPE_INT ? "a whole number" : "a number", o->min, o->max);
  }
  if (o->type == APP_TYPE_INT)
    *(int64_t *)o->value = (int64_t)x;
  else
    *(double *)o->value = x;
  return TRM_OK;
}

static trm_status store(const char *command, const app_option *o, const char *text) {
  switch (o->type) {
  case APP_TYPE_FLAG:
    *(bool *)o->value = true;
    return TRM_OK;
  case APP_TYPE_TEXT:
    *(const char **)o->value = text;
    return TRM_OK;
  case APP_TYPE_INT:
  case APP_TYPE_REAL:
    return store_number(command, o, text);
  case APP_TYPE_LIST: {
    app_list *list = o->value;
    if (list->n == list->capacity) {
      return trm_fail(TRM_ERR_USAGE, "%s: %s is given more than %d times", command, o->name,
                      list->capacity);
    }
    list->items[list->n++] = text;
    return TRM_OK;
  }
  }
  return TRM_OK;
}

/* "lr=0.1" is hardly a file. */
static trm_status check_word(const char *command, const app_option *options, int n,
                             const char *word) {
  char key[TRM_MEANT_BYTES];
  const char *equals = strchr(word, '=');
  if (!equals || access(word, F_OK) == 0 || !means_key(options, n, word, key)) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s: '%s' is no file; keys are given by --set %s=%s", command,
                  word, key, equals + 1);
}

trm_status app_parse_page(const app_command *page, int argc, char **argv, const app_option *options,
                          int n_options, app_list *words, bool *helped) {
  const char *command = page->name;
  *helped = false;
  *words = (app_list){.items = (const char **)argv, .capacity = argc};
  bool only_words = false; /* after "--" */
  const app_option as_word = {.name = "the list of files", .type = APP_TYPE_LIST, .value = words};
  for (int i = 0; i < argc; ++i) {
    const char *word = argv[i];
    if (only_words || word[0] != '-' || word[1] == 0) {
      if (!only_words) TRM_TRY(check_word(command, options, n_options, word));
      TRM_TRY(store(command, &as_word, word));
      continue;
    }
    if (strcmp(word, "--") == 0) {
      only_words = true;
      continue;
    }
    if (strcmp(word, "--quiet") == 0 || strcmp(word, "-q") == 0) {
      trm_log_quiet(true);
      continue;
    }
    app_page_format format;
    if (app_asks_page(word, &format)) {
      if (app_speaks()) app_print_page(page, options, n_options, format);
      *helped = true;
      return TRM_OK;
    }
    const char *equals = strchr(word, '=');
    const app_option *o = app_option_find(options, n_options, word);
    if (!o) return unknown(command, options, n_options, word, i + 1 < argc ? argv[i + 1] : NULL);
    const char *value = equals ? equals + 1 : NULL;
    if (o->type == APP_TYPE_FLAG && value) {
      return trm_fail(TRM_ERR_USAGE, "%s: %s takes no value", command, o->name);
    }
    if (app_option_takes_next(o, word)) {
      if (i + 1 == argc) {
        return trm_fail(TRM_ERR_USAGE, "%s: %s needs a value: %s", command, o->name, o->help);
      }
      value = argv[++i];
    }
    if (!value) value = ""; /* a flag, or a value left away */
    TRM_TRY(store(command, o, value));
  }
  return TRM_OK;
}

trm_status app_parse(const char *command, int argc, char **argv, const app_option *options,
                     int n_options, app_list *words, bool *helped) {
  const app_command *page = app_command_find(command);
  TRM_ASSERT(page);
  return app_parse_page(page, argc, argv, options, n_options, words, helped);
}

trm_status app_expect(const char *command, const app_list *words, int n, const char *what) {
  if (words->n == n) return TRM_OK;
  if (n == 0) {
    return trm_fail(TRM_ERR_USAGE, "%s: takes no words, but '%s' is given; see trireme %s --help",
                    command, words->items[0], command);
  }
  return trm_fail(TRM_ERR_USAGE, "%s: give %s (%d given)", command, what, words->n);
}

trm_status app_members(const char *command, const app_list *words, trm_members *members) {
  if (words->n == 0) return app_expect(command, words, 1, "one run directory or checkpoint");
  if (words->n > TRM_MAX_MEMBERS) {
    return trm_fail(TRM_ERR_USAGE, "%s: %d runs are given; at most %d", command, words->n,
                    (int)TRM_MAX_MEMBERS);
  }
  if (words->n == 1 && members->vote) {
    return trm_fail(TRM_ERR_USAGE, "%s: --vote is of several runs; one is given", command);
  }
  members->runs = words->items;
  members->n = words->n;
  return TRM_OK;
}
