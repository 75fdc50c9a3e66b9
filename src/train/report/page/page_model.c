/* The model as a diagram of its layers. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "tsv.h"

enum { MOST_LAYERS = 4096 };

/* An operator, as layers.tsv has it; texts are copies. */
typedef struct layer {
  char name[40], shape[64], params[200];
  int64_t n_weights;
  char group[96]; /* where its parameters are: "blocks/0", "head" */
} layer;

typedef struct diagram {
  layer *layers; /* [MOST_LAYERS] */
  int n;
  int64_t n_lines; /* read so far, with the head */
} diagram;

/* ---- reading --------------------------------------------------------------------------------- */

/* "blocks/0/attn/qkv/weight" is in "blocks/0", "head/weight" in "head": up to a number, or all but the last
 * part where there is none. */
static void name_group(const char *params, char group[96]) {
  const size_t n = strcspn(params, " ");
  size_t end = 0;
  for (size_t i = 0; i < n; ++i) {
    if (params[i] != '/') continue;
    const size_t digits = strspn(params + i + 1, "0123456789");
    if (digits > 0 && (params[i + 1 + digits] == '/' || i + 1 + digits == n)) {
      end = i + 1 + digits;
      break;
    }
  }
  if (end == 0) end = strcspn(params, "/ ");
  (void)snprintf(group, 96, "%.*s", (int)end, params);
}

static void take_layer(void *context, char *const *fields, int n_fields) {
  diagram *d = context;
  if (d->n_lines++ == 0 || n_fields < 4 || d->n == MOST_LAYERS) return;
  layer *l = &d->layers[d->n++];
  (void)snprintf(l->name, sizeof l->name, "%s", fields[0]);
  (void)snprintf(l->shape, sizeof l->shape, "%s", fields[1]);
  (void)snprintf(l->params, sizeof l->params, "%s", fields[2]);
  l->n_weights = strtoll(fields[3], NULL, 10);
  if (l->params[0]) {
    name_group(l->params, l->group);
  } else if (d->n > 1) { /* belongs to what it works on */
    (void)snprintf(l->group, sizeof l->group, "%s", l[-1].group);
  }
}

/* ---- groups ---------------------------------------------------------------------------------- */

static int end_of_group(const diagram *d, int begin) {
  int end = begin + 1;
  while (end < d->n && strcmp(d->layers[end].group, d->layers[begin].group) == 0) ++end;
  return end;
}

static bool is_alike(const layer *a, const layer *b) {
  return strcmp(a->name, b->name) == 0 && strcmp(a->shape, b->shape) == 0 &&
         a->n_weights == b->n_weights;
}

/* Whether layers [begin, end) come again from `end` on. */
static bool comes_again(const diagram *d, int begin, int end) {
  const int n = end - begin;
  if (end + n > d->n || end_of_group(d, end) != end + n) return false;
  for (int i = 0; i < n; ++i) {
    if (!is_alike(&d->layers[begin + i], &d->layers[end + i])) return false;
  }
  return true;
}

/* ---- drawing --------------------------------------------------------------------------------- */

/* "64 4 4 32" is "4 × 4 × 32": the rows of a batch are left out. */
static void put_shape(FILE *file, const char *shape) {
  const char *at = strchr(shape, ' ');
  if (!at) return;
  (void)fprintf(file, "<span class=\"out\">\xe2\x86\x92 ");
  for (++at; *at; ++at) {
    if (*at == ' ') {
      (void)fprintf(file, " \xc3\x97 ");
    } else {
      trm_report_text(file, (const char[]){*at, 0});
    }
  }
  (void)fprintf(file, "</span>");
}

/* Names of parameters without the group, which stands above. */
static void put_params(FILE *file, const layer *l) {
  const size_t group = strlen(l->group);
  char text[200], *rest = NULL;
  const char *between = "";
  (void)snprintf(text, sizeof text, "%s", l->params);
  for (char *name = strtok_r(text, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
    const bool inside = strncmp(name, l->group, group) == 0 && name[group] == '/';
    (void)fprintf(file, "%s", between);
    trm_report_text(file, inside ? name + group + 1 : name);
    between = ", ";
  }
}

static void put_layer(FILE *file, const layer *l) {
  char count[32];
  (void)fprintf(file, "<div class=\"layer\"><b>");
  trm_report_text(file, l->name);
  (void)fprintf(file, "</b>");
  put_shape(file, l->shape);
  (void)fprintf(file, "<i>");
  put_params(file, l);
  if (l->n_weights > 0) {
    trm_format_count(l->n_weights, count);
    (void)fprintf(file, ": %s parameters", count);
  } else {
    (void)fprintf(file, ": shared, counted above");
  }
  (void)fprintf(file, "</i></div>\n");
}

/* Operators without parameters that follow each other share a box; returns where they end. */
static int put_free(FILE *file, const diagram *d, int begin, int end) {
  int at = begin;
  (void)fprintf(file, "<div class=\"layer free\"><span>");
  for (; at < end && !d->layers[at].params[0]; ++at) {
    (void)fprintf(file, "%s", at > begin ? " \xc2\xb7 " : "");
    trm_report_text(file, d->layers[at].name);
  }
  (void)fprintf(file, "</span>");
  put_shape(file, d->layers[at - 1].shape);
  (void)fprintf(file, "</div>\n");
  return at;
}

static void put_group(FILE *file, const diagram *d, int begin, int end) {
  for (int i = begin; i < end;) {
    if (i > begin) (void)fprintf(file, "<div class=\"down\">\xe2\x86\x93</div>\n");
    if (d->layers[i].params[0]) {
      put_layer(file, &d->layers[i++]);
    } else {
      i = put_free(file, d, i, end);
    }
  }
}

static void put_groups(FILE *file, const diagram *d) {
  for (int begin = 0; begin < d->n;) {
    const int end = end_of_group(d, begin), n = end - begin;
    int times = 1, last = begin;
    while (comes_again(d, last, last + n)) {
      last += n;
      ++times;
    }
    int64_t n_weights = 0;
    for (int i = begin; i < end; ++i) n_weights += d->layers[i].n_weights;
    if (begin > 0) (void)fprintf(file, "<div class=\"down\">\xe2\x86\x93</div>\n");
    (void)fprintf(file, "<div class=\"times\"><small>");
    trm_report_text(file, d->layers[begin].group);
    if (times > 1) {
      (void)fprintf(file, " to ");
      trm_report_text(file, d->layers[last].group);
      (void)fprintf(file, ": %d times alike", times);
    }
    if (n_weights > 0) {
      char count[32];
      trm_format_count(n_weights, count);
      (void)fprintf(file, ", %s parameters%s", count, times > 1 ? " each" : "");
    }
    (void)fprintf(file, "</small>\n");
    put_group(file, d, begin, end);
    (void)fprintf(file, "</div>\n");
    begin = last + n;
  }
}

void trm_page_model(const trm_page *page) {
  diagram d = {0};
  if (TRM_ALLOC(&d.layers, MOST_LAYERS, "layers") != TRM_OK) return;
  const trm_status status = trm_tsv_read(page->best->folder, "layers.tsv", take_layer, &d);
  if (status != TRM_OK || d.n > 0) {
    const char *kind = trm_record_value(page->best, "model.kind");
    trm_page_heading(page, "Model");
    (void)fprintf(page->file, "<p><b>");
    trm_report_text(page->file, kind ? kind : "");
    (void)fprintf(page->file, "</b>%s", page->best->parameters[0] ? ", " : "");
    trm_report_text(page->file, page->best->parameters);
    (void)fprintf(page->file,
                  "%s. <span class=\"soft\">Shapes are those of one sample, token or "
                  "node.</span></p>\n",
                  page->best->parameters[0] ? " parameters" : "");
  }
  if (status != TRM_OK) {
    trm_page_trouble(page);
  } else if (d.n > 0) {
    (void)fprintf(page->file, "<div class=\"layers\">\n");
    put_groups(page->file, &d);
    (void)fprintf(page->file, "</div>\n");
  }
  TRM_FREE(d.layers);
}
