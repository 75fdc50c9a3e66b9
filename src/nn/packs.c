#include "packs.h"

#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"

typedef struct pack {
  trm_real *data; /* owned */
  bool planned, bf16, valid;
} pack;

struct trm_packs {
  const trm_params *params; /* kept */
  pack *forms[2];           /* [params->n_rows] as they are, and transposed; owned */
};

trm_status trm_packs_create(const trm_params *params, trm_packs **out) {
  trm_packs *packs = NULL;
  TRM_TRY(TRM_ALLOC(&packs, 1, "packed weights"));
  packs->params = params;
  for (int form = 0; form < 2; ++form) {
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
  for (int form = 0; form < 2; ++form) {
    for (int i = 0; (*packs)->forms[form] && i < (*packs)->params->n_rows; ++i) {
      TRM_FREE((*packs)->forms[form][i].data);
    }
    TRM_FREE((*packs)->forms[form]);
  }
  TRM_FREE(*packs);
}

void trm_packs_forget(trm_packs *packs) {
  for (int form = 0; form < 2; ++form) {
    for (int i = 0; i < packs->params->n_rows; ++i) packs->forms[form][i].valid = false;
  }
}

/* B[K, N] of a matrix. */
static void sizes(const trm_param *param, bool transposed, int64_t *N, int64_t *K) {
  TRM_ASSERT(param->n_dims == 2);
  *N = param->dims[transposed ? 0 : 1];
  *K = param->dims[transposed ? 1 : 0];
}

void trm_packs_plan(trm_packs *packs, int row, bool transposed) {
  packs->forms[transposed ? 1 : 0][row].planned = true;
}

trm_status trm_packs_reserve(trm_packs *packs) {
  if (!trm_gemm_selected()->product) return TRM_OK; /* a library packs for itself */
  for (int form = 0; form < 2; ++form) {
    for (int i = 0; i < packs->params->n_rows; ++i) {
      pack *p = &packs->forms[form][i];
      int64_t N, K;
      if (!p->planned || (p->data && p->bf16 == trm_gemm_bf16())) continue;
      TRM_FREE(p->data);
      p->bf16 = trm_gemm_bf16();
      p->valid = false;
      sizes(&packs->params->rows[i], form == 1, &N, &K);
      TRM_TRY(TRM_ALLOC(&p->data, trm_packed_elements(N, K, p->bf16), "packed weights"));
    }
  }
  return TRM_OK;
}

size_t trm_packs_bytes(const trm_packs *packs) {
  int64_t n = 0;
  for (int form = 0; form < 2; ++form) {
    for (int i = 0; i < packs->params->n_rows; ++i) {
      const pack *p = &packs->forms[form][i];
      int64_t N, K;
      if (!p->data) continue;
      sizes(&packs->params->rows[i], form == 1, &N, &K);
      n += trm_packed_elements(N, K, p->bf16);
    }
  }
  return (size_t)n * sizeof(trm_real);
}

const trm_real *trm_packs_get(trm_packs *packs, int row, bool transposed) {
  pack *p = &packs->forms[transposed ? 1 : 0][row];
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
