#include "app.h"

#include <stdio.h>
#include <string.h>

#include "trireme/core/config.h"

static const app_command commands[] = {
    {"train", "CONFIG.yaml [--set KEY=VALUE]... [--resume[=CHECKPOINT]]",
     "train a model; start it with mpirun for several ranks", app_train},
    {"prepare", "text FILES... | debian | synth  -o DATA.h5", "make a data set", app_prepare},
    {"inspect", "DATA.h5 | CHECKPOINT.h5", "show what a file holds, and check it", app_inspect},
    {"evaluate", "RUN | CHECKPOINT.h5", "loss over the whole validation split", app_evaluate},
    {"generate", "RUN | CHECKPOINT.h5 [--prompt TEXT]", "write text with a trained model",
     app_generate},
    {"doctor", "", "show ranks, threads, binding and speed, and what is wrong with them",
     app_doctor},
    {"help", "[COMMAND | config]", "this page, a command's options, or every configuration key",
     app_help},
    {"version", "", "print the version", app_version},
};

const app_command *app_commands(int *n) {
  *n = (int)(sizeof commands / sizeof commands[0]);
  return commands;
}

static const app_command *find(const char *name) {
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
  const char *names[16];
  for (int i = 0; i < n; ++i) names[i] = all[i].name;
  const char *near = trm_nearest(name, names, n);
  return trm_fail(TRM_ERR_USAGE, "no command '%s'%s%s%s; see trireme help", name,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int app_version(int argc, char **argv) {
  (void)argc;
  (void)argv;
  return puts("trireme " TRM_VERSION) < 0 ? trm_status_exit_code(TRM_ERR_IO) : 0;
}

int app_help(int argc, char **argv) {
  if (argc > 0 && strcmp(argv[0], "config") == 0) {
    int n_keys;
    const trm_config_key *keys = trm_config_keys(&n_keys);
    trm_config_help(keys, n_keys, stdout);
    return 0;
  }
  if (argc > 0) {
    const app_command *command = find(argv[0]);
    if (!command) return app_end(NULL, unknown(argv[0]));
    char help[] = "--help", *page[] = {help, NULL};
    return command->run(1, page);
  }
  int n;
  const app_command *all = app_commands(&n);
  printf("trireme " TRM_VERSION ": trains Transformers data-parallel over MPI ranks\n\n");
  for (int i = 0; i < n; ++i) {
    printf("  trireme %s %s\n      %s\n", all[i].name, all[i].words, all[i].summary);
  }
  printf("\nSeveral ranks: mpirun -n 4 trireme train lm.yaml\n"
         "Exit codes: 0 done, 64 usage, 65 bad data, 69 out of memory, 70 internal, 71 a rank was\n"
         "lost, 74 input or output, 75 stopped early with a checkpoint, 76 diverged, 78 "
         "configuration\n");
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    (void)app_help(0, NULL);
    return trm_status_exit_code(TRM_ERR_USAGE);
  }
  const char *name = argv[1];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
  if (strcmp(name, "--version") == 0) name = "version";
  const app_command *command = find(name);
  if (!command) return app_end(NULL, unknown(name));
  return command->run(argc - 2, argv + 2);
}
