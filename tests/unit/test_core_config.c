/* The table: defaults, access, texts, digest, help, allocation failures. */
#include "trireme/core/config.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config_fixture.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"

static void test_defaults(void) {
  trm_config *config = fixture_config();
  CHECK_EQ(trm_config_int(config, "model.layers"), 4);
  CHECK_EQ(trm_config_int(config, "train.steps"), 2000);
  CHECK_NEAR(trm_config_real(config, "optimizer.lr"), 1e-3, 0);
  CHECK_NEAR(trm_config_real(config, "optimizer.eps"), 1e-8, 0);
  CHECK(trm_config_bool(config, "model.bias"));
  CHECK(!trm_config_bool(config, "model.tied"));
  CHECK_STR(trm_config_string(config, "schedule.name"), "cosine");
  CHECK_STR(trm_config_string(config, "run.dir"), "");
  CHECK(!trm_config_given(config, "run.dir"));
  CHECK_EQ(trm_config_check(config), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "data.path has no value");
  CHECK_HAS(trm_message(), "--set data.path=");
  CHECK_OK(trm_config_set(config, "data.path=a b=c.h5"));
  CHECK_OK(trm_config_check(config));
  CHECK_STR(trm_config_string(config, "data.path"), "a b=c.h5");
  CHECK(trm_config_given(config, "data.path"));
  trm_config_destroy(&config);
  CHECK(config == NULL);
  trm_config_destroy(&config);
}

static void refuse_set(const char *assignment, const char *want) {
  trm_config *config = fixture_config();
  const uint64_t digest = trm_config_digest(config, false);
  CHECK_EQ(trm_config_set(config, assignment), TRM_ERR_CONFIG);
  CHECK_STR(trm_message(), want);
  CHECK(trm_config_digest(config, false) == digest);
  trm_config_destroy(&config);
}

static void test_overrides(void) {
  trm_config *config = fixture_config();
  CHECK_OK(trm_config_set(config, "optimizer.lr=3e-4"));
  CHECK_NEAR(trm_config_real(config, "optimizer.lr"), 3e-4, 0);
  CHECK_OK(trm_config_set(config, "optimizer.lr=.5"));
  CHECK_NEAR(trm_config_real(config, "optimizer.lr"), 0.5, 0);
  CHECK_OK(trm_config_set(config, "optimizer.lr=+1.E+2"));
  CHECK_NEAR(trm_config_real(config, "optimizer.lr"), 100, 0);
  CHECK_OK(trm_config_set(config, "run.seed=9007199254740992"));
  CHECK_EQ(trm_config_int(config, "run.seed"), INT64_C(9007199254740992));
  CHECK_OK(trm_config_set(config, "run.seed=007"));
  CHECK_EQ(trm_config_int(config, "run.seed"), 7);
  trm_config_destroy(&config);
  refuse_set("optimizer.lrr=3", "--set: unknown key 'optimizer.lrr'; did you mean 'optimizer.lr'?");
  refuse_set("optimiser.lr=3", "--set: unknown key 'optimiser.lr'; did you mean 'optimizer.lr'?");
  refuse_set("train.lr=3", "--set: unknown key 'train.lr'; did you mean 'optimizer.lr'?");
  refuse_set("lr=3", "--set: unknown key 'lr'; did you mean 'optimizer.lr'?");
  refuse_set("run.x=3", "--set: unknown key 'run.x'; known keys of the group: dir, seed");
  refuse_set("optimizer.lr", "--set: 'optimizer.lr' is no assignment; write --set group.key=value");
  refuse_set("=3", "--set: '=3' is no assignment; write --set group.key=value");
  refuse_set("optimizer.lr=", "--set: optimizer.lr is '', not a number; allowed: 0 or more");
  refuse_set("optimizer.lr=0x1p3",
             "--set: optimizer.lr is '0x1p3', not a number; allowed: 0 or more");
  refuse_set("optimizer.lr=1e", "--set: optimizer.lr is '1e', not a number; allowed: 0 or more");
  refuse_set("optimizer.lr= 1", "--set: optimizer.lr is ' 1', not a number; allowed: 0 or more");
  refuse_set("optimizer.lr=-1", "--set: optimizer.lr is -1; allowed: 0 or more");
  refuse_set("optimizer.lr=inf",
             "--set: optimizer.lr is 'inf', not a finite number; allowed: 0 or more");
  refuse_set("optimizer.lr=nan(7)",
             "--set: optimizer.lr is 'nan(7)', not a finite number; allowed: 0 or more");
  refuse_set("optimizer.lr=1e309",
             "--set: optimizer.lr is '1e309', not a finite number; allowed: 0 or more");
  refuse_set("model.dropout=1", "--set: model.dropout is 1; allowed: 0 to 0.99");
  refuse_set("run.seed=9007199254740993",
             "--set: run.seed is 9007199254740993; allowed: 0 to 9007199254740992");
  refuse_set("run.seed=-18446744073709551616",
             "--set: run.seed is -18446744073709551616; allowed: 0 to 9007199254740992");
  refuse_set("model.tied=yes", "--set: model.tied is 'yes'; allowed: true, false");
  refuse_set("optimizer.name=adamv",
             "--set: optimizer.name is 'adamv'; allowed: adamw, adam, sgd; did you mean 'adamw'?");
  refuse_set("optimizer.name=adamw|sgd",
             "--set: optimizer.name is 'adamw|sgd'; allowed: adamw, adam, sgd");
  refuse_set("run.dir=\xC3", "--set: run.dir is '\xC3', not UTF-8 at byte 1; write it in UTF-8");
  refuse_set("run.dir=a\xED\xA0\x80",
             "--set: run.dir is 'a\xED\xA0\x80', not UTF-8 at byte 2; write it in UTF-8");
}

/* Writes every value of `config` and reads it back into another configuration. */
static void check_round_trip(const trm_config *config) {
  char *text = NULL, *again = NULL;
  trm_config *copy = fixture_config();
  trm_config_change change;
  if (!CHECK_OK(trm_config_text(config, false, &text))) return;
  if (!CHECK_OK(trm_config_read_text(copy, text, "text"))) fprintf(stderr, "%s", text);
  CHECK_OK(trm_config_text(copy, false, &again));
  CHECK_STR(again, text);
  CHECK(trm_config_digest(copy, false) == trm_config_digest(config, false));
  CHECK(!trm_config_difference(config, copy, NULL, &change));
  TRM_FREE(text);
  TRM_FREE(again);
  trm_config_destroy(&copy);
}

static void round_trip_string(const char *value) {
  char assignment[300];
  char *text = NULL;
  trm_config *config = fixture_config(), *copy = fixture_config();
  (void)snprintf(assignment, sizeof assignment, "run.dir=%s", value);
  CHECK_OK(trm_config_set(config, assignment));
  check_round_trip(config);
  CHECK_OK(trm_config_text(config, false, &text));
  CHECK_OK(trm_config_read_text(copy, text, "text"));
  CHECK_STR(trm_config_string(copy, "run.dir"), value);
  TRM_FREE(text);
  trm_config_destroy(&config);
  trm_config_destroy(&copy);
}

static void test_strings_round_trip(void) {
  const char *const values[] = {"",
                                "runs/lm",
                                "a b",
                                " a ",
                                "~",
                                "null",
                                "True",
                                "12",
                                "1e3",
                                ".5",
                                "-",
                                "- a",
                                "a: b",
                                "a #b",
                                "#",
                                "'",
                                "\"",
                                "\\",
                                "{a}",
                                "[a]",
                                "&a",
                                "*a",
                                "!a",
                                "|",
                                ">",
                                "%a",
                                "@a",
                                "`a",
                                "?",
                                ":",
                                "a\nb",
                                "\t",
                                "\r\n",
                                "\x01",
                                "\x7F",
                                "äöü",
                                "\xC2\x85",
                                "a \xE2\x80\xA8 b",
                                "\xEF\xBB\xBF",
                                "😀",
                                "---",
                                "...",
                                "<<",
                                "=",
                                "../x",
                                "/tmp/a b/ü",
                                "\xEF\xBF\xBE",
                                "\xC2\xA0",
                                "a,b",
                                "yes"};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; ++i) round_trip_string(values[i]);
}

static void test_reals_round_trip(void) {
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_TEST, 0, 0);
  const double some[] = {0,
                         0.1,
                         1.0 / 3,
                         1e-3,
                         100,
                         1e15,
                         1e16,
                         123456789012345678.0,
                         0.5,
                         300,
                         DBL_MAX,
                         DBL_MIN,
                         DBL_TRUE_MIN,
                         1 + DBL_EPSILON,
                         5e-5};
  trm_config *config = fixture_config();
  for (int i = 0; i < 2000; ++i) {
    double value;
    const uint64_t bits = trm_random_below(key, 0, (uint64_t)i, UINT64_C(0x7FF0000000000000));
    memcpy(&value, &bits, sizeof value);
    if (i < (int)(sizeof some / sizeof some[0])) value = some[i];
    char assignment[64];
    (void)snprintf(assignment, sizeof assignment, "optimizer.lr=%.17g", value);
    CHECK_OK(trm_config_set(config, assignment));
    CHECK(trm_config_real(config, "optimizer.lr") == value);
    char *text = NULL;
    CHECK_OK(trm_config_text(config, false, &text));
    CHECK_OK(trm_config_read_text(config, text, "text"));
    if (!CHECK(trm_config_real(config, "optimizer.lr") == value)) fprintf(stderr, "%a\n", value);
    TRM_FREE(text);
  }
  trm_config_destroy(&config);
}

static void check_real_text(const char *value, const char *want) {
  char assignment[64], line[64];
  char *text = NULL;
  trm_config *config = fixture_config();
  (void)snprintf(assignment, sizeof assignment, "optimizer.lr=%s", value);
  (void)snprintf(line, sizeof line, "\n  lr: %s\n", want);
  CHECK_OK(trm_config_set(config, assignment));
  CHECK_OK(trm_config_text(config, false, &text));
  CHECK_HAS(text, line);
  TRM_FREE(text);
  trm_config_destroy(&config);
}

static void test_text(void) {
  char *text = NULL;
  trm_config *config = fixture_config();
  CHECK_OK(trm_config_text(config, false, &text));
  CHECK_HAS(text, "run:\n  dir: \"\"\n  seed: 1\nmodel:\n  kind: decoder\n  layers: 4\n");
  TRM_FREE(text);
  check_round_trip(config);
  trm_config_destroy(&config);
  check_real_text("0.0010", "0.001");
  check_real_text("1e-8", "1.0e-8");
  check_real_text("3e2", "300");
  check_real_text("1.25e-10", "1.25e-10");
  check_real_text("2e20", "2.0e+20");
  check_real_text("-0.0", "0");
  check_real_text("0.30000000000000004", "0.30000000000000004");
}

/* Only keys in use with an effect count, whatever stands in the others. */
static void test_digest(void) {
  trm_config *a = fixture_config(), *b = fixture_config();
  trm_config_change c = {0};
  CHECK(trm_config_digest(a, false) == trm_config_digest(b, false));
  CHECK_OK(trm_config_set(b, "optimizer.lr=0.00100"));
  CHECK_OK(trm_config_set(b, "optimizer.weight_decay=1e-1"));
  CHECK_OK(trm_config_set(b, "data.path=elsewhere"));
  CHECK_OK(trm_config_set(b, "train.steps=7"));
  CHECK_OK(trm_config_set(b, "optimizer.nesterov=true")); /* of sgd */
  CHECK(trm_config_digest(a, false) == trm_config_digest(b, false));
  CHECK(trm_config_digest(a, true) != trm_config_digest(b, true));
  CHECK(!trm_config_difference(a, b, NULL, &c));
  CHECK_OK(trm_config_set(b, "train.steps=2000"));
  CHECK(trm_config_digest(a, true) == trm_config_digest(b, true));
  CHECK_OK(trm_config_set(b, "model.heads=8"));
  CHECK_OK(trm_config_set(b, "optimizer.name=sgd"));
  CHECK(trm_config_digest(a, false) != trm_config_digest(b, false));
  CHECK(trm_config_difference(a, b, NULL, &c));
  CHECK_STR(c.key, "model.heads");
  CHECK_STR(c.a, "4");
  CHECK_STR(c.b, "8");
  CHECK_EQ(c.effect, TRM_ON_MODEL);
  CHECK(trm_config_difference(a, b, c.key, &c));
  CHECK_STR(c.key, "optimizer.name");
  CHECK_EQ(c.effect, TRM_ON_RESULT);
  CHECK(!trm_config_difference(a, b, c.key, &c)); /* beta2 is used by one of them alone */
  trm_config_destroy(&a);
  trm_config_destroy(&b);
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void expect_check(trm_config *config, const char *want) {
  CHECK_OK(trm_config_set(config, "data.path=x"));
  CHECK_EQ(trm_config_check(config), want ? TRM_ERR_CONFIG : TRM_OK);
  if (want) CHECK_STR(trm_message(), want);
}

/* A key that was given and that nothing uses is an error that says who would use it. */
static void test_idle_keys(void) {
  trm_config *c = fixture_config();
  CHECK_OK(trm_config_set(c, "optimizer.nesterov=false")); /* also at its default */
  expect_check(c, "--set: optimizer.nesterov has no effect here: it is for optimizer.name sgd; "
                  "remove it, or choose what uses it");
  CHECK(!trm_config_used(c, "optimizer.nesterov"));
  CHECK_OK(trm_config_set(c, "optimizer.name=sgd"));
  expect_check(c, NULL);
  CHECK(trm_config_used(c, "optimizer.nesterov") && !trm_config_used(c, "optimizer.beta2"));
  CHECK_OK(trm_config_read_text(c, "optimizer:\n  beta2: 0.5\n  eps: 1e-9\n", "lm.yaml"));
  expect_check(c, "lm.yaml:2: optimizer.beta2 has no effect here: it is for optimizer.name adamw, "
                  "adam; remove it, or choose what uses it; the same holds for optimizer.eps");
  trm_config_destroy(&c);
  /* A chain of selectors: the feed-forward part of residual blocks of gcn. */
  c = fixture_config();
  CHECK_OK(trm_config_set(c, "model.feed_forward=true"));
  expect_check(c, "--set: model.feed_forward has no effect here: it is for model.block residual; "
                  "remove it, or choose what uses it");
  CHECK_OK(trm_config_set(c, "model.kind=gcn"));
  CHECK_EQ(trm_config_check(c), TRM_ERR_CONFIG);
  CHECK_OK(trm_config_set(c, "model.block=residual"));
  expect_check(c, NULL);
  CHECK_OK(trm_config_set(c, "model.kind=decoder"));
  expect_check(c, "--set: model.block has no effect here: it is for model.kind gcn; remove it, or "
                  "choose what uses it; the same holds for model.feed_forward");
  trm_config_destroy(&c);
}

/* The row of the part in use has its own default, range and choices. */
static void test_rows_of_parts(void) {
  trm_config *c = fixture_config();
  CHECK_EQ(trm_config_int(c, "model.layers"), 4);
  CHECK(trm_config_is(c, "model.activation", "gelu"));
  CHECK_OK(trm_config_set(c, "model.kind=gcn"));
  CHECK_EQ(trm_config_int(c, "model.layers"), 2);
  CHECK(trm_config_is(c, "model.activation", "relu"));
  /* What some part takes may be set; whether the one in use does is checked at the end. */
  CHECK_OK(trm_config_set(c, "model.activation=elu"));
  CHECK_OK(trm_config_set(c, "model.layers=100"));
  expect_check(c, "--set: model.layers is 100; allowed: 1 to 16");
  CHECK_OK(trm_config_set(c, "model.layers=16"));
  expect_check(c, NULL);
  CHECK_OK(trm_config_set(c, "model.kind=decoder"));
  expect_check(c, "--set: model.activation is 'elu'; allowed: gelu, relu; did you mean 'gelu'?");
  CHECK_EQ(trm_config_set(c, "model.activation=tanh"), TRM_ERR_CONFIG);
  CHECK_STR(trm_message(), "--set: model.activation is 'tanh'; allowed: gelu, relu");
  CHECK_EQ(trm_config_set(c, "model.layers=5000"), TRM_ERR_CONFIG);
  CHECK_STR(trm_message(), "--set: model.layers is 5000; allowed: 1 to 1024");
  trm_config_destroy(&c);
}

/* Until a fact is told, its parts count as in use; then one of them. */
static void test_facts(void) {
  char *text = NULL;
  trm_config *c = fixture_config();
  CHECK_OK(trm_config_set(c, "sampler.kind=neighbor"));
  CHECK_OK(trm_config_set(c, "batch.size=2000")); /* a text may have it, so it is not refused yet */
  expect_check(c, NULL);
  CHECK_OK(trm_config_set(c, "batch.size=100"));
  trm_config_tell(c, "data", "graph");
  expect_check(c, NULL);
  CHECK_OK(trm_config_set(c, "batch.size=2000")); /* of a text it may be larger */
  expect_check(c, "--set: batch.size is 2000; allowed: 1 to 1024 (samples)");
  CHECK_OK(trm_config_set(c, "sampler.kind=full"));
  expect_check(c, "--set: batch.size has no effect here: it is for data of kind text, sampler.kind "
                  "neighbor; remove it, or choose what uses it");
  CHECK_OK(trm_config_text(c, true, &text));
  CHECK_STR(text, "data:\n  path: x\nsampler:\n  kind: full\n");
  TRM_FREE(text);
  trm_config_tell(c, "data", "text");
  expect_check(c,
               "--set: sampler.kind has no effect here: it is for data of kind graph; remove it, "
               "or choose what uses it");
  CHECK_OK(trm_config_text(c, false, &text));
  CHECK(!strstr(text, "sampler"));
  CHECK_HAS(text, "size: 2000\n");
  TRM_FREE(text);
  trm_config_destroy(&c);
}

static void test_help(void) {
  char *text = NULL;
  size_t n = 0;
  FILE *file = open_memstream(&text, &n);
  const trm_config_parts parts = fixture_parts();
  if (!CHECK(file != NULL)) return;
  CHECK_OK(trm_config_help(&parts, NULL, file));
  CHECK_EQ(fclose(file), 0);
  CHECK_HAS(text, "  data.path               text; required\n");
  CHECK_HAS(text, "choice: adamw, adam, sgd; default adamw *\n");
  CHECK_HAS(text, "  model.layers            integer: 1 to 1024; default 4 *\n"
                  "                          for model.kind decoder\n"
                  "                          Blocks.\n"
                  "                          integer: 1 to 16; default 2 *\n"
                  "                          for model.kind gcn\n"
                  "                          Layers.\n");
  CHECK_HAS(text, "                          for optimizer.name adamw, adam\n");
  CHECK_HAS(text, "                          for data of kind graph\n");
  free(text);
}

static void check_nearest(const char *word, const char *want) {
  static const char *const names[] = {"train", "evaluate", "generate", "inspect", "lr"};
  const char *got = trm_nearest(word, names, 5);
  CHECK_STR(got ? got : "none", want);
}

static void test_nearest(void) {
  char long_word[500];
  memset(long_word, 'a', sizeof long_word - 1);
  long_word[sizeof long_word - 1] = '\0';
  check_nearest("trian", "train");
  check_nearest("TRAIN", "train");
  check_nearest("tran", "train");
  check_nearest("evalute", "evaluate");
  check_nearest("lx", "lr");
  check_nearest("xyzzy", "none");
  check_nearest("", "none");
  check_nearest(long_word, "none");
  CHECK(trm_nearest("train", NULL, 0) == NULL);
}

/* Everything that allocates, failing at the n-th allocation until none fails. */
static trm_status all_calls(void) {
  const trm_config_parts parts = fixture_parts();
  trm_status status = TRM_OK;
  trm_config *config = NULL;
  char *text = NULL;
  TRM_TRY_OUT(trm_config_create(&parts, &config));
  TRM_TRY_OUT(trm_config_read_text(config, "optimizer: { lr: 0.5 }\nrun: { dir: x }", "text"));
  TRM_TRY_OUT(trm_config_set(config, "data.path=abc"));
  TRM_TRY_OUT(trm_config_text(config, false, &text));
  TRM_TRY_OUT(trm_config_read_file(config, "/dev/null"));
out:
  TRM_FREE(text);
  trm_config_destroy(&config);
  return status;
}

static void test_allocation_failures(void) {
  const int64_t live = trm_alloc_counts_get().live_blocks;
  int64_t n = 0;
  for (;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status = all_calls();
    trm_alloc_fail_after(-1);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    if (status == TRM_OK) break;
    if (!CHECK_EQ(status, TRM_ERR_MEMORY)) break;
    CHECK_HAS(trm_message(), "no memory");
  }
  CHECK(n > 50);
}

int main(void) {
  test_defaults();
  test_overrides();
  test_text();
  test_strings_round_trip();
  test_reals_round_trip();
  test_digest();
  test_idle_keys();
  test_rows_of_parts();
  test_facts();
  test_help();
  test_nearest();
  test_allocation_failures();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
