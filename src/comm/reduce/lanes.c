/* Transport of point-to-point messages: buckets are cut into pieces, a few pieces are in flight.
 *
 * A piece is a span of a bucket small enough for a lane's staging memory. Every piece is a little
 * state machine of its own: a phase posts its sends and receives; when all of them are complete
 * the next phase adds what came and posts the next messages. While one piece adds, the messages of
 * the others travel: that is the pipelining, and the reason why no piece needs double buffers.
 *
 *     bucket  | piece 0     | piece 1     | piece 2     | piece 3     | piece 4 ...
 *     lane      0             1             2             3             0
 *     each piece, size 3:  | slice 0 | slice 1 | slice 2 |   (slices begin at cache lines)
 *
 * All ranks cut alike and begin pieces in the same order; piece number s uses lane s mod N_LANES
 * and tag s mod N_TAGS, so messages of two pieces in flight cannot be mixed up.
 */
#include "reducer_internal.h"
#include "trireme/core/memory.h"

/* Measured with benchmarks/bench_allreduce --segment-bytes (2 ranks in shared memory, 2 and 4 hosts over TCP). Pieces
 * that begin together also end a phase together, since MPI sends their messages side by side, and then the line is
 * idle for a handshake: with 4 lanes for a ninth of the time at 1 Gbit/s and 0.2 ms, with 16 hardly. Between hosts
 * messages stay below Open MPI's eager limit for TCP (64 KiB with the header), which saves the handshake: 4 hosts
 * move 119 MB/s each way in place of 103 over such lines, and 11.9 in place of 10.2 at 100 Mbit/s and 1 ms. */
enum { N_LANES = 16, N_TAGS = 1024 };
static const int64_t DEFAULT_SEGMENT_BYTES = 256 * 1024; /* within a host */
static const int64_t BETWEEN_HOSTS_BYTES = 32 * 1024;
/* Buckets of which every rank has to send no more than this are exchanged whole, in one step. */
static const int64_t EXCHANGE_BYTES = 32 * 1024;
/* Below, MPI sends at once; above, it shakes hands first, which costs as much as several small
 * messages (4,096 bytes with their header for Open MPI's shared memory, more elsewhere). Of two
 * ranks with halves below and a whole above it, the engine's own two steps beat the exchange. */
static const int64_t EAGER_BYTES = 4000;
/* Most staging memory of a lane; segments shrink to keep it (many ranks with many parts). */
static const int64_t MAX_STAGING_BYTES = INT64_C(1) << 20;
static const int64_t MIN_SEGMENT_BYTES = 4 * 1024;

typedef struct lane {
  bool busy;
  trm_piece piece;
} lane;

typedef struct lanes {
  int64_t slice;    /* elements a slice of a large piece has at most */
  int64_t exchange; /* elements up to which a bucket is exchanged whole */
  /* Next piece to begin. */
  uint64_t bucket; /* number of the bucket it is cut from */
  int64_t taken;   /* elements of that bucket already cut off */
  uint64_t n_pieces;
  uint64_t n_in_flight; /* begun and not done */
  lane all[N_LANES];
  void *memory;
} lanes;

/* What a piece has of the stripe of rank `owner` (mod size) in its row of stripes. */
static int64_t stripe_slice(const trm_reducer *reducer, const trm_piece *piece, int owner,
                            int64_t *offset) {
  const trm_stripes *s = &reducer->stripes;
  const int size = reducer->comm->size;
  const int64_t row = s->length * size;
  const int64_t stripe = piece->offset / row * row + (((owner % size) + size) % size) * s->length;
  const int64_t piece_end = piece->offset + piece->count;
  const int64_t begin = stripe > piece->offset ? stripe : piece->offset;
  const int64_t end = stripe + s->length < piece_end ? stripe + s->length : piece_end;
  *offset = begin;
  return end > begin ? end - begin : 0;
}

int64_t trm_piece_slice(const trm_reducer *reducer, const trm_piece *piece, int index,
                        int64_t *offset) {
  const int size = reducer->comm->size;
  if (piece->motion != TRM_SUM_TO_ALL) return stripe_slice(reducer, piece, index - 1, offset);
  const int64_t begin = (((index % size) + size) % size) * piece->slice;
  *offset = piece->offset + begin;
  const int64_t left = piece->count - begin;
  return left < 0 ? 0 : left < piece->slice ? left : piece->slice;
}

/* Pieces are at most MAX_STAGING_BYTES long, so counts fit MPI's int. Empty slices send nothing:
 * both sides know their length. */
void trm_piece_send(trm_reducer *reducer, trm_piece *piece, const float *data, int64_t n, int to) {
  if (n == 0) return;
  TRM_MPI(reducer->comm, MPI_Isend(data, (int)n, MPI_FLOAT, to, piece->tag, reducer->comm->mpi,
                                   &piece->requests[piece->n_requests++]));
}

void trm_piece_receive(trm_reducer *reducer, trm_piece *piece, float *data, int64_t n, int from) {
  if (n == 0) return;
  TRM_MPI(reducer->comm, MPI_Irecv(data, (int)n, MPI_FLOAT, from, piece->tag, reducer->comm->mpi,
                                   &piece->requests[piece->n_requests++]));
}

static bool use_exchange(const lanes *l, int64_t count, int size) {
  const int64_t bytes = count * (int64_t)sizeof(float);
  const bool halves_are_eager = size == 2 && bytes > EAGER_BYTES && bytes / 2 <= EAGER_BYTES;
  return count <= l->exchange && !halves_are_eager;
}

/* Sums for all ranks: elements [begin, end) of the bucket in equal pieces, slices in whole cache
 * lines. */
static void cut_equal(trm_reducer *reducer, const lanes *l, int64_t begin, int64_t end,
                      trm_piece *piece) {
  const int size = reducer->comm->size;
  const int64_t count = end - begin;
  const bool small = use_exchange(l, count, size);
  const int64_t most = small ? count : l->slice * size;
  const int64_t n_pieces = (count + most - 1) / most;
  const int64_t equal = trm_round_up_line((count + n_pieces - 1) / n_pieces);
  const int64_t left = end - piece->offset;
  piece->motion = TRM_SUM_TO_ALL;
  piece->count = left < equal ? left : equal;
  piece->slice = trm_round_up_line((piece->count + size - 1) / size);
  piece->advance = small ? trm_exchange_advance : reducer->engine->advance;
}

/* Between ranks and owners: a row of stripes at most, so that each rank has one span of a piece; and
 * where a stripe is longer than a slice may be, no more than a slice. */
static void cut_stripes(trm_reducer *reducer, const lanes *l, trm_motion motion, int64_t end,
                        trm_piece *piece) {
  const trm_stripes *s = &reducer->stripes;
  const int64_t row = s->length * s->size;
  const int64_t row_end = (piece->offset / row + 1) * row;
  int64_t count = (row_end < end ? row_end : end) - piece->offset;
  if (s->length > l->slice && count > l->slice) count = l->slice;
  piece->motion = motion;
  piece->count = count;
  piece->advance = motion == TRM_GATHER ? trm_ring_gather_advance : reducer->engine->advance;
}

/* Cuts the next piece off the bucket. */
static void begin_piece(trm_reducer *reducer, lanes *l, trm_piece *piece) {
  const trm_bucket *bucket = &reducer->queue[l->bucket % TRM_MAX_BUCKETS];
  const int64_t end = bucket->offset + bucket->count;
  const int64_t n_to_owners = reducer->engine->to_owners ? reducer->stripes.n : 0;
  piece->offset = bucket->offset + l->taken;
  if (bucket->gather) {
    cut_stripes(reducer, l, TRM_GATHER, end, piece);
  } else if (piece->offset < n_to_owners) {
    cut_stripes(reducer, l, TRM_SUM_TO_OWNERS, end < n_to_owners ? end : n_to_owners, piece);
  } else {
    const int64_t begin = bucket->offset > n_to_owners ? bucket->offset : n_to_owners;
    cut_equal(reducer, l, begin, end, piece);
  }
  piece->tag = (int)(l->n_pieces % N_TAGS);
  piece->phase = 0;
  piece->n_requests = 0;
  l->taken += piece->count;
  ++l->n_pieces;
  if (l->taken == bucket->count) {
    ++l->bucket;
    l->taken = 0;
  }
}

/* Runs phases until one has to wait; true when the piece is done. */
static bool advance_piece(trm_reducer *reducer, trm_piece *piece) {
  for (;;) {
    int complete = 1;
    if (piece->n_requests > 0) {
      TRM_MPI(reducer->comm,
              MPI_Testall(piece->n_requests, piece->requests, &complete, MPI_STATUSES_IGNORE));
    }
    if (!complete) return false;
    piece->n_requests = 0;
    if (piece->advance(reducer, piece)) return true;
  }
}

static bool lanes_poll(trm_reducer *reducer) {
  lanes *l = reducer->transport_state;
  const uint64_t n_started = atomic_load_explicit(&reducer->n_started, memory_order_acquire);
  bool moved = true;
  while (moved) {
    moved = false;
    for (int i = 0; i < N_LANES; ++i) {
      lane *this = &l->all[i];
      if (!this->busy || !advance_piece(reducer, &this->piece)) continue;
      this->busy = false;
      --l->n_in_flight;
      moved = true;
    }
    while (l->bucket < n_started && !l->all[l->n_pieces % N_LANES].busy) {
      lane *next = &l->all[l->n_pieces % N_LANES];
      begin_piece(reducer, l, &next->piece);
      next->busy = true;
      ++l->n_in_flight;
      moved = true;
    }
  }
  if (l->n_in_flight > 0) return false;
  atomic_store_explicit(&reducer->n_done, l->bucket, memory_order_release);
  return true;
}

static void lanes_destroy(trm_reducer *reducer) {
  lanes *l = reducer->transport_state;
  if (!l) return;
  TRM_ASSERT(l->n_in_flight == 0);
  TRM_FREE(l->memory);
  TRM_FREE(reducer->transport_state);
}

static const trm_transport transport = {
    .name = "point to point", .poll = lanes_poll, .destroy = lanes_destroy};

static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

/* One block of memory for all lanes: staging, scratch, leaves, requests. */
static trm_status allocate(trm_reducer *reducer, lanes *l) {
  const int64_t staging =
      most(reducer->engine->staging(reducer, l->slice), trm_exchange_staging(reducer, l->exchange));
  const int64_t n_requests =
      most(reducer->engine->n_requests(reducer), trm_exchange_n_requests(reducer));
  const size_t staging_bytes = trm_arena_cost(staging, sizeof(float));
  const size_t scratch_bytes = trm_arena_cost(trm_sum_scratch(&reducer->plan), sizeof(float));
  const size_t leaves_bytes = trm_arena_cost(reducer->plan.n_leaves, sizeof(float *));
  const size_t requests_bytes = trm_arena_cost(n_requests, sizeof(MPI_Request));
  const size_t lane_bytes = staging_bytes + scratch_bytes + leaves_bytes + requests_bytes;
  TRM_TRY(trm_alloc_bytes(&l->memory, N_LANES, lane_bytes, "message buffers of the all-reduce"));
  unsigned char *next = l->memory;
  for (int i = 0; i < N_LANES; ++i) {
    trm_piece *piece = &l->all[i].piece;
    piece->staging = (float *)next;
    piece->scratch = (float *)(next + staging_bytes);
    piece->leaves = (const float **)(next + staging_bytes + scratch_bytes);
    piece->requests = (MPI_Request *)(next + staging_bytes + scratch_bytes + leaves_bytes);
    next += lane_bytes;
  }
  return TRM_OK;
}

/* Staging of a lane in proportion to the segment, and the longest segment that keeps the limit. */
static int64_t slice_elements(const trm_reducer *reducer, int64_t segment_bytes) {
  const int64_t preset =
      trm_comm_one_host(reducer->comm) ? DEFAULT_SEGMENT_BYTES : BETWEEN_HOSTS_BYTES;
  int64_t bytes = segment_bytes > 0 ? segment_bytes : preset;
  if (bytes < (int64_t)sizeof(float)) bytes = sizeof(float);
  while (bytes / 2 >= MIN_SEGMENT_BYTES &&
         reducer->engine->staging(reducer, bytes / (int64_t)sizeof(float)) >
             MAX_STAGING_BYTES / (int64_t)sizeof(float)) {
    bytes /= 2;
  }
  return trm_round_up_line(bytes / (int64_t)sizeof(float));
}

/* The shortest that any rank wants: staging memory depends on how many parts a rank has itself, and pieces
 * must be cut alike. Exact, since slices are far below 2^53. */
static trm_status agree_on_slice(const trm_reducer *reducer, int64_t segment_bytes,
                                 int64_t *slice) {
  double negative = -(double)slice_elements(reducer, segment_bytes);
  TRM_TRY(trm_comm_max_f64(reducer->comm, &negative, 1));
  *slice = (int64_t)-negative;
  return TRM_OK;
}

trm_status trm_lanes_create(trm_reducer *reducer, int64_t segment_bytes) {
  lanes *l = NULL;
  int64_t slice = 0;
  TRM_TRY(agree_on_slice(reducer, segment_bytes, &slice));
  trm_status status = TRM_ALLOC(&l, 1, "message buffers of the all-reduce");
  if (status == TRM_OK) {
    l->slice = slice;
    l->exchange = EXCHANGE_BYTES / (int64_t)sizeof(float) / (reducer->comm->size - 1);
    status = allocate(reducer, l);
  }
  status = trm_comm_agree(reducer->comm, status);
  if (status != TRM_OK) {
    if (l) TRM_FREE(l->memory);
    TRM_FREE(l);
    return status;
  }
  reducer->transport_state = l;
  reducer->transport = &transport;
  return TRM_OK;
}
