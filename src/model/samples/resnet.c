/*
 * Residual network for small images.
 *
 *   x = act(norm(conv 3x3 (x)))                         model.width channels
 *   x = act(x' + norm(conv(act(norm(conv(x))))))        model.blocks times in each of 3 stages
 *   y = W mean(x) + b
 *
 * From stage to stage channels double and sides are halved by a stride of 2 in the first convolution;
 * x' is x, or there a 1x1 convolution of stride 2 with a norm (option B of the paper, which takes its
 * zeros, option A, for these images: 0.27 million weights at 3 blocks instead of 0.275 million).
 *
 * Source: He et al. 2016, arXiv:1512.03385, section 4.2: 6 n + 2 layers; n = 3: ResNet-20.
 */
#include <stdio.h>

#include "net_layers.h"
#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("model.blocks", "3", 1, 200, "", TRM_ON_MODEL,
                "Residual blocks in each of the three stages: 6 times that and 2 layers."),
    TRM_KEY_INT("model.width", "16", 1, 4096, "", TRM_ON_MODEL,
                "Channels of the first stage; the others have twice and four times as many."),
    TRM_KEY_CHOICE("model.activation", "relu", "gelu|relu|elu", TRM_ON_MODEL, "Non-linearity."),
    TRM_KEY_DROP_PATH,
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

enum { STAGES = 3 };
static const trm_window three = {.height = 3, .width = 3, .stride = 1, .padding = 1};
static const trm_window three_apart = {.height = 3, .width = 3, .stride = 2, .padding = 1};
static const trm_window one_apart = {.height = 1, .width = 1, .stride = 2};

typedef struct block {
  trm_net_layer conv1, conv2, shortcut;
  bool smaller;     /* than what enters: there is a shortcut */
  double drop_path; /* probability that a sample skips it */
} block;

typedef struct resnet {
  trm_net net;
  trm_sample_loss loss;
  int n_blocks;     /* of a stage */
  double drop_path; /* of the last block */
  trm_net_layer stem, head;
  block *blocks; /* [STAGES * n_blocks], owned */
} resnet;

static void destroy(void *self) {
  resnet *m = self;
  if (!m) return;
  TRM_FREE(m->blocks);
  TRM_FREE(m);
}

/* ---- parameters ------------------------------------------------------------------------------ */

static trm_status add_block(resnet *m, trm_params *params, block *b, int64_t in, int64_t out,
                            const char *path) {
  char name[64];
  (void)snprintf(name, sizeof name, "%s/conv1", path);
  TRM_TRY(trm_net_add_conv(&m->net, params, &b->conv1, 9, in, out, name));
  (void)snprintf(name, sizeof name, "%s/conv2", path);
  TRM_TRY(trm_net_add_conv(&m->net, params, &b->conv2, 9, out, out, name));
  b->smaller = in != out;
  if (!b->smaller) return TRM_OK;
  (void)snprintf(name, sizeof name, "%s/shortcut", path);
  return trm_net_add_conv(&m->net, params, &b->shortcut, 1, in, out, name);
}

static trm_status add_parameters(resnet *m, const trm_model_dims *dims, trm_params *params,
                                 int64_t width) {
  char path[32];
  int64_t in = width;
  TRM_TRY(trm_net_add_conv(&m->net, params, &m->stem, 9, dims->value_dims[2], width, "stem"));
  TRM_TRY(TRM_ALLOC(&m->blocks, (int64_t)STAGES * m->n_blocks, "model"));
  for (int s = 0; s < STAGES; ++s) {
    for (int i = 0; i < m->n_blocks; ++i) {
      (void)snprintf(path, sizeof path, "stages/%d/%d", s, i);
      block *b = &m->blocks[s * m->n_blocks + i];
      TRM_TRY(add_block(m, params, b, in, width << s, path));
      b->drop_path = trm_drop_path_of(m->drop_path, s * m->n_blocks + i, STAGES * m->n_blocks);
      in = width << s;
    }
  }
  return trm_net_add_linear(&m->net, params, &m->head, in, dims->n_outputs, true, "head");
}

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  trm_status status = TRM_OK;
  resnet *m = NULL;
  TRM_TRY(trm_net_check_images(config, dims));
  TRM_TRY(TRM_ALLOC(&m, 1, "model"));
  m->net =
      (trm_net){.norm = TRM_NET_BATCH_NORM, .bias = true, .activation = trm_net_activation(config)};
  m->n_blocks = (int)trm_config_int(config, "model.blocks");
  m->drop_path = trm_config_real(config, "model.drop_path");
  trm_sample_loss_configure(config, dims, &m->loss);
  TRM_TRY_OUT(add_parameters(m, dims, params, trm_config_int(config, "model.width")));
  *self = m;
  return TRM_OK;
out:
  destroy(m);
  return status;
}

/* ---- forward --------------------------------------------------------------------------------- */

static trm_var *run_block(const resnet *m, trm_tape *tape, trm_var *x, const block *b) {
  trm_var *y = trm_net_conv(tape, x, &b->conv1, b->smaller ? three_apart : three);
  y = trm_net_conv(tape, trm_net_activate(&m->net, tape, y, &b->conv1), &b->conv2, three);
  y = trm_net_normalise(&m->net, tape, y, &b->conv2);
  if (b->smaller) {
    x = trm_net_conv(tape, x, &b->shortcut, one_apart);
    x = trm_net_normalise(&m->net, tape, x, &b->shortcut);
  }
  const trm_sequences images = trm_sequences_equal(y->dims[0], y->dims[1] * y->dims[2]);
  y = trm_op_drop_path(tape, y, b->drop_path, &images);
  return m->net.activation(tape, trm_op_add(tape, x, y));
}

static trm_var *outputs(void *self, trm_tape *tape, const trm_batch *batch) {
  const resnet *m = self;
  trm_var *x = trm_net_values(tape, batch->samples);
  x = trm_net_activate(&m->net, tape, trm_net_conv(tape, x, &m->stem, three), &m->stem);
  for (int i = 0; i < STAGES * m->n_blocks; ++i) x = run_block(m, tape, x, &m->blocks[i]);
  return trm_net_linear(tape, trm_op_global_pool(tape, x, TRM_POOL_MEAN), &m->head);
}

static trm_var *loss_of(void *self, trm_tape *tape, trm_var *y, const trm_batch *batch) {
  return trm_sample_loss_of(&((const resnet *)self)->loss, tape, y, batch->samples);
}

const trm_model_kind trm_model_resnet = {
    TRM_MODEL_PART("resnet", &rows, &trm_smoothing_keys, &trm_number_loss_keys),
    .more = {&trm_huber_part},
    .data = {"samples"},
    .create = create,
    .destroy = destroy,
    .outputs = outputs,
    .loss_of = loss_of};
