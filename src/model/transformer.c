#include "transformer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

static const double std_init = 0.02;

/* ---- configuration --------------------------------------------------------------------------- */

static const trm_config_key keys[] = {
    TRM_KEY_INT("model.heads", "4", 1, 1024, "", TRM_ON_MODEL,
                "Attention heads; must divide model.width."),
    TRM_KEY_INT("model.width", "128", 1, 65536, "", TRM_ON_MODEL,
                "Length of a token's vector between layers."),
    TRM_KEY_INT("model.ff_width", "0", 0, 1048576, "", TRM_ON_MODEL,
                "Hidden width of the feed-forward part; 0: four times model.width."),
    TRM_KEY_REAL("model.attention_dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Probability that an attention weight is dropped while training."),
    TRM_KEY_BOOL("model.bias", "true", TRM_ON_MODEL, "Linear layers and norms have biases."),
    TRM_KEY_DROP_PATH,
};
const trm_config_rows trm_transformer_keys = TRM_CONFIG_ROWS(keys);

static const trm_config_key sample_keys[] = {
    TRM_KEY_INT("model.layers", "2", 1, 1024, "", TRM_ON_MODEL,
                "Transformer layers, one on the other; seq2seq: of the encoder."),
    TRM_KEY_INT("model.context", "512", 1, 1048576, "tokens", TRM_ON_MODEL,
                "Longest sequence that the model takes."),
    TRM_KEY_REAL("model.dropout", "0.1", 0, 0.99, "", TRM_ON_RESULT,
                 "Probability that an activation is dropped while training."),
    TRM_KEY_CHOICE("model.positions", "sinusoidal", "learned|sinusoidal", TRM_ON_MODEL,
                   "How a token knows its place: a trained table or fixed waves."),
    TRM_KEY_CHOICE("model.activation", "relu", "gelu|relu", TRM_ON_MODEL,
                   "Non-linearity of the feed-forward part."),
    TRM_KEY_CHOICE(
        "model.norm", "pre", "pre|post", TRM_ON_MODEL,
        "Layer norm before each part of a layer, or behind its residual as in the paper."),
    TRM_KEY_CHOICE("model.init", "xavier", "xavier|normal", TRM_ON_MODEL,
                   "First weights: uniform by Glorot's rule, with token vectors scaled by the root "
                   "of the width; or normal of deviation 0.02, as GPT and BERT."),
    TRM_KEY_REAL("loss.label_smoothing", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Share of a target that is spread over all classes or tokens while training."),
};
const trm_config_rows trm_transformer_sample_keys = TRM_CONFIG_ROWS(sample_keys);

trm_status trm_transformer_configure(const trm_config *config, trm_transformer *t) {
  *t = (trm_transformer){.layers = trm_config_int(config, "model.layers"),
                         .heads = trm_config_int(config, "model.heads"),
                         .width = trm_config_int(config, "model.width"),
                         .ff_width = trm_config_int(config, "model.ff_width"),
                         .context = trm_config_int(config, "model.context"),
                         .dropout = trm_config_real(config, "model.dropout"),
                         .attention_dropout = trm_config_real(config, "model.attention_dropout"),
                         .drop_path = trm_config_real(config, "model.drop_path"),
                         .bias = trm_config_bool(config, "model.bias"),
                         .gelu = trm_config_is(config, "model.activation", "gelu"),
                         .post_norm = trm_config_is(config, "model.norm", "post"),
                         .xavier = trm_config_is(config, "model.init", "xavier")};
  return trm_transformer_settle(t, trm_config_is(config, "model.positions", "sinusoidal"));
}

trm_status trm_transformer_settle(trm_transformer *t, bool waves) {
  if (t->ff_width == 0) t->ff_width = 4 * t->width;
  if (t->width % t->heads != 0) {
    return trm_fail(TRM_ERR_CONFIG,
                    "model.width is %lld, which model.heads (%lld) does not "
                    "divide; choose a multiple",
                    (long long)t->width, (long long)t->heads);
  }
  if (!waves) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&t->sinusoidal, t->context * t->width, "position table"));
  trm_position_sinusoidal(t->sinusoidal, t->context, t->width);
  return TRM_OK;
}

void trm_transformer_release(trm_transformer *t) {
  TRM_FREE(t->sinusoidal);
}

/* ---- parameters ------------------------------------------------------------------------------ */

trm_status trm_affine_add(const trm_transformer *t, trm_params *params, trm_affine *a, int64_t out,
                          int64_t in, bool residual, const char *name) {
  const int64_t dims[2] = {out, in};
  if (t->xavier) { /* Glorot, Bengio 2010, equation 16 */
    const double limit = sqrt(6.0 / (double)(in + out));
    TRM_TRY(trm_params_add(params, &a->weight, 2, dims, TRM_INIT_UNIFORM, limit, true, "%s/weight",
                           name));
  } else {
    const double std = residual ? std_init / sqrt(2 * (double)t->layers) : std_init;
    TRM_TRY(
        trm_params_add(params, &a->weight, 2, dims, TRM_INIT_NORMAL, std, true, "%s/weight", name));
  }
  a->bias = -1;
  if (!t->bias) return TRM_OK;
  return trm_params_add(params, &a->bias, 1, &out, TRM_INIT_ZERO, 0, false, "%s/bias", name);
}

trm_status trm_norm_add(const trm_transformer *t, trm_params *params, trm_affine *a,
                        const char *name) {
  TRM_TRY(
      trm_params_add(params, &a->weight, 1, &t->width, TRM_INIT_ONE, 0, false, "%s/weight", name));
  a->bias = -1;
  if (!t->bias) return TRM_OK;
  return trm_params_add(params, &a->bias, 1, &t->width, TRM_INIT_ZERO, 0, false, "%s/bias", name);
}

/* With Glorot's rule vectors are multiplied by sqrt(width) when they are read: section 3.4. */
static double vector_std(const trm_transformer *t) {
  return t->xavier ? 1 / sqrt((double)t->width) : std_init;
}

trm_status trm_token_vectors_add(const trm_transformer *t, trm_params *params, int *row, int64_t n,
                                 const char *name) {
  TRM_TRY(trm_params_add(params, row, 2, (int64_t[]){n, t->width}, TRM_INIT_NORMAL, vector_std(t),
                         true, "%s/weight", name));
  trm_params_mark(params, *row, TRM_ROLE_EMBEDDING);
  trm_params_mark_tokens(params, *row);
  return TRM_OK;
}

trm_status trm_positions_add(const trm_transformer *t, trm_params *params, int *row,
                             const char *name) {
  *row = -1;
  if (t->sinusoidal) return TRM_OK;
  TRM_TRY(trm_params_add(params, row, 2, (int64_t[]){t->context, t->width}, TRM_INIT_NORMAL,
                         std_init, true, "%s/weight", name));
  trm_params_mark(params, *row, TRM_ROLE_EMBEDDING);
  return TRM_OK;
}

enum { NAME_BYTES = 64 };

/* "blocks/3" and "attn/qkv" into name[NAME_BYTES]. */
static const char *join(char *name, const char *path, const char *part) {
  (void)snprintf(name, NAME_BYTES, "%s/%s", path, part);
  return name;
}

/* A part of a layer: its norm comes before it or behind it. */
typedef struct part {
  const trm_transformer *t;
  trm_params *params;
  const char *path;
} part;

static trm_status add_attention(const part *p, trm_transformer_layer *l) {
  const int64_t C = p->t->width;
  char name[NAME_BYTES];
  TRM_TRY(
      trm_affine_add(p->t, p->params, &l->qkv, 3 * C, C, false, join(name, p->path, "attn/qkv")));
  trm_params_mark_stacked(p->params, l->qkv.weight, 3);
  return trm_affine_add(p->t, p->params, &l->proj, C, C, true, join(name, p->path, "attn/proj"));
}

static trm_status add_cross(const part *p, trm_transformer_layer *l) {
  const int64_t C = p->t->width;
  char name[NAME_BYTES];
  TRM_TRY(
      trm_affine_add(p->t, p->params, &l->cross_q, C, C, false, join(name, p->path, "cross/q")));
  TRM_TRY(trm_affine_add(p->t, p->params, &l->cross_kv, 2 * C, C, false,
                         join(name, p->path, "cross/kv")));
  trm_params_mark_stacked(p->params, l->cross_kv.weight, 2);
  return trm_affine_add(p->t, p->params, &l->cross_proj, C, C, true,
                        join(name, p->path, "cross/proj"));
}

static trm_status add_feed_forward(const part *p, trm_transformer_layer *l) {
  const int64_t C = p->t->width, F = p->t->ff_width;
  char name[NAME_BYTES];
  TRM_TRY(trm_affine_add(p->t, p->params, &l->fc, F, C, false, join(name, p->path, "mlp/fc")));
  return trm_affine_add(p->t, p->params, &l->fc_proj, C, F, true, join(name, p->path, "mlp/proj"));
}

static trm_status add_with_norm(const part *p, trm_transformer_layer *l, trm_affine *norm,
                                const char *norm_name,
                                trm_status (*add)(const part *, trm_transformer_layer *)) {
  char name[NAME_BYTES];
  join(name, p->path, norm_name);
  if (!p->t->post_norm) TRM_TRY(trm_norm_add(p->t, p->params, norm, name));
  TRM_TRY(add(p, l));
  return p->t->post_norm ? trm_norm_add(p->t, p->params, norm, name) : TRM_OK;
}

trm_status trm_transformer_layer_add(const trm_transformer *t, trm_params *params,
                                     trm_transformer_layer *layer, bool cross, const char *path) {
  const part p = {t, params, path};
  TRM_TRY(add_with_norm(&p, layer, &layer->ln1, "ln1", add_attention));
  if (cross) TRM_TRY(add_with_norm(&p, layer, &layer->ln_cross, "ln_cross", add_cross));
  return add_with_norm(&p, layer, &layer->ln2, "ln2", add_feed_forward);
}

/* ---- forward --------------------------------------------------------------------------------- */

static trm_var *param(trm_tape *tape, int row) {
  return row < 0 ? NULL : trm_tape_param(tape, row);
}

trm_var *trm_linear(trm_tape *tape, trm_var *x, trm_affine a) {
  return trm_op_linear(tape, x, param(tape, a.weight), param(tape, a.bias));
}

trm_var *trm_norm(trm_tape *tape, trm_var *x, trm_affine a) {
  return trm_op_layernorm(tape, x, param(tape, a.weight), param(tape, a.bias));
}

/* [context, width] as a variable: a parameter, or the constant table. */
static trm_var *positions(const trm_transformer *t, trm_tape *tape, int row) {
  if (row >= 0) return trm_tape_param(tape, row);
  return trm_tape_input(tape, t->sinusoidal, 2, (int64_t[]){t->context, t->width}, false);
}

trm_var *trm_embed(const trm_transformer *t, trm_tape *tape, trm_embedding_rows e,
                   const int32_t *tokens, const trm_sequences *s) {
  const double scale = t->xavier ? sqrt((double)t->width) : 1;
  trm_var *x = trm_op_embedding(tape, trm_tape_param(tape, e.tokens), tokens, s->n_rows);
  if (e.attacked) x = trm_op_nudge(tape, x);
  x = trm_op_position(tape, x, positions(t, tape, e.positions), s, scale);
  return trm_op_dropout(tape, x, t->dropout, s);
}

/* x + part(norm(x)), or norm(x + part(x)); the part's own end is dropped out. */
static trm_var *before(const trm_transformer *t, trm_tape *tape, trm_var *x, trm_affine norm) {
  return t->post_norm ? x : trm_tape_operand(tape, trm_norm(tape, x, norm));
}

static trm_var *behind(const trm_transformer *t, trm_tape *tape, trm_var *x, trm_var *y,
                       trm_affine norm, double drop_path, const trm_sequences *s) {
  y = trm_op_dropout(tape, y, t->dropout, s);
  x = trm_op_add(tape, x, trm_op_drop_path(tape, y, drop_path, s));
  return t->post_norm ? trm_norm(tape, x, norm) : x;
}

static trm_var *attention(const trm_transformer *t, trm_tape *tape, const trm_transformer_layer *l,
                          trm_var *x, const trm_sequences *s, bool causal) {
  trm_var *y = trm_op_attention(tape, trm_linear(tape, x, l->qkv), s, t->heads, causal,
                                t->attention_dropout);
  return trm_linear(tape, y, l->proj);
}

static trm_var *cross(const trm_transformer *t, trm_tape *tape, const trm_transformer_layer *l,
                      trm_var *x, const trm_sequences *s, trm_var *memory,
                      const trm_sequences *memory_rows) {
  trm_var *y = trm_op_cross_attention(tape, trm_linear(tape, x, l->cross_q),
                                      trm_linear(tape, memory, l->cross_kv), s, memory_rows,
                                      t->heads, t->attention_dropout);
  return trm_linear(tape, y, l->cross_proj);
}

static trm_var *feed_forward(const trm_transformer *t, trm_tape *tape,
                             const trm_transformer_layer *l, trm_var *x) {
  trm_var *h = trm_linear(tape, x, l->fc);
  h = t->gelu ? trm_op_gelu(tape, h) : trm_op_relu(tape, h);
  return trm_linear(tape, trm_tape_operand(tape, h), l->fc_proj);
}

trm_var *trm_transformer_layer_run(const trm_transformer *t, trm_tape *tape,
                                   const trm_transformer_layer *l, trm_var *x,
                                   const trm_sequences *s, bool causal, trm_var *memory,
                                   const trm_sequences *memory_rows) {
  x = behind(t, tape, x, attention(t, tape, l, before(t, tape, x, l->ln1), s, causal), l->ln1,
             l->drop_path, s);
  if (memory) {
    trm_var *y = cross(t, tape, l, before(t, tape, x, l->ln_cross), s, memory, memory_rows);
    x = behind(t, tape, x, y, l->ln_cross, l->drop_path, s);
  }
  return behind(t, tape, x, feed_forward(t, tape, l, before(t, tape, x, l->ln2)), l->ln2,
                l->drop_path, s);
}

trm_var *trm_transformer_end(const trm_transformer *t, trm_tape *tape, trm_var *x,
                             trm_affine norm) {
  return trm_tape_operand(tape, t->post_norm ? x : trm_norm(tape, x, norm));
}

/* ---- writing token by token ------------------------------------------------------------------- */

trm_var *trm_embed_step(const trm_transformer *t, trm_tape *tape, trm_embedding_rows e,
                        const trm_step_batch *batch) {
  const double scale = t->xavier ? sqrt((double)t->width) : 1;
  const int64_t n = batch->fresh.n_rows;
  const trm_sequences rows = trm_sequences_equal(1, n); /* a table of their own: row by row */
  trm_var *x = trm_op_embedding(tape, trm_tape_param(tape, e.tokens), batch->tokens, n);
  trm_var *places = trm_op_embedding(tape, positions(t, tape, e.positions), batch->places, n);
  return trm_op_position(tape, x, places, &rows, scale);
}

trm_var *trm_transformer_layer_step(const trm_transformer *t, trm_tape *tape,
                                    const trm_transformer_layer *l, trm_var *x,
                                    const trm_step_batch *batch, int64_t number) {
  const trm_sequences *s = &batch->fresh;
  trm_var *y = trm_linear(tape, before(t, tape, x, l->ln1), l->qkv);
  y = trm_op_kept_attention(tape, y, s, &batch->self[number], t->heads, true);
  x = behind(t, tape, x, trm_linear(tape, y, l->proj), l->ln1, l->drop_path, s);
  if (batch->cross) {
    y = trm_linear(tape, before(t, tape, x, l->ln_cross), l->cross_q);
    y = trm_op_kept_attention(tape, y, &batch->readers, &batch->cross[number], t->heads, false);
    x = behind(t, tape, x, trm_linear(tape, y, l->cross_proj), l->ln_cross, l->drop_path, s);
  }
  return behind(t, tape, x, feed_forward(t, tape, l, before(t, tape, x, l->ln2)), l->ln2,
                l->drop_path, s);
}

void trm_transformer_layer_keep(trm_tape *tape, const trm_transformer_layer *layer, trm_var *memory,
                                trm_real *rows) {
  const trm_var *kv = trm_linear(tape, memory, layer->cross_kv);
  if (trm_tape_pass(tape)->dry || trm_tape_status(tape) != TRM_OK) return;
  memcpy(rows, kv->data, (size_t)kv->n * sizeof *rows);
}

trm_var *trm_last_rows(trm_tape *tape, trm_var *x, const trm_step_batch *batch) {
  return batch->last ? trm_op_gather_rows(tape, x, batch->last, batch->fresh.n) : x;
}
