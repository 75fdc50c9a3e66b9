/* Tables with columns: what becomes of them, and each kind of bad input with its line. */
#include <math.h>
#include <sys/stat.h>

#include "input_fixture.h"
#include "trireme/input/samples.h"
#include "trireme/prepare/table.h"

static const char *folder, *out;

static const char *file(const char *name, const char *text) {
  const char *path = fixture_path(folder, name);
  fixture_file(path, text, strlen(text));
  return path;
}

/* A call for tables: one to train on, and perhaps others. */
typedef struct call {
  const char *train, *valid, *test, *kinds[4], *missing[4];
  trm_prepare_table_options options;
} call;

static trm_table_report report; /* of the last call */

static trm_status prepare(call *c) {
  const char *const *tables[] = {&c->train, &c->valid, &c->test};
  trm_prepare_table_options o = c->options;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    o.tables[p] = tables[p];
    o.n_tables[p] = *tables[p] != NULL;
  }
  o.kinds = c->kinds;
  o.missing = c->missing;
  while (o.n_kinds < 4 && c->kinds[o.n_kinds]) ++o.n_kinds;
  while (o.n_missing < 4 && c->missing[o.n_missing]) ++o.n_missing;
  (void)unlink(out);
  trm_table_report_free(&report);
  const int64_t live = trm_alloc_counts_get().live_blocks;
  const trm_status status = trm_prepare_table(&o, &report);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live + (report.columns != NULL));
  CHECK_EQ(access(out, F_OK) == 0, status == TRM_OK);
  return status;
}

static call table(const char *train, const char *target) {
  return (call){.train = file("train.csv", train),
                .options = {.output = out,
                            .target = target,
                            .most_levels = 1000,
                            .valid_share = 0,
                            .test_share = -1,
                            .seed = 1}};
}

static trm_samples *open_out(void) {
  trm_samples *s = NULL;
  if (!CHECK_OK(trm_samples_open(out, &s))) exit(1);
  return s;
}

static const char *text_of(const trm_texts *texts, int64_t i) {
  static char text[2][64];
  static int next;
  char *to = text[next++ % 2];
  snprintf(to, sizeof text[0], "%.*s", (int)(texts->offsets[i + 1] - texts->offsets[i]),
           texts->bytes + texts->offsets[i]);
  return to;
}

static void expect(call c, trm_status want, const char *part) {
  CHECK_EQ(prepare(&c), want);
  CHECK_HAS(trm_message(), part);
  CHECK(strchr(trm_message(), '\n') == NULL);
}

static const char *const rooms = "id,area,town,\"no, of floors\",heating,price,unit\n"
                                 "r1, 20.5,B,3,10,100.25,EUR\n"
                                 "r2,?,A,1,9,200,EUR\n"
                                 "r3,30,,2,10,150,EUR\n"
                                 "r4,NaN,\"A\",N/A,9,1e2,EUR\n";

/* ---- columns ---------------------------------------------------------------------------------- */

static void check_kinds(void) {
  call c = table(rooms, "price");
  c.kinds[0] = "id=skip", c.kinds[1] = "heating=category";
  if (!CHECK_OK(prepare(&c))) return;
  trm_samples *s = open_out();
  const trm_table *t = &s->table;
  CHECK_EQ(s->n, 4);
  CHECK_EQ(s->input, TRM_INPUT_ROW);
  CHECK_EQ(s->target, TRM_TARGET_NUMBER);
  CHECK_NEAR((double)s->numbers[0], 100.25, 0);
  CHECK_EQ(t->n_numbers, 2);
  CHECK_STR(text_of(&t->number_names, 0), "area");
  CHECK_STR(text_of(&t->number_names, 1), "no, of floors");
  CHECK_NEAR((double)t->numbers[0], 20.5, 0);
  CHECK_NEAR((double)t->numbers[1], 3, 0);
  CHECK(isnan(t->numbers[2]) && isnan(t->numbers[6]) && isnan(t->numbers[7]));
  CHECK_EQ(t->n_categories, 2);
  CHECK_STR(text_of(&t->category_names, 0), "town");
  CHECK_STR(text_of(&t->level_names, 0), "A"); /* by bytes */
  CHECK_STR(text_of(&t->level_names, 2), "9"); /* as numbers */
  const int32_t want[] = {1, 1, 0, 0, -1, 1, 0, 0};
  CHECK_EQ(memcmp(t->categories, want, sizeof want), 0);
  CHECK_EQ(t->levels[1], 2);
  CHECK_EQ(t->levels[2], 4);
  CHECK(s->groups == NULL);
  trm_samples_close(&s);
  CHECK_EQ(report.n_columns, 7);
  CHECK_STR(report.columns[1].name, "area");
  CHECK_EQ(report.columns[0].use, TRM_COLUMN_SKIPPED);
  CHECK_EQ(report.columns[1].use, TRM_COLUMN_NUMBER);
  CHECK_EQ(report.columns[1].missing, 2);
  CHECK_NEAR(report.columns[1].mean, 25.25, 0);
  CHECK_NEAR(report.columns[1].deviation, 4.75, 1e-12);
  CHECK_EQ(report.columns[2].use, TRM_COLUMN_CATEGORY);
  CHECK_EQ(report.columns[2].missing, 1);
  CHECK_EQ(report.columns[2].levels, 2);
  CHECK_EQ(report.columns[5].use, TRM_COLUMN_TARGET);
  CHECK_NEAR(report.columns[5].mean, 137.5625, 1e-9);
  CHECK_EQ(report.columns[6].use, TRM_COLUMN_CONSTANT);
  /* The same again gives the same bytes. */
  char command[9000];
  snprintf(command, sizeof command, "cp '%s' '%s.before'", out, out);
  CHECK_EQ(system(command), 0);
  CHECK_OK(prepare(&c));
  snprintf(command, sizeof command, "cmp '%s' '%s.before'", out, out);
  CHECK_EQ(system(command), 0);
}

/* Levels that are all numbers, decimals too, are in the order of numbers. */
static void check_level_order(void) {
  call c = table("a,y\n10,1.5\n-2.5,2\n9,3\n1e1,4\n", "y");
  c.kinds[0] = "a=category";
  if (!CHECK_OK(prepare(&c))) return;
  trm_samples *s = open_out();
  CHECK_STR(text_of(&s->table.level_names, 0), "-2.5");
  CHECK_STR(text_of(&s->table.level_names, 1), "9");
  CHECK_STR(text_of(&s->table.level_names, 2), "10"); /* of equal ones by bytes */
  CHECK_EQ(s->table.n_numbers, 0);
  CHECK(s->table.numbers == NULL);
  trm_samples_close(&s);
}

/* What has one value is left out, unless others have none. */
static void check_constant(void) {
  call c = table("a,b,c,d,e,y\n1,x,NA,5,1,1.5\n1,x,,,2,2.5\n1,x,null,5,3,3.5\n", "y");
  if (!CHECK_OK(prepare(&c))) return;
  const trm_column_use want[] = {TRM_COLUMN_CONSTANT, TRM_COLUMN_CONSTANT, TRM_COLUMN_EMPTY,
                                 TRM_COLUMN_NUMBER,   TRM_COLUMN_NUMBER,   TRM_COLUMN_TARGET};
  for (int i = 0; i < 6; ++i) CHECK_EQ(report.columns[i].use, want[i]);
  trm_samples *s = open_out();
  CHECK_EQ(s->table.n_numbers, 2);
  CHECK_STR(text_of(&s->table.number_names, 1), "e");
  CHECK_NEAR((double)s->table.numbers[5], 3, 0);
  CHECK(s->table.categories == NULL && s->table.levels == NULL);
  trm_samples_close(&s);
  expect(table("a,y\n1,2.5\n1,3.5\n", "y"), TRM_ERR_DATA,
         "train.csv: no column is left as an input");
}

static void check_notes(void) {
  char text[4000] = "id,n,code,mixed,big,y\n";
  for (int i = 0; i < 40; ++i) {
    const size_t at = strlen(text);
    snprintf(text + at, sizeof text - at, "u%d,%d,%d,%s,%d,%d.5\n", i, i + 7, i % 3,
             i == 20 ? "unknown"
             : i % 2 ? "1.5"
                     : "2.5",
             16777217 + 1000 * i * i, i);
  }
  call c = table(text, "y");
  if (!CHECK_OK(prepare(&c))) return;
  CHECK(report.columns[0].distinct && report.columns[1].distinct && !report.columns[2].distinct);
  CHECK(report.columns[2].few && !report.columns[1].few);
  CHECK_EQ(report.columns[3].use, TRM_COLUMN_CATEGORY);
  CHECK_STR(report.columns[3].text, "unknown");
  CHECK_EQ(report.columns[3].text_line, 22);
  CHECK(report.columns[3].text_path == c.train);
  CHECK(report.columns[4].rounded && !report.columns[4].distinct);
  c.missing[0] = "unknown";
  if (!CHECK_OK(prepare(&c))) return;
  CHECK_EQ(report.columns[3].use, TRM_COLUMN_NUMBER);
  CHECK_EQ(report.columns[3].missing, 1);
}

/* ---- targets ---------------------------------------------------------------------------------- */

static trm_sample_target target_of(call c) {
  if (!CHECK_OK(prepare(&c))) return TRM_N_SAMPLE_TARGETS;
  trm_samples *s = open_out();
  const trm_sample_target target = s->target;
  trm_samples_close(&s);
  return target;
}

static void check_target_kind(void) {
  call c = table("x,y\n1,10\n2,9\n3,10\n4,9\n", "y");
  if (!CHECK_OK(prepare(&c))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->target, TRM_TARGET_CLASS);
  CHECK_STR(text_of(&s->classes.names, 0), "9");
  CHECK_EQ(s->classes.labels[0], 1);
  CHECK(report.target_either);
  trm_samples_close(&s);
  c.options.target_kind = "number";
  CHECK_EQ(target_of(c), TRM_TARGET_NUMBER);
  CHECK(!report.target_either);
  CHECK_EQ(target_of(table("x,y\n1,10\n2,9\n3,8\n", "y")), TRM_TARGET_NUMBER); /* each once */
  CHECK_EQ(target_of(table("x,y\n1,1.5\n2,1.5\n3,2\n4,2\n", "y")), TRM_TARGET_NUMBER);
  CHECK_EQ(target_of(table("x,y\n1,a\n2,b\n3,a\n4,2\n", "y")), TRM_TARGET_CLASS);
  c = table("x,y\n1,1.5\n2,1.5\n", "y");
  c.options.target_kind = "class";
  CHECK_EQ(target_of(c), TRM_TARGET_CLASS);
  c.options.target_kind = "integer";
  expect(c, TRM_ERR_USAGE, "--target-kind is 'integer', expected number or class");
  c = table("x,y\n1,2\n2,b\n", "y");
  c.options.target_kind = "number";
  expect(c, TRM_ERR_DATA,
         "train.csv:3: column 'y' is to be numbers, and 'b' is none that is finite; correct it, or "
         "give --target-kind class or --missing 'b'");
}

static bool set_is(const trm_samples *s, int64_t i, int n, int32_t first, int32_t second) {
  const int64_t at = s->class_sets.offsets[i];
  const int32_t *ids = s->class_sets.values + at;
  return s->class_sets.offsets[i + 1] - at == n && (n < 1 || ids[0] == first) &&
         (n < 2 || ids[1] == second);
}

static void check_class_sets(void) {
  call c = table("x,b,a\n1,0,1\n2,1,1.0\n3,0,0\n", "b,a");
  if (!CHECK_OK(prepare(&c))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->target, TRM_TARGET_CLASSES);
  CHECK_EQ(s->classes.n, 2);
  CHECK_STR(text_of(&s->classes.names, 0), "b"); /* as they are given */
  CHECK(set_is(s, 0, 1, 1, 0) && set_is(s, 1, 2, 0, 1) && set_is(s, 2, 0, 0, 0));
  CHECK_EQ(report.without_class, 1);
  trm_samples_close(&s);
  expect(table("x,b,a\n1,0,1\n2,1,2\n", "b,a"), TRM_ERR_DATA,
         "train.csv:3: '2' in column 'a'; of several targets each is 0 or 1");
  expect(table("x,b,a\n1,0,1\n2,,1\n", "b,a"), TRM_ERR_DATA,
         "train.csv:3: the target 'b' is missing");
  expect(table("x,b,a\n1,0,1\n", "b,"), TRM_ERR_USAGE, "--target is 'b,', expected a column, or");
  expect(table("x,b,a\n1,0,1\n", "b,b"), TRM_ERR_USAGE, "column 'b' is given twice");
  c = table("x,b,a\n1,0,1\n", "b,a");
  c.options.labels_separator = ";";
  expect(c, TRM_ERR_USAGE, "parts the classes of one column; --target has 2");
  c.options.labels_separator = NULL, c.options.target_kind = "number";
  expect(c, TRM_ERR_USAGE, "one column of numbers can be the target; --target has 2");
}

static void check_class_lists(void) {
  call c = table("x,tags\n1,sea; air\n2,\n3,air\n4,air;sea;air;\n", "tags");
  c.options.labels_separator = ";";
  if (!CHECK_OK(prepare(&c))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->classes.n, 2);
  CHECK_STR(text_of(&s->classes.names, 0), "air");
  CHECK(set_is(s, 0, 2, 0, 1) && set_is(s, 1, 0, 0, 0) && set_is(s, 2, 1, 0, 0));
  CHECK(set_is(s, 3, 2, 0, 1));
  trm_samples_close(&s);
  c = table("x,tags\n1,sea; air\n2,NA\n", "tags");
  c.options.labels_separator = ";";
  expect(c, TRM_ERR_DATA, "train.csv:3: the target 'tags' is missing");
  c.options.target_kind = "number";
  expect(c, TRM_ERR_USAGE, "--labels-separator parts classes, but --target-kind is number");
}

static void check_missing_target(void) {
  call c = table("x,y\n1,2.5\n2,\n3,4\n4,NA\n", "y");
  expect(c, TRM_ERR_DATA,
         "train.csv:3: the target 'y' is missing; fill it in, or leave such rows out by "
         "--drop-missing-target");
  c.options.drop_missing_target = true;
  if (!CHECK_OK(prepare(&c))) return;
  CHECK_EQ(report.dropped, 2);
  trm_samples *s = open_out();
  CHECK_EQ(s->n, 2);
  CHECK_NEAR((double)s->table.numbers[1], 3, 0);
  trm_samples_close(&s);
  c = table("x,y\n1,\n", "y");
  c.options.drop_missing_target = true;
  expect(c, TRM_ERR_DATA, "train.csv: no row has a target");
}

/* ---- parts ------------------------------------------------------------------------------------ */

enum { N = 120 };

/* N rows, three of four of class a; groups of four, folds 1 to 3. */
static const char *many(void) {
  static char text[N * 32];
  int n = snprintf(text, sizeof text, "x,who,part,y\n");
  for (int i = 0; i < N; ++i) {
    n += snprintf(text + n, sizeof text - (size_t)n, "%d,p%d,%d,%s\n", i * i % 61, i / 4,
                  i / 4 % 3 + 1, i % 4 ? "a" : "b");
  }
  return text;
}

static int64_t count_class(const trm_samples *s, const trm_ids *ids, int class) {
  int64_t n = 0;
  for (int64_t i = 0; i < ids->n; ++i) n += s->classes.labels[ids->ids[i]] == class;
  return n;
}

static void check_shares(void) {
  call c = table(many(), "y");
  c.options.valid_share = 0.1;
  c.options.test_share = 0.2;
  if (!CHECK_OK(prepare(&c))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->splits[TRM_SUBSET_TEST].n, 24);
  CHECK_EQ(count_class(s, &s->splits[TRM_SUBSET_TEST], 1), 6);
  CHECK_EQ(s->splits[TRM_SUBSET_VALID].n, 12);
  trm_samples_close(&s);
}

/* Rows of one group are in one part of every split. */
static void check_groups(void) {
  call c = table(many(), "y");
  c.options.group = "who";
  c.options.valid_share = 0.2;
  c.options.n_folds = 5;
  if (!CHECK_OK(prepare(&c))) return;
  CHECK_EQ(report.columns[1].use, TRM_COLUMN_GROUP);
  trm_samples *s = open_out();
  int tested = 0;
  CHECK_EQ(s->n_splits, 5);
  CHECK_EQ(s->table.n_categories, 0);
  for (int i = 0; s->groups && i < N; ++i) CHECK_EQ(s->groups[i], i / 4);
  if (!CHECK(s->groups != NULL)) exit(1);
  for (int k = 0; k < 5; ++k) {
    int part_of[N];
    for (int p = 0; p < TRM_N_SUBSETS; ++p) {
      const trm_ids *ids = &s->splits[k * TRM_N_SUBSETS + p];
      CHECK(ids->n > 0);
      for (int64_t i = 0; i < ids->n; ++i) part_of[ids->ids[i]] = p;
      tested += p == TRM_SUBSET_TEST ? (int)ids->n : 0;
    }
    for (int i = 0; i < N; ++i) CHECK_EQ(part_of[i], part_of[i / 4 * 4]);
  }
  CHECK_EQ(tested, N);
  trm_samples_close(&s);
  c = table("x,g,y\n1,a,0.5\n2,b,1.5\n3,c,2.5\n", "y");
  c.test = file("test.csv", "x,g,y\n1,a,0.5\n1,d,0.5\n");
  c.options.group = "g";
  CHECK_OK(prepare(&c));
  CHECK_EQ(report.leaked, 1);
  s = open_out();
  CHECK(s->groups ==
        NULL); /* a group that files part is one in each: here no two rows are in one */
  trm_samples_close(&s);
  c = table("x,g,y\n1,a,0.5\n2,,1.5\n", "y");
  c.options.group = "g";
  expect(c, TRM_ERR_DATA, "train.csv:3: the group in column 'g' is empty");
}

static void check_folds(void) {
  call c = table(many(), "y");
  c.options.fold = "part";
  c.kinds[0] = "who=skip";
  if (!CHECK_OK(prepare(&c))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->n_splits, 3);
  CHECK_EQ(s->splits[TRM_SUBSET_TEST].n, 40);
  CHECK_EQ(s->splits[TRM_SUBSET_TEST].ids[4], 12);
  CHECK_EQ(s->table.n_numbers, 1);
  trm_samples_close(&s);
  c.options.n_folds = 3;
  expect(c, TRM_ERR_USAGE, "folds are in a column (--fold) or dealt (--folds), not both");
  c.options.n_folds = 0;
  c.test = file("test.csv", "x,part,y\n1,1,a\n");
  expect(c, TRM_ERR_USAGE, "with folds the parts are made of them");
}

/* Other tables have the columns of the first, in any order. */
static void check_files(void) {
  call c = table("x,town,y\n1,A,0.5\n2,B,1.5\n", "y");
  c.valid = file("valid.csv", "y;x;town\n9;8;C\n");
  if (!CHECK_OK(prepare(&c))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->splits[TRM_SUBSET_VALID].n, 1);
  CHECK_NEAR((double)s->numbers[2], 9, 0);
  CHECK_NEAR((double)s->table.numbers[2], 8, 0);
  CHECK_EQ(s->table.categories[2], 2);
  CHECK_EQ(s->table.level_names.n, 3);
  CHECK_EQ(report.columns[1].new_levels, 1);
  trm_samples_close(&s);
  c.valid = file("valid.csv", "y,town\n9,C\n");
  expect(c, TRM_ERR_DATA,
         "valid.csv:1: the column 'x' of the first table is missing; add it, or do without it by "
         "--kind 'x=skip'");
  c.kinds[0] = "x=skip";
  CHECK_OK(prepare(&c));
  c.kinds[0] = NULL;
  c.valid = file("valid.csv", "x,town\n9,C\n");
  expect(c, TRM_ERR_DATA, "valid.csv:1: the column 'y' of the first table is missing; add it");
  c.valid = file("valid.csv", "x,town,z,y\n9,C,1,2\n");
  expect(c, TRM_ERR_DATA,
         "valid.csv:1: a column 'z' that the first table has not; remove or rename it");
  c.valid = file("valid.csv", "x,town,y\n");
  expect(c, TRM_ERR_DATA, "valid.csv: has no rows");
  c.valid = file("valid.csv", "x,town,y\n9,C,1\n");
  c.options.valid_share = 0.5;
  expect(c, TRM_ERR_USAGE, "samples to validate come from a file or are a share, not both");
  /* Without names, by their places. */
  c = table("1,A,0.5\n2,B,1.5\n", "3");
  c.valid = file("valid.csv", "8,C,9\n");
  if (!CHECK_OK(prepare(&c))) return;
  s = open_out();
  CHECK_STR(text_of(&s->table.category_names, 0), "2");
  trm_samples_close(&s);
  c.valid = file("valid.csv", "8,9\n");
  expect(c, TRM_ERR_DATA, "valid.csv:1: 2 columns, the first table has 3; give both the same");
  c = table("x,y\n1,a\n2,b\n", "y");
  c.test = file("test.csv", "x,y\n1,a\n2,c\n");
  expect(c, TRM_ERR_DATA,
         "test.csv:3: class 'c' is in the test part, but no sample to train on has it");
}

/* ---- bad input -------------------------------------------------------------------------------- */

static void check_bad_tables(void) {
  expect(table("x,y\n1,2\n3,\"4\n5,6\n7,8\n", "y"), TRM_ERR_DATA,
         "train.csv:3: a quote is opened and never closed; close it");
  expect(table("x,y\n1,2\n3,\"4\n5,\"6\"\n", "y"), TRM_ERR_DATA,
         "train.csv:3: text behind a closing quote, which closes in line 4; double quotes");
  expect(table("x,y\n1,2\n3,4,5\n", "y"), TRM_ERR_DATA,
         "train.csv:3: 3 fields, the first line has 2");
  expect(table("x,y\n1,2\n3\n", "y"), TRM_ERR_DATA, "train.csv:3: 1 field, the first line has 2");
  expect(table("x,y,x\n1,2,3\n", "y"), TRM_ERR_DATA,
         "train.csv:1: columns 1 and 3 are both called 'x'; rename one");
  expect(table("x,y\n1,2\n1e39,2\n", "y"), TRM_ERR_DATA,
         "train.csv:3: column 'x': 1e39 is too large for a float, which ends at 3.4e38; give the "
         "column in a larger unit, or --kind 'x=skip'");
  expect(table("x,y\n1,2\n2,-1e999\n", "y"), TRM_ERR_DATA,
         "train.csv:3: column 'y': -1e999 is too");
  expect(table("x;y\n\"1\";2\n-1,5;3\n", "y"), TRM_ERR_DATA,
         "train.csv:3: column 'x': '-1,5' has a decimal comma; write points, as in 1.5");
  expect(table("x;y\n1;2\n2;3,5\n", "y"), TRM_ERR_DATA,
         "train.csv:3: column 'y': '3,5' has a decimal comma; write points, as in 1.5");
  call c = table("x;y\n1,5;2\n2,5;3\n", "y");
  c.kinds[0] = "x=category";
  CHECK_OK(prepare(&c));
  expect(table("x,y\n", "y"), TRM_ERR_DATA, "train.csv: has no rows");
  expect(table("", "y"), TRM_ERR_DATA, "train.csv: is empty");
  expect(table("x,y\n1,2\n\xE9,3\n", "y"), TRM_ERR_DATA,
         "train.csv:3: invalid UTF-8 at byte 1 of the fields (0xE9); convert the file to UTF-8 "
         "(iconv)");
  CHECK(strstr(trm_message(), "unit byte") == NULL);
  expect(table("age,y\n1,2\n3,4\n", "2"), TRM_ERR_DATA,
         "train.csv:1: only this line has no number in column 2, but 'y'; if it names the columns "
         "give --header yes");
  c = table("x,y\n1,2\nfour,3\n", "y");
  c.kinds[0] = "x=number";
  expect(c, TRM_ERR_DATA,
         "train.csv:3: column 'x' is to be numbers, and 'four' is none that is finite; correct it, "
         "or give --kind 'x=category' or --missing 'four'");
}

/* A hundred thousand categories: told at the first one over the bound. */
static void check_levels(void) {
  enum { ROWS = 100000 };
  char *text = malloc(ROWS * 24);
  if (!text) exit(1);
  int n = sprintf(text, "who,y\n");
  for (int i = 0; i < ROWS; ++i) n += sprintf(text + n, "user %d,%d.5\n", i, i % 7);
  call c = table(text, "y");
  expect(c, TRM_ERR_DATA,
         "train.csv:1002: more than 1000 different values in column 'who', which is categories; "
         "--kind 'who=skip' leaves it out, --most-levels N allows more");
  c.options.most_levels = ROWS;
  if (CHECK_OK(prepare(&c))) CHECK(report.columns[0].distinct);
  free(text);
  c = table("a,b,y\n1,1,1.5\n2,2,2.5\n-,3,3.5\n", "y");
  c.options.most_levels = 2;
  expect(c, TRM_ERR_DATA,
         "train.csv:4: more than 2 different values in column 'a', which is categories; --kind "
         "'a=skip' leaves it out, --missing '-' makes it numbers if no other field is none (/");
  c.kinds[0] = "a=skip", c.kinds[1] = "b=category";
  expect(c, TRM_ERR_DATA,
         "column 'b', which is categories; --kind 'b=skip' leaves it out, --kind "
         "'b=number' takes them as numbers, --most-levels");
}

static void check_bad_options(void) {
  expect(
      table(rooms, "prize"), TRM_ERR_USAGE,
      "has no column 'prize' (--target); the 7 of its first line, parted by commas: 'id', 'area', "
      "'town', 'no, of floors', 'heating', 'price', 'unit'; did you mean 'price'?");
  expect(table(rooms, NULL), TRM_ERR_USAGE, "give the target by --target COLUMN");
  call c = table(rooms, "price");
  c.kinds[0] = "town=text";
  expect(c, TRM_ERR_USAGE, "--kind is 'town=text', expected town=number, category or skip");
  c.kinds[0] = "town";
  expect(c, TRM_ERR_USAGE, "--kind is 'town', expected COLUMN=number, category or skip");
  c.kinds[0] = "city=skip";
  expect(c, TRM_ERR_USAGE, "has no column 'city' (--kind)");
  c.kinds[0] = "price=skip";
  expect(c, TRM_ERR_USAGE,
         "column 'price' is given twice, by --target and by --kind; leave one out");
  c = table(rooms, "price");
  c.options.group = "price";
  expect(c, TRM_ERR_USAGE, "column 'price' is given twice, by --target and by --group");
  c = table(rooms, "price");
  c.options.header = "perhaps";
  expect(c, TRM_ERR_USAGE, "--header is 'perhaps', expected yes or no");
  c = table(rooms, "price");
  c.train = fixture_path(folder, "pipe");
  CHECK_EQ(mkfifo(c.train, 0600), 0);
  expect(c, TRM_ERR_IO, "pipe: not a regular file; it is read twice, so save it first");
  c.train = NULL;
  expect(c, TRM_ERR_USAGE, "give a table to train on");
}

/* Every allocation that fails is told, and nothing is lost. */
static void check_memory(void) {
  call c = table(rooms, "price");
  c.options.valid_share = 0.3;
  for (int n = 0;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status = prepare(&c);
    trm_alloc_fail_after(-1);
    if (status == TRM_OK) {
      CHECK(n > 30);
      return;
    }
    CHECK_EQ(status, TRM_ERR_MEMORY);
  }
}

int main(void) {
  folder = check_temp_folder();
  static char path[4300];
  snprintf(path, sizeof path, "%s/out.h5", folder);
  out = path;
  check_kinds();
  check_level_order();
  check_constant();
  check_notes();
  check_target_kind();
  check_class_sets();
  check_class_lists();
  check_missing_target();
  check_shares();
  check_groups();
  check_folds();
  check_files();
  check_bad_tables();
  check_levels();
  check_bad_options();
  check_memory();
  trm_table_report_free(&report);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
