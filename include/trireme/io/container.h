/**
 * Containers: typed arrays and attributes in HDF5 files, with every return value checked.
 *
 * All HDF5 calls of the process go through one lock held inside this module, so a prefetch thread
 * and a checkpoint writer may use it at once. Files from strangers: only hard links and storage in
 * the file itself are accepted (no external or soft links, no external storage, no virtual data
 * sets), filter plug-ins are off. Close degree is STRONG; handles left open are a bug.
 *
 * A failed call of HDF5 is TRM_ERR_IO, and what is not as it must be in a file that is read TRM_ERR_DATA,
 * unless said otherwise. A range that the array does not have, a shape that is none and writing to a
 * file that is open for reading are TRM_ERR_ARG. TRM_ERR_MEMORY may come from all.
 *
 * Not collective: one rank, one file. Paths inside a file are like "/model/blocks/0/attn/qkv/w".
 */
#ifndef TRIREME_IO_CONTAINER_H
#define TRIREME_IO_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trireme/core/status.h"

typedef enum trm_dtype {
  TRM_DTYPE_F32,
  TRM_DTYPE_F64,
  TRM_DTYPE_U8,
  TRM_DTYPE_U16,
  TRM_DTYPE_I32,
  TRM_DTYPE_U32,
  TRM_DTYPE_I64,
  TRM_DTYPE_U64,
} trm_dtype;

/** Bytes of an element. */
size_t trm_dtype_bytes(trm_dtype dtype);
/** "f32", as in messages. */
const char *trm_dtype_name(trm_dtype dtype);

enum { TRM_MAX_DIMS = 4 };

/** Shape of an array, and the smallest type above that holds every value of the stored one (int8 and
 *  int16 are I32, float16 is F32). */
typedef struct trm_array_info {
  trm_dtype dtype;
  int n_dims;
  int64_t dims[TRM_MAX_DIMS];
  int64_t n_elements;
} trm_array_info;

typedef struct trm_container trm_container;

/** Opens for reading. Messages tell apart: missing, unreadable, a folder, not HDF5, truncated,
 *  locked. @return TRM_ERR_IO or TRM_ERR_DATA */
trm_status trm_container_open(const char *path, trm_container **out);
/** Creates (truncates) for writing. @return TRM_ERR_IO */
trm_status trm_container_create(const char *path, trm_container **out);
/** Reserves room on the disk for `bytes` more of arrays in one piece, before many are written. What is not
 *  used is given back at the end. @return TRM_ERR_IO */
trm_status trm_container_reserve(trm_container *container, int64_t bytes);
/** Flushes when writing, closes, and reports every failure; *container is NULL afterwards in any
 *  case. NULL is accepted. A failure before is not forgotten: a container that has seen a failed
 *  write reports it here again. */
trm_status trm_container_close(trm_container **container);
/** The path it was opened by; lives as long as the container. */
const char *trm_container_path(const trm_container *container);

/** Whether something is at `name` ("/values"), also by way of a link that is refused when it is read. */
bool trm_container_has(trm_container *container, const char *name);
/** How many members the group at `name` has. @return TRM_ERR_DATA when it is no group, or not in the file */
trm_status trm_container_count(trm_container *container, const char *name, int64_t *n);
/** Calls `visit` with the name of every member of the group at `name`, in the order of names; stops at a
 *  failure. `visit` may read from the container. @return TRM_ERR_DATA when it is no group */
typedef trm_status (*trm_member_visitor)(void *context, const char *name);
trm_status trm_container_members(trm_container *container, const char *name,
                                 trm_member_visitor visit, void *context);
/** The same with the name of every array in the file, whatever its type. */
trm_status trm_container_names(trm_container *container, trm_member_visitor visit, void *context);
/** Shape and type of the array at `name`. */
trm_status trm_array_info_get(trm_container *container, const char *name, trm_array_info *info);

/** Reads the whole array into out[n_elements], converted to `dtype` in memory; n_elements must equal
 *  the array's. A value that does not fit `dtype` is TRM_ERR_DATA and is named with its index. */
trm_status trm_array_read(trm_container *container, const char *name, trm_dtype dtype, void *out,
                          int64_t n_elements);
/** Reads elements [first, first + n) into out[n], counted in row-major order whatever the dimensions. */
trm_status trm_array_read_range(trm_container *container, const char *name, trm_dtype dtype,
                                int64_t first, int64_t n, void *out);
/** Writes a new array data[product of dims], contiguous, making the groups on its path. `dims` has
 *  n_dims entries, at most TRM_MAX_DIMS; 0: a scalar. */
trm_status trm_array_write(trm_container *container, const char *name, trm_dtype dtype, int n_dims,
                           const int64_t *dims, const void *data);
/** An array written piece by piece: create with final shape, then write ranges, counted in row-major
 *  order. An array that was made and never written is refused by the reader. */
trm_status trm_array_create(trm_container *container, const char *name, trm_dtype dtype, int n_dims,
                            const int64_t *dims);
/** Writes data[n] to elements [first, first + n); `dtype` must be the array's. */
trm_status trm_array_write_range(trm_container *container, const char *name, trm_dtype dtype,
                                 int64_t first, int64_t n, const void *data);

/** Attributes; `object` is "/" or the path of a group (made when writing) or array. Reading one that
 *  is not there, or is of another kind, is TRM_ERR_DATA. */
trm_status trm_attr_write_int(trm_container *c, const char *object, const char *name, int64_t v);
trm_status trm_attr_write_real(trm_container *c, const char *object, const char *name, double v);
trm_status trm_attr_write_text(trm_container *c, const char *object, const char *name,
                               const char *text);
bool trm_attr_has(trm_container *c, const char *object, const char *name);
trm_status trm_attr_read_int(trm_container *c, const char *object, const char *name, int64_t *v);
trm_status trm_attr_read_real(trm_container *c, const char *object, const char *name, double *v);
/** *text is a counted block (TRM_FREE). Fixed- and variable-length, ASCII and UTF-8 strings. */
trm_status trm_attr_read_text(trm_container *c, const char *object, const char *name, char **text);

/** What an attribute holds, as far as it can be read here. */
typedef enum trm_attr_type {
  TRM_ATTR_INT,
  TRM_ATTR_REAL,
  TRM_ATTR_TEXT,
  TRM_ATTR_OTHER
} trm_attr_type;
/** Calls `visit` for every attribute of `object`, in the order of their names; stops at a failure.
 *  `visit` may read from the container. */
typedef trm_status (*trm_attr_visitor)(void *context, const char *name, trm_attr_type type);
trm_status trm_attr_visit(trm_container *c, const char *object, trm_attr_visitor visit,
                          void *context);

/** Calls `visit` for every array in the file, in name order (each group's arrays and groups by name);
 *  stops at a failure. `visit` may read from the container. */
typedef trm_status (*trm_array_visitor)(void *context, const char *name,
                                        const trm_array_info *info);
trm_status trm_container_visit(trm_container *container, trm_array_visitor visit, void *context);

/**
 * Opens a file and reads every array and attribute in a child process with limits on its memory and
 * time: some damaged files crash the HDF5 library, and here the crash is a message. For files of
 * unknown origin, in programs that have not started MPI (a fork would take its connections along).
 * @return TRM_OK, the reading's own failure, or TRM_ERR_DATA when it crashed or ran out of a limit
 */
trm_status trm_container_probe(const char *path);

#endif
