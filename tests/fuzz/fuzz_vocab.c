/* Vocabularies: one that a file has, made of any arrays, and one that is learned; texts are cut by it and
 * joined again.
 *
 * A byte chooses the unit, another the way; two give the length of the text, which comes first. Of a
 * vocabulary, three bytes of special tokens follow, and its tokens, cut by bytes 0. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "trireme/core/memory.h"
#include "trireme/input/tokenizer.h"
#include "trireme/prepare/vocab_builder.h"

static const char *const units[] = {"byte", "char", "word", "symbol", "subword", "nonsense"};

static void must(bool good) {
  if (!good) abort();
}

/* Whatever is cut can be joined, and then cut again. */
static void use(const trm_vocab *vocab, fuzz_input text) {
  trm_tokenizer *tokenizer = NULL;
  trm_unknown unknown = {0};
  int32_t *tokens = NULL, *again = NULL;
  char *joined = NULL;
  int64_t n, bytes, n_again;
  must(trm_tokenizer_create(vocab, &tokenizer) == TRM_OK);
  if (trm_tokenizer_encode(tokenizer, (const char *)text.data, (int64_t)text.size, &tokens, &n,
                           &unknown) == TRM_OK) {
    for (int64_t i = 0; i < n; ++i) {
      must(tokens[i] >= 0 && tokens[i] < vocab->n);
      (void)trm_tokenizer_piece(tokenizer, tokens[i], i == 0, &bytes);
    }
    must(trm_tokenizer_decode(tokenizer, tokens, n, &joined, &bytes) == TRM_OK);
    unknown = (trm_unknown){0};
    if (trm_tokenizer_encode(tokenizer, joined, bytes, &again, &n_again, &unknown) == TRM_OK)
      TRM_FREE(again);
    TRM_FREE(joined);
    TRM_FREE(tokens);
  }
  trm_tokenizer_destroy(&tokenizer);
}

/* Writes what is to be a vocabulary, as it stands, and reads it. */
static void stored(const char *unit, fuzz_input text, fuzz_input in) {
  const char *path = fuzz_path("vocab.h5");
  static const char *const specials[] = {"unk", "bos", "eos"};
  trm_container *file = NULL;
  trm_vocab vocab = TRM_VOCAB_NONE;
  int64_t offsets[1 << 8] = {0}, n = 1;
  must(trm_container_create(path, &file) == TRM_OK);
  must(trm_attr_write_text(file, "/group", "unit", unit) == TRM_OK);
  for (int i = 0; i < 3; ++i) {
    const int id = (int8_t)fuzz_take(&in, 1);
    if (id != -1) must(trm_attr_write_int(file, "/group", specials[i], id) == TRM_OK);
  }
  unsigned char *bytes = malloc(in.size + 1);
  must(bytes != NULL);
  int64_t n_bytes = 0;
  for (size_t i = 0; i < in.size; ++i) {
    if (in.data[i] != 0) bytes[n_bytes++] = in.data[i];
    if (in.data[i] == 0 && n + 1 < (1 << 8)) offsets[n++] = n_bytes;
  }
  offsets[n++] = n_bytes;
  must(trm_array_write(file, "/group/offsets", TRM_DTYPE_I64, 1, &n, offsets) == TRM_OK);
  must(trm_array_write(file, "/group/bytes", TRM_DTYPE_U8, 1, &n_bytes, bytes) == TRM_OK);
  must(trm_container_close(&file) == TRM_OK);
  free(bytes);
  must(trm_container_open(path, &file) == TRM_OK);
  if (trm_vocab_read(file, path, "/group", &vocab) == TRM_OK) {
    use(&vocab, text);
    trm_vocab_free(&vocab);
  }
  must(trm_container_close(&file) == TRM_OK);
}

static void learned(const char *unit, uint32_t way, fuzz_input text, fuzz_input in) {
  static const char *const rules[] = {NULL, "token", "skip", "refuse"};
  trm_vocab_builder *builder = NULL;
  trm_vocab vocab = TRM_VOCAB_NONE;
  const trm_vocab_options o = {.unit = unit,
                               .min_count = way >> 1 & 3,
                               .size = way >> 3 & 1 ? 280 : 0,
                               .subword = way >> 4 & 1 ? "unigram" : "bpe",
                               .unknown = rules[way >> 5 & 3],
                               .specials = way >> 7 & 1};
  if (trm_vocab_builder_create(&o, &builder) != TRM_OK) return;
  trm_status status = TRM_OK;
  while (status == TRM_OK && in.size > 0) {
    const uint8_t *end = memchr(in.data, '\n', in.size);
    const fuzz_input line = fuzz_take_bytes(&in, end ? (size_t)(end - in.data) : in.size);
    (void)fuzz_take(&in, 1);
    status = trm_vocab_builder_add(builder, (const char *)line.data, (int64_t)line.size);
  }
  if (status == TRM_OK && trm_vocab_builder_finish(builder, &vocab) == TRM_OK) {
    use(&vocab, text);
    trm_vocab_free(&vocab);
  }
  trm_vocab_builder_destroy(&builder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  const uint32_t unit = fuzz_take(&in, 1), way = fuzz_take(&in, 1);
  const fuzz_input text = fuzz_take_bytes(&in, fuzz_take(&in, 2));
  const int64_t blocks = fuzz_blocks();
  if (way & 1) {
    learned(units[unit % 6], way, text, in);
  } else {
    stored(units[unit % 6], text, in);
  }
  fuzz_expect_blocks(blocks);
  return 0;
}
