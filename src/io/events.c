/* TensorBoard event files: TFRecord frames of protobuf messages, written through a buffer.
 *
 *  A frame: length (u64, little endian) | masked CRC-32C of it | message | masked CRC-32C of it.
 */
#include "trireme/io/events.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crc32c_internal.h"
#include "events.pb-c.h"
#include "io_internal.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"

enum { BUFFER_BYTES = 1 << 16, HEADER_BYTES = 12, FOOTER_BYTES = 4 };

static const char name_prefix[] = "events.out.tfevents.";

struct trm_events {
  int fd;
  size_t used_bytes;
  char path[PATH_MAX];
  unsigned char buffer[BUFFER_BYTES];
};

static double wall_time_s(void) {
  struct timespec now = {0};
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return 0;
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void put_little_endian(unsigned char *out, uint64_t v, int bytes) {
  for (int i = 0; i < bytes; ++i) out[i] = (unsigned char)(v >> (8 * i));
}

trm_status trm_events_flush(trm_events *events) {
  if (events->used_bytes == 0) return TRM_OK;
  const bool good = trm_io_write_all(events->fd, events->buffer, events->used_bytes);
  events->used_bytes = 0; /* a failure loses these records, and does not repeat half of them */
  return good ? TRM_OK : trm_io_fail(events->path, "cannot be written");
}

static trm_status put_event(trm_events *events, const Trireme__Event *event) {
  const size_t bytes = trireme__event__get_packed_size(event);
  const size_t frame_bytes = HEADER_BYTES + bytes + FOOTER_BYTES;
  if (frame_bytes > BUFFER_BYTES) {
    return trm_fail(TRM_ERR_ARG, "%s: an event of %zu bytes is too long", events->path, bytes);
  }
  if (events->used_bytes + frame_bytes > BUFFER_BYTES) TRM_TRY(trm_events_flush(events));
  unsigned char *frame = events->buffer + events->used_bytes;
  unsigned char *message = frame + HEADER_BYTES;
  put_little_endian(frame, bytes, 8);
  put_little_endian(frame + 8, trm_crc32c_masked(frame, 8), 4);
  const size_t packed = trireme__event__pack(event, message);
  TRM_ASSERT(packed == bytes);
  put_little_endian(message + bytes, trm_crc32c_masked(message, bytes), 4);
  events->used_bytes += frame_bytes;
  return TRM_OK;
}

/* TensorBoard reads files by name, so a new one's time must be past those that are there, whatever
 * the clock says. */
static trm_status start_time(const char *folder, long long *seconds) {
  char **names = NULL;
  int n = 0;
  *seconds = (long long)wall_time_s();
  TRM_TRY(trm_folder_list(folder, name_prefix, "", &names, &n));
  for (int i = 0; i < n; ++i) {
    const long long then = strtoll(names[i] + strlen(name_prefix), NULL, 10);
    if (then >= *seconds && then < LLONG_MAX) *seconds = then + 1;
  }
  TRM_FREE(names);
  return TRM_OK;
}

static trm_status open_file(trm_events *events, const char *folder) {
  char host[HOST_NAME_MAX + 1] = "", name[PATH_MAX];
  long long seconds = 0;
  TRM_TRY(start_time(folder, &seconds));
  if (gethostname(host, sizeof host - 1) < 0) snprintf(host, sizeof host, "localhost");
  /* Ten digits, as TensorFlow writes them, sort as text until the year 2286. */
  const int n =
      snprintf(name, sizeof name, "%s%010lld.%s.%ld", name_prefix, seconds, host, (long)getpid());
  if (n < 0 || (size_t)n >= sizeof name) return trm_fail(TRM_ERR_IO, "%s: too long a name", folder);
  TRM_TRY(trm_path_join(events->path, sizeof events->path, folder, name));
  events->fd = trm_io_open(events->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0666);
  if (events->fd < 0) return trm_io_fail(events->path, "cannot be created");
  if (trm_io_fsync_parent(events->path) == 0) return TRM_OK;
  return trm_io_fail(events->path, "its folder cannot be brought to disk");
}

static trm_status put_header(trm_events *events, int64_t start_step) {
  char version[] = "brain.Event:2";
  Trireme__Event event = TRIREME__EVENT__INIT;
  event.has_wall_time = 1;
  event.wall_time = wall_time_s();
  event.file_version = version;
  TRM_TRY(put_event(events, &event));
  if (start_step > 0) {
    Trireme__SessionLog session = TRIREME__SESSION_LOG__INIT;
    session.has_status = 1;
    session.status = TRIREME__SESSION_LOG__STATUS__START;
    event.file_version = NULL;
    event.session_log = &session;
    event.has_step = 1;
    event.step = start_step + 1; /* TensorBoard drops steps from this one on */
    TRM_TRY(put_event(events, &event));
  }
  return trm_events_flush(events);
}

trm_status trm_events_open(const char *folder, int64_t start_step, trm_events **out) {
  trm_events *events = NULL;
  trm_status status;
  TRM_TRY(TRM_ALLOC(&events, 1, "an event file"));
  events->fd = -1;
  TRM_TRY_OUT(open_file(events, folder));
  TRM_TRY_OUT(put_header(events, start_step));
  *out = events;
  return TRM_OK;
out:
  if (events->fd >= 0) {
    close(events->fd);
    if (unlink(events->path) < 0) status = TRM_ERR_IO; /* as it is; the first message stands */
  }
  TRM_FREE(events);
  return status;
}

trm_status trm_events_scalar(trm_events *events, int64_t step, const char *tag, double value) {
  Trireme__Value scalar = TRIREME__VALUE__INIT;
  Trireme__Value *scalars[] = {&scalar};
  Trireme__Summary summary = TRIREME__SUMMARY__INIT;
  Trireme__Event event = TRIREME__EVENT__INIT;
  scalar.tag = (char *)tag; /* protobuf-c only reads it */
  scalar.has_simple_value = 1;
  scalar.simple_value = (float)value;
  summary.n_value = 1;
  summary.value = scalars;
  event.has_wall_time = event.has_step = 1;
  event.wall_time = wall_time_s();
  event.step = step;
  event.summary = &summary;
  return put_event(events, &event);
}

trm_status trm_events_close(trm_events **events) {
  trm_events *e = *events;
  if (!e) return TRM_OK;
  *events = NULL;
  trm_status status = trm_events_flush(e);
  if (trm_io_close(e->fd) < 0 && status == TRM_OK)
    status = trm_io_fail(e->path, "cannot be closed");
  TRM_FREE(e);
  return status;
}
