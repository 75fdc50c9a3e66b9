/** What the ways share that prepare samples: options, and the summary. */
#ifndef TRIREME_APP_SAMPLES_H
#define TRIREME_APP_SAMPLES_H

#include "trireme/input/samples.h"
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

/** Rows of the tables of options, of all that prepare samples; `usual_unit` where no unit is given. */
#define APP_SAMPLES_OPTIONS(given, usual_unit)                                                     \
  APP_TEXT("--separator", 0, &(given)->options.separator,                                          \
           "tab|comma|semicolon|pipe|colons|blanks",                                               \
           "between the fields of tables (default: what parts the first lines alike)"),            \
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
      APP_PREPARE_VOCAB(&(given)->options.vocab, usual_unit)

/** Completes the options; `unit` is the default. @return TRM_ERR_USAGE for a bad choice */
trm_status app_samples_complete(const app_prepare_call *call, app_samples_given *given,
                                const char *unit);
/** How many samples there are, by words for one and for many, and in which parts. */
void app_tell_parts(const app_prepare_call *call, const trm_samples *samples, const char *one,
                    const char *many);
/** "class pos: 5,331 (50.0 %)" of all samples; shares of several classes a sample need not add up. */
trm_status app_tell_classes(const app_prepare_call *call, const trm_samples *samples);
/** The summary of a data set of samples; opens it, by which it is checked. */
trm_status app_tell_samples(const app_prepare_call *call,
                            const trm_prepare_samples_options *options,
                            const trm_prepare_samples_counts *counts);

#endif
