#include "space.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/hash.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/numbers.h"
#include "trireme/io/files.h"
#include "trireme/train/tune.h"

/* ---- the keys of a search -------------------------------------------------------------------- */

static const trm_config_key keys[] = {
    TRM_KEY_CHOICE("search.method", "tpe", "tpe|random|grid", TRM_ON_RESULT,
                   "How values are chosen."),
    TRM_KEY_INT("search.trials", "50", 1, 100000, "trials", TRM_ON_RESULT,
                "Trials in all; a grid has its own number."),
    TRM_KEY_INT("search.seed", "1", 0, 9007199254740992.0, "", TRM_ON_RESULT, "Of the choices."),
    TRM_KEY_INT("search.parallel", "4", 1, 10000, "trials", TRM_ON_RESULT,
                "Trials under way at once; more ranks than that work on a trial together."),
    TRM_KEY_INT("search.startup", "10", 1, 100000, "trials", TRM_ON_RESULT,
                "Trials drawn at random before TPE begins."),
    TRM_KEY_INT("search.candidates", "24", 1, 10000, "", TRM_ON_RESULT,
                "Candidates of TPE for a value."),
    TRM_KEY_CHOICE("search.prune", "none", "none|median|halving|asha", TRM_ON_RESULT,
                   "How trials are given up early."),
    TRM_KEY_INT("search.eta", "4", 2, 1000, "", TRM_ON_RESULT, "One of so many trials goes on."),
    TRM_KEY_INT("search.rungs", "3", 2, TRM_MOST_RUNGS, "", TRM_ON_RESULT,
                "Lengths at which trials are compared, each eta times the one before."),
    TRM_KEY_INT("search.median_startup", "5", 1, 100000, "trials", TRM_ON_RESULT,
                "Trials of full length before the median gives up on any."),
    TRM_KEY_INT("search.keep", "4", 1, 100000, "", TRM_NO_EFFECT,
                "Trials whose checkpoints stay on disk, besides those under way."),
    TRM_KEY_INT(
        "search.folds", "0", 0, 1000, "", TRM_ON_RESULT,
        "Folds of what is not for testing that a trial is trained on; 0: the validation part."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);
static const trm_config_part part = {.name = "search", .rows = {&rows}};

static trm_status fail_at(const trm_space *s, int64_t line, const char *what, const char *value,
                          const char *remedy) {
  return trm_fail(TRM_ERR_CONFIG, "%s:%" PRId64 ": %s '%s'; %s", s->path, line, what, value,
                  remedy);
}

static trm_status set_search(const trm_space *s, const trm_yaml_node *node, trm_config *config) {
  char text[512];
  if (node->kind != TRM_YAML_TEXT) {
    return fail_at(s, node->line, "a list or map for", node->key, "write one value");
  }
  (void)snprintf(text, sizeof text, "search.%s=%s", node->key, node->text);
  return trm_config_set_from(config, text, s->path, node->line);
}

static int index_of(const char *word, const char *words) {
  int i = 0;
  for (const char *at = words; *at; ++i) {
    const size_t n = strcspn(at, "|");
    if (strlen(word) == n && strncmp(word, at, n) == 0) return i;
    at += n + (at[n] != 0);
  }
  TRM_ASSERT(false);
  return 0;
}

static void take_search(const trm_config *c, trm_search_options *o) {
  *o = (trm_search_options){
      .method =
          (trm_search_method)index_of(trm_config_string(c, "search.method"), "tpe|random|grid"),
      .prune = (trm_prune_rule)index_of(trm_config_string(c, "search.prune"),
                                        "none|median|halving|asha"),
      .seed = (uint64_t)trm_config_int(c, "search.seed"),
      .trials = trm_config_int(c, "search.trials"),
      .parallel = trm_config_int(c, "search.parallel"),
      .startup = trm_config_int(c, "search.startup"),
      .candidates = trm_config_int(c, "search.candidates"),
      .eta = trm_config_int(c, "search.eta"),
      .rungs = trm_config_int(c, "search.rungs"),
      .median_startup = trm_config_int(c, "search.median_startup"),
      .keep = trm_config_int(c, "search.keep"),
      .folds = trm_config_int(c, "search.folds"),
  };
  if (o->prune != TRM_PRUNE_HALVING && o->prune != TRM_PRUNE_ASHA) o->rungs = 1;
}

static trm_config_parts search_parts(void) {
  return (trm_config_parts){.groups = "search", .parts = {&part}, .n = 1};
}

trm_status trm_tune_help(FILE *file) {
  const trm_config_parts parts = search_parts();
  return trm_config_help(&parts, NULL, file);
}

static trm_status read_search(trm_space *s, int at) {
  const trm_config_parts parts = search_parts();
  trm_config *config = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(trm_config_create(&parts, &config));
  for (int i = at < 0 ? -1 : s->tree.nodes[at].first; i >= 0; i = s->tree.nodes[i].next) {
    TRM_TRY_OUT(set_search(s, &s->tree.nodes[i], config));
  }
  TRM_TRY_OUT(trm_config_check(config));
  take_search(config, &s->search);
  if (s->search.folds == 1) {
    status =
        trm_fail(TRM_ERR_CONFIG, "%s: search.folds is 1; folds are 2 at least, 0: none", s->path);
  }
out:
  trm_config_destroy(&config);
  return status;
}

/* ---- parameters ------------------------------------------------------------------------------ */

static trm_status bad_value(const trm_space *s, const trm_yaml_node *node, const char *expected) {
  return trm_fail(TRM_ERR_CONFIG, "%s:%" PRId64 ": %s is '%s', expected %s", s->path, node->line,
                  node->key, node->text, expected);
}

static trm_status read_number(const trm_space *s, const trm_yaml_node *node, double *value) {
  if (node->kind == TRM_YAML_TEXT && trm_real_parse(node->text, value)) return TRM_OK;
  return bad_value(s, node, "a number, as 1e-4");
}

static trm_status read_flag(const trm_space *s, const trm_yaml_node *node, bool *value) {
  *value = strcmp(node->text, "true") == 0;
  if (*value || strcmp(node->text, "false") == 0) return TRM_OK;
  return bad_value(s, node, "true or false");
}

static trm_status read_choices(const trm_space *s, int at, trm_parameter *p) {
  p->kind = TRM_PARAMETER_CHOICE;
  for (int i = s->tree.nodes[at].first; i >= 0; i = s->tree.nodes[i].next) {
    const trm_yaml_node *node = &s->tree.nodes[i];
    if (node->kind != TRM_YAML_TEXT) {
      return fail_at(s, node->line, "a list or map among the choices of", p->key,
                     "write each as one text, in quotes if it has commas");
    }
    if (p->n_choices == TRM_SPACE_CHOICES) {
      return fail_at(s, node->line, "more than 64 choices of", p->key, "give fewer");
    }
    for (int k = 0; k < p->n_choices; ++k) {
      if (strcmp(p->choices[k], node->text) != 0) continue;
      return fail_at(s, node->line, "given twice: the choice", node->text, "give each once");
    }
    p->choices[p->n_choices++] = node->text;
  }
  p->high = p->n_choices - 1;
  p->step = 1;
  if (p->n_choices >= 2) return TRM_OK;
  return fail_at(s, p->line, "an empty range: fewer than two choices of", p->key,
                 "give more, or set the key in the configuration");
}

/* The values of the parent with which there is this parameter: a text or a list of them. */
static trm_status take_wanted(const trm_space *s, int at, trm_parameter *p) {
  const trm_yaml_node *nodes = s->tree.nodes;
  const trm_parameter *parent = &s->parameters[p->parent];
  const bool list = nodes[at].kind == TRM_YAML_LIST;
  for (int i = list ? nodes[at].first : at; i >= 0; i = list ? nodes[i].next : -1) {
    int k = 0;
    while (k < parent->n_choices && strcmp(parent->choices[k], nodes[i].text) != 0) ++k;
    if (k == parent->n_choices) {
      return fail_at(s, nodes[i].line, "when: no choice of that parameter is", nodes[i].text,
                     "name one of its choices");
    }
    p->wanted[k] = true;
  }
  return TRM_OK;
}

static trm_status read_when(const trm_space *s, int at, trm_parameter *p) {
  const trm_yaml_node *nodes = s->tree.nodes;
  const int condition = nodes[at].first;
  if (nodes[at].kind != TRM_YAML_MAP || condition < 0 || nodes[condition].next >= 0) {
    return fail_at(s, nodes[at].line, "when of", p->key,
                   "is not one 'KEY: value'; write {optimizer.name: sgd}");
  }
  for (int i = 0; i < s->n; ++i) {
    if (strcmp(s->parameters[i].key, nodes[condition].key) == 0) p->parent = i;
  }
  if (p->parent < 0 || s->parameters[p->parent].kind != TRM_PARAMETER_CHOICE) {
    return fail_at(s, nodes[condition].line, "when: no parameter of choices before this one is",
                   nodes[condition].key, "name one that stands above it");
  }
  return take_wanted(s, condition, p);
}

static trm_status read_points(const trm_space *s, const trm_yaml_node *node, trm_parameter *p) {
  if (trm_int_parse(node->text, &p->points) && p->points >= 2 && p->points <= 10000) return TRM_OK;
  return bad_value(s, node, "a number from 2 to 10000");
}

/* Choices are no range: what says more of a range beside them is a slip. */
static trm_status check_one_sort(const trm_space *s, int at, const char *key) {
  static const char *const of_ranges[] = {"low", "high", "log", "step", "points"};
  bool choices = false;
  for (int i = s->tree.nodes[at].first; i >= 0; i = s->tree.nodes[i].next) {
    choices = choices || strcmp(s->tree.nodes[i].key, "choices") == 0;
  }
  for (int i = s->tree.nodes[at].first; i >= 0 && choices; i = s->tree.nodes[i].next) {
    const trm_yaml_node *node = &s->tree.nodes[i];
    for (int k = 0; k < 5; ++k) {
      if (strcmp(node->key, of_ranges[k]) != 0) continue;
      return trm_fail(TRM_ERR_CONFIG,
                      "%s:%" PRId64 ": %s has choices and '%s'; leave one of them out", s->path,
                      node->line, key, node->key);
    }
  }
  return TRM_OK;
}

static trm_status read_field(const trm_space *s, int at, trm_parameter *p, bool *ends) {
  static const char *const names[] = {"low", "high", "log", "step", "points", "choices", "when"};
  const trm_yaml_node *node = &s->tree.nodes[at];
  const char *name = node->key;
  if (strcmp(name, "low") == 0) {
    ends[0] = true;
    return read_number(s, node, &p->low);
  }
  if (strcmp(name, "high") == 0) {
    ends[1] = true;
    return read_number(s, node, &p->high);
  }
  if (strcmp(name, "step") == 0) return read_number(s, node, &p->step);
  if (strcmp(name, "log") == 0) return read_flag(s, node, &p->log);
  if (strcmp(name, "points") == 0) return read_points(s, node, p);
  if (strcmp(name, "choices") == 0) return read_choices(s, at, p);
  if (strcmp(name, "when") == 0) return read_when(s, at, p);
  const char *near = trm_nearest(name, names, (int)(sizeof names / sizeof names[0]));
  return trm_fail(TRM_ERR_CONFIG,
                  "%s:%" PRId64 ": unknown key '%s' of parameter %s%s%s%s; known: low, "
                  "high, log, step, points, choices, when",
                  s->path, node->line, name, p->key, near ? "; did you mean '" : "",
                  near ? near : "", near ? "'?" : "");
}

/* That a range of numbers has several, and can be drawn from. */
static trm_status check_range(const trm_space *s, const trm_parameter *p, const bool *ends) {
  if (!ends[0] || !ends[1]) {
    return fail_at(s, p->line, "no range for", p->key, "write {low: ..., high: ...} or a list");
  }
  if (!(p->low < p->high)) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%s:%" PRId64 ": an empty range of %s: low is %g and high %g; let low be the "
                    "lesser, or set the key in the configuration",
                    s->path, p->line, p->key, p->low, p->high);
  }
  if (p->log && !(p->low > 0)) {
    return fail_at(s, p->line, "log, but low is not above 0 for", p->key,
                   "raise low, or leave log out");
  }
  if (p->step < 0 || p->step > p->high - p->low) {
    return fail_at(s, p->line, "step does not fit the range of", p->key, "choose a smaller one");
  }
  if (p->log && !(p->low > p->step / 2)) { /* half a step below low is drawn from, too */
    return fail_at(s, p->line, "log, but step is twice low or more for", p->key,
                   "choose a smaller step, or leave log out");
  }
  return TRM_OK;
}

static trm_status read_parameter(trm_space *s, int at) {
  const trm_yaml_node *node = &s->tree.nodes[at];
  trm_parameter *p = &s->parameters[s->n];
  bool ends[2] = {false, false};
  if (s->n == TRM_SPACE_MOST) {
    return fail_at(s, node->line, "more than 32 parameters, from", node->key, "give fewer");
  }
  *p = (trm_parameter){.key = node->key, .parent = -1, .line = node->line};
  if (node->kind == TRM_YAML_TEXT) {
    return fail_at(s, node->line, "one value for", node->key,
                   "write {low: ..., high: ...} or a list, or set the key in the configuration");
  }
  if (node->kind == TRM_YAML_LIST) {
    TRM_TRY(read_choices(s, at, p));
  } else {
    TRM_TRY(check_one_sort(s, at, p->key));
    for (int i = node->first; i >= 0; i = s->tree.nodes[i].next) {
      TRM_TRY(read_field(s, i, p, ends));
    }
    if (p->kind != TRM_PARAMETER_CHOICE) TRM_TRY(check_range(s, p, ends));
  }
  ++s->n;
  return TRM_OK;
}

static trm_status read_root(trm_space *s) {
  static const char *const names[] = {"config", "search", "parameters"};
  int search = -1, parameters = -1;
  if (s->tree.nodes[0].kind != TRM_YAML_MAP) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%s:1: no search space; write config:, search: and parameters:", s->path);
  }
  for (int i = s->tree.nodes[0].first; i >= 0; i = s->tree.nodes[i].next) {
    const trm_yaml_node *node = &s->tree.nodes[i];
    if (strcmp(node->key, "config") == 0) {
      s->config = node->text;
    } else if (strcmp(node->key, "search") == 0) {
      search = i;
    } else if (strcmp(node->key, "parameters") == 0) {
      parameters = i;
    } else {
      const char *near = trm_nearest(node->key, names, 3);
      return trm_fail(TRM_ERR_CONFIG,
                      "%s:%" PRId64 ": unknown key '%s'%s%s%s; known: config, search, parameters",
                      s->path, node->line, node->key, near ? "; did you mean '" : "",
                      near ? near : "", near ? "'?" : "");
    }
  }
  if (!s->config || !*s->config) {
    return trm_fail(TRM_ERR_CONFIG, "%s:1: no 'config:'; name the configuration of the trials",
                    s->path);
  }
  if (parameters < 0 || s->tree.nodes[parameters].kind != TRM_YAML_MAP) {
    return trm_fail(TRM_ERR_CONFIG, "%s:1: no 'parameters:'; list keys and their ranges below it",
                    s->path);
  }
  TRM_TRY(read_search(s, search));
  for (int i = s->tree.nodes[parameters].first; i >= 0; i = s->tree.nodes[i].next) {
    TRM_TRY(read_parameter(s, i));
  }
  if (s->n > 0) return TRM_OK;
  return fail_at(s, s->tree.nodes[parameters].line, "nothing below", "parameters",
                 "list keys and their ranges");
}

trm_status trm_space_read(const char *path, trm_space *s) {
  int64_t n;
  s->path = path;
  TRM_TRY(trm_file_read_all(path, 1 << 18, &s->bytes, &n));
  s->digest = trm_hash64(s->bytes, (size_t)n, 0);
  TRM_TRY(trm_yaml_read(s->bytes, (size_t)n, path, &s->tree));
  return read_root(s);
}

void trm_space_free(trm_space *s) {
  trm_yaml_free(&s->tree);
  TRM_FREE(s->bytes);
  s->n = 0;
}

/* ---- values ---------------------------------------------------------------------------------- */

void trm_parameter_text(const trm_parameter *p, double value, char text[TRM_SPACE_TEXT]) {
  text[0] = 0;
  if (isnan(value)) return;
  if (p->kind == TRM_PARAMETER_CHOICE) {
    (void)snprintf(text, TRM_SPACE_TEXT, "%s", p->choices[(int)value]);
  } else if (p->kind == TRM_PARAMETER_INT) {
    (void)snprintf(text, TRM_SPACE_TEXT, "%" PRId64, (int64_t)value);
  } else {
    (void)snprintf(text, TRM_SPACE_TEXT, "%.9g", value); /* trials are made of what is written */
  }
}

bool trm_parameter_wanted(const trm_space *s, int i, const double *values) {
  const trm_parameter *p = &s->parameters[i];
  if (p->parent < 0) return true;
  const double of = values[p->parent];
  return !isnan(of) && p->wanted[(int)of];
}

static trm_status set_value(const trm_space *s, const trm_parameter *p, double value,
                            trm_config *config) {
  char text[TRM_SPACE_TEXT], assignment[TRM_SPACE_TEXT + 128];
  trm_parameter_text(p, value, text);
  (void)snprintf(assignment, sizeof assignment, "%s=%s", p->key, text);
  return trm_config_set_from(config, assignment, s->path, p->line);
}

trm_status trm_space_set(const trm_space *s, const double *values, trm_config *config) {
  for (int i = 0; i < s->n; ++i) {
    if (!isnan(values[i])) TRM_TRY(set_value(s, &s->parameters[i], values[i], config));
  }
  return TRM_OK;
}

static bool is_whole(double x) {
  return x == floor(x) && fabs(x) <= 9007199254740992.0; /* 2^53: a double holds it exactly */
}

/* What kind of numbers the key has; texts and words are chosen from a list. */
static trm_status take_kind(const trm_space *s, trm_parameter *p, const trm_config *config) {
  trm_config_type type;
  if (!trm_config_type_of(config, p->key, &type)) return TRM_OK; /* setting it says that */
  if (p->kind == TRM_PARAMETER_CHOICE) return TRM_OK;
  if (type == TRM_CONFIG_REAL) return TRM_OK;
  if (type != TRM_CONFIG_INT) {
    return fail_at(s, p->line, "a range for a key that is no number:", p->key, "list its choices");
  }
  p->kind = TRM_PARAMETER_INT;
  if (p->step == 0) p->step = 1;
  if (is_whole(p->low) && is_whole(p->high) && is_whole(p->step)) return TRM_OK;
  return fail_at(s, p->line, "low, high or step is no whole number up to 2^53 for", p->key,
                 "write whole numbers");
}

trm_status trm_space_check(trm_space *s, trm_config *config) {
  for (int i = 0; i < s->n; ++i) {
    trm_parameter *p = &s->parameters[i];
    TRM_TRY(take_kind(s, p, config));
    for (int k = 0; k <= (int)(p->kind == TRM_PARAMETER_CHOICE ? p->high : 1); ++k) {
      const double value = p->kind == TRM_PARAMETER_CHOICE ? k : k == 0 ? p->low : p->high;
      TRM_TRY(set_value(s, p, value, config));
    }
  }
  return TRM_OK;
}

/* Steps from low to the last value that is not above high. */
static double last_step(const trm_parameter *p) {
  return floor((p->high - p->low) / p->step + 1e-9);
}

double trm_parameter_on_step(const trm_parameter *p, double value) {
  if (!(p->step > 0)) return fmin(fmax(value, p->low), p->high);
  const double step = rint((value - p->low) / p->step);
  return p->low + fmin(fmax(step, 0), last_step(p)) * p->step;
}

/* ---- the grid -------------------------------------------------------------------------------- */

static int64_t points_of(const trm_parameter *p) {
  if (p->points > 0) return p->points;
  return p->step > 0 ? (int64_t)fmin(last_step(p) + 1, 1e9) : 5;
}

int64_t trm_space_grid_points(const trm_space *s) {
  double n = 1;
  for (int i = 0; i < s->n; ++i) n *= (double)points_of(&s->parameters[i]);
  return n > 1e6 ? 1000001 : (int64_t)n;
}

static double point_value(const trm_parameter *p, int64_t k, int64_t n) {
  const double share = n > 1 ? (double)k / (double)(n - 1) : 0;
  const double most = p->step > 0 ? p->low + last_step(p) * p->step : p->high;
  const double value = p->log ? exp(log(p->low) + share * (log(most) - log(p->low)))
                              : p->low + share * (most - p->low);
  return trm_parameter_on_step(p, value);
}

bool trm_space_grid_values(const trm_space *s, int64_t point, double *values) {
  int64_t places[TRM_SPACE_MOST];
  bool first = true;
  for (int i = s->n - 1; i >= 0; --i) {
    const trm_parameter *p = &s->parameters[i];
    const int64_t n = points_of(p);
    places[i] = point % n;
    point /= n;
    values[i] = point_value(p, places[i], n);
    if (places[i] > 0 && values[i] == point_value(p, places[i] - 1, n)) first = false;
  }
  for (int i = 0; i < s->n; ++i) {
    if (trm_parameter_wanted(s, i, values)) continue;
    values[i] = (double)NAN;
    first = first && places[i] == 0;
  }
  return first;
}
