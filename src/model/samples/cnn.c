/*
 * Convolutional network: stages of convolutions with a pool behind each stage, then a dense network.
 *
 *   x = act(norm(conv(x)))    model.convs times, for each number of channels of model.channels
 *   x = dropout(pool(x))      behind each stage, or, with model.pool_behind first, behind its first
 *                             convolution, before the norm: what follows has a quarter of the pixels
 *
 * With model.residual a stage's last convolution ends in act(x' + norm(conv(x))), where x' is what its first
 * one gave.
 *
 *   x = dropout(act(norm(W x + b)))     for each width of model.widths
 *   y = model.output_scale (W x + b)
 *
 * Source: LeCun et al. 1998, Proceedings of the IEEE 86, section II; with more than one convolution a
 * stage: Simonyan, Zisserman 2014, arXiv:1409.1556; with a residual: Jordan 2024, arXiv:2404.00498,
 * section 5 (airbench96).
 */
#include <stdio.h>

#include "net_layers.h"
#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

static const trm_config_key keys[] = {
    TRM_KEY_TEXT("model.channels", "32,64", TRM_ON_MODEL,
                 "Channels of each stage, the first one first."),
    TRM_KEY_INT("model.convs", "1", 1, 16, "", TRM_ON_MODEL, "Convolutions of a stage."),
    TRM_KEY_INT("model.kernel", "3", 1, 63, "pixels", TRM_ON_MODEL,
                "Height and width of a convolution's window."),
    TRM_KEY_CHOICE("model.padding", "same", "same|valid", TRM_ON_MODEL,
                   "Around the images of a convolution zeros, so that they stay as large (an odd "
                   "window); or nothing."),
    TRM_KEY_CHOICE("model.pool", "max", "max|mean", TRM_ON_MODEL,
                   "What is taken of each 2 x 2 pixels, once a stage."),
    TRM_KEY_CHOICE(
        "model.pool_behind", "stage", "stage|first", TRM_ON_MODEL,
        "Where a stage's pool is: behind its last convolution, or behind the first, which "
        "leaves the others fewer pixels."),
    TRM_KEY_BOOL("model.residual", "false", TRM_ON_MODEL,
                 "What the first convolution of a stage gives is added to what the last one gives, "
                 "before its activation."),
    TRM_KEY_CHOICE("model.readout", "flatten", "flatten|mean|max", TRM_ON_MODEL,
                   "What the dense layers see of the last stage: all of it, or the mean or maximum "
                   "of each channel."),
    TRM_KEY_TEXT("model.widths", "128", TRM_ON_MODEL,
                 "Widths of the hidden dense layers, the first one first; or none."),
    TRM_KEY_REAL("model.output_scale", "1.0", 1e-6, 1e6, "", TRM_ON_MODEL,
                 "Outputs are multiplied by it: small where maxima are read out, whose size would "
                 "make the first losses large."),
    TRM_KEY_REAL("model.stage_dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Probability that an activation behind a stage is dropped while training."),
    TRM_KEY_CHOICE("model.norm", "batch", "none|batch", TRM_ON_MODEL,
                   "Normalisation before each activation. batch: over the samples of a block "
                   "(batch.blocks)."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

typedef struct cnn {
  trm_net net;
  trm_sample_loss loss;
  int n_stages, convs, n_dense;
  trm_window window, pool_window;
  trm_pool pool, readout;
  bool flatten, pool_first, residual;
  double stage_dropout;
  float *output_scale, *output_shift; /* [outputs] owned */
  trm_net_layer *stages;              /* [n_stages * convs], owned */
  trm_net_layer *dense;               /* [n_dense + 1], owned; the last gives the outputs */
} cnn;

static void destroy(void *self) {
  cnn *m = self;
  if (!m) return;
  TRM_FREE(m->stages);
  TRM_FREE(m->dense);
  TRM_FREE(m->output_scale);
  TRM_FREE(m->output_shift);
  TRM_FREE(m);
}

/* ---- parameters ------------------------------------------------------------------------------ */

static void read_keys(cnn *m, const trm_config *config) {
  const int64_t kernel = trm_config_int(config, "model.kernel");
  trm_net_configure(config, &m->net);
  m->net.norm = trm_config_is(config, "model.norm", "batch") ? TRM_NET_BATCH_NORM : TRM_NET_NO_NORM;
  m->convs = (int)trm_config_int(config, "model.convs");
  m->window = (trm_window){.height = kernel, .width = kernel, .stride = 1};
  if (trm_config_is(config, "model.padding", "same")) m->window.padding = kernel / 2;
  m->pool_window = (trm_window){.height = 2, .width = 2, .stride = 2};
  m->pool_first = trm_config_is(config, "model.pool_behind", "first");
  m->pool = trm_config_is(config, "model.pool", "max") ? TRM_POOL_MAX : TRM_POOL_MEAN;
  m->residual = trm_config_bool(config, "model.residual");
  m->flatten = trm_config_is(config, "model.readout", "flatten");
  m->readout = trm_config_is(config, "model.readout", "max") ? TRM_POOL_MAX : TRM_POOL_MEAN;
  m->stage_dropout = trm_config_real(config, "model.stage_dropout");
}

/* That what is added has the same places. */
static trm_status check_residual(const cnn *m) {
  if (!m->residual) return TRM_OK;
  if (m->convs < 2) {
    return trm_fail(TRM_ERR_CONFIG,
                    "model.residual is true, but a stage has one convolution, which has nothing to "
                    "add to; set model.convs to 2 or more");
  }
  if (m->window.height == 1 || m->window.padding > 0) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "model.residual is true, but with model.padding 'valid' images get smaller from "
                  "one convolution to the next; set it to same");
}

/* A side of an image behind the convolutions and the pool of a stage; below 1: nothing is left. */
static int64_t behind_stage(const cnn *m, int64_t side) {
  const int pool_at = m->pool_first ? 0 : m->convs - 1;
  for (int i = 0; i < m->convs; ++i) {
    side += 2 * m->window.padding - m->window.height + 1;
    if (i == pool_at) side /= 2;
    if (side < 1) return 0;
  }
  return side;
}

static trm_status too_small(const cnn *m, const trm_model_dims *dims, int stage) {
  return trm_fail(TRM_ERR_CONFIG,
                  "model.channels has a stage %d, but images of %lld x %lld pixels are used up "
                  "before its pool; give fewer stages or convolutions%s",
                  stage, (long long)dims->value_dims[0], (long long)dims->value_dims[1],
                  m->window.padding == 0 && m->window.height > 1 ? ", or set model.padding to same"
                                                                 : "");
}

static trm_status add_stages(cnn *m, const trm_config *config, const trm_model_dims *dims,
                             trm_params *params, int64_t *values) {
  int64_t channels[TRM_NET_MOST], in = dims->value_dims[2];
  int64_t height = dims->value_dims[0], width = dims->value_dims[1];
  const int64_t taps = m->window.height * m->window.width;
  char path[48];
  TRM_TRY(trm_net_list(config, "model.channels", channels, &m->n_stages));
  TRM_TRY(TRM_ALLOC(&m->stages, (int64_t)m->n_stages * m->convs, "model"));
  for (int s = 0; s < m->n_stages; ++s) {
    for (int i = 0; i < m->convs; ++i) {
      (void)snprintf(path, sizeof path, "stages/%d/conv%d", s, i);
      TRM_TRY(trm_net_add_conv(&m->net, params, &m->stages[s * m->convs + i], taps, in, channels[s],
                               path));
      in = channels[s];
    }
    height = behind_stage(m, height);
    width = behind_stage(m, width);
    if (height < 1 || width < 1) return too_small(m, dims, s + 1);
  }
  *values = m->flatten ? height * width * in : in;
  return TRM_OK;
}

/* As trm_op_channel_scale takes it; nothing where it is 1. */
static trm_status make_scale(cnn *m, const trm_config *config, int64_t n_outputs) {
  const double scale = trm_config_real(config, "model.output_scale");
  if (scale == 1) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&m->output_scale, n_outputs, "model"));
  TRM_TRY(TRM_ALLOC(&m->output_shift, n_outputs, "model"));
  for (int64_t c = 0; c < n_outputs; ++c) m->output_scale[c] = (float)scale;
  return TRM_OK;
}

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  trm_status status = TRM_OK;
  cnn *m = NULL;
  int64_t values = 0;
  TRM_TRY(trm_net_check_images(config, dims));
  TRM_TRY(TRM_ALLOC(&m, 1, "model"));
  read_keys(m, config);
  TRM_TRY_OUT(check_residual(m));
  trm_sample_loss_configure(config, dims, &m->loss);
  TRM_TRY_OUT(add_stages(m, config, dims, params, &values));
  TRM_TRY_OUT(
      trm_net_add_dense(&m->net, config, params, values, dims->n_outputs, &m->dense, &m->n_dense));
  TRM_TRY_OUT(make_scale(m, config, dims->n_outputs));
  *self = m;
  return TRM_OK;
out:
  destroy(m);
  return status;
}

/* ---- forward --------------------------------------------------------------------------------- */

static trm_var *stage(const cnn *m, trm_tape *tape, trm_var *x, int s) {
  trm_net of_stage = m->net;
  of_stage.dropout = m->stage_dropout;
  trm_var *first = NULL;
  for (int i = 0; i < m->convs; ++i) {
    const trm_net_layer *layer = &m->stages[s * m->convs + i];
    x = trm_net_conv(tape, x, layer, m->window);
    if (m->pool_first && i == 0) x = trm_op_pool2d(tape, x, m->pool_window, m->pool);
    if (m->residual && i == m->convs - 1) {
      x = m->net.activation(tape,
                            trm_op_add(tape, first, trm_net_normalise(&m->net, tape, x, layer)));
    } else {
      x = trm_net_activate(&m->net, tape, x, layer);
    }
    if (i == 0) first = x;
  }
  if (!m->pool_first) x = trm_op_pool2d(tape, x, m->pool_window, m->pool);
  return trm_net_dropout(&of_stage, tape, x);
}

static trm_var *outputs(void *self, trm_tape *tape, const trm_batch *batch) {
  const cnn *m = self;
  trm_var *x = trm_net_values(tape, batch->samples);
  for (int s = 0; s < m->n_stages; ++s) x = stage(m, tape, x, s);
  x = m->flatten ? trm_net_flatten(tape, x) : trm_op_global_pool(tape, x, m->readout);
  x = trm_net_dense(&m->net, tape, x, m->dense, m->n_dense);
  return m->output_scale ? trm_op_channel_scale(tape, x, m->output_scale, m->output_shift) : x;
}

static trm_var *loss_of(void *self, trm_tape *tape, trm_var *y, const trm_batch *batch) {
  return trm_sample_loss_of(&((const cnn *)self)->loss, tape, y, batch->samples);
}

const trm_model_kind trm_model_cnn = {
    TRM_MODEL_PART("cnn", &rows, &trm_net_keys, &trm_smoothing_keys, &trm_number_loss_keys),
    .more = {&trm_huber_part},
    .data = {"samples"},
    .create = create,
    .destroy = destroy,
    .outputs = outputs,
    .loss_of = loss_of};
