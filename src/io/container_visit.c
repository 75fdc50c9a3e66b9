/* Walking over every array of a file. */
#include <stdio.h>
#include <string.h>

#include "container_internal.h"
#include "trireme/core/memory.h"

/* A file with more is either not ours or has a group that contains itself. */
enum { MAX_DEPTH = 32, MAX_OBJECTS = 100000 };

/* Names found so far. HDF5 is asked for them under the lock, and the visitor is called without. */
typedef struct name_list {
  char **names; /* owned, and each name */
  int64_t n, capacity;
} name_list;

static trm_status append(name_list *list, const char *name) {
  if (list->n == list->capacity) {
    const int64_t capacity = list->capacity ? 2 * list->capacity : 64;
    char **grown = NULL;
    TRM_TRY(TRM_ALLOC(&grown, capacity, "the names in a file"));
    if (list->n > 0) memcpy(grown, list->names, (size_t)list->n * sizeof *grown);
    TRM_FREE(list->names);
    list->names = grown;
    list->capacity = capacity;
  }
  const size_t bytes = strlen(name) + 1;
  char *copy = NULL;
  TRM_TRY(TRM_ALLOC(&copy, (int64_t)bytes, "a name in a file"));
  memcpy(copy, name, bytes);
  list->names[list->n++] = copy;
  return TRM_OK;
}

static void release(name_list *list) {
  for (int64_t i = 0; i < list->n; ++i) TRM_FREE(list->names[i]);
  TRM_FREE(list->names);
}

/* A walk over the objects of a file. */
typedef struct walk {
  trm_container *c;
  trm_h5_object_visitor visit;
  void *context;
  int64_t n_objects;
  char path[TRM_MAX_PATH_IN_FILE];
} walk;

static trm_status walk_group(walk *w, hid_t group, size_t n_path, int depth);

/* The first n_path bytes of w->path name an object. */
static trm_status walk_object(walk *w, size_t n_path, int depth) {
  if (depth > MAX_DEPTH || ++w->n_objects > MAX_OBJECTS) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: more than %d objects or %d levels, or a group that contains itself (at "
                    "'%s')",
                    w->c->path, MAX_OBJECTS, MAX_DEPTH, w->path);
  }
  hid_t object = -1;
  TRM_TRY(trm_h5_open_object(w->c, w->path, &object));
  trm_status status = w->visit(w->context, w->c, object, w->path);
  if (status == TRM_OK && H5Iget_type(object) == H5I_GROUP) {
    status = walk_group(w, object, n_path, depth);
  }
  if (H5Oclose(object) < 0 && status == TRM_OK) status = trm_h5_fail(w->c, 0, "close", w->path);
  return status;
}

/* The names of a group's members. */
static trm_status list_members(trm_container *c, const char *name, name_list *list) {
  char member[TRM_MAX_PATH_IN_FILE];
  H5G_info_t info;
  if (H5Gget_info_by_name(c->file, name, &info, H5P_DEFAULT) < 0) {
    return trm_fail(TRM_ERR_DATA, "%s: '%s' is not a group", c->path, name);
  }
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const ssize_t n = H5Lget_name_by_idx(c->file, name, H5_INDEX_NAME, H5_ITER_INC, i, member,
                                         sizeof member, H5P_DEFAULT);
    if (n < 0) return trm_h5_fail(c, 0, "list", name);
    if (i >= MAX_OBJECTS || (size_t)n >= sizeof member) {
      return trm_fail(TRM_ERR_DATA, "%s: '%s' has more than %d members, or one of a name too long",
                      c->path, name, MAX_OBJECTS);
    }
    TRM_TRY(append(list, member));
  }
  return TRM_OK;
}

/* Tells the names of a list, unless making it failed, and frees it. HDF5 is not held meanwhile: who is told
 * may read. */
static trm_status visit_all(name_list *list, trm_status status, trm_member_visitor visit,
                            void *context) {
  for (int64_t i = 0; i < list->n && status == TRM_OK; ++i) {
    status = visit(context, list->names[i]);
  }
  release(list);
  return status;
}

trm_status trm_container_members(trm_container *container, const char *name,
                                 trm_member_visitor visit, void *context) {
  name_list list = {0};
  trm_h5_lock();
  const trm_status status = list_members(container, name, &list);
  trm_h5_unlock();
  return visit_all(&list, status, visit, context);
}

static trm_status walk_group(walk *w, hid_t group, size_t n_path, int depth) {
  H5G_info_t info;
  if (H5Gget_info(group, &info) < 0) return trm_h5_fail(w->c, 0, "list", w->path);
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    char *path = w->path;
    const size_t at = n_path > 1 ? n_path + 1 : 1; /* behind the slash */
    const size_t room = sizeof w->path - at;
    const ssize_t n =
        H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, path + at, room, H5P_DEFAULT);
    if (n < 0 || (size_t)n >= room) {
      path[n_path] = 0;
      if (n < 0) return trm_h5_fail(w->c, 0, "list", path);
      return trm_fail(TRM_ERR_DATA, "%s: a name below '%s' is too long", w->c->path, path);
    }
    path[at - 1] = '/';
    TRM_TRY(walk_object(w, at + (size_t)n, depth + 1));
    path[n_path] = 0;
  }
  return TRM_OK;
}

trm_status trm_h5_walk(trm_container *c, trm_h5_object_visitor visit, void *context) {
  walk w = {.c = c, .visit = visit, .context = context, .path = "/"};
  return walk_object(&w, 1, 0);
}

static trm_status note_array(void *context, trm_container *c, hid_t object, const char *path) {
  (void)c;
  return H5Iget_type(object) == H5I_DATASET ? append(context, path) : TRM_OK;
}

trm_status trm_container_names(trm_container *container, trm_member_visitor visit, void *context) {
  name_list list = {0};
  trm_h5_lock();
  const trm_status status = trm_h5_walk(container, note_array, &list);
  trm_h5_unlock();
  return visit_all(&list, status, visit, context);
}

trm_status trm_container_visit(trm_container *container, trm_array_visitor visit, void *context) {
  name_list list = {0};
  trm_h5_lock();
  trm_status status = trm_h5_walk(container, note_array, &list);
  trm_h5_unlock();
  for (int64_t i = 0; i < list.n && status == TRM_OK; ++i) {
    trm_array_info info;
    status = trm_array_info_get(container, list.names[i], &info);
    if (status == TRM_OK) status = visit(context, list.names[i], &info);
  }
  release(&list);
  return status;
}
