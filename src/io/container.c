/* Containers: set-up of HDF5, opening, closing, paths inside a file. See container_internal.h. */
#include "trireme/io/container.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container_internal.h"
#include "io_internal.h"
#include "trireme/core/memory.h"

/* HDF5 has global state of its own, so its lock is global too: one of the exceptions to "no global
 * variables". */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_set_up;

enum {
  RESERVE_BYTES = 16 << 10, /* more than the structures of one array or attribute take */
  OBJECTS_IN_FILES = H5F_OBJ_DATASET | H5F_OBJ_GROUP | H5F_OBJ_DATATYPE | H5F_OBJ_ATTR
};

void trm_h5_lock(void) {
  const int locked = pthread_mutex_lock(&lock);
  TRM_ASSERT(locked == 0);
  if (!is_set_up) {
    /* At exit HDF5 would flush again what a full disk refused, and crash or change our exit code.
     * (It fails only when somebody has asked for it already.) */
    (void)H5dont_atexit();
    /* Plug-ins are off so that neither the environment nor a file makes us load code. */
    const bool good = H5open() >= 0 && H5PLset_loading_state(0) >= 0;
    TRM_ASSERT(good);
    is_set_up = true;
  }
  /* Each thread has an error stack; printing is off, we make one line of it. */
  const herr_t silenced = H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  TRM_ASSERT(silenced >= 0);
}

void trm_h5_unlock(void) {
  const int unlocked = pthread_mutex_unlock(&lock);
  TRM_ASSERT(unlocked == 0);
}

/* Files are closed with every object in them, and written so that HDF5 1.8 can read them. */
static hid_t access_properties(void) {
  const hid_t properties = H5Pcreate(H5P_FILE_ACCESS);
  if (properties < 0) return properties;
  if (H5Pset_fclose_degree(properties, H5F_CLOSE_STRONG) < 0 ||
      H5Pset_libver_bounds(properties, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110) < 0 ||
      H5Pset_cache(properties, 0, TRM_H5_CACHE_SLOTS, TRM_H5_CACHE_BYTES, TRM_H5_CACHE_BIAS) < 0) {
    H5Pclose(properties);
    return -1;
  }
  return properties;
}

static trm_status container_new(const char *path, bool writable, trm_container **out) {
  trm_container *c = NULL;
  const int64_t path_bytes = (int64_t)strlen(path) + 1;
  TRM_TRY(TRM_ALLOC(&c, 1, "a container"));
  const trm_status status = TRM_ALLOC(&c->path, path_bytes, "the path of a container");
  if (status != TRM_OK) {
    TRM_FREE(c);
    return status;
  }
  memcpy(c->path, path, (size_t)path_bytes);
  c->file = -1;
  c->array.dataset = -1;
  c->writable = writable;
  *out = c;
  return TRM_OK;
}

static void container_free(trm_container *c) {
  TRM_FREE(c->path);
  TRM_FREE(c);
}

/* Looks for the signature where the format allows it: at 0, 512, 1024, 2048, ... */
static bool has_signature(int fd, int64_t file_bytes) {
  static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  for (int64_t at = 0; at + 8 <= file_bytes; at = at == 0 ? 512 : 2 * at) {
    unsigned char found[8];
    if (pread(fd, found, sizeof found, at) != (ssize_t)sizeof found) return false;
    if (memcmp(found, signature, sizeof found) == 0) return true;
  }
  return false;
}

/* Says what is wrong with a file before HDF5, whose messages are for its authors, gets to see it. */
static trm_status examine(const char *path, int64_t *file_bytes) {
  const int fd = trm_io_open(path, O_RDONLY | O_NONBLOCK, 0);
  if (fd < 0) {
    if (errno == ENOENT) return trm_fail(TRM_ERR_MISSING, "%s: no such file", path);
    return trm_io_fail(path, "cannot be opened");
  }
  trm_status status = TRM_OK;
  struct stat facts;
  if (fstat(fd, &facts) < 0) {
    status = trm_io_fail(path, "cannot be examined");
  } else if (S_ISDIR(facts.st_mode)) {
    status = trm_fail(TRM_ERR_IO, "%s: is a folder, an HDF5 file is needed", path);
  } else if (!S_ISREG(facts.st_mode)) {
    status = trm_fail(TRM_ERR_IO, "%s: is not a regular file", path);
  } else if (facts.st_size == 0) {
    status = trm_fail(TRM_ERR_DATA, "%s: is empty, an HDF5 file is needed", path);
  } else if (!has_signature(fd, (int64_t)facts.st_size)) {
    status = trm_fail(TRM_ERR_DATA, "%s: is not an HDF5 file", path);
  } else {
    *file_bytes = (int64_t)facts.st_size;
  }
  close(fd);
  return status;
}

/* Marks that a file of the newer formats carries while it is written, and after a writer that crashed. */
static bool says(const trm_h5_reason *reason, const char *part) {
  return strstr(reason->text, part) != NULL;
}

/* What H5Fopen found, put in words. */
static trm_status fail_open(const char *path, int64_t file_bytes) {
  const trm_h5_reason reason = trm_h5_reason_get();
  char text[TRM_IO_ERROR_BYTES];
  if (reason.error == EAGAIN) {
    return trm_fail(TRM_ERR_IO,
                    "%s: is locked: another program has it open for writing; close it there, or "
                    "set HDF5_USE_FILE_LOCKING=FALSE if you are sure",
                    path);
  }
  if (reason.error == ENOLCK || reason.error == ENOSYS || reason.error == 524) {
    return trm_fail(TRM_ERR_IO,
                    "%s: its file system has no locks (errno %d); set HDF5_USE_FILE_LOCKING=FALSE",
                    path, reason.error);
  }
  if (reason.error != 0) {
    return trm_fail(TRM_ERR_IO, "%s: cannot be opened: %s", path,
                    trm_io_error_text(reason.error, text));
  }
  if (reason.expected_bytes > 0) {
    return trm_fail(TRM_ERR_DATA, "%s: is truncated: it is %lld bytes, its header says %lld", path,
                    (long long)file_bytes, (long long)reason.expected_bytes);
  }
  if (says(&reason, "already open")) {
    return trm_fail(TRM_ERR_IO,
                    "%s: is marked as open for writing: a program is writing it, or ended without "
                    "closing it; close it there, or take the mark off (h5clear -s %s)",
                    path, path);
  }
  if (says(&reason, "version")) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: is of a newer HDF5 than this program's %d.%d (%s); write it again with "
                    "h5repack --high=2, or in h5py with libver=('earliest', 'v110')",
                    path, H5_VERS_MAJOR, H5_VERS_MINOR, reason.text);
  }
  return trm_fail(TRM_ERR_DATA, "%s: is a truncated or damaged HDF5 file of %lld bytes (%s)", path,
                  (long long)file_bytes, reason.text);
}

/* Whether the file system that the last call met cannot lock. */
static bool has_no_locks(void) {
  enum { NOT_SUPPORTED = 524 }; /* of the kernel's network file systems */
  const int error = trm_h5_reason_get().error;
  return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP || error == NOT_SUPPORTED;
}

static trm_status open_file(trm_container *c) {
  const hid_t access = access_properties();
  if (access < 0) return trm_h5_fail(c, 0, "set up HDF5 for", c->path);
  trm_status status = TRM_OK;
  c->file = H5Fopen(c->path, H5F_ACC_RDONLY, access);
  if (c->file < 0 && has_no_locks()) {
    /* Nothing can lock there, so reading without a lock is what all others do. */
    if (H5Pset_file_locking(access, false, true) >= 0) {
      c->file = H5Fopen(c->path, H5F_ACC_RDONLY, access);
    }
  }
  if (c->file < 0) status = fail_open(c->path, c->file_bytes);
  if (H5Pclose(access) < 0 && status == TRM_OK) status = trm_h5_fail(c, 0, "open", c->path);
  return status;
}

trm_status trm_container_open(const char *path, trm_container **out) {
  int64_t file_bytes = 0;
  trm_container *c = NULL;
  TRM_TRY(examine(path, &file_bytes));
  TRM_TRY(container_new(path, false, &c));
  c->file_bytes = file_bytes;
  trm_h5_lock();
  const trm_status status = open_file(c);
  if (status != TRM_OK && c->file >= 0) H5Fclose(c->file);
  trm_h5_unlock();
  if (status != TRM_OK) {
    container_free(c);
    return status;
  }
  *out = c;
  return TRM_OK;
}

static trm_status create_file(trm_container *c) {
  const hid_t access = access_properties();
  if (access < 0) return trm_h5_fail(c, 0, "set up HDF5 for", c->path);
  trm_status status = TRM_OK;
  const int injected = trm_io_fault();
  if (!injected) c->file = H5Fcreate(c->path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  if (c->file < 0) status = trm_h5_fail(c, injected, "create the file", NULL);
  if (H5Pclose(access) < 0 && status == TRM_OK) status = trm_h5_fail(c, 0, "create", c->path);
  return status;
}

trm_status trm_container_create(const char *path, trm_container **out) {
  trm_container *c = NULL;
  struct stat facts;
  if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode)) {
    return trm_fail(TRM_ERR_IO, "%s: is %s, a file is to be written there", path,
                    S_ISDIR(facts.st_mode) ? "a folder" : "not a regular file");
  }
  TRM_TRY(container_new(path, true, &c));
  trm_h5_lock();
  const trm_status status = create_file(c);
  if (status != TRM_OK && c->file >= 0) H5Fclose(c->file);
  trm_h5_unlock();
  if (status != TRM_OK) {
    container_free(c);
    return status;
  }
  *out = c;
  return TRM_OK;
}

/* The descriptor under the file, or -1. */
static int descriptor(const trm_container *c) {
  int *fd = NULL;
  return H5Fget_vfd_handle(c->file, H5P_DEFAULT, (void **)&fd) < 0 || !fd ? -1 : *fd;
}

trm_status trm_h5_reserve(trm_container *c, int64_t bytes, const char *doing, const char *object) {
  hsize_t used = 0;
  if (H5Fget_filesize(c->file, &used) < 0) return trm_h5_fail(c, 0, doing, object);
  if (bytes > INT64_MAX - RESERVE_BYTES - (int64_t)used)
    return trm_h5_fail(c, EFBIG, doing, object);
  const int64_t needed = (int64_t)used + bytes + RESERVE_BYTES;
  const int injected = trm_io_fault();
  if (injected) return trm_h5_fail(c, injected, doing, object);
  if (needed <= c->reserved_bytes) return TRM_OK;
  if (trm_io_reserve(descriptor(c), needed) < 0) return trm_h5_fail(c, errno, doing, object);
  c->reserved_bytes = needed;
  return TRM_OK;
}

trm_status trm_container_reserve(trm_container *container, int64_t bytes) {
  trm_h5_lock();
  const trm_status status = trm_h5_reserve(container, bytes, "write", NULL);
  trm_h5_unlock();
  return status;
}

static void flush_file(trm_container *c) {
  if (trm_h5_reserve(c, 0, "write", NULL) != TRM_OK) return;
  trm_h5_array_drop(c);
  /* Asked for before closing: on a full disk H5Fclose returns 0 (seen with 1.10.8). */
  const int injected = trm_io_fault();
  if (injected || H5Fflush(c->file, H5F_SCOPE_GLOBAL) < 0) {
    (void)trm_h5_fail(c, injected, "write", NULL); /* remembered: invariant 4 */
    return;
  }
  /* Gives back what was reserved past the end. Where that fails the room is only used in vain. */
  struct stat facts;
  const int fd = descriptor(c);
  if (fstat(fd, &facts) < 0 || ftruncate(fd, facts.st_size) < 0) return;
}

/* Flushes and closes; every failure is a failure of the whole file. */
static trm_status close_file(trm_container *c) {
  trm_status status = TRM_OK;
  if (c->writable && c->first_failure == TRM_OK) flush_file(c);
  trm_h5_array_drop(c);
  const ssize_t n_open = H5Fget_obj_count(c->file, OBJECTS_IN_FILES | H5F_OBJ_LOCAL);
  TRM_ASSERT(c->damaged || n_open == 0); /* invariant 3 */
  const int injected = c->writable ? trm_io_fault() : 0;
  if (H5Fclose(c->file) < 0 || injected) status = trm_h5_fail(c, injected, "close the file", NULL);
  if (c->first_failure != TRM_OK) { /* invariant 4 */
    trm_message_set(c->first_message);
    status = c->first_failure;
  }
  return status;
}

trm_status trm_container_close(trm_container **container) {
  trm_container *c = *container;
  if (!c) return TRM_OK;
  *container = NULL;
  trm_h5_lock();
  const trm_status status = close_file(c);
  trm_h5_unlock();
  container_free(c);
  return status;
}

const char *trm_container_path(const trm_container *container) {
  return container->path;
}

trm_h5_found trm_h5_find(trm_container *c, const char *name) {
  char part[TRM_MAX_PATH_IN_FILE];
  const size_t n = strlen(name);
  if (n == 0 || name[0] != '/' || n >= sizeof part) return TRM_H5_MISSING;
  for (size_t i = 1; i <= n; ++i) {
    const bool ends_a_name = (name[i] == '/' || name[i] == 0) && name[i - 1] != '/';
    if (!ends_a_name) continue;
    memcpy(part, name, i);
    part[i] = 0;
    H5L_info_t link;
    if (H5Lexists(c->file, part, H5P_DEFAULT) <= 0) return TRM_H5_MISSING;
    if (H5Lget_info(c->file, part, &link, H5P_DEFAULT) < 0) return TRM_H5_MISSING;
    if (link.type != H5L_TYPE_HARD) return TRM_H5_FOREIGN_LINK; /* invariant 2 */
  }
  return TRM_H5_THERE;
}

static trm_status check_there(trm_container *c, const char *name) {
  switch (trm_h5_find(c, name)) {
  case TRM_H5_MISSING:
    return trm_fail(TRM_ERR_DATA, "%s: there is no '%s' in it", c->path, name);
  case TRM_H5_FOREIGN_LINK:
    return trm_fail(TRM_ERR_DATA,
                    "%s: '%s' is a soft or external link; only data in the file itself is read",
                    c->path, name);
  case TRM_H5_THERE:
    break;
  }
  return TRM_OK;
}

trm_status trm_h5_open_object(trm_container *c, const char *name, hid_t *object) {
  TRM_TRY(check_there(c, name));
  *object = H5Oopen(c->file, name, H5P_DEFAULT);
  return *object < 0 ? trm_h5_fail(c, 0, "open", name) : TRM_OK;
}

bool trm_container_has(trm_container *container, const char *name) {
  trm_h5_lock();
  const bool there = trm_h5_find(container, name) != TRM_H5_MISSING;
  trm_h5_unlock();
  return there;
}

trm_status trm_container_count(trm_container *container, const char *name, int64_t *n) {
  H5G_info_t info = {0};
  *n = 0;
  trm_h5_lock();
  const trm_status status = check_there(container, name);
  const bool good =
      status == TRM_OK && H5Gget_info_by_name(container->file, name, &info, H5P_DEFAULT) >= 0;
  trm_h5_unlock();
  TRM_TRY(status);
  *n = (int64_t)info.nlinks;
  if (good) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: '%s' is not a group", container->path, name);
}

hid_t trm_h5_array_properties(void) {
  const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  if (properties >= 0 && H5Pset_obj_track_times(properties, false) < 0) {
    H5Pclose(properties);
    return -1;
  }
  return properties;
}

hid_t trm_h5_path_properties(void) {
  const hid_t properties = H5Pcreate(H5P_LINK_CREATE);
  if (properties >= 0 && H5Pset_create_intermediate_group(properties, 1) < 0) {
    H5Pclose(properties);
    return -1;
  }
  return properties;
}
