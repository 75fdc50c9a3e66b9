/* Memory shared by the ranks of one host: one memfd per rank, opened by the others through
 * /proc/PID/fd.
 *
 * A memfd has no name in any file system: a killed job leaves nothing behind in /dev/shm, and the
 * 64 MB that containers give /dev/shm do not limit it. MPI_Win_allocate_shared has both troubles,
 * and in Open MPI 4.1 a rank that cannot create the backing file leaves the others waiting in a
 * broadcast, where we want one agreement (README.md).
 *
 * Every step that may fail on one rank is followed by an agreement, so that all ranks use shared
 * memory or none does. That the file opened is the one meant (ranks in separate process namespaces
 * see other processes under the same number) is checked by device, inode and size, and by a number
 * drawn by its owner. */
#include "shm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/math/threads.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; headers may be older than the kernel */
#endif

/* What a rank tells the others about its segment. */
typedef struct ticket {
  int64_t pid, fd, device, inode, bytes;
  uint64_t number; /* stands in the first 8 bytes until all have looked */
} ticket;

/* True on every rank when `good` is true on every rank. */
static bool all_good(trm_comm *comm, bool good) {
  uint64_t bad = !good;
  return trm_comm_or_u64(comm, &bad, 1) == TRM_OK && bad == 0;
}

typedef struct filling {
  unsigned char *segment;
  int64_t bytes, page;
  atomic_int error; /* errno of a part that could not be had; 0: none */
} filling;

/* Pages begin .. end - 1. */
static void fill_pages(void *context, int64_t begin, int64_t end) {
  filling *f = context;
  const int64_t first = begin * f->page, last = trm_min_i64(end * f->page, f->bytes);
  if (madvise(f->segment + first, (size_t)(last - first), MADV_POPULATE_WRITE) != 0) {
    atomic_store(&f->error, errno);
  }
}

/* Memory now rather than a bus error later: fills the pages, which reports what cannot be had. By the
 * compute threads, since clearing them takes time: mostly they are small, whatever was asked for. */
static bool populate(int fd, unsigned char *segment, int64_t bytes) {
  filling f = {.segment = segment, .bytes = bytes, .page = sysconf(_SC_PAGESIZE)};
  trm_for_chunks(trm_ceil_div(bytes, f.page), fill_pages, &f);
  const int error = atomic_load(&f.error);
  if (error == 0) return true;
  return error == EINVAL && posix_fallocate(fd, 0, bytes) == 0; /* an older kernel */
}

static bool map(int fd, int64_t bytes, unsigned char **out) {
  void *segment = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (segment == MAP_FAILED) return false;
  /* Advice: refused where the kernel has no huge pages for shared memory, which is no failure. */
  (void)madvise(segment, (size_t)bytes, MADV_HUGEPAGE);
  *out = segment;
  return true;
}

/* This rank's own segment; *fd stays open until the others have opened it. */
static bool make_own(int64_t bytes, int *fd, unsigned char **segment, ticket *t) {
  struct stat info;
  if (bytes == 0) return true;
  *fd = memfd_create("trireme", MFD_CLOEXEC);
  if (*fd < 0 || ftruncate(*fd, bytes) != 0 || fstat(*fd, &info) != 0) return false;
  if (!map(*fd, bytes, segment)) return false;
  if (!populate(*fd, *segment, bytes)) return false;
  *t = (ticket){.pid = getpid(),
                .fd = *fd,
                .device = (int64_t)info.st_dev,
                .inode = (int64_t)info.st_ino,
                .bytes = bytes};
  if (getrandom(&t->number, sizeof t->number, 0) != (ssize_t)sizeof t->number) return false;
  memcpy(*segment, &t->number, sizeof t->number);
  return true;
}

static bool open_other(const ticket *t, unsigned char **segment) {
  char path[64];
  struct stat info;
  if (t->bytes == 0) return true;
  snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)t->pid, (long long)t->fd);
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  bool good = fstat(fd, &info) == 0 && (int64_t)info.st_dev == t->device &&
              (int64_t)info.st_ino == t->inode && info.st_size == t->bytes &&
              map(fd, t->bytes, segment);
  if (close(fd) != 0) good = false;
  return good && memcmp(*segment, &t->number, sizeof t->number) == 0;
}

static trm_status allocate_lists(int size, trm_shm *shm, ticket **tickets) {
  shm->n_segments = size;
  TRM_TRY(TRM_ALLOC(&shm->bytes, size, "shared memory"));
  TRM_TRY(TRM_ALLOC(&shm->segments, size, "shared memory"));
  return TRM_ALLOC(tickets, size, "shared memory");
}

trm_status trm_shm_create(trm_comm *comm, int64_t bytes, trm_shm *shm, bool *made) {
  TRM_ASSERT(bytes == 0 || bytes >= (int64_t)sizeof(uint64_t));
  ticket mine = {0}, *tickets = NULL;
  int fd = -1;
  *shm = (trm_shm){0};
  *made = false;
  trm_status status = trm_comm_agree(comm, allocate_lists(comm->size, shm, &tickets));
  if (status != TRM_OK) goto out;

  bool good = make_own(bytes, &fd, &shm->segments[comm->rank], &mine);
  shm->bytes[comm->rank] = bytes;
  good = all_good(comm, good);
  if (good) {
    TRM_TRY_OUT(trm_comm_allgather(comm, &mine, tickets, sizeof mine));
    for (int r = 0; r < comm->size && good; ++r) {
      if (r == comm->rank) continue;
      shm->bytes[r] = tickets[r].bytes;
      good = open_other(&tickets[r], &shm->segments[r]);
    }
    good = all_good(comm, good); /* also: all have read the numbers */
  }
  if (good && bytes > 0) memset(shm->segments[comm->rank], 0, sizeof mine.number);
  *made = good;
out:
  if (fd >= 0 && close(fd) != 0 && *made) {
    status = trm_fail(TRM_ERR_INTERNAL, "closing shared memory: %s", strerror(errno));
  }
  TRM_FREE(tickets);
  if (!*made) trm_shm_release(shm);
  return status;
}

void trm_shm_release(trm_shm *shm) {
  for (int r = 0; shm->segments && r < shm->n_segments; ++r) {
    if (shm->segments[r]) (void)munmap(shm->segments[r], (size_t)shm->bytes[r]);
  }
  TRM_FREE(shm->segments);
  TRM_FREE(shm->bytes);
  *shm = (trm_shm){0};
}
