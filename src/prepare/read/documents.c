/**
 * Text that is no table of fields, by its first lines: what it is, and how a table is made of it.
 * Texts to train on may begin in any way, so only readers of tables ask.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "bytes_internal.h"

enum { MOST_LINES = 8 };

/* The first lines that say something. */
typedef struct opening {
  const char *text; /* from the first of them to the end of what was read */
  int64_t bytes;
  const char *line[MOST_LINES]; /* without blanks around them; empty ones are passed over */
  int64_t n_line[MOST_LINES];
  int n;
} opening;

typedef struct document {
  const char *begin; /* what the text begins with, in letters of any case; NULL: `is_one` alone */
  bool (*is_one)(const opening *o); /* NULL: `begin` alone */
  const char *is, *remedy;
} document;

/* ---- lines ------------------------------------------------------------------------------------ */

static bool begins(const char *text, int64_t n, const char *with) {
  const int64_t length = (int64_t)strlen(with);
  return n >= length && strncasecmp(text, with, (size_t)length) == 0;
}

static bool line_has(const opening *o, int i, const char *what) {
  return i < o->n && memmem(o->line[i], (size_t)o->n_line[i], what, strlen(what)) != NULL;
}

static char first_of(const opening *o, int i) {
  return i < o->n ? o->line[i][0] : 0;
}

static char last_of(const opening *o, int i) {
  return i < o->n ? o->line[i][o->n_line[i] - 1] : 0;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Adds the line at text[0] unless it is empty or, before any other, a comment. Returns its bytes. */
static int64_t add_line(opening *o, const char *text, int64_t bytes) {
  const char *end = memchr(text, '\n', (size_t)bytes);
  const int64_t whole = end ? end - text + 1 : bytes;
  int64_t n = whole;
  while (n > 0 && is_blank(text[n - 1])) --n;
  while (n > 0 && is_blank(text[0])) ++text, --n;
  if (n == 0 || (o->n == 0 && (text[0] == '#' || text[0] == '%'))) return whole;
  o->line[o->n] = text;
  o->n_line[o->n++] = n;
  return whole;
}

static opening open_text(const char *text, int64_t bytes) {
  opening o = {0};
  const char *end = text + bytes;
  while (text < end && o.n < MOST_LINES) text += add_line(&o, text, end - text);
  if (o.n == 0) return o;
  o.text = o.line[0];
  o.bytes = end - o.text;
  return o;
}

/* ---- what cannot be told by a beginning ------------------------------------------------------- */

/* Bytes of blanks at text[0], ends of lines too. */
static int64_t blanks(const opening *o, int64_t at) {
  while (at < o->bytes && is_blank(o->text[at])) ++at;
  return at;
}

static bool is_gml(const opening *o) {
  if (begins(o->text, o->bytes, "creator \"")) return true;
  const int64_t at = begins(o->text, o->bytes, "graph") ? blanks(o, 5) : o->bytes;
  return at < o->bytes && o->text[at] == '[';
}

static bool is_dot(const opening *o) {
  const bool named = begins(o->text, o->bytes, "digraph") || begins(o->text, o->bytes, "graph ") ||
                     begins(o->text, o->bytes, "strict ");
  return named && (line_has(o, 0, "{") || first_of(o, 1) == '{');
}

static bool is_dimacs(const opening *o) {
  for (int i = 0; i < o->n; ++i) {
    const bool lone = o->n_line[i] == 1 || is_blank(o->line[i][1]);
    if (first_of(o, i) == 'p' && lone) return o->n_line[i] > 4 && isalpha(o->line[i][2]);
    if (first_of(o, i) != 'c' || !lone) return false;
  }
  return o->n == MOST_LINES; /* a long comment */
}

/* '{' before a name, or '[' before what lists have, in a line that ends as one. */
static bool is_json(const opening *o) {
  if (o->n == 0) return false;
  const int64_t at = blanks(o, 1);
  const char next = at < o->bytes ? o->text[at] : 0;
  if (o->text[0] == '{') return next == '"' || next == '}';
  return o->text[0] == '[' && next && strchr("[{\"-0123456789]", next) &&
         strchr("[]{},", last_of(o, 0));
}

static bool is_json_graph(const opening *o) {
  const size_t n = (size_t)o->bytes;
  const bool links = memmem(o->text, n, "\"links\"", 7) || memmem(o->text, n, "\"edges\"", 7);
  return is_json(o) && o->text[0] == '{' && links && memmem(o->text, n, "\"nodes\"", 7);
}

static bool is_json_lines(const opening *o) {
  return is_json(o) && o->text[0] == '{' && last_of(o, 0) == '}' && line_has(o, 0, ":") &&
         (o->n == 1 || first_of(o, 1) == '{');
}

/* Every line stands in one pair of brackets: rows as Python prints tuples and lists. */
static bool is_bracketed(const opening *o) {
  for (int i = 0; i < o->n; ++i) {
    const char open = first_of(o, i), close = last_of(o, i);
    if (!(open == '(' && close == ')') && !(open == '[' && close == ']')) return false;
    if (o->n_line[i] < 3 || !strchr("0123456789-'\"", o->line[i][1])) return false;
  }
  return o->n > 0;
}

static bool is_markdown(const opening *o) {
  if (!line_has(o, 1, "---") || !line_has(o, 1, "|")) return false;
  for (int64_t i = 0; i < o->n_line[1]; ++i) {
    if (!strchr("|-: ", o->line[1][i])) return false;
  }
  return true;
}

static bool is_rdf(const opening *o) {
  return first_of(o, 0) == '<' && last_of(o, 0) == '.' && line_has(o, 0, "> <");
}

/* "1234:" above lines of three fields. */
static bool is_netflix(const opening *o) {
  if (o->n < 2 || last_of(o, 0) != ':' || !line_has(o, 1, ",")) return false;
  for (int64_t i = 0; i + 1 < o->n_line[0]; ++i) {
    if (!isdigit((unsigned char)o->line[0][i])) return false;
  }
  return o->n_line[0] > 1;
}

/* "1: 2 3", numbers in every line: a node, or a user, and what it is joined with. */
static bool is_adjacency(const opening *o) {
  for (int i = 0; i < o->n; ++i) {
    int64_t at = 0;
    while (at < o->n_line[i] && isdigit((unsigned char)o->line[i][at])) ++at;
    if (at == 0 || at == o->n_line[i] || o->line[i][at] != ':') return false;
    if (at + 1 < o->n_line[i] && !is_blank(o->line[i][at + 1])) return false;
    for (++at; at < o->n_line[i]; ++at) {
      if (!strchr("0123456789, \t", o->line[i][at])) return false;
    }
  }
  return o->n > 0;
}

/* "2:0.5" at text[0], the index above *index; 0: it is none. Bytes of it. */
static int64_t pair_length(const char *text, int64_t n, int64_t *index, bool *sure) {
  int64_t at = 0, value = 0;
  while (at < n && at < 18 && isdigit((unsigned char)text[at]))
    value = 10 * value + (text[at++] - '0');
  if (at == 0 || at >= n || text[at] != ':' || value <= *index) return 0;
  const int64_t colon = at++;
  while (at < n && strchr("0123456789.+-eE", text[at])) ++at;
  const bool point = memchr(text + colon, '.', (size_t)(at - colon)) != NULL;
  *sure = *sure || value > 59 || point || at - colon != 3; /* minutes have two digits */
  *index = value;
  return at > colon + 1 ? at : 0;
}

/* A number, then index:value with rising indexes; times of a day look like them, but have no points. */
static bool is_svmlight(const opening *o) {
  bool sure = false;
  int pairs = 0;
  for (int i = 0; i < o->n; ++i) {
    const char *text = o->line[i];
    int64_t at = 0, index = -1;
    while (at < o->n_line[i] && strchr("0123456789.+-eE", text[at])) ++at;
    if (at == 0) return false;
    while (at < o->n_line[i]) {
      while (at < o->n_line[i] && is_blank(text[at])) ++at;
      if (text[at] == '#') break;
      const int64_t n = pair_length(text + at, o->n_line[i] - at, &index, &sure);
      if (n == 0) return false;
      at += n;
      ++pairs;
    }
  }
  return pairs > 0 && sure;
}

/* ---- the table -------------------------------------------------------------------------------- */

#define NETWORKX(reader)                                                                           \
  "write its edges as text: networkx.write_edgelist(networkx." reader ", 'x.txt', data=False)"
#define PANDAS(reader) "write it as text: pandas." reader ".to_csv('x.csv', index=False)"
#define WITH_DATABASE "write the table as CSV with the database it comes from"

static const document documents[] = {
    {"404: not found", NULL, "the answer of a web server", "fetch the file itself"},
    {"<graphml", NULL, "a GraphML file", NETWORKX("read_graphml('x')")},
    {"<gexf", NULL, "a GEXF file", NETWORKX("read_gexf('x')")},
    {"<?xml", NULL, "an XML file (GraphML, GEXF, TMX ...)",
     "write its edges or its table as text; of GraphML: networkx.write_edgelist("
     "networkx.read_graphml('x'), 'x.txt', data=False)"},
    {"<tmx", NULL, "a TMX file", "write its pairs as two columns"},
    {"*vertices", NULL, "a Pajek file (.net)", NETWORKX("read_pajek('x')")},
    {"*network", NULL, "a Pajek file (.net)", NETWORKX("read_pajek('x')")},
    {NULL, is_gml, "a GML file", NETWORKX("read_gml('x', label='id')")},
    {NULL, is_dot, "a Graphviz file (.dot)", NETWORKX("nx_pydot.read_dot('x')")},
    {NULL, is_dimacs, "a DIMACS file",
     "leave its edges: awk '/^[ae] /{print $2, $3}' x > x.txt, and give --base 1"},
    {">>graph6<<", NULL, "a graph6 file", NETWORKX("read_graph6('x')")},
    {">>sparse6<<", NULL, "a sparse6 file", NETWORKX("read_sparse6('x')")},
    {"leda.graph", NULL, "a LEDA file", NETWORKX("read_leda('x')")},
    {"dl n", NULL, "a UCINET file (DL)", "export it as a list of edges"},
    {"@prefix", NULL, "a Turtle file (RDF)", "write subject and object of each statement as text"},
    {NULL, is_rdf, "an N-Triples file (RDF)",
     "leave subjects and objects: awk '{print $1, $3}' x > x.txt"},
    {NULL, is_bracketed, "rows in brackets, as Python prints them",
     "leave the brackets out: tr -d '()[]' < x > x.csv"},
    {NULL, is_json_graph, "a graph as JSON", NETWORKX("node_link_graph(json.load(open('x')))")},
    {NULL, is_json_lines, "JSON, a record a line", PANDAS("read_json('x', lines=True)")},
    {NULL, is_json, "a JSON file", PANDAS("read_json('x')")},
    {NULL, is_netflix, "lines under numbers, as Netflix published them",
     "write the number into each: awk -F, '/:$/{i = $0; sub(\":\", \"\", i); next} "
     "{print $1\",\"i\",\"$2\",\"$3}' x > x.csv"},
    {NULL, is_adjacency, "lists of neighbours or items under numbers",
     "write a pair a line: awk -F'[:, \\t]+' '{for (i = 2; i <= NF; ++i) if ($i != \"\") print $1, "
     "$i}' x > x.txt"},
    {NULL, is_svmlight, "a sparse table in the form of svmlight (index:value)",
     "write it as text: x, y = sklearn.datasets.load_svmlight_file('x'); "
     "numpy.savetxt('x.csv', numpy.c_[y, x.toarray()], '%.9g', ',')"},
    {NULL, is_markdown, "a table in Markdown",
     "write it as CSV: sed '2d; s/^ *| *//; s/ *| *$//; s/ *| */,/g' x > x.csv"},
    {"__label__", NULL, "labelled text in fastText's form",
     "part label and text: sed 's/^__label__//; s/ /\\t/' x > x.tsv"},
    {"-docstart-", NULL, "words with tags in CoNLL's form",
     "write a sentence and its label a line"},
    {"msgid ", NULL, "a gettext file (PO)", "write its pairs as two columns (po2csv)"},
    {"@relation", NULL, "an ARFF file",
     "leave its head out, up to the line @data (sed '1,/^@data/Id')"},
    {"-- mysql dump", NULL, "a dump of a database", WITH_DATABASE},
    {"-- postgresql", NULL, "a dump of a database", WITH_DATABASE},
    {"create table", NULL, "a dump of a database", WITH_DATABASE},
    {"insert into", NULL, "a dump of a database", WITH_DATABASE},
    {"pragma ", NULL, "a dump of a database", WITH_DATABASE},
};

trm_status trm_document_check(const trm_bytes *bytes) {
  const opening o = open_text(bytes->buffer + bytes->begin, bytes->end - bytes->begin);
  for (size_t i = 0; i < sizeof documents / sizeof documents[0] && o.n > 0; ++i) {
    const document *d = &documents[i];
    if (d->begin && !begins(o.text, o.bytes, d->begin)) continue;
    if (d->is_one && !d->is_one(&o)) continue;
    return trm_fail(TRM_ERR_DATA, "%s: is %s; %s", bytes->path, d->is, d->remedy);
  }
  return TRM_OK;
}

bool trm_document_is_records(const char *text, int64_t bytes) {
  const opening o = open_text(text, bytes);
  return is_json_lines(&o);
}
