/** Texts with targets, as they were read: what samples are made of. */
#ifndef TRIREME_PREPARE_CORPUS_INTERNAL_H
#define TRIREME_PREPARE_CORPUS_INTERNAL_H

#include "names_internal.h"
#include "prepare_internal.h"
#include "records_internal.h"
#include "trireme/input/samples.h"
#include "trireme/prepare/samples.h"

/** Texts one after another. Zero it first. */
typedef struct trm_text_list {
  int64_t n, offsets_capacity, bytes_capacity;
  int64_t *offsets; /* [n + 1], once there is one */
  char *bytes;
} trm_text_list;
trm_status trm_text_list_add(trm_text_list *list, const char *text, int64_t bytes);
const char *trm_text_list_get(const trm_text_list *list, int64_t i, int64_t *bytes);
trm_texts trm_text_list_texts(const trm_text_list *list);
void trm_text_list_free(trm_text_list *list);

/** Where a sample comes from, and what it is for. */
typedef struct trm_origin {
  int64_t line;     /* 0: the sample is a whole file, or one of a file without lines */
  const char *path; /* borrowed from the options */
  trm_subset part;  /* as files tell; what is to be divided is TRM_SUBSET_TRAIN */
} trm_origin;

typedef struct trm_corpus {
  const trm_prepare_samples_options *options;
  trm_prepare_samples_counts *counts;
  trm_inputs inputs; /* the files */
  trm_scan_progress progress;
  trm_sample_target target;
  bool shared_vocab; /* TRM_TARGET_TOKENS */
  bool classes_given;
  bool has_part[TRM_N_SUBSETS]; /* a file tells what is for it */

  int64_t n, origins_capacity, labels_capacity, numbers_capacity, folds_capacity, groups_capacity;
  trm_text_list sources, targets; /* [n]; targets only of TRM_TARGET_TOKENS */
  trm_origin *origins;            /* [n] */
  int32_t *labels;                /* [n] ids in `classes` */
  float *numbers;                 /* [n] */
  int32_t *folds;                 /* [n] ids in `fold_names` */
  int32_t *groups;                /* [n] in [0, n): those of one number stay in one part */
  trm_names classes, fold_names;
  bool has_folds, has_groups;
  bool has_names;
  trm_text_list names; /* [n] of the samples, if has_names */
} trm_corpus;

/** A sample on its way into the corpus; texts are borrowed. */
typedef struct trm_corpus_row {
  const char *text, *target, *name;
  int64_t n_text, n_target, n_name;
  int32_t label, fold, group;
  float number;
} trm_corpus_row;

/** Adds a sample, unless it has no text and those are left out. @return TRM_ERR_DATA naming the line when
 *  they are refused */
trm_status trm_corpus_add(trm_corpus *corpus, const trm_corpus_row *row, const trm_origin *origin);
/** Adds what parts are dealt by, without texts: for samples that are kept elsewhere, by the same numbers. */
trm_status trm_corpus_add_facts(trm_corpus *corpus, const trm_corpus_row *row,
                                const trm_origin *origin);
/** The name of a sample: the column, with its text as it stands but for blanks around it. */
void trm_corpus_take_name(const trm_records *records, int column, trm_corpus_row *row);
/** The part that a sample is for, by a column (--split). @return TRM_ERR_DATA naming the line */
trm_status trm_corpus_take_part(trm_corpus *corpus, const trm_records *records, int column,
                                trm_subset *part);
/** The names of the samples that are kept, [n], all when it is NULL; says what is odd of them. */
trm_status trm_corpus_keep_names(const trm_corpus *corpus, const uint8_t *kept,
                                 trm_text_list *names);
/** Says which classes differ in upper and lower case alone, as one word written in two ways does. */
trm_status trm_corpus_tell_alike(const trm_corpus *corpus);
/** Whether there is nothing but white space. */
bool trm_is_blank(const char *text, int64_t bytes);
/** A field is a finite number. `what`: "label". */
trm_status trm_records_real(const trm_records *records, int column, const char *what, float *value);
/** Whether all tokens are bytes, so that texts need not be UTF-8. */
bool trm_corpus_takes_any_bytes(const trm_corpus *corpus);
/** The form of tables that the options ask for. */
trm_status trm_corpus_table_form(const trm_corpus *corpus, trm_records_form *form,
                                 trm_header *header);
void trm_corpus_free(trm_corpus *corpus);

/** TRM_ERR_DATA: "FILE:LINE: ..." of sample i. */
trm_status trm_corpus_fail(const trm_corpus *corpus, int64_t i, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Numbers classes, and folds, by their names, as trm_names_sort. */
trm_status trm_corpus_sort_names(trm_corpus *corpus, trm_names *names, int32_t *ids);

/* ---- parts: deal.c ---------------------------------------------------------------------------- */

/** Which sample is for what. Zero it first. */
typedef struct trm_parts {
  int n_splits;
  uint8_t *part; /* [n_splits, n] trm_subset */
  int32_t
      *groups; /* [n] numbers of groups in the order of their first sample; NULL: none has two */
} trm_parts;

/** Finds groups, deals shares and folds. */
trm_status trm_parts_make(const trm_corpus *corpus, trm_parts *parts);
/** That every split has samples to train on, and of every class that it has at all; of those that are
 *  kept, all when `kept`, [n], is NULL. @return TRM_ERR_DATA naming a class and a line */
trm_status trm_parts_check(const trm_corpus *corpus, const trm_parts *parts, const uint8_t *kept);
/** The lists of all splits, of the samples that are kept, renumbered; all when `kept`, [n], is NULL.
 *  @param[out] splits  [n_splits, TRM_N_SUBSETS], of `ids`; both TRM_FREE after any outcome */
trm_status trm_parts_lists(const trm_parts *parts, int64_t n, const uint8_t *kept, trm_ids **splits,
                           int32_t **ids);
void trm_parts_free(trm_parts *parts);

/* ---- tokens: encode.c ------------------------------------------------------------------------- */

/** The tokens of one side of all samples. Zero it first. */
typedef struct trm_token_rows {
  int64_t n, offsets_capacity, values_capacity;
  int64_t *offsets; /* [n + 1] */
  int32_t *values;
} trm_token_rows;

/** A corpus as tokens. Zero it, with vocabularies TRM_VOCAB_NONE. */
typedef struct trm_encoded {
  trm_vocab input_vocab, target_vocab;
  trm_token_rows inputs, targets; /* of the samples that are kept */
  uint8_t *kept;                  /* [n] whether a sample is */
  bool lossless;                  /* tokens of the targets say all that their texts did */
} trm_encoded;

/** Makes vocabularies of what is trained on, of all samples when there are several splits; then tokens,
 *  with what the options say about those that are too long. */
trm_status trm_corpus_encode(trm_corpus *corpus, const trm_parts *parts, trm_encoded *encoded);
void trm_encoded_free(trm_encoded *encoded);

/** The end of every way: parts, vocabularies, tokens, the data set. */
trm_status trm_corpus_write(trm_corpus *corpus);

#endif
