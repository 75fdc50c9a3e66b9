/**
 * What the files of the watch share.
 *
 *     watch.c      phases, the thread, its decision to speak or to obey
 *     pulse.c      the channel: who hears whom, datagrams, what was heard of each rank
 *     addresses.c  the addresses at which a host's ranks can be reached
 *     judge.c      who of the ranks is to blame, and how to say it
 *     pace.c       which rank is slower than the others
 *     process.c    what /proc says of a process
 *     launcher.c   ending the launcher of this host, and what it started
 *
 * No function here that the thread calls allocates, makes an MPI call or takes a lock that a working
 * thread may hold.
 */
#ifndef TRIREME_COMM_WATCH_INTERNAL_H
#define TRIREME_COMM_WATCH_INTERNAL_H

#include <netinet/in.h>
#include <sys/types.h>

#include "comm_internal.h"
#include "trireme/comm/watch.h"

/* ---- processes (process.c) ------------------------------------------------------------------- */

/** A process: numbers are used again, a start time with them is not. */
typedef struct trm_process {
  int32_t pid;
  int32_t parent;
  uint64_t started; /* clock ticks since the host started */
  char state;       /* letter of /proc/PID/stat, 'X' when there is none */
  char name[17];    /* what was executed, cut to 15 characters by the kernel */
} trm_process;

/** What /proc says; state 'X' when there is no such process. Safe after fork. */
trm_process trm_process_look(int32_t pid);
/** Whether it is that process still, and no zombie. Safe after fork. */
bool trm_process_lives(const trm_process *process);

/* ---- the launcher (launcher.c) --------------------------------------------------------------- */

/** What this host's part of the job consists of, apart from this process. */
typedef struct trm_launch {
  bool has_launcher;     /* members[0] is mpirun itself */
  int n, capacity;       /* members */
  trm_process *members;  /* launcher or daemon first; owned */
  const char *exit_file; /* where the exit code goes if the launcher has to be killed, or NULL */
} trm_launch;

/** Finds mpirun, or its daemon, among this process's ancestors, and their children. Local.
 *  @return TRM_ERR_MEMORY */
trm_status trm_launch_find(trm_launch *launch);
/** A rank of this host. Local. */
trm_status trm_launch_add(trm_launch *launch, const trm_process *process);
void trm_launch_release(trm_launch *launch);
/**
 * Leaves a process behind that gives the launcher `grace_s` to end by itself, which it does not while
 * it waits for a host that is gone, and then kills it and all members.
 */
void trm_launch_end(const trm_launch *launch, double grace_s);

/* ---- addresses (addresses.c) ----------------------------------------------------------------- */

enum { TRM_MAX_ADDRESSES = 8 };

/** IPv4 addresses of this host, network byte order, of the interfaces that MPI was told to use
 *  (Open MPI's btl_tcp_if_include and _exclude), or of all but the loopback. Returns their number. */
int trm_addresses_list(uint32_t addresses[TRM_MAX_ADDRESSES]);

/* ---- the ranks' state ------------------------------------------------------------------------ */

enum { TRM_PHASE_BYTES = 32 };

typedef enum trm_doing {
  TRM_RESTS, /* no phase, or one without a limit */
  TRM_WORKS,
  TRM_WAITS, /* for other ranks */
} trm_doing;

/** What a rank says of itself. */
typedef struct trm_vital {
  trm_doing doing;
  int64_t step;
  double still_s; /* since it moved, when it said so */
  double busy_s;  /* worked: neither waiting nor resting, since the watch began */
  double clock_s; /* when it said so, by its own clock */
  char mate; /* state of the next rank on its host as /proc has it, '?' when it cannot be seen */
  char phase[TRM_PHASE_BYTES];
} trm_vital;

/** What is known here of a rank. */
typedef struct trm_patient {
  bool tells; /* it tells this rank, and has not taken its leave */
  bool heard; /* and has been heard */
  double heard_s;
  int number; /* in the job */
  int mate;   /* the rank on its host that it looks at; its own: none */
  char host[TRM_HOST_BYTES];
  trm_vital vital;
} trm_patient;

/* ---- the judge (judge.c) --------------------------------------------------------------------- */

typedef enum trm_finding {
  TRM_WELL,
  TRM_SILENT,    /* ranks that nothing is heard of */
  TRM_STUCK,     /* they answer and do not move */
  TRM_ENTANGLED, /* all answer, and wait */
} trm_finding;

typedef struct trm_diagnosis {
  trm_finding finding;
  int n;      /* ranks to blame */
  int *ranks; /* [size] borrowed scratch */
} trm_diagnosis;

/**
 * Who is to blame, from what a judge knows. A pure function.
 *
 * Silence comes first; then ranks that work, answer, and have not moved, if somebody has waited as
 * long; then, if nobody is left who could be waited for with good reason, the connections.
 *
 * @param[out] diagnosis  its `ranks` are given: [size]
 * @param[in] rows        [size] the judge's own one among them, up to date
 * @param[in] alive_s     when all ranks were alive for sure: no time before it counts
 * @param[in] limit_s     without a sign of life
 */
void trm_judge(const trm_patient *rows, int size, double now_s, double alive_s, double limit_s,
               trm_diagnosis *diagnosis);
/** One line with its line feed. */
void trm_judge_words(const trm_patient *rows, int size, int self, const trm_diagnosis *diagnosis,
                     double now_s, double limit_s, char *line, size_t bytes);

/* ---- paces (pace.c) -------------------------------------------------------------------------- */

typedef struct trm_pace trm_pace;

/** Compares windows of at least `window_s` and three steps. Local. @return TRM_ERR_MEMORY */
trm_status trm_pace_create(int size, double window_s, trm_pace **out);
void trm_pace_destroy(trm_pace **pace);
/** A look at what the ranks tell; true when a window has ended. Ranks' work is compared by block. */
bool trm_pace_look(trm_pace *pace, const trm_patient *rows, int64_t n_blocks, double now_s);
const trm_straggler *trm_pace_found(const trm_pace *pace);

/* ---- the channel (pulse.c) ------------------------------------------------------------------- */

typedef struct trm_pulse trm_pulse;

/**
 * Opens the channel. Collective. Adds the ranks of this host to `launch`.
 * *out is NULL on all ranks where one of them has no socket or no address: no failure.
 * @return TRM_ERR_MEMORY, the same on all ranks
 */
trm_status trm_pulse_open(trm_comm *comm, trm_launch *launch, trm_pulse **out);
/** Takes leave of those who listen. Local. */
void trm_pulse_close(trm_pulse **pulse);
/** Tells those who are to know. */
void trm_pulse_tell(trm_pulse *pulse, const trm_vital *vital, double now_s);
/** Takes in what has come; true when a rank has ended the job. */
bool trm_pulse_listen(trm_pulse *pulse, double now_s);
/** Tells all ranks that the job ends. */
void trm_pulse_end(trm_pulse *pulse);
/** What is known of the ranks, [size], and what this one said last. */
const trm_patient *trm_pulse_rows(const trm_pulse *pulse);
/** Scratch for a diagnosis, [size]. */
int *trm_pulse_scratch(trm_pulse *pulse);
/** Whether a rank whose turn comes before this one's has been heard since then: it judges. */
bool trm_pulse_is_forestalled(const trm_pulse *pulse, double since_s);
/** Ranks whose turn comes before this one's. */
int trm_pulse_turn(const trm_pulse *pulse);

#endif
