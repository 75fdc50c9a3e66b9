/**
 * Private to src/ckpt: names of files, the format, the snapshot. The numbered invariants are those of
 * include/trireme/ckpt/ckpt.h.
 */
#ifndef TRIREME_SRC_CKPT_INTERNAL_H
#define TRIREME_SRC_CKPT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/ckpt/ckpt.h"
#include "trireme/io/container.h"

enum { TRM_CKPT_NAME_BYTES = 64, TRM_CKPT_FORMAT = 1, TRM_CKPT_PIECE_BYTES = 4 << 20 };

/* names.c */

/** "step_00000200.h5"; steps of more than 8 digits are written in full. */
void trm_ckpt_name(int64_t step, char out[TRM_CKPT_NAME_BYTES]);
/** Whether `name` is one of those; *step is its number. */
bool trm_ckpt_name_parse(const char *name, int64_t *step);
/** Steps of the checkpoints in a folder, ascending; *steps is a counted block. */
trm_status trm_ckpt_list(const char *folder, int64_t **steps, int *n_steps);
/** Removes temporary files that a killed writer left. */
trm_status trm_ckpt_sweep(const char *folder);

/* digest.c */

/** Running digest of an array: XXH3-64 of pieces of TRM_CKPT_PIECE_BYTES, each seeded with the one
 *  before. An array of up to one piece has the plain XXH3-64. */
uint64_t trm_ckpt_data_digest(const void *data, int64_t bytes);
/** What an array adds to the digest of the list of arrays (a sum, so that order does not count). */
uint64_t trm_ckpt_entry_digest(const char *name, const trm_array_info *array, uint64_t digest);
/** Digest of all that /run says and of all facts, each type in the order of their names. n_arrays and
 *  arrays_digest belong to it.
 *  @param[in] names  false: without the names and the arrays, as files had it before there were facts */
uint64_t trm_ckpt_facts_digest(const trm_ckpt_info *info, int64_t n_arrays, uint64_t arrays_digest,
                               bool names);

/** A digest as an attribute: 16 hexadecimal digits. */
trm_status trm_ckpt_digest_write(trm_container *file, const char *object, const char *name,
                                 uint64_t digest);
trm_status trm_ckpt_digest_read(trm_container *file, const char *object, const char *name,
                                uint64_t *digest);

/* write.c */

/** Writes a whole file at `path` and seals it; on failure nothing is left there. */
trm_status trm_ckpt_write(const char *path, const trm_ckpt_info *info, const trm_region *regions,
                          int n_regions);

/* axes.c */

/** Axes that the file says array `name` has; UNSAID where it says none that are known. */
trm_status trm_ckpt_axes_read(trm_container *file, const char *name, trm_axes *axes);
/** Says them, if there are any to say. */
trm_status trm_ckpt_axes_write(trm_container *file, const char *name, trm_axes axes);
/** Whether the file has a region's matrix the other way round. */
trm_status trm_ckpt_axes_other(trm_container *file, const char *name, const trm_region *region,
                               bool *other);
/** Turns a matrix [rows, columns] where it lies: [columns, rows]. @return TRM_ERR_MEMORY */
trm_status trm_ckpt_turn(float *matrix, int64_t rows, int64_t columns);

/* read.c */

/** Whether an array of a file is a region, by its name there ("/model/..."); else it is a fact. */
bool trm_ckpt_is_region(const char *name);
/** Opens a file whose seal, if it has one, is whole, and which says it is a checkpoint. */
trm_status trm_ckpt_open(const char *path, trm_container **out);
trm_status trm_ckpt_info_read(trm_container *file, trm_ckpt_info *info);
trm_status trm_ckpt_regions_read(trm_container *file, const trm_region *regions, int n_regions);

/* snapshot.c */

/** A copy of all that is to be written, in blocks that are kept from save to save. */
typedef struct trm_ckpt_snapshot {
  trm_ckpt_info info;  /* texts point into `small` */
  trm_region *regions; /* names into `small`, data into `large` */
  int n_regions;
  unsigned char *small, *large;
  int64_t regions_capacity, small_capacity, large_capacity;
} trm_ckpt_snapshot;

trm_status trm_ckpt_snapshot_take(trm_ckpt_snapshot *snapshot, const trm_ckpt_info *info,
                                  const trm_region *regions, int n_regions);
void trm_ckpt_snapshot_release(trm_ckpt_snapshot *snapshot);

/** Number of elements of a region; -1 when its shape is impossible. */
int64_t trm_region_elements(const trm_region *region);

#endif
