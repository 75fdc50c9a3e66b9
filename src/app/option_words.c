#include "option_words.h"

#include <ctype.h>
#include <string.h>

enum { SHORTEST = 3 }; /* letters of a part that may stand for a longer one */

/* ---- what is said in words ------------------------------------------------------------------- */

#define OF_TRAINING "train sweep learning-curve bias-variance find-lr"
#define OF_RUNS "evaluate predict generate translate export verify"

static const struct option_word {
  const char *commands; /* blanks between; NULL: all */
  const char *words;    /* without dashes, '_' for '-'; blanks between */
  const char *advice;
} option_words[] = {
    {OF_TRAINING, "c config cfg config_file",
     "give the configuration as a word, without an option"},
    {OF_TRAINING, "n np ranks nproc processes",
     "give ranks to the launcher: mpirun -n 4, or launch/run -n 4"},
    {OF_TRAINING, "v verbose", "progress is always told; give -q for less of it"},
    {"train", "load ckpt checkpoint resume_from continue_from restore",
     "give --resume=CHECKPOINT to go on from one, --set train.init_from=CHECKPOINT to begin with "
     "its weights"},
    {"train", "dry_run dryrun validate", "give --check to look at all without training"},
    {"train", "force overwrite f",
     "a run is never written over: give --resume to go on with it, or -o another folder"},
    {"train", "grid g", "give it to trireme sweep, which trains every combination"},
    {"sweep learning-curve bias-variance find-lr", "check dry_run",
     "give it to trireme train, which looks at a configuration without training"},
    {"sweep learning-curve bias-variance", "parallel jobs j n_jobs max_parallel workers",
     "give --at-once N: so many runs at a time"},
    {"bias-variance", "seeds", "give --runs N: so many bootstrap samples"},
    {"tune", "trials n_trials max_trials budget seed",
     "write it into the space, as 'search: {trials: 40, seed: 1}': trireme help search"},
    {"find-lr", "min min_lr start start_lr", "give --from RATE"},
    {"find-lr", "max max_lr end end_lr", "give --to RATE"},
    {"evaluate predict", "batch_size bs batch eval_batch_size per_device_eval_batch_size",
     "how many are evaluated at a time changes no result: leave it out"},
    {"evaluate", "o output csv out", "scores go to the terminal: give --json and > FILE"},
    {"predict", "k top_k topk", "give --top K"},
    {"generate", "o output out", "the text goes to the terminal: write > FILE behind the command"},
    {"generate", "length max_length max_len", "give --tokens N"},
    {"generate", "start text input", "give --prompt TEXT"},
    {"generate", "greedy", "give --temperature 0"},
    {"translate", "lenpen length_penalty alpha", "give --length-reward ALPHA"},
    {"translate", "data text src source", "give --input FILE, lines of text"},
    {"translate", "max_len max_length", "give --longest-ratio X or --longest-extra N"},
    {OF_RUNS, "run model ckpt checkpoint m load",
     "give the run or the checkpoint as a word, without an option"},
    {"evaluate predict", "step",
     "give the checkpoint of that step: runs/lm/checkpoints/step_00000100.h5"},
    {"average", "n", "give --last N or --best N"},
    {"export", "format f", "the name says the format: give -o FILE.safetensors or FILE.npz"},
    {"inspect", "n head show", "give --samples N"},
    {"partition", "k n n_parts", "give --parts N"},
    {"plot show", "metric y key", "give --column NAME"},
    {"show", "f watch", "give --follow"},
};

static const struct command_word {
  const char *words, *command;
} command_words[] = {
    {"fit run start finetune fine-tune resume", "train"},
    {"eval test score validate", "evaluate"},
    {"infer inference apply classify", "predict"},
    {"sample complete chat", "generate"},
    {"decode", "translate"},
    {"convert preprocess import data dataset tokenize", "prepare"},
    {"info stats describe head summary ls", "inspect"},
    {"search hpo optimize hyperopt", "tune"},
    {"grid grid-search", "sweep"},
    {"benchmark bench check env", "doctor"},
    {"lr-find lr_find lrfind", "find-lr"},
    {"tensorboard watch", "show"},
    {"-V -v", "version"},
};

/* Whether `word`, in which '-' is '_' where `folded`, is one of a list with blanks. */
static bool is_one_of(const char *list, const char *word, size_t length, bool folded) {
  for (const char *at = list; *at; at += strspn(at, " ")) {
    const size_t n = strcspn(at, " ");
    bool same = n == length;
    for (size_t i = 0; same && i < n; ++i) {
      same = at[i] == (folded && word[i] == '-' ? '_' : word[i]);
    }
    if (same) return true;
    at += n;
  }
  return false;
}

const char *app_option_advice(const char *command, const char *word) {
  const char *name = word + strspn(word, "-");
  const size_t length = strcspn(name, "=");
  for (size_t i = 0; i < sizeof option_words / sizeof option_words[0]; ++i) {
    const struct option_word *w = &option_words[i];
    if (w->commands && !is_one_of(w->commands, command, strlen(command), false)) continue;
    if (is_one_of(w->words, name, length, true)) return w->advice;
  }
  return NULL;
}

const char *app_command_meant(const char *word) {
  for (size_t i = 0; i < sizeof command_words / sizeof command_words[0]; ++i) {
    if (is_one_of(command_words[i].words, word, strlen(word), false)) {
      return command_words[i].command;
    }
  }
  return NULL;
}

/* ---- what is alike --------------------------------------------------------------------------- */

/* Whether one of two parts, which end at '-', '_', '=' or the end, begins with the other. */
static bool part_fits(const char *a, const char *b) {
  const size_t n_a = strcspn(a, "-_="), n_b = strcspn(b, "-_=");
  const size_t n = n_a < n_b ? n_a : n_b;
  if (n < SHORTEST) return false;
  for (size_t i = 0; i < n; ++i) {
    if (tolower((unsigned char)a[i]) != b[i]) return false;
  }
  return true;
}

static const char *next_part(const char *at) {
  at += strcspn(at, "-_=");
  return *at && *at != '=' ? at + 1 : NULL;
}

/* Whether all of an option's parts are in the word, in their order. */
static bool covers(const char *word, const char *option) {
  for (const char *part = option + 2; part; part = next_part(part)) {
    while (word && !part_fits(word, part)) word = next_part(word);
    if (!word) return false;
    word = next_part(word);
  }
  return true;
}

const char *app_option_related(const app_option *options, int n, const char *word) {
  const char *found = NULL;
  if (strncmp(word, "--", 2) != 0) return NULL;
  for (int i = 0; i < n; ++i) {
    if (!covers(word + 2, options[i].name)) continue;
    if (found) return NULL;
    found = options[i].name;
  }
  return found;
}
