/**
 * Ways of preparing data sets, `trireme prepare`: what one is, and what they share.
 * A way is one file with an app_prepare_way, and one line in prepare_list.h.
 */
#ifndef TRIREME_APP_WAYS_H
#define TRIREME_APP_WAYS_H

#include "app.h"
#include "trireme/core/log.h"
#include "trireme/input/graph.h"
#include "trireme/input/graph_write.h"
#include "trireme/prepare/reading.h"
#include "trireme/prepare/text.h"

/** What a way is called with, and what it leaves there. */
typedef struct app_prepare_call {
  const char *name;            /* "prepare synth --graph", for messages */
  const char *words, *summary; /* of the way, for its page */
  int argc;                    /* what was given, without the way's name */
  char **argv;
  trm_log *log;
  const char *output; /* -o; filled by app_prepare_parse, as what follows */
  bool force;         /* --force */
  const char *asked;  /* an option: only whether the way takes it is asked; NULL: to prepare */
  app_option taken;   /* it, when the way does; name NULL: it does not */
  bool done;          /* the way has answered, or shown its page: nothing is left to do */
} app_prepare_call;

/** A way. An option that several ways take has a value in all of them or in none. */
typedef struct app_prepare_way {
  const char *name; /* the first word: "synth" */
  const char
      *variant;      /* "--graph": an option that picks this way among those of the name, and is in
                          its table; NULL: the one without */
  const char *words; /* what may follow, for usage lines */
  const char *summary;
  /** Hands its options to app_prepare_parse before all else, and returns when `done` is set. */
  trm_status (*run)(app_prepare_call *call);
} app_prepare_way;

/** First rows of every way's table of options. */
#define APP_PREPARE_OUTPUT(call)                                                                   \
  APP_TEXT("--output", 'o', &(call)->output, "DATA.h5", "file to write"), APP_FORCE(&(call)->force)

/** Rows of the ways that make a vocabulary; unit NULL where none was given, which is `usual` then. */
#define APP_PREPARE_VOCAB(o, usual)                                                                \
  APP_TEXT("--unit", 0, &(o)->unit, "char|byte|word|symbol|subword",                               \
           "what a token is (default " usual "); words and symbols stand between white space"),    \
      APP_INT("--vocab-size", 0, &(o)->size, 1, 1e9, "N",                                          \
              "subwords to learn (default 8000); of words the most frequent"),                     \
      APP_TEXT("--subword", 0, &(o)->subword, "bpe|unigram",                                       \
               "how subwords are learned (default bpe)"),                                          \
      APP_INT("--min-count", 0, &(o)->min_count, 1, 1e9, "N",                                      \
              "how often a word, symbol or character must come to be a token (default 1)"),        \
      APP_TEXT("--tokenizer", 0, &(o)->tokenizer, "FILE",                                          \
               "a SentencePiece model made elsewhere, for subwords"),                              \
      APP_TEXT("--vocabulary", 0, &(o)->vocabulary, "DATA.h5",                                     \
               "a data set whose vocabulary is taken"),                                            \
      APP_TEXT("--vocab-from", 0, &(o)->vocabulary, "DATA.h5", "the same"),                        \
      APP_TEXT("--unknown", 0, &(o)->unknown, "token|skip|refuse",                                 \
               "what the vocabulary lacks (default: its token for that, refused if it has none)")
/** Rows of the ways that read tables of ids. */
#define APP_READING(r)                                                                             \
  APP_TEXT("--separator", 0, &(r)->separator, "tab|comma|semicolon|pipe|colons|blanks",            \
           "between fields (default: what parts the first lines alike)"),                          \
      APP_TEXT("--header", 0, &(r)->header, "yes|no",                                              \
               "the first line names the columns (default: found out)"),                           \
      APP_TEXT("--base", 0, &(r)->base, "0|1",                                                     \
               "what ids count from (default 0, or as a head says)"),                              \
      APP_TEXT("--ids", 0, &(r)->ids, "numbers|names",                                             \
               "names, or numbers with gaps, get a table (default: found out)")
enum { APP_MAX_VALID_FILES = 64 };

/**
 * Does what the call asks: tells whether the way takes an option, shows the page, or sorts argv into
 * options and words, sees that there is an output, and that the process is alone.
 */
trm_status app_prepare_parse(app_prepare_call *call, const app_option *options, int n_options,
                             app_list *words);
/** Fails when there are more than `most` words: "takes `what`, but 'more' is given". */
trm_status app_prepare_words(const app_prepare_call *call, const app_list *words, int most,
                             const char *what);
/** For the layers below, which take it as `progress` with the log as `context`. */
void app_prepare_progress(void *log, double share, const char *what);

/* ---- files of usual names in a folder ------------------------------------------------------- */

enum { APP_MAX_SPLITS = 4096 };

/** The folder, and the files that were taken from it. Zero, then open. */
typedef struct app_folder {
  const char *path; /* NULL: none, files are named by options */
  const char *call; /* name of the call, for messages */
  char **files;     /* taken; owned */
  int n, capacity;
} app_folder;

/** The one word that may be there. Fails when there are more, and when it is no folder. */
trm_status app_folder_open(app_folder *f, const app_prepare_call *call, const app_list *words);
/** The same; the word may be a file, which *file becomes unless an option has set it. */
trm_status app_folder_open_or_file(app_folder *f, const app_prepare_call *call,
                                   const app_list *words, const char **file);
/** The first file PREFIX*SUFFIX, unless *file is set. */
trm_status app_folder_take_first(app_folder *f, const char *prefix, const char *suffix,
                                 const char **file);
/** The file of this name, unless *file is set by an option; NULL when there is none. */
trm_status app_folder_take(app_folder *f, const char *name, const char **file);
/** As app_folder_take, but the file is needed; `option` would name another. */
trm_status app_folder_need(app_folder *f, const char *name, const char *option, const char **file);
/** All files PREFIX*SUFFIX by the numbers in their names, 2 before 10; borrowed until more are taken. */
trm_status app_folder_take_all(app_folder *f, const char *prefix, const char *suffix,
                               const char *const **files, int *n_files);
/** Lists train, valid and test in SUB or in the one folder below it, packed or not, unless any is set. */
trm_status app_folder_take_split(app_folder *f, const char *sub, const char **train,
                                 const char **valid, const char **test);
/** Tells what was not taken: a slip in a name would show there. */
void app_folder_tell_rest(const app_folder *f, trm_log *log);
void app_folder_close(app_folder *f);

/** Prints what was found out about files. */
void app_tell_notes(trm_log *log, const trm_notes *notes);
/** An option that is a number or not there. @return TRM_ERR_USAGE */
trm_status app_number(const char *command, const char *option, const char *text, bool *given,
                      double *value);

/* ---- summaries ------------------------------------------------------------------------------ */

/** A line that grows: "a, b, c". */
typedef struct app_line {
  char text[512];
  int n;
} app_line;

/** Adds "2 nodes", "1 node"; a count with words for one and for many. */
void app_say(app_line *line, int64_t count, const char *one, const char *many);
/** Adds nodes, edges and features. */
void app_say_graph(app_line *line, const trm_graph *graph);

/** What the counts of trm_graph_counts are of, as words for one and for many. */
typedef struct app_count_words {
  const char *duplicate[2], *isolated[2], *unlabelled[2];
} app_count_words;

/** What was left out, and what is odd; nothing when there is neither. */
void app_tell_counts(trm_log *log, const char *path, const trm_graph_counts *counts,
                     const app_count_words *words);
/** The summary of a data set of kind graph; opens it, by which it is checked. */
trm_status app_tell_nodes(const app_prepare_call *call, const trm_graph_counts *counts);
/** The summary of tokens. */
void app_tell_tokens(const app_prepare_call *call, const trm_prepare_summary *summary);

#endif
