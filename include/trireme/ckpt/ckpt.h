/**
 * Checkpoints: named float arrays plus a few facts about the run, one HDF5 file each.
 *
 * Invariants
 *  1. A file under its final name is complete: it was written to a temporary name, closed, fsynced,
 *     renamed, and the folder fsynced.
 *  2. Nothing is deleted before a newer checkpoint is complete; the best one is never deleted by
 *     the rule of the newest K.
 *  3. Every array has a stored XXH3-64 digest, and the attributes as a whole have one; nothing that
 *     fails its digest is used.
 *  4. Loading takes no memory sized by the file: shapes must equal what is expected. Facts are the
 *     exception; their arrays are bounded by the bytes in the file, and by 2^26 elements.
 *  5. The snapshot is a copy: training goes on while it is written, and never writes into it.
 *  6. Only files this module wrote (by name pattern) are ever removed.
 *
 *  IDLE --trm_ckpt_save--> WRITING --(writer thread)--> PUBLISHED or FAILED --trm_ckpt_wait--> IDLE
 */
#ifndef TRIREME_CKPT_CKPT_H
#define TRIREME_CKPT_CKPT_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/ckpt/facts.h"
#include "trireme/comm/comm.h"
#include "trireme/core/status.h"

/** What the two axes of a matrix of weights are; files say it beside the array. */
typedef enum trm_axes {
  TRM_AXES_UNSAID,
  TRM_AXES_OUTPUTS_INPUTS,
  TRM_AXES_INPUTS_OUTPUTS,
} trm_axes;

/** A named region of memory: "model/wte/weight", float32, row-major. Regions lie in groups of the file
 *  called model, optimizer and average; arrays elsewhere in it are facts. A matrix whose axes the file
 *  has the other way round is turned as it is read. */
typedef struct trm_region {
  const char *name; /* borrowed */
  int n_dims;
  int64_t dims[4];
  float *data;       /* borrowed; const when saving */
  trm_axes axes;     /* as dims has them */
  trm_axes axes_old; /* in files from before axes were said; UNSAID: the same */
} trm_region;

/** What a checkpoint says about the run. Texts are owned by the struct (trm_ckpt_info_free). */
typedef struct trm_ckpt_info {
  int64_t step; /* updates done */
  uint64_t seed;
  uint64_t data_digest;
  uint64_t weights_hash; /* trm_params_hash of the weights in it */
  uint64_t samples_hash; /* of the samples of its last step, 0 at step 0 */
  double best_value; /* of the best evaluation, the lower the better: a loss in nats, a score, or
                            minus one of which more is better; NaN: none yet */
  int64_t best_step;
  int64_t eval_step; /* last evaluated, -1: never */
  char *config_text; /* resolved YAML */
  char *program_version;
  char *fingerprint; /* what the bits depend on, in words */
  trm_facts facts;   /* what the task hands over; owned */
} trm_ckpt_info;
void trm_ckpt_info_free(trm_ckpt_info *info);

typedef struct trm_ckpt_store trm_ckpt_store;

/** Regions below `group` ("model") in a file, by name, with the axes it says, without data; *regions and
 *  *names are counted blocks.
 *  @return TRM_ERR_DATA, also when there are none, or more than the file can hold */
trm_status trm_ckpt_list_regions(const char *path, const char *group, trm_region **regions,
                                 char **names, int *n);
/** Writes a file that is no part of a run's folder, atomically. */
trm_status trm_ckpt_publish(const char *path, const trm_ckpt_info *info, const trm_region *regions,
                            int n_regions);

/**
 * A folder of checkpoints "step_00000200.h5", of which the newest `keep` >= 1 stay, and "best.h5" (a
 * hard link or copy). Makes the folder; sweeps temporary files left by a killed writer of it. Not
 * collective: only rank 0 has one.
 *
 * Newest means of those up to the step last saved: files of later steps, left from before a run was
 * taken back to an earlier checkpoint, are neither counted nor removed until saving passes them.
 */
trm_status trm_ckpt_store_open(const char *folder, int keep, trm_ckpt_store **out);
/** From now on the store sees whether there is room before it writes, and tries what has failed once more,
 *  a second later: others may have filled the disk for a moment, or a server of files been away. */
void trm_ckpt_store_guard(trm_ckpt_store *store);
/** From now on what has been written to the file folder/name is brought to disk before a checkpoint is put
 *  in place: the rows of a run's tables up to its step. At most TRM_CKPT_COMPANIONS files. */
enum { TRM_CKPT_COMPANIONS = 4 };
trm_status trm_ckpt_accompany(trm_ckpt_store *store, const char *folder, const char *name);
/** Waits for a write under way; reports its failure. */
trm_status trm_ckpt_store_close(trm_ckpt_store **store);

/**
 * Copies the regions and writes them on a background thread. If a write is still under way, waits
 * for it first and reports its failure. `best` also makes the file the kept best one.
 */
trm_status trm_ckpt_save(trm_ckpt_store *store, const trm_ckpt_info *info,
                         const trm_region *regions, int n_regions, bool best);
/**
 * Whether the file system of the folder has room for `n_files` checkpoints of these regions.
 * @return TRM_ERR_IO with the sizes
 */
trm_status trm_ckpt_check_room(const trm_ckpt_store *store, const trm_region *regions,
                               int n_regions, int n_files);
/** Checkpoints of these steps are kept, besides the newest, from the next save on; waits as it does. At
 *  most TRM_CKPT_HELD of them. */
enum { TRM_CKPT_HELD = 64 };
trm_status trm_ckpt_hold(trm_ckpt_store *store, const double *steps, int n);
/** Whether a write is under way. When one has ended badly, returns its failure, once; without
 *  waiting. */
trm_status trm_ckpt_poll(trm_ckpt_store *store, bool *writing);
/** Waits for the write under way, if any, and reports how it went. */
trm_status trm_ckpt_wait(trm_ckpt_store *store);
/** Seconds of the last write, and step of the newest published checkpoint (-1: none). */
double trm_ckpt_write_s(const trm_ckpt_store *store);
int64_t trm_ckpt_newest_step(const trm_ckpt_store *store);

/** Reads the facts only, checked against their digest. *info is filled (trm_ckpt_info_free). */
trm_status trm_ckpt_read_info(const char *path, trm_ckpt_info *info);
/** Reads every region, checked against shape and digest; names the region at fault. A file with
 *  regions that are not asked for is fine. After a failure the contents of the regions are
 *  undefined and must not be used. */
trm_status trm_ckpt_read_regions(const char *path, const trm_region *regions, int n_regions);

/** Calls `visit` for the name ("model/wte/weight") and shape of every region of the model in a file;
 *  stops at a failure. */
typedef trm_status (*trm_ckpt_visitor)(void *context, const char *name, int n_dims,
                                       const int64_t *dims);
trm_status trm_ckpt_visit_model(const char *path, trm_ckpt_visitor visit, void *context);

/**
 * Path of the newest checkpoint in `folder` that passes every digest, into path[size]. Damaged ones
 * are passed over, and each is told to `report` (may be NULL) with its message.
 * @return TRM_ERR_DATA when there are files but none is good; TRM_OK with path "" when there is none
 */
trm_status trm_ckpt_find_newest(const char *folder, char *path, size_t size,
                                void (*report)(void *context, const char *message), void *context);
/** Reads and checks all of a file without keeping it. */
trm_status trm_ckpt_verify(const char *path);

/** Rank 0 reads, all receive: regions and info. Collective; regions' names and shapes are equal on
 *  all ranks. */
trm_status trm_ckpt_load_all(trm_comm *comm, const char *path, trm_ckpt_info *info,
                             const trm_region *regions, int n_regions);

#endif
