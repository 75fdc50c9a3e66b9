/* Attributes: one whole number, one real number or one text each. */
#include <math.h>
#include <string.h>

#include "container_internal.h"
#include "io_internal.h"
#include "trireme/core/memory.h"

/* HDF5 1.8 files keep attributes in object headers of at most 64 KiB. */
enum { MAX_WRITTEN_TEXT_BYTES = 60000, MAX_READ_TEXT_BYTES = 16 << 20 };

/* An attribute opened for reading, with what is needed to close it. */
typedef struct open_attr {
  hid_t object, attr, type;
} open_attr;

static void close_attr(trm_container *c, open_attr *a) {
  bool good = a->type < 0 || H5Tclose(a->type) >= 0;
  good = (a->attr < 0 || H5Aclose(a->attr) >= 0) && good;
  good = (a->object < 0 || H5Oclose(a->object) >= 0) && good;
  if (!good) c->damaged = true; /* what was read is in our hands already */
}

static trm_status refuse(trm_container *c, const char *object, const char *name, const char *why) {
  return trm_fail(TRM_ERR_DATA, "%s: attribute '%s' of '%s' %s", c->path, name, object, why);
}

static trm_status find_attr(trm_container *c, const char *object, const char *name, open_attr *a) {
  TRM_TRY(trm_h5_open_object(c, object, &a->object));
  const htri_t there = H5Aexists(a->object, name);
  if (there < 0) return trm_h5_fail(c, 0, "look for an attribute of", object);
  if (!there) return refuse(c, object, name, "is missing");
  a->attr = H5Aopen(a->object, name, H5P_DEFAULT);
  if (a->attr < 0) return trm_h5_fail(c, 0, "open the attribute", name);
  const hid_t space = H5Aget_space(a->attr);
  const hssize_t n = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
  if (space >= 0 && H5Sclose(space) < 0) return trm_h5_fail(c, 0, "close the attribute", name);
  if (n < 0) return trm_h5_fail(c, 0, "read the shape of the attribute", name);
  if (n != 1) return refuse(c, object, name, "should hold exactly one value");
  a->type = H5Aget_type(a->attr);
  return a->type < 0 ? trm_h5_fail(c, 0, "read the type of the attribute", name) : TRM_OK;
}

static bool is_number_class(hid_t type) {
  const H5T_class_t kind = H5Tget_class(type);
  const size_t bytes = H5Tget_size(type);
  const bool simple = H5Tget_precision(type) == 8 * bytes;
  return (kind == H5T_INTEGER || kind == H5T_FLOAT) && simple && bytes >= 1 && bytes <= 8;
}

/* True and false, as h5py writes them. */
static trm_status read_boolean(trm_container *c, const char *name, open_attr *a, int64_t *v) {
  unsigned char value = 0;
  if (H5Aread(a->attr, a->type, &value) < 0) {
    return trm_h5_fail(c, 0, "read the attribute", name);
  }
  *v = value != 0;
  return TRM_OK;
}

/* A whole number that is stored as a float, as MATLAB and others do. */
static trm_status read_whole(trm_container *c, const char *object, const char *name, open_attr *a,
                             int64_t *v) {
  double value = 0;
  if (H5Aread(a->attr, H5T_NATIVE_DOUBLE, &value) < 0) {
    return trm_h5_fail(c, 0, "read the attribute", name);
  }
  if (value != floor(value) || fabs(value) > 0x1p53) {
    return refuse(c, object, name, "should be a whole number");
  }
  *v = (int64_t)value;
  return TRM_OK;
}

static trm_status read_int(trm_container *c, const char *object, const char *name, open_attr *a,
                           int64_t *v) {
  TRM_TRY(find_attr(c, object, name, a));
  if (trm_h5_is_boolean(a->type)) return read_boolean(c, name, a, v);
  if (!is_number_class(a->type)) return refuse(c, object, name, "should be a whole number");
  if (H5Tget_class(a->type) == H5T_FLOAT) return read_whole(c, object, name, a, v);
  const bool is_signed = H5Tget_sign(a->type) == H5T_SGN_2;
  uint64_t value = 0;
  if (H5Aread(a->attr, is_signed ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64, &value) < 0) {
    return trm_h5_fail(c, 0, "read the attribute", name);
  }
  if (!is_signed && value > INT64_MAX) return refuse(c, object, name, "is too large for 64 bits");
  memcpy(v, &value, sizeof *v);
  return TRM_OK;
}

static trm_status read_real(trm_container *c, const char *object, const char *name, open_attr *a,
                            double *v) {
  TRM_TRY(find_attr(c, object, name, a));
  if (!is_number_class(a->type)) return refuse(c, object, name, "should be a number");
  if (H5Aread(a->attr, H5T_NATIVE_DOUBLE, v) < 0) {
    return trm_h5_fail(c, 0, "read the attribute", name);
  }
  return TRM_OK;
}

/* Copies a text of at most `bytes` bytes into a block of ours. */
static trm_status keep_text(const char *from, size_t bytes, char **text) {
  const size_t n = strnlen(from, bytes);
  TRM_TRY(TRM_ALLOC(text, (int64_t)n + 1, "the text of an attribute"));
  memcpy(*text, from, n);
  (*text)[n] = 0;
  return TRM_OK;
}

static trm_status read_long_text(trm_container *c, const char *object, const char *name,
                                 open_attr *a, hid_t memory_type, char **text) {
  char *found = NULL;
  if (H5Tset_size(memory_type, H5T_VARIABLE) < 0 || H5Aread(a->attr, memory_type, &found) < 0) {
    return trm_h5_fail(c, 0, "read the attribute", name);
  }
  const char *from = found ? found : "";
  trm_status status = TRM_OK;
  if (strnlen(from, MAX_READ_TEXT_BYTES) == MAX_READ_TEXT_BYTES) {
    status = refuse(c, object, name, "is a text of more than 16 MiB");
  } else {
    status = keep_text(from, MAX_READ_TEXT_BYTES, text);
  }
  if (found && H5free_memory(found) < 0 && status == TRM_OK) {
    status = trm_h5_fail(c, 0, "release the attribute", name);
  }
  return status;
}

static trm_status read_fixed_text(trm_container *c, const char *object, const char *name,
                                  open_attr *a, hid_t memory_type, char **text) {
  char *block = NULL;
  const size_t bytes = H5Tget_size(a->type);
  if (bytes == 0) return trm_h5_fail(c, 0, "read the attribute", name);
  if (bytes >= MAX_READ_TEXT_BYTES) return refuse(c, object, name, "is a text of 16 MiB or more");
  if (H5Tset_size(memory_type, bytes) < 0 || H5Tset_strpad(memory_type, H5T_STR_NULLPAD) < 0) {
    return trm_h5_fail(c, 0, "read the attribute", name);
  }
  TRM_TRY(TRM_ALLOC(&block, (int64_t)bytes + 1, "the text of an attribute"));
  trm_status status = TRM_OK;
  if (H5Aread(a->attr, memory_type, block) < 0) {
    status = trm_h5_fail(c, 0, "read the attribute", name);
  } else {
    status = keep_text(block, bytes, text);
  }
  TRM_FREE(block);
  return status;
}

static trm_status read_text(trm_container *c, const char *object, const char *name, open_attr *a,
                            char **text) {
  TRM_TRY(find_attr(c, object, name, a));
  if (H5Tget_class(a->type) != H5T_STRING) return refuse(c, object, name, "should be a text");
  const htri_t is_long = H5Tis_variable_str(a->type);
  const H5T_cset_t characters = H5Tget_cset(a->type);
  const hid_t memory_type = H5Tcopy(H5T_C_S1);
  if (is_long < 0 || characters < 0 || memory_type < 0) {
    return trm_h5_fail(c, 0, "read the attribute", name);
  }
  trm_status status = TRM_OK;
  if (H5Tset_cset(memory_type, characters) < 0) {
    status = trm_h5_fail(c, 0, "read the attribute", name);
  } else if (is_long) {
    status = read_long_text(c, object, name, a, memory_type, text);
  } else {
    status = read_fixed_text(c, object, name, a, memory_type, text);
  }
  if (H5Tclose(memory_type) < 0 && status == TRM_OK) {
    TRM_FREE(*text);
    status = trm_h5_fail(c, 0, "read the attribute", name);
  }
  return status;
}

trm_status trm_attr_read_int(trm_container *c, const char *object, const char *name, int64_t *v) {
  open_attr a = {-1, -1, -1};
  trm_h5_lock();
  const trm_status status = read_int(c, object, name, &a, v);
  close_attr(c, &a);
  trm_h5_unlock();
  return status;
}

trm_status trm_attr_read_real(trm_container *c, const char *object, const char *name, double *v) {
  open_attr a = {-1, -1, -1};
  trm_h5_lock();
  const trm_status status = read_real(c, object, name, &a, v);
  close_attr(c, &a);
  trm_h5_unlock();
  return status;
}

trm_status trm_attr_read_text(trm_container *c, const char *object, const char *name, char **text) {
  open_attr a = {-1, -1, -1};
  char *found = NULL;
  trm_h5_lock();
  const trm_status status = read_text(c, object, name, &a, &found);
  close_attr(c, &a);
  trm_h5_unlock();
  if (status == TRM_OK) *text = found;
  return status;
}

bool trm_attr_has(trm_container *c, const char *object, const char *name) {
  open_attr a = {-1, -1, -1};
  trm_h5_lock();
  const bool there =
      trm_h5_open_object(c, object, &a.object) == TRM_OK && H5Aexists(a.object, name) > 0;
  close_attr(c, &a);
  trm_h5_unlock();
  return there;
}

/* Opens `object`, first making the group if nothing is there. */
static trm_status open_or_make(trm_container *c, const char *object, hid_t *out) {
  if (trm_h5_find(c, object) != TRM_H5_MISSING) return trm_h5_open_object(c, object, out);
  const hid_t path = trm_h5_path_properties();
  const int injected = trm_io_fault();
  trm_status status = TRM_OK;
  if (path >= 0 && !injected) *out = H5Gcreate2(c->file, object, path, H5P_DEFAULT, H5P_DEFAULT);
  if (*out < 0) status = trm_h5_fail(c, injected, "create", object);
  if (path >= 0 && H5Pclose(path) < 0 && status == TRM_OK) {
    status = trm_h5_fail(c, 0, "create", object);
  }
  return status;
}

/* Writes one value; `memory_type` and `file_type` describe it. */
static trm_status write_value(trm_container *c, const char *object, const char *name,
                              hid_t file_type, hid_t memory_type, const void *value) {
  hid_t holder = -1, attr = -1;
  TRM_TRY(trm_h5_reserve(c, (int64_t)H5Tget_size(file_type), "write the attribute", name));
  const hid_t space = H5Screate(H5S_SCALAR);
  trm_status status = TRM_OK;
  if (space < 0) status = trm_h5_fail(c, 0, "write the attribute", name);
  if (status == TRM_OK) status = open_or_make(c, object, &holder);
  if (status == TRM_OK) {
    const int injected = trm_io_fault();
    if (!injected) attr = H5Acreate2(holder, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attr < 0 || H5Awrite(attr, memory_type, value) < 0) {
      status = trm_h5_fail(c, injected, "write the attribute", name);
    }
  }
  bool closed = attr < 0 || H5Aclose(attr) >= 0;
  closed = (holder < 0 || H5Oclose(holder) >= 0) && closed;
  closed = (space < 0 || H5Sclose(space) >= 0) && closed;
  if (!closed && status == TRM_OK) status = trm_h5_fail(c, 0, "write the attribute", name);
  return status;
}

/* The same under the lock, for a container that may be written and has not failed. */
static trm_status write_checked(trm_container *c, const char *object, const char *name,
                                hid_t file_type, hid_t memory_type, const void *value) {
  if (!c->writable) return trm_fail(TRM_ERR_ARG, "%s: is open for reading only", c->path);
  if (c->first_failure != TRM_OK) { /* invariant 4 */
    trm_message_set(c->first_message);
    return c->first_failure;
  }
  return write_value(c, object, name, file_type, memory_type, value);
}

trm_status trm_attr_write_int(trm_container *c, const char *object, const char *name, int64_t v) {
  trm_h5_lock();
  const trm_status status = write_checked(c, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &v);
  trm_h5_unlock();
  return status;
}

trm_status trm_attr_write_real(trm_container *c, const char *object, const char *name, double v) {
  trm_h5_lock();
  const trm_status status = write_checked(c, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &v);
  trm_h5_unlock();
  return status;
}

/* A fixed-length string: variable ones live in a heap whose damage HDF5 notices late. */
static trm_status write_text(trm_container *c, const char *object, const char *name,
                             const char *text) {
  const size_t bytes = strlen(text);
  if (bytes > MAX_WRITTEN_TEXT_BYTES) {
    return trm_fail(TRM_ERR_ARG, "%s: attribute '%s' would have %zu bytes, at most %d fit", c->path,
                    name, bytes, MAX_WRITTEN_TEXT_BYTES);
  }
  const hid_t type = H5Tcopy(H5T_C_S1);
  trm_status status = TRM_OK;
  if (type < 0 || H5Tset_size(type, bytes ? bytes : 1) < 0 ||
      H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
    status = trm_h5_fail(c, 0, "write the attribute", name);
  }
  if (status == TRM_OK) status = write_checked(c, object, name, type, type, text);
  if (type >= 0 && H5Tclose(type) < 0 && status == TRM_OK) {
    status = trm_h5_fail(c, 0, "write the attribute", name);
  }
  return status;
}

trm_status trm_attr_write_text(trm_container *c, const char *object, const char *name,
                               const char *text) {
  trm_h5_lock();
  const trm_status status = write_text(c, object, name, text);
  trm_h5_unlock();
  return status;
}

/* ---- all of an object ------------------------------------------------------------------------ */

static trm_status attr_type(trm_container *c, const char *object, const char *name,
                            trm_attr_type *type) {
  open_attr a = {-1, -1, -1};
  trm_status status = find_attr(c, object, name, &a);
  if (status == TRM_OK) {
    const H5T_class_t kind = H5Tget_class(a.type);
    *type = kind == H5T_STRING         ? TRM_ATTR_TEXT
            : !is_number_class(a.type) ? TRM_ATTR_OTHER
            : kind == H5T_INTEGER      ? TRM_ATTR_INT
                                       : TRM_ATTR_REAL;
  }
  close_attr(c, &a);
  return status;
}

/* Name of attribute number i, in a counted block. */
static trm_status attr_name(trm_container *c, const char *object, hsize_t i, char **name) {
  hid_t id;
  TRM_TRY(trm_h5_open_object(c, object, &id));
  trm_status status = TRM_OK;
  const ssize_t n =
      H5Aget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, i, NULL, 0, H5P_DEFAULT);
  if (n < 0 || n > MAX_WRITTEN_TEXT_BYTES) {
    status = trm_h5_fail(c, 0, "read the names of attributes of", object);
  } else {
    status = TRM_ALLOC(name, n + 1, "name of an attribute");
  }
  if (status == TRM_OK && H5Aget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, i, *name,
                                             (size_t)n + 1, H5P_DEFAULT) < 0) {
    status = trm_h5_fail(c, 0, "read the names of attributes of", object);
  }
  if (H5Oclose(id) < 0) c->damaged = true;
  return status;
}

static trm_status count_attrs(trm_container *c, const char *object, hsize_t *n) {
  hid_t id;
  TRM_TRY(trm_h5_open_object(c, object, &id));
  const int got = H5Aget_num_attrs(id); /* H5Oget_info has other arguments from HDF5 1.12 on */
  if (H5Oclose(id) < 0) c->damaged = true;
  if (got < 0) return trm_h5_fail(c, 0, "count the attributes of", object);
  *n = (hsize_t)got;
  return TRM_OK;
}

trm_status trm_attr_visit(trm_container *c, const char *object, trm_attr_visitor visit,
                          void *context) {
  hsize_t n = 0;
  trm_h5_lock();
  trm_status status = count_attrs(c, object, &n);
  trm_h5_unlock();
  for (hsize_t i = 0; i < n && status == TRM_OK; ++i) {
    char *name = NULL;
    trm_attr_type type = TRM_ATTR_OTHER;
    trm_h5_lock();
    status = attr_name(c, object, i, &name);
    if (status == TRM_OK) status = attr_type(c, object, name, &type);
    trm_h5_unlock();
    if (status == TRM_OK) status = visit(context, name, type);
    TRM_FREE(name);
  }
  return status;
}
