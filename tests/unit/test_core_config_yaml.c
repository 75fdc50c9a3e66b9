/* Configuration files: what is accepted, every refusal's line, files of the wrong sort, mutations. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_fixture.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"

static void accept(const char *text) {
  trm_config *config = fixture_config();
  if (!CHECK_OK(trm_config_read_text(config, text, "lm.yaml"))) fprintf(stderr, "%s\n", text);
  trm_config_destroy(&config);
}

static void test_accepted(void) {
  trm_config *config = fixture_config();
  CHECK_OK(trm_config_read_text(config,
                                "# a comment\n"
                                "run:\n"
                                "  dir: 'runs/a: b'   # another\n"
                                "  seed: \"42\"\n"
                                "optimizer: { lr: 3e-4, name: sgd, nesterov: true }\n"
                                "model:\n"
                                "  tied: true\n"
                                "data: {path: 123}\n"
                                "batch:\n",
                                "lm.yaml"));
  CHECK_STR(trm_config_string(config, "run.dir"), "runs/a: b");
  CHECK_EQ(trm_config_int(config, "run.seed"), 42);
  CHECK_NEAR(trm_config_real(config, "optimizer.lr"), 3e-4, 0);
  CHECK_STR(trm_config_string(config, "optimizer.name"), "sgd");
  CHECK(trm_config_bool(config, "optimizer.nesterov"));
  CHECK(trm_config_bool(config, "model.tied"));
  CHECK_STR(trm_config_string(config, "data.path"), "123");
  CHECK(trm_config_given(config, "run.seed") && !trm_config_given(config, "model.bias"));
  /* A second file goes over the first: its own duplicates count, not those between the two. */
  CHECK_OK(trm_config_read_text(config, "run: { seed: 43 }", "more.yaml"));
  CHECK_EQ(trm_config_int(config, "run.seed"), 43);
  CHECK_STR(trm_config_string(config, "run.dir"), "runs/a: b");
  trm_config_destroy(&config);
  accept("");
  accept("\n\n# nothing\n");
  accept("---\n");
  accept("--- {}\n...\n");
  accept("%YAML 1.1\n---\nrun: { seed: 3 }\n");
  accept("\xEF\xBB\xBFrun: { seed: 3 }\r\n");
  accept("run: ~\n");
  accept("run:\n  dir: \"\"\n");
  accept("run:\n  dir: >\n    folded\n    text\n");
}

/* Lists stand for a text, one line or several, and come back as it is written. */
static void test_lists(void) {
  static const char *const texts[] = {"run: {dir: [crop 4, flip,  'rotate 15' ]}",
                                      "run:\n  dir:\n    - crop 4\n    - flip\n    - rotate 15\n",
                                      "run:\n  dir:\n  - crop 4 # as usual\n\n  - \"flip\"\n"
                                      "  - rotate\n    15\n",
                                      "run: {dir: 'crop 4,flip,rotate 15'}"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    trm_config *config = fixture_config(), *again = fixture_config();
    char *written = NULL;
    CHECK_OK(trm_config_read_text(config, texts[i], "lm.yaml"));
    CHECK_STR(trm_config_string(config, "run.dir"), "crop 4,flip,rotate 15");
    CHECK_OK(trm_config_set(config, "data.path=x"));
    CHECK_OK(trm_config_text(config, false, &written));
    CHECK_OK(trm_config_read_text(again, written, "config.yaml"));
    CHECK_STR(trm_config_string(again, "run.dir"), "crop 4,flip,rotate 15");
    TRM_FREE(written);
    trm_config_destroy(&config);
    trm_config_destroy(&again);
  }
  trm_config *config = fixture_config();
  CHECK_OK(trm_config_read_text(config, "run: {dir: [10]}\ndata: {path: []}", "lm.yaml"));
  CHECK_STR(trm_config_string(config, "run.dir"), "10");
  CHECK_STR(trm_config_string(config, "data.path"), "");
  trm_config_destroy(&config);
}

/* Items may be mappings, and the list of one key may stand where a group would. */
static void test_lists_of_mappings(void) {
  static const char *const texts[] = {
      "run: {dir: [{match: 'head/*', lr: 10x, decay: 0}, {match: wte/*, freeze: true}, c d]}",
      "run:\n  dir:\n    - match: head/*\n      lr: 10x\n      decay: 0\n    - {match: wte/*, "
      "freeze: "
      "true}\n    - c d\n",
      "lists: [{match: 'head/*', lr: 10x, decay: 0}, {match: 'wte/*', freeze: true}, c d]\n"
      "model: {tied: true}",
      "run: {dir: 'head/* lr=10x decay=0,wte/* freeze=true,c d'}"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    trm_config *config = fixture_config();
    CHECK_OK(trm_config_read_text(config, texts[i], "lm.yaml"));
    CHECK_STR(trm_config_string(config, "run.dir"), "head/* lr=10x decay=0,wte/* freeze=true,c d");
    trm_config_destroy(&config);
  }
}

static void refuse(const char *text, const char *want) {
  trm_config *config = fixture_config();
  CHECK_EQ(trm_config_read_text(config, text, "lm.yaml"), TRM_ERR_CONFIG);
  CHECK_STR(trm_message(), want);
  trm_config_destroy(&config);
}

#define SYNTAX "; write 'group:' and below it, indented by spaces, 'key: value'"
#define GROUPS "known groups: run, data, model, sampler, batch, train, optimizer, schedule"

static void test_names_refused(void) {
  refuse("run:\n  seed: 1\n\noptimizer:\n  # note\n\n  lrr: 3\n",
         "lm.yaml:7: unknown key 'optimizer.lrr'; did you mean 'optimizer.lr'?");
  refuse("run: {seed: 1}\noptimiser: {lr: 3}",
         "lm.yaml:2: unknown group 'optimiser'; did you mean 'optimizer'?");
  refuse("\nlr: 3", "lm.yaml:2: unknown group 'lr'; did you mean 'optimizer.lr'?");
  refuse("colour: 3", "lm.yaml:1: unknown group 'colour'; " GROUPS);
  refuse("optimizer.lr: 3", "lm.yaml:1: 'optimizer.lr' stands outside its group; write "
                            "'optimizer:' and below it 'lr: ...'");
  refuse("train:\n  lr: 3", "lm.yaml:2: unknown key 'train.lr'; did you mean 'optimizer.lr'?");
  refuse("run:\n  xyz: 3", "lm.yaml:2: unknown key 'run.xyz'; known keys of the group: dir, seed");
  refuse("run:\n  seed: 3\n  dir: a\n  seed: 3",
         "lm.yaml:4: 'run.seed' stands twice (first in line 2); keep one of them");
  refuse("run:\n  seed: 3\nmodel:\nrun:\n  dir: x",
         "lm.yaml:4: 'run' stands twice (first in line 1); keep one of them");
  refuse("run: {\"se\\0ed\": 1}", "lm.yaml:1: a name with a zero byte; write a plain name");
  refuse("? [a]: b", "lm.yaml:1: a name is due here, not a list or mapping; write 'key: value'");
  refuse("run:\n  ? {a: b}\n  : c",
         "lm.yaml:2: a name is due here, not a list or mapping; write 'key: value'");
}

static void test_values_refused(void) {
  refuse("batch:\n  size: -3", "lm.yaml:2: batch.size is -3; allowed: 1 to 1048576 (samples)");
  refuse("batch: {size: twelve}",
         "lm.yaml:1: batch.size is 'twelve', not a whole number; allowed: 1 to 1048576 (samples)");
  refuse("batch: {size: 3.5}",
         "lm.yaml:1: batch.size is '3.5', not a whole number; allowed: 1 to 1048576 (samples)");
  refuse("batch: {size: 1e3}",
         "lm.yaml:1: batch.size is '1e3', not a whole number in plain digits; "
         "allowed: 1 to 1048576 (samples)");
  refuse("batch: {size: 99999999999999999999}",
         "lm.yaml:1: batch.size is 99999999999999999999; allowed: 1 to 1048576 (samples)");
  refuse("optimizer: {lr: .nan}",
         "lm.yaml:1: optimizer.lr is '.nan', not a finite number; allowed: 0 or more");
  refuse("optimizer: {lr: -.inf}",
         "lm.yaml:1: optimizer.lr is '-.inf', not a finite number; allowed: 0 or more");
  refuse("optimizer: {lr: fast}",
         "lm.yaml:1: optimizer.lr is 'fast', not a number; allowed: 0 or more");
  refuse("model: {tied: True}", "lm.yaml:1: model.tied is 'True'; allowed: true, false");
  refuse("run:\n  seed:\n  dir: x", "lm.yaml:2: run.seed has no value; remove the line or give "
                                    "one, allowed: 0 to 9007199254740992");
  refuse("run: {dir: ~}",
         "lm.yaml:1: run.dir has no value; remove the line or give one, allowed: text");
  refuse("run: {dir: \"a\\0b\"}", "lm.yaml:1: run.dir has a zero byte in its value; remove it");
}

static void test_shapes_refused(void) {
  refuse("optimizer:\n  name:\n    - sgd",
         "lm.yaml:3: optimizer.name is a list; allowed: one value, adamw, adam, sgd");
  refuse("optimizer:\n  name:\n    sgd: 1", "lm.yaml:3: optimizer.name holds further keys; there "
                                            "are two levels only, allowed: adamw, adam, sgd");
  refuse("optimizer: sgd",
         "lm.yaml:1: group 'optimizer' has a value of its own; write 'key: value' below it");
  refuse("optimizer: [sgd]",
         "lm.yaml:1: group 'optimizer' has a value of its own; write 'key: value' below it");
  refuse("- run", "lm.yaml:1: not groups of keys" SYNTAX);
  refuse("hello", "lm.yaml:1: not groups of keys" SYNTAX);
  refuse("run: {seed: 1}\n---\nrun: {seed: 2}",
         "lm.yaml:2: a second document begins; one file holds one configuration");
  refuse("run: {dir: !!python/object x}", "lm.yaml:1: tags (!name) are not used in a "
                                          "configuration; write the value itself");
}

/* Anchors, aliases and merges: own keys go before merged ones, the first of several merges before the
 * next; what begins with x- holds anchors alone. */
static void test_merges(void) {
  static const char *const texts[] = {
      "x-base: &base {seed: 5, dir: a}\nrun: {<<: *base, dir: b}\n",
      "x-base: &base\n  seed: 5\n  dir: a\nrun:\n  dir: b\n  <<: *base\n",
      "x-a: &a {seed: 5}\nx-b: &b {seed: 6, dir: b}\nrun: {<<: [*a, *b]}\n",
      "x-a: &a {seed: 5}\nx-b: &b {<<: *a, dir: b}\nrun: *b\n",
      "x-a: &a {run: {seed: 5, dir: b}}\n<<: *a\n",
      "run: {seed: &n 5, dir: b}\nbatch: {size: *n}\n",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    trm_config *config = fixture_config();
    if (!CHECK_OK(trm_config_read_text(config, texts[i], "lm.yaml")))
      fprintf(stderr, "%s\n", texts[i]);
    CHECK_EQ(trm_config_int(config, "run.seed"), 5);
    CHECK_STR(trm_config_string(config, "run.dir"), "b");
    trm_config_destroy(&config);
  }
  refuse("x-base: &base {seed: 5, seeds: 6}\nrun: {<<: *base}\n",
         "lm.yaml:1: unknown key 'run.seeds'; did you mean 'run.seed'?");
  refuse("run: {<<: 3}", "lm.yaml:1: '<<' merges mappings; write '<<: *name', where &name stands "
                         "before a group of keys");
  refuse("run: &a {<<: *a}", "lm.yaml:1: '<<' merges too much, or itself; write the keys here");
  refuse("run: *a", "lm.yaml:1: found undefined alias; an anchor (&name) stands once, before the "
                    "aliases (*name) for it");
}

/* All that is wrong is told, each in its line. */
static void test_all_refused(void) {
  refuse("run: {seeds: 1}\nbatch:\n  size: -3\n  blocks: x\noptimiser: {lr: 1}\n",
         "lm.yaml:1: unknown key 'run.seeds'; did you mean 'run.seed'?\x1E"
         "lm.yaml:3: batch.size is -3; allowed: 1 to 1048576 (samples)\x1E"
         "lm.yaml:4: batch.blocks is 'x', not a whole number; allowed: 0 to 1048576\x1E"
         "lm.yaml:5: unknown group 'optimiser'; did you mean 'optimizer'?");
  char text[8000] = "run:\n";
  while (strlen(text) < 6000) strcat(text, "  sede: 1\n");
  trm_config *config = fixture_config();
  CHECK_EQ(trm_config_read_text(config, text, "lm.yaml"), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "\x1E"
                           "and ");
  CHECK_HAS(trm_message(), " more");
  trm_config_destroy(&config);
}

static void test_lists_refused(void) {
  refuse("run:\n  dir:\n  - flip\n  - 'crop 4, hue 0.1'",
         "lm.yaml:4: run.dir: the item 'crop 4, hue 0.1' of its list has a comma; make it two "
         "items, or write the list as one text");
  refuse("run:\n  dir:\n  - crop: 4",
         "lm.yaml:3: run.dir: an item of its list that is a mapping begins with what it is for, "
         "once: {match: ..., key: value}");
  refuse("run: {dir: [{match: a, b: 1, match: c}]}",
         "lm.yaml:1: run.dir: an item of its list that is a mapping begins with what it is for, "
         "once: {match: ..., key: value}");
  refuse("run: {dir: [{}]}",
         "lm.yaml:1: run.dir: an item of its list that is a mapping begins with what it is for, "
         "once: {match: ..., key: value}");
  refuse("run:\n  dir:\n  - match: a\n    b: [1]",
         "lm.yaml:4: run.dir: an item of its list holds a list; write '- item'");
  refuse("run: {dir: [{match: 'a,b', c: 1}]}",
         "lm.yaml:1: run.dir: the item 'a,b' of its list has a comma; make it two items, or write "
         "the list as one text");
  refuse("lists: [a]\nrun: {dir: b}", "lm.yaml:2: 'run.dir' stands twice (first in line 1); keep "
                                      "one of them");
  refuse("lists: {a: b}", "lm.yaml:1: run.dir holds further keys; there are two levels only, "
                          "allowed: text");
  refuse("run: {dir: [a, [b]]}",
         "lm.yaml:1: run.dir: an item of its list holds a list; write '- item'");
  refuse("run:\n  dir:\n  - a\n  -\n  - b", "lm.yaml:4: run.dir: an item of its list is empty; "
                                            "remove it");
  refuse("run: {dir: [a, '', b]}", "lm.yaml:1: run.dir: an item of its list is empty; remove it");
  refuse("run: {dir: [\"a\\0b\"]}", "lm.yaml:1: run.dir has a zero byte in its value; remove it");
  refuse("run: {seed: [1]}",
         "lm.yaml:1: run.seed is a list; allowed: one value, 0 to 9007199254740992");
  refuse("model: {tied: [true]}",
         "lm.yaml:1: model.tied is a list; allowed: one value, true, false");
  refuse("optimizer:\n  lr:\n  - 1", "lm.yaml:3: optimizer.lr is a list; allowed: one value, 0 or "
                                     "more");
  char text[6000] = "run: {dir: [a";
  while (strlen(text) < 5000) strcat(text, ", crop 4");
  strcat(text, "]}");
  refuse(text, "lm.yaml:1: run.dir: its list has 4096 bytes or more; use a shorter one");
}

static void test_syntax_refused(void) {
  refuse("run:\n\tseed: 1",
         "lm.yaml:2: not valid YAML: found character that cannot start any token" SYNTAX);
  refuse("run:\n  seed: 1\n dir: x", "lm.yaml:3: not valid YAML: did not find expected key" SYNTAX);
  refuse("run: {seed: 1", "lm.yaml:2: not valid YAML: did not find expected ',' or '}'" SYNTAX);
  refuse("run:\n  dir: 'abc\n", "lm.yaml:3: not valid YAML: found unexpected end of stream" SYNTAX);
  refuse("run:\n  dir: a\x01"
         "b",
         "lm.yaml:2: not valid YAML: control characters are not allowed" SYNTAX);
  refuse("run:\n\n  dir: \xFF", "lm.yaml:3: not valid YAML: invalid leading UTF-8 octet" SYNTAX);
}

static void write_file(const char *path, const char *bytes, size_t n) {
  FILE *file = fopen(path, "w");
  if (!CHECK(file != NULL)) return;
  CHECK_EQ(fwrite(bytes, 1, n, file), n);
  CHECK_EQ(fclose(file), 0);
}

static void refuse_file(const char *path, trm_status status, const char *part, const char *remedy) {
  trm_config *config = fixture_config();
  CHECK_EQ(trm_config_read_file(config, path), status);
  CHECK(strncmp(trm_message(), path, strlen(path)) == 0);
  CHECK_HAS(trm_message(), part);
  CHECK_HAS(trm_message(), remedy);
  trm_config_destroy(&config);
}

static void test_files(void) {
  char folder[4096], path[4200];
  (void)snprintf(folder, sizeof folder, "%s", check_temp_folder());
  (void)snprintf(path, sizeof path, "%s/lm.yaml", folder);
  trm_config *config = fixture_config();
  write_file(path, "run: { seed: 5 }\n", 17);
  CHECK_OK(trm_config_read_file(config, path));
  CHECK_EQ(trm_config_int(config, "run.seed"), 5);
  write_file(path, "", 0);
  CHECK_OK(trm_config_read_file(config, path));
  trm_config_destroy(&config);

  write_file(path, "run:\n  sead: 5\n", 15);
  refuse_file(path, TRM_ERR_CONFIG, ":2: unknown key 'run.sead'", "did you mean 'run.seed'?");
  write_file(path, "run: {seed: 1}\0\0\0", 17);
  refuse_file(path, TRM_ERR_CONFIG, ":1: not valid YAML: control characters", "write 'group:'");
  if (geteuid() != 0) { /* the superuser may read all */
    CHECK_EQ(chmod(path, 0), 0);
    refuse_file(path, TRM_ERR_CONFIG, "Permission denied", "make it readable");
  }
  CHECK_EQ(unlink(path), 0);
  refuse_file(path, TRM_ERR_MISSING, "No such file", "give the path of a YAML file");
  refuse_file(folder, TRM_ERR_CONFIG, "is a folder", "give the YAML file in it");
  refuse_file("/dev/zero", TRM_ERR_CONFIG, "larger than 1 MiB", "Give a YAML file");

  /* Exactly 1 MiB is still read. */
  const size_t limit = 1 << 20;
  char *big = NULL;
  if (!CHECK_OK(TRM_ALLOC(&big, (int64_t)limit + 1, "big"))) return;
  memset(big, '\n', limit + 1);
  config = fixture_config();
  write_file(path, big, limit);
  CHECK_OK(trm_config_read_file(config, path));
  write_file(path, big, limit + 1);
  refuse_file(path, TRM_ERR_CONFIG, "larger than 1 MiB", "Give a YAML file");
  /* Deep nesting ends at the third level, whatever follows. */
  memset(big, '[', limit);
  write_file(path, big, limit);
  refuse_file(path, TRM_ERR_CONFIG, ":1: lists or groups in one another", "write 'group:'");
  memset(big, '{', limit);
  write_file(path, big, limit);
  refuse_file(path, TRM_ERR_CONFIG, ":1: lists or groups in one another", "write 'group:'");
  trm_config_destroy(&config);
  TRM_FREE(big);
  CHECK_EQ(unlink(path), 0);
  CHECK_EQ(rmdir(folder), 0);
}

/* Random changes of a good file: refused in one line or taken, and then good to write and read. */
static void test_mutations(void) {
  static const char good[] = "# a run\nrun:\n  dir: \"runs/\\u00e4 1\"\n  seed: 42\n"
                             "optimizer: { lr: 3.0e-4, name: 'sgd', nesterov: true }\n"
                             "model:\n  layers: 12\n  dropout: 0.1\n  positions: learned\n"
                             "schedule:\n  name: constant\nbatch: {size: 8, blocks: 4}\n";
  static const char spice[] = "\"'{}[]:,#&*!|>%@`?-~ \n\t\\0.eE+_\x80\xC3\xA4\xFF";
  const trm_random_key key = trm_random_key_make(3, TRM_RANDOM_TEST, 0, 0);
  trm_config *config = fixture_config(), *copy = fixture_config();
  int64_t taken = 0;
  for (uint64_t round = 0; round < 20000; ++round) {
    char text[sizeof good + 8];
    size_t n = sizeof good - 1;
    memcpy(text, good, sizeof good);
    const uint64_t n_changes = 1 + trm_random_below(key, round, 0, 4);
    for (uint64_t i = 1; i <= n_changes; ++i) {
      const uint64_t kind = trm_random_below(key, round, 4 * i, 4);
      const size_t at = (size_t)trm_random_below(key, round, 4 * i + 1, n);
      const char byte = spice[trm_random_below(key, round, 4 * i + 2, sizeof spice - 1)];
      if (kind == 0) {
        text[at] = byte;
      } else if (kind == 1) {
        memmove(text + at, text + at + 1, n - at); /* with the terminating zero */
        --n;
      } else if (kind == 2 && n + 1 < sizeof text) {
        memmove(text + at + 1, text + at, n + 1 - at);
        text[at] = byte;
        ++n;
      } else {
        text[at] = (char)(1 + trm_random_below(key, round, 4 * i + 3, 255));
      }
    }
    const trm_status status = trm_config_read_text(config, text, "lm.yaml");
    if (status != TRM_OK) {
      const bool one_line = !strchr(trm_message(), '\n') && !strncmp(trm_message(), "lm.yaml:", 8);
      if (!CHECK(status == TRM_ERR_CONFIG && one_line)) fprintf(stderr, "%s\n", trm_message());
      continue;
    }
    char *written = NULL;
    ++taken;
    CHECK_OK(trm_config_text(config, false, &written));
    if (!CHECK_OK(trm_config_read_text(copy, written, "written"))) fprintf(stderr, "%s", written);
    CHECK(trm_config_digest(config, false) == trm_config_digest(copy, false));
    CHECK_STR(trm_config_string(copy, "run.dir"), trm_config_string(config, "run.dir"));
    TRM_FREE(written);
  }
  CHECK(taken > 500 && taken < 19000);
  trm_config_destroy(&config);
  trm_config_destroy(&copy);
}

int main(void) {
  test_accepted();
  test_names_refused();
  test_values_refused();
  test_shapes_refused();
  test_lists();
  test_lists_of_mappings();
  test_merges();
  test_all_refused();
  test_lists_refused();
  test_syntax_refused();
  test_files();
  test_mutations();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
