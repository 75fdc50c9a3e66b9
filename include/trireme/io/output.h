/**
 * Files that a user names to be written (-o): what of the user's must not be lost by it.
 * Not collective: one process looks, and writes.
 */
#ifndef TRIREME_IO_OUTPUT_H
#define TRIREME_IO_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trireme/core/status.h"

/** Whether a regular file is one that the program wrote, and may write anew. */
typedef bool (*trm_output_made)(const char *path);

/** A file to be written. */
typedef struct trm_output_rule {
  const char *command;       /* in messages: "predict" */
  trm_output_made made;      /* NULL: such files have no mark, so none is known as ours */
  bool force;                /* files that we did not make are replaced */
  const char *const *inputs; /* files that are read; one that is not there is passed over */
  int n_inputs;
} trm_output_rule;

/**
 * Whether `path` may be written: its folder is there; nothing is there by that name, or an empty file,
 * or one that `made` knows, or any file with `force`; and never an input, by whatever name. Removes
 * what interrupted writers of the same file left beside it (trm_file_sweep).
 * @return TRM_ERR_USAGE for an input or a file of the user's, TRM_ERR_IO for a folder or device
 */
trm_status trm_output_check(const trm_output_rule *rule, const char *path);
/** The same for an output that is none of the inputs, whoever made it. */
trm_status trm_output_check_place(const char *path, const char *const *inputs, int n_inputs);

/** Whether the text stands in the first 4,096 bytes of a file; false when it cannot be read. */
bool trm_file_begins_with(const char *path, const char *mark);

/** Name beside `path` under which it is written at first: "folder/.name.tmp-<process>".
 *  @return TRM_ERR_IO when it does not fit into out[size] */
trm_status trm_file_temporary(const char *path, char *out, size_t size);
/** Removes such files of `path` whose process is gone and which nobody else has locked; what cannot be
 *  removed stays. */
void trm_file_sweep(const char *path);
/** Removes `temporary` when a signal (HUP, INT, TERM) ends the process; NULL: nothing any more. For
 *  programs that do nothing else with these signals; the one path of a process. */
void trm_file_remove_at_signal(const char *temporary);

#endif
