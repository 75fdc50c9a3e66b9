/* tiny Shakespeare, when the data are there: the counts of the published split (nanoGPT's). */
#include "input_fixture.h"
#include "trireme/prepare/text.h"

int main(void) {
  const char *data = getenv("TRIREME_DATA");
  char file[4200];
  if (data && data[0]) {
    snprintf(file, sizeof file, "%s/tinyshakespeare/input.txt", data);
  } else {
    snprintf(file, sizeof file, "%s/../shared/data/tinyshakespeare/input.txt", TRM_SOURCE_DIR);
  }
  if (access(file, R_OK) != 0) {
    return check_skip("no tinyshakespeare/input.txt in the folder TRIREME_DATA");
  }
  const char *folder = check_temp_folder(), *files[] = {file};
  const char *path = fixture_path(folder, "shakespeare.h5");
  const trm_prepare_options o = {.output = path, .vocab.unit = "char", .valid_share = 0.1};
  trm_prepare_summary s;
  trm_dataset *d = NULL;
  CHECK_OK(trm_prepare_text(files, 1, &o, &s));
  CHECK_EQ(s.n_tokens, 1115394);
  CHECK_EQ(s.vocab, 65);
  CHECK_EQ(s.n_train, 1003854);
  CHECK_EQ(s.n_valid, 111540);
  if (!CHECK_OK(trm_dataset_open(path, &d))) return 1;
  CHECK_EQ(trm_dataset_epoch_samples(d, 64), (1003854 - 64) / 64);
  CHECK_EQ(trm_dataset_eval_samples(d, TRM_SUBSET_VALID, 64), (111539 + 63) / 64);
  int32_t inputs[14], targets[14];
  CHECK_OK(trm_dataset_eval_read(d, TRM_SUBSET_TRAIN, 14, 0, 1, inputs, targets));
  static const char start[] = "First Citizen:\n";
  for (int i = 0; i < 14; ++i) {
    int bytes;
    CHECK_EQ(trm_dataset_token_text(d, inputs[i], &bytes)[0], start[i]);
    CHECK_EQ(trm_dataset_token_text(d, targets[i], &bytes)[0], start[i + 1]);
  }
  trm_dataset_close(&d);
  return fixture_end(folder);
}
