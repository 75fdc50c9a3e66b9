/* What regions a file has, for who does not know the model, and files that are no part of a run. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ckpt_internal.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/io/output.h"

/* A walk that counts regions, or takes them where there is room for all. */
typedef struct listing {
  trm_container *file;
  const char *path, *group;
  trm_region *rows; /* NULL: count */
  char *names;
  int64_t n, names_bytes, data_bytes;
} listing;

static bool in_group(const listing *l, const char *name) {
  const size_t n = strlen(l->group);
  return name[0] == '/' && strncmp(name + 1, l->group, n) == 0 && name[1 + n] == '/';
}

static trm_status take(void *context, const char *name, const trm_array_info *array) {
  listing *l = context;
  if (!in_group(l, name)) return TRM_OK;
  const int64_t bytes = (int64_t)strlen(name);
  if (array->dtype != TRM_DTYPE_F32 || array->n_dims < 1 || array->n_dims > 4) {
    return trm_fail(TRM_ERR_DATA, "%s: '%s' is no array of weights", l->path, name);
  }
  if (l->rows) {
    trm_region *row = &l->rows[l->n];
    *row = (trm_region){.name = l->names + l->names_bytes, .n_dims = array->n_dims};
    memcpy(l->names + l->names_bytes, name + 1, (size_t)bytes);
    for (int i = 0; i < array->n_dims; ++i) row->dims[i] = array->dims[i];
    TRM_TRY(trm_ckpt_axes_read(l->file, name, &row->axes));
  }
  ++l->n;
  l->names_bytes += bytes; /* without the slash, with a 0 */
  if (array->n_elements > INT64_MAX / 8 - l->data_bytes / 4)
    l->data_bytes = INT64_MAX / 2;
  else
    l->data_bytes += 4 * array->n_elements;
  return TRM_OK;
}

/* More than the file holds are none that were written. */
static trm_status check_bytes(const listing *l) {
  struct stat facts;
  if (stat(l->path, &facts) == 0 && l->data_bytes <= facts.st_size) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: is damaged: its arrays are larger than the file", l->path);
}

static trm_status list(trm_container *file, listing *l) {
  l->file = file;
  TRM_TRY(trm_container_visit(file, take, l));
  TRM_TRY(check_bytes(l));
  if (l->n == 0) {
    return trm_fail(TRM_ERR_DATA, "%s: has no arrays below '%s'", l->path, l->group);
  }
  trm_region *rows = NULL;
  char *names = NULL;
  trm_status status = TRM_ALLOC(&rows, l->n, "regions of a checkpoint");
  if (status == TRM_OK) status = TRM_ALLOC(&names, l->names_bytes, "regions of a checkpoint");
  l->rows = rows;
  l->names = names;
  l->n = l->names_bytes = l->data_bytes = 0;
  return status == TRM_OK ? trm_container_visit(file, take, l) : status;
}

trm_status trm_ckpt_list_regions(const char *path, const char *group, trm_region **regions,
                                 char **names, int *n) {
  trm_container *file = NULL;
  listing l = {.path = path, .group = group};
  TRM_TRY(trm_ckpt_open(path, &file));
  trm_status status = list(file, &l);
  const trm_status closed = trm_container_close(&file);
  if (status == TRM_OK) status = closed;
  if (status == TRM_OK && l.n > INT_MAX)
    status = trm_fail(TRM_ERR_DATA, "%s: too many arrays", path);
  if (status != TRM_OK) {
    TRM_FREE(l.rows);
    TRM_FREE(l.names);
    return status;
  }
  *regions = l.rows;
  *names = l.names;
  *n = (int)l.n;
  return TRM_OK;
}

trm_status trm_ckpt_publish(const char *path, const trm_ckpt_info *info, const trm_region *regions,
                            int n_regions) {
  char temporary[PATH_MAX];
  TRM_TRY(trm_file_temporary(path, temporary, sizeof temporary));
  TRM_TRY(trm_file_check_target(path));
  TRM_TRY(trm_ckpt_write(temporary, info, regions, n_regions));
  return trm_file_publish(temporary, path);
}
