/**
 * Private to src/io: system calls that tests can make fail, and error texts.
 *
 * Every call of this module that can fail because of the disk passes trm_io_fault(), so a test can
 * fail the n-th one and look at what is left behind. The counter and the
 * switch of trm_io_reserve are global state, at rest unless a test sets them.
 */
#ifndef TRIREME_SRC_IO_INTERNAL_H
#define TRIREME_SRC_IO_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "trireme/core/status.h"

/** Lets `after` I/O calls pass and fails the one behind them with errno `error`; after < 0: none. */
void trm_io_fault_set(int64_t after, int error);
/** Whether the armed fault has struck. */
bool trm_io_fault_struck(void);
/** To be asked once per I/O call: 0, or the errno it shall fail with. */
int trm_io_fault(void);

/* As in libc, with the fault in front. trm_io_close closes in any case. */
int trm_io_open(const char *path, int flags, mode_t mode);
int trm_io_close(int fd);
int trm_io_fsync(int fd);
ssize_t trm_io_write(int fd, const void *data, size_t bytes);
ssize_t trm_io_read(int fd, void *data, size_t bytes);
int trm_io_rename(const char *from, const char *to);
int trm_io_unlink(const char *path);
int trm_io_link(const char *from, const char *to);
int trm_io_mkdir(const char *path, mode_t mode);

/** Reserves the first `bytes` bytes of a file without changing its length. 0 also where the file
 *  system cannot do it, or for a test that has switched it off. -1 with errno set. */
int trm_io_reserve(int fd, int64_t bytes);
void trm_io_reserve_switch(bool on);

/** Writes all of it; false with errno set. */
bool trm_io_write_all(int fd, const void *data, size_t bytes);

enum { TRM_IO_ERROR_BYTES = 128 };
/** Text of an errno, beginning in lower case, in `text`. */
const char *trm_io_error_text(int error, char text[TRM_IO_ERROR_BYTES]);

/** TRM_ERR_IO, or TRM_ERR_MISSING for ENOENT, with the message "<path>: <what>: <text of errno>". */
trm_status trm_io_fail(const char *path, const char *what);

/** fsync of the folder that holds `path`; 0 or -1 with errno set. */
int trm_io_fsync_parent(const char *path);
/** "folder/.name.tmp-<pid>" for "folder/name"; false when it does not fit. */
bool trm_io_temporary_name(const char *path, char *out, size_t size);

#endif
