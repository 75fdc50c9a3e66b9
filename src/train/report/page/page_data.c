/* The data set, and how its graph looks. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "page.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"

/* ---- the structure of graphs ------------------------------------------------------------------ */

static void put_row(FILE *file, const char *what, const char *value) {
  (void)fprintf(file, "<tr><td>%s</td><td>%s</td></tr>\n", what, value);
}

static void put_count(FILE *file, const char *what, int64_t n) {
  char text[32];
  trm_format_count(n, text);
  put_row(file, what, text);
}

static void put_number(FILE *file, const char *what, double value) {
  char text[32];
  if (isnan(value)) return;
  (void)snprintf(text, sizeof text, "%.4f", value);
  put_row(file, what, text);
}

static void put_structure(const trm_page *page) {
  const trm_structure *s = &page->look->structure;
  FILE *file = page->file;
  (void)fprintf(file,
                "<div><h3>Structure</h3>\n<div class=\"wide\"><table id=\"structure\"><tbody>\n");
  if (page->look->n_graphs > 0) put_count(file, "graphs", page->look->n_graphs);
  put_count(file, "nodes", s->n_nodes);
  put_count(file, "edges between two nodes", s->n_edges);
  if (s->n_loops > 0) put_count(file, "edges from a node to itself", s->n_loops);
  put_number(file, "mean degree", s->mean_degree);
  put_count(file, "median degree", s->median_degree);
  put_count(file, "highest degree", s->most_degree);
  put_count(file, "nodes without an edge", s->n_isolated);
  put_count(file, "components", s->n_components);
  put_count(file, "nodes of the largest one", s->largest_component);
  if (!isnan(s->n_triangles)) put_count(file, "triangles", (int64_t)s->n_triangles);
  put_number(file,
             s->estimated ? "clustering, mean of nodes (estimated)" : "clustering, mean of nodes",
             s->clustering);
  put_number(file, s->estimated ? "transitivity (estimated)" : "transitivity", s->transitivity);
  put_number(file, "homophily: edges within a class", s->homophily);
  put_number(file, "homophily, adjusted for chance", s->adjusted_homophily);
  (void)fprintf(file, "</tbody></table></div></div>\n");
}

/* ---- bars ------------------------------------------------------------------------------------ */

static void put_bar(FILE *file, const char *name, int64_t n, int64_t most) {
  char count[32];
  trm_format_count(n, count);
  (void)fprintf(file, "<span>");
  trm_report_text(file, name);
  (void)fprintf(file, "</span><i style=\"width:%.1f%%\"></i><span>%s</span>\n",
                most > 0 ? 100.0 * (double)n / (double)most : 0, count);
}

static int64_t most_of(const int64_t *counts, int n) {
  int64_t most = 0;
  for (int i = 0; i < n; ++i) most = counts[i] > most ? counts[i] : most;
  return most;
}

static void put_degrees(const trm_page *page) {
  const trm_structure *s = &page->look->structure;
  const int64_t most = most_of(s->bins, s->n_bins);
  (void)fprintf(page->file, "<h3>Nodes by degree</h3>\n<div class=\"bars\">\n");
  for (int b = 0; b < s->n_bins; ++b) {
    char name[64];
    const int64_t first = b == 0 ? 0 : (int64_t)1 << (b - 1), last = b == 0 ? 0 : 2 * first - 1;
    if (first == last) {
      (void)snprintf(name, sizeof name, "%" PRId64, first);
    } else {
      (void)snprintf(name, sizeof name, "%" PRId64 " to %" PRId64, first, last);
    }
    put_bar(page->file, name, s->bins[b], most);
  }
  (void)fprintf(page->file, "</div>\n");
}

/* Things that have labels: samples, nodes or graphs. */
static int64_t n_labelled(const trm_look *look) {
  if (look->samples) return look->samples->n;
  return look->n_graphs > 0 ? look->n_graphs : look->structure.n_nodes;
}

static void put_classes(const trm_page *page) {
  enum { MOST = 40 };
  const trm_classes *c = page->look->classes;
  int64_t *counts = NULL;
  if (!c || !c->labels || c->n < 1 || c->n > 10000) return;
  if (TRM_ALLOC(&counts, c->n, "classes") != TRM_OK) return;
  for (int64_t i = 0; i < n_labelled(page->look); ++i) {
    if (c->labels[i] >= 0) ++counts[c->labels[i]];
  }
  (void)fprintf(page->file, "<h3>Classes</h3>\n<div class=\"bars\">\n");
  for (int k = 0; k < c->n && k < MOST; ++k) {
    char name[96];
    (void)snprintf(name, sizeof name, "%d", k);
    if (c->names.n == c->n) {
      (void)snprintf(name, sizeof name, "%.*s",
                     (int)(c->names.offsets[k + 1] - c->names.offsets[k]),
                     c->names.bytes + c->names.offsets[k]);
    }
    put_bar(page->file, name, counts[k], most_of(counts, c->n));
  }
  (void)fprintf(page->file, "</div>\n");
  if (c->n > MOST) (void)fprintf(page->file, "<p class=\"soft\">and %d more</p>\n", c->n - MOST);
  TRM_FREE(counts);
}

void trm_page_data(const trm_page *page) {
  const trm_look *look = page->look;
  if (!look || (!look->words && !look->why[0])) return;
  trm_page_heading(page, "Data");
  if (look->why[0]) {
    (void)fprintf(page->file, "<p class=\"soft\">The data set could not be looked at: ");
    trm_report_text(page->file, look->why);
    (void)fprintf(page->file, ".</p>\n");
  }
  (void)fprintf(page->file, "<div class=\"halves\">\n");
  if (look->has_structure) put_structure(page);
  (void)fprintf(page->file, "<div>\n");
  if (look->has_structure) put_degrees(page);
  put_classes(page);
  (void)fprintf(page->file, "</div>\n</div>\n");
  if (!look->words) return;
  (void)fprintf(page->file, "<details%s><summary>what the file says</summary><pre>",
                look->has_structure ? "" : " open");
  trm_report_text(page->file, look->words);
  (void)fprintf(page->file, "</pre></details>\n");
}
