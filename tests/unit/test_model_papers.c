/*
 * Families on graphs against their papers' formulas, written as plain loops over nodes: outputs on a
 * small graph with arbitrary weights.
 */
#include <math.h>

#include "model_graph_fixture.h"
#include "trireme/math/threads.h"

enum { WIDTH = 6, HEADS = 2, MAX_WIDTH = 16 };

/* Rows of all nodes. */
typedef struct rows {
  int width;
  double at[NODES][MAX_WIDTH];
} rows;

/* ---- plain loops ------------------------------------------------------------------------------ */

static const trm_real *weights_of(const test_model *m, const char *prefix, const char *name) {
  char path[96];
  (void)snprintf(path, sizeof path, "%s%s", prefix, name);
  const trm_param *row = param_named(m->params, path);
  if (!row) fprintf(stderr, "no parameter %s\n", path);
  TRM_ASSERT(row);
  return m->params->weights + row->offset;
}

static rows features(void) {
  rows x = {.width = FEATURES};
  for (int i = 0; i < NODES; ++i) {
    for (int k = 0; k < FEATURES; ++k) x.at[i][k] = (double)feature_of(i, k);
  }
  return x;
}

/* W x */
static rows map(const test_model *m, const char *path, rows x, int out) {
  const trm_real *w = weights_of(m, path, "/weight");
  rows y = {.width = out};
  for (int i = 0; i < NODES; ++i) {
    for (int o = 0; o < out; ++o) {
      for (int k = 0; k < x.width; ++k) y.at[i][o] += (double)w[o * x.width + k] * x.at[i][k];
    }
  }
  return y;
}

static rows add_bias(const test_model *m, const char *path, rows x) {
  const trm_real *b = weights_of(m, path, "/bias");
  for (int i = 0; i < NODES; ++i) {
    for (int k = 0; k < x.width; ++k) x.at[i][k] += (double)b[k];
  }
  return x;
}

static rows linear(const test_model *m, const char *path, rows x, int out) {
  return add_bias(m, path, map(m, path, x, out));
}

static rows plus(rows a, rows b) {
  for (int i = 0; i < NODES; ++i) {
    for (int k = 0; k < a.width; ++k) a.at[i][k] += b.at[i][k];
  }
  return a;
}

static rows relu(rows x) {
  for (int i = 0; i < NODES; ++i) {
    for (int k = 0; k < x.width; ++k) x.at[i][k] = fmax(x.at[i][k], 0);
  }
  return x;
}

static rows elu(rows x) {
  for (int i = 0; i < NODES; ++i) {
    for (int k = 0; k < x.width; ++k) {
      if (x.at[i][k] < 0) x.at[i][k] = expm1(x.at[i][k]);
    }
  }
  return x;
}

static rows layer_norm(const test_model *m, const char *path, rows x) {
  const trm_real *w = weights_of(m, path, "/weight"), *b = weights_of(m, path, "/bias");
  for (int i = 0; i < NODES; ++i) {
    double mean = 0, variance = 0;
    for (int k = 0; k < x.width; ++k) mean += x.at[i][k] / x.width;
    for (int k = 0; k < x.width; ++k) variance += pow(x.at[i][k] - mean, 2) / x.width;
    for (int k = 0; k < x.width; ++k) {
      x.at[i][k] = (x.at[i][k] - mean) / sqrt(variance + 1e-5) * (double)w[k] + (double)b[k];
    }
  }
  return x;
}

/* Running statistics. */
static rows batch_norm(const test_model *m, const char *path, rows x) {
  const trm_real *w = weights_of(m, path, "/weight"), *b = weights_of(m, path, "/bias");
  const trm_real *mean = weights_of(m, path, "/mean"), *v = weights_of(m, path, "/variance");
  for (int i = 0; i < NODES; ++i) {
    for (int k = 0; k < x.width; ++k) {
      x.at[i][k] = (x.at[i][k] - (double)mean[k]) / sqrt((double)v[k] + 1e-5) * (double)w[k];
      x.at[i][k] += (double)b[k];
    }
  }
  return x;
}

static bool near_or_self(int to, int from) {
  return to == from || has_edge(to, from);
}

/* Equation 2 of Kipf and Welling. */
static rows symmetric(rows x) {
  rows y = {.width = x.width};
  for (int i = 0; i < NODES; ++i) {
    for (int j = 0; j < NODES; ++j) {
      if (!near_or_self(i, j)) continue;
      const double norm = 1 / sqrt((in_degree(i) + 1.0) * (in_degree(j) + 1.0));
      for (int k = 0; k < x.width; ++k) y.at[i][k] += norm * x.at[j][k];
    }
  }
  return y;
}

static rows neighbor_sum(rows x, bool mean) {
  rows y = {.width = x.width};
  for (int i = 0; i < NODES; ++i) {
    for (int j = 0; j < NODES; ++j) {
      if (!has_edge(i, j)) continue;
      for (int k = 0; k < x.width; ++k) y.at[i][k] += x.at[j][k] / (mean ? in_degree(i) : 1);
    }
  }
  return y;
}

static rows neighbor_max(rows x) {
  rows y = {.width = x.width};
  for (int i = 0; i < NODES; ++i) {
    for (int k = 0; k < x.width; ++k) {
      double best = -HUGE_VAL;
      for (int j = 0; j < NODES; ++j) {
        if (has_edge(i, j)) best = fmax(best, x.at[j][k]);
      }
      y.at[i][k] = isfinite(best) ? best : 0;
    }
  }
  return y;
}

/* Equations 1 to 4 of Velickovic et al., heads side by side. */
static rows attend(const test_model *m, const char *path, rows x, int heads, int C) {
  const rows h = map(m, path, x, heads * C);
  const trm_real *source = weights_of(m, path, "/source"), *target = weights_of(m, path, "/target");
  rows y = {.width = heads * C};
  for (int i = 0; i < NODES; ++i) {
    for (int head = 0; head < heads; ++head) {
      double weight[NODES] = {0}, sum = 0;
      for (int j = 0; j < NODES; ++j) {
        if (!near_or_self(i, j)) continue;
        double e = 0;
        for (int k = head * C; k < (head + 1) * C; ++k) {
          e += (double)target[k] * h.at[i][k] + (double)source[k] * h.at[j][k];
        }
        sum += weight[j] = exp(e > 0 ? e : 0.2 * e);
      }
      for (int j = 0; j < NODES; ++j) {
        for (int k = head * C; k < (head + 1) * C; ++k) {
          y.at[i][k] += weight[j] / sum * h.at[j][k];
        }
      }
    }
  }
  return y;
}

/* ---- models ----------------------------------------------------------------------------------- */

static test_model make(const char *words) {
  test_model m;
  const trm_model_dims dims = dims_of(false);
  CHECK_OK(model_make_status(&m, words, &dims));
  model_shake(&m);
  return m;
}

static void compare(const trm_var *y, const double *want, int stride, int n, const char *name) {
  const double eps = sizeof(trm_real) == sizeof(float) ? 2e-5 : 1e-12;
  CHECK_EQ(y->dims[0], n);
  CHECK_EQ(y->dims[1], CLASSES);
  for (int k = 0; k < n * CLASSES; ++k) {
    const double w = want[k / CLASSES * stride + k % CLASSES];
    if (CHECK_NEAR_AT(y->data[k], w, eps * (1 + fabs(w)), k)) continue;
    fprintf(stderr, "  %s\n", name);
    break;
  }
}

static void check_nodes(test_model *m, rows want, const char *name) {
  test_graph_batch b;
  batch_whole(&b, false);
  model_plan(m, &b.batch, true);
  compare(model_outputs(m, &b.batch), &want.at[0][0], MAX_WIDTH, NODES, name);
  model_free(m);
}

static void test_gcn(void) {
  test_model m = make("model.kind=gcn model.activation=relu");
  rows x = features();
  x = relu(add_bias(&m, "layers/0", symmetric(map(&m, "layers/0", x, WIDTH))));
  x = add_bias(&m, "layers/1", symmetric(map(&m, "layers/1", x, CLASSES)));
  check_nodes(&m, x, "gcn");
}

/* Norms stand between the layers, and never after the last; all layers side by side. */
static void test_normed(void) {
  test_model m = make("model.kind=gcn model.activation=relu model.norm=batch");
  rows x = add_bias(&m, "layers/0", symmetric(map(&m, "layers/0", features(), WIDTH)));
  x = relu(batch_norm(&m, "layers/0/norm", x));
  x = add_bias(&m, "layers/1", symmetric(map(&m, "layers/1", x, CLASSES)));
  check_nodes(&m, x, "batch norm");

  m = make("model.kind=gcn model.activation=relu model.norm=layer model.jumping=concat");
  x = add_bias(&m, "layers/0", symmetric(map(&m, "layers/0", features(), WIDTH)));
  x = relu(layer_norm(&m, "layers/0/norm", x));
  rows y = add_bias(&m, "layers/1", symmetric(map(&m, "layers/1", x, WIDTH)));
  y = relu(layer_norm(&m, "layers/1/norm", y));
  for (int i = 0; i < NODES; ++i) {
    for (int k = 0; k < WIDTH; ++k) x.at[i][WIDTH + k] = y.at[i][k];
  }
  x.width = 2 * WIDTH;
  check_nodes(&m, linear(&m, "output", x, CLASSES), "concat");
}

static rows sage_layer(const test_model *m, int l, rows x, int out, const char *aggregator) {
  char self[32], neighbor[32], pool[32];
  (void)snprintf(self, sizeof self, "layers/%d/self", l);
  (void)snprintf(neighbor, sizeof neighbor, "layers/%d/neighbor", l);
  (void)snprintf(pool, sizeof pool, "layers/%d/pool", l);
  rows near;
  if (strcmp(aggregator, "max") == 0)
    near = neighbor_max(relu(linear(m, pool, x, WIDTH)));
  else
    near = neighbor_sum(x, strcmp(aggregator, "mean") == 0);
  return plus(linear(m, self, x, out), map(m, neighbor, near, out));
}

static void test_sage(void) {
  static const char *const aggregators[] = {"mean", "max", "sum"};
  for (int a = 0; a < 3; ++a) {
    char words[128];
    (void)snprintf(words, sizeof words, "model.kind=sage model.activation=relu model.aggregator=%s",
                   aggregators[a]);
    test_model m = make(words);
    rows x = relu(sage_layer(&m, 0, features(), WIDTH, aggregators[a]));
    check_nodes(&m, sage_layer(&m, 1, x, CLASSES, aggregators[a]), aggregators[a]);
  }
}

static void test_gat(void) {
  enum { OUT_HEADS = 3 };
  test_model m = make("model.kind=gat model.activation=elu model.out_heads=3");
  rows x = attend(&m, "layers/0", features(), HEADS, WIDTH / HEADS);
  x = elu(add_bias(&m, "layers/0", x));
  x = attend(&m, "layers/1", x, OUT_HEADS, CLASSES);
  rows mean = {.width = CLASSES};
  for (int i = 0; i < NODES; ++i) {
    for (int k = 0; k < OUT_HEADS * CLASSES; ++k) mean.at[i][k % CLASSES] += x.at[i][k] / OUT_HEADS;
  }
  check_nodes(&m, add_bias(&m, "layers/1", mean), "gat");
}

/* ReLU(BN(MLP(...))) of a layer. */
static rows gin_layer(const test_model *m, int l, rows x) {
  char hidden[32], norm[32], out[32], after[32], layer[32];
  (void)snprintf(layer, sizeof layer, "layers/%d", l);
  (void)snprintf(hidden, sizeof hidden, "layers/%d/mlp/hidden", l);
  (void)snprintf(norm, sizeof norm, "layers/%d/mlp/norm", l);
  (void)snprintf(out, sizeof out, "layers/%d/mlp/out", l);
  (void)snprintf(after, sizeof after, "layers/%d/norm", l);
  const double eps = (double)weights_of(m, layer, "/eps")[0];
  rows sum = neighbor_sum(x, false);
  for (int i = 0; i < NODES; ++i) {
    for (int k = 0; k < x.width; ++k) sum.at[i][k] += (1 + eps) * x.at[i][k];
  }
  x = relu(batch_norm(m, norm, linear(m, hidden, sum, WIDTH)));
  return relu(batch_norm(m, after, linear(m, out, x, WIDTH)));
}

/* Adds linear_k(sum of h over each graph) to score. */
static void read_out(const test_model *m, int k, const rows *h, const int64_t *graphs,
                     double score[GRAPHS][CLASSES]) {
  char path[32];
  (void)snprintf(path, sizeof path, "scores/%d", k);
  const trm_real *w = weights_of(m, path, "/weight"), *b = weights_of(m, path, "/bias");
  for (int g = 0; g < GRAPHS; ++g) {
    for (int c = 0; c < CLASSES; ++c) {
      score[g][c] += (double)b[c];
      for (int64_t i = graphs[g]; i < graphs[g + 1]; ++i) {
        for (int f = 0; f < h->width; ++f) score[g][c] += (double)w[c * h->width + f] * h->at[i][f];
      }
    }
  }
}

static void test_gin(void) {
  test_model m = make("model.kind=gin model.activation=relu model.norm=batch model.readout=sum "
                      "model.eps_trained=true");
  test_graph_batch b;
  double want[GRAPHS][CLASSES] = {{0}};
  batch_set(&b, false);
  rows x = features();
  read_out(&m, 0, &x, b.graphs, want);
  for (int l = 0; l < LAYERS; ++l) {
    x = gin_layer(&m, l, x);
    read_out(&m, l + 1, &x, b.graphs, want);
  }
  model_plan(&m, &b.batch, true);
  compare(model_outputs(&m, &b.batch), &want[0][0], CLASSES, GRAPHS, "gin");
  model_free(&m);
}

static void test_mlp(void) {
  test_model m = make("model.kind=mlp model.activation=relu");
  const rows x = relu(linear(&m, "layers/0", features(), WIDTH));
  check_nodes(&m, linear(&m, "layers/1", x, CLASSES), "mlp");
}

/* Residual blocks with feed-forward, and the maximum of layers. */
static void test_residual(void) {
  test_model m = make("model.kind=gcn model.activation=relu model.block=residual model.norm=layer "
                      "model.feed_forward=true model.jumping=max model.ff_width=7");
  rows x = relu(linear(&m, "input", features(), WIDTH)), seen = {.width = WIDTH};
  for (int l = 0; l < LAYERS; ++l) {
    char norm[32], hidden[32], out[32];
    (void)snprintf(norm, sizeof norm, "layers/%d/norm", l);
    (void)snprintf(hidden, sizeof hidden, "layers/%d/ff/hidden", l);
    (void)snprintf(out, sizeof out, "layers/%d/ff/out", l);
    const rows f = relu(linear(&m, hidden, symmetric(layer_norm(&m, norm, x)), 7));
    x = plus(x, linear(&m, out, f, WIDTH));
    for (int i = 0; i < NODES; ++i) {
      for (int k = 0; k < WIDTH; ++k) {
        seen.at[i][k] = l == 0 ? x.at[i][k] : fmax(seen.at[i][k], x.at[i][k]);
      }
    }
  }
  check_nodes(&m, linear(&m, "output", layer_norm(&m, "norm", seen), CLASSES), "residual");
}

/* ---- lightgcn ---------------------------------------------------------------------------------- */

/* Users 0..2, items 3..6; every pair of (u, i) with an interaction goes both ways. */
enum { USERS = 3, ITEMS = 4, BOTH = USERS + ITEMS, TRIPLETS = 4 };
static const int interactions[][2] = {{0, 3}, {0, 4}, {1, 4}, {1, 5}, {1, 6}, {2, 3}, {2, 6}};
enum { N_INTERACTIONS = sizeof interactions / sizeof interactions[0] };

typedef struct pairs {
  trm_graph_batch batch;
  trm_hop hop;
  trm_collection collection;
  trm_triplets triplets;
  trm_csr uses;
  int64_t offsets[BOTH + 1], back_offsets[BOTH + 1], map[2 * N_INTERACTIONS], blocks[2];
  int64_t use_offsets[BOTH + 1];
  int32_t columns[2 * N_INTERACTIONS], back[2 * N_INTERACTIONS], ids[BOTH];
  int32_t use_columns[3 * TRIPLETS];
  float degrees[BOTH];
} pairs;

static bool interact(int a, int b) {
  for (int k = 0; k < N_INTERACTIONS; ++k) {
    if (interactions[k][0] == a && interactions[k][1] == b) return true;
    if (interactions[k][0] == b && interactions[k][1] == a) return true;
  }
  return false;
}

static const int32_t chosen[3][TRIPLETS] = {{0, 1, 1, 2}, {3, 5, 6, 3}, {6, 3, 3, 4}};

static void pairs_make(pairs *p) {
  int64_t e = 0, u = 0;
  memset(p, 0, sizeof *p);
  for (int32_t i = 0; i < BOTH; ++i) {
    p->ids[i] = i;
    for (int32_t j = 0; j < BOTH; ++j) {
      if (interact(i, j)) p->columns[e++] = j;
    }
    p->offsets[i + 1] = e;
    p->degrees[i] = (float)(e - p->offsets[i]);
    for (int32_t k = 0; k < 3 * TRIPLETS; ++k) {
      if (chosen[k % 3][k / 3] == i) p->use_columns[u++] = k;
    }
    p->use_offsets[i + 1] = u;
  }
  p->hop.in = (trm_csr){BOTH, BOTH, e, p->offsets, p->columns, NULL, NULL};
  trm_csr_transpose(&p->hop.in, p->back_offsets, p->back, p->map);
  p->hop.out = (trm_csr){BOTH, BOTH, e, p->back_offsets, p->back, NULL, p->map};
  p->hop.source_ids = p->hop.target_ids = p->ids;
  p->hop.source_degrees = p->hop.target_degrees = p->degrees;
  p->collection = (trm_collection){.n = BOTH, .n_own = BOTH, .rows = p->ids};
  p->uses = (trm_csr){BOTH, 3 * TRIPLETS, u, p->use_offsets, p->use_columns, NULL, NULL};
  p->blocks[1] = TRIPLETS;
  p->triplets = (trm_triplets){.n = TRIPLETS,
                               .users = chosen[0],
                               .positives = chosen[1],
                               .negatives = chosen[2],
                               .blocks = p->blocks,
                               .uses = &p->uses};
  p->batch = (trm_graph_batch){.hops = &p->hop,
                               .n_hops = 1,
                               .own_nodes = p->ids,
                               .n_own = BOTH,
                               .collection = &p->collection,
                               .triplets = &p->triplets,
                               .last = &p->hop};
}

static double lightgcn_reference(const test_model *m, double mean[BOTH][WIDTH], double l2) {
  const trm_real *e0 = weights_of(m, "embedding", "/weight");
  double e[BOTH][WIDTH], next[BOTH][WIDTH], loss = 0;
  for (int k = 0; k < BOTH * WIDTH; ++k) mean[k / WIDTH][k % WIDTH] = (double)e0[k] / (LAYERS + 1);
  for (int k = 0; k < BOTH * WIDTH; ++k) e[k / WIDTH][k % WIDTH] = (double)e0[k];
  for (int l = 0; l < LAYERS; ++l) {
    memset(next, 0, sizeof next);
    for (int i = 0; i < BOTH; ++i) {
      for (int j = 0; j < BOTH; ++j) {
        double di = 0, dj = 0;
        for (int k = 0; k < BOTH; ++k) di += interact(i, k), dj += interact(j, k);
        for (int k = 0; k < WIDTH && interact(i, j); ++k) next[i][k] += e[j][k] / sqrt(di * dj);
      }
      for (int k = 0; k < WIDTH; ++k) mean[i][k] += next[i][k] / (LAYERS + 1);
    }
    memcpy(e, next, sizeof e);
  }
  for (int t = 0; t < TRIPLETS; ++t) {
    double difference = 0;
    for (int k = 0; k < WIDTH; ++k) {
      difference += mean[chosen[0][t]][k] * (mean[chosen[1][t]][k] - mean[chosen[2][t]][k]);
      for (int role = 0; role < 3; ++role) {
        loss += l2 / 2 * pow((double)e0[chosen[role][t] * WIDTH + k], 2);
      }
    }
    loss += log1p(exp(-difference));
  }
  return loss;
}

static double lightgcn_pass(test_model *m, const pairs *p, bool dry, bool backward) {
  const trm_batch batch = {.graph = &p->batch};
  const trm_pass pass = {.training = true, .dry = dry, .grads = backward ? m->grads : NULL};
  trm_tape_begin(m->tape, &pass);
  trm_var *loss = trm_model_loss(m->model, m->tape, &batch);
  CHECK_OK(trm_tape_status(m->tape));
  if (backward) trm_tape_backward(m->tape, loss, NULL, NULL, NULL);
  if (dry) CHECK_OK(trm_tape_reserve(m->tape));
  return dry ? 0 : (double)loss->data[0];
}

static void test_lightgcn(void) {
  const double l2 = 0.3;
  const bool f64 = sizeof(trm_real) == sizeof(double);
  const trm_model_dims dims = {.n_nodes = BOTH};
  test_model m;
  pairs p;
  double mean[BOTH][WIDTH];
  CHECK_OK(model_make_status(&m, "model.kind=lightgcn optimizer.l2=0.3", &dims));
  CHECK(!m.params->rows[0].decay);
  model_shake(&m);
  pairs_make(&p);
  (void)lightgcn_pass(&m, &p, true, true);
  const double want = lightgcn_reference(&m, mean, l2);
  CHECK_NEAR(lightgcn_pass(&m, &p, false, true), want, f64 ? 1e-12 : 1e-5);
  CHECK_NEAR(trm_tape_loss_sum(m.tape), want, f64 ? 1e-12 : 1e-5);
  CHECK_EQ(trm_tape_loss_count(m.tape), TRIPLETS);
  for (int64_t k = 0; k < BOTH * WIDTH; k += 3) { /* the reference's differences */
    double unused[BOTH][WIDTH];
    trm_real *w = &m.params->weights[m.params->rows[0].offset + k];
    const trm_real old = *w;
    const double step = f64 ? 1e-5 : 1e-2;
    *w = (trm_real)((double)old + step);
    const double up = lightgcn_reference(&m, unused, l2);
    *w = (trm_real)((double)old - step);
    const double down = lightgcn_reference(&m, unused, l2);
    *w = old;
    CHECK_NEAR_AT(m.grads[m.params->rows[0].offset + k], (up - down) / (2 * step),
                  f64 ? 1e-8 : 1e-3, k);
  }
  const trm_var *y = model_outputs(&m, &p.batch);
  CHECK_EQ(y->dims[0], BOTH);
  for (int k = 0; k < BOTH * WIDTH; ++k) {
    CHECK_NEAR_AT(y->data[k], mean[k / WIDTH][k % WIDTH], f64 ? 1e-13 : 1e-6, k);
  }
  model_free(&m);
}

int main(void) {
  trm_math_init();
  test_gcn();
  test_normed();
  test_sage();
  test_gat();
  test_gin();
  test_mlp();
  test_residual();
  test_lightgcn();
  return check_verdict();
}
