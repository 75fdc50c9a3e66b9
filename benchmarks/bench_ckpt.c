/* What a checkpoint costs, and how fast it gets to the disk, beside a plain write with fsync.
 *
 *   bench_ckpt [FOLDER [MILLIONS [ROUNDS]]]     default: . 10.8 5
 *
 * As many million parameters with their gradients' two moments, in arrays as a decoder has them. In turn
 * in each round: a file of as many bytes written in pieces of 1 MiB and brought to disk with fsync, and a
 * checkpoint. `held` is what training waits for: the copy that is taken. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "trireme/ckpt/ckpt.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"

enum { N_ARRAYS = 75, MOST_ROUNDS = 100 };

typedef struct times {
  double plain_s, plain_cpu_s, held_s, write_s, cpu_s;
} times;

/* Processor time of all threads. */
static double cpu_s(void) {
  struct rusage u;
  if (getrusage(RUSAGE_SELF, &u) != 0) return 0;
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static trm_status write_plain(const char *path, const char *data, int64_t bytes) {
  enum { PIECE_BYTES = 1 << 20 };
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (fd < 0) return trm_fail(TRM_ERR_IO, "%s: cannot be made", path);
  bool good = true;
  for (int64_t done = 0; good && done < bytes;) {
    const int64_t n = bytes - done < PIECE_BYTES ? bytes - done : PIECE_BYTES;
    good = write(fd, data + done, (size_t)n) == (ssize_t)n;
    done += n;
  }
  good = good && fsync(fd) == 0;
  (void)close(fd);
  (void)unlink(path);
  return good ? TRM_OK : trm_fail(TRM_ERR_IO, "%s: cannot be written", path);
}

static trm_status one_round(trm_ckpt_store *store, const char *plain, const trm_ckpt_info *info,
                            const trm_region *regions, int64_t bytes, times *t) {
  double start_s = trm_clock_s(), start_cpu_s = cpu_s();
  TRM_TRY(write_plain(plain, (const char *)regions[0].data, bytes));
  t->plain_s = trm_clock_s() - start_s;
  t->plain_cpu_s = cpu_s() - start_cpu_s;
  start_s = trm_clock_s(), start_cpu_s = cpu_s();
  TRM_TRY(trm_ckpt_save(store, info, regions, N_ARRAYS, false));
  t->held_s = trm_clock_s() - start_s;
  TRM_TRY(trm_ckpt_wait(store));
  t->write_s = trm_ckpt_write_s(store);
  t->cpu_s = cpu_s() - start_cpu_s;
  return TRM_OK;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print_spread(const char *what, const char *unit, double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, compare);
  printf("%-44s %8.2f / %8.2f / %8.2f %s\n", what, values[0], values[n / 2], values[n - 1], unit);
}

static trm_status run(const char *folder, double millions, int n_rounds) {
  char checkpoints[512], plain[512];
  static char names[N_ARRAYS][32];
  trm_region regions[N_ARRAYS];
  trm_ckpt_store *store = NULL;
  float *data = NULL;
  times t[MOST_ROUNDS];
  double v[MOST_ROUNDS];
  const int64_t n = (int64_t)(3e6 * millions / N_ARRAYS), total = n * N_ARRAYS;
  const int64_t bytes = total * (int64_t)sizeof *data;
  (void)snprintf(checkpoints, sizeof checkpoints, "%s/bench_ckpt.%ld", folder, (long)getpid());
  (void)snprintf(plain, sizeof plain, "%s/bench_ckpt.%ld/plain", folder, (long)getpid());
  trm_ckpt_info info = {
      .best_value = NAN, .config_text = "", .program_version = "", .fingerprint = ""};
  trm_status status = TRM_OK;
  TRM_TRY(trm_ckpt_store_open(checkpoints, 1, &store));
  TRM_TRY_OUT(TRM_ALLOC(&data, total, "weights"));
  for (int64_t i = 0; i < total; ++i) data[i] = (float)i;
  for (int i = 0; i < N_ARRAYS; ++i) {
    (void)snprintf(names[i], sizeof names[i], "model/array%d", i);
    regions[i] = (trm_region){.name = names[i], .n_dims = 1, .dims = {n}, .data = data + i * n};
  }
  for (int r = 0; r <= n_rounds; ++r) { /* the first takes memory, and is not counted */
    info.step = r;
    TRM_TRY_OUT(one_round(store, plain, &info, regions, bytes, &t[r > 0 ? r - 1 : 0]));
  }
  printf("%.1f MB, %d rounds; least / median / greatest\n", 1e-6 * (double)bytes, n_rounds);
#define PRINT(what, unit, value)                                                                   \
  do {                                                                                             \
    for (int r = 0; r < n_rounds; ++r) v[r] = (value);                                             \
    print_spread(what, unit, v, n_rounds);                                                         \
  } while (0)
  PRINT("plain write and fsync", "MB/s", 1e-6 * (double)bytes / t[r].plain_s);
  PRINT("checkpoint", "MB/s", 1e-6 * (double)bytes / t[r].write_s);
  PRINT("checkpoint to plain", "", t[r].plain_s / t[r].write_s);
  PRINT("training is held for", "ms", 1e3 * t[r].held_s);
  PRINT("processor time of a plain write", "ms", 1e3 * t[r].plain_cpu_s);
  PRINT("processor time of a checkpoint, with the copy", "ms", 1e3 * t[r].cpu_s);
#undef PRINT
out:
  TRM_FREE(data);
  (void)trm_ckpt_store_close(&store);
  return status;
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  const double millions = argc > 2 ? strtod(argv[2], NULL) : 10.8;
  const long n_rounds = argc > 3 ? strtol(argv[3], NULL, 10) : 5;
  if (!(millions > 0) || n_rounds < 1 || n_rounds > MOST_ROUNDS - 1) {
    (void)fprintf(stderr, "usage: bench_ckpt [FOLDER [MILLIONS [ROUNDS]]]\n");
    return trm_status_exit_code(TRM_ERR_USAGE);
  }
  const trm_status status = run(folder, millions, (int)n_rounds);
  if (status != TRM_OK) (void)fprintf(stderr, "error: %s\n", trm_message());
  return trm_status_exit_code(status);
}
