/* Opening data sets: everything wrong has its one line; digest; memory; failing allocations. */
#include <inttypes.h>
#include <sys/stat.h>

#include "../../src/input/text/text_internal.h"
#include "input_fixture.h"
#include "trireme/core/clock.h"

static const char *folder;

static const uint8_t tokens8[10] = {0, 1, 2, 3, 0, 1, 2, 3, 3, 3};

static fixture good(void) {
  static const int64_t offsets[] = {0, 1, 2, 3, 4}, train[] = {0, 8}, valid[] = {8, 10};
  return (fixture){.kind = "text",
                   .unit = "char",
                   .format = 1,
                   .n_offsets = 5,
                   .offsets = offsets,
                   .n_bytes = 4,
                   .bytes = "abcd",
                   .dtype = TRM_DTYPE_U8,
                   .n_tokens = 10,
                   .tokens = tokens8,
                   .train = train,
                   .valid = valid};
}

static void expect(const char *path, trm_status want, const char *part) {
  trm_dataset *d = NULL;
  CHECK_EQ(trm_dataset_open(path, &d), want);
  CHECK(d == NULL);
  CHECK_HAS(trm_message(), path);
  CHECK_HAS(trm_message(), part);
}

static void expect_bad(const fixture *f, const char *part) {
  const char *path = fixture_path(folder, "bad.h5");
  fixture_write(path, f);
  expect(path, TRM_ERR_DATA, part);
}

static void check_good(void) {
  const char *path = fixture_path(folder, "good.h5");
  fixture f = good();
  trm_dataset *d = NULL;
  fixture_write(path, &f);
  if (!CHECK_OK(trm_dataset_open(path, &d))) return;
  CHECK_STR(trm_dataset_path(d), path);
  CHECK_EQ(trm_dataset_vocab(d), 4);
  CHECK_EQ(trm_dataset_tokens(d, TRM_SUBSET_TRAIN), 8);
  CHECK_EQ(trm_dataset_tokens(d, TRM_SUBSET_VALID), 2);
  int bytes = 0;
  CHECK_EQ(trm_dataset_token_text(d, 2, &bytes)[0], 'c');
  CHECK_EQ(bytes, 1);
  int32_t *tokens = NULL;
  int64_t n = 0;
  CHECK_OK(trm_dataset_encode(d, "dab", 3, &tokens, &n));
  CHECK_EQ(n, 3);
  CHECK_EQ(tokens[0], 3);
  TRM_FREE(tokens);
  CHECK_STR(trm_dataset_vocabulary(d)->unit, "char");
  trm_dataset_close(&d);
  CHECK(d == NULL);
  trm_dataset_close(&d);
}

static void check_head(void) {
  fixture f = good();
  f.kind = "graph";
  expect_bad(&f, "kind is 'graph', expected 'text'");
  f = good(), f.kind = NULL;
  expect_bad(&f, "not a Trireme data set: no attributes 'trireme_format' and 'kind'");
  f = good(), f.format = 0;
  expect_bad(&f, "not a Trireme data set");
  f = good(), f.format = 2;
  expect_bad(&f, "format 2, this program reads format 1");
  f = good(), f.unit = NULL;
  expect_bad(&f, "no attribute 'unit'");
  f = good(), f.unit = "a word that is longer than the field";
  expect_bad(&f, "unit is 'a word that is longer than the field', expected byte, char");
}

static void check_vocab(void) {
  fixture f = good();
  f.offsets = NULL;
  expect_bad(&f, "no array '/vocab/offsets'");
  f = good(), f.bytes = NULL;
  expect_bad(&f, "no array '/vocab/bytes'");
  f = good(), f.offsets = (int64_t[]){0, 1, 3, 2, 4};
  expect_bad(&f, "vocabulary offset 3 is 2 after 3");
  f = good(), f.n_offsets = 1;
  expect_bad(&f, "vocabulary of 0 tokens");
  f = good(), f.bytes = "ab\xC3\xA9", f.offsets = (int64_t[]){0, 1, 2, 3, 4};
  expect_bad(&f, "token 2 (1 bytes) is not one UTF-8 character");
  int64_t *many = calloc(300, sizeof *many);
  if (!many) exit(1);
  for (int64_t i = 0; i < 300; ++i) many[i] = i;
  char bytes[300] = {0};
  f = good(), f.unit = "byte", f.n_offsets = 300, f.offsets = many, f.n_bytes = 299,
  f.bytes = bytes;
  expect_bad(&f, "vocabulary of 299 tokens and 299 bytes, unit byte has 1 to 256");
  free(many);
}

static void check_tokens(void) {
  fixture f = good();
  f.tokens = NULL;
  expect_bad(&f, "no array '/tokens'");
  uint8_t bad[10];
  memcpy(bad, tokens8, sizeof bad);
  bad[6] = 4, bad[7] = 200;
  f = good(), f.tokens = bad;
  expect_bad(&f, "token 4 at index 6 is out of vocabulary (4)");
  const int32_t wide[10] = {0, 1, 2, 3, 0, 1, 2, 300, 0, 0};
  f = good(), f.dtype = TRM_DTYPE_I32, f.tokens = wide;
  expect_bad(&f, "token 300 at index 7 is out of vocabulary (4)");
  const int64_t negative[10] = {0, 1, -1, 3};
  f = good(), f.dtype = TRM_DTYPE_I64, f.tokens = negative;
  expect_bad(&f, "token -1 at index 2 is out of vocabulary (4)");
  const uint16_t half[10] = {0, 1, 256, 3};
  f = good(), f.dtype = TRM_DTYPE_U16, f.tokens = half;
  expect_bad(&f, "token 256 at index 2 is out of vocabulary (4)");
  /* In the second piece of a scan, through both ways of reading. */
  const int64_t n_long = TRM_PIECE_TOKENS + 1000;
  uint8_t *narrow = calloc((size_t)n_long, 1);
  uint16_t *stored16 = calloc((size_t)n_long, sizeof *stored16);
  if (!narrow || !stored16) exit(1);
  narrow[TRM_PIECE_TOKENS + 7] = 9, stored16[TRM_PIECE_TOKENS + 8] = 9;
  f = good(), f.n_tokens = n_long, f.tokens = narrow;
  expect_bad(&f, "token 9 at index 1048583 is out of vocabulary (4)");
  f.tokens = stored16, f.dtype = TRM_DTYPE_U16;
  expect_bad(&f, "token 9 at index 1048584 is out of vocabulary (4)");
  free(narrow);
  free(stored16);
  const float real[10] = {0};
  f = good(), f.dtype = TRM_DTYPE_F32, f.tokens = real;
  expect_bad(&f, "array '/tokens' is ");

  trm_container *c = NULL;
  const char *path = fixture_path(folder, "flat.h5");
  f = good(), f.tokens = NULL;
  fixture_write(path, &f);
  /* Two dimensions: written by hand. */
  CHECK_OK(trm_container_create(path, &c));
  CHECK_OK(trm_attr_write_int(c, "/", "trireme_format", 1));
  CHECK_OK(trm_attr_write_text(c, "/", "kind", "text"));
  CHECK_OK(trm_attr_write_text(c, "/", "unit", "char"));
  CHECK_OK(trm_array_write(c, "/vocab/offsets", TRM_DTYPE_I64, 1, &f.n_offsets, f.offsets));
  CHECK_OK(trm_array_write(c, "/vocab/bytes", TRM_DTYPE_U8, 1, &f.n_bytes, f.bytes));
  CHECK_OK(trm_array_write(c, "/tokens", TRM_DTYPE_U8, 2, (int64_t[]){2, 5}, tokens8));
  CHECK_OK(trm_container_close(&c));
  expect(path, TRM_ERR_DATA, "'/tokens' is u8 with 2 dimensions, expected integers with one");
}

static void check_splits(void) {
  fixture f = good();
  f.train = NULL;
  expect_bad(&f, "no array '/splits/train'");
  f = good(), f.valid = NULL;
  expect_bad(&f, "no array '/splits/valid'");
  f = good(), f.train = (int64_t[]){0, 11};
  expect_bad(&f, "split train is [0, 11), out of the 10 tokens");
  f = good(), f.train = (int64_t[]){-1, 8};
  expect_bad(&f, "split train is [-1, 8)");
  f = good(), f.valid = (int64_t[]){9, 8};
  expect_bad(&f, "split valid is [9, 8)");
  f = good(), f.valid = (int64_t[]){7, 10};
  expect_bad(&f, "splits train [0, 8) and valid [7, 10) overlap");
  f = good(), f.train = (int64_t[]){2, 10}, f.valid = (int64_t[]){0, 3};
  expect_bad(&f, "splits train [2, 10) and valid [0, 3) overlap");
  f = good(), f.train = (int64_t[]){3, 3};
  expect_bad(&f, "the training split is empty");
  f = good(), f.n_tokens = 0, f.train = f.valid = (int64_t[]){0, 0};
  expect_bad(&f, "the training split is empty");
}

static void check_files(void) {
  expect(fixture_path(folder, "missing.h5"), TRM_ERR_MISSING, "");
  expect(folder, TRM_ERR_IO, "folder");
  const char *path = fixture_path(folder, "text.h5");
  fixture_file(path, "this is no HDF5 file\n", 21);
  expect(path, TRM_ERR_DATA, "HDF5");
  fixture_plain(path, 100000, 90000);
  CHECK_EQ(truncate(path, 50000), 0);
  expect(path, TRM_ERR_DATA, "");
  fixture_file(path, "", 0);
  expect(path, TRM_ERR_DATA, "");
}

static uint64_t digest_of(const fixture *f) {
  const char *path = fixture_path(folder, "digest.h5");
  trm_dataset *d = NULL;
  fixture_write(path, f);
  if (!CHECK_OK(trm_dataset_open(path, &d))) return 0;
  const uint64_t digest = trm_dataset_digest(d);
  trm_dataset_close(&d);
  return digest;
}

/* All content and the unit change it; the type in which the file stores tokens does not. */
static void check_digest(void) {
  fixture f = good();
  const uint64_t want = digest_of(&f);
  const int64_t wide[10] = {0, 1, 2, 3, 0, 1, 2, 3, 3, 3};
  f.dtype = TRM_DTYPE_I64, f.tokens = wide;
  CHECK(digest_of(&f) == want);
  const int64_t other[10] = {0, 1, 2, 3, 0, 1, 2, 3, 3, 2};
  f.tokens = other;
  CHECK(digest_of(&f) != want);
  f = good(), f.bytes = "abce";
  CHECK(digest_of(&f) != want);
  f = good(), f.unit = "byte";
  CHECK(digest_of(&f) != want);
  f = good(), f.train = (int64_t[]){0, 7};
  CHECK(digest_of(&f) != want);
  f = good(), f.valid = (int64_t[]){9, 10};
  CHECK(digest_of(&f) != want);
}

/* Vocabularies past 8 and 16 bits, through every stored type that fits. */
static void check_types(int64_t n_vocab) {
  enum { N = 3000 };
  int64_t *offsets = calloc((size_t)n_vocab + 1, sizeof *offsets);
  char *bytes = calloc((size_t)n_vocab, 4);
  if (!offsets || !bytes) exit(1);
  for (int64_t i = 0; i < n_vocab; ++i) { /* four-byte characters from U+10000 on */
    const uint32_t cp = (uint32_t)(0x10000 + i);
    bytes[4 * i] = (char)(0xF0 | cp >> 18);
    for (int b = 1; b < 4; ++b) bytes[4 * i + b] = (char)(0x80 | ((cp >> (6 * (3 - b))) & 0x3F));
    offsets[i + 1] = 4 * (i + 1);
  }
  static uint16_t u16[N];
  static int32_t i32[N];
  static uint32_t u32[N];
  static uint64_t u64[N];
  for (int64_t i = 0; i < N; ++i) {
    u64[i] = (uint64_t)(i * 7919 % n_vocab);
    u16[i] = (uint16_t)u64[i];
    i32[i] = (int32_t)u64[i];
    u32[i] = (uint32_t)u64[i];
  }
  const struct {
    trm_dtype dtype;
    const void *tokens;
  } kinds[] = {
      {TRM_DTYPE_U64, u64}, {TRM_DTYPE_U32, u32}, {TRM_DTYPE_I32, i32}, {TRM_DTYPE_U16, u16}};
  for (int k = 0; k < (n_vocab > 65536 ? 3 : 4); ++k) {
    fixture f = good();
    f.n_offsets = n_vocab + 1, f.offsets = offsets, f.n_bytes = 4 * n_vocab, f.bytes = bytes;
    f.n_tokens = N, f.dtype = kinds[k].dtype, f.tokens = kinds[k].tokens;
    f.train = (int64_t[]){0, N - 100}, f.valid = (int64_t[]){N - 100, N};
    const char *path = fixture_path(folder, "types.h5");
    fixture_write(path, &f);
    trm_dataset *d = NULL;
    static int32_t in[N], target[N];
    if (!CHECK_OK(trm_dataset_open(path, &d))) break;
    CHECK_OK(trm_dataset_eval_read(d, TRM_SUBSET_TRAIN, 500, 0, 5, in, target));
    for (int64_t i = 0; i < 2500; ++i) CHECK_EQ(target[i], (int64_t)u64[i + 1]);
    trm_dataset_close(&d);
  }
  free(offsets);
  free(bytes);
}

/* A file past the cache: read from the file, the same tokens, and not held in memory. */
static void check_large(void) {
  const char *path = fixture_path(folder, "large.h5");
  const int64_t n = TRM_CACHE_BYTES + (INT64_C(3) << 20) + 17, piece = 1 << 20;
  fixture f = good();
  f.tokens = NULL;
  f.train = (int64_t[]){0, n - 1000}, f.valid = (int64_t[]){n - 1000, n};
  trm_container *c = NULL;
  uint8_t *tokens = malloc((size_t)piece);
  if (!tokens) exit(1);
  CHECK_OK(trm_container_create(path, &c));
  CHECK_OK(trm_attr_write_int(c, "/", "trireme_format", 1));
  CHECK_OK(trm_attr_write_text(c, "/", "kind", "text"));
  CHECK_OK(trm_attr_write_text(c, "/", "unit", "char"));
  CHECK_OK(trm_array_write(c, "/vocab/offsets", TRM_DTYPE_I64, 1, &f.n_offsets, f.offsets));
  CHECK_OK(trm_array_write(c, "/vocab/bytes", TRM_DTYPE_U8, 1, &f.n_bytes, f.bytes));
  CHECK_OK(trm_array_write(c, "/splits/train", TRM_DTYPE_I64, 1, (int64_t[]){2}, f.train));
  CHECK_OK(trm_array_write(c, "/splits/valid", TRM_DTYPE_I64, 1, (int64_t[]){2}, f.valid));
  CHECK_OK(trm_array_create(c, "/tokens", TRM_DTYPE_U8, 1, &n));
  for (int64_t first = 0; first < n; first += piece) {
    const int64_t here = n - first < piece ? n - first : piece;
    for (int64_t i = 0; i < here; ++i) tokens[i] = (uint8_t)((first + i) / 3 % 4);
    CHECK_OK(trm_array_write_range(c, "/tokens", TRM_DTYPE_U8, first, here, tokens));
  }
  CHECK_OK(trm_container_close(&c));
  trm_dataset *d = NULL;
  const int64_t before = trm_alloc_counts_get().live_bytes;
  if (CHECK_OK(trm_dataset_open(path, &d))) {
    CHECK(trm_alloc_counts_get().live_bytes - before < 65536);
    int32_t in[64], target[64];
    CHECK_OK(trm_dataset_eval_read(d, TRM_SUBSET_TRAIN, 64, (n - 1000) / 64 - 1, 1, in, target));
    for (int64_t i = 0; i < 64; ++i) {
      CHECK_EQ(target[i], (((n - 1000) / 64 - 1) * 64 + i + 1) / 3 % 4);
    }
    trm_dataset_close(&d);
  }
  free(tokens);
}

static void check_allocations(void) {
  const char *path = fixture_path(folder, "alloc.h5");
  fixture f = good();
  fixture_write(path, &f);
  trm_dataset *d = NULL;
  int64_t n = 0;
  const int64_t live = trm_alloc_counts_get().live_blocks;
  for (;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status = trm_dataset_open(path, &d);
    trm_alloc_fail_after(-1);
    if (status == TRM_OK) break;
    CHECK_EQ(status, TRM_ERR_MEMORY);
    CHECK(d == NULL);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    if (n > 100) break;
  }
  CHECK(n > 5 && n <= 100);
  trm_dataset_close(&d);
}

static void check_describe(void) {
  const char *path = fixture_path(folder, "describe.h5");
  fixture f = good();
  fixture_write(path, &f);
  trm_dataset *d = NULL;
  static char text[4096];
  if (!CHECK_OK(trm_dataset_open(path, &d))) return;
  FILE *file = fmemopen(text, sizeof text, "w");
  if (!file) exit(1);
  CHECK_OK(trm_dataset_describe(d, file));
  fclose(file);
  char digest[32];
  snprintf(digest, sizeof digest, "%016" PRIx64, trm_dataset_digest(d));
  CHECK_HAS(text, "text, format 1");
  CHECK_HAS(text, "train                     8   80.0 %, from token 0");
  CHECK_HAS(text, "valid                     2   20.0 %, from token 8");
  CHECK_HAS(text, "4  characters: \"abcd\"");
  CHECK_HAS(text, digest);
  CHECK_HAS(text, "sample       | abcdabcd\n");
  FILE *full = fopen("/dev/full", "w");
  if (full) {
    CHECK_EQ(trm_dataset_describe(d, full), TRM_ERR_IO);
    fclose(full);
  }
  trm_dataset_close(&d);
}

int main(void) {
  folder = check_temp_folder();
  check_good();
  check_head();
  check_vocab();
  check_tokens();
  check_splits();
  check_files();
  check_digest();
  check_types(4);
  check_types(300);
  check_types(70000);
  check_large();
  check_allocations();
  check_describe();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
