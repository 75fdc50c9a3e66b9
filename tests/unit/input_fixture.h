/** Data set files for the tests of `input`, written field by field so that each can be wrong. */
#ifndef TRIREME_TESTS_INPUT_FIXTURE_H
#define TRIREME_TESTS_INPUT_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/input/dataset.h"
#include "trireme/io/container.h"

/** NULL leaves a field out. */
typedef struct fixture {
  const char *kind, *unit;
  int64_t format;
  int64_t n_offsets;
  const int64_t *offsets;
  int64_t n_bytes;
  const char *bytes;
  trm_dtype dtype;
  int64_t n_tokens;
  const void *tokens;
  const int64_t *train, *valid; /* [2] */
} fixture;

static inline void fixture_write(const char *path, const fixture *f) {
  trm_container *c = NULL;
  const int64_t two = 2;
  if (!CHECK_OK(trm_container_create(path, &c))) exit(1);
  if (f->format) CHECK_OK(trm_attr_write_int(c, "/", "trireme_format", f->format));
  if (f->kind) CHECK_OK(trm_attr_write_text(c, "/", "kind", f->kind));
  if (f->unit) CHECK_OK(trm_attr_write_text(c, "/", "unit", f->unit));
  if (f->offsets) {
    CHECK_OK(trm_array_write(c, "/vocab/offsets", TRM_DTYPE_I64, 1, &f->n_offsets, f->offsets));
  }
  if (f->bytes)
    CHECK_OK(trm_array_write(c, "/vocab/bytes", TRM_DTYPE_U8, 1, &f->n_bytes, f->bytes));
  if (f->tokens) CHECK_OK(trm_array_write(c, "/tokens", f->dtype, 1, &f->n_tokens, f->tokens));
  if (f->train) CHECK_OK(trm_array_write(c, "/splits/train", TRM_DTYPE_I64, 1, &two, f->train));
  if (f->valid) CHECK_OK(trm_array_write(c, "/splits/valid", TRM_DTYPE_I64, 1, &two, f->valid));
  CHECK_OK(trm_container_close(&c));
}

static inline const char *fixture_path(const char *folder, const char *name) {
  static char path[32][4200]; /* enough for the names one check holds at a time */
  static int next;
  char *out = path[next++ % 32];
  snprintf(out, sizeof path[0], "%s/%s", folder, name);
  return out;
}

/** Vocabulary "abcd", n tokens i * 7 % 4 + ..., of which the first n_train are for training. */
static inline void fixture_plain(const char *path, int64_t n, int64_t n_train) {
  static const int64_t offsets[] = {0, 1, 2, 3, 4};
  const int64_t train[2] = {0, n_train}, valid[2] = {n_train, n};
  uint8_t *tokens = malloc((size_t)n + 1);
  if (!tokens) exit(1);
  for (int64_t i = 0; i < n; ++i) tokens[i] = (uint8_t)((i * i + i / 3) % 4);
  const fixture f = {.kind = "text",
                     .unit = "char",
                     .format = 1,
                     .n_offsets = 5,
                     .offsets = offsets,
                     .n_bytes = 4,
                     .bytes = "abcd",
                     .dtype = TRM_DTYPE_U8,
                     .n_tokens = n,
                     .tokens = tokens,
                     .train = train,
                     .valid = valid};
  fixture_write(path, &f);
  free(tokens);
}

static inline int32_t fixture_token(int64_t i) {
  return (int32_t)((i * i + i / 3) % 4);
}

/** Writes a small file of bytes. */
static inline void fixture_file(const char *path, const void *data, size_t bytes) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(data, 1, bytes, file) != bytes || fclose(file) != 0) {
    perror(path);
    exit(1);
  }
}

/** Removes the folder of a test that went well. */
static inline int fixture_end(const char *folder) {
  char command[4300];
  if (check_verdict() != 0) {
    fprintf(stderr, "files left in %s\n", folder);
    return 1;
  }
  snprintf(command, sizeof command, "rm -r -- '%s'", folder);
  return system(command) == 0 ? 0 : 1;
}

#endif
