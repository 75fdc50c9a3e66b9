#include "packs.h"

#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/math/transpose.h"

/* What products read, of a matrix and of its transpose; and the plain transpose. */
enum { STRAIGHT, TRANSPOSED, PLAIN, N_FORMS };

typedef struct pack {
  trm_real *data; /* owned */
  bool planned, bf16, valid;
} pack;

struct trm_packs {
  const trm_params *params; /* kept */
  pack *forms[N_FORMS];     /* [params->n_rows] each; owned */
};

trm_status trm_packs_create(const trm_params *params, trm_packs **out) {
  trm_packs *packs = NULL;
  TRM_TRY(TRM_ALLOC(&packs, 1, "packed weights"));
  packs->params = params;
  for (int form = 0; form < N_FORMS; ++form) {
    const trm_status status = TRM_ALLOC(&packs->forms[form], params->n_rows, "packed weights");
    if (status != TRM_OK) {
      trm_packs_destroy(&packs);
      return status;
    }
  }
  *out = packs;
  return TRM_OK;
}

void trm_packs_destroy(trm_packs **packs) {
  if (!*packs) return;
  for (int form = 0; form < N_FORMS; ++form) {
    for (int i = 0; (*packs)->forms[form] && i < (*packs)->params->n_rows; ++i) {
      TRM_FREE((*packs)->forms[form][i].data);
    }
    TRM_FREE((*packs)->forms[form]);
  }
  TRM_FREE(*packs);
}

void trm_packs_forget(trm_packs *packs) {
  for (int form = 0; form < N_FORMS; ++form) {
    for (int i = 0; i < packs->params->n_rows; ++i) packs->forms[form][i].valid = false;
  }
}

/* B[K, N] of a matrix. */
static void sizes(const trm_param *param, bool transposed, int64_t *N, int64_t *K) {
  TRM_ASSERT(param->n_dims == 2);
  *N = param->dims[transposed ? 0 : 1];
  *K = param->dims[transposed ? 1 : 0];
}

static int64_t elements(const trm_param *param, int form, bool bf16) {
  int64_t N, K;
  if (form == PLAIN) return param->n;
  sizes(param, form == TRANSPOSED, &N, &K);
  return trm_packed_elements(N, K, bf16);
}

void trm_packs_plan(trm_packs *packs, int row, bool transposed) {
  packs->forms[transposed ? TRANSPOSED : STRAIGHT][row].planned = true;
}

void trm_packs_plan_plain(trm_packs *packs, int row) {
  packs->forms[PLAIN][row].planned = true;
}

static trm_status reserve(const trm_packs *packs, int form) {
  const bool bf16 = form != PLAIN && trm_gemm_bf16();
  for (int i = 0; i < packs->params->n_rows; ++i) {
    pack *p = &packs->forms[form][i];
    if (!p->planned || (p->data && p->bf16 == bf16)) continue;
    TRM_FREE(p->data);
    p->bf16 = bf16;
    p->valid = false;
    TRM_TRY(TRM_ALLOC(&p->data, elements(&packs->params->rows[i], form, bf16), "packed weights"));
  }
  return TRM_OK;
}

trm_status trm_packs_reserve(trm_packs *packs) {
  TRM_TRY(reserve(packs, PLAIN));
  if (!trm_gemm_selected()->product) return TRM_OK; /* a library packs for itself */
  TRM_TRY(reserve(packs, STRAIGHT));
  return reserve(packs, TRANSPOSED);
}

size_t trm_packs_bytes(const trm_packs *packs) {
  int64_t n = 0;
  for (int form = 0; form < N_FORMS; ++form) {
    for (int i = 0; i < packs->params->n_rows; ++i) {
      const pack *p = &packs->forms[form][i];
      if (p->data) n += elements(&packs->params->rows[i], form, p->bf16);
    }
  }
  return (size_t)n * sizeof(trm_real);
}

const trm_real *trm_packs_get(trm_packs *packs, int row, bool transposed) {
  pack *p = &packs->forms[transposed ? TRANSPOSED : STRAIGHT][row];
  const trm_param *param = &packs->params->rows[row];
  int64_t N, K;
  if (!p->data || !trm_gemm_selected()->product) return NULL;
  TRM_ASSERT(p->bf16 == trm_gemm_bf16()); /* chosen once, before the first pass */
  if (!p->valid) {
    sizes(param, transposed, &N, &K);
    trm_product_pack(p->data, packs->params->weights + param->offset, param->dims[1], transposed, N,
                     K, p->bf16);
    p->valid = true;
  }
  return p->data;
}

const trm_real *trm_packs_get_plain(trm_packs *packs, int row) {
  pack *p = &packs->forms[PLAIN][row];
  const trm_param *param = &packs->params->rows[row];
  TRM_ASSERT(p->data); /* planned by the dry pass before */
  if (!p->valid) {
    trm_transpose_matrix(p->data, packs->params->weights + param->offset, param->dims[0],
                         param->dims[1], false);
    p->valid = true;
  }
  return p->data;
}
