/** Texts of a data set as lines, before and after augmentation. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "show.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/tokenizer.h"

enum { LINE_BYTES = 480 };

typedef struct lines {
  const app_showing *s;
  trm_tokenizer *tokenizer;
  int32_t *tokens; /* of the longest input */
  char *text;      /* of a sample; grows */
  int64_t room;
} lines;

static trm_status append(lines *l, int64_t *n, const char *piece, int64_t bytes) {
  if (*n + bytes > l->room) {
    char *more = NULL;
    const int64_t room = 2 * (*n + bytes);
    TRM_TRY(TRM_ALLOC(&more, room, "text"));
    if (*n > 0) memcpy(more, l->text, (size_t)*n);
    TRM_FREE(l->text);
    l->text = more;
    l->room = room;
  }
  if (bytes > 0) memcpy(l->text + *n, piece, (size_t)bytes);
  *n += bytes;
  return TRM_OK;
}

/* Tokens as text, with the name of the one for the unknown where it stands. */
static trm_status print_tokens(lines *l, const char *head, int64_t n_tokens) {
  static const char unknown[] = " <unk>";
  char shown[LINE_BYTES];
  int64_t n = 0;
  for (int64_t i = 0; i < n_tokens; ++i) {
    const char *piece = n == 0 ? unknown + 1 : unknown;
    int64_t bytes = (int64_t)strlen(piece);
    if (l->tokens[i] != l->s->data->input_vocab.unk) {
      piece = trm_tokenizer_piece(l->tokenizer, l->tokens[i], n == 0, &bytes);
    }
    TRM_TRY(append(l, &n, piece, bytes));
  }
  trm_text_escape_cut(l->text, n, false, shown, sizeof shown);
  printf("%s%s\n", head, shown);
  return TRM_OK;
}

static int64_t take_tokens(lines *l, int64_t sample) {
  const trm_ragged *inputs = &l->s->data->inputs;
  const int64_t begin = inputs->offsets[sample], n = inputs->offsets[sample + 1] - begin;
  memcpy(l->tokens, inputs->values + begin, (size_t)n * sizeof *l->tokens);
  return n;
}

static trm_status print_sample(lines *l, int64_t sample) {
  char target[APP_TARGET_BYTES], head[APP_TARGET_BYTES + 64];
  (void)snprintf(head, sizeof head, "sample %" PRId64 "%s: ", sample,
                 app_showing_target(l->s, sample, target));
  TRM_TRY(print_tokens(l, head, take_tokens(l, sample)));
  for (int64_t epoch = 0; epoch < l->s->epochs; ++epoch) {
    int64_t n = take_tokens(l, sample);
    trm_augment_tokens(l->s->augment, (trm_augment_sample){epoch, sample}, l->tokens, &n,
                       l->s->data->input_vocab.unk);
    (void)snprintf(head, sizeof head, "  epoch %" PRId64 ": ", epoch);
    TRM_TRY(print_tokens(l, head, n));
  }
  return TRM_OK;
}

static trm_status check(const app_showing *s) {
  if (s->output) {
    return trm_fail(TRM_ERR_USAGE, "inspect: %s has texts, which are printed; leave out --output",
                    s->data->path);
  }
  if (!s->augment || !trm_augment_needs_unk(s->augment) || s->data->input_vocab.unk >= 0) {
    return TRM_OK;
  }
  return trm_fail(TRM_ERR_CONFIG,
                  "data.augment: '%s': %s has no token for what is unknown, which tokens would be "
                  "hidden behind; take another operation",
                  s->list, s->data->path);
}

trm_status app_show_texts(const app_showing *s) {
  trm_status status = TRM_OK;
  lines l = {.s = s};
  TRM_TRY_OUT(check(s));
  TRM_TRY_OUT(trm_tokenizer_create(&s->data->input_vocab, &l.tokenizer));
  TRM_TRY_OUT(TRM_ALLOC(&l.tokens, s->data->longest_input, "tokens"));
  for (int64_t k = 0; k < s->n; ++k) TRM_TRY_OUT(print_sample(&l, app_showing_sample(s, k)));
out:
  trm_tokenizer_destroy(&l.tokenizer);
  TRM_FREE(l.tokens);
  TRM_FREE(l.text);
  return status;
}
