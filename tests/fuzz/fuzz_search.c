/* What a search is made of: the file of its space; a journal whose bytes were changed; grids and lists of
 * numbers from the command line.
 *
 * A byte chooses the way, another how a journal is changed; texts follow, cut by lines "%%". */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/train/lab/importance.h"
#include "../../src/train/lab/journal.h"
#include "../../src/train/lab/tuning.h"
#include "fuzz.h"
#include "trireme/core/memory.h"
#include "trireme/train/keys.h"
#include "trireme/train/sweep.h"

enum { MOST_TRIALS = 40, MOST_PARALLEL = 8, MOST_JOBS = 200, IDENTITY = 7 };

/* ---- a search --------------------------------------------------------------------------------- */

/* What a trial came to, by the input. */
static void invent(fuzz_input *in, trm_job *job) {
  const uint32_t n = fuzz_take(in, 2);
  job->outcome = (trm_job_outcome)(TRM_JOB_DONE + (n & 3));
  job->score = n & 4 ? (double)(n >> 4) / 64 : (double)NAN;
  job->step = n & 8 ? n : 10;
  job->best_step = job->step / 2;
  (void)snprintf(job->reason, sizeof job->reason, "%s", n & 16 ? "a, \"b\"" : "");
}

/* Goes through the jobs: those of the journal as they are there, others are made up and added. */
static trm_status go(trm_tuning *search, trm_journal *journal, fuzz_input *results) {
  for (int64_t j = 0; j < MOST_JOBS; ++j) {
    bool over, taken;
    TRM_TRY(trm_tuning_next(search, &over));
    if (over) return TRM_OK;
    if (search->jobs[j].trial < 0) continue;
    TRM_TRY(trm_journal_take(journal, search, j, &taken));
    if (taken) continue;
    invent(results, &search->jobs[j]);
    TRM_TRY(trm_journal_add(journal, search, j));
  }
  return TRM_OK;
}

static void change(fuzz_input *edits) {
  const char *path = fuzz_path("journal.csv");
  char bytes[1 << 16];
  FILE *file = fopen(path, "r+b");
  if (!file) abort();
  size_t n = fread(bytes, 1, sizeof bytes, file);
  while (edits->size > 0 && n > 0) {
    const size_t at = fuzz_take(edits, 2) % n;
    const uint32_t value = fuzz_take(edits, 1);
    bytes[at] = (char)value;
    if (value == 0xff) n = at;
  }
  (void)fclose(file);
  (void)fuzz_file("journal.csv", (fuzz_input){(const uint8_t *)bytes, n});
}

static void search(const trm_space *space, fuzz_input results, fuzz_input edits) {
  double shares[TRM_SPACE_MOST];
  (void)unlink(fuzz_path("journal.csv"));
  for (int pass = 0; pass < 2; ++pass) {
    trm_tuning tuning = {0};
    trm_journal journal = {.fd = -1};
    int64_t n;
    if (trm_tuning_create(space, true, &tuning) == TRM_OK &&
        trm_journal_open(fuzz_folder(), &tuning, IDENTITY, pass == 1, &journal) == TRM_OK) {
      const trm_status status = go(&tuning, &journal, &results);
      if (status == TRM_OK) (void)trm_tuning_importance(&tuning, shares, &n);
      if (status == TRM_OK) (void)trm_tuning_best(&tuning);
      trm_journal_close(&journal);
      if (pass == 0) change(&edits);
    }
    trm_tuning_free(&tuning);
  }
}

static void of_space(fuzz_input *parts) {
  const char *path = fuzz_file("space.yaml", parts[0]);
  trm_space space = {0};
  trm_config *config = NULL;
  if (trm_program_config(&config) != TRM_OK) abort();
  bool good = trm_space_read(path, &space) == TRM_OK;
  good = good && trm_config_read_text(config, "data: {path: x.h5}", "fuzz.yaml") == TRM_OK;
  good = good && trm_space_check(&space, config) == TRM_OK;
  trm_config_destroy(&config);
  const trm_search_options *o = &space.search;
  const bool small = o->trials <= MOST_TRIALS && o->parallel <= MOST_PARALLEL && o->rungs <= 4 &&
                     o->candidates <= 64 && trm_space_grid_points(&space) <= MOST_JOBS;
  if (good && small) search(&space, parts[1], parts[2]);
  trm_space_free(&space);
}

/* ---- the command line ------------------------------------------------------------------------- */

static void grid(fuzz_input *parts) {
  trm_grid grid = {0};
  for (int i = 0; i < 3; ++i) {
    char *text = fuzz_text(parts[i]);
    if (parts[i].size > 0 && trm_grid_add(&grid, text) == TRM_OK) {
      const int64_t last = trm_grid_points(&grid) - 1;
      for (int axis = 0; axis < grid.n_axes; ++axis) (void)trm_grid_value(&grid, last, axis);
    }
    free(text);
  }
  trm_grid_free(&grid);
}

static void numbers(fuzz_input *parts) {
  char *text = fuzz_text(parts[0]);
  int64_t *list = NULL, n;
  if (trm_sweep_numbers(text, "--seeds", &list, &n) == TRM_OK) TRM_FREE(list);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const ways[])(fuzz_input *) = {of_space, grid, numbers};
  fuzz_input in = {data, size}, parts[3];
  const uint32_t way = fuzz_take(&in, 1);
  const int64_t blocks = fuzz_blocks();
  (void)fuzz_take_texts(&in, parts, 3);
  ways[way % 3](parts);
  fuzz_expect_blocks(blocks);
  return 0;
}
