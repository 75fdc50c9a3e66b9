/** The command line: commands, options, and how a process starts and ends. */
#ifndef TRIREME_APP_APP_H
#define TRIREME_APP_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/comm/comm.h"
#include "trireme/core/status.h"

/** A command. `run` gets the words after its name and returns the process's exit code. */
typedef struct app_command {
  const char *name;
  const char *words; /* what may follow, for usage lines */
  const char *summary;
  int (*run)(int argc, char **argv);
} app_command;

int app_train(int argc, char **argv);
int app_prepare(int argc, char **argv);
int app_inspect(int argc, char **argv);
int app_evaluate(int argc, char **argv);
int app_generate(int argc, char **argv);
int app_doctor(int argc, char **argv);
int app_help(int argc, char **argv);
int app_version(int argc, char **argv);

const app_command *app_commands(int *n);

/* ---- options -------------------------------------------------------------------------------- */

typedef enum app_option_type { APP_FLAG, APP_TEXT, APP_INT, APP_REAL, APP_LIST } app_option_type;

/** Values collected for a repeatable option. */
typedef struct app_list {
  const char **items; /* borrowed */
  int n, capacity;
} app_list;

/** One option of a command: "--name VALUE" or "--name=VALUE". */
typedef struct app_option {
  const char *name; /* "--set" */
  char letter;      /* 'o' for -o; 0: none */
  app_option_type type;
  void *value;         /* bool *, const char **, int64_t *, double *, app_list * */
  bool value_optional; /* APP_TEXT: "--resume" alone sets "" */
  double min, max;     /* APP_INT, APP_REAL */
  const char *value_name;
  const char *help;
} app_option;

/**
 * Sorts argv into options and words (positional arguments, which move to the front of argv).
 * --help prints the command's page and sets *helped.
 * @return TRM_ERR_USAGE with one line: unknown option with the nearest, missing or bad value
 */
trm_status app_parse(const char *command, int argc, char **argv, const app_option *options,
                     int n_options, app_list *words, bool *helped);

/* ---- start and end -------------------------------------------------------------------------- */

/** Starts MPI, threads and kernels. `threads` 0: OMP_NUM_THREADS, or the rank's share of cores. */
trm_status app_start(int *argc, char ***argv, int64_t threads, trm_comm **comm);
/** Rank 0 prints the failure's one line, all leave together; returns the exit code. `comm` may be
 *  NULL for commands of one process. */
int app_end(trm_comm **comm, trm_status status);
/** For commands of one process: fails when they were started as several ranks. */
trm_status app_single_process(const char *command);

#endif
