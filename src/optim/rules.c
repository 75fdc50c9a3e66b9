/*
 * Rules by parameter: "head* lr=10x decay=0, wte* freeze".
 *
 *   rules    = rule {"," rule}
 *   rule     = pattern setting {setting}          separated by spaces; of the same setting, later rules win
 *   pattern  = a name in which * stands for any characters, ? for one
 *            | @matrices | @vectors | @norms | @embeddings | @heads
 *   setting  = lr=FACTORx | lr=RATE | decay=V | l1=V | l2=V | max_norm=V | freeze | freeze=true|false
 */
#include "rules.h"

#include <stdio.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/core/numbers.h"

static const trm_config_key keys[] = {
    TRM_KEY_TEXT("params.rules", "", TRM_ON_RESULT,
                 "Rules by parameter, as \"head/* lr=10x decay=0, wte/* freeze\", or a list; "
                 "settings: lr, decay, l1, l2, max_norm, freeze."),
    TRM_KEY_REAL(
        "params.l1", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
        "Matrices shrink by this times the learning rate in each step, down to true zeros: "
        "the penalty l1 |w|."),
    TRM_KEY_REAL("params.l2", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Adds l2 w to the gradient of matrices: the penalty l2/2 w^2 (twice Keras' "
                 "number)."),
    TRM_KEY_REAL("params.max_norm", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Highest norm of a matrix's weights into one output, kept after each step; 0: "
                 "any."),
};
const trm_config_rows trm_rule_keys = TRM_CONFIG_ROWS(keys);

/* ---- patterns -------------------------------------------------------------------------------- */

/* Whether `name` is of the form of `pattern`: the last * takes more when what follows does not fit. */
static bool fits(const char *pattern, const char *name) {
  const char *star = NULL, *again = NULL;
  while (*name) {
    if (*pattern == '*') {
      star = pattern++;
      again = name;
    } else if (*pattern == *name || *pattern == '?') {
      ++pattern;
      ++name;
    } else if (star) {
      pattern = star + 1;
      name = ++again;
    } else {
      return false;
    }
  }
  while (*pattern == '*') ++pattern;
  return *pattern == 0;
}

bool trm_param_matches(const char *pattern, const char *name) {
  return fits(pattern, name);
}

static bool is_vector(const trm_param *row) {
  return row->n_dims == 1 && !row->buffer;
}

/* Scales of norms begin at one; a vector beside one is the norm's shift. */
static bool is_norm(const trm_params *params, const trm_param *row) {
  const char *slash = strrchr(row->name, '/');
  const size_t n = slash ? (size_t)(slash - row->name) + 1 : 0;
  if (!is_vector(row)) return false;
  for (int i = 0; i < params->n_rows; ++i) {
    const trm_param *other = &params->rows[i];
    if (!is_vector(other) || other->init != TRM_INIT_ONE) continue;
    if (strncmp(other->name, row->name, n) == 0 && !strchr(other->name + n, '/')) return true;
  }
  return false;
}

static bool is_matrix(const trm_params *params, const trm_param *row) {
  (void)params;
  return row->n_dims > 1 && !row->buffer;
}

static bool is_any_vector(const trm_params *params, const trm_param *row) {
  (void)params;
  return is_vector(row);
}

static bool is_embedding(const trm_params *params, const trm_param *row) {
  (void)params;
  return row->role == TRM_ROLE_EMBEDDING && !row->buffer;
}

static bool is_head(const trm_params *params, const trm_param *row) {
  (void)params;
  return row->role == TRM_ROLE_HEAD && !row->buffer;
}

static const struct {
  const char *name;
  bool (*is)(const trm_params *params, const trm_param *row);
} kinds[] = {{"@matrices", is_matrix},
             {"@vectors", is_any_vector},
             {"@norms", is_norm},
             {"@embeddings", is_embedding},
             {"@heads", is_head}};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static bool matches(const char *pattern, const trm_params *params, const trm_param *row) {
  for (int i = 0; i < N_KINDS; ++i) {
    if (strcmp(pattern, kinds[i].name) == 0) return kinds[i].is(params, row);
  }
  return fits(pattern, row->name);
}

/* ---- settings -------------------------------------------------------------------------------- */

typedef enum setting { RATE, DECAY, L1, L2, MAX_NORM, FREEZE, N_SETTINGS } setting;
static const char *const setting_names[] = {"lr", "decay", "l1", "l2", "max_norm", "freeze"};

/* A rule as it is read: what it sets, and to what. */
typedef struct rule {
  const char *text;    /* all of it, for messages */
  const char *pattern; /* in a copy that is cut up */
  bool sets[N_SETTINGS];
  double values[N_SETTINGS];
  bool factor; /* the value of lr is one, not a rate */
} rule;

static trm_status bad_value(const rule *r, const char *word) {
  return trm_fail(TRM_ERR_CONFIG,
                  "params.rules: '%.200s': '%.80s' is no setting; lr takes a factor (10x) or a "
                  "rate (0.01), decay, l1, l2 and max_norm a number that is not negative, freeze "
                  "nothing",
                  r->text, word);
}

static trm_status unknown_setting(const rule *r, const char *name) {
  const char *near = trm_nearest(name, setting_names, N_SETTINGS);
  return trm_fail(TRM_ERR_CONFIG,
                  "params.rules: '%.200s': there is no setting '%.80s'%s%s%s; there are lr, decay, "
                  "l1, l2, max_norm and freeze",
                  r->text, name, near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
}

/* "lr=10x" into the rule; the word is cut up. */
static trm_status read_setting(rule *r, char *word) {
  char whole[96];
  (void)snprintf(whole, sizeof whole, "%s", word);
  char *value = strchr(word, '=');
  if (value) *value++ = 0;
  int s = 0;
  while (s < N_SETTINGS && strcmp(setting_names[s], word) != 0) ++s;
  if (s == N_SETTINGS) return unknown_setting(r, word);
  r->sets[s] = true;
  if (s == FREEZE) {
    r->values[s] = !value || strcmp(value, "true") == 0;
    return r->values[s] != 0 || strcmp(value, "false") == 0 ? TRM_OK : bad_value(r, whole);
  }
  if (!value) return bad_value(r, whole);
  const size_t n = strlen(value);
  if (s == RATE) {
    r->factor = n > 1 && value[n - 1] == 'x';
    if (r->factor) value[n - 1] = 0;
  }
  return trm_real_parse(value, &r->values[s]) && r->values[s] >= 0 ? TRM_OK : bad_value(r, whole);
}

/* The next word of *at, cut off; NULL: there is none. */
static char *next_word(char **at) {
  char *word = *at + strspn(*at, " \t\n");
  if (*word == 0) return NULL;
  char *end = word + strcspn(word, " \t\n");
  *at = *end ? end + 1 : end;
  *end = 0;
  return word;
}

/* `copy` is text once more, and is cut up. */
static trm_status read_rule(const char *text, char *copy, rule *r) {
  char *at = copy, *word;
  int n = 0;
  *r = (rule){.text = text, .pattern = next_word(&at)};
  if (!r->pattern) {
    return trm_fail(TRM_ERR_CONFIG, "params.rules has an empty rule; remove the comma");
  }
  while ((word = next_word(&at))) {
    TRM_TRY(read_setting(r, word));
    ++n;
  }
  if (n > 0) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "params.rules: '%.200s' is a pattern alone; write settings behind it: "
                  "\"head/* lr=10x decay=0\"",
                  text);
}

/* ---- applying -------------------------------------------------------------------------------- */

static trm_status set_rate(const rule *r, const trm_param *row, double lr, trm_treatment *how) {
  if (r->factor) {
    how->rate = r->values[RATE];
  } else if (lr > 0) {
    how->rate = r->values[RATE] / lr;
  } else {
    return trm_fail(TRM_ERR_CONFIG,
                    "params.rules: '%.200s': the rate of %s is 0 by optimizer.lr, which others are "
                    "measured by; set it above 0",
                    r->text, row->name);
  }
  return TRM_OK;
}

static trm_status treat(const rule *r, const trm_param *row, double lr, trm_treatment *how) {
  if (r->sets[FREEZE]) how->frozen = r->values[FREEZE] != 0;
  if (row->buffer) return TRM_OK;
  if (r->sets[RATE]) TRM_TRY(set_rate(r, row, lr, how));
  if (r->sets[DECAY]) how->decay = r->values[DECAY];
  if (r->sets[L1]) how->l1 = r->values[L1];
  if (r->sets[L2]) how->l2 = r->values[L2];
  if (r->sets[MAX_NORM]) how->max_norm = r->values[MAX_NORM];
  return TRM_OK;
}

static int common(const char *a, const char *b) {
  int n = 0;
  while (a[n] && a[n] == b[n]) ++n;
  return n;
}

void trm_param_names_near(const trm_params *params, const char *pattern, char *text, size_t size) {
  enum { MOST = 3 };
  int longest = 0, n = 0;
  size_t at = 0;
  text[0] = 0;
  for (int i = 0; i < params->n_rows; ++i) {
    const int length = common(pattern, params->rows[i].name);
    longest = length > longest ? length : longest;
  }
  for (int i = 0; i < params->n_rows && n < MOST && at < size; ++i) {
    const trm_param *row = &params->rows[i];
    if (row->buffer || common(pattern, row->name) < longest) continue;
    at += (size_t)snprintf(text + at, size - at, "%s%s", n++ ? ", " : "", row->name);
  }
}

static trm_status matches_nothing(const trm_params *params, const rule *r) {
  char near[4 * TRM_PARAM_NAME_BYTES];
  trm_param_names_near(params, r->pattern, near, sizeof near);
  return trm_fail(TRM_ERR_CONFIG,
                  "params.rules: '%.200s' matches no parameter of the model; near it are %s "
                  "(trireme inspect CHECKPOINT --arrays lists all names)",
                  r->text, near);
}

/* Running statistics count where the rule has something to say of them. */
static trm_status apply_rule(const rule *r, const trm_params *params, const double *lr,
                             trm_treatment *how, trm_rule_match *match) {
  *match = (trm_rule_match){.text = r->text};
  for (int i = 0; i < params->n_rows; ++i) {
    const trm_param *row = &params->rows[i];
    if (!matches(r->pattern, params, row)) continue;
    if (row->buffer && !r->sets[FREEZE]) continue;
    TRM_TRY(treat(r, row, lr[i], &how[i]));
    ++match->n_params;
    match->n_weights += row->n;
  }
  return match->n_params > 0 ? TRM_OK : matches_nothing(params, r);
}

static void treat_by_keys(const trm_config *config, const trm_param *row, trm_treatment *how) {
  const bool matrix = is_matrix(NULL, row);
  *how = (trm_treatment){.rate = 1};
  if (row->decay) how->decay = trm_config_real(config, "optimizer.weight_decay");
  if (!matrix) return;
  how->l1 = trm_config_real(config, "params.l1");
  how->l2 = trm_config_real(config, "params.l2");
  how->max_norm = trm_config_real(config, "params.max_norm");
}

static trm_status check_any_moves(const trm_params *params, const trm_treatment *how) {
  for (int i = 0; i < params->n_rows; ++i) {
    if (!params->rows[i].buffer && !how[i].frozen) return TRM_OK;
  }
  return trm_fail(TRM_ERR_CONFIG,
                  "params.rules freezes every parameter, so there is nothing to train; leave some "
                  "of them free");
}

/* Cuts the text at commas into rules, each of which stays as a text of its own. */
static trm_status read_all(const trm_params *params, const double *lr, trm_treatment *how,
                           trm_rules *rules, char *copy) {
  char *text = rules->text;
  for (;;) {
    char *end = text + strcspn(text, ",");
    const bool last = *end == 0;
    rule r;
    *end = 0;
    text += strspn(text, " \t\n");
    memcpy(copy, text, strlen(text) + 1);
    TRM_TRY(read_rule(text, copy, &r));
    TRM_TRY(apply_rule(&r, params, lr, how, &rules->matches[rules->n]));
    ++rules->n;
    if (last) return check_any_moves(params, how);
    text = end + 1;
  }
}

trm_status trm_rules_read(const trm_config *config, const trm_params *params, const double *lr,
                          trm_treatment *how, trm_rules *rules) {
  const char *text = trm_config_string(config, "params.rules");
  const int64_t n_bytes = (int64_t)strlen(text) + 1;
  char *copy = NULL;
  int n = 1;
  *rules = (trm_rules){0};
  for (int i = 0; i < params->n_rows; ++i) treat_by_keys(config, &params->rows[i], &how[i]);
  if (text[strspn(text, " \t\n")] == 0) return TRM_OK;
  for (const char *p = text; *p; ++p) n += *p == ',';
  TRM_TRY(TRM_ALLOC(&rules->text, n_bytes, "rules"));
  TRM_TRY(TRM_ALLOC(&rules->matches, n, "rules"));
  TRM_TRY(TRM_ALLOC(&copy, n_bytes, "rules"));
  memcpy(rules->text, text, (size_t)n_bytes);
  const trm_status status = read_all(params, lr, how, rules, copy);
  TRM_FREE(copy);
  return status;
}

void trm_rules_free(trm_rules *rules) {
  TRM_FREE(rules->text);
  TRM_FREE(rules->matches);
  rules->n = 0;
}
