#include "fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trireme/core/memory.h"

static char folder[128];

uint32_t fuzz_take(fuzz_input *in, int n_bytes) {
  uint32_t value = 0;
  for (int i = 0; i < n_bytes && in->size > 0; ++i) {
    value |= (uint32_t)*in->data << (8 * i);
    ++in->data;
    --in->size;
  }
  return value;
}

fuzz_input fuzz_take_bytes(fuzz_input *in, size_t n) {
  const fuzz_input taken = {in->data, n < in->size ? n : in->size};
  in->data += taken.size;
  in->size -= taken.size;
  return taken;
}

int fuzz_take_texts(fuzz_input *in, fuzz_input *parts, int most) {
  static const char cut[] = "%%\n";
  const size_t n_cut = sizeof cut - 1;
  int n = 0;
  memset(parts, 0, (size_t)most * sizeof *parts);
  for (; n < most; ++n) {
    size_t end = 0;
    const size_t size = in->size;
    while (end < size && !(size - end >= n_cut && memcmp(in->data + end, cut, n_cut) == 0 &&
                           (end == 0 || in->data[end - 1] == '\n'))) {
      ++end;
    }
    parts[n] = fuzz_take_bytes(in, end);
    if (in->size == 0) return n + 1;
    (void)fuzz_take_bytes(in, n_cut);
  }
  return n;
}

char *fuzz_text(fuzz_input in) {
  char *text = malloc(in.size + 1);
  size_t n = 0;
  if (!text) abort();
  for (size_t i = 0; i < in.size; ++i) {
    if (in.data[i] != 0) text[n++] = (char)in.data[i];
  }
  text[n] = 0;
  return text;
}

static int remove_entry(const char *path, const struct stat *facts, int type, struct FTW *place) {
  (void)facts, (void)type, (void)place;
  (void)remove(path); /* what cannot be removed is left to the system */
  return 0;
}

static void remove_folder(void) {
  (void)nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void) {
  if (folder[0]) return folder;
  const bool memory = access("/dev/shm", W_OK) == 0;
  (void)snprintf(folder, sizeof folder, "%s/trireme-fuzz-XXXXXX", memory ? "/dev/shm" : "/tmp");
  if (!mkdtemp(folder)) {
    perror(folder);
    exit(1);
  }
  (void)atexit(remove_folder);
  return folder;
}

const char *fuzz_path(const char *name) {
  static char paths[32][256];
  static int next;
  char *path = paths[next++ % 32];
  (void)snprintf(path, sizeof paths[0], "%s/%s", fuzz_folder(), name);
  return path;
}

const char *fuzz_file(const char *name, fuzz_input contents) {
  const char *path = fuzz_path(name);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(contents.data, 1, contents.size, file) != contents.size ||
      fclose(file) != 0) {
    perror(path);
    exit(1);
  }
  return path;
}

const char *fuzz_text_file(const char *name, const char *text) {
  return fuzz_file(name, (fuzz_input){(const uint8_t *)text, strlen(text)});
}

int64_t fuzz_blocks(void) {
  return trm_alloc_counts_get().live_blocks;
}

void fuzz_expect_blocks(int64_t n) {
  const int64_t now = fuzz_blocks();
  if (now == n) return;
  (void)fprintf(stderr, "%lld blocks are allocated, %lld were before\n", (long long)now,
                (long long)n);
  abort();
}
