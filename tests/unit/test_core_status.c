/* Statuses, messages, assertions. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void test_messages(void) {
  CHECK_STR(trm_message(), "");
  CHECK_EQ(trm_fail(TRM_ERR_DATA, "x.h5: %d rows, not %d", 3, 4), TRM_ERR_DATA);
  CHECK_STR(trm_message(), "x.h5: 3 rows, not 4");
  CHECK_EQ(trm_fail(TRM_ERR_IO, "again: %s", trm_message()), TRM_ERR_IO);
  CHECK_STR(trm_message(), "again: x.h5: 3 rows, not 4");
  trm_message_set("from elsewhere");
  CHECK_STR(trm_message(), "from elsewhere");
  trm_message_set(trm_message());
  CHECK_STR(trm_message(), "from elsewhere");
  (void)trm_fail(TRM_ERR_IO, "a\nb\tc\033[31md\177%s", "é");
  CHECK_STR(trm_message(), "a?b?c?[31md?é");
}

static void test_long_message(void) {
  char text[4000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  (void)trm_fail(TRM_ERR_IO, "%s", text);
  CHECK_EQ(strlen(trm_message()), TRM_MESSAGE_BYTES - 1);
  CHECK_STR(trm_message() + TRM_MESSAGE_BYTES - 4, "...");
  /* Two-byte characters at either parity: the cut never leaves half of one. */
  for (int shift = 0; shift < 2; ++shift) {
    for (int i = shift; i + 1 < (int)sizeof text - 1; i += 2) memcpy(text + i, "\xC3\xA9", 2);
    trm_message_set(text);
    const char *end = trm_message() + strlen(trm_message()) - 3;
    CHECK_STR(end, "...");
    CHECK_EQ((unsigned char)end[-1], 0xA9);
  }
}

static void *other_thread(void *out) {
  *(bool *)out = trm_message()[0] == '\0';
  (void)trm_fail(TRM_ERR_DATA, "of the other thread");
  return NULL;
}

static void test_threads(void) {
  pthread_t thread;
  bool was_empty = false;
  trm_message_set("of the main thread");
  CHECK_EQ(pthread_create(&thread, NULL, other_thread, &was_empty), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK(was_empty);
  CHECK_STR(trm_message(), "of the main thread");
}

static void test_table(void) {
  CHECK_EQ(trm_status_exit_code(TRM_OK), 0);
  CHECK_EQ(trm_status_exit_code(TRM_ERR_USAGE), 64);
  CHECK_EQ(trm_status_exit_code(TRM_ERR_DATA), 65);
  CHECK_EQ(trm_status_exit_code(TRM_ERR_RANK_LOST), 71);
  CHECK_EQ(trm_status_exit_code(TRM_ERR_IO), 74);
  CHECK_EQ(trm_status_exit_code(TRM_STOPPED), 75);
  CHECK_EQ(trm_status_exit_code(TRM_ERR_CONFIG), 78);
  CHECK_EQ(trm_status_exit_code((trm_status)-999), 70);
  CHECK_STR(trm_status_text(TRM_ERR_MEMORY), "out of memory");
  CHECK_STR(trm_status_text((trm_status)-999), "unknown status");
}

static trm_status give(trm_status status, int *calls) {
  ++*calls;
  return status;
}

static trm_status try_twice(trm_status first, int *calls) {
  TRM_TRY(give(first, calls));
  TRM_TRY(give(TRM_OK, calls));
  return TRM_OK;
}

static trm_status try_out(trm_status first, int *calls, bool *released) {
  trm_status status = TRM_OK;
  TRM_TRY_OUT(give(first, calls));
  TRM_TRY_OUT(give(TRM_OK, calls));
out:
  *released = true;
  return status;
}

static void test_macros(void) {
  bool released = false;
  int calls = 0;
  CHECK_EQ(try_twice(TRM_OK, &calls), TRM_OK);
  CHECK_EQ(calls, 2);
  CHECK_EQ(try_twice(TRM_ERR_IO, &calls), TRM_ERR_IO);
  CHECK_EQ(calls, 3);
  CHECK_EQ(try_out(TRM_ERR_DATA, &calls, &released), TRM_ERR_DATA);
  CHECK_EQ(calls, 4);
  CHECK(released);
}

static void leave(int exit_code) {
  _exit(exit_code);
}

/* Fails an assertion in a child; its standard error goes to text[n], its wait status is returned. */
static int assertion_in_child(trm_abort_hook hook, int rank, char *text, size_t n) {
  int ends[2], wait_status = 0;
  CHECK_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (dup2(ends[1], STDERR_FILENO) < 0) _exit(1);
    trm_abort_hook_set(hook, rank);
    volatile int two = 2;
    TRM_ASSERT(two == 2);
    TRM_ASSERT(two + two == 5);
    _exit(0);
  }
  CHECK_EQ(close(ends[1]), 0);
  size_t used = 0;
  for (ssize_t got = 1; got > 0 && used < n - 1; used += (size_t)(got > 0 ? got : 0)) {
    got = read(ends[0], text + used, n - 1 - used);
  }
  text[used] = '\0';
  CHECK_EQ(close(ends[0]), 0);
  CHECK_EQ(waitpid(child, &wait_status, 0), child);
  return wait_status;
}

static void test_assertions(void) {
  char text[4096];
  int wait_status = assertion_in_child(leave, 3, text, sizeof text);
  CHECK(WIFEXITED(wait_status));
  CHECK_EQ(WEXITSTATUS(wait_status), 70);
  CHECK_HAS(text, "bug: rank 3: ");
  CHECK_HAS(text, "test_core_status.c:");
  CHECK_HAS(text, "two + two == 5");
  wait_status = assertion_in_child(NULL, -1, text, sizeof text);
  CHECK(WIFSIGNALED(wait_status));
  CHECK_EQ(WTERMSIG(wait_status), SIGABRT);
  CHECK(strstr(text, "rank") == NULL);
}

int main(void) {
  test_messages();
  test_long_message();
  test_threads();
  test_table();
  test_macros();
  test_assertions();
  return check_verdict();
}
