/* Folders and paths. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io_internal.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"

/* Makes one folder; one that is there already is fine. `whole` is the path asked for. Its name is brought
 * to disk, or a power cut would take what was synced in it; a parent that only lets write into it cannot
 * be opened for that. */
static trm_status make_one(const char *path, const char *whole) {
  struct stat facts;
  if (trm_io_mkdir(path, 0777) == 0) {
    if (trm_io_fsync_parent(path) == 0 || errno == EACCES) return TRM_OK;
    return trm_io_fail(whole, "the folder cannot be brought to disk");
  }
  const int error = errno;
  if (stat(path, &facts) == 0) {
    if (S_ISDIR(facts.st_mode)) return TRM_OK;
    return trm_fail(TRM_ERR_IO, "%s: cannot be made: %s is a file, not a folder", whole, path);
  }
  errno = error;
  return trm_io_fail(whole, "the folder cannot be made");
}

trm_status trm_folder_make(const char *path) {
  char part[PATH_MAX];
  const size_t n = strlen(path);
  if (n == 0) return trm_fail(TRM_ERR_IO, "the name of a folder is empty");
  if (n >= sizeof part) return trm_fail(TRM_ERR_IO, "%s: the path is too long", path);
  for (size_t i = 1; i <= n; ++i) {
    const bool ends_a_name = (path[i] == '/' || path[i] == 0) && path[i - 1] != '/';
    if (!ends_a_name) continue;
    memcpy(part, path, i);
    part[i] = 0;
    TRM_TRY(make_one(part, path));
  }
  return TRM_OK;
}

bool trm_path_exists(const char *path) {
  struct stat facts;
  return stat(path, &facts) == 0;
}

static bool name_matches(const char *name, const char *prefix, const char *suffix) {
  const size_t n = strlen(name), n_prefix = strlen(prefix), n_suffix = strlen(suffix);
  return n >= n_prefix + n_suffix && strncmp(name, prefix, n_prefix) == 0 &&
         strcmp(name + n - n_suffix, suffix) == 0;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One pass over the folder: counts the matching names and their bytes, and, when `block` is given,
 * writes up to max_names of them: pointers first, texts behind. */
static trm_status scan(const char *path, const char *prefix, const char *suffix, char **block,
                       int64_t max_names, int64_t max_bytes, int64_t *n_names, int64_t *n_bytes) {
  DIR *folder = opendir(path);
  if (!folder) return trm_io_fail(path, "the folder cannot be opened");
  char *text = block ? (char *)(block + max_names) : NULL;
  trm_status status = TRM_OK;
  *n_names = *n_bytes = 0;
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(folder);
    if (!entry) break;
    if (!name_matches(entry->d_name, prefix, suffix)) continue;
    const int64_t bytes = (int64_t)strlen(entry->d_name) + 1;
    if (block) {
      /* What appeared since the first pass is left for the next listing. */
      if (*n_names == max_names || *n_bytes + bytes > max_bytes) continue;
      block[*n_names] = text + *n_bytes;
      memcpy(block[*n_names], entry->d_name, (size_t)bytes);
    }
    ++*n_names;
    *n_bytes += bytes;
  }
  if (errno != 0) status = trm_io_fail(path, "the folder cannot be read");
  if (closedir(folder) < 0 && status == TRM_OK) {
    status = trm_io_fail(path, "the folder cannot be closed");
  }
  return status;
}

trm_status trm_folder_list(const char *path, const char *prefix, const char *suffix, char ***names,
                           int *n_names) {
  char **block = NULL;
  int64_t n = 0, bytes = 0;
  trm_status status;
  TRM_TRY(scan(path, prefix, suffix, NULL, 0, 0, &n, &bytes));
  if (n > INT_MAX) return trm_fail(TRM_ERR_IO, "%s: has too many files", path);
  const int64_t pointer_bytes = n * (int64_t)sizeof *block;
  TRM_TRY(trm_alloc_bytes((void **)&block, pointer_bytes + bytes, 1, "a listing of a folder"));
  TRM_TRY_OUT(scan(path, prefix, suffix, block, n, bytes, &n, &bytes));
  if (n > 0) qsort(block, (size_t)n, sizeof *block, compare_names);
  *names = block;
  *n_names = (int)n;
  block = NULL;
out:
  TRM_FREE(block);
  return status;
}

trm_status trm_path_join(char *out, size_t size, const char *folder, const char *name) {
  const size_t n_folder = strlen(folder);
  const bool has_slash = n_folder > 0 && folder[n_folder - 1] == '/';
  const int n = snprintf(out, size, "%s%s%s", folder, n_folder == 0 || has_slash ? "" : "/", name);
  if (n < 0 || (size_t)n >= size) {
    return trm_fail(TRM_ERR_IO, "%s/%s: the path is too long", folder, name);
  }
  return TRM_OK;
}
