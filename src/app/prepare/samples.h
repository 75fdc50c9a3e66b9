/** What the ways share that prepare samples: options, and the summary. */
#ifndef TRIREME_APP_SAMPLES_H
#define TRIREME_APP_SAMPLES_H

#include "trireme/prepare/samples.h"
#include "ways.h"

/** Values of options as they are given. Fill it by APP_SAMPLES_GIVEN. */
typedef struct app_samples_given {
  trm_prepare_samples_options options;
  int64_t seed;
  const char *over, *empty;
} app_samples_given;
#define APP_SAMPLES_GIVEN(call)                                                                    \
  {                                                                                                \
    .options = {.valid_share = -1,                                                                 \
                .test_share = -1,                                                                  \
                .progress = app_prepare_progress,                                                  \
                .context = (call)->log},                                                           \
    .seed = 1                                                                                      \
  }

/** Rows of the tables of options, of all that prepare samples. */
#define APP_SAMPLES_OPTIONS(given)                                                                 \
  APP_TEXT("--separator", 0, &(given)->options.separator, "tab|comma|semicolon",                   \
           "between the fields of tables (default: the one of the first line)"),                   \
      APP_TEXT("--header", 0, &(given)->options.header, "yes|no",                                  \
               "the first line names the columns (default: when a column is given by name)"),      \
      APP_REAL("--valid-share", &(given)->options.valid_share, 0, 0.99, "SHARE",                   \
               "of the samples, at random, for validation (default 0.1, 0 with a file)"),          \
      APP_REAL("--test-share", &(given)->options.test_share, 0, 0.99, "SHARE",                     \
               "of the samples, at random, to test (default 0)"),                                  \
      APP_INT("--seed", 0, &(given)->seed, 0, 9e15, "N", "of shares and folds (default 1)"),       \
      APP_INT("--longest", 0, &(given)->options.longest, 1, 1e9, "N",                              \
              "tokens of a sample's text (default: any number)"),                                  \
      APP_TEXT("--over", 0, &(given)->over, "refuse|cut|drop|keep",                                \
               "what becomes of samples over --longest (default refuse)"),                         \
      APP_TEXT("--empty", 0, &(given)->empty, "refuse|drop",                                       \
               "what becomes of samples without text (default refuse)"),                           \
      APP_TEXT("--unit", 0, &(given)->options.vocab.unit, "UNIT",                                  \
               "tokens: word, subword, char, symbol or byte"),                                     \
      APP_INT("--min-count", 0, &(given)->options.vocab.min_count, 1, 1e12, "N",                   \
              "least often that a token occurs to be in the vocabulary (default 1)"),              \
      APP_INT("--vocab-size", 0, &(given)->options.vocab.size, 4, 1e9, "N",                        \
              "tokens at most (subword: 8000 by default; word: any number)"),                      \
      APP_TEXT("--subword", 0, &(given)->options.vocab.subword, "bpe|unigram",                     \
               "how subwords are found (default bpe)"),                                            \
      APP_TEXT("--tokenizer", 0, &(given)->options.vocab.tokenizer, "FILE",                        \
               "a SentencePiece model to take as it is")

/** Completes the options; `unit` is the default. @return TRM_ERR_USAGE for a bad choice */
trm_status app_samples_complete(const app_prepare_call *call, app_samples_given *given,
                                const char *unit);
/** The summary of a data set of samples; opens it, by which it is checked. */
trm_status app_tell_samples(const app_prepare_call *call,
                            const trm_prepare_samples_options *options,
                            const trm_prepare_samples_counts *counts);

#endif
