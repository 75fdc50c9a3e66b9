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
      {"--prompt", 'p', APP_TEXT, &generate.prompt, .value_name = "TEXT", .help = "text to go on"},
      {"--tokens", 'n', APP_INT, &generate.n_tokens, .min = 0, .max = 1e9, .value_name = "N",
       .help = "how many tokens to write (default 500)"},
      {"--temperature", 0, APP_REAL, &generate.temperature, .min = 0, .max = 100, .value_name = "X",
       .help = "0: always the most likely token (default 0.8)"},
      {"--top-k", 0, APP_INT, &generate.top_k, .min = 0, .max = 1e9, .value_name = "N",
       .help = "draw from the N most likely tokens (default 0: all)"},
      {"--top-p", 0, APP_REAL, &generate.top_p, .min = 1e-9, .max = 1, .value_name = "P",
       .help = "draw from the fewest tokens that hold this much probability (default 1)"},
      {"--seed", 0, APP_INT, &seed, .min = 0, .max = 9e15, .value_name = "N",
       .help = "the same seed writes the same text (default 1)"},
      {"--best", 0, APP_FLAG, &generate.best, .help = "the best checkpoint, not the newest"},
      {"--threads", 't', APP_INT, &threads, .min = 1, .max = 4096, .value_name = "N",
       .help = "compute threads"},
  };
  trm_comm *comm = NULL;
  trm_status status = app_parse("generate", argc, argv, options,
                                (int)(sizeof options / sizeof options[0]), &words, &helped);
  if (status == TRM_OK && helped) return 0;
  if (status == TRM_OK) status = app_single_process("generate");
  if (status == TRM_OK && words.n != 1) {
    status = trm_fail(TRM_ERR_USAGE, "generate: give one run directory or checkpoint (%d given)",
                      words.n);
  }
  if (status != TRM_OK) return app_end(NULL, status);
  status = app_start(&argc, &argv, threads, &comm);
  if (!comm) return app_end(NULL, status);
  if (status == TRM_OK) {
    generate.run = words.items[0];
    generate.seed = (uint64_t)seed;
    status = trm_generate_run(comm, &generate, stdout);
    if (status == TRM_OK) (void)putchar('\n');
  }
  return app_end(&comm, status);
}
