/** `trireme inspect DATA --samples N`: samples of a data set, as they are and augmented. */
#ifndef TRIREME_APP_SHOW_H
#define TRIREME_APP_SHOW_H

#include "app.h"
#include "trireme/input/augment.h"
#include "trireme/input/samples.h"

/** What is to be shown. */
typedef struct app_show {
  const char *data, *output, *augment, *config; /* of the words and options; NULL: not given */
  int64_t n, epochs, seed;                      /* 0, 0, -1: not given */
  bool force;
} app_show;

/** Options of `trireme inspect`. */
#define APP_SHOW_OPTIONS(s)                                                                        \
  APP_INT("--samples", 0, &(s)->n, 1, 10000, "N",                                                  \
          "show N samples, evenly spread: images on a sheet, texts as lines"),                     \
      APP_TEXT("--output", 'o', &(s)->output, "SHEET.png", "the sheet to write"),                  \
      APP_FORCE(&(s)->force),                                                                      \
      APP_TEXT("--augment", 0, &(s)->augment, "LIST",                                              \
               "augmented beside what they are: 'crop 4, flip' (trireme help augment)"),           \
      APP_TEXT("--config", 0, &(s)->config, "CONFIG.yaml",                                         \
               "augmented by its data.augment and run.seed"),                                      \
      APP_INT("--epochs", 0, &(s)->epochs, 1, 64, "E", "as they are augmented in E epochs (4)"),   \
      APP_INT("--seed", 0, &(s)->seed, 0, 9007199254740992.0, "SEED",                              \
              "of the draws (default: that of --config, else 1)")

/** Whether any of the options was given. */
bool app_show_asked(const app_show *show);
/** Shows them. @return TRM_ERR_USAGE for options that do not go together, and as trm_samples_open */
trm_status app_show_samples(const app_show *show);

/* ---- of each kind of input -------------------------------------------------------------------- */

/** What the kinds are given. */
typedef struct app_showing {
  const trm_samples *data;
  const trm_augment *augment; /* NULL: nothing is done to them */
  int64_t n, epochs;          /* samples; epochs is 0 without augmentation */
  const char *list, *output;
} app_showing;
/** The sample that is shown in place k of n. */
int64_t app_showing_sample(const app_showing *s, int64_t k);

enum { APP_TARGET_BYTES = 160 };
/** " (class)" of a sample with one class, " NAME (class)" where samples have names, else "". */
const char *app_showing_target(const app_showing *s, int64_t sample, char text[APP_TARGET_BYTES]);

trm_status app_show_images(const app_showing *s);
trm_status app_show_texts(const app_showing *s);

#endif
