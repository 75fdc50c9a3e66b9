/* Activations that products alone read are kept in bfloat16 (trm_tape_operand): the same loss and
 * gradients to the bit, whole and in blocks, for each kind of operator that makes some and for odd widths;
 * half their memory; and an assertion for any other reader. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"
#include "trireme/nn/ops.h"

enum { N = 150, O = 5, BLOCKS = 4, MOST = 100000 };

static const int64_t blocks[BLOCKS + 1] = {0, 7, 7, 8, N};

/* x > linear > norm > linear > gelu > dropout > linear > loss. */
typedef struct net {
  int64_t C, H; /* width of x and hidden width */
  trm_params *params;
  trm_tape *tape;
  int in, norm_w, norm_b, middle, out;
  trm_real x[N * 64];
  int32_t targets[N], ids[N];
  trm_real grads[2][BLOCKS * MOST]; /* without and with operands */
} net;

static void add_matrix(net *n, int *row, int64_t outputs, int64_t inputs, const char *name) {
  const int64_t dims[2] = {outputs, inputs};
  CHECK_OK(trm_params_add(n->params, row, 2, dims, TRM_INIT_NORMAL, 0.3, true, "%s", name));
}

static void net_create(net *n, int64_t C, int64_t H) {
  n->C = C;
  n->H = H;
  CHECK_OK(trm_params_create(&n->params));
  add_matrix(n, &n->in, C, C, "in");
  CHECK_OK(trm_params_add(n->params, &n->norm_w, 1, &C, TRM_INIT_ONE, 0, false, "norm/w"));
  CHECK_OK(trm_params_add(n->params, &n->norm_b, 1, &C, TRM_INIT_ZERO, 0, false, "norm/b"));
  add_matrix(n, &n->middle, H, C, "middle");
  add_matrix(n, &n->out, O, H, "out");
  CHECK_OK(trm_params_seal(n->params));
  CHECK(n->params->n_elements <= MOST);
  trm_params_init(n->params, 1);
  CHECK_OK(trm_tape_create(n->params, &n->tape));
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_TEST, 0, 0);
  for (int i = 0; i < N * C; ++i) n->x[i] = (trm_real)trm_random_normal(key, 0, (uint64_t)i);
  for (int32_t i = 0; i < N; ++i) n->targets[i] = i % (O + 1) - 1;
  for (int32_t i = 0; i < N; ++i) n->ids[i] = 3 * i + 1;
}

static void net_destroy(net *n) {
  trm_tape_destroy(&n->tape);
  trm_params_destroy(&n->params);
}

static trm_var *operand(net *n, trm_var *x, bool keep) {
  return keep ? trm_tape_operand(n->tape, x) : x;
}

static trm_var *loss_of(net *n, bool in_blocks, bool keep) {
  trm_tape *t = n->tape;
  trm_var *x = trm_tape_input(t, n->x, 2, (int64_t[]){N, n->C}, false);
  if (in_blocks) x->blocks = blocks;
  trm_var *h = trm_op_linear(t, operand(n, x, keep), trm_tape_param(t, n->in), NULL);
  h = trm_op_layernorm(t, h, trm_tape_param(t, n->norm_w), trm_tape_param(t, n->norm_b));
  h = trm_op_linear(t, operand(n, h, keep), trm_tape_param(t, n->middle), NULL);
  h = trm_op_dropout_rows(t, trm_op_gelu(t, h), 0.3, n->ids);
  return trm_op_linear_xent(t, operand(n, h, keep), trm_tape_param(t, n->out), n->targets, NULL);
}

static trm_real *target(void *context, int block, bool *add) {
  *add = false;
  return (trm_real *)context + block * MOST;
}
static void merge(void *context, int block, int64_t offset, int64_t n) {
  (void)context, (void)block, (void)offset, (void)n;
}
static void whole(void *context, int64_t offset, int64_t n) {
  (void)context, (void)offset, (void)n;
}

static trm_pass pass_of(bool in_blocks) {
  static const double weights[BLOCKS] = {1, 1, 1, 1};
  trm_pass pass = {.training = true, .seed = 3, .step = 2, .weights = weights};
  if (in_blocks) pass.n_blocks = BLOCKS;
  return pass;
}

/* @return bytes of the pass */
static size_t plan(net *n, bool in_blocks, bool keep) {
  trm_pass pass = pass_of(in_blocks);
  pass.dry = true;
  trm_tape_destroy(&n->tape);
  CHECK_OK(trm_tape_create(n->params, &n->tape));
  trm_tape_begin(n->tape, &pass);
  trm_tape_backward(n->tape, loss_of(n, in_blocks, keep), NULL, NULL, NULL);
  CHECK_OK(trm_tape_reserve(n->tape));
  return trm_tape_arena_bytes(n->tape);
}

/* Gradients go to n->grads[keep]. @return the loss */
static double run(net *n, bool in_blocks, bool keep) {
  trm_pass pass = pass_of(in_blocks);
  const trm_block_sink sink = {n->grads[keep], target, merge, whole};
  if (in_blocks) pass.sink = &sink;
  if (!in_blocks) pass.grads = n->grads[keep];
  trm_tape_begin(n->tape, &pass);
  trm_tape_backward(n->tape, loss_of(n, in_blocks, keep), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(n->tape));
  return trm_tape_loss_sum(n->tape);
}

static size_t rounded_up(size_t bytes) {
  return (bytes + TRM_ALIGN_BYTES - 1) / TRM_ALIGN_BYTES * TRM_ALIGN_BYTES;
}

/* What n numbers take less in bfloat16. */
static size_t spared(int64_t n) {
  return rounded_up((size_t)n * sizeof(trm_real)) - rounded_up((size_t)n * sizeof(trm_bf16));
}

static void check_same(net *n, bool in_blocks, int n_threads) {
  memset(n->grads, 0, sizeof n->grads);
  trm_threads_set(n_threads);
  const size_t full = plan(n, in_blocks, false);
  const double want = run(n, in_blocks, false);
  const size_t less = plan(n, in_blocks, true);
  const double got = run(n, in_blocks, true);
  CHECK(got == want && want > 0);
  CHECK(memcmp(n->grads[true], n->grads[false], sizeof n->grads[true]) == 0);
  CHECK_EQ((int64_t)(full - less), (int64_t)(spared(N * n->C) + spared(N * n->H)));
  trm_threads_set(1);
}

/* What must stay as it is: what is the caller's, is read by another, or by its maker. */
static void check_left_alone(net *n) {
  trm_tape *t = n->tape;
  const trm_sequences s = trm_sequences_equal(N / 2, 2);
  trm_tape_begin(t, &(trm_pass){.dry = true});
  for (int round = 0; round < 2; ++round) {
    trm_var *x = trm_tape_input(t, n->x, 2, (int64_t[]){N, n->C}, false);
    trm_var *h = trm_op_linear(t, trm_tape_operand(t, x), trm_tape_param(t, n->in), NULL);
    trm_var *y = trm_op_relu(t, h);
    trm_var *a = trm_op_attention(t, trm_op_concat(t, trm_op_concat(t, h, y), h), &s, 1, true, 0);
    (void)trm_tape_operand(t, a);
    (void)trm_tape_operand(t, h);
    CHECK(!x->bf16 && !a->bf16 && !h->bf16);
    if (round == 1) CHECK(x->data && a->data && h->data);
    if (round == 1) continue;
    CHECK_OK(trm_tape_reserve(t));
    trm_tape_begin(t, &(trm_pass){.training = false});
  }
}

static void leave(int exit_code) {
  _exit(exit_code);
}

/* Whoever reads numbers where there are none ends the program. */
static void check_other_reader(net *n) {
  int wait_status = 0;
  (void)plan(n, false, true);
  const pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stderr)) _exit(1);
    trm_abort_hook_set(leave, -1);
    trm_tape_begin(n->tape, &(trm_pass){.training = false});
    trm_var *x = trm_tape_input(n->tape, n->x, 2, (int64_t[]){N, n->C}, false);
    x = trm_tape_operand(n->tape, trm_op_gelu(n->tape, x));
    (void)trm_op_linear(n->tape, x, trm_tape_param(n->tape, n->in), NULL); /* may, */
    (void)trm_op_relu(n->tape, x);                                         /* must not */
    _exit(0);
  }
  CHECK_EQ(waitpid(child, &wait_status, 0), child);
  CHECK(WIFEXITED(wait_status));
  CHECK_EQ(WEXITSTATUS(wait_status), 70);
}

int main(void) {
  static net n;
  static const int64_t widths[][2] = {{19, 33}, {20, 64}, {64, 130}};
  trm_math_init();
  CHECK_OK(trm_gemm_select("native"));
  CHECK_OK(trm_precision_select(TRM_BF16));
  for (size_t i = 0; i < sizeof widths / sizeof widths[0]; ++i) {
    net_create(&n, widths[i][0], widths[i][1]);
    for (int n_threads = 1; n_threads <= 3; ++n_threads) {
      check_same(&n, false, n_threads);
      check_same(&n, true, n_threads);
    }
    if (i == 0) check_left_alone(&n);
    if (i == 0) check_other_reader(&n);
    net_destroy(&n);
  }
  return check_verdict();
}
