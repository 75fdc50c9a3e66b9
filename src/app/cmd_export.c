#include <inttypes.h>
#include <stdio.h>

#include "app.h"
#include "trireme/core/log.h"
#include "trireme/core/plural.h"
#include "trireme/train/export.h"

int app_export(int argc, char **argv) {
  app_list words;
  trm_export_options o = {0};
  trm_export_result result;
  bool helped;
  const app_option options[] = {
      APP_TEXT("--output", 'o', &o.output, "FILE", "file to write: .safetensors or .npz"),
      APP_FORCE(&o.force),
      APP_FLAG("--best", &o.best, "the best checkpoint, not the newest"),
      APP_FLAG("--raw", &o.raw, "the weights as trained, also where the run averaged them"),
  };
  trm_status status = app_parse("export", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_single_process("export");
  if (status == TRM_OK) {
    status = app_expect("export", &words, 1, "one run directory or checkpoint");
  }
  if (status == TRM_OK && !o.output) {
    status = trm_fail(TRM_ERR_USAGE, "export: give -o FILE.safetensors or -o FILE.npz");
  }
  if (status == TRM_OK) {
    o.run = words.items[0];
    status = trm_export_run(&o, &result);
  }
  if (status == TRM_OK) {
    char numbers[32];
    trm_format_count(result.n_elements, numbers);
    printf("%s: %" PRId64 " array%s of %s numbers, of step %" PRId64 "\n", o.output,
           result.n_arrays, trm_plural(result.n_arrays), numbers, result.step);
  }
  return app_end(NULL, status);
}
