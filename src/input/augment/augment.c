/** Lists of augmentation: reading them, help, and running them over a sample. */
#include <string.h>

#include "augment_internal.h"
#include "trireme/core/config.h"
#include "trireme/core/memory.h"
#include "trireme/core/numbers.h"

enum { ITEM_BYTES = 128, KNOWN_BYTES = 512, USAGE_BYTES = 64, MOST_WORDS = 3 };

/* An operation in a list. */
typedef struct augment_step {
  const trm_augment_op *op;
  trm_augment_given given;
} augment_step;

struct trm_augment {
  uint64_t seed;
  int64_t n;
  augment_step *steps;       /* [n] in the order of the list; owned */
  const augment_step *mixes; /* NULL: none does */
};

static const trm_augment_op *const ops[] = {
#define TRM_AUGMENT_OP(name) &trm_augment_op_##name,
#include "augment_list.h"
#undef TRM_AUGMENT_OP
};
enum { N_OPS = sizeof ops / sizeof ops[0] };

static const char *const input_names[TRM_N_AUGMENT_INPUTS] = {
    [TRM_AUGMENT_IMAGES] = "images",
    [TRM_AUGMENT_ROWS] = "rows of a table",
    [TRM_AUGMENT_TOKENS] = "sequences of tokens",
};

/* ---- what there is ---------------------------------------------------------------------------- */

static bool suits(const trm_augment_op *op, trm_augment_input input) {
  switch (input) {
  case TRM_AUGMENT_IMAGES:
    return op->image || op->mix;
  case TRM_AUGMENT_ROWS:
    return op->row || op->mix;
  default:
    return op->tokens != NULL;
  }
}

/* "crop N [reflect]", "flip [P]". */
static const char *usage(const trm_augment_op *op, char text[USAGE_BYTES]) {
  const char *open = op->fallback ? "[" : "", *close = op->fallback ? "]" : "";
  (void)snprintf(text, USAGE_BYTES, "%s%s%s%s%s%s%s%s", op->name, op->number ? " " : "",
                 op->number ? open : "", op->number ? op->number : "", op->number ? close : "",
                 op->word ? " [" : "", op->word ? op->word : "", op->word ? "]" : "");
  return text;
}

static const char *known(trm_augment_input input, char text[KNOWN_BYTES]) {
  text[0] = 0;
  for (int i = 0; i < N_OPS; ++i) {
    char one[USAGE_BYTES];
    if (!suits(ops[i], input)) continue;
    const size_t at = strlen(text);
    (void)snprintf(text + at, KNOWN_BYTES - at, "%s%s", at > 0 ? ", " : "", usage(ops[i], one));
  }
  return text;
}

void trm_augment_help(FILE *file) {
  for (int input = 0; input < TRM_N_AUGMENT_INPUTS; ++input) {
    fprintf(file, "%s%s:\n", input > 0 ? "\n" : "", input_names[input]);
    for (int i = 0; i < N_OPS; ++i) {
      char text[USAGE_BYTES];
      if (!suits(ops[i], (trm_augment_input)input)) continue;
      fprintf(file, "  %-18s %s\n", usage(ops[i], text), ops[i]->help);
    }
  }
}

/* ---- reading a list --------------------------------------------------------------------------- */

/* One operation's text and the words it consists of. */
typedef struct augment_item {
  const char *key; /* whose list it is in */
  char text[ITEM_BYTES], words[ITEM_BYTES];
  const char *word[MOST_WORDS + 1]; /* of `words` */
  int n;
} augment_item;

static trm_status no_such(const augment_item *item, trm_augment_input input) {
  const char *names[N_OPS];
  char there[KNOWN_BYTES];
  int n = 0;
  for (int i = 0; i < N_OPS; ++i) {
    if (suits(ops[i], input)) names[n++] = ops[i]->name;
    if (strcmp(ops[i]->name, item->word[0]) != 0) continue;
    return trm_fail(TRM_ERR_CONFIG, "%s: '%s': '%s' is not for %s; for them there are %s",
                    item->key, item->text, item->word[0], input_names[input], known(input, there));
  }
  const char *near = trm_nearest(item->word[0], names, n);
  return trm_fail(TRM_ERR_CONFIG, "%s: '%s': there is no '%s'%s%s%s; for %s there are %s",
                  item->key, item->text, item->word[0], near ? "; did you mean '" : "",
                  near ? near : "", near ? "'?" : "", input_names[input], known(input, there));
}

static trm_status find_op(const augment_item *item, trm_augment_input input,
                          const trm_augment_op **op) {
  for (int i = 0; i < N_OPS; ++i) {
    *op = ops[i];
    if (strcmp(ops[i]->name, item->word[0]) == 0 && suits(ops[i], input)) return TRM_OK;
  }
  return no_such(item, input);
}

static trm_status read_number(const augment_item *item, const trm_augment_op *op, const char *text,
                              double *number) {
  int64_t whole = 0;
  const bool read = op->whole ? trm_int_parse(text, &whole) : trm_real_parse(text, number);
  if (op->whole) *number = (double)whole;
  if (read && *number >= op->min && *number <= op->max) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG, "%s: '%s': %s is '%s'; allowed: %s from %g to %g", item->key,
                  item->text, op->number, text, op->whole ? "a whole number" : "a number", op->min,
                  op->max);
}

/* What follows the name: a number, then the operation's word. */
static trm_status read_given(const augment_item *item, const trm_augment_op *op,
                             trm_augment_given *given) {
  char text[USAGE_BYTES];
  int at = 1;
  *given = (trm_augment_given){0};
  const char *number = op->number && at < item->n ? item->word[at] : NULL;
  if (number) ++at;
  if (op->number && !number) number = op->fallback;
  if (op->number && !number) {
    return trm_fail(TRM_ERR_CONFIG, "%s: '%s': it needs a number; write %s, %s %s from %g to %g",
                    item->key, item->text, usage(op, text), op->number,
                    op->whole ? "a whole number" : "a number", op->min, op->max);
  }
  if (number) TRM_TRY(read_number(item, op, number, &given->number));
  if (op->word && at < item->n && strcmp(item->word[at], op->word) == 0) {
    given->word = true;
    ++at;
  }
  if (at == item->n) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG, "%s: '%s': '%s' is not expected; write %s", item->key, item->text,
                  item->word[at], usage(op, text));
}

/* Words are what stands between blanks; what is past the most that any operation has is one word. */
static void split(augment_item *item) {
  const char *blanks = " \t\n";
  char *rest = item->words;
  memcpy(item->words, item->text, sizeof item->words);
  for (item->n = 0; item->n <= MOST_WORDS; ++item->n) {
    rest += strspn(rest, blanks);
    if (*rest == 0) break;
    item->word[item->n] = rest;
    rest += strcspn(rest, blanks);
    if (*rest) *rest++ = 0;
  }
}

/* Item of the list that begins at `text`, without blanks around it. */
static trm_status cut(const char *text, size_t n, const char *list, augment_item *item) {
  while (n > 0 && strchr(" \t\n", text[0])) ++text, --n;
  while (n > 0 && strchr(" \t\n", text[n - 1])) --n;
  if (n == 0) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%s: '%.200s': an operation is missing beside a comma; leave the comma "
                    "away",
                    item->key, list);
  }
  if (n >= sizeof item->text) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%s: '%.80s...': too long for an operation and its number; put a comma "
                    "between two operations",
                    item->key, text);
  }
  memcpy(item->text, text, n);
  item->text[n] = 0;
  split(item);
  return TRM_OK;
}

static trm_status read_step(trm_augment *a, augment_step *step, const augment_item *item,
                            trm_augment_input input) {
  TRM_TRY(find_op(item, input, &step->op));
  TRM_TRY(read_given(item, step->op, &step->given));
  if (!step->op->mix) return TRM_OK;
  if (a->mixes) {
    return trm_fail(TRM_ERR_CONFIG, "%s: '%s': samples are mixed once; keep one of two", item->key,
                    item->text);
  }
  a->mixes = step;
  return TRM_OK;
}

static trm_status read_list(trm_augment *a, const char *key, const char *list,
                            trm_augment_input input) {
  augment_item item = {.key = key};
  const char *at = list;
  for (int64_t i = 0; i < a->n; ++i) {
    const size_t n = strcspn(at, ",");
    TRM_TRY(cut(at, n, list, &item));
    TRM_TRY(read_step(a, &a->steps[i], &item, input));
    at += n + 1;
  }
  return TRM_OK;
}

trm_status trm_augment_create(const char *key, const char *text, trm_augment_input input,
                              uint64_t seed, trm_augment **out) {
  trm_augment *a = NULL;
  trm_status status = TRM_OK;
  TRM_ASSERT((int)input >= 0 && input < TRM_N_AUGMENT_INPUTS);
  *out = NULL;
  if (text[strspn(text, " \t\n")] == 0) return TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&a, 1, "augmentation"));
  a->seed = seed;
  a->n = 1;
  for (const char *p = text; *p; ++p) a->n += *p == ',';
  TRM_TRY_OUT(TRM_ALLOC(&a->steps, a->n, "augmentation"));
  TRM_TRY_OUT(read_list(a, key, text, input));
  *out = a;
  return TRM_OK;
out:
  trm_augment_destroy(&a);
  return status;
}

void trm_augment_destroy(trm_augment **augment) {
  if (*augment) TRM_FREE((*augment)->steps);
  TRM_FREE(*augment);
}

/* ---- running a list --------------------------------------------------------------------------- */

static trm_augment_draw draw_of(const trm_augment *a, int64_t place, trm_augment_sample sample) {
  return (trm_augment_draw){.seed = a->seed, .place = (uint64_t)place, .of = sample};
}

void trm_augment_image(const trm_augment *augment, trm_augment_sample sample, float *pixels,
                       float *scratch, int64_t height, int64_t width, int64_t channels,
                       const float *fill) {
  trm_augment_picture p = {pixels, scratch, height, width, channels, fill};
  for (int64_t i = 0; i < augment->n; ++i) {
    const augment_step *step = &augment->steps[i];
    const trm_augment_draw draw = draw_of(augment, i, sample);
    if (step->op->image) step->op->image(step->given, &draw, &p);
  }
}

void trm_augment_row(const trm_augment *augment, trm_augment_sample sample, float *values,
                     int64_t n_numbers, int64_t n) {
  (void)n; /* nothing is done to flags and levels */
  for (int64_t i = 0; i < augment->n; ++i) {
    const augment_step *step = &augment->steps[i];
    const trm_augment_draw draw = draw_of(augment, i, sample);
    if (step->op->row) step->op->row(step->given, &draw, values, n_numbers);
  }
}

void trm_augment_tokens(const trm_augment *augment, trm_augment_sample sample, int32_t *tokens,
                        int64_t *n, int32_t unk) {
  TRM_ASSERT(*n >= 1);
  for (int64_t i = 0; i < augment->n; ++i) {
    const augment_step *step = &augment->steps[i];
    const trm_augment_draw draw = draw_of(augment, i, sample);
    step->op->tokens(step->given, &draw, tokens, n, unk);
  }
}

bool trm_augment_needs_unk(const trm_augment *augment) {
  for (int64_t i = 0; i < augment->n; ++i) {
    if (augment->steps[i].op->needs_unk) return true;
  }
  return false;
}

bool trm_augment_mixes(const trm_augment *augment) {
  return augment->mixes != NULL;
}

double trm_augment_mix(const trm_augment *augment, trm_augment_sample sample) {
  if (!augment->mixes) return 1;
  const trm_augment_draw draw = draw_of(augment, augment->mixes - augment->steps, sample);
  return augment->mixes->op->mix(augment->mixes->given, &draw);
}

void trm_augment_picture_keep(const trm_augment_picture *p) {
  memcpy(p->scratch, p->pixels, (size_t)(p->height * p->width * p->channels) * sizeof *p->pixels);
}
