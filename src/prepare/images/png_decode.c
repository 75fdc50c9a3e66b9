/** PNG by libpng. Errors of the library come by longjmp, and are caught in one place here. */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "image_internal.h"

enum { MESSAGE_BYTES = 128, SIZE_AT = 16 };

typedef struct png_reading {
  const trm_image_file *file;
  trm_image *image;
  int64_t at; /* bytes taken */
  trm_status status;
  png_structp png;
  png_infop info;
  jmp_buf failed;
  char message[MESSAGE_BYTES];
} png_reading;

static _Noreturn void on_error(png_structp png, png_const_charp message) {
  png_reading *r = png_get_error_ptr(png);
  (void)snprintf(r->message, sizeof r->message, "%s", message);
  longjmp(r->failed, 1);
}

/* Of parts that say nothing about pixels. */
static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void take_bytes(png_structp png, png_bytep out, size_t bytes) {
  png_reading *r = png_get_io_ptr(png);
  if (bytes > (size_t)(r->file->bytes - r->at)) png_error(png, "the file ends too early");
  memcpy(out, r->file->data + r->at, bytes);
  r->at += (int64_t)bytes;
}

static int64_t read_u32(const uint8_t *p) {
  return (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | p[3];
}

/* By the file's own bytes, before the library has its say: it knows images without pixels as damage only. */
static trm_status check_size(const trm_image_file *f) {
  trm_image nothing = {.capacity = INT64_MAX};
  if (f->bytes < SIZE_AT + 8 || memcmp(f->data + SIZE_AT - 4, "IHDR", 4) != 0) return TRM_OK;
  return trm_image_reserve(&nothing, f->path, read_u32(f->data + SIZE_AT + 4),
                           read_u32(f->data + SIZE_AT), 1, f->most_pixels);
}

/* Asks for 8 bits, and for channels that are colours. @return the number of channels, with alpha */
static int ask_for_bytes(png_reading *r) {
  png_set_expand(r->png); /* palettes, fewer bits, a transparent colour */
  png_set_scale_16(r->png);
  const int passes = png_set_interlace_handling(r->png);
  png_read_update_info(r->png, r->info);
  return passes;
}

/* May be left by longjmp: all it holds is in *r. */
static void read_pixels(png_reading *r) {
  const trm_image_file *f = r->file;
  png_set_read_fn(r->png, r, take_bytes);
  png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* check_size has looked */
  png_read_info(r->png, r->info);
  const int passes = ask_for_bytes(r);
  const int64_t height = png_get_image_height(r->png, r->info);
  const int64_t width = png_get_image_width(r->png, r->info);
  const int64_t channels = png_get_channels(r->png, r->info);
  r->status = trm_image_reserve(r->image, f->path, height, width, channels, f->most_pixels);
  if (r->status != TRM_OK) return;
  for (int pass = 0; pass < passes; ++pass) {
    for (int64_t i = 0; i < height; ++i) {
      png_read_row(r->png, r->image->pixels + i * width * channels, NULL);
    }
  }
  png_read_end(r->png, NULL);
}

/* The one place that longjmp comes back to. False: r->message says why. */
static bool read_guarded(png_reading *r) {
  if (setjmp(r->failed) != 0) return false;
  r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
  if (r->png) r->info = png_create_info_struct(r->png);
  if (!r->info) {
    r->status = trm_fail(TRM_ERR_MEMORY, "%s: no memory for decoding it", r->file->path);
    return true;
  }
  read_pixels(r);
  return true;
}

/* The last channel goes, unless it tells of something and is to be kept. */
static trm_status take_alpha_off(const trm_image_file *f, trm_image *image) {
  const int64_t n = image->height * image->width, all = image->channels, kept = all - 1;
  bool opaque = true;
  for (int64_t i = 0; i < n; ++i) opaque = opaque && image->pixels[i * all + kept] == 255;
  if (!opaque && !f->drop_alpha) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: has transparent pixels; put it on a background, or take the colours "
                    "beneath by --alpha drop",
                    f->path);
  }
  for (int64_t i = 0; i < n; ++i) {
    memmove(image->pixels + i * kept, image->pixels + i * all, (size_t)kept);
  }
  image->channels = kept;
  image->lost_alpha = !opaque;
  return TRM_OK;
}

trm_status trm_png_decode(const trm_image_file *file, trm_image *image) {
  png_reading r = {.file = file, .image = image};
  TRM_TRY(check_size(file));
  const bool finished = read_guarded(&r);
  png_destroy_read_struct(&r.png, &r.info, NULL);
  if (!finished) {
    return trm_fail(TRM_ERR_DATA, "%s: is damaged: %s (PNG); make it again, or leave it out",
                    file->path, r.message);
  }
  if (r.status != TRM_OK) return r.status;
  return image->channels % 2 == 0 ? take_alpha_off(file, image) : TRM_OK;
}
