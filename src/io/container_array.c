/* Arrays in a container: read and written in boxes, converted with checks. */
#include <string.h>

#include "container_internal.h"
#include "convert_internal.h"
#include "io_internal.h"
#include "trireme/core/memory.h"

enum { PIECE_BYTES = 32768 };

void trm_h5_array_drop(trm_container *c) {
  if (c->array.dataset >= 0 && H5Dclose(c->array.dataset) < 0) {
    (void)trm_h5_fail(c, 0, "close", c->array.name); /* counts when writing: invariant 4 */
  }
  c->array.dataset = -1;
}

/* HDF5 unpacks a chunk that its cache has no room for anew at every read, and one is read in many pieces:
 * an array of large chunks is opened again with a cache that holds those that come again. */
static trm_status widen_cache(trm_container *c, trm_h5_array *array) {
  if (array->row_bytes <= TRM_H5_CACHE_BYTES) return TRM_OK;
  const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  bool good = access >= 0 && H5Pset_chunk_cache(access, TRM_H5_CACHE_SLOTS,
                                                (size_t)array->row_bytes, TRM_H5_CACHE_BIAS) >= 0;
  good = H5Dclose(array->dataset) >= 0 && good;
  array->dataset = good ? H5Dopen2(c->file, array->name, access) : -1;
  if (access >= 0 && H5Pclose(access) < 0) good = false;
  return good && array->dataset >= 0 ? TRM_OK : trm_h5_fail(c, 0, "open", array->name);
}

trm_status trm_h5_array_use(trm_container *c, const char *name) {
  trm_h5_array array = {.dataset = -1};
  if (c->array.dataset >= 0 && strcmp(c->array.name, name) == 0) return TRM_OK;
  trm_h5_array_drop(c);
  hid_t object = -1;
  TRM_TRY(trm_h5_open_object(c, name, &object));
  if (H5Iget_type(object) != H5I_DATASET) {
    if (H5Oclose(object) < 0) return trm_h5_fail(c, 0, "close", name);
    return trm_fail(TRM_ERR_DATA, "%s: '%s' is not an array", c->path, name);
  }
  array.dataset = object;
  memcpy(array.name, name, strlen(name) + 1); /* trm_h5_find has checked the length */
  trm_status status = trm_h5_array_examine(c, &array);
  if (status == TRM_OK) status = widen_cache(c, &array);
  if (status != TRM_OK) {
    if (array.dataset >= 0 && H5Dclose(array.dataset) < 0) c->damaged = true;
    return status;
  }
  c->array = array;
  return TRM_OK;
}

trm_status trm_array_info_get(trm_container *container, const char *name, trm_array_info *info) {
  trm_h5_lock();
  const trm_status status = trm_h5_array_use(container, name);
  if (status == TRM_OK) *info = container->array.info;
  trm_h5_unlock();
  return status;
}

/* A box of elements that lie one after another. */
typedef struct box {
  hsize_t start[TRM_MAX_DIMS], count[TRM_MAX_DIMS];
  int64_t n;
} box;

/* The largest box that begins at element `first` in row-major order and has at most `n` elements. */
static box box_at(const trm_array_info *info, int64_t first, int64_t n) {
  box b = {.n = 1};
  int64_t rest = first;
  for (int i = info->n_dims - 1; i >= 0; --i) {
    b.start[i] = (hsize_t)(rest % info->dims[i]);
    b.count[i] = 1;
    rest /= info->dims[i];
  }
  for (int i = info->n_dims - 1; i >= 0; --i) {
    const int64_t room = info->dims[i] - (int64_t)b.start[i];
    const int64_t fits = n / b.n;
    b.count[i] = (hsize_t)(room < fits ? room : fits);
    b.n *= (int64_t)b.count[i];
    /* Only a whole row lets the box grow along the next dimension. */
    if ((int64_t)b.count[i] < info->dims[i]) break;
  }
  return b;
}

/* Reads or writes the elements [first, first + n), in the array's own memory type. */
static trm_status transfer(trm_container *c, int64_t first, int64_t n, void *out, const void *in) {
  const trm_h5_array *array = &c->array;
  const size_t bytes = trm_dtype_bytes(array->info.dtype);
  const hid_t space = H5Dget_space(array->dataset);
  if (space < 0) return trm_h5_fail(c, 0, "use", array->name);
  trm_status status = TRM_OK;
  for (int64_t done = 0; done < n && status == TRM_OK;) {
    const box b = box_at(&array->info, first + done, n - done);
    const hsize_t flat = (hsize_t)b.n;
    const size_t at = (size_t)done * bytes;
    const hid_t memory = H5Screate_simple(1, &flat, NULL);
    const int injected = in ? trm_io_fault() : 0;
    herr_t result = memory < 0 || injected ? -1 : 0;
    if (result >= 0 && array->info.n_dims > 0) {
      result = H5Sselect_hyperslab(space, H5S_SELECT_SET, b.start, NULL, b.count, NULL);
    }
    if (result >= 0 && in) {
      result = H5Dwrite(array->dataset, array->memory_type, memory, space, H5P_DEFAULT,
                        (const unsigned char *)in + at);
    } else if (result >= 0) {
      result = H5Dread(array->dataset, array->memory_type, memory, space, H5P_DEFAULT,
                       (unsigned char *)out + at);
    }
    if (result < 0) status = trm_h5_fail(c, injected, in ? "write" : "read", array->name);
    if (memory >= 0 && H5Sclose(memory) < 0 && status == TRM_OK) {
      status = trm_h5_fail(c, 0, "use", array->name);
    }
    done += b.n;
  }
  if (H5Sclose(space) < 0 && status == TRM_OK) status = trm_h5_fail(c, 0, "use", array->name);
  return status;
}

static trm_status read_converted(trm_container *c, trm_dtype dtype, int64_t first, int64_t n,
                                 void *out) {
  _Alignas(16) unsigned char piece[PIECE_BYTES];
  const trm_array_info *info = &c->array.info;
  const int64_t piece_n = PIECE_BYTES / (int64_t)trm_dtype_bytes(info->dtype);
  for (int64_t done = 0; done < n;) {
    const int64_t now = n - done < piece_n ? n - done : piece_n;
    unsigned char *to = (unsigned char *)out + (size_t)done * trm_dtype_bytes(dtype);
    TRM_TRY(transfer(c, first + done, now, piece, NULL));
    const int64_t good = trm_convert(piece, info->dtype, now, to, dtype);
    if (good < now) {
      char text[32];
      const bool whole = trm_dtype_is_float(info->dtype) && !trm_dtype_is_float(dtype);
      return trm_fail(
          TRM_ERR_DATA, "%s: '%s' has %s at index %lld, which %s %s", c->path, c->array.name,
          trm_element_text(piece, info->dtype, good, text), (long long)(first + done + good),
          whole ? "is no whole number that fits" : "does not fit", trm_dtype_name(dtype));
    }
    done += now;
  }
  return TRM_OK;
}

static trm_status check_range(const trm_container *c, int64_t first, int64_t n) {
  const trm_h5_array *array = &c->array;
  if (first >= 0 && n >= 0 && first <= array->info.n_elements - n) return TRM_OK;
  return trm_fail(TRM_ERR_ARG, "%s: '%s' has %lld elements; %lld from %lld on were asked for",
                  c->path, array->name, (long long)array->info.n_elements, (long long)n,
                  (long long)first);
}

static trm_status read_range(trm_container *c, const char *name, trm_dtype dtype, int64_t first,
                             int64_t n, void *out) {
  TRM_TRY(trm_h5_array_use(c, name));
  TRM_TRY(check_range(c, first, n));
  const trm_dtype stored = c->array.info.dtype;
  if (stored == dtype) return transfer(c, first, n, out, NULL);
  return read_converted(c, dtype, first, n, out);
}

trm_status trm_array_read_range(trm_container *container, const char *name, trm_dtype dtype,
                                int64_t first, int64_t n, void *out) {
  trm_h5_lock();
  const trm_status status = read_range(container, name, dtype, first, n, out);
  trm_h5_unlock();
  return status;
}

trm_status trm_array_read(trm_container *container, const char *name, trm_dtype dtype, void *out,
                          int64_t n_elements) {
  trm_h5_lock();
  trm_status status = trm_h5_array_use(container, name);
  if (status == TRM_OK && container->array.info.n_elements != n_elements) {
    status =
        trm_fail(TRM_ERR_DATA, "%s: '%s' has %lld elements, %lld were expected", container->path,
                 name, (long long)container->array.info.n_elements, (long long)n_elements);
  }
  if (status == TRM_OK) status = read_range(container, name, dtype, 0, n_elements, out);
  trm_h5_unlock();
  return status;
}

/* Makes the data set; it becomes the open array. */
static trm_status create_array(trm_container *c, const char *name, trm_dtype dtype, int n_dims,
                               const int64_t *dims) {
  trm_h5_array array = {.dataset = -1, .memory_type = trm_h5_memory_type(dtype)};
  hsize_t extent[TRM_MAX_DIMS] = {0};
  if (c->first_failure != TRM_OK) { /* invariant 4 */
    trm_message_set(c->first_message);
    return c->first_failure;
  }
  if (!c->writable || n_dims < 0 || n_dims > TRM_MAX_DIMS || name[0] != '/' ||
      strlen(name) >= sizeof array.name) {
    return trm_fail(TRM_ERR_ARG,
                    "%s: the array '%s' cannot be made: open for writing, at most 4 "
                    "dimensions and a name that begins with / are needed",
                    c->path, name);
  }
  array.info = (trm_array_info){.dtype = dtype, .n_dims = n_dims, .n_elements = 1};
  for (int i = 0; i < n_dims; ++i) {
    array.info.dims[i] = dims[i];
    extent[i] = (hsize_t)dims[i];
    if (!trm_size_mul(array.info.n_elements, dims[i], &array.info.n_elements)) {
      return trm_fail(TRM_ERR_ARG, "%s: '%s' has an impossible shape", c->path, name);
    }
  }
  memcpy(array.name, name, strlen(name) + 1);
  int64_t bytes = 0;
  if (!trm_size_mul(array.info.n_elements, (int64_t)trm_dtype_bytes(dtype), &bytes)) {
    return trm_fail(TRM_ERR_ARG, "%s: '%s' has an impossible shape", c->path, name);
  }
  trm_h5_array_drop(c);
  TRM_TRY(trm_h5_reserve(c, bytes, "write", name)); /* invariant 5 */
  const hid_t space = n_dims == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(n_dims, extent, NULL);
  const hid_t path = trm_h5_path_properties(), timeless = trm_h5_array_properties();
  const int injected = trm_io_fault();
  trm_status status = TRM_OK;
  if (space >= 0 && path >= 0 && timeless >= 0 && !injected) {
    array.dataset =
        H5Dcreate2(c->file, name, trm_h5_file_type(dtype), space, path, timeless, H5P_DEFAULT);
  }
  if (array.dataset < 0) status = trm_h5_fail(c, injected, "create", name);
  if (timeless >= 0 && H5Pclose(timeless) < 0 && status == TRM_OK) {
    status = trm_h5_fail(c, 0, "create", name);
  }
  if (path >= 0 && H5Pclose(path) < 0 && status == TRM_OK) {
    status = trm_h5_fail(c, 0, "create", name);
  }
  if (space >= 0 && H5Sclose(space) < 0 && status == TRM_OK) {
    status = trm_h5_fail(c, 0, "create", name);
  }
  c->array = array;
  return status;
}

trm_status trm_array_create(trm_container *container, const char *name, trm_dtype dtype, int n_dims,
                            const int64_t *dims) {
  trm_h5_lock();
  const trm_status status = create_array(container, name, dtype, n_dims, dims);
  trm_h5_unlock();
  return status;
}

/* Writes a range; a type other than the array's is a bug of the caller, not of a file. */
static trm_status write_range(trm_container *c, const char *name, trm_dtype dtype, int64_t first,
                              int64_t n, const void *data) {
  if (c->first_failure != TRM_OK) {
    trm_message_set(c->first_message);
    return c->first_failure;
  }
  if (!c->writable) return trm_fail(TRM_ERR_ARG, "%s: is open for reading only", c->path);
  TRM_TRY(trm_h5_array_use(c, name));
  TRM_TRY(check_range(c, first, n));
  if (c->array.info.dtype != dtype) {
    return trm_fail(TRM_ERR_ARG, "%s: '%s' was made as %s, %s is written", c->path, name,
                    trm_dtype_name(c->array.info.dtype), trm_dtype_name(dtype));
  }
  return transfer(c, first, n, NULL, data);
}

trm_status trm_array_write_range(trm_container *container, const char *name, trm_dtype dtype,
                                 int64_t first, int64_t n, const void *data) {
  trm_h5_lock();
  const trm_status status = write_range(container, name, dtype, first, n, data);
  trm_h5_unlock();
  return status;
}

trm_status trm_array_write(trm_container *container, const char *name, trm_dtype dtype, int n_dims,
                           const int64_t *dims, const void *data) {
  trm_h5_lock();
  trm_status status = create_array(container, name, dtype, n_dims, dims);
  if (status == TRM_OK) {
    status = write_range(container, name, dtype, 0, container->array.info.n_elements, data);
  }
  trm_h5_unlock();
  return status;
}
