#include "sample_loss.h"

#include "trireme/nn/ops.h"

static const trm_config_key smoothing_keys[] = {
    TRM_KEY_REAL("loss.label_smoothing", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Share of a target that is spread over all classes or tokens while training."),
};
const trm_config_rows trm_smoothing_keys = TRM_CONFIG_ROWS(smoothing_keys);

static const trm_config_key number_keys[] = {
    TRM_KEY_CHOICE("loss.numbers", "squared", "squared|absolute|huber", TRM_ON_RESULT,
                   "What an error costs where targets are numbers, in deviations of the training "
                   "part: its square, its size, or both (huber)."),
};
const trm_config_rows trm_number_loss_keys = TRM_CONFIG_ROWS(number_keys);

static const trm_config_key huber_keys[] = {
    TRM_KEY_REAL("loss.huber_delta", "1.0", 1e-6, 1e6, "", TRM_ON_RESULT,
                 "Up to here half the square of an error counts, from here on its size."),
};
static const trm_config_rows huber_rows = TRM_CONFIG_ROWS(huber_keys);
const trm_config_part trm_huber_part = {
    .selector = "loss.numbers", .name = "huber", .rows = {&huber_rows}};

void trm_sample_loss_configure(const trm_config *config, const trm_model_dims *dims,
                               trm_sample_loss *loss) {
  *loss = (trm_sample_loss){.numbers = dims->numbers,
                            .class_sets = dims->class_sets,
                            .smoothing = trm_config_real(config, "loss.label_smoothing")};
  if (trm_config_is(config, "loss.numbers", "absolute")) loss->error.kind = TRM_ERROR_ABSOLUTE;
  if (!trm_config_is(config, "loss.numbers", "huber")) return;
  loss->error.kind = TRM_ERROR_HUBER;
  loss->error.delta = trm_config_real(config, "loss.huber_delta");
}

/* Of samples that were mixed: each of both targets by its share. */
static trm_var *mixed_loss(trm_tape *tape, trm_var *y, const trm_sample_batch *b, trm_xent how) {
  how.shares = b->mix;
  trm_var *own = trm_op_softmax_xent(tape, y, b->targets, &how);
  how.rest = true;
  return trm_op_add(tape, own, trm_op_softmax_xent(tape, y, b->mixed_targets, &how));
}

trm_var *trm_sample_loss_of(const trm_sample_loss *loss, trm_tape *tape, trm_var *y,
                            const trm_sample_batch *batch) {
  const trm_xent how = {.smoothing = loss->smoothing, .weights = batch->class_weights};
  if (loss->numbers) return trm_op_number_error(tape, y, batch->numbers, &loss->error);
  if (loss->class_sets) return trm_op_sigmoid_xent(tape, y, batch->class_shares);
  if (batch->mixed_targets) return mixed_loss(tape, y, batch, how);
  return trm_op_softmax_xent(tape, y, batch->targets, &how);
}
