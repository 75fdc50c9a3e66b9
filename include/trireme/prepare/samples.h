/** `trireme prepare labelled` and `pairs`: data sets of kind samples (data/FORMAT.md) from texts. */
#ifndef TRIREME_PREPARE_SAMPLES_H
#define TRIREME_PREPARE_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"
#include "trireme/input/subset.h"
#include "trireme/prepare/reading.h"
#include "trireme/prepare/vocab_builder.h"

/** What becomes of samples of more than `longest` tokens. */
typedef enum trm_over_long {
  TRM_OVER_REFUSE,
  TRM_OVER_KEEP,
  TRM_OVER_CUT,
  TRM_OVER_DROP,
  TRM_N_OVER_LONG,
} trm_over_long;
/** "refuse", "keep", "cut", "drop". */
extern const char *const trm_over_long_names[TRM_N_OVER_LONG];

typedef struct trm_prepare_samples_options {
  const char *output;
  const char
      *separator;     /* of tables, as trm_reading has it; NULL: what parts the first lines alike */
  const char *header; /* of tables: "yes", "no"; NULL: yes when a column is given by its name */
  /* Shares of the samples to train on that become the other parts, at random; < 0: not given, which is
   * 0.1 for validation where there is no file for it, else 0. */
  double valid_share, test_share;
  int64_t n_folds;                /* > 0: that many splits, fold k is the test part of split k */
  uint64_t seed;                  /* of shares and folds */
  trm_vocab_options vocab;        /* of inputs; `specials` is set here */
  trm_vocab_options target_vocab; /* of pairs whose vocabularies are separate */
  int64_t longest;                /* tokens of an input or target, 0: no bound */
  trm_over_long over;
  bool drop_empty;  /* leave samples without text out; else they are refused */
  trm_notes *notes; /* what was found out about tables; NULL: nowhere */
  /** Progress, may be NULL: share done in [0, 1] and what is being done. */
  void (*progress)(void *context, double share, const char *what);
  void *context;
} trm_prepare_samples_options;

/** What was left out or mended, and what is odd. */
typedef struct trm_prepare_samples_counts {
  int64_t empty;     /* samples without text that were left out */
  int64_t no_label;  /* samples without a label that were left out */
  int64_t over_long; /* samples over `longest`: kept, cut or dropped */
  int64_t leaked;    /* samples to validate or test whose input is also one to train on */
  bool vocab_of_all; /* there are several splits, so the vocabulary was made of all samples */
} trm_prepare_samples_counts;

/** Where texts with labels are: tables, or a file for each class. */
typedef struct trm_labelled_files {
  const char *const *tables; /* to train on, or to be divided */
  int n_tables;
  const char *const *valid, *const *test; /* tables of those parts */
  int n_valid, n_test;
  const char *text, *label;   /* columns, by name or number from 1 */
  const char *fold;           /* column of folds, NULL: none */
  const char *split;          /* column of parts: train, valid, test; NULL: files tell */
  const char *id;             /* column whose texts are the samples' names; NULL: they have none */
  bool real;                  /* labels are numbers, targets to be met */
  const char *no_label;       /* samples whose label is this or empty are left out; NULL: none is */
  bool unlabelled;            /* there is no label: texts to predict, without splits */
  const char *const *classes; /* "NAME=FILE", a text a line; no tables then */
  int n_classes;
} trm_labelled_files;

/**
 * Texts with a class or a number each. Classes are numbered in the order of their names (as numbers where
 * all are), those of `classes` as they are given. Shares and folds are dealt class by class.
 *
 * Not collective; the same files and options give the same file.
 *
 * @return TRM_ERR_DATA with file and line: bad table or UTF-8, an empty text or label, no number, a class
 *         that no sample to train on has, an over-long sample that is refused; TRM_ERR_USAGE for options
 *         that do not go together; TRM_ERR_IO, TRM_ERR_MEMORY. The output appears complete or not at all
 */
trm_status trm_prepare_labelled(const trm_labelled_files *files,
                                const trm_prepare_samples_options *options,
                                trm_prepare_samples_counts *counts);

/** Where pairs of texts are, by subset: two parallel files, a text a line, or tables with two columns. */
typedef struct trm_pair_files {
  const char *source[TRM_N_SUBSETS], *target[TRM_N_SUBSETS]; /* NULL: none */
  const char *const *tables[TRM_N_SUBSETS];
  int n_tables[TRM_N_SUBSETS];
  const char *source_column, *target_column; /* of tables, by name or number from 1 */
  const char *split_column;                  /* of parts: train, valid, test; NULL: files tell */
  const char *id_column; /* whose texts are the samples' names; NULL: they have none */
} trm_pair_files;

/**
 * Pairs of texts, to learn the second from the first. Pairs of one source and one subset are one group, and
 * shares are dealt by groups. shared: one vocabulary of both sides (`vocab`), else two.
 *
 * @return as trm_prepare_labelled; also TRM_ERR_DATA for files with different numbers of lines
 */
trm_status trm_prepare_pairs(const trm_pair_files *files, bool shared,
                             const trm_prepare_samples_options *options,
                             trm_prepare_samples_counts *counts);

typedef struct trm_synthetic_pairs_options {
  const char *output;
  const char *task; /* "reverse", "copy", "sort" */
  int64_t n_symbols;
  int64_t n[TRM_N_SUBSETS];
  int64_t shortest, longest;           /* lengths, drawn uniformly */
  int64_t test_shortest, test_longest; /* of the test part; 0: the same */
  uint64_t seed;
} trm_synthetic_pairs_options;

/**
 * Sequences of symbols and what a task makes of them. Sequences to validate and to test are none of those
 * before them: in no other part, and each once. Not collective; same options, same file.
 *
 * @return TRM_ERR_USAGE for options out of range, or more different sequences than there are
 */
trm_status trm_prepare_synthetic_pairs(const trm_synthetic_pairs_options *options);

#endif
