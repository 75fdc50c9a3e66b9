/** JPEG by libjpeg. Errors of the library come by longjmp, and are caught in one place here. */
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Needs size_t and FILE before it. */
#include <jerror.h>
#include <jpeglib.h>

#include "image_internal.h"

typedef struct jpeg_reading {
  const trm_image_file *file;
  trm_image *image;
  trm_status status;
  struct jpeg_decompress_struct d;
  struct jpeg_error_mgr errors;
  jmp_buf failed;
  char message[JMSG_LENGTH_MAX];
} jpeg_reading;

static _Noreturn void on_error(j_common_ptr d) {
  jpeg_reading *r = d->client_data;
  d->err->format_message(d, r->message);
  longjmp(r->failed, 1);
}

/* Warnings after which every pixel is what its maker meant. */
static bool is_harmless(int code) {
  return code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM ||
         code == JWRN_TOO_MUCH_DATA;
}

/* The library goes on after damage, and makes pixels up; that is an error here. */
static void on_message(j_common_ptr d, int level) {
  if (level < 0 && !is_harmless(d->err->msg_code)) on_error(d);
}

static void on_output(j_common_ptr d) {
  (void)d;
}

static trm_status check_colours(const jpeg_reading *r) {
  const int n = r->d.num_components;
  if (n == 1 || n == 3) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: has %d colour channels (for printing, CMYK); make it grey or RGB",
                  r->file->path, n);
}

/* May be left by longjmp: all it holds is in *r. */
static void read_pixels(jpeg_reading *r) {
  const trm_image_file *f = r->file;
  struct jpeg_decompress_struct *d = &r->d;
  jpeg_create_decompress(d);
  d->client_data = r;
  jpeg_mem_src(d, f->data, (unsigned long)f->bytes);
  (void)jpeg_read_header(d, TRUE);
  r->status = check_colours(r);
  if (r->status != TRM_OK) return;
  d->out_color_space = d->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  d->dct_method = JDCT_ISLOW; /* whole numbers: the same pixels everywhere */
  r->status = trm_image_reserve(r->image, f->path, d->image_height, d->image_width,
                                d->num_components, f->most_pixels);
  if (r->status != TRM_OK) return;
  (void)jpeg_start_decompress(d);
  while (d->output_scanline < d->output_height) {
    JSAMPROW row =
        r->image->pixels + (int64_t)d->output_scanline * r->image->width * r->image->channels;
    (void)jpeg_read_scanlines(d, &row, 1);
  }
  (void)jpeg_finish_decompress(d);
}

/* The one place that longjmp comes back to. False: r->message says why. */
static bool read_guarded(jpeg_reading *r) {
  if (setjmp(r->failed) != 0) return false;
  read_pixels(r);
  return true;
}

trm_status trm_jpeg_decode(const trm_image_file *file, trm_image *image) {
  jpeg_reading r = {.file = file, .image = image};
  r.d.err = jpeg_std_error(&r.errors);
  r.d.client_data = &r;
  r.errors.error_exit = on_error;
  r.errors.emit_message = on_message;
  r.errors.output_message = on_output;
  const bool finished = read_guarded(&r);
  jpeg_destroy_decompress(&r.d);
  if (!finished) {
    return trm_fail(TRM_ERR_DATA, "%s: is damaged: %s (JPEG); make it again, or leave it out",
                    file->path, r.message);
  }
  return r.status;
}
