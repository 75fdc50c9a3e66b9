/* Blocks, counts, arenas. */
#include "trireme/core/memory.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* Under sanitizers large blocks are not mapped; the thread sanitizer knows of no ends of blocks. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define CATCHES_OVERRUN 0
#define SANITIZED 1
#elif defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define CATCHES_OVERRUN 1
#define SANITIZED 1
#else
#define CATCHES_OVERRUN 1
#define SANITIZED 0
#endif

static const int64_t large_bytes = 4 << 20;

static void test_size_mul(void) {
  const int64_t big = INT64_C(1) << 62;
  int64_t product = -1;
  CHECK(trm_size_mul(0, big, &product));
  CHECK_EQ(product, 0);
  CHECK(trm_size_mul(1 << 20, INT64_C(1) << 42, &product));
  CHECK_EQ(product, big);
  product = 7;
  CHECK(!trm_size_mul(big + 1, 1, &product));
  CHECK(!trm_size_mul(-1, 1, &product));
  CHECK(!trm_size_mul(1, -1, &product));
  CHECK(!trm_size_mul(-1, -1, &product));
  CHECK(!trm_size_mul(INT64_C(1) << 32, INT64_C(1) << 32, &product));
  CHECK_EQ(product, 7);
}

static bool all_bytes_are(const unsigned char *p, int64_t n, unsigned char value) {
  for (int64_t i = 0; i < n; ++i) {
    if (p[i] != value) return false;
  }
  return true;
}

static void set_bytes(unsigned char *p, int64_t n, unsigned char value) {
  for (int64_t i = 0; i < n; ++i) p[i] = value;
}

static void test_blocks(void) {
  const int64_t sizes[] = {0, 1, 63, 64, 65, 4096, 1 << 20, 4194303, 4194304, 4194305, 9000001};
  const trm_alloc_counts before = trm_alloc_counts_get();
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
    for (int again = 0; again < 2; ++again) { /* the second may get the first one's memory back */
      unsigned char *p = NULL, *q = NULL;
      if (!CHECK_OK(TRM_ALLOC(&p, sizes[i], "p")) || !CHECK_OK(TRM_ALLOC(&q, sizes[i], "q")))
        return;
      CHECK(p != q);
      const uintptr_t align = sizes[i] >= large_bytes && !SANITIZED ? 2 << 20 : TRM_ALIGN_BYTES;
      CHECK_EQ((uintptr_t)p % align, 0);
      CHECK_EQ((uintptr_t)q % align, 0);
      CHECK(all_bytes_are(p, sizes[i], 0));
      CHECK(all_bytes_are(q, sizes[i], 0));
      set_bytes(p, sizes[i], 0xAB);
      CHECK(all_bytes_are(q, sizes[i], 0));
      set_bytes(q, sizes[i], 0xCD);
      CHECK(all_bytes_are(p, sizes[i], 0xAB));
      CHECK_EQ(trm_alloc_counts_get().live_blocks, before.live_blocks + 2);
      CHECK_EQ(trm_alloc_counts_get().live_bytes, before.live_bytes + 2 * sizes[i]);
      TRM_FREE(p);
      TRM_FREE(q);
      CHECK(p == NULL);
      TRM_FREE(p);
    }
  }
  const trm_alloc_counts after = trm_alloc_counts_get();
  CHECK_EQ(after.live_blocks, before.live_blocks);
  CHECK_EQ(after.live_bytes, before.live_bytes);
  CHECK_EQ(after.total_blocks, before.total_blocks + 4 * (int64_t)(sizeof sizes / sizeof sizes[0]));
}

static void test_refusals(void) {
  double *p = (double *)&p;
  const double *const untouched = p;
  CHECK_EQ(TRM_ALLOC(&p, -1, "weights"), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), "weights");
  CHECK_HAS(trm_message(), "-1 items");
  CHECK_EQ(TRM_ALLOC(&p, INT64_C(1) << 61, "weights"), TRM_ERR_ARG);
#if !SANITIZED
  CHECK_EQ(TRM_ALLOC(&p, INT64_C(1) << 58, "weights"), TRM_ERR_MEMORY);
  CHECK_HAS(trm_message(), "weights: no memory for 2305843009213693952 bytes");
#endif
  CHECK(p == untouched);
}

static void test_fail_after(void) {
  char *p[3] = {NULL, NULL, NULL};
  trm_alloc_fail_after(2);
  CHECK_OK(TRM_ALLOC(&p[0], 1, "a"));
  CHECK_OK(TRM_ALLOC(&p[1], 5 << 20, "b"));
  CHECK_EQ(TRM_ALLOC(&p[2], 1, "c"), TRM_ERR_MEMORY);
  CHECK_OK(TRM_ALLOC(&p[2], 1, "c"));
  TRM_FREE(p[2]);
  trm_alloc_fail_after(0);
  CHECK_EQ(TRM_ALLOC(&p[2], 5 << 20, "c"), TRM_ERR_MEMORY);
  trm_alloc_fail_after(0);
  trm_alloc_fail_after(-1);
  CHECK_OK(TRM_ALLOC(&p[2], 1, "c"));
  for (int i = 0; i < 3; ++i) TRM_FREE(p[i]);
}

enum { N_THREADS = 4, N_ROUNDS = 2000 };

static void *churn(void *unused) {
  for (int i = 0; i < N_ROUNDS; ++i) {
    char *p = NULL;
    const trm_status status = TRM_ALLOC(&p, i % 500 == 0 ? large_bytes : i, "churn");
    if (status != TRM_OK) return unused;
    TRM_FREE(p);
  }
  return NULL;
}

static void test_threads(void) {
  pthread_t threads[N_THREADS];
  char failed;
  const trm_alloc_counts before = trm_alloc_counts_get();
  for (int i = 0; i < N_THREADS; ++i) {
    CHECK_EQ(pthread_create(&threads[i], NULL, churn, &failed), 0);
  }
  for (int i = 0; i < N_THREADS; ++i) {
    void *result = &failed;
    CHECK_EQ(pthread_join(threads[i], &result), 0);
    CHECK(result == NULL);
  }
  const trm_alloc_counts after = trm_alloc_counts_get();
  CHECK_EQ(after.live_blocks, before.live_blocks);
  CHECK_EQ(after.live_bytes, before.live_bytes);
  CHECK_EQ(after.total_blocks, before.total_blocks + N_THREADS * N_ROUNDS);
}

enum { ASSERTION_EXIT = 42 };

static void leave(int exit_code) {
  (void)exit_code;
  _exit(ASSERTION_EXIT);
}

/* Runs `action` in a child process with silenced standard error; its wait status. */
static int in_child(void (*action)(void)) {
  int wait_status = 0;
  const pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stderr)) _exit(0);
    trm_abort_hook_set(leave, -1);
    action();
    _exit(0);
  }
  CHECK_EQ(waitpid(child, &wait_status, 0), child);
  return wait_status;
}

/* By our own assertion, not by one of the C library; a sanitizer may be faster still. */
static bool is_caught(void (*action)(void)) {
  const int wait_status = in_child(action);
  if (SANITIZED) return wait_status != 0;
  return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == ASSERTION_EXIT;
}

static void free_twice(void) {
  char *p = NULL;
  if (TRM_ALLOC(&p, 100, "p") != TRM_OK) return;
  trm_free_bytes(p);
  trm_free_bytes(p);
}

static void free_inside(void) {
  char *p = NULL;
  if (TRM_ALLOC(&p, 1000, "p") == TRM_OK) trm_free_bytes(p + 128);
}

static void take_too_much(void) {
  trm_arena arena;
  if (trm_arena_reserve(&arena, 128, "arena") != TRM_OK) return;
  TRM_NEW(&arena, char, 65);
  TRM_NEW(&arena, char, 1);
}

static void take_negative(void) {
  trm_arena arena;
  trm_arena_init_dry(&arena);
  TRM_NEW(&arena, char, -1);
}

static void write_past_large(void) {
  volatile char *p = NULL;
  if (TRM_ALLOC(&p, large_bytes, "p") == TRM_OK) p[large_bytes] = 1;
}

static void nothing(void) {}

static void test_bugs_are_caught(void) {
  CHECK_EQ(in_child(nothing), 0);
  CHECK(is_caught(free_twice));
  CHECK(is_caught(free_inside));
  CHECK(is_caught(take_too_much));
  CHECK(is_caught(take_negative));
  CHECK_EQ(in_child(write_past_large) != 0, CATCHES_OVERRUN);
}

static void fill(trm_arena *arena, void *pieces[4]) {
  pieces[0] = TRM_NEW(arena, char, 1);
  pieces[1] = TRM_NEW(arena, double, 9);
  pieces[2] = TRM_NEW(arena, float, 0);
  pieces[3] = TRM_NEW(arena, float, 1 << 18);
}

static void test_arena(void) {
  trm_arena plan, arena;
  void *pieces[4];
  trm_arena_init_dry(&plan);
  fill(&plan, pieces);
  for (int i = 0; i < 4; ++i) CHECK(pieces[i] == NULL);
  CHECK_EQ(plan.high_bytes, 64 + 128 + 0 + (1 << 20));
  CHECK_EQ(trm_arena_cost(9, sizeof(double)), 128);
  if (!CHECK_OK(trm_arena_reserve(&arena, plan.high_bytes, "arena"))) return;
  for (int round = 0; round < 2; ++round) {
    fill(&arena, pieces);
    CHECK_EQ(arena.used_bytes, plan.high_bytes);
    CHECK_EQ((unsigned char *)pieces[1] - (unsigned char *)pieces[0], 64);
    CHECK_EQ((unsigned char *)pieces[3] - (unsigned char *)pieces[1], 128);
    for (int i = 0; i < 4; ++i) CHECK_EQ((uintptr_t)pieces[i] % TRM_ALIGN_BYTES, 0);
#if TRM_NAN_FILL
    CHECK(isnan(((double *)pieces[1])[8]));
    CHECK(isnan(((float *)pieces[3])[(1 << 18) - 1]));
#endif
    memset(pieces[3], 0, sizeof(float) << 18);
    trm_arena_reset(&arena);
    CHECK_EQ(arena.used_bytes, 0);
    CHECK_EQ(arena.high_bytes, plan.high_bytes);
  }
  trm_arena_release(&arena);
  CHECK(arena.base == NULL && arena.dry);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
}

static void test_resident(void) {
  const int64_t n = 256 << 20, touched = 48 << 20;
  char *p = NULL;
  const int64_t before = trm_peak_resident_bytes();
  CHECK(before > 100000);
  if (!CHECK_OK(TRM_ALLOC(&p, n, "p"))) return;
#if !SANITIZED
  CHECK(trm_peak_resident_bytes() <
        before + n / 2); /* large blocks are zero without being touched */
#endif
  memset(p, 1, (size_t)touched);
  CHECK(trm_peak_resident_bytes() >= touched);
  TRM_FREE(p);
}

int main(void) {
  test_size_mul();
  test_blocks();
  test_refusals();
  test_fail_after();
  test_threads();
  test_bugs_are_caught();
  test_arena();
  test_resident();
  return check_verdict();
}
