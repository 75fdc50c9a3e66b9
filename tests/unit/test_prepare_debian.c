/* prepare debian: stanzas as they come, texts, sections, edges, where the index comes from. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../src/prepare/debian/debian_internal.h"
#include "input_fixture.h"
#include "trireme/prepare/text.h"

static const char *folder;

static const char INDEX[] =
    "Package: alpha\n"
    "Version: 1\n"
    "Depends: beta (>= 1.0), beta (<< 2), gamma:any | delta [amd64] , nowhere, mail-agent\n"
    "Pre-Depends: zeta <!nocheck>\n"
    "Section: games\n"
    "Description: a game\n"
    " First line.\n"
    " .\n"
    "   * item\n"
    "Description-md5: 00\n"
    "\n"
    "# a comment\n"
    "Description: library \xE2\x82\xAC\r\n"
    "section: libs\r\n"
    "PACKAGE: beta\r\n"
    "Suggests: alpha,\r\n"
    " zeta\r\n"
    "Provides: mail-agent (= 2), other\r\n"
    "\r\n"
    "Package: gamma\n" /* no section, no description */
    "Depends: gamma, alpha | beta\n"
    " \t\n"
    "Version: 7\n" /* no name: passed over */
    "\n"
    "\n"
    "Package: alpha\n" /* another version: the first stays */
    "Section: oldlibs\n"
    "Description: old game\n"
    "\n"
    "Package: delta\n"
    "a line without a colon\n"
    "Section: games\n"
    "Section: twice\n" /* the first stays */
    "Description-en: English only\n"
    " more\n"
    "Recommends: ,, | , beta\n"
    "\n"
    "Package: zeta\n"
    "Section: libs\n"
    "Description: bad \xFF byte\n"
    "Depends: beta (>= 1."; /* cut off */

static const char TEXT[] = "alpha (games): a game\nFirst line.\n\n  * item\n\n"
                           "beta (libs): library \xE2\x82\xAC\n\n"
                           "gamma\n\n"
                           "delta (games): English only\nmore\n\n"
                           "zeta (libs): bad \xEF\xBF\xBD byte\n\n";

static void check_names(const trm_names *names, int64_t n, const char *const *want) {
  if (!CHECK_EQ(names->n, n)) return;
  const int64_t *offsets = trm_names_offsets(names);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t bytes = offsets[i + 1] - offsets[i];
    CHECK_EQ(bytes, (int64_t)strlen(want[i]));
    CHECK_EQ(strncmp(names->bytes.data + offsets[i], want[i], (size_t)bytes), 0);
    CHECK_EQ(trm_names_find(names, want[i], bytes), i);
  }
  CHECK_EQ(trm_names_find(names, "absent", 6), -1);
}

static void check_edges(const trm_debian_index *index, int kind, int64_t n, const int64_t *offsets,
                        const int32_t *sources, const uint8_t *alternative, int64_t n_virtual,
                        int64_t n_unresolved) {
  trm_debian_edges e;
  if (!CHECK_OK(trm_debian_resolve(index, kind, &e))) return;
  if (CHECK_EQ(e.n, n)) {
    for (int64_t i = 0; i < 6; ++i) CHECK_EQ(e.offsets[i], offsets[i]);
    for (int64_t i = 0; i < n; ++i) CHECK_EQ(e.sources[i], sources[i]);
    for (int64_t i = 0; i < n; ++i) CHECK_EQ(e.alternative[i], alternative[i]);
  }
  CHECK_EQ(e.n_virtual, n_virtual);
  CHECK_EQ(e.n_unresolved, n_unresolved);
  trm_debian_edges_free(&e);
}

/* The same result however the index is cut into pieces. */
static void check_parse(int64_t piece) {
  trm_debian_index index = {0};
  const int64_t n = (int64_t)sizeof INDEX - 1;
  for (int64_t at = 0; at < n; at += piece) {
    CHECK_OK(trm_debian_feed(&index, INDEX + at, n - at < piece ? n - at : piece, "x"));
  }
  CHECK_OK(trm_debian_end(&index));
  check_names(&index.packages, 5, (const char *[]){"alpha", "beta", "gamma", "delta", "zeta"});
  check_names(&index.sections, 2, (const char *[]){"games", "libs"});
  check_names(&index.provided, 2, (const char *[]){"mail-agent", "other"});
  CHECK_EQ(index.n_bytes, n);
  CHECK_EQ(index.n_duplicates, 1);
  CHECK_EQ(index.n_replaced, 1);
  CHECK_EQ(index.text.n, (int64_t)sizeof TEXT - 1);
  if (index.text.n == (int64_t)sizeof TEXT - 1) {
    CHECK_EQ(memcmp(index.text.data, TEXT, sizeof TEXT - 1), 0);
  }
  const int32_t *section = (const int32_t *)(const void *)index.section.data;
  static const int32_t sections[] = {0, 1, -1, 0, 1};
  for (int i = 0; i < 5; ++i) CHECK_EQ(section[i], sections[i]);
  /* pre-depends: alpha -> zeta */
  check_edges(&index, 0, 1, (int64_t[]){0, 0, 0, 0, 0, 1}, (int32_t[]){0}, (uint8_t[]){0}, 0, 0);
  /* depends: rows alpha <- gamma|; beta <- alpha, gamma|, zeta; gamma <- alpha|; delta <- alpha| */
  check_edges(&index, 1, 6, (int64_t[]){0, 1, 4, 5, 6, 6}, (int32_t[]){2, 0, 2, 4, 0, 0},
              (uint8_t[]){1, 0, 1, 0, 1, 1}, 1, 1);
  check_edges(&index, 2, 1, (int64_t[]){0, 0, 1, 1, 1, 1}, (int32_t[]){3}, (uint8_t[]){0}, 0, 0);
  check_edges(&index, 3, 2, (int64_t[]){0, 1, 1, 1, 1, 2}, (int32_t[]){1, 1}, (uint8_t[]){0, 0}, 0,
              0);
  trm_debian_free(&index);
}

/* A pair both required and an alternative elsewhere is required. */
static void check_required(void) {
  static const char text[] = "Package: a\nDepends: b | c, b, c | b\n\nPackage: b\n\nPackage: c\n";
  trm_debian_index index = {0};
  CHECK_OK(trm_debian_feed(&index, text, (int64_t)sizeof text - 1, "x"));
  CHECK_OK(trm_debian_end(&index));
  trm_debian_edges e;
  CHECK_OK(trm_debian_resolve(&index, 1, &e));
  CHECK_EQ(e.n, 2);
  CHECK_EQ(e.alternative[0], 0); /* b */
  CHECK_EQ(e.alternative[1], 1); /* c */
  trm_debian_edges_free(&e);
  trm_debian_free(&index);
}

/* Growth of the table of names, far past its first size. */
static void check_many_names(void) {
  trm_names names = {0};
  char name[32];
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 20000; ++i) {
      const int n = snprintf(name, sizeof name, "lib%d-dev", i * 7);
      int32_t id;
      bool added;
      CHECK_OK(trm_names_add(&names, name, n, &id, &added));
      CHECK_EQ(id, i);
      CHECK_EQ(added, round == 0);
    }
  }
  CHECK_EQ(trm_names_find(&names, "lib1-dev", 8), -1);
  trm_names_free(&names);
}

static trm_status prepare(const char *index, const char *unit, const char *output,
                          trm_prepare_summary *summary) {
  const trm_prepare_options o = {.output = output, .vocab.unit = unit, .valid_share = 0.3};
  return trm_prepare_debian(index, &o, summary);
}

static void check_file(const char *unit) {
  const char *in = fixture_path(folder, "Packages"), *out = fixture_path(folder, "debian.h5");
  trm_prepare_summary s = {0};
  fixture_file(in, INDEX, sizeof INDEX - 1);
  CHECK_OK(prepare(in, unit, out, &s));
  CHECK_EQ(s.n_packages, 5);
  CHECK_EQ(s.n_bytes, (int64_t)sizeof INDEX - 1);
  const bool by_byte = strcmp(unit, "byte") == 0;
  const int64_t n = (int64_t)sizeof TEXT - 1 - (by_byte ? 0 : 4);
  CHECK_EQ(s.n_tokens, n);
  CHECK_EQ(s.n_train + s.n_valid, n);
  trm_dataset *d = NULL;
  if (!CHECK_OK(trm_dataset_open(out, &d))) return;
  static char text[8192];
  FILE *file = fmemopen(text, sizeof text, "w");
  if (!file) exit(1);
  CHECK_OK(trm_dataset_describe(d, file));
  fclose(file);
  CHECK_HAS(text, "packages                  5\n");
  CHECK_HAS(text, "sections                  2\n");
  CHECK_HAS(text, "depends                   6  edges; named but not there: 1 virtual, 1 unknown");
  CHECK_HAS(text, "sample       | alpha (games): a game\n");
  trm_dataset_close(&d);
  /* Where each package's text lies, and that the split falls between two packages. */
  trm_container *c = NULL;
  int64_t starts[6] = {0};
  CHECK_OK(trm_container_open(out, &c));
  CHECK_OK(trm_array_read(c, "/debian/text", TRM_DTYPE_I64, starts, 6));
  CHECK_OK(trm_container_close(&c));
  CHECK_EQ(starts[0], 0);
  CHECK_EQ(starts[1], 45);
  CHECK_EQ(starts[2], 45 + (by_byte ? 26 : 24));
  CHECK_EQ(starts[3], starts[2] + 7);
  CHECK_EQ(starts[5], n);
  CHECK(s.n_train == starts[3] || s.n_train == starts[2]);
}

/* Damage to the group is named when the data set is opened. */
static void damage(const char *array, trm_dtype dtype, int64_t n, const void *data,
                   const char *part) {
  const char *path = fixture_path(folder, "damaged.h5");
  static const int64_t offsets[] = {0, 1}, range[2][2] = {{0, 3}, {3, 4}}, two = 2, three = 3;
  static const int64_t zeros[3] = {0}, starts[3] = {0, 2, 4}, one = 1, none = 0, four = 4;
  static const uint8_t tokens[4] = {0};
  trm_container *c = NULL;
  CHECK_OK(trm_container_create(path, &c));
  CHECK_OK(trm_attr_write_int(c, "/", "trireme_format", 1));
  CHECK_OK(trm_attr_write_text(c, "/", "kind", "text"));
  CHECK_OK(trm_attr_write_text(c, "/", "unit", "char"));
  CHECK_OK(trm_array_write(c, "/vocab/offsets", TRM_DTYPE_I64, 1, &two, offsets));
  CHECK_OK(trm_array_write(c, "/vocab/bytes", TRM_DTYPE_U8, 1, &one, "a"));
  CHECK_OK(trm_array_write(c, "/tokens", TRM_DTYPE_U8, 1, &four, tokens));
  CHECK_OK(trm_array_write(c, "/splits/train", TRM_DTYPE_I64, 1, &two, range[0]));
  CHECK_OK(trm_array_write(c, "/splits/valid", TRM_DTYPE_I64, 1, &two, range[1]));
  const struct {
    const char *name;
    trm_dtype dtype;
    int64_t n;
    const void *data;
  } arrays[] = {{"/debian/packages/offsets", TRM_DTYPE_I64, three, zeros},
                {"/debian/packages/bytes", TRM_DTYPE_U8, none, zeros},
                {"/debian/sections/offsets", TRM_DTYPE_I64, two, zeros},
                {"/debian/sections/bytes", TRM_DTYPE_U8, none, zeros},
                {"/debian/section", TRM_DTYPE_I32, two, zeros},
                {"/debian/text", TRM_DTYPE_I64, three, starts}};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; ++i) {
    if (strcmp(arrays[i].name, array) == 0) continue;
    CHECK_OK(trm_array_write(c, arrays[i].name, arrays[i].dtype, 1, &arrays[i].n, arrays[i].data));
  }
  for (int kind = 0; kind < TRM_N_RELATIONS; ++kind) {
    char group[64], name[96];
    snprintf(group, sizeof group, "/debian/%s", trm_relation_names[kind]);
    snprintf(name, sizeof name, "%s/offsets", group);
    if (strcmp(name, array) != 0) {
      CHECK_OK(trm_array_write(c, name, TRM_DTYPE_I64, 1, &three, zeros));
    }
    snprintf(name, sizeof name, "%s/sources", group);
    if (strcmp(name, array) != 0) {
      CHECK_OK(trm_array_write(c, name, TRM_DTYPE_I32, 1, &none, zeros));
    }
    snprintf(name, sizeof name, "%s/alternative", group);
    CHECK_OK(trm_array_write(c, name, TRM_DTYPE_U8, 1, &none, zeros));
    CHECK_OK(trm_attr_write_int(c, group, "virtual", 0));
    CHECK_OK(trm_attr_write_int(c, group, "unresolved", 0));
  }
  if (data) CHECK_OK(trm_array_write(c, array, dtype, 1, &n, data));
  CHECK_OK(trm_container_close(&c));
  trm_dataset *d = NULL;
  if (!part) {
    CHECK_OK(trm_dataset_open(path, &d));
    trm_dataset_close(&d);
    return;
  }
  CHECK_EQ(trm_dataset_open(path, &d), TRM_ERR_DATA);
  CHECK(d == NULL);
  CHECK_HAS(trm_message(), path);
  CHECK_HAS(trm_message(), part);
}

static void check_damage(void) {
  damage("", TRM_DTYPE_U8, 0, NULL, NULL); /* the base is good */
  damage("/debian/text", TRM_DTYPE_I64, 3, (int64_t[]){0, 5, 4}, "'/debian/text' is 5 at index 1");
  damage("/debian/text", TRM_DTYPE_I64, 3, (int64_t[]){0, 3, 2}, "'/debian/text' is 2 at index 2");
  damage("/debian/text", TRM_DTYPE_I64, 3, (int64_t[]){1, 3, 4}, "'/debian/text' is 1 at index 0");
  damage("/debian/text", TRM_DTYPE_I64, 3, (int64_t[]){0, 3, 3}, "'/debian/text' ends at 3");
  damage("/debian/text", TRM_DTYPE_I64, 2, (int64_t[]){0, 4}, "has 2 elements, expected 3");
  damage("/debian/section", TRM_DTYPE_I32, 2, (int32_t[]){-1, 1},
         "'/debian/section' is 1 at index 1, out of [-1, 1)");
  damage("/debian/section", TRM_DTYPE_I32, 2, (int32_t[]){-2, 0}, "is -2 at index 0");
  damage("/debian/section", TRM_DTYPE_F32, 2, (float[]){0, 0}, "expected integers");
  damage("/debian/depends/sources", TRM_DTYPE_I32, 1, (int32_t[]){2},
         "'/debian/depends/sources' is 2 at index 0, out of [0, 2)");
  damage("/debian/depends/sources", TRM_DTYPE_I32, 1, (int32_t[]){1},
         "'/debian/depends/offsets' ends at 0, expected 1");
  damage("/debian/suggests/offsets", TRM_DTYPE_I64, 3, (int64_t[]){0, 1, 0},
         "'/debian/suggests/offsets' is 1 at index 1");
}

/* A stand-in for apt-cache, first on the PATH. */
static void check_command(const char *script, trm_status want, const char *part) {
  const char *program = fixture_path(folder, "apt-cache");
  if (script) {
    fixture_file(program, script, strlen(script));
    CHECK_EQ(chmod(program, 0700), 0);
  } else {
    (void)unlink(program);
  }
  trm_prepare_summary s = {0};
  CHECK_EQ(prepare(NULL, "char", fixture_path(folder, "command.h5"), &s), want);
  if (part) CHECK_HAS(trm_message(), part);
  if (want == TRM_OK) CHECK_EQ(s.n_packages, 2);
}

static void check_commands(void) {
  const char *path = getenv("PATH");
  char *before = path ? strdup(path) : NULL;
  CHECK_EQ(setenv("PATH", folder, 1), 0);
  check_command("#!/bin/sh\n[ \"$1\" = dumpavail ] || exit 3\n"
                "echo 'Package: one'; echo; echo 'Package: two'\n",
                TRM_OK, NULL);
  check_command(NULL, TRM_ERR_IO, "apt-cache: not found");
  check_command("#!/bin/sh\nexit 0\n", TRM_ERR_DATA, "apt-get update");
  check_command("#!/bin/sh\necho 'E: no lists' >&2\nexit 100\n", TRM_ERR_IO,
                "exit code 100: E: no lists; run `apt-get update`");
  check_command("#!/bin/sh\necho 'Package: one'\nkill -9 $$\n", TRM_ERR_IO, "signal 9");
  /* Without end and without an empty line: given up, and the child ends too. */
  check_command("#!/bin/sh\nl=xxxxxxxxxxxxxxxx; l=$l$l$l$l; l=$l$l$l$l; l=$l$l$l$l; l=$l$l$l$l\n"
                "while :; do echo $l || exit 1; done\n",
                TRM_ERR_DATA, "without an empty line");
  if (before) {
    CHECK_EQ(setenv("PATH", before, 1), 0);
    free(before);
  }
}

static void check_bad_files(void) {
  const char *in = fixture_path(folder, "index"), *out = fixture_path(folder, "none.h5");
  trm_prepare_summary s;
  CHECK_EQ(prepare(fixture_path(folder, "missing"), "char", out, &s), TRM_ERR_MISSING);
  CHECK_HAS(trm_message(), "missing: cannot be opened");
  CHECK_EQ(prepare(folder, "char", out, &s), TRM_ERR_IO);
  CHECK_HAS(trm_message(), "is a folder");
  fixture_file(in, "", 0);
  CHECK_EQ(prepare(in, "char", out, &s), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "no package in its 0 bytes");
  fixture_file(in, "\x1F\x8B\x08 binary", 10);
  CHECK_EQ(prepare(in, "char", out, &s), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "not compressed");
  CHECK_EQ(prepare(in, "char", in, &s), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(), "both input and output");
  CHECK(access(out, F_OK) != 0);
}

static void check_allocations(void) {
  const char *in = fixture_path(folder, "Packages"), *out = fixture_path(folder, "alloc.h5");
  trm_prepare_summary s;
  const int64_t live = trm_alloc_counts_get().live_blocks;
  int64_t n = 0;
  for (;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status = prepare(in, "char", out, &s);
    trm_alloc_fail_after(-1);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    if (status == TRM_OK || n > 200) break;
    CHECK_EQ(status, TRM_ERR_MEMORY);
    CHECK(access(out, F_OK) != 0);
  }
  CHECK(n > 20 && n <= 200);
}

int main(void) {
  folder = check_temp_folder();
  check_parse(1);
  check_parse(7);
  check_parse(1 << 20);
  check_required();
  check_many_names();
  check_file("char");
  check_file("byte");
  check_damage();
  check_bad_files();
  check_commands();
  check_allocations();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
