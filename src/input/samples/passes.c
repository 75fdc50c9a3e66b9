/* Samples of a list in groups, for evaluation. */
#include "batch_internal.h"
#include "ranked_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

/* Rows of a group, and pixels, of which each is a row for some layers; one sample may have more. Few
 * enough that many ranks have some. */
enum { GROUP_ROWS = 1024, GROUP_PIXELS = 1 << 17 };

struct trm_sample_passes {
  trm_sample_view view;
  int32_t *samples; /* [n] by length */
  int64_t *begins;  /* [n_groups + 1] */
  int64_t n_groups;
  trm_sample_batch bounds;
  trm_batch_store store;
};

static int64_t cost_of(const trm_sample_view *view, int32_t sample) {
  return trm_sample_input_rows(view, sample) + trm_sample_output_rows(view, sample);
}

/* Rows of a group of such samples. */
static int64_t group_rows(const trm_sample_view *view) {
  const trm_images *images = &view->data->images;
  if (view->data->input != TRM_INPUT_IMAGE) return GROUP_ROWS;
  return trm_min_i64(GROUP_ROWS, GROUP_PIXELS / (images->height * images->width));
}

static trm_status sort(trm_sample_passes *p, const int32_t *samples, int64_t n) {
  trm_ranked *ranked = NULL;
  TRM_TRY(TRM_ALLOC(&ranked, n, "order of samples"));
  for (int64_t i = 0; i < n; ++i) {
    ranked[i] = (trm_ranked){.key = cost_of(&p->view, samples[i]), .tie = samples[i]};
  }
  trm_ranked_sort(ranked, n);
  for (int64_t i = 0; i < n; ++i) p->samples[i] = (int32_t)ranked[i].tie;
  TRM_FREE(ranked);
  return TRM_OK;
}

static trm_sample_batch sizes_of(const trm_sample_passes *p, int64_t begin, int64_t end) {
  trm_sample_batch b = {.n = end - begin, .inputs.n = end - begin};
  if (p->view.frame.outputs) b.outputs.n = end - begin;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t in = trm_sample_input_rows(&p->view, p->samples[i]);
    const int64_t out = trm_sample_output_rows(&p->view, p->samples[i]);
    b.inputs.n_rows += in;
    b.outputs.n_rows += out;
    b.inputs.longest = trm_max_i64(b.inputs.longest, in);
    b.outputs.longest = trm_max_i64(b.outputs.longest, out);
  }
  return b;
}

static void cut(trm_sample_passes *p, int64_t n) {
  const int64_t most = group_rows(&p->view);
  int64_t rows = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t cost = cost_of(&p->view, p->samples[i]);
    if (i == 0 || rows + cost > most) {
      p->begins[p->n_groups++] = i;
      rows = 0;
    }
    rows += cost;
  }
  p->begins[p->n_groups] = n;
  p->bounds.values = trm_batch_value_sizes(&p->view);
  for (int64_t g = 0; g < p->n_groups; ++g) {
    const trm_sample_batch sizes = sizes_of(p, p->begins[g], p->begins[g + 1]);
    trm_batch_grow_bounds(&p->bounds, &sizes);
  }
}

trm_status trm_sample_passes_create(const trm_sample_view *view, const int32_t *samples, int64_t n,
                                    trm_sample_passes **out) {
  trm_sample_passes *p = NULL;
  trm_status status = TRM_OK;
  *out = NULL;
  TRM_TRY(TRM_ALLOC(&p, 1, "groups of samples"));
  p->view = *view;
  TRM_TRY_OUT(TRM_ALLOC(&p->samples, n, "groups of samples"));
  TRM_TRY_OUT(TRM_ALLOC(&p->begins, n + 1, "groups of samples"));
  TRM_TRY_OUT(sort(p, samples, n));
  cut(p, n);
  *out = p;
  return TRM_OK;
out:
  trm_sample_passes_destroy(&p);
  return status;
}

void trm_sample_passes_destroy(trm_sample_passes **passes) {
  trm_sample_passes *p = *passes;
  if (!p) return;
  trm_batch_store_release(&p->store);
  TRM_FREE(p->samples);
  TRM_FREE(p->begins);
  TRM_FREE(*passes);
}

int64_t trm_sample_passes_n(const trm_sample_passes *passes) {
  return passes->n_groups;
}

trm_status trm_sample_passes_draw(trm_sample_passes *passes, int64_t g, int64_t draw,
                                  trm_sample_batch *batch, const int32_t **samples) {
  trm_sample_passes *p = passes;
  *samples = p->samples + p->begins[g];
  const trm_batch_samples group = {
      .ids = *samples, .n = p->begins[g + 1] - p->begins[g], .epoch = draw};
  return trm_batch_fill(&p->store, &p->view, group, batch);
}

trm_status trm_sample_passes_make(trm_sample_passes *passes, int64_t g, trm_sample_batch *batch,
                                  const int32_t **samples) {
  return trm_sample_passes_draw(passes, g, -1, batch, samples);
}

void trm_sample_passes_bounds(const trm_sample_passes *passes, trm_sample_batch *bounds) {
  *bounds = passes->bounds;
}
