/*
 * Weights for other programs.
 *
 * safetensors: the length of a header (8 bytes, little endian), the header (JSON: dtype, shape and byte
 * range of each array), the arrays one behind the other. Source: its README, "Format".
 * npz: a zip file of files .npy, stored. Sources: NumPy's NEP 1; PKWARE's APPNOTE, sections 4.3 and 4.4.
 */
#include "trireme/train/export.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "average.h"
#include "rundir.h"
#include "trireme/ckpt/ckpt.h"
#include "trireme/core/json.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/io/output.h"
#include "trireme/train/train.h"

static const char mark[] = "\"trireme\""; /* key of our metadata, in both */
static const char note_name[] = "__trireme__.npy";

typedef struct work {
  const trm_export_options *options;
  char path[TRM_PATH_BYTES];
  trm_ckpt_info info;
  trm_region *regions; /* sorted by name; owned, as what follows */
  char *names;
  int n;
  float *values;
  FILE *file;
  uint64_t at; /* bytes written */
} work;

/* ---- the checkpoint -------------------------------------------------------------------------- */

static int64_t elements_of(const trm_region *row) {
  int64_t n = 1;
  for (int i = 0; i < row->n_dims; ++i) n *= row->dims[i];
  return n;
}

/* Without the group. */
static const char *name_of(const trm_region *row) {
  return strchr(row->name, '/') + 1;
}

static trm_status read_checkpoint(work *w) {
  const trm_export_options *o = w->options;
  bool stale;
  trm_log log;
  int64_t n_elements = 0;
  trm_log_init(&log, stderr);
  TRM_TRY(trm_checkpoint_resolve(o->run, o->best, w->path, sizeof w->path, &log));
  TRM_TRY(trm_ckpt_read_info(w->path, &w->info));
  const bool average = !o->raw && trm_average_in(&w->info.facts, &stale);
  if (average && stale) trm_average_warn_stale(&log, w->path);
  TRM_TRY(
      trm_ckpt_list_regions(w->path, average ? "average" : "model", &w->regions, &w->names, &w->n));
  for (int i = 0; i < w->n; ++i) n_elements += elements_of(&w->regions[i]);
  TRM_TRY(TRM_ALLOC(&w->values, n_elements, "weights of a checkpoint"));
  float *to = w->values;
  for (int i = 0; i < w->n; ++i) {
    w->regions[i].data = to;
    to += elements_of(&w->regions[i]);
  }
  return trm_ckpt_read_regions(w->path, w->regions, w->n);
}

static void put(work *w, const void *data, size_t bytes) {
  (void)fwrite(data, 1, bytes, w->file); /* memory; what failed shows at its end */
  w->at += bytes;
}

static void put_le(work *w, uint64_t value, int bytes) {
  unsigned char text[8];
  for (int i = 0; i < bytes; ++i) text[i] = (unsigned char)(value >> (8 * i));
  put(w, text, (size_t)bytes);
}

/* What is said beside the weights. */
static void write_note(const work *w, FILE *file) {
  (void)fprintf(file, "{\"format\": \"pt\", %s: ", mark);
  trm_json_text(file, w->info.program_version);
  (void)fprintf(file, ", \"step\": \"%" PRId64 "\", \"config\": ", w->info.step);
  trm_json_text(file, w->info.config_text);
  (void)fputc('}', file);
}

/* ---- safetensors ----------------------------------------------------------------------------- */

static void write_header(const work *w, FILE *file) {
  int64_t at = 0;
  (void)fputs("{\"__metadata__\": ", file);
  write_note(w, file);
  for (int i = 0; i < w->n; ++i) {
    const trm_region *row = &w->regions[i];
    (void)fputs(", ", file);
    trm_json_text(file, name_of(row));
    (void)fputs(": {\"dtype\": \"F32\", \"shape\": [", file);
    for (int d = 0; d < row->n_dims; ++d) {
      (void)fprintf(file, "%s%" PRId64, d ? ", " : "", row->dims[d]);
    }
    const int64_t end = at + 4 * elements_of(row);
    (void)fprintf(file, "], \"data_offsets\": [%" PRId64 ", %" PRId64 "]}", at, end);
    at = end;
  }
  (void)fputc('}', file);
}

static trm_status write_safetensors(work *w) {
  char *text = NULL;
  size_t bytes = 0;
  FILE *header = open_memstream(&text, &bytes);
  if (!header) return trm_fail(TRM_ERR_MEMORY, "no memory for the header of an export");
  write_header(w, header);
  if (fclose(header) != 0) {
    free(text);
    return trm_fail(TRM_ERR_MEMORY, "no memory for the header of an export");
  }
  const size_t padding = (8 - bytes % 8) % 8;
  put_le(w, bytes + padding, 8);
  put(w, text, bytes);
  put(w, "        ", padding);
  for (int i = 0; i < w->n; ++i) {
    put(w, w->regions[i].data, (size_t)elements_of(&w->regions[i]) * sizeof(float));
  }
  free(text);
  return TRM_OK;
}

/* ---- npz ------------------------------------------------------------------------------------- */

/* CRC-32 of zip files, bit by bit from a table of 16: the file is written once, by the disk's speed. */
static uint32_t crc32_of(const void *data, size_t n, uint32_t crc) {
  static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                     0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                     0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                     0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  const unsigned char *p = data;
  crc = ~crc;
  for (size_t i = 0; i < n; ++i) {
    crc = table[(crc ^ p[i]) & 15] ^ (crc >> 4);
    crc = table[(crc ^ (uint32_t)(p[i] >> 4)) & 15] ^ (crc >> 4);
  }
  return ~crc;
}

/* A file in the zip: where it begins, and its entry in the directory at the end. */
typedef struct entry {
  char name[TRM_PATH_BYTES];
  uint64_t at, bytes;
  uint32_t crc;
} entry;

/* Fields that both headers have: version, flags, method, time and date (1980-01-01), checksum, sizes. */
static void put_fields(work *w, const entry *e) {
  put_le(w, 20, 2);
  put_le(w, 0x0800, 2); /* names are UTF-8 */
  put_le(w, 0, 2);      /* stored */
  put_le(w, 0, 2);
  put_le(w, 0x0021, 2);
  put_le(w, e->crc, 4);
  put_le(w, e->bytes, 4);
  put_le(w, e->bytes, 4);
  put_le(w, strlen(e->name), 2);
}

/* A file .npy of `head` and then data, as one entry. */
static void put_entry(work *w, entry *e, const char *head, size_t n_head, const void *data,
                      size_t n_data) {
  e->at = w->at;
  e->bytes = n_head + n_data;
  e->crc = crc32_of(data, n_data, crc32_of(head, n_head, 0));
  put_le(w, 0x04034b50, 4);
  put_fields(w, e);
  put_le(w, 0, 2);
  put(w, e->name, strlen(e->name));
  put(w, head, n_head);
  put(w, data, n_data);
}

/* Magic, version 1.0, length, a dictionary, blanks up to 64 bytes; text[256]. */
static size_t npy_head(const char *dtype, int n_dims, const int64_t *dims, char *text) {
  char shape[128] = "";
  int n = 0;
  for (int d = 0; d < n_dims; ++d) {
    n += snprintf(shape + n, sizeof shape - (size_t)n, "%" PRId64 ", ", dims[d]);
  }
  n = snprintf(text + 10, 240, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype,
               shape);
  while ((10 + n + 1) % 64 != 0) text[10 + n++] = ' ';
  text[10 + n++] = '\n';
  memcpy(text, "\x93NUMPY\x01\x00", 8);
  text[8] = (char)(n & 255);
  text[9] = (char)(n >> 8);
  return (size_t)(10 + n);
}

static void put_directory(work *w, const entry *entries, int n) {
  const uint64_t begin = w->at;
  for (int i = 0; i < n; ++i) {
    put_le(w, 0x02014b50, 4);
    put_le(w, 20, 2);
    put_fields(w, &entries[i]);
    put_le(w, 0, 8); /* extra and comment, disk, attributes */
    put_le(w, 0, 4);
    put_le(w, entries[i].at, 4);
    put(w, entries[i].name, strlen(entries[i].name));
  }
  const uint64_t bytes = w->at - begin;
  put_le(w, 0x06054b50, 4);
  put_le(w, 0, 4);
  put_le(w, (uint64_t)n, 2);
  put_le(w, (uint64_t)n, 2);
  put_le(w, bytes, 4);
  put_le(w, begin, 4);
  put_le(w, 0, 2);
}

static trm_status put_entries(work *w, entry *entries) {
  char head[256], *note = NULL;
  size_t bytes = 0;
  FILE *file = open_memstream(&note, &bytes);
  if (!file) return trm_fail(TRM_ERR_MEMORY, "no memory for an export");
  write_note(w, file);
  if (fclose(file) != 0) {
    free(note);
    return trm_fail(TRM_ERR_MEMORY, "no memory for an export");
  }
  const int64_t n_note = (int64_t)bytes;
  (void)snprintf(entries[0].name, sizeof entries[0].name, "%s", note_name);
  put_entry(w, &entries[0], head, npy_head("|u1", 1, &n_note, head), note, bytes);
  free(note);
  for (int i = 0; i < w->n; ++i) {
    const trm_region *row = &w->regions[i];
    entry *e = &entries[1 + i];
    (void)snprintf(e->name, sizeof e->name, "%s.npy", name_of(row));
    put_entry(w, e, head, npy_head("<f4", row->n_dims, row->dims, head), row->data,
              (size_t)elements_of(row) * sizeof(float));
  }
  return TRM_OK;
}

static trm_status write_npz(work *w) {
  entry *entries = NULL;
  int64_t n_elements = 0;
  for (int i = 0; i < w->n; ++i) n_elements += elements_of(&w->regions[i]);
  if (n_elements > (INT64_C(1) << 30) - (1 << 24) || w->n > 65000) {
    return trm_fail(TRM_ERR_USAGE,
                    "export: %s: more than 4 GiB or 65,000 arrays, which a plain zip file has no "
                    "room for; write .safetensors",
                    w->options->output);
  }
  TRM_TRY(TRM_ALLOC(&entries, w->n + 1, "names of arrays"));
  const trm_status status = put_entries(w, entries);
  if (status == TRM_OK) put_directory(w, entries, w->n + 1);
  TRM_FREE(entries);
  return status;
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end) {
  const size_t n = strlen(text), n_end = strlen(end);
  return n > n_end && strcmp(text + n - n_end, end) == 0;
}

static bool is_export(const char *path) {
  return trm_file_begins_with(path, mark) &&
         (trm_file_begins_with(path, "__metadata__") || trm_file_begins_with(path, note_name));
}

static trm_status write_file(work *w, const char *path, bool npz) {
  char temporary[TRM_PATH_BYTES];
  TRM_TRY(trm_file_temporary(path, temporary, sizeof temporary));
  w->file = fopen(temporary, "wbe");
  if (!w->file) return trm_fail(TRM_ERR_IO, "%s: cannot be written", path);
  trm_file_remove_at_signal(temporary);
  trm_status status = npz ? write_npz(w) : write_safetensors(w);
  const bool bad = ferror(w->file) != 0;
  if ((fclose(w->file) != 0 || bad) && status == TRM_OK) {
    status = trm_fail(TRM_ERR_IO, "%s: cannot be written; is the disk full?", path);
  }
  if (status == TRM_OK) {
    status = trm_file_publish(temporary, path);
  } else {
    char message[TRM_MESSAGE_BYTES];
    (void)snprintf(message, sizeof message, "%s", trm_message());
    (void)trm_file_remove(temporary); /* the first failure counts */
    trm_message_set(message);
  }
  trm_file_remove_at_signal(NULL);
  return status;
}

trm_status trm_export_run(const trm_export_options *options, trm_export_result *result) {
  work w = {.options = options};
  trm_status status = TRM_OK;
  const bool npz = ends_with(options->output, ".npz");
  const char *const inputs[] = {options->run};
  const trm_output_rule rule = {.command = "export",
                                .made = is_export,
                                .force = options->force,
                                .inputs = inputs,
                                .n_inputs = 1};
  if (!npz && !ends_with(options->output, ".safetensors")) {
    return trm_fail(TRM_ERR_USAGE, "export: -o %s: name a file that ends with .safetensors or .npz",
                    options->output);
  }
  TRM_TRY(trm_output_check(&rule, options->output));
  TRM_TRY_OUT(read_checkpoint(&w));
  TRM_TRY_OUT(write_file(&w, options->output, npz));
  *result = (trm_export_result){.step = w.info.step, .n_arrays = w.n};
  for (int i = 0; i < w.n; ++i) result->n_elements += elements_of(&w.regions[i]);
out:
  trm_ckpt_info_free(&w.info);
  TRM_FREE(w.regions);
  TRM_FREE(w.names);
  TRM_FREE(w.values);
  return status;
}
