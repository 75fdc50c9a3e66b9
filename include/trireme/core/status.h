/**
 * Status codes, the first failure's message, assertions.
 *
 * Three kinds of trouble, three treatments: a bug in our code is a TRM_ASSERT; the world not as
 * needed (file, memory, configuration, peer) is a trm_status with one message; a numerical event
 * (loss not finite) is a field of a result, never a status below `train`.
 */
#ifndef TRIREME_CORE_STATUS_H
#define TRIREME_CORE_STATUS_H

#include <stdbool.h>
#include <stddef.h>

/* One list: enum name, value, exit code of the program (sysexits.h), text. */
#define TRM_STATUS_LIST(X)                                                                         \
  X(TRM_OK, 0, 0, "done")                                                                          \
  X(TRM_ERR_ARG, -1, 70, "invalid argument to a library function")                                 \
  X(TRM_ERR_INTERNAL, -2, 70, "internal error")                                                    \
  X(TRM_ERR_USAGE, -3, 64, "wrong usage of the command line")                                      \
  X(TRM_ERR_DATA, -4, 65, "bad input data")                                                        \
  X(TRM_ERR_MEMORY, -5, 69, "out of memory")                                                       \
  X(TRM_ERR_RANK_LOST, -6, 71, "a rank was lost or did not answer in time")                        \
  X(TRM_ERR_IO, -7, 74, "input or output failed")                                                  \
  X(TRM_STOPPED, -8, 75, "stopped early with a good checkpoint: run again to go on")               \
  X(TRM_ERR_DIVERGED, -9, 76, "training diverged: loss or gradient not finite")                    \
  X(TRM_ERR_CONFIG, -10, 78, "bad configuration")                                                  \
  X(TRM_ERR_MISSING, -11, 66, "a file or folder is not there")                                     \
  X(TRM_DIFFERENT, -12, 79, "compared, and not the same")

typedef enum trm_status {
#define TRM_STATUS_ENUM(name, value, exit_code, text) name = value,
  TRM_STATUS_LIST(TRM_STATUS_ENUM)
#undef TRM_STATUS_ENUM
} trm_status;

enum { TRM_MESSAGE_BYTES = 2048, TRM_MESSAGE_BREAK = 0x1E };

/**
 * Records the message of a failure for this thread and returns `status`.
 * Only the place where a failure is first seen calls this; callers above only return the status.
 * The message names the object, the value and the remedy.
 */
trm_status trm_fail(trm_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Message of this thread's last failure; "" if none. Valid until the thread's next trm_fail. One line,
 *  or, of trm_failures, several with TRM_MESSAGE_BREAK between. */
const char *trm_message(void);

/** Replaces this thread's message, for handing a failure over from another thread or rank. */
void trm_message_set(const char *message);

/** Failures that are told together, a line each. Zero it first. */
typedef struct trm_failures {
  trm_status status; /* of the first; TRM_OK: there was none */
  int n, n_left_out; /* failures; those whose message found no room */
  char text[TRM_MESSAGE_BYTES];
} trm_failures;
/** Takes a failure with this thread's message; TRM_OK is passed over. */
void trm_failures_add(trm_failures *failures, trm_status status);
/** The first one's status, with the messages of all as this thread's. */
trm_status trm_failures_end(const trm_failures *failures);

/** What a failure of the system means, by its errno: TRM_ERR_MISSING, else TRM_ERR_IO. */
trm_status trm_status_of_errno(int error);
/** Text and program exit code of a status. */
const char *trm_status_text(trm_status status);
int trm_status_exit_code(trm_status status);

/** Returns from the calling function on failure; for functions that hold a single resource. */
#define TRM_TRY(call)                                                                              \
  do {                                                                                             \
    const trm_status trm_try_status_ = (call);                                                     \
    if (trm_try_status_ != TRM_OK) return trm_try_status_;                                         \
  } while (0)

/** Assigns to the local `status` and jumps to the label `out` on failure. */
#define TRM_TRY_OUT(call)                                                                          \
  do {                                                                                             \
    status = (call);                                                                               \
    if (status != TRM_OK) goto out;                                                                \
  } while (0)

/** A bug in our code: prints expression, file, line and rank, then calls the abort hook. */
#define TRM_ASSERT(condition)                                                                      \
  do {                                                                                             \
    if (__builtin_expect(!(condition), 0)) trm_assert_failed(#condition, __FILE__, __LINE__);      \
  } while (0)

_Noreturn void trm_assert_failed(const char *expression, const char *file, int line);

/** Set once at start by `comm`: how a bug on one rank ends all of them. `rank` is printed. */
typedef void (*trm_abort_hook)(int exit_code);
void trm_abort_hook_set(trm_abort_hook hook, int rank);

#endif
