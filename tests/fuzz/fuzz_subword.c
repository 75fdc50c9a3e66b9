/* A SentencePiece model that a file brings, and texts that are cut and joined by it. Two bytes give the
 * length of the text, which comes first. */
#include "fuzz.h"
#include "trireme/core/memory.h"
#include "trireme/input/subword.h"

static void use(const trm_subword *subword, fuzz_input text) {
  int32_t *pieces = NULL, unk, bos, eos;
  int64_t n = 0, bytes;
  char *back = NULL, surface[1 << 16];
  const int64_t n_pieces = trm_subword_pieces(subword);
  trm_subword_specials(subword, &unk, &bos, &eos);
  for (int32_t i = 0; i < n_pieces; ++i) {
    (void)trm_subword_text(subword, i, &bytes);
    if (bytes <= (int64_t)sizeof surface) (void)trm_subword_surface(subword, i, surface);
  }
  const trm_status status =
      trm_subword_encode(subword, (const char *)text.data, (int64_t)text.size, &pieces, &n);
  if (status != TRM_OK) return;
  for (int64_t i = 0; i < n; ++i) {
    if (pieces[i] < 0 || pieces[i] >= n_pieces) __builtin_trap();
  }
  if (trm_subword_decode(subword, pieces, n, &back, &bytes) == TRM_OK) TRM_FREE(back);
  TRM_FREE(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  const fuzz_input text = fuzz_take_bytes(&in, fuzz_take(&in, 2));
  const int64_t blocks = fuzz_blocks();
  trm_subword *subword = NULL;
  if (trm_subword_open((const char *)in.data, (int64_t)in.size, "model", &subword) == TRM_OK) {
    use(subword, text);
    trm_subword_close(&subword);
  }
  fuzz_expect_blocks(blocks);
  return 0;
}
