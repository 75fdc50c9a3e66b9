/* The store: one folder, one writer thread.
 *
 * The fields under `mutex` are the states of include/trireme/ckpt/ckpt.h:
 *  IDLE      the snapshot belongs to the caller's thread
 *  WRITING   the snapshot belongs to the writer thread             (trm_ckpt_save enters it)
 *  FINISHED  the snapshot is the caller's again, `result` not yet told  (the writer enters it)
 * trm_ckpt_wait leads back to IDLE.
 */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "ckpt_internal.h"
#include "trireme/core/clock.h"
#include "trireme/core/limits.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"

typedef enum store_state { STORE_IDLE, STORE_WRITING, STORE_FINISHED } store_state;

struct trm_ckpt_store {
  char folder[PATH_MAX];
  int keep;
  bool guarded;                                   /* set before the first save, as what follows */
  char companions[TRM_CKPT_COMPANIONS][PATH_MAX]; /* files brought to disk with each checkpoint */
  int n_companions;
  trm_ckpt_snapshot snapshot; /* see the states above */
  bool best;                  /* likewise, as what follows */
  int64_t held[TRM_CKPT_HELD];
  int n_held;

  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  store_state state; /* this and all below: under the mutex */
  bool quit;
  trm_status result;
  char message[TRM_MESSAGE_BYTES];
  double write_s;
  int64_t newest_step;
};

static void lock(const trm_ckpt_store *store) {
  /* Locking changes nothing that a caller of a const function can see. */
  const int error = pthread_mutex_lock((pthread_mutex_t *)&store->mutex);
  TRM_ASSERT(error == 0);
}

static void unlock(const trm_ckpt_store *store) {
  const int error = pthread_mutex_unlock((pthread_mutex_t *)&store->mutex);
  TRM_ASSERT(error == 0);
}

static bool is_held(const trm_ckpt_store *store, int64_t step) {
  for (int i = 0; i < store->n_held; ++i) {
    if (store->held[i] == step) return true;
  }
  return false;
}

/* Removes all but the held ones and the newest `keep` of the checkpoints up to `step`. Called when `step` has been
 * published (invariant 2), so the newest of them is complete. best.h5 is no such name. */
static trm_status retain(const trm_ckpt_store *store, int64_t step) {
  char path[PATH_MAX], name[TRM_CKPT_NAME_BYTES];
  int64_t *steps = NULL;
  int n = 0;
  trm_status status = TRM_OK;
  TRM_TRY(trm_ckpt_list(store->folder, &steps, &n));
  while (n > 0 && steps[n - 1] > step) --n;
  for (int i = 0; i < n - store->keep; ++i) {
    TRM_ASSERT(steps[i] < step); /* invariant 2: something newer stays */
    if (is_held(store, steps[i])) continue;
    trm_ckpt_name(steps[i], name);
    TRM_TRY_OUT(trm_path_join(path, sizeof path, store->folder, name));
    TRM_TRY_OUT(trm_file_remove(path));
  }
out:
  TRM_FREE(steps);
  return status;
}

/* A message about the temporary file is one about the file the user knows. */
static void rename_in_message(const char *temporary, const char *path) {
  char message[TRM_MESSAGE_BYTES], told[TRM_MESSAGE_BYTES];
  const size_t n = strlen(temporary);
  snprintf(told, sizeof told, "%s", trm_message());
  if (strncmp(told, temporary, n) != 0) return;
  const int length = snprintf(message, sizeof message, "%s%s", path, told + n);
  if (length > 0) trm_message_set(message);
}

/* ---- room -------------------------------------------------------------------------------------- */

/* Bytes of a file of these regions: their own, and more than the structures around them take. */
static int64_t file_bytes(const trm_region *regions, int n_regions) {
  enum { FILE_BYTES = 64 << 10, REGION_BYTES = 1 << 10 };
  int64_t bytes = FILE_BYTES;
  for (int i = 0; i < n_regions; ++i) {
    bytes += trm_region_elements(&regions[i]) * (int64_t)sizeof(float) + REGION_BYTES;
  }
  return bytes;
}

/* `place` begins the message: a file or a folder. */
static trm_status check_room(const char *folder, const char *place, int n_files, int64_t bytes) {
  struct statvfs facts;
  if (statvfs(folder, &facts) != 0) return TRM_OK; /* what is wrong shows when it is written */
  const double free_bytes = (double)facts.f_bavail * (double)facts.f_frsize;
  if (free_bytes >= (double)bytes) return TRM_OK;
  return trm_fail(
      TRM_ERR_IO,
      "%s: no space left on device for %d checkpoint%s: %.1f MB are needed, %.1f MB are "
      "free; free some, or set run.dir to another disk",
      place, n_files, n_files == 1 ? "" : "s", 1e-6 * (double)bytes, 1e-6 * free_bytes);
}

trm_status trm_ckpt_check_room(const trm_ckpt_store *store, const trm_region *regions,
                               int n_regions, int n_files) {
  return check_room(store->folder, store->folder, n_files,
                    n_files * file_bytes(regions, n_regions));
}

/* ---- writing ----------------------------------------------------------------------------------- */

/* Writes and publishes the snapshot (invariant 1); *published tells whether the file is there. */
static trm_status publish(const trm_ckpt_store *store, bool *published) {
  char name[TRM_CKPT_NAME_BYTES], hidden[TRM_CKPT_NAME_BYTES + 32];
  char path[PATH_MAX], temporary[PATH_MAX], best[PATH_MAX];
  const trm_ckpt_snapshot *s = &store->snapshot;
  trm_ckpt_name(s->info.step, name);
  const int n = snprintf(hidden, sizeof hidden, ".%s.tmp-%ld", name, (long)getpid());
  TRM_ASSERT(n > 0 && (size_t)n < sizeof hidden);
  TRM_TRY(trm_path_join(path, sizeof path, store->folder, name));
  TRM_TRY(trm_path_join(temporary, sizeof temporary, store->folder, hidden));
  TRM_TRY(trm_path_join(best, sizeof best, store->folder, "best.h5"));
  if (store->guarded) {
    TRM_TRY(check_room(store->folder, path, 1, file_bytes(s->regions, s->n_regions)));
  }
  for (int i = 0; i < store->n_companions; ++i) TRM_TRY(trm_file_sync(store->companions[i]));
  const trm_status status = trm_ckpt_write(temporary, &s->info, s->regions, s->n_regions);
  if (status != TRM_OK) {
    rename_in_message(temporary, path);
    return status;
  }
  TRM_TRY(trm_file_publish(temporary, path));
  *published = true;
  if (store->best) TRM_TRY(trm_file_link(path, best));
  return retain(store, s->info.step);
}

/* Waits so long, or until the store is to be closed. */
static void pause_writer(trm_ckpt_store *store, double seconds) {
  struct timespec until;
  lock(store);
  if (clock_gettime(CLOCK_REALTIME, &until) == 0) {
    until.tv_sec += (time_t)seconds;
    int error = 0;
    while (!store->quit && error == 0) {
      error = pthread_cond_timedwait(&store->changed, &store->mutex, &until);
    }
  }
  unlock(store);
}

static trm_status publish_or_again(trm_ckpt_store *store, bool *published) {
  const trm_status status = publish(store, published);
  if (status != TRM_ERR_IO || *published || !store->guarded) return status;
  pause_writer(store, 1);
  return publish(store, published);
}

static void *writer_main(void *context) {
  trm_ckpt_store *store = context;
  lock(store);
  for (;;) {
    while (store->state != STORE_WRITING && !store->quit) {
      const int error = pthread_cond_wait(&store->changed, &store->mutex);
      TRM_ASSERT(error == 0);
    }
    if (store->state != STORE_WRITING) break;
    unlock(store);
    bool published = false;
    const double start_s = trm_clock_s();
    const trm_status status = publish_or_again(store, &published);
    lock(store);
    store->write_s = trm_clock_s() - start_s;
    if (published) store->newest_step = store->snapshot.info.step;
    store->result = status;
    snprintf(store->message, sizeof store->message, "%s", status == TRM_OK ? "" : trm_message());
    store->state = STORE_FINISHED;
    const int error = pthread_cond_broadcast(&store->changed);
    TRM_ASSERT(error == 0);
  }
  unlock(store);
  return NULL;
}

/* Starts the writer with all signals blocked: they are for the thread that trains. */
static trm_status start_writer(trm_ckpt_store *store) {
  sigset_t all, before;
  sigfillset(&all);
  int error = pthread_sigmask(SIG_SETMASK, &all, &before);
  TRM_ASSERT(error == 0);
  const int created = pthread_create(&store->thread, NULL, writer_main, store);
  error = pthread_sigmask(SIG_SETMASK, &before, NULL);
  TRM_ASSERT(error == 0);
  if (created == 0) return TRM_OK;
  return trm_thread_fail(created, "writing checkpoints");
}

static trm_status prepare_folder(trm_ckpt_store *store, const char *folder) {
  int64_t *steps = NULL;
  int n = 0;
  TRM_TRY(trm_path_join(store->folder, sizeof store->folder, folder, ""));
  TRM_TRY(trm_folder_make(folder));
  TRM_TRY(trm_ckpt_sweep(folder));
  TRM_TRY(trm_ckpt_list(folder, &steps, &n));
  store->newest_step = n > 0 ? steps[n - 1] : -1;
  TRM_FREE(steps);
  return TRM_OK;
}

trm_status trm_ckpt_store_open(const char *folder, int keep, trm_ckpt_store **out) {
  trm_ckpt_store *store = NULL;
  if (keep < 1) return trm_fail(TRM_ERR_ARG, "%d checkpoints to keep, at least 1 is needed", keep);
  TRM_TRY(TRM_ALLOC(&store, 1, "a store of checkpoints"));
  store->keep = keep;
  trm_status status = prepare_folder(store, folder);
  if (status == TRM_OK) {
    int error = pthread_mutex_init(&store->mutex, NULL);
    TRM_ASSERT(error == 0);
    error = pthread_cond_init(&store->changed, NULL);
    TRM_ASSERT(error == 0);
    status = start_writer(store);
  }
  if (status != TRM_OK) {
    TRM_FREE(store);
    return status;
  }
  *out = store;
  return TRM_OK;
}

void trm_ckpt_store_guard(trm_ckpt_store *store) {
  store->guarded = true;
}

trm_status trm_ckpt_accompany(trm_ckpt_store *store, const char *folder, const char *name) {
  TRM_ASSERT(store->n_companions < TRM_CKPT_COMPANIONS);
  TRM_TRY(trm_path_join(store->companions[store->n_companions], PATH_MAX, folder, name));
  ++store->n_companions;
  return TRM_OK;
}

/* Under the lock: tells a finished write's result once. */
static trm_status take_result(trm_ckpt_store *store) {
  if (store->state != STORE_FINISHED) return TRM_OK;
  if (store->result != TRM_OK) trm_message_set(store->message);
  store->state = STORE_IDLE;
  return store->result;
}

trm_status trm_ckpt_poll(trm_ckpt_store *store, bool *writing) {
  lock(store);
  *writing = store->state == STORE_WRITING;
  const trm_status status = take_result(store);
  unlock(store);
  return status;
}

trm_status trm_ckpt_wait(trm_ckpt_store *store) {
  trm_status status = TRM_OK;
  lock(store);
  while (store->state == STORE_WRITING) {
    const int error = pthread_cond_wait(&store->changed, &store->mutex);
    TRM_ASSERT(error == 0);
  }
  status = take_result(store);
  unlock(store);
  return status;
}

trm_status trm_ckpt_store_close(trm_ckpt_store **store) {
  trm_ckpt_store *s = *store;
  if (!s) return TRM_OK;
  *store = NULL;
  const trm_status status = trm_ckpt_wait(s);
  lock(s);
  s->quit = true;
  int error = pthread_cond_broadcast(&s->changed);
  TRM_ASSERT(error == 0);
  unlock(s);
  error = pthread_join(s->thread, NULL);
  TRM_ASSERT(error == 0);
  error = pthread_cond_destroy(&s->changed);
  TRM_ASSERT(error == 0);
  error = pthread_mutex_destroy(&s->mutex);
  TRM_ASSERT(error == 0);
  trm_ckpt_snapshot_release(&s->snapshot);
  TRM_FREE(s);
  return status;
}

trm_status trm_ckpt_save(trm_ckpt_store *store, const trm_ckpt_info *info,
                         const trm_region *regions, int n_regions, bool best) {
  TRM_ASSERT(info->step >= 0);
  TRM_TRY(trm_ckpt_wait(store)); /* invariant 5: the snapshot is ours again */
  TRM_TRY(trm_ckpt_snapshot_take(&store->snapshot, info, regions, n_regions));
  store->best = best;
  lock(store);
  TRM_ASSERT(store->state == STORE_IDLE);
  store->state = STORE_WRITING;
  const int error = pthread_cond_broadcast(&store->changed);
  TRM_ASSERT(error == 0);
  unlock(store);
  return TRM_OK;
}

trm_status trm_ckpt_hold(trm_ckpt_store *store, const double *steps, int n) {
  TRM_ASSERT(n <= TRM_CKPT_HELD);
  TRM_TRY(trm_ckpt_wait(store)); /* the writer reads them */
  for (int i = 0; i < n; ++i) store->held[i] = (int64_t)steps[i];
  store->n_held = n;
  return TRM_OK;
}

double trm_ckpt_write_s(const trm_ckpt_store *store) {
  lock(store);
  const double seconds = store->write_s;
  unlock(store);
  return seconds;
}

int64_t trm_ckpt_newest_step(const trm_ckpt_store *store) {
  lock(store);
  const int64_t step = store->newest_step;
  unlock(store);
  return step;
}
