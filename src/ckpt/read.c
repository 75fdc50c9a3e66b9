/* Reading checkpoint files, nothing of which is believed before its digest holds (invariant 3). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckpt_internal.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"
#include "trireme/io/seal.h"

enum { MAX_FACT_ELEMENTS = 1 << 26, SHAPE_BYTES = 128 };

static trm_status check_kind(trm_container *file) {
  char *kind = NULL;
  int64_t format = 0;
  const char *path = trm_container_path(file);
  if (!trm_attr_has(file, "/", "kind") || !trm_attr_has(file, "/", "trireme_format")) {
    return trm_fail(TRM_ERR_DATA, "%s: is not a checkpoint of Trireme", path);
  }
  trm_status status;
  TRM_TRY(trm_attr_read_text(file, "/", "kind", &kind));
  TRM_TRY_OUT(trm_attr_read_int(file, "/", "trireme_format", &format));
  if (strcmp(kind, "checkpoint") != 0) {
    status = trm_fail(TRM_ERR_DATA, "%s: is not a checkpoint, its kind is '%.40s'", path, kind);
  } else if (format != TRM_CKPT_FORMAT) {
    status = trm_fail(TRM_ERR_DATA, "%s: has checkpoint format %lld, this program reads %d", path,
                      (long long)format, TRM_CKPT_FORMAT);
  }
out:
  TRM_FREE(kind);
  return status;
}

/* Closes after reading; the reading's own failure comes first. */
static trm_status close_after(trm_container **file, trm_status status) {
  char message[TRM_MESSAGE_BYTES];
  snprintf(message, sizeof message, "%s", trm_message());
  const trm_status closed = trm_container_close(file);
  if (status == TRM_OK) return closed;
  trm_message_set(message);
  return status;
}

trm_status trm_ckpt_open(const char *path, trm_container **out) {
  trm_container *file = NULL;
  bool sealed = false;
  /* HDF5 sees no damaged byte of a sealed file. One without a seal was written anew by another
   * tool, and has the digests of its arrays and facts to stand on. */
  TRM_TRY(trm_file_seal_check(path, &sealed));
  TRM_TRY(trm_container_open(path, &file));
  const trm_status status = check_kind(file);
  if (status != TRM_OK) return close_after(&file, status);
  *out = file;
  return TRM_OK;
}

static trm_status damaged(trm_container *file, const char *name) {
  return trm_fail(TRM_ERR_DATA, "%s: '%s' is damaged: it does not give its stored digest",
                  trm_container_path(file), name);
}

/* Reads an array in pieces and checks its digest. `out` may be NULL: then `piece` takes each piece
 * in turn (invariant 4), else it is not used. */
static trm_status read_array(trm_container *file, const char *name, const trm_array_info *array,
                             void *out, unsigned char *piece, uint64_t *digest_out) {
  const int64_t bytes_each = (int64_t)trm_dtype_bytes(array->dtype);
  const int64_t piece_n = TRM_CKPT_PIECE_BYTES / bytes_each;
  uint64_t stored = 0, digest = 0;
  TRM_TRY(trm_ckpt_digest_read(file, name, "xxh3", &stored));
  int64_t done = 0;
  do {
    const int64_t rest = array->n_elements - done;
    const int64_t n = rest < piece_n ? rest : piece_n;
    unsigned char *to = out ? (unsigned char *)out + done * bytes_each : piece;
    TRM_TRY(trm_array_read_range(file, name, array->dtype, done, n, to));
    digest = trm_hash64(to, (size_t)(n * bytes_each), digest);
    done += n;
  } while (done < array->n_elements);
  if (digest != stored) return damaged(file, name);
  if (digest_out) *digest_out = digest;
  return TRM_OK;
}

/* "128 x 64" */
static const char *shape_text(int n_dims, const int64_t *dims, char text[SHAPE_BYTES]) {
  int at = 0;
  snprintf(text, SHAPE_BYTES, "a single number");
  for (int i = 0; i < n_dims && at < SHAPE_BYTES; ++i) {
    at += snprintf(text + at, (size_t)(SHAPE_BYTES - at), "%s%lld", i ? " x " : "",
                   (long long)dims[i]);
  }
  return text;
}

static trm_status read_region(trm_container *file, const trm_region *region) {
  char name[1024], there[SHAPE_BYTES], here[SHAPE_BYTES];
  trm_array_info array;
  const char *path = trm_container_path(file);
  const int n = snprintf(name, sizeof name, "/%s", region->name);
  if (n < 0 || (size_t)n >= sizeof name) {
    return trm_fail(TRM_ERR_ARG, "%s: the name of a region is too long", region->name);
  }
  if (!trm_container_has(file, name)) {
    const bool state = strncmp(region->name, "optimizer/", strlen("optimizer/")) == 0;
    return trm_fail(TRM_ERR_DATA, "%s: has no '%s': it is a checkpoint of another %s", path,
                    region->name, state ? "optimizer; set optimizer.name back" : "model");
  }
  TRM_TRY(trm_array_info_get(file, name, &array));
  bool other = false;
  TRM_TRY(trm_ckpt_axes_other(file, name, region, &other));
  bool same = array.n_dims == region->n_dims;
  for (int i = 0; same && i < region->n_dims; ++i) {
    same = array.dims[i] == region->dims[other ? 1 - i : i];
  }
  if (!same) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: '%s' is %s there and %s here: it is a checkpoint of another model", path,
                    region->name, shape_text(array.n_dims, array.dims, there),
                    shape_text(region->n_dims, region->dims, here));
  }
  if (array.dtype != TRM_DTYPE_F32) {
    return trm_fail(TRM_ERR_DATA, "%s: '%s' holds %s, not f32", path, region->name,
                    trm_dtype_name(array.dtype));
  }
  TRM_TRY(read_array(file, name, &array, region->data, NULL, NULL));
  return other ? trm_ckpt_turn(region->data, array.dims[0], array.dims[1]) : TRM_OK;
}

trm_status trm_ckpt_regions_read(trm_container *file, const trm_region *regions, int n_regions) {
  for (int i = 0; i < n_regions; ++i) TRM_TRY(read_region(file, &regions[i]));
  return TRM_OK;
}

/* An attribute of at most size - 1 bytes. */
static trm_status read_short_text(trm_container *file, const char *name, char *out, size_t size) {
  char *text = NULL;
  TRM_TRY(trm_attr_read_text(file, "/run", name, &text));
  const int n = snprintf(out, size, "%s", text);
  TRM_FREE(text);
  if (n >= 0 && (size_t)n < size) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: attribute '%s' of '/run' is too long",
                  trm_container_path(file), name);
}

static trm_status read_seed(trm_container *file, uint64_t *seed) {
  char text[32];
  TRM_TRY(read_short_text(file, "seed", text, sizeof text));
  if (text[0] == 0 || strspn(text, "0123456789") != strlen(text)) {
    return trm_fail(TRM_ERR_DATA, "%s: the seed '%s' is not a number", trm_container_path(file),
                    text);
  }
  *seed = strtoull(text, NULL, 10);
  return TRM_OK;
}

/* ---- facts ----------------------------------------------------------------------------------- */

/* Attributes of /run that every checkpoint has; the others are facts. */
static bool is_own(const char *name) {
  static const char *const names[] = {
      "step",      "seed",          "data_digest", "weights_hash", "samples_hash",    "best_value",
      "best_loss", "best_step",     "eval_step",   "config_text",  "program_version", "fingerprint",
      "n_arrays",  "arrays_digest", "digest"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    if (strcmp(name, names[i]) == 0) return true;
  }
  return false;
}

/* A walk that gathers facts. */
typedef struct gathering {
  trm_container *file;
  trm_facts *facts;
} gathering;

static trm_status bad_fact(const gathering *g, const char *name) {
  return trm_fail(TRM_ERR_DATA, "%s: '%s' is not a fact of a checkpoint",
                  trm_container_path(g->file), name);
}

static trm_status take_attr(void *context, const char *name, trm_attr_type type) {
  gathering *g = context;
  if (is_own(name)) return TRM_OK;
  if (strlen(name) >= TRM_FACT_NAME_BYTES) return bad_fact(g, name);
  if (type == TRM_ATTR_INT) {
    int64_t value;
    TRM_TRY(trm_attr_read_int(g->file, "/run", name, &value));
    return trm_facts_put_int(g->facts, name, value);
  }
  if (type != TRM_ATTR_TEXT) return bad_fact(g, name);
  char *text = NULL;
  TRM_TRY(trm_attr_read_text(g->file, "/run", name, &text));
  const trm_status status = trm_facts_put_text(g->facts, name, text);
  TRM_FREE(text);
  return status;
}

bool trm_ckpt_is_region(const char *name) {
  static const char *const groups[] = {"/model/", "/optimizer/", "/average/"};
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; ++i) {
    if (strncmp(name, groups[i], strlen(groups[i])) == 0) return true;
  }
  return false;
}

/* Names of regions and of facts that are arrays begin with a slash in the file. */
static trm_status take_array(void *context, const char *name, const trm_array_info *array) {
  gathering *g = context;
  if (trm_ckpt_is_region(name)) return TRM_OK;
  if (array->n_dims != 1 || array->n_elements > MAX_FACT_ELEMENTS || name[0] != '/' ||
      name[1] == 0 || strlen(name) > TRM_FACT_NAME_BYTES) {
    return bad_fact(g, name);
  }
  TRM_TRY(trm_facts_put_array(g->facts, name + 1, array->dtype, array->n_elements, NULL));
  const trm_fact *fact = trm_facts_find(g->facts, name + 1, TRM_FACT_ARRAY);
  return read_array(g->file, name, array, trm_fact_data(fact), NULL, NULL);
}

/* All of /run, checked, and what it says of the arrays. On failure *info may be partly filled. */
static trm_status read_info(trm_container *file, trm_ckpt_info *info, int64_t *n_arrays,
                            uint64_t *arrays_digest) {
  uint64_t stored = 0;
  /* Files from before there were facts called the value a loss. */
  const bool old = !trm_attr_has(file, "/run", "best_value");
  gathering g = {.file = file, .facts = &info->facts};
  TRM_TRY(trm_attr_read_int(file, "/run", "step", &info->step));
  TRM_TRY(read_seed(file, &info->seed));
  TRM_TRY(trm_ckpt_digest_read(file, "/run", "data_digest", &info->data_digest));
  TRM_TRY(trm_ckpt_digest_read(file, "/run", "weights_hash", &info->weights_hash));
  TRM_TRY(trm_ckpt_digest_read(file, "/run", "samples_hash", &info->samples_hash));
  TRM_TRY(trm_attr_read_real(file, "/run", old ? "best_loss" : "best_value", &info->best_value));
  TRM_TRY(trm_attr_read_int(file, "/run", "best_step", &info->best_step));
  TRM_TRY(trm_attr_read_int(file, "/run", "eval_step", &info->eval_step));
  TRM_TRY(trm_attr_read_text(file, "/run", "config_text", &info->config_text));
  TRM_TRY(trm_attr_read_text(file, "/run", "program_version", &info->program_version));
  TRM_TRY(trm_attr_read_text(file, "/run", "fingerprint", &info->fingerprint));
  TRM_TRY(trm_attr_visit(file, "/run", take_attr, &g));
  TRM_TRY(trm_container_visit(file, take_array, &g));
  TRM_TRY(trm_attr_read_int(file, "/run", "n_arrays", n_arrays));
  TRM_TRY(trm_ckpt_digest_read(file, "/run", "arrays_digest", arrays_digest));
  TRM_TRY(trm_ckpt_digest_read(file, "/run", "digest", &stored));
  if (stored != trm_ckpt_facts_digest(info, *n_arrays, *arrays_digest, !old)) {
    return damaged(file, "/run");
  }
  return TRM_OK;
}

void trm_ckpt_info_free(trm_ckpt_info *info) {
  TRM_FREE(info->config_text);
  TRM_FREE(info->program_version);
  TRM_FREE(info->fingerprint);
  trm_facts_free(&info->facts);
}

static trm_status info_read(trm_container *file, trm_ckpt_info *info, int64_t *n_arrays,
                            uint64_t *arrays_digest) {
  trm_ckpt_info found = {0};
  const trm_status status = read_info(file, &found, n_arrays, arrays_digest);
  if (status != TRM_OK) {
    trm_ckpt_info_free(&found);
    return status;
  }
  *info = found;
  return TRM_OK;
}

trm_status trm_ckpt_info_read(trm_container *file, trm_ckpt_info *info) {
  int64_t n_arrays = 0;
  uint64_t arrays_digest = 0;
  return info_read(file, info, &n_arrays, &arrays_digest);
}

trm_status trm_ckpt_read_info(const char *path, trm_ckpt_info *info) {
  trm_container *file = NULL;
  TRM_TRY(trm_ckpt_open(path, &file));
  const trm_status read = trm_ckpt_info_read(file, info);
  const trm_status status = close_after(&file, read);
  if (read == TRM_OK && status != TRM_OK) trm_ckpt_info_free(info);
  return status;
}

trm_status trm_ckpt_read_regions(const char *path, const trm_region *regions, int n_regions) {
  trm_container *file = NULL;
  TRM_TRY(trm_ckpt_open(path, &file));
  return close_after(&file, trm_ckpt_regions_read(file, regions, n_regions));
}

/* A walk over the arrays of the model. */
typedef struct listing {
  trm_ckpt_visitor visit;
  void *context;
} listing;

static trm_status list_array(void *context, const char *name, const trm_array_info *array) {
  const listing *l = context;
  if (strncmp(name, "/model/", 7) != 0) return TRM_OK;
  return l->visit(l->context, name + 1, array->n_dims, array->dims);
}

trm_status trm_ckpt_visit_model(const char *path, trm_ckpt_visitor visit, void *context) {
  trm_container *file = NULL;
  listing l = {.visit = visit, .context = context};
  TRM_TRY(trm_ckpt_open(path, &file));
  return close_after(&file, trm_container_visit(file, list_array, &l));
}

/* A walk over all arrays for verification. */
typedef struct verification {
  trm_container *file;
  unsigned char *piece; /* TRM_CKPT_PIECE_BYTES */
  int64_t n_arrays;
  uint64_t arrays_digest;
} verification;

static trm_status verify_array(void *context, const char *name, const trm_array_info *array) {
  verification *v = context;
  uint64_t digest = 0;
  TRM_TRY(read_array(v->file, name, array, NULL, v->piece, &digest));
  ++v->n_arrays;
  v->arrays_digest += trm_ckpt_entry_digest(name, array, digest);
  return TRM_OK;
}

static trm_status verify_all(verification *v) {
  trm_ckpt_info info = {0};
  int64_t n_arrays = 0;
  uint64_t arrays_digest = 0;
  TRM_TRY(info_read(v->file, &info, &n_arrays, &arrays_digest));
  trm_ckpt_info_free(&info);
  TRM_TRY(trm_container_visit(v->file, verify_array, v));
  if (v->n_arrays == n_arrays && v->arrays_digest == arrays_digest) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: is damaged: its %lld arrays are not the %lld that were written",
                  trm_container_path(v->file), (long long)v->n_arrays, (long long)n_arrays);
}

trm_status trm_ckpt_verify(const char *path) {
  verification v = {0};
  TRM_TRY(trm_ckpt_open(path, &v.file));
  trm_status status = TRM_ALLOC(&v.piece, TRM_CKPT_PIECE_BYTES, "a piece of a checkpoint");
  if (status == TRM_OK) status = verify_all(&v);
  TRM_FREE(v.piece);
  return close_after(&v.file, status);
}
