/** What a search may choose: keys of the configuration and their ranges, and how it chooses. */
#ifndef TRIREME_TRAIN_SPACE_H
#define TRIREME_TRAIN_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/config.h"
#include "trireme/core/yaml_tree.h"

enum { TRM_SPACE_MOST = 32, TRM_SPACE_CHOICES = 64, TRM_SPACE_TEXT = 4096 };

typedef enum trm_parameter_kind {
  TRM_PARAMETER_REAL,
  TRM_PARAMETER_INT,
  TRM_PARAMETER_CHOICE
} trm_parameter_kind;

typedef struct trm_parameter {
  const char *key; /* "optimizer.lr" */
  trm_parameter_kind kind;
  double low, high; /* low < high, both included; of choices 0 and their number - 1 */
  double step;      /* between values, from low on; 0: any real number */
  bool log;         /* drawn evenly by logarithm; low > 0 */
  int64_t points;   /* of the range, for a grid; 0: each step, or 5 */
  const char *choices[TRM_SPACE_CHOICES];
  int n_choices;
  int parent;                     /* a choice before this one, on which it depends; -1: on none */
  bool wanted[TRM_SPACE_CHOICES]; /* of the parent's choices: those with which there is this one */
  int64_t line;
} trm_parameter;

/** How to give up on trials. */
typedef enum trm_prune_rule {
  TRM_PRUNE_NONE,
  TRM_PRUNE_MEDIAN,
  TRM_PRUNE_HALVING,
  TRM_PRUNE_ASHA
} trm_prune_rule;
typedef enum trm_search_method {
  TRM_SEARCH_TPE,
  TRM_SEARCH_RANDOM,
  TRM_SEARCH_GRID
} trm_search_method;

enum { TRM_MOST_RUNGS = 8 };

typedef struct trm_search_options {
  trm_search_method method;
  trm_prune_rule prune;
  uint64_t seed;
  int64_t trials;
  int64_t
      parallel; /* trials under way at once: a proposal does not know of so many before it, less one */
  int64_t startup;        /* trials drawn at random before TPE */
  int64_t candidates;     /* of TPE, the best of which is taken */
  int64_t eta, rungs;     /* of halving and ASHA: one of eta goes on, so many lengths */
  int64_t median_startup; /* full trials before the median gives up on any */
  int64_t keep;           /* trials whose checkpoints stay */
  int64_t folds;          /* inner folds that a trial is trained on; 0: the validation part */
} trm_search_options;

typedef struct trm_space {
  trm_yaml_tree tree; /* that texts point into */
  const char *path;   /* borrowed */
  const char *config; /* path of the configuration */
  trm_search_options search;
  trm_parameter parameters[TRM_SPACE_MOST];
  int n;
  char *bytes;     /* of the file; owned */
  uint64_t digest; /* of the file's content */
} trm_space;

/** Reads the file. Messages have its lines. Zero *space first. Not collective.
 *  @return TRM_ERR_CONFIG, TRM_ERR_IO, TRM_ERR_MEMORY */
trm_status trm_space_read(const char *path, trm_space *space);
/** That the keys exist and take their values, for which `config` is used up; then numbers are known to be
 *  whole or not. */
trm_status trm_space_check(trm_space *space, trm_config *config);
void trm_space_free(trm_space *space);

/** A value as the configuration has it, into text[TRM_SPACE_TEXT]; "" where it is NaN: there is none. */
void trm_parameter_text(const trm_parameter *parameter, double value, char text[TRM_SPACE_TEXT]);
/** The value in its range, on a step where it has steps, that is nearest to a number; not of choices. */
double trm_parameter_on_step(const trm_parameter *parameter, double value);
/** Whether parameter i has a value beside values[0..i). */
bool trm_parameter_wanted(const trm_space *space, int i, const double *values);
/** Sets the values of a trial. */
trm_status trm_space_set(const trm_space *space, const double *values, trm_config *config);

/** Combinations of all parameters' values, conditional ones included; 1000001: more than a million. */
int64_t trm_space_grid_points(const trm_space *space);
/** Values of one of them; false: the same as those of a point before, since what differs is not wanted or
 *  falls on the same step. */
bool trm_space_grid_values(const trm_space *space, int64_t point, double *values);

#endif
