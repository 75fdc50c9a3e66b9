/* What a stranger's file says about an array, examined before anything is sized by it. */
#include "container_internal.h"
#include "trireme/core/memory.h"

/* Deflate cannot do better than 1032 to 1; what claims more is made up. */
enum { MAX_COMPRESSION = 1100, MAX_CHUNK_BYTES = 256 << 20, MAX_ROW_BYTES = 512 << 20 };

hid_t trm_h5_memory_type(trm_dtype dtype) {
  switch (dtype) {
  case TRM_DTYPE_F32:
    return H5T_NATIVE_FLOAT;
  case TRM_DTYPE_F64:
    return H5T_NATIVE_DOUBLE;
  case TRM_DTYPE_U8:
    return H5T_NATIVE_UINT8;
  case TRM_DTYPE_U16:
    return H5T_NATIVE_UINT16;
  case TRM_DTYPE_I32:
    return H5T_NATIVE_INT32;
  case TRM_DTYPE_U32:
    return H5T_NATIVE_UINT32;
  case TRM_DTYPE_I64:
    return H5T_NATIVE_INT64;
  case TRM_DTYPE_U64:
    return H5T_NATIVE_UINT64;
  }
  return -1;
}

hid_t trm_h5_file_type(trm_dtype dtype) {
  switch (dtype) {
  case TRM_DTYPE_F32:
    return H5T_IEEE_F32LE;
  case TRM_DTYPE_F64:
    return H5T_IEEE_F64LE;
  case TRM_DTYPE_U8:
    return H5T_STD_U8LE;
  case TRM_DTYPE_U16:
    return H5T_STD_U16LE;
  case TRM_DTYPE_I32:
    return H5T_STD_I32LE;
  case TRM_DTYPE_U32:
    return H5T_STD_U32LE;
  case TRM_DTYPE_I64:
    return H5T_STD_I64LE;
  case TRM_DTYPE_U64:
    return H5T_STD_U64LE;
  }
  return -1;
}

static bool is_member(hid_t type, const char *name, signed char value) {
  signed char found = -1;
  return H5Tenum_valueof(type, name, &found) >= 0 && found == value;
}

bool trm_h5_is_boolean(hid_t type) {
  return H5Tget_class(type) == H5T_ENUM && H5Tget_size(type) == 1 && H5Tget_nmembers(type) == 2 &&
         is_member(type, "FALSE", 0) && is_member(type, "TRUE", 1);
}

static bool stored_number(hid_t type, trm_dtype *dtype, size_t *stored_bytes) {
  const H5T_class_t kind = H5Tget_class(type);
  const size_t bytes = H5Tget_size(type);
  if (bytes == 0 || H5Tget_precision(type) != 8 * bytes) return false;
  *stored_bytes = bytes;
  if (kind == H5T_FLOAT) {
    *dtype = bytes == 8 ? TRM_DTYPE_F64 : TRM_DTYPE_F32;
    return bytes == 2 || bytes == 4 || bytes == 8;
  }
  if (kind != H5T_INTEGER) return false;
  const H5T_sign_t sign = H5Tget_sign(type);
  if (sign == H5T_SGN_2) {
    *dtype = bytes == 8 ? TRM_DTYPE_I64 : TRM_DTYPE_I32;
    return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
  }
  if (sign != H5T_SGN_NONE) return false;
  switch (bytes) {
  case 1:
    *dtype = TRM_DTYPE_U8;
    return true;
  case 2:
    *dtype = TRM_DTYPE_U16;
    return true;
  case 4:
    *dtype = TRM_DTYPE_U32;
    return true;
  case 8:
    *dtype = TRM_DTYPE_U64;
    return true;
  default:
    return false;
  }
}

/* The smallest type of ours that holds every value of the stored type; false if there is none. Named numbers
 * are the whole numbers that they are. */
static bool stored_dtype(hid_t type, trm_dtype *dtype, size_t *stored_bytes) {
  const H5T_class_t kind = H5Tget_class(type);
  if (trm_h5_is_boolean(type) || (kind == H5T_BITFIELD && H5Tget_size(type) == 1)) {
    *dtype = TRM_DTYPE_U8;
    *stored_bytes = 1;
    return true;
  }
  if (kind != H5T_ENUM) return stored_number(type, dtype, stored_bytes);
  const hid_t numbers = H5Tget_super(type);
  const bool good = numbers >= 0 && H5Tget_class(numbers) == H5T_INTEGER &&
                    stored_number(numbers, dtype, stored_bytes);
  return (numbers < 0 || H5Tclose(numbers) >= 0) && good;
}

static trm_status refuse(trm_container *c, const char *name, const char *why) {
  return trm_fail(TRM_ERR_DATA, "%s: '%s' %s", c->path, name, why);
}

static trm_status examine_type(trm_container *c, trm_h5_array *array, size_t *stored_bytes) {
  const hid_t type = H5Dget_type(array->dataset);
  if (type < 0) return trm_h5_fail(c, 0, "read the type of", array->name);
  const bool good = stored_dtype(type, &array->info.dtype, stored_bytes);
  const H5T_class_t kind = H5Tget_class(type);
  if (H5Tclose(type) < 0) return trm_h5_fail(c, 0, "close the type of", array->name);
  if (!good) {
    return refuse(
        c, array->name,
        kind == H5T_COMPOUND
            ? "holds records or complex numbers; store each part as an array of its own"
        : kind == H5T_STRING
            ? "holds texts; the format has offsets and bytes (data/FORMAT.md)"
            : "holds neither whole numbers nor float16, float32 or float64; store it as one");
  }
  /* A byte each, which no conversion need touch. */
  array->memory_type = kind == H5T_BITFIELD ? H5T_NATIVE_B8 : trm_h5_memory_type(array->info.dtype);
  return TRM_OK;
}

static trm_status examine_extent(trm_container *c, trm_h5_array *array, hid_t space) {
  trm_array_info *info = &array->info;
  hsize_t dims[H5S_MAX_RANK] = {0};
  const H5S_class_t kind = H5Sget_simple_extent_type(space);
  if (kind == H5S_NULL) return refuse(c, array->name, "has no shape (a null data space)");
  if (kind != H5S_SCALAR && kind != H5S_SIMPLE) {
    return trm_h5_fail(c, 0, "read the shape of", array->name);
  }
  const int n_dims = H5Sget_simple_extent_ndims(space);
  if (n_dims > TRM_MAX_DIMS) return refuse(c, array->name, "has more than 4 dimensions");
  if (n_dims < 0 || H5Sget_simple_extent_dims(space, dims, NULL) < 0) {
    return trm_h5_fail(c, 0, "read the shape of", array->name);
  }
  info->n_dims = n_dims;
  info->n_elements = 1;
  for (int i = 0; i < n_dims; ++i) {
    info->dims[i] = (int64_t)dims[i];
    if (!trm_size_mul(info->n_elements, info->dims[i], &info->n_elements)) {
      return refuse(c, array->name, "has an impossible shape");
    }
  }
  return TRM_OK;
}

/* Every chunk is there, of a sane size, and packed by filters that are built in. */
static trm_status examine_chunks(trm_container *c, trm_h5_array *array, hid_t properties,
                                 hid_t space, size_t stored_bytes, bool *filtered) {
  const trm_array_info *info = &array->info;
  hsize_t chunk[TRM_MAX_DIMS] = {0}, n_stored = 0;
  if (H5Pget_chunk(properties, info->n_dims, chunk) != info->n_dims) {
    return trm_h5_fail(c, 0, "read the chunks of", array->name);
  }
  int64_t n_needed = 1, n_row = 1, chunk_bytes = (int64_t)stored_bytes;
  for (int i = 0; i < info->n_dims; ++i) {
    const int64_t n = (int64_t)chunk[i];
    if (n <= 0 || !trm_size_mul(chunk_bytes, n, &chunk_bytes) || chunk_bytes > MAX_CHUNK_BYTES) {
      return refuse(c, array->name, "has chunks of more than 256 MiB; store it in smaller ones");
    }
    const int64_t along = info->dims[i] / n + (info->dims[i] % n != 0);
    if (!trm_size_mul(n_needed, along, &n_needed) ||
        !trm_size_mul(n_row, i > 0 ? along : 1, &n_row)) {
      return refuse(c, array->name, "has an impossible shape");
    }
  }
  const int n_filters = H5Pget_nfilters(properties);
  if (n_filters < 0) return trm_h5_fail(c, 0, "read the filters of", array->name);
  for (int i = 0; i < n_filters; ++i) {
    unsigned flags = 0, config = 0;
    size_t n_values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(properties, (unsigned)i, &flags, &n_values, NULL, 0, NULL, &config);
    if (filter < 0) return trm_h5_fail(c, 0, "read the filters of", array->name);
    if (H5Zfilter_avail(filter) <= 0) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: '%s' is packed with filter %d, which is not built in; store it with "
                      "gzip or unpacked",
                      c->path, array->name, (int)filter);
    }
  }
  *filtered = n_filters > 0;
  if (info->n_elements == 0) return TRM_OK;
  if (*filtered &&
      (!trm_size_mul(chunk_bytes, n_row, &array->row_bytes) || array->row_bytes > MAX_ROW_BYTES)) {
    return refuse(c, array->name,
                  "is packed in chunks of which those side by side have more than 512 MiB; store "
                  "it in chunks of whole rows, or in smaller ones");
  }
  if (H5Dget_num_chunks(array->dataset, space, &n_stored) < 0) {
    return trm_h5_fail(c, 0, "count the chunks of", array->name);
  }
  if (n_stored < (hsize_t)n_needed) {
    return trm_fail(TRM_ERR_DATA, "%s: '%s' is incomplete: %llu of its %lld chunks are stored",
                    c->path, array->name, (unsigned long long)n_stored, (long long)n_needed);
  }
  return TRM_OK;
}

/* The elements a shape declares must be in the file: nothing may size memory by a bare claim. */
static trm_status examine_storage(trm_container *c, trm_h5_array *array, hid_t properties,
                                  hid_t space, size_t stored_bytes) {
  bool filtered = false;
  int64_t declared = 0;
  const H5D_layout_t layout = H5Pget_layout(properties);
  if (layout == H5D_VIRTUAL) {
    return refuse(c, array->name, "is a virtual data set; only data in the file itself is read");
  }
  const int n_external = H5Pget_external_count(properties);
  if (n_external > 0) {
    return refuse(c, array->name,
                  "is stored in another file; only data in the file itself is read");
  }
  if (layout < 0 || n_external < 0) return trm_h5_fail(c, 0, "read the layout of", array->name);
  if (layout == H5D_CHUNKED) {
    TRM_TRY(examine_chunks(c, array, properties, space, stored_bytes, &filtered));
  }
  if (!trm_size_mul(array->info.n_elements, (int64_t)stored_bytes, &declared)) {
    return refuse(c, array->name, "has an impossible shape");
  }
  const hsize_t storage = H5Dget_storage_size(array->dataset);
  const int64_t stored = storage > (hsize_t)c->file_bytes ? -1 : (int64_t)storage;
  if (stored < 0 || (filtered ? declared / MAX_COMPRESSION > stored : declared > stored)) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: '%s' should have %lld bytes, but %llu are stored in a file of %lld; write "
                    "the file again",
                    c->path, array->name, (long long)declared, (unsigned long long)storage,
                    (long long)c->file_bytes);
  }
  return TRM_OK;
}

trm_status trm_h5_array_examine(trm_container *c, trm_h5_array *array) {
  size_t stored_bytes = 0;
  TRM_TRY(examine_type(c, array, &stored_bytes));
  const hid_t space = H5Dget_space(array->dataset);
  const hid_t properties = H5Dget_create_plist(array->dataset);
  trm_status status = TRM_OK;
  if (space < 0 || properties < 0) {
    status = trm_h5_fail(c, 0, "examine", array->name);
  } else {
    status = examine_extent(c, array, space);
    /* What is being written has its space when it is written. */
    if (status == TRM_OK && !c->writable) {
      status = examine_storage(c, array, properties, space, stored_bytes);
    }
  }
  if (properties >= 0 && H5Pclose(properties) < 0 && status == TRM_OK) {
    status = trm_h5_fail(c, 0, "examine", array->name);
  }
  if (space >= 0 && H5Sclose(space) < 0 && status == TRM_OK) {
    status = trm_h5_fail(c, 0, "examine", array->name);
  }
  return status;
}
