/**
 * Private to the container: the one lock, the handle, error texts of HDF5.
 *
 * Invariants
 *  1. Every HDF5 call is made while the lock is held; the lock is not recursive, so public functions
 *     lock and static ones do not, and no caller's function is called under it.
 *  2. Nothing is opened whose path has a link that is not a hard one.
 *  3. At close, no object of the file is open.
 *  4. Once a write has failed, every later write and the close report that failure.
 *  5. Room on disk is reserved before HDF5 is told to write: a full disk fails our call, not the
 *     library's, which does not recover from it (a failed flush makes the close fail and leaves
 *     handles to freed memory behind, seen with 1.10.8).
 */
#ifndef TRIREME_SRC_CONTAINER_INTERNAL_H
#define TRIREME_SRC_CONTAINER_INTERNAL_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "trireme/io/container.h"

enum {
  TRM_MAX_PATH_IN_FILE = 1024,
  /* Of unpacked chunks, for each array. */
  TRM_H5_CACHE_BYTES = 16 << 20,
  TRM_H5_CACHE_SLOTS = 4099,
};
#define TRM_H5_CACHE_BIAS 0.75 /* chunks that were read whole are the first to go */

/** An open array. `memory_type` is the type of our own that holds every stored value. */
typedef struct trm_h5_array {
  hid_t dataset, memory_type; /* dataset < 0: none; memory_type is predefined, not owned */
  int64_t row_bytes; /* of the unpacked chunks that reading in order comes back to; 0: none */
  trm_array_info info;
  char name[TRM_MAX_PATH_IN_FILE];
} trm_h5_array;

struct trm_container {
  hid_t file;
  char *path; /* owned */
  bool writable;
  bool damaged;             /* an HDF5 call failed: its own handles are no longer counted on */
  int64_t file_bytes;       /* when opened for reading */
  int64_t reserved_bytes;   /* when opened for writing: room the disk has promised */
  trm_h5_array array;       /* the last array used stays open: loaders read it again and again */
  trm_status first_failure; /* of a write */
  char first_message[TRM_MESSAGE_BYTES];
};

/** Takes the lock; the first time also sets the library up. */
void trm_h5_lock(void);
void trm_h5_unlock(void);

/** Why the last HDF5 call of this thread failed. */
typedef struct trm_h5_reason {
  char text[160];         /* the innermost record, on one line */
  int error;              /* errno of the system call underneath, 0 if none */
  int64_t expected_bytes; /* length the header gives when the file is shorter, else 0 */
} trm_h5_reason;
trm_h5_reason trm_h5_reason_get(void);

/**
 * The failure of an HDF5 call: "<path>: cannot <doing> '<object>': <reason>". A failed write of a
 * writable container is remembered (invariant 4). `injected` is an errno from trm_io_fault or 0.
 */
trm_status trm_h5_fail(trm_container *c, int injected, const char *doing, const char *object);
/** The same for a message already made by trm_fail. */
trm_status trm_h5_fail_again(trm_container *c, trm_status status);

/** Makes sure that `bytes` more fit on the disk, and the structures around them (invariant 5). */
trm_status trm_h5_reserve(trm_container *c, int64_t bytes, const char *doing, const char *object);

/** What stands at a path inside the file. */
typedef enum trm_h5_found { TRM_H5_MISSING, TRM_H5_THERE, TRM_H5_FOREIGN_LINK } trm_h5_found;
trm_h5_found trm_h5_find(trm_container *c, const char *name);

/** Opens what stands at `name` ("/" too), refusing foreign links; the caller closes *object. */
trm_status trm_h5_open_object(trm_container *c, const char *name, hid_t *object);

/** Opens and examines the array, or finds it open; c->array holds it. */
trm_status trm_h5_array_use(trm_container *c, const char *name);
void trm_h5_array_drop(trm_container *c);
/** Fills in memory_type and info of the open `array`, and refuses what is not to be trusted: foreign
 *  storage, types other than numbers, shapes that are not backed by bytes in the file. */
trm_status trm_h5_array_examine(trm_container *c, trm_h5_array *array);

/** Calls `visit` for every object of the file from "/" down, parents first, names in order; under the
 *  lock (invariant 1: `visit` must not call public functions). Named types are visited too. */
typedef trm_status (*trm_h5_object_visitor)(void *context, trm_container *c, hid_t object,
                                            const char *path);
trm_status trm_h5_walk(trm_container *c, trm_h5_object_visitor visit, void *context);

/** Property list of arrays without times, so that the same data make the same file. As the next one. */
hid_t trm_h5_array_properties(void);
/** Property list that makes the groups on a path. The caller closes it; < 0 on failure. */
hid_t trm_h5_path_properties(void);

/** A type of ours in memory, and in files (little endian). Predefined, not to be closed. */
/** Whether a type is an enumeration of FALSE = 0 and TRUE = 1 in a byte, as h5py stores booleans. */
bool trm_h5_is_boolean(hid_t type);
hid_t trm_h5_memory_type(trm_dtype dtype);
hid_t trm_h5_file_type(trm_dtype dtype);

#endif
