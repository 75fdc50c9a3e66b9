/*
 * Families on graphs, each with every block, norm and way of jumping: memory planned from counts,
 * shapes, gradients of the whole model and of a change of the features against central differences (double
 * build), gradients of a pass
 * over blocks against those of one over all rows, a few steps downhill, and the same outputs from
 * the whole graph, from what the seeds depend on alone, and from sparse features.
 */
#include <math.h>

#include "model_graph_fixture.h"
#include "trireme/math/threads.h"

static const char *const families[] = {"kind=gcn",
                                       "kind=gcn model.self_loops=false",
                                       "kind=sage",
                                       "kind=sage model.aggregator=sum",
                                       "kind=sage model.aggregator=max",
                                       "kind=gat",
                                       "kind=gin model.eps_trained=true",
                                       "kind=gin",
                                       "kind=mlp"};
static const char *const blocks[] = {"plain", "residual", "residual model.feed_forward=true"};
static const char *const norms[] = {"none", "layer", "batch"};
static const char *const jumpings[] = {"last", "concat", "max"};
static const char *const readouts[] = {"none", "sum", "mean", "max"};

static bool has(const char *words, const char *part) {
  return strstr(words, part) != NULL;
}

/* ---- gradients ------------------------------------------------------------------------------- */

/* Central differences of the loss for the first and the middle element of every parameter. */
static void check_differences(test_model *m, const trm_graph_batch *batch, const char *words) {
#if TRM_REAL_IS_DOUBLE
  const double step = 1e-6; /* few kinks within; rounding is 1e-9 of the loss */
  (void)model_loss(m, batch, true, true);
  for (int i = 0; i < m->params->n_rows; ++i) {
    const trm_param *row = &m->params->rows[i];
    for (int64_t k = 0; k < row->n && !row->buffer; k += row->n / 2 + 1) {
      trm_real *w = &m->params->weights[row->offset + k];
      const trm_real old = *w;
      *w = old + step;
      const double up = model_loss(m, batch, true, false);
      *w = old - step;
      const double down = model_loss(m, batch, true, false);
      *w = old;
      const double numeric = (up - down) / (2 * step);
      if (!CHECK_NEAR_AT(m->grads[row->offset + k], numeric, 1e-6 * (1 + fabs(numeric)), k)) {
        fprintf(stderr, "  %s, %s\n", words, row->name);
      }
    }
  }
#else
  (void)m, (void)batch, (void)words;
#endif
}

/* A change of dense features in evaluation, and its gradient alone: every element. */
static double changed_loss(test_model *m, const trm_graph_batch *batch, const trm_nudge *nudge) {
  trm_tape_begin(m->tape, &(trm_pass){.nudge = nudge});
  trm_var *loss = trm_model_loss(m->model, m->tape, &(trm_batch){.graph = batch});
  CHECK_OK(trm_tape_status(m->tape));
  if (nudge->grad) trm_tape_backward(m->tape, loss, NULL, NULL, NULL);
  return trm_tape_loss_sum(m->tape);
}

static void check_change(test_model *m, const trm_graph_batch *batch, const char *words) {
  trm_real values[NODES * FEATURES], grad[NODES * FEATURES];
  const int64_t n = batch->features.n_rows * FEATURES;
  const trm_nudge there = {.n = n, .values = values};
  trm_nudge back = there;
  back.grad = grad;
  for (int64_t i = 0; i < n; ++i) values[i] = (trm_real)0.01 * (trm_real)(i % 5);
  (void)changed_loss(m, batch, &back);
#if TRM_REAL_IS_DOUBLE
  const double step = 1e-6;
  for (int64_t i = 0; i < n; ++i) {
    const trm_real old = values[i];
    values[i] = old + step;
    const double up = changed_loss(m, batch, &there);
    values[i] = old - step;
    const double down = changed_loss(m, batch, &there);
    values[i] = old;
    const double numeric = (up - down) / (2 * step);
    if (!CHECK_NEAR_AT(grad[i], numeric, 1e-6 * (1 + fabs(numeric)), i)) {
      fprintf(stderr, "  %s, features\n", words);
    }
  }
#else
  (void)words;
#endif
}

/* Where each block of a pass writes. */
enum { N_BLOCKS = 2 };
typedef struct two_blocks {
  trm_real *grads[N_BLOCKS];
} two_blocks;

static trm_real *block_target(void *context, int block, bool *add) {
  *add = false;
  return ((two_blocks *)context)->grads[block];
}
static void block_merge(void *context, int block, int64_t offset, int64_t n) {
  (void)context, (void)block, (void)offset, (void)n;
}
static void block_whole(void *context, int64_t offset, int64_t n) {
  (void)context, (void)offset, (void)n;
}

/* The gradients of the blocks of one pass add up to those of a pass over one block; that every parameter
 * is used by one operator is asserted by the tape. Rows of the whole graph are cut at row 4. */
static void check_blocks(test_model *m, const test_graph_batch *b, const char *words) {
  static const int64_t rows[N_BLOCKS + 1] = {0, 4, NODES};
  static const double weights[N_BLOCKS] = {4, NODES - 4};
  const double one = model_loss(m, &b->batch, true, true);
  two_blocks two;
  for (int k = 0; k < N_BLOCKS; ++k) {
    CHECK_OK(TRM_ALLOC(&two.grads[k], m->params->n_elements, "gradients"));
  }
  trm_hop hop = b->hops[0];
  hop.blocks = rows;
  trm_graph_batch batch = b->batch;
  batch.hops = &hop;
  batch.features.blocks = rows;
  trm_csr parts[N_BLOCKS], back[N_BLOCKS];
  int64_t back_offsets[N_BLOCKS][FEATURES + 1], map[N_BLOCKS][NODES * FEATURES];
  int32_t back_columns[N_BLOCKS][NODES * FEATURES];
  for (int k = 0; k < N_BLOCKS && batch.features.sparse; ++k) {
    parts[k] = b->features.csr;
    parts[k].n_rows = rows[k + 1] - rows[k];
    parts[k].offsets += rows[k];
    parts[k].n_edges = parts[k].offsets[parts[k].n_rows] - parts[k].offsets[0];
    trm_csr_transpose(&parts[k], back_offsets[k], back_columns[k], map[k]);
    back[k] = (trm_csr){FEATURES,        parts[k].n_rows, parts[k].n_edges,
                        back_offsets[k], back_columns[k], parts[k].values,
                        map[k]};
  }
  if (batch.features.sparse) {
    batch.features.sparse = parts;
    batch.features.transposed = back;
  }
  const trm_block_sink sink = {&two, block_target, block_merge, block_whole};
  trm_pass pass = {.training = true,
                   .dry = true,
                   .seed = 9,
                   .step = 4,
                   .n_blocks = N_BLOCKS,
                   .sink = &sink,
                   .weights = weights};
  for (int dry = 1; dry >= 0; --dry) {
    pass.dry = dry;
    trm_tape_begin(m->tape, &pass);
    trm_var *loss = trm_model_loss(m->model, m->tape, &(trm_batch){.graph = &batch});
    CHECK_OK(trm_tape_status(m->tape));
    trm_tape_backward(m->tape, loss, NULL, NULL, NULL);
    if (dry) CHECK_OK(trm_tape_reserve(m->tape));
  }
  const double eps = sizeof(trm_real) == sizeof(float) ? 2e-5 : 1e-12;
  CHECK_NEAR(trm_tape_loss_sum(m->tape), one, eps * (1 + fabs(one)));
  for (int i = 0; i < m->params->n_rows; ++i) {
    const trm_param *row = &m->params->rows[i];
    for (int64_t k = row->offset; k < row->offset + row->n; ++k) {
      const double sum = (double)two.grads[0][k] + (double)two.grads[1][k];
      if (CHECK_NEAR_AT(sum, m->grads[k], eps * (4 + fabs(sum)), k - row->offset)) continue;
      fprintf(stderr, "  blocks of %s, %s\n", words, row->name);
      break;
    }
  }
  for (int k = 0; k < N_BLOCKS; ++k) TRM_FREE(two.grads[k]);
}

/* ---- training -------------------------------------------------------------------------------- */

static void check_downhill(test_model *m, const trm_graph_batch *batch, const char *words) {
  const double before = model_loss(m, batch, true, true);
  for (int step = 0; step < 5; ++step) {
    double norm = 0;
    for (int pass = 0; pass < 2; ++pass) {
      for (int i = 0; i < m->params->n_rows; ++i) {
        const trm_param *row = &m->params->rows[i];
        for (int64_t k = row->offset; k < row->offset + row->n && !row->buffer; ++k) {
          const double g = (double)m->grads[k];
          if (pass == 0)
            norm += g * g;
          else
            m->params->weights[k] -= (trm_real)(0.01 * g / sqrt(norm));
        }
      }
    }
    CHECK(norm > 0 && isfinite(norm));
    (void)model_loss(m, batch, true, true);
  }
  const double after = model_loss(m, batch, true, false);
  if (!CHECK(after < before)) fprintf(stderr, "  %s: %g, then %g\n", words, before, after);
}

/* ---- the same outputs from other views -------------------------------------------------------- */

static void check_equal_rows(test_model *m, const trm_graph_batch *batch, const trm_real *want,
                             const int *nodes, int n, const char *words) {
  model_plan(m, batch, true);
  const trm_var *y = model_outputs(m, batch);
  CHECK_EQ(y->dims[0], n);
  const double eps = sizeof(trm_real) == sizeof(float) ? 2e-5 : 1e-13;
  for (int k = 0; k < n * CLASSES; ++k) {
    const double expected = (double)want[nodes[k / CLASSES] * CLASSES + k % CLASSES];
    if (CHECK_NEAR_AT(y->data[k], expected, eps * (1 + fabs(expected)), k)) continue;
    fprintf(stderr, "  %s\n", words);
    break;
  }
}

/* Weights of `from` into `to`, by name; turned where features are sparse in one of them only. */
static void copy_weights(test_model *to, const test_model *from) {
  CHECK_EQ(to->params->n_rows, from->params->n_rows);
  for (int i = 0; i < to->params->n_rows; ++i) {
    const trm_param *a = &to->params->rows[i], *b = param_named(from->params, a->name);
    if (!CHECK(b && a->n == b->n)) continue;
    trm_real *x = to->params->weights + a->offset;
    const trm_real *y = from->params->weights + b->offset;
    const bool turned = a->dims[0] != b->dims[0];
    for (int64_t k = 0; k < a->n; ++k) {
      x[k] = turned ? y[(k % a->dims[1]) * b->dims[1] + k / a->dims[1]] : y[k];
    }
  }
}

static void check_views(test_model *m, const char *words) {
  static const int all[NODES] = {0, 1, 2, 3, 4, 5, 6, 7, 8}, seeds[3] = {2, 7, 0};
  test_graph_batch b;
  trm_real want[NODES * CLASSES];
  batch_whole(&b, false);
  const trm_var *y = model_outputs(m, &b.batch);
  CHECK_EQ(y->dims[1], CLASSES);
  memcpy(want, y->data, sizeof want);
  check_equal_rows(m, &b.batch, want, all, NODES, words);

  trm_hop twice[LAYERS] = {b.hops[0], b.hops[0]};
  b.batch.hops = twice;
  b.batch.n_hops = LAYERS;
  check_equal_rows(m, &b.batch, want, all, NODES, words);
  if (!has(words, "kind=mlp")) { /* whose outputs belong to the rows of the features */
    batch_of_seeds(&b, seeds, 3, false, false);
    check_equal_rows(m, &b.batch, want, seeds, 3, words);
    batch_of_seeds(&b, seeds, 3, false, true);
    check_equal_rows(m, &b.batch, want, seeds, 3, words);
  }
  test_model sparse;
  const trm_model_dims dims = dims_of(true);
  CHECK_OK(model_make_status(&sparse, words, &dims));
  copy_weights(&sparse, m);
  batch_whole(&b, true);
  check_equal_rows(&sparse, &b.batch, want, all, NODES, words);
  model_free(&sparse);
}

/* ---- all combinations ------------------------------------------------------------------------- */

/* Node logits, with smooth activations, so that differences meet few kinks. */
static void check_nodes(const char *words, bool sparse) {
  test_model m;
  test_graph_batch b;
  const trm_model_dims dims = dims_of(sparse);
  CHECK_OK(model_make_status(&m, words, &dims));
  model_shake(&m);
  batch_whole(&b, sparse);
  model_plan(&m, &b.batch, true);
  const trm_var *y = model_outputs(&m, &b.batch);
  CHECK_EQ(y->dims[0], NODES);
  CHECK_EQ(y->dims[1], CLASSES);
  check_differences(&m, &b.batch, words);
  if (!sparse) check_change(&m, &b.batch, words);
  if (!sparse) check_views(&m, words);
  if (!has(words, "norm=batch")) check_blocks(&m, &b, words);
  check_downhill(&m, &b.batch, words);

  if (!has(words, "kind=mlp")) {
    const int seeds[2] = {3, 8};
    batch_of_seeds(&b, seeds, 2, sparse, false);
    model_plan(&m, &b.batch, true);
    check_differences(&m, &b.batch, words);
  }
  model_free(&m);
}

/* Outputs of a set of graphs with dense features in a model with the same weights. */
static void check_dense_set(const test_model *sparse, const trm_real *want, const char *words) {
  test_model m;
  test_graph_batch b;
  const trm_model_dims dims = dims_of(false);
  const int graphs[GRAPHS] = {0, 1, 2};
  CHECK_OK(model_make_status(&m, words, &dims));
  copy_weights(&m, sparse);
  batch_set(&b, false);
  check_equal_rows(&m, &b.batch, want, graphs, GRAPHS, words);
  model_free(&m);
}

static void check_set(const char *words, bool sparse) {
  test_model m;
  test_graph_batch b;
  const trm_model_dims dims = dims_of(sparse);
  CHECK_OK(model_make_status(&m, words, &dims));
  model_shake(&m);
  batch_set(&b, sparse);
  model_plan(&m, &b.batch, true);
  const trm_var *y = model_outputs(&m, &b.batch);
  CHECK_EQ(y->dims[0], GRAPHS);
  CHECK_EQ(y->dims[1], CLASSES);
  if (sparse) check_dense_set(&m, y->data, words);
  check_differences(&m, &b.batch, words);
  check_downhill(&m, &b.batch, words);
  model_free(&m);
}

#define EACH(index, list)                                                                          \
  int index = 0;                                                                                   \
  index < (int)(sizeof(list) / sizeof(list)[0]);                                                   \
  ++index

static void test_combinations(void) {
  for (EACH(f, families)) {
    for (EACH(b, blocks)) {
      for (EACH(n, norms)) {
        for (EACH(j, jumpings)) {
          char words[256];
          (void)snprintf(
              words, sizeof words,
              "model.%s model.block=%s model.norm=%s model.jumping=%s model.activation=%s%s",
              families[f], blocks[b], norms[n], jumpings[j], j == 1 ? "elu" : "gelu",
              b == 0 && j == 0 ? " model.out_heads=3" : ""); /* where heads give the outputs */
          check_nodes(words, (f + n + j) % 2 == 1);
          if (f + n + j > 0) check_nodes(words, (f + n + j) % 2 == 0);
        }
      }
    }
  }
}

static void test_sets(void) {
  for (EACH(f, families)) {
    for (EACH(b, blocks)) {
      for (int r = 1; r < 4; ++r) {
        char words[256];
        const bool gin_plain = has(families[f], "kind=gin") && b == 0;
        (void)snprintf(words, sizeof words,
                       "model.%s model.block=%s model.readout=%s model.norm=%s model.jumping=%s",
                       families[f], blocks[b], readouts[r], norms[(f + r) % 3],
                       jumpings[(f + b + r) % (gin_plain ? 2 : 3)]);
        check_set(words, false);
        if (!gin_plain || r != 3) check_set(words, true);
      }
    }
  }
}

/* ---- the rest --------------------------------------------------------------------------------- */

/* Dropout everywhere: same numbers for the same step, others than without, gradients as differences. */
static void test_dropout(void) {
  for (EACH(f, families)) {
    for (EACH(b, blocks)) {
      for (int set = 0; set < 2; ++set) {
        test_model m;
        test_graph_batch batch;
        char words[256];
        const trm_model_dims dims = dims_of(b == 1);
        (void)snprintf(words, sizeof words,
                       "model.%s model.block=%s model.dropout=0.4 model.attention_dropout=0.5 %s",
                       families[f], blocks[b], set ? "model.readout=mean" : "model.jumping=concat");
        CHECK_OK(model_make_status(&m, words, &dims));
        model_shake(&m);
        if (set)
          batch_set(&batch, b == 1);
        else
          batch_whole(&batch, b == 1);
        model_plan(&m, &batch.batch, true);
        const double loss = model_loss(&m, &batch.batch, true, true);
        CHECK(isfinite(loss));
        CHECK_NEAR(model_loss(&m, &batch.batch, true, true), loss, 0);
        CHECK(fabs(model_loss(&m, &batch.batch, false, false) - loss) > 1e-6);
        check_differences(&m, &batch.batch, words);
        if (!set) check_blocks(&m, &batch, words);
        model_free(&m);
      }
    }
  }
}

static double loss_with(const char *words, const char *more, bool training) {
  test_model m;
  test_graph_batch batch;
  char both[256];
  const trm_model_dims dims = dims_of(false);
  (void)snprintf(both, sizeof both, "%s %s", words, more);
  CHECK_OK(model_make_status(&m, both, &dims));
  model_shake(&m);
  batch_whole(&batch, false);
  model_plan(&m, &batch.batch, true);
  const double loss = model_loss(&m, &batch.batch, training, false);
  model_free(&m);
  return loss;
}

/* model.dropout acts between layers; on features too, unless model.input_dropout says otherwise; and
 * on weights of attention only where that is asked for. */
static void test_dropout_keys(void) {
  for (EACH(f, families)) {
    for (EACH(b, blocks)) {
      char words[128];
      (void)snprintf(words, sizeof words, "model.%s model.block=%s%s", families[f], blocks[b],
                     b == 0 ? " model.out_heads=3" : "");
      const double without = loss_with(words, "", true);
      const double hidden = loss_with(words, "model.dropout=0.4 model.input_dropout=0", true);
      const double input = loss_with(words, "model.input_dropout=0.4", true);
      const double both = loss_with(words, "model.dropout=0.4", true);
      const double weights = loss_with(words, "model.attention_dropout=0.4", true);
      CHECK_NEAR(loss_with(words, "model.dropout=0.4", false), without, 1e-6);
      CHECK(fabs(hidden - without) > 1e-6 && fabs(input - without) > 1e-6);
      CHECK(fabs(both - hidden) > 1e-6 && fabs(both - input) > 1e-6);
      CHECK_NEAR(loss_with(words, "model.dropout=0.4 model.input_dropout=0.4", true), both, 0);
      CHECK((fabs(weights - without) > 1e-6) == has(words, "kind=gat"));
    }
  }
}

/* A few widths: layers that widen, one layer only. */
static void test_sizes(void) {
  static const char *const sizes[] = {"model.width=1 model.heads=1",
                                      "model.width=24",
                                      "model.layers=1",
                                      "model.layers=1 model.jumping=concat",
                                      "model.bias=false model.norm=layer",
                                      "model.bias=false model.norm=batch"};
  for (EACH(f, families)) {
    for (EACH(s, sizes)) {
      for (EACH(b, blocks)) {
        test_model m;
        test_graph_batch batch;
        char words[256];
        const trm_model_dims dims = dims_of(b == 2);
        const bool heads = b == 0 && !has(sizes[s], "jumping"); /* they give the outputs */
        (void)snprintf(words, sizeof words, "model.%s %s model.block=%s%s", families[f], sizes[s],
                       blocks[b], heads ? " model.out_heads=3" : "");
        CHECK_OK(model_make_status(&m, words, &dims));
        model_shake(&m);
        batch_whole(&batch, b == 2);
        model_plan(&m, &batch.batch, true);
        check_differences(&m, &batch.batch, words);
        model_free(&m);
      }
    }
  }
}

/* optimizer.decay_scope first: matrices that take the features, and what else is in their layer. */
static void test_decay(void) {
  for (EACH(f, families)) {
    for (EACH(b, blocks)) {
      test_model m;
      char words[256];
      const trm_model_dims dims = dims_of(false);
      (void)snprintf(words, sizeof words,
                     "model.%s model.block=%s model.norm=batch optimizer.decay_scope=first%s",
                     families[f], blocks[b], b == 0 ? " model.out_heads=3" : "");
      CHECK_OK(model_make_status(&m, words, &dims));
      for (int i = 0; i < m.params->n_rows; ++i) {
        const trm_param *row = &m.params->rows[i];
        const bool first = strncmp(row->name, b == 0 ? "layers/0/" : "input/", b == 0 ? 9 : 6) == 0;
        if (!CHECK(row->decay == (first && row->n_dims == 2))) fprintf(stderr, "  %s\n", row->name);
      }
      model_free(&m);
    }
  }
}

static void check_refused(const char *words, const trm_model_dims *dims, trm_status status,
                          const char *part) {
  test_model m;
  CHECK_EQ(model_make_status(&m, words, dims), status);
  CHECK_HAS(trm_message(), part);
  model_free(&m);
}

/* A key that no layer reads: refused by the configuration's own check. */
static void test_idle_keys(void) {
  static const char *const words[][2] = {{"model.kind=gcn", "model.feed_forward=true"},
                                         {"model.kind=gcn", "model.ff_width=9"},
                                         {"model.kind=mlp", "model.drop_edge=0.1"},
                                         {"model.kind=lightgcn", "model.dropout=0.1"},
                                         {"model.kind=decoder", "model.norm=layer"},
                                         {"model.kind=sage", "model.self_loops=false"},
                                         {"model.kind=decoder", "model.activation=elu"},
                                         {"model.kind=gin", "optimizer.l2=1"},
                                         {"model.kind=gin", "model.ff_width=9"},
                                         {"model.kind=gin", "model.feed_forward=true"}};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; ++i) {
    trm_config *config = NULL;
    trm_config_parts parts = {0};
    trm_model_parts(&parts);
    CHECK_OK(trm_config_create(&parts, &config));
    CHECK_OK(trm_config_set(config, words[i][0]));
    CHECK_OK(trm_config_check(config));
    CHECK_OK(trm_config_set(config, words[i][1]));
    CHECK_EQ(trm_config_check(config), TRM_ERR_CONFIG);
    trm_config_destroy(&config);
  }
}

static void test_refusals(void) {
  const trm_model_dims dims = dims_of(false), sparse = dims_of(true), none = {.n_outputs = 3};
  check_refused("model.kind=gat model.heads=4", &dims, TRM_ERR_CONFIG, "model.width is 6");
  check_refused("model.kind=gin model.readout=sum model.jumping=max", &dims, TRM_ERR_CONFIG,
                "model.jumping");
  check_refused("model.kind=gin model.readout=max", &sparse, TRM_ERR_CONFIG, "model.readout");
  check_refused("model.kind=sage", &none, TRM_ERR_DATA, "0 features");
  check_refused("model.kind=lightgcn", &dims, TRM_ERR_DATA, "users");
}

int main(void) {
  trm_math_init();
  test_combinations();
  test_sets();
  test_dropout();
  test_dropout_keys();
  test_sizes();
  test_decay();
  test_refusals();
  test_idle_keys();
  return check_verdict();
}
