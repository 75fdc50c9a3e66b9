/* What reports are made of: escaping, fewer points, round numbers on axes, reading runs, comparing them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chart.h"
#include "check.h"
#include "curves.h"
#include "picture.h"
#include "record.h"
#include "study.h"
#include "ticks.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/train/report.h"
#include "tsv.h"

/* ---- text ------------------------------------------------------------------------------------ */

static void check_text(const char *text, const char *expected) {
  char *out = NULL;
  size_t bytes = 0;
  FILE *file = open_memstream(&out, &bytes);
  trm_report_text(file, text);
  CHECK_EQ(fclose(file), 0);
  CHECK_STR(out, expected);
  free(out);
}

static void test_escaping(void) {
  check_text("plain", "plain");
  check_text("<a href=\"x\">&'", "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  check_text("\xc3\xa9 \xe2\x82\xac", "\xc3\xa9 \xe2\x82\xac");
  check_text("a\x01z", "a\xef\xbf\xbdz");
  check_text("\xff<", "\xef\xbf\xbd&lt;");              /* no UTF-8 */
  check_text("a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd"); /* cut inside a character */
}

static void test_base64(void) {
  static const char *const expected[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                         "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (int n = 0; n <= 6; ++n) { /* of RFC 4648 */
    char *out = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&out, &bytes);
    trm_base64_write((const uint8_t *)"foobar", n, file);
    CHECK_EQ(fclose(file), 0);
    CHECK_STR(out, expected[n]);
    free(out);
  }
}

/* ---- axes ------------------------------------------------------------------------------------ */

static void check_ticks(double low, double high, bool log, int most, int n,
                        const double *expected) {
  double ticks[TRM_MAX_TICKS];
  CHECK_EQ(trm_ticks(low, high, log, most, ticks), n);
  for (int i = 0; i < n; ++i) CHECK_NEAR(ticks[i], expected[i], 1e-12 * (1 + fabs(expected[i])));
}

static void test_ticks(void) {
  check_ticks(0, 1, false, 5, 6, (double[]){0, 0.2, 0.4, 0.6, 0.8, 1});
  check_ticks(-0.11, 0.11, false, 5, 5, (double[]){-0.1, -0.05, 0, 0.05, 0.1});
  check_ticks(1.43, 4.4, false, 4, 3, (double[]){2, 3, 4});
  check_ticks(1, 10000, true, 7, 5, (double[]){1, 10, 100, 1000, 10000});
  check_ticks(0.5, 3, true, 7, 3, (double[]){0.5, 1, 2});
  check_ticks(1e-12, 1e12, true, 7, 7, (double[]){1e-12, 1e-8, 1e-4, 1, 1e4, 1e8, 1e12});
  check_ticks(2, 2, false, 5, 1, (double[]){2});
  check_ticks(0, INFINITY, false, 5, 1, (double[]){0});
  static const struct {
    double value;
    const char *text;
  } texts[] = {{0, "0"},    {0.25, "0.25"},  {1500, "1500"},  {-20000, "-20k"},
               {3e6, "3M"}, {2.5e9, "2.5G"}, {1e-5, "1e-05"}, {0.0001, "0.0001"}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
    char text[TRM_TICK_BYTES];
    trm_tick_text(texts[i].value, text);
    CHECK_STR(text, texts[i].text);
  }
}

/* ---- fewer points ---------------------------------------------------------------------------- */

/* Whatever is thinned keeps its ends, its highest and its lowest value, in order. */
static void test_thin(void) {
  enum { N = 1000 };
  double y[N];
  int64_t kept[N];
  for (int i = 0; i < N; ++i) y[i] = sin(0.7 * i);
  y[513] = 50;
  y[514] = -50;
  for (int64_t most = 4; most <= 300; ++most) {
    const int64_t n = trm_thin(y, N, most, kept);
    bool high = false, low = false;
    CHECK(n <= most);
    CHECK(kept[0] == 0 && kept[n - 1] == N - 1);
    for (int64_t i = 0; i < n; ++i) {
      CHECK(i == 0 || kept[i] > kept[i - 1]);
      high = high || kept[i] == 513;
      low = low || kept[i] == 514;
    }
    CHECK(high && low);
  }
  for (int64_t n = 0; n <= 5; ++n) CHECK_EQ(trm_thin(y, n, 5, kept), n);
}

/* One value far away does not flatten the others. */
static void test_fit(void) {
  double x[100], y[100];
  for (int i = 0; i < 100; ++i) {
    x[i] = i;
    y[i] = 1 + 0.01 * i;
  }
  y[0] = 1e9;
  const trm_chart_line line = {.n = 100, .x = x, .y = y, .bad_x = (double)NAN};
  trm_chart chart = {.lines = &line, .n_lines = 1};
  CHECK_OK(trm_chart_fit(&chart));
  CHECK(chart.y_high > 1.9 && chart.y_high < 10 && chart.y_low < 1.02);
  CHECK(chart.x_low == 0 && chart.x_high == 99);
  chart.n_lines = 0;
  CHECK_OK(trm_chart_fit(&chart));
  CHECK(chart.y_high > chart.y_low && chart.x_high > chart.x_low);
}

/* ---- runs ------------------------------------------------------------------------------------ */

static char root[] = "/tmp/trireme-report-XXXXXX";

static void write_text(const char *folder, const char *name, const char *text) {
  char path[512];
  (void)snprintf(path, sizeof path, "%s/%s", root, folder);
  CHECK_OK(trm_folder_make(path));
  (void)snprintf(path, sizeof path, "%s/%s/%s", root, folder, name);
  CHECK_OK(trm_file_write_atomic(path, text, strlen(text)));
}

static const char *in_root(const char *folder) {
  static char path[512];
  (void)snprintf(path, sizeof path, "%s/%s", root, folder);
  return path;
}

#define HEAD                                                                                       \
  "step,loss,valid_loss,lr,nodes_per_s,step_s,exposed_comm_s,event,weights_hash,samples_hash"

static void test_record(void) {
  trm_record r;
  write_text("a", "metrics.csv",
             HEAD ",valid_accuracy\n1,2,,0.1,5,1,0.5,,aa,bb,\n2,1.5,,0.1,5,1,0.25,,aa,bb,\n"
                  "2,,1.25,,,,,,,,0.75\n3,nan,,0.1,5,1,0,,aa,bb,\n4,1");
  write_text("a", "config.yaml", "train:\n  steps: 9\nmodel:\n  kind: gcn\n");
  write_text(
      "a", "log.txt",
      "2026-01-01T00:00:00Z 2 ranks x 1 thread on 1 host\n"
      "2026-01-01T00:00:00Z gcn: 1,234 parameters, 9 nodes in 4 blocks\n"
      "2026-01-01T00:00:01Z step 1/9  loss 2.0000\n"
      "2026-01-01T00:00:02Z resumed at step 1\n"
      "2026-01-01T00:00:03Z step 4: the loss is nan and gradients are finite; there is no\n");
  CHECK_OK(trm_record_read(in_root("a"), &r));
  CHECK_EQ(r.n_rows, 4); /* the last line is being written */
  CHECK_STR(r.unit, "node");
  CHECK_STR(r.name, "a");
  CHECK_STR(r.parameters, "1,234");
  CHECK_STR(r.data, "9 nodes in 4 blocks");
  CHECK_STR(trm_record_value(&r, "model.kind"), "gcn");
  CHECK_EQ(trm_record_end(&r), 9);
  CHECK_EQ(r.n_resumes, 1);
  CHECK_EQ(r.state, TRM_RUN_DIVERGED);
  CHECK_EQ(r.n_notes, 2);
  CHECK_EQ(r.columns[trm_record_column(&r, "loss")].bad_step, 3);
  CHECK_EQ(r.columns[trm_record_column(&r, "loss")].n, 2);
  CHECK_NEAR(trm_record_last(&r, "loss"), 1.5, 0);
  CHECK(isnan(trm_record_last(&r, "event")) && isnan(trm_record_at(&r, "loss", 2)));
  trm_record_free(&r);
}

static void test_bad_records(void) {
  static const struct {
    const char *text, *message;
    trm_status status;
  } cases[] = {
      {"", "is empty", TRM_ERR_DATA},
      {"epoch,loss\n", ":1: its first column is not 'step'", TRM_ERR_DATA},
      {"step,loss\n1,2,3\n", ":2: has more than the 2 fields", TRM_ERR_DATA},
      {"step,loss\n1,2\n2\n", ":3: has fewer than the 2 fields", TRM_ERR_DATA},
      {"step,loss\n1,two\n", ":2: column 'loss' has 'two'", TRM_ERR_DATA},
      {"step,loss\nx,2\n", ":2: column 'step' has 'x'", TRM_ERR_DATA},
  };
  trm_record r;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    write_text("bad", "metrics.csv", cases[i].text);
    CHECK_EQ(trm_record_read(in_root("bad"), &r), cases[i].status);
    CHECK_HAS(trm_message(), cases[i].message);
  }
  CHECK_EQ(trm_record_read(in_root("nothing"), &r), TRM_ERR_MISSING);
  CHECK_HAS(trm_message(), "there is no such folder");
  CHECK_EQ(trm_record_read(root, &r), TRM_ERR_IO);
  CHECK_HAS(trm_message(), "has no metrics.csv");
}

/* A run of three evaluations; `config` is more of it. */
static void write_run(const char *folder, const char *seed, const char *config, double accuracy) {
  char text[1024];
  (void)snprintf(text, sizeof text,
                 HEAD ",valid_accuracy\n1,2,,0.1,5,1,0,,,,\n1,,1.5,,,,,,,,%g\n2,,1.25,,,,,,,,%g\n"
                      "3,,1.75,,,,,,,,%g\n",
                 accuracy, accuracy + 0.25, accuracy + 0.125);
  write_text(folder, "metrics.csv", text);
  (void)snprintf(text, sizeof text, "run:\n  dir: %s\n  seed: %s\ntrain:\n  steps: 3\n%s", folder,
                 seed, config);
  write_text(folder, "config.yaml", text);
}

static void test_study(void) {
  trm_study s;
  write_run("sweep/seed_1", "1", "optimizer:\n  name: adam\n", 0.25);
  write_run("sweep/seed_2", "2", "optimizer:\n  name: adam\n", 0.5);
  write_run("other/seed_1", "1", "optimizer:\n  name: sgd\n", 0.125);
  char first[512], second[512];
  (void)snprintf(first, sizeof first, "%s/sweep", root);
  (void)snprintf(second, sizeof second, "%s/other/seed_1/", root);
  const char *folders[] = {first, second, first};
  CHECK_OK(trm_study_read(folders, 3, &s));
  CHECK_EQ(s.n, 3);
  CHECK_EQ(s.n_groups, 2);
  CHECK_EQ(s.n_differences, 1);
  CHECK_STR(s.differences[0], "optimizer.name");
  CHECK_STR(s.groups[0].label, "adam");
  CHECK_STR(s.records[0].name, "sweep/seed_1");
  CHECK_STR(s.select, "valid_accuracy"); /* of nodes */
  CHECK(s.higher);
  CHECK_EQ(trm_study_best_row(&s, &s.records[0]), 2);
  CHECK_EQ(trm_study_best_record(&s), 1);
  CHECK_EQ(trm_study_group_of(&s, 2), 1);
  trm_points p;
  CHECK_OK(trm_group_points(&s, 0, "valid_accuracy", &p));
  CHECK_EQ(p.n, 3);
  CHECK_NEAR(p.y[1], 0.625, 1e-12);
  CHECK_NEAR(p.spread[1], sqrt(0.03125), 1e-12); /* of 0.5 and 0.75 */
  trm_points_free(&p);
  trm_study_free(&s);
}

/* Names of configurations: by the keys that all have; by folders where values do not tell them apart. */
static void test_labels(void) {
  trm_study s;
  write_run("l/a_seed_0", "0", "model:\n  dropout: 0.1\noptimizer:\n  beta1: 0.9\n", 0.25);
  write_run("l/b_seed_0", "0", "model:\n  dropout: 0.2\noptimizer:\n  momentum: 0.9\n", 0.25);
  write_run("l/b_seed_1", "1", "model:\n  dropout: 0.2\noptimizer:\n  momentum: 0.9\n", 0.25);
  char folder[512];
  (void)snprintf(folder, sizeof folder, "%s/l", root);
  const char *folders[] = {folder};
  CHECK_OK(trm_study_read(folders, 1, &s));
  CHECK_EQ(s.n_groups, 2);
  CHECK_EQ(s.n_differences, 3);
  CHECK_STR(s.groups[0].label, "dropout 0.1");
  CHECK_STR(s.groups[1].label, "dropout 0.2");
  trm_study_free(&s);
  static const char *const many[] = {"1", "2"};
  for (int i = 0; i < 2; ++i) {
    char run[64], keys[256];
    (void)snprintf(run, sizeof run, "m/p-%s_split_0_seed_%d", many[i], i);
    (void)snprintf(keys, sizeof keys, "model:\n  a: %s\n  b: %s\n  c: %s\n  d: %s\n  e: %s\n",
                   many[i], many[i], many[i], many[i], many[i]);
    write_run(run, "0", keys, 0.25);
    (void)snprintf(run, sizeof run, "m/p-%s_split_1_seed_%d", many[i], i);
    write_run(run, "1", keys, 0.25);
  }
  (void)snprintf(folder, sizeof folder, "%s/m", root);
  CHECK_OK(trm_study_read(folders, 1, &s));
  CHECK_EQ(s.n_groups, 2);
  CHECK_STR(s.groups[0].label, "p-1");
  CHECK_STR(s.groups[1].label, "p-2");
  trm_study_free(&s);
}

/* A trial of a search that was left is not broken off. */
static void test_left_trials(void) {
  static const struct {
    const char *line;
    trm_run_state_word state;
  } cases[] = {{"paused after step 2 of 9", TRM_RUN_PAUSED},
               {"given up after step 2", TRM_RUN_GIVEN_UP},
               {"resumed at step 2", TRM_RUN_BROKEN}};
  for (int i = 0; i < 3; ++i) {
    trm_record r;
    char text[256];
    write_text("left", "metrics.csv",
               HEAD "\n1,2,,0.1,5,1,0.5,,aa,bb\n2,1.5,,0.1,5,1,0.2,,aa,bb\n");
    write_text("left", "config.yaml", "train:\n  steps: 9\n");
    (void)snprintf(text, sizeof text,
                   "2026-01-01T00:00:01Z step 2/9  loss 2.0000\n2026-01-01T00:00:02Z %s\n",
                   cases[i].line);
    write_text("left", "log.txt", text);
    CHECK_OK(trm_record_read(in_root("left"), &r));
    CHECK_EQ(r.state, cases[i].state);
    trm_record_free(&r);
  }
}

static void test_different_tasks(void) {
  trm_study s;
  write_text("t1", "metrics.csv", "step,loss,tokens_per_s,samples_hash\n1,2,3,\n");
  write_text("t2", "metrics.csv", "step,loss,nodes_per_s,samples_hash,valid_accuracy\n1,2,3,,\n");
  write_text("t3", "metrics.csv", "step,loss,nodes_per_s,samples_hash,valid_rmse\n1,2,3,,\n");
  char a[512], b[512], c[512];
  (void)snprintf(a, sizeof a, "%s/t1", root);
  (void)snprintf(b, sizeof b, "%s/t2", root);
  (void)snprintf(c, sizeof c, "%s/t3", root);
  const char *units[] = {a, b}, *scores[] = {b, c};
  CHECK_EQ(trm_study_read(units, 2, &s), TRM_ERR_DATA);
  CHECK_HAS(trm_message(),
            "different tasks: losses of the one are per token, of the other per node");
  CHECK_EQ(trm_study_read(scores, 2, &s), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "no score in common (valid_accuracy, valid_rmse)");
}

static void count(void *context, char *const *fields, int n_fields) {
  (void)fields;
  *(int *)context += n_fields;
}

static void test_tsv(void) {
  int n = 0;
  write_text("tsv", "good.tsv", "a\tb\n1\t\n");
  write_text("tsv", "bad.tsv", "a\tb\n1\n");
  CHECK_OK(trm_tsv_read(in_root("tsv"), "good.tsv", count, &n));
  CHECK_EQ(n, 4);
  CHECK_OK(trm_tsv_read(in_root("tsv"), "none.tsv", count, &n));
  CHECK_EQ(n, 4);
  CHECK_EQ(trm_tsv_read(in_root("tsv"), "bad.tsv", count, &n), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "bad.tsv:2: has 1 fields, not 2");
}

int main(void) {
  if (!mkdtemp(root)) return 1;
  test_escaping();
  test_base64();
  test_ticks();
  test_thin();
  test_fit();
  test_record();
  test_bad_records();
  test_study();
  test_labels();
  test_left_trials();
  test_different_tasks();
  test_tsv();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  char command[64];
  (void)snprintf(command, sizeof command, "rm -r %s", root);
  CHECK_EQ(system(command), 0);
  return check_verdict();
}
