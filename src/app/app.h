/** The command line: commands, options, and how a process starts and ends. */
#ifndef TRIREME_APP_APP_H
#define TRIREME_APP_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/comm/comm.h"
#include "trireme/core/config.h"
#include "trireme/core/log.h"
#include "trireme/core/status.h"
#include "trireme/train/train.h"

/* ---- pages ---------------------------------------------------------------------------------- */

/** What options and commands are written as: a page for a reader, or pieces that other programs take. */
typedef enum app_page_format {
  APP_PAGE_TEXT,
  APP_PAGE_MAN,
  APP_PAGE_BASH,
  APP_PAGE_ZSH,
  APP_PAGE_FISH,
  APP_N_PAGE_FORMATS
} app_page_format;
/** The word that asks a command for its page in a format: "--help", "--help=man", ... */
extern const char *const app_help_words[APP_N_PAGE_FORMATS];
/** The format that `word` asks for; false when it asks for no page. */
bool app_asks_page(const char *word, app_page_format *format);
/** All of `trireme help FORMAT NAME`: "man train", "completion bash". */
trm_status app_print_pages(const char *what, const char *name);

/* ---- commands ------------------------------------------------------------------------------- */

/** A command. `run` gets the words after its name and returns the process's exit code. */
typedef struct app_command {
  const char *name;
  const char *words; /* what may follow, for usage lines */
  const char *summary;
  int (*run)(int argc, char **argv);
  void (*print_kinds)(
      void); /* before `words` in usage lines: " a | b", for a command whose first word
                                picks a kind that has a page of its own; NULL: it has no kinds */
} app_command;

int app_train(int argc, char **argv);
int app_find_lr(int argc, char **argv);
int app_sweep(int argc, char **argv);
int app_tune(int argc, char **argv);
int app_learning_curve(int argc, char **argv);
int app_bias_variance(int argc, char **argv);
int app_prepare(int argc, char **argv);
int app_inspect(int argc, char **argv);
int app_partition(int argc, char **argv);
int app_evaluate(int argc, char **argv);
int app_predict(int argc, char **argv);
int app_generate(int argc, char **argv);
int app_translate(int argc, char **argv);
int app_average(int argc, char **argv);
int app_export(int argc, char **argv);
int app_verify(int argc, char **argv);
int app_bisect(int argc, char **argv);
int app_report(int argc, char **argv);
int app_plot(int argc, char **argv);
int app_show_runs(int argc, char **argv);
int app_doctor(int argc, char **argv);
int app_help(int argc, char **argv);
int app_version(int argc, char **argv);

const app_command *app_commands(int *n);
const app_command *app_command_find(const char *name); /* NULL: none of this name */
/** "trireme NAME [KINDS] [WORDS]", one line. */
void app_print_usage(const app_command *command);
/** The kinds of `trireme prepare`, as print_kinds is to print them. */
void app_prepare_print_kinds(void);
/** Their names alone, blanks between. */
void app_prepare_print_names(void);
/** The pages of all ways to prepare. */
int app_prepare_print_pages(app_page_format format);

/* ---- options -------------------------------------------------------------------------------- */

typedef enum app_option_type {
  APP_TYPE_FLAG, /* bool */
  APP_TYPE_TEXT, /* const char * */
  APP_TYPE_INT,  /* int64_t */
  APP_TYPE_REAL, /* double */
  APP_TYPE_LIST, /* app_list */
} app_option_type;

/** Values collected for a repeatable option. */
typedef struct app_list {
  const char **items; /* borrowed */
  int n, capacity;
} app_list;

/** One option of a command: "--name VALUE" or "--name=VALUE". Made by the macros below. */
typedef struct app_option {
  const char *name; /* "--set" */
  char letter;      /* 'o' for -o; 0: none */
  app_option_type type;
  bool value_optional; /* text: "--resume" alone sets "" */
  double min, max;     /* numbers */
  void *value;         /* where it goes */
  const char *value_name;
  const char *help;
} app_option;

/* `value` as it is; the compiler complains when it does not point to a `type`. */
#define APP_TO(type, value) (1 ? (value) : (type *)0)
#define APP_FLAG(name, value, help)                                                                \
  { name, 0, APP_TYPE_FLAG, false, 0, 0, APP_TO(bool, value), NULL, help }
#define APP_TEXT(name, letter, value, value_name, help)                                            \
  { name, letter, APP_TYPE_TEXT, false, 0, 0, APP_TO(const char *, value), value_name, help }
#define APP_OPTIONAL_TEXT(name, value, value_name, help)                                           \
  { name, 0, APP_TYPE_TEXT, true, 0, 0, APP_TO(const char *, value), value_name, help }
#define APP_INT(name, letter, value, min, max, value_name, help)                                   \
  { name, letter, APP_TYPE_INT, false, min, max, APP_TO(int64_t, value), value_name, help }
#define APP_REAL(name, value, min, max, value_name, help)                                          \
  { name, 0, APP_TYPE_REAL, false, min, max, APP_TO(double, value), value_name, help }
#define APP_LIST(name, letter, value, value_name, help)                                            \
  { name, letter, APP_TYPE_LIST, false, 0, 0, APP_TO(app_list, value), value_name, help }
enum { APP_MOST_THREADS = 4096 };
#define APP_THREADS(value)                                                                         \
  APP_INT("--threads", 't', value, 1, APP_MOST_THREADS, "N",                                       \
          "compute threads a rank (default: OMP_NUM_THREADS, or its cores)")
#define APP_RUN_DIR(value)                                                                         \
  APP_TEXT("--output", 'o', value, "FOLDER", "short for --set run.dir=FOLDER (runs/<CONFIG>)")
#define APP_JSON(value) APP_FLAG("--json", value, "as JSON, for other programs")
#define APP_FORCE(value)                                                                           \
  APP_FLAG("--force", value, "write over a file that this command did not make")
/** An array of options and its length. */
#define APP_OPTIONS(options) options, (int)(sizeof(options) / sizeof(options)[0])

/**
 * Sorts argv into options and words (positional arguments, which move to the front of argv).
 * --help prints the command's page and sets *helped: there is nothing left to do.
 * @return TRM_ERR_USAGE with one line: unknown option with the nearest, missing or bad value
 */
trm_status app_parse(const char *command, int argc, char **argv, const app_option *options,
                     int n_options, app_list *words, bool *helped);
/** As app_parse, for what has a page without being a command; of `page` all but `run` is used. */
trm_status app_parse_page(const app_command *page, int argc, char **argv, const app_option *options,
                          int n_options, app_list *words, bool *helped);
/** Prints a page, or the piece of one, of a command or a way to prepare. */
void app_print_page(const app_command *page, const struct app_option *options, int n_options,
                    app_page_format format);
/** The option that `word` ("--name", "--name=VALUE", "-o") gives; NULL: none of these. */
const app_option *app_option_find(const app_option *options, int n, const char *word);
/** Whether the next item of argv is the value of `word`, by which the option is given. */
bool app_option_takes_next(const app_option *option, const char *word);
/** Fails unless there are `n` words; `what` says which: "one run directory". NULL for n = 0. */
trm_status app_expect(const char *command, const app_list *words, int n, const char *what);

/** Words as members of an ensemble, one at least; `members->vote` is set. */
trm_status app_members(const char *command, const app_list *words, trm_members *members);

/* ---- several runs ---------------------------------------------------------------------------- */

/** Of what there are several runs, as it is given. */
typedef struct app_many {
  const char *seeds, *splits; /* "0-9"; splits also "all"; NULL: not given */
  app_list grid;              /* "KEY=VALUE,VALUE" */
  int64_t at_once;            /* 0: one a rank */
} app_many;
bool app_many_wanted(const app_many *many);
/** Sweeps over them, with the configuration of `train`. Collective; the status is the same on all ranks. */
trm_status app_sweep_runs(trm_comm *comm, const trm_train_options *train, const app_many *many,
                          trm_log *log);
/** As trm_sweep_numbers, of the splits of the configuration's data set: "all", or those of the list. */
trm_status app_list_splits(const trm_config *config, const char *splits, int64_t **numbers,
                           int64_t *n);

/* ---- runs and curves ------------------------------------------------------------------------- */

/**
 * The configuration of a run: a file, then overrides ("KEY=VALUE"), with the user's own libraries.
 * @param[in] run_dir  of -o, which stands for run.dir=; NULL: not given
 */
trm_status app_read_run(const char *path, const app_list *sets, const char *run_dir,
                        trm_config **out);

enum { APP_CURVE_COLUMNS = 60 };
/**
 * Draws a curve in characters, after "#" so that it may stand in YAML.
 * @param[in] values     [APP_CURVE_COLUMNS]; NaN: nothing there; what is past an end is drawn at it
 * @param[in] low, high  values of the lowest and the highest line, low < high
 */
void app_print_curve(const double *values, double low, double high);
/** The learning rate over a run's steps, drawn as lines of YAML comments; nothing where the length of
 *  the schedule is left to a checkpoint. */
void app_print_rates(const trm_config *config, int64_t n_steps);

/* ---- start and end -------------------------------------------------------------------------- */

/**
 * Starts MPI, threads and kernels. Collective; the status is the same on all ranks.
 * @param threads  0: OMP_NUM_THREADS, or the rank's share of the processors it may run on
 * @param before   what the command failed with before: returned, with its message. MPI starts all
 *                 the same, so that all ranks leave together and one speaks
 */
trm_status app_start(int *argc, char ***argv, int64_t threads, trm_status before, trm_comm **comm);
/**
 * Rank 0 prints the failure's one line, all leave together; returns the exit code.
 * Standard output that cannot be written is a failure. `comm` may be NULL before MPI has started and
 * for commands of one process.
 */
int app_end(trm_comm **comm, trm_status status);
/** Whether this process is to print, as far as its environment tells: the only one, or rank 0. */
bool app_speaks(void);
/** For commands of one process: fails when they were started as several ranks. */
trm_status app_single_process(const char *command);

#endif
