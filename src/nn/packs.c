#include "packs.h"

#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"

typedef struct pack {
  trm_real *data; /* owned */
  bool valid, bf16;
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

const trm_real *trm_packs_get(trm_packs *packs, int row, bool transposed) {
  if (!trm_gemm_selected()->product) return NULL;
  const trm_param *param = &packs->params->rows[row];
  pack *p = &packs->forms[transposed ? 1 : 0][row];
  const int64_t rows = param->dims[0], columns = param->dims[1];
  const int64_t N = transposed ? rows : columns, K = transposed ? columns : rows;
  TRM_ASSERT(param->n_dims == 2);
  const bool bf16 = trm_gemm_bf16();
  if (p->data && p->bf16 != bf16) { /* the precision is chosen once a run */
    TRM_FREE(p->data);
    p->valid = false;
  }
  if (!p->data &&
      TRM_ALLOC(&p->data, trm_packed_elements(N, K, bf16), "packed weights") != TRM_OK) {
    return NULL;
  }
  if (!p->valid) {
    trm_product_pack(p->data, packs->params->weights + param->offset, columns, transposed, N, K,
                     bf16);
    p->valid = true;
    p->bf16 = bf16;
  }
  return p->data;
}
