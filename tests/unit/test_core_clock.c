/* Clock, sleep, age of the process. */
#include "trireme/core/clock.h"

#include <math.h>
#include <signal.h>
#include <sys/time.h>

#include "check.h"

static void on_alarm(int signal_number) {
  (void)signal_number;
}

int main(void) {
  const double age_s = trm_process_age_s();
  double start_s = trm_clock_s();
  CHECK(age_s >= 0 && age_s < 100);
  double last_s = start_s;
  for (int i = 0; i < 10000; ++i) {
    const double now_s = trm_clock_s();
    if (!CHECK(now_s >= last_s)) break;
    last_s = now_s;
  }

  start_s = trm_clock_s();
  trm_sleep_s(0.15);
  const double slept_s = trm_clock_s() - start_s;
  CHECK(slept_s >= 0.15 && slept_s < 20);
  const double aged_s = trm_process_age_s() - age_s; /* in ticks of 0.01 s */
  CHECK(aged_s > 0.1 && aged_s < 100);

  start_s = trm_clock_s();
  trm_sleep_s(0);
  trm_sleep_s(-5);
  trm_sleep_s(NAN);
  CHECK(trm_clock_s() - start_s < 3);

  /* A signal ends the longest sleep. */
  const struct sigaction action = {.sa_handler = on_alarm};
  const struct itimerval soon = {.it_value = {.tv_usec = 50000}};
  CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
  CHECK_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
  start_s = trm_clock_s();
  trm_sleep_s(INFINITY);
  const double interrupted_s = trm_clock_s() - start_s;
  CHECK(interrupted_s > 0.04 && interrupted_s < 20);
  return check_verdict();
}
