#include "app.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "option_words.h"
#include "trireme/core/config.h"
#include "trireme/input/augment.h"
#include "trireme/math/threads.h"
#include "trireme/train/keys.h"
#include "trireme/train/tune.h"

static const app_command commands[] = {
    {"train", "CONFIG.yaml [--set KEY=VALUE]... [--resume[=CHECKPOINT]] [--seeds 0-9]",
     "train a model; start it with mpirun for several ranks", app_train, NULL},
    {"sweep", "CONFIG.yaml [--grid KEY=VALUE,VALUE]... [--seeds 0-2] [--splits all] [--resume]",
     "a run for each combination of values, seeds and splits, and a table of their scores",
     app_sweep, NULL},
    {"tune", "SPACE.yaml [-o FOLDER] [--splits all] [--resume]",
     "search over keys of a configuration; the best trial is tested once, at the end", app_tune,
     NULL},
    {"learning-curve", "CONFIG.yaml [--shares 0.1,0.5,1] [--seeds 0-2] [--resume]",
     "training and validation scores over shares of the training part", app_learning_curve, NULL},
    {"bias-variance", "CONFIG.yaml [--runs 20] [--resume]",
     "models on bootstrap samples, and what of their loss is bias and what variance",
     app_bias_variance, NULL},
    {"find-lr", "CONFIG.yaml [--from 1e-7] [--to 1] [--steps 100] [-o FOLDER]",
     "try learning rates from low to high in one short run, and suggest one", app_find_lr, NULL},
    {"prepare", "-o DATA.h5",
     "make a data set; each kind has options of its own: trireme help prepare", app_prepare,
     app_prepare_print_kinds},
    {"inspect",
     "DATA.h5 [--samples N [--augment LIST | --config CONFIG.yaml] [-o SHEET.png]] | CHECKPOINT.h5 "
     "| RUN",
     "show what a file or a run holds, and check it; or samples of it, also augmented", app_inspect,
     NULL},
    {"partition", "DATA.h5 --parts N[,N]...",
     "cut a graph into parts and show what that would cost", app_partition, NULL},
    {"evaluate", "RUN | CHECKPOINT.h5 [RUN...]",
     "loss and scores over whole parts of the data; of several runs, each and all together",
     app_evaluate, NULL},
    {"predict", "RUN | CHECKPOINT.h5 [RUN...] -o FILE.tsv",
     "classes or numbers of samples, classes of nodes or graphs, items for users", app_predict,
     NULL},
    {"generate", "RUN | CHECKPOINT.h5 [--prompt TEXT]", "write text with a trained model",
     app_generate, NULL},
    {"translate", "RUN | CHECKPOINT.h5 [-i FILE] [-o FILE]",
     "write what a model of sequences makes of each line", app_translate, NULL},
    {"average", "RUN --last N | RUN --best N | CHECKPOINT.h5... -o CHECKPOINT.h5",
     "a checkpoint whose weights are the mean of others'", app_average, NULL},
    {"export", "RUN | CHECKPOINT.h5 -o FILE.safetensors | FILE.npz",
     "the weights of a checkpoint for other programs", app_export, NULL},
    {"verify", "RUN [--from STEP]", "replay steps of a run on this layout and compare their bits",
     app_verify, NULL},
    {"bisect", "RUN_A RUN_B", "find the first step and parameter where two runs part", app_bisect,
     NULL},
    {"report", "RUN... [-o report.html] [--csv FOLDER]",
     "one page of what runs came to: curves, results, model, samples", app_report, NULL},
    {"plot", "RUN... [-o curves.svg|curves.png] [--column NAME]", "curves of runs as a picture",
     app_plot, NULL},
    {"show", "RUN... [--follow] [--column NAME]",
     "curves of runs in the terminal, also of one that is going on", app_show_runs, NULL},
    {"doctor", "", "show ranks, threads, binding and speed, and what is wrong with them",
     app_doctor, NULL},
    {"help",
     "[COMMAND [KIND] | config [GROUP | KEY] | GROUP | augment | search | schema | man NAME | "
     "completion SHELL]",
     "this page, a command's options, configuration keys, what is done to samples, or keys of a "
     "search; a JSON schema of configurations, pages for man, completion for bash, zsh and fish",
     app_help, NULL},
    {"version", "", "print the version", app_version, NULL},
};

const app_command *app_commands(int *n) {
  *n = (int)(sizeof commands / sizeof commands[0]);
  return commands;
}

const app_command *app_command_find(const char *name) {
  int n;
  const app_command *all = app_commands(&n);
  for (int i = 0; i < n; ++i) {
    if (strcmp(all[i].name, name) == 0) return &all[i];
  }
  return NULL;
}

static trm_status unknown(const char *name) {
  int n;
  const app_command *all = app_commands(&n);
  const char *names[32];
  for (int i = 0; i < n; ++i) names[i] = all[i].name;
  const char *near = app_command_meant(name), *dot = strrchr(name, '.');
  if (!near) near = trm_nearest(name, names, n);
  if (dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0)) {
    return trm_fail(TRM_ERR_USAGE, "no command '%s'; say what is done with it: trireme train %s",
                    name, name);
  }
  return trm_fail(TRM_ERR_USAGE, "no command '%s'%s%s%s; see trireme help", name,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int app_version(int argc, char **argv) {
  app_list words;
  bool helped;
  bool json = false;
  const app_option options[] = {APP_JSON(&json)};
  trm_status status = app_parse("version", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_expect("version", &words, 0, NULL);
  if (status == TRM_OK && app_speaks()) {
    printf(json ? "{\"program\": \"trireme\", \"version\": \"" TRM_VERSION "\"}\n"
                : "trireme " TRM_VERSION "\n");
  }
  return app_end(NULL, status);
}

/* Every key, or of `word`: a group, or a key. */
static trm_status print_keys(const char *word) {
  trm_config_parts parts;
  trm_program_parts(&parts);
  return trm_config_help(&parts, word, stdout);
}

static bool is_group(const char *word) {
  trm_config_parts parts;
  trm_program_parts(&parts);
  return trm_config_has_group(&parts, word) || strchr(word, '.');
}

static void print_commands(void) {
  int n;
  const app_command *all = app_commands(&n);
  printf("trireme " TRM_VERSION
         ": trains Transformers, networks on images and graphs data-parallel over MPI ranks\n\n");
  for (int i = 0; i < n; ++i) {
    printf("  ");
    app_print_usage(&all[i]);
    printf("      %s\n", all[i].summary);
  }
  printf(
      "\nSeveral ranks: mpirun -n 4 trireme train lm.yaml\n"
      "Exit codes: 0 done, 64 usage, 65 bad data, 66 a file is not there, 69 out of memory,\n"
      "70 internal, 71 a rank was lost, 74 input or output, 75 stopped early with a checkpoint,\n"
      "76 diverged, 78 configuration, 79 compared and not the same\n");
}

/* The page of a command, or of a kind of it. */
static int help_command(const app_command *command, const app_list *words, char **argv) {
  char help[] = "--help", *page[] = {help, words->n > 1 ? argv[1] : NULL, NULL};
  if (words->n > (command->print_kinds ? 2 : 1)) {
    return app_end(NULL, app_expect("help", words, 1, "one command"));
  }
  const bool group = words->n == 1 && app_speaks() && is_group(command->name);
  const int code = command->run(words->n, page);
  if (group) {
    printf("\nThe keys %s.* are another matter: trireme help config %s\n", command->name,
           command->name);
  }
  return code;
}

static trm_status print_schema(void) {
  trm_config_parts parts;
  trm_program_parts(&parts);
  return trm_config_schema(&parts, stdout);
}

/* What is no command. */
static trm_status help_topic(const app_list *words) {
  const char *topic = words->n > 0 ? words->items[0] : "";
  const bool speaks = app_speaks(), config = strcmp(topic, "config") == 0;
  if (strcmp(topic, "man") == 0 || strcmp(topic, "completion") == 0) {
    if (words->n == 2) return app_print_pages(topic, words->items[1]);
    return app_expect("help", words, 2, "what, as 'man train' or 'completion bash'");
  }
  if (words->n > (config ? 2 : 1)) return app_expect("help", words, 1, "one command");
  if (words->n == 0) {
    if (speaks) print_commands();
  } else if (strcmp(topic, "schema") == 0) {
    return speaks ? print_schema() : TRM_OK;
  } else if (strcmp(topic, "augment") == 0) {
    if (speaks) trm_augment_help(stdout);
  } else if (strcmp(topic, "search") == 0) {
    return speaks ? trm_tune_help(stdout) : TRM_OK;
  } else if (config) {
    return speaks ? print_keys(words->n > 1 ? words->items[1] : NULL) : TRM_OK;
  } else if (is_group(topic)) {
    return speaks ? print_keys(topic) : TRM_OK;
  } else {
    return unknown(topic);
  }
  return TRM_OK;
}

int app_help(int argc, char **argv) {
  app_list words;
  bool helped;
  const trm_status status = app_parse("help", argc, argv, NULL, 0, &words, &helped);
  if (helped || status != TRM_OK) return app_end(NULL, status);
  const app_command *command = words.n > 0 ? app_command_find(words.items[0]) : NULL;
  return command ? help_command(command, &words, argv) : app_end(NULL, help_topic(&words));
}

/*
 * Starts this program again with what libraries read as they are loaded:
 *  - threads that wait for each other spin for a bounded time only. OpenMP's default is some milliseconds
 *    for each of hundreds of kernels, which others on the same processors pay for (benchmarks/busy_threads);
 *  - a matrix library that this or another library loads starts no threads of its own.
 * Goes on as it is when that fails.
 */
static void bound_threads(char **argv) {
  static const double spin_s = 1e-3;
  char path[4096], spins[32];
  if (getenv("GOMP_SPINCOUNT")) return; /* this has been done, or the user has */
  if (getenv("OMP_WAIT_POLICY")) return;
  (void)snprintf(spins, sizeof spins, "%lld", (long long)trm_threads_spins(spin_s));
  if (setenv("GOMP_SPINCOUNT", spins, 1) != 0 || setenv("OPENBLAS_NUM_THREADS", "1", 1) != 0)
    return;
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = 0;      /* by its own name, which process lists show */
  trm_processors pinned; /* the new program would take them for all there are */
  trm_threads_unpin(&pinned);
  (void)execv(path, argv);
  trm_threads_pin(&pinned);
}

int main(int argc, char **argv) {
  bound_threads(argv);
  (void)signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error of the write, with its line */
  if (argc < 2) {
    (void)app_help(0, NULL);
    return trm_status_exit_code(TRM_ERR_USAGE);
  }
  const char *name = argv[1];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
  if (strcmp(name, "--version") == 0) name = "version";
  const app_command *command = app_command_find(name);
  if (!command) return app_end(NULL, unknown(name));
  return command->run(argc - 2, argv + 2);
}
