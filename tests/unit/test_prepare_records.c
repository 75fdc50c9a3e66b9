/* Records of text files: separators, quotes, ends of lines, and what is wrong in them by its line. */
#include "../../src/prepare/read/records_internal.h"
#include "input_fixture.h"

static const char *folder;

/* All records of a text as "field|field/field|field/", or the message of the failure. */
static const char *read_all(const char *text, size_t bytes, trm_records_form form) {
  static char out[4096];
  const char *path = fixture_path(folder, "r.txt");
  trm_records r;
  bool more = false;
  size_t n = 0;
  const int64_t live = trm_alloc_counts_get().live_blocks;
  fixture_file(path, text, bytes);
  trm_status status = trm_records_open(&r, path, &form, NULL);
  while (status == TRM_OK) {
    status = trm_records_next(&r, &more);
    if (status != TRM_OK || !more) break;
    for (int64_t i = 0; i < r.n_fields; ++i) {
      int64_t length;
      const char *field = trm_records_field(&r, i, &length);
      n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s", i ? "|" : "", (int)length, field);
    }
    n += (size_t)snprintf(out + n, sizeof out - n, "/");
  }
  out[n] = 0;
  if (status != TRM_OK) {
    const char *name = strrchr(trm_message(), '/');
    snprintf(out, sizeof out, "%s", name ? name + 1 : trm_message());
  }
  CHECK_EQ(trm_records_close(&r, status), status);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  return out;
}

#define EXPECT(text, want, ...)                                                                    \
  CHECK_STR(read_all(text, sizeof(text) - 1, (trm_records_form){__VA_ARGS__}), want)

static void check_tables(void) {
  EXPECT("a\tb\nc\td\n", "a|b/c|d/", 0);
  EXPECT("a\tb\nc\td", "a|b/c|d/", 0);
  EXPECT("a\tb\r\nc\t\r\n", "a|b/c|/", 0);
  EXPECT("\xEF\xBB\xBF"
         "a,b\r\nc,d\r\n",
         "a|b/c|d/", 0);
  EXPECT("a;b,c\n1;2,3\n", "a;b|c/1;2|3/", .separator = ',');
}

/* What stands in quotes belongs together, where commas or semicolons part. */
static void check_quotes(void) {
  EXPECT("\"a,\"\"b\"\"\",c\n", "a,\"b\"|c/", 0);
  EXPECT("\"two\r\nlines\",c\nd,e\n", "two\r\nlines|c/d|e/", 0);
  EXPECT("\"a;b\";\"\"\n", "a;b|/", 0);
  EXPECT("say \"no\",c\n", "say \"no\"|c/", 0);
  EXPECT("\"a,b\"\n", "a,b/", 0);
  EXPECT("\"a,b,c\";d\n", "a,b,c|d/", 0);
  EXPECT("\" new\t\"x\ny\t\"\n", "\" new|\"x/y|\"/", 0);
}

static void check_lines(void) {
  EXPECT("a,\"b\n\n\tc\r\n\n", "a,\"b//\tc//", .lines = true);
  EXPECT("", "", .lines = true);
  EXPECT("a\rb\n", "a\rb/", .lines = true);
}

static void check_wrong(void) {
  EXPECT("a,b\n\nc\n", "r.txt:3: 1 field, the first line has 2 (parted by commas)", 0);
  EXPECT("a\tb\n\"1\n2\"\t3\t4\n", "r.txt:2: 1 field, the first line has 2 (parted by tabs)", 0);
  EXPECT(
      "a;b\n\"1\n2\";3;4\n",
      "r.txt:2: 3 fields, the first line has 2 (parted by semicolons); if they begin with names of "
      "rows, as R writes them, leave these out: write.table(x, row.names = FALSE)",
      0);
  EXPECT(
      "a,b\n\"1\n2\",\"x\ny\n",
      "r.txt:3: a quote is opened and never closed; close it, or double it (\"\") where it belongs "
      "to the text",
      0);
  EXPECT("a,b\n\"1\n2\"x,3\n",
         "r.txt:2: text behind a closing quote, which closes in line 3; double quotes (\"\") that "
         "belong to the text, and close the one of this line",
         0);
  EXPECT("a,b\n\"1\"x,3\n",
         "r.txt:2: text behind a closing quote; double quotes (\"\") that belong to the text", 0);
  EXPECT("a\tb\nc\td\xE9\n",
         "r.txt:2: invalid UTF-8 at byte 3 of the fields (0xE9); convert the file to UTF-8 "
         "(iconv), or "
         "take unit byte, which takes any bytes",
         0);
  EXPECT("d\xE9\n", "d\xE9/", .lines = true, .any_bytes = true);
}

/* A record longer than what is read at once, with a quote at the seam. */
static void check_long(void) {
  enum { N = (1 << 20) + 7 };
  char *text = malloc(N + 16);
  if (!text) exit(1);
  for (int shift = -3; shift < 4; ++shift) {
    const int n = (1 << 20) + shift;
    const char *path = fixture_path(folder, "long.csv");
    const trm_records_form form = {.separator = ','};
    trm_records r;
    bool more;
    int64_t bytes;
    memset(text, 'x', (size_t)n);
    text[0] = '"';
    memcpy(text + n, "\"\"\",b\r\n", 8);
    fixture_file(path, text, (size_t)n + 7);
    CHECK_OK(trm_records_open(&r, path, &form, NULL));
    CHECK_OK(trm_records_next(&r, &more));
    CHECK_EQ(r.n_fields, 2);
    CHECK_EQ(trm_records_field(&r, 0, &bytes)[n - 1], '"');
    CHECK_EQ(bytes, n);
    CHECK_EQ(trm_records_field(&r, 1, &bytes)[0], 'b');
    CHECK_EQ(bytes, 1);
    CHECK_OK(trm_records_next(&r, &more));
    CHECK(!more);
    CHECK_OK(trm_records_close(&r, TRM_OK));
  }
  free(text);
}

static void check_columns(void) {
  const char *path = fixture_path(folder, "c.csv");
  const trm_records_form form = {0};
  trm_records r;
  bool more;
  int column = -1;
  fixture_file(path, "id,text,2,id\n", 13);
  CHECK_OK(trm_records_open(&r, path, &form, NULL));
  CHECK_OK(trm_records_next(&r, &more));
  CHECK_OK(trm_records_column(&r, true, "text", "--text", &column));
  CHECK_EQ(column, 1);
  CHECK_OK(trm_records_column(&r, true, "2", "--text", &column)); /* a name before a number */
  CHECK_EQ(column, 2);
  CHECK_OK(trm_records_column(&r, false, "2", "--text", &column));
  CHECK_EQ(column, 1);
  CHECK_EQ(trm_records_column(&r, true, "id", "--label", &column), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(), "2 columns are called 'id'; give --label as a number from 1");
  CHECK_EQ(trm_records_column(&r, true, "label", "--label", &column), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(),
            "has no column 'label' (--label); the 4 of its first line, parted by commas: "
            "'id', 'text', '2', 'id'; columns can also be given as numbers");
  CHECK_EQ(trm_records_column(&r, false, "5", "--label", &column), TRM_ERR_USAGE);
  CHECK_EQ(trm_records_column(&r, false, "0", "--label", &column), TRM_ERR_USAGE);
  static const char *const large[] = {"4294967298", "18446744073709551618", "123456789"};
  for (int i = 0; i < 3; ++i) { /* none comes round to a column that is there */
    CHECK_EQ(trm_records_column(&r, false, large[i], "--label", &column), TRM_ERR_USAGE);
    CHECK_HAS(trm_message(), "has no column '");
    CHECK(strstr(trm_message(), "can also be given as numbers") == NULL);
  }
  CHECK_OK(trm_records_close(&r, TRM_OK));
}

int main(void) {
  folder = check_temp_folder();
  check_tables();
  check_quotes();
  check_lines();
  check_wrong();
  check_long();
  check_columns();
  return fixture_end(folder);
}
