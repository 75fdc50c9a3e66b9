#include <stdio.h>

#include "app.h"
#include "trireme/train/train.h"

int app_generate(int argc, char **argv) {
  app_list words;
  trm_generate_options generate = {
      .prompt = "", .n_tokens = 500, .temperature = 0.8, .top_p = 1, .seed = 1};
  bool helped;
  int64_t threads = 0, seed = 1;
  const app_option options[] = {
      APP_TEXT("--prompt", 'p', &generate.prompt, "TEXT", "text to go on"),
      APP_TEXT("--unknown", 0, &generate.unknown, "token|skip|refuse",
               "what of it the vocabulary lacks (default: its token for that, refused if none)"),
      APP_INT("--tokens", 'n', &generate.n_tokens, 0, 1e9, "N", "how many to write (default 500)"),
      APP_REAL("--temperature", &generate.temperature, 0, 100, "X",
               "0: always the most likely token (default 0.8)"),
      APP_INT("--top-k", 0, &generate.top_k, 0, 1e9, "N",
              "draw from the N most likely tokens (default 0: all)"),
      APP_REAL("--top-p", &generate.top_p, 1e-9, 1, "P",
               "draw from the fewest tokens that hold this much probability (default 1)"),
      APP_INT("--seed", 0, &seed, 0, 9e15, "N", "the same seed writes the same text (default 1)"),
      APP_FLAG("--best", &generate.best, "the best checkpoint, not the newest"),
      APP_FLAG("--raw", &generate.raw, "the weights as trained, also where the run averaged them"),
      APP_THREADS(&threads),
  };
  trm_comm *comm = NULL;
  trm_status status = app_parse("generate", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_single_process("generate");
  if (status == TRM_OK) {
    status = app_expect("generate", &words, 1, "one run directory or checkpoint");
  }
  if (status != TRM_OK) return app_end(NULL, status);
  status = app_start(&argc, &argv, threads, status, &comm);
  if (!comm) return app_end(NULL, status);
  if (status == TRM_OK) {
    generate.run = words.items[0];
    generate.seed = (uint64_t)seed;
    status = trm_generate_run(comm, &generate, stdout);
    if (status == TRM_OK) (void)putchar('\n');
  }
  return app_end(&comm, status);
}
