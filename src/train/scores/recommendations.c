#include "recommendations.h"

#include "text_file.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"

/* A group of each rank. */
typedef struct rank_round {
  trm_recommendation *own; /* [lines] */
  trm_recommendation *all; /* [ranks, lines] */
  trm_text_file file;      /* on rank 0 */
} rank_round;

static trm_status round_make(trm_comm *comm, int64_t lines, const char *head, rank_round *r) {
  TRM_TRY(TRM_ALLOC(&r->own, lines, "recommendations"));
  TRM_TRY(TRM_ALLOC(&r->all, lines * trm_comm_size(comm), "recommendations"));
  if (trm_comm_rank(comm) > 0) return TRM_OK;
  TRM_TRY(trm_text_file_begin(&r->file));
  (void)fprintf(r->file.stream, "%s\n", head);
  return TRM_OK;
}

/* The group of this rank, nothing past the last one. */
static void rank_own(const trm_recommender *rec, int64_t number, rank_round *r) {
  if (number < rec->n_groups) {
    rec->rank(rec->self, number, r->own);
  } else {
    for (int64_t i = 0; i < rec->lines; ++i) r->own[i].item = -1;
  }
}

static void write_round(const trm_recommender *rec, int n_ranks, const rank_round *r,
                        int64_t *n_rows) {
  for (int64_t i = 0; i < n_ranks * rec->lines; ++i) {
    if (r->all[i].item < 0) continue;
    rec->write(rec->self, &r->all[i], r->file.stream);
    ++*n_rows;
  }
}

trm_status trm_recommendations_write(trm_comm *comm, const trm_recommender *rec, trm_status made,
                                     const char *head, const char *path, int64_t *n_rows) {
  const int size = trm_comm_size(comm), rank = trm_comm_rank(comm);
  const int64_t bytes = rec->lines * (int64_t)sizeof(trm_recommendation);
  rank_round r = {0};
  *n_rows = 0;
  if (made == TRM_OK) made = round_make(comm, rec->lines, head, &r);
  trm_status status = trm_comm_agree(comm, made);
  for (int64_t n = 0; status == TRM_OK && n < rec->n_groups; n += size) {
    trm_watch_phase(comm, "ranking", n);
    rank_own(rec, n + rank, &r);
    status = trm_comm_allgather(comm, r.own, r.all, bytes);
    if (status == TRM_OK && rank == 0) write_round(rec, size, &r, n_rows);
  }
  if (rank == 0 && status == TRM_OK) status = trm_text_file_publish(&r.file, path);
  status = trm_comm_agree(comm, status);
  trm_text_file_discard(&r.file);
  TRM_FREE(r.own);
  TRM_FREE(r.all);
  return status;
}

void trm_recommended_name(FILE *file, const trm_texts *names, int64_t i) {
  for (int64_t k = names->offsets[i]; k < names->offsets[i + 1]; ++k) {
    const unsigned char byte = (unsigned char)names->bytes[k];
    (void)fputc(byte < 0x20 ? ' ' : byte, file);
  }
}
