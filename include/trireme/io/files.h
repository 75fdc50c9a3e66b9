/**
 * Files and folders: atomic publication, folders, listings. Every libc return is checked.
 * Not collective. All fail with TRM_ERR_IO, with path and reason, or TRM_ERR_MEMORY, unless said
 * otherwise.
 */
#ifndef TRIREME_IO_FILES_H
#define TRIREME_IO_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trireme/core/status.h"

/** Whether something may be published at `path`: a new name, a regular file, or a link to one.
 *  @return TRM_ERR_IO for a folder, device, pipe, or a link that leads nowhere */
trm_status trm_file_check_target(const char *path);
/**
 * Publishes a finished temporary file: fsync(temporary), rename to `path`, fsync of the folder. A link
 * at `path` stays, and what it leads to is replaced; what trm_file_check_target refuses is refused.
 * After success `path` is complete on disk; after failure `path` is what it was before and the
 * temporary file is removed. One exception: when only the last step, the fsync of the folder,
 * fails, `path` is already the new file, complete; a power cut could still bring the old one back.
 */
trm_status trm_file_publish(const char *temporary, const char *path);

/** Brings what has been written to a file to disk (fsync). One that is not there is fine. */
trm_status trm_file_sync(const char *path);

/** Gives the file `source` the second name `path`, atomically: a hard link, or a copy where the file
 *  system has none. A file that was at `path` is replaced. */
trm_status trm_file_link(const char *source, const char *path);

/** Removes a file; one that is not there is fine. */
trm_status trm_file_remove(const char *path);

/** Writes data[bytes] to `path` by a temporary name and trm_file_publish. */
trm_status trm_file_write_atomic(const char *path, const void *data, size_t bytes);

/** Reads a whole file; *data is a counted block (TRM_FREE) with a 0 byte after the end.
 *  Names a missing, unreadable, or non-regular file; refuses more than max_bytes (TRM_ERR_DATA). */
trm_status trm_file_read_all(const char *path, int64_t max_bytes, char **data, int64_t *bytes);
/** Reads what a file begins with: start[*bytes], fewer than `most` where it is shorter. Names the same
 *  files as trm_file_read_all. */
trm_status trm_file_read_start(const char *path, void *start, int64_t most, int64_t *bytes);

/** Makes a folder and its parents; an existing folder is fine. */
trm_status trm_folder_make(const char *path);
/** Whether there is anything at `path`; links are followed. */
bool trm_path_exists(const char *path);

/** Names in a folder that begin with `prefix` and end with `suffix`, sorted; *names and each name
 *  in one counted block (TRM_FREE(*names)). */
trm_status trm_folder_list(const char *path, const char *prefix, const char *suffix, char ***names,
                           int *n_names);

/** Joins folder and name into out[size]; TRM_ERR_IO when it does not fit. */
trm_status trm_path_join(char *out, size_t size, const char *folder, const char *name);

#endif
