#include "picture.h"

#include <string.h>

enum { MOST_PIXELS = 64, HEAD_BYTES = 54, ROW_BYTES = (3 * MOST_PIXELS + 3) / 4 * 4 };

void trm_base64_write(const uint8_t *data, int64_t n, FILE *file) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int64_t i = 0; i < n; i += 3) {
    const int64_t left = n - i;
    const uint32_t word = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                          (left > 2 ? data[i + 2] : 0);
    (void)fputc(digits[word >> 18], file);
    (void)fputc(digits[word >> 12 & 63], file);
    (void)fputc(left > 1 ? digits[word >> 6 & 63] : '=', file);
    (void)fputc(left > 2 ? digits[word & 63] : '=', file);
  }
}

static void put_u32(uint8_t *at, int64_t value) {
  for (int k = 0; k < 4; ++k) at[k] = (uint8_t)(value >> (8 * k));
}

/* The head of a bitmap of 24 bits a pixel, rows from the bottom up. */
static void put_head(uint8_t *head, int64_t width, int64_t height, int64_t bytes) {
  memset(head, 0, HEAD_BYTES);
  head[0] = 'B';
  head[1] = 'M';
  put_u32(head + 2, HEAD_BYTES + bytes);
  put_u32(head + 10, HEAD_BYTES);
  put_u32(head + 14, 40);
  put_u32(head + 18, width);
  put_u32(head + 22, height);
  head[26] = 1;
  head[28] = 24;
  put_u32(head + 34, bytes);
}

void trm_picture_write(const trm_images *images, int64_t i, FILE *file) {
  uint8_t bitmap[HEAD_BYTES + ROW_BYTES * MOST_PIXELS] = {0};
  const int64_t C = images->channels, H = images->height, W = images->width;
  const int64_t longer = H > W ? H : W, every = (longer + MOST_PIXELS - 1) / MOST_PIXELS;
  const int64_t height = (H + every - 1) / every, width = (W + every - 1) / every;
  const int64_t row_bytes = (3 * width + 3) / 4 * 4;
  put_head(bitmap, width, height, row_bytes * height);
  for (int64_t y = 0; y < height; ++y) {
    uint8_t *row = bitmap + HEAD_BYTES + (height - 1 - y) * row_bytes;
    for (int64_t x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) { /* blue, green, red */
        const int64_t channel = C == 1 ? 0 : 2 - c < C ? 2 - c : C - 1;
        row[3 * x + c] = images->pixels[((i * C + channel) * H + y * every) * W + x * every];
      }
    }
  }
  (void)fprintf(file, "data:image/bmp;base64,");
  trm_base64_write(bitmap, HEAD_BYTES + row_bytes * height, file);
}
