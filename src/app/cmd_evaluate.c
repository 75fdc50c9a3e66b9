#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "app.h"
#include "trireme/core/json.h"
#include "trireme/core/plural.h"
#include "trireme/train/train.h"

static void print_scores(const trm_evaluation *r) {
  for (int i = 0; i < r->n_scores; ++i) {
    if (!isnan(r->scores[i].value)) printf("  %-18s %.6f\n", r->scores[i].name, r->scores[i].value);
  }
}

static void print_result(const trm_evaluation *r) {
  if (r->n_scores == 0) {
    printf("step %" PRId64 ": validation loss %.6f nats a token, perplexity %.4f, %.4f bits, over "
           "%" PRId64 " token%s\n",
           r->step, r->loss, exp(r->loss), r->loss / log(2.0), r->count, trm_plural(r->count));
    return;
  }
  if (r->count == 0) {
    printf("step %" PRId64 ": the %s subset is empty\n", r->step, r->subset);
  } else {
    printf("step %" PRId64 ": %s loss %.6f %s per %s, over %" PRId64 "\n", r->step, r->subset,
           r->loss, r->loss_unit ? r->loss_unit : "nats", r->unit, r->count);
  }
  print_scores(r);
}

static void print_one(const trm_evaluation *r) {
  print_result(r);
  if (!isnan(r->train_loss)) {
    printf("  training part, measured alike: loss %.6f\n", r->train_loss);
  }
}

static void print_robustness(const trm_robustness *r, const trm_attack_options *a) {
  char pixels[48] = "", restarts[64] = "";
  if (r->pixels) (void)snprintf(pixels, sizeof pixels, " (%.4g/255)", a->eps * 255);
  if (a->restarts > 1) {
    (void)snprintf(restarts, sizeof restarts, ", worst of %" PRId64 " starts", a->restarts);
  }
  printf("step %" PRId64 ": %s under %s, eps %g%s in the %s norm%s, over %" PRId64 " %ss\n",
         r->step, r->subset, a->name, a->eps, pixels, a->norm, restarts, r->count, r->unit);
  const char *score = r->classes ? "accuracy" : "rmse";
  printf("  %-18s %.6f clean   %.6f under attack\n", score, r->clean, r->attacked);
  printf("  %-18s %.6f clean   %.6f under attack\n", "loss", r->clean_loss, r->attacked_loss);
}

/* What says how to attack needs an attack; what is not given becomes the default. */
static trm_status settle_attack(trm_attack_options *a) {
  const char *given = a->eps >= 0         ? "--eps"
                      : a->steps > 0      ? "--attack-steps"
                      : a->step_size >= 0 ? "--step-size"
                      : a->restarts > 0   ? "--restarts"
                      : a->norm           ? "--attack-norm"
                                          : NULL;
  if (!a->name && given) {
    return trm_fail(TRM_ERR_USAGE, "evaluate: %s is for --attack; give one of fgsm, pgd", given);
  }
  if (a->step_size < 0) a->step_size = 0;
  if (a->restarts == 0) a->restarts = 1;
  if (!a->norm) a->norm = "sup";
  return TRM_OK;
}

/* ---- as JSON ---------------------------------------------------------------------------------- */

static void put_real(const char *name, double value) {
  if (isnan(value)) return;
  printf(", \"%s\": ", name);
  trm_json_real(stdout, value);
}

static void put_text(const char *name, const char *text) {
  printf(", \"%s\": ", name);
  trm_json_text(stdout, text ? text : "");
}

static void put_result(const char *run, const trm_evaluation *r) {
  printf("{\"run\": ");
  trm_json_text(stdout, run);
  printf(", \"step\": %" PRId64 ", \"count\": %" PRId64, r->step, r->count);
  put_text("unit", r->unit);
  put_text("subset", r->n_scores > 0 ? r->subset : "validation");
  if (r->count > 0) put_real("loss", r->loss);
  put_text("loss_unit", r->loss_unit ? r->loss_unit : "nats");
  put_real("train_loss", r->train_loss);
  printf(", \"scores\": {");
  const char *between = "";
  for (int i = 0; i < r->n_scores; ++i) {
    if (isnan(r->scores[i].value)) continue;
    printf("%s\"%s\": ", between, r->scores[i].name);
    trm_json_real(stdout, r->scores[i].value);
    between = ", ";
  }
  printf("}}");
}

/* One, or a list of the members with the whole behind them, whose run is "". */
static void put_results(const trm_members *members, const trm_evaluation *results) {
  if (members->n == 1) {
    put_result(members->runs[0], results);
  } else {
    for (int i = 0; i <= members->n; ++i) {
      printf(i == 0 ? "[" : ",\n ");
      put_result(i < members->n ? members->runs[i] : "", &results[i]);
    }
    printf("]");
  }
  printf("\n");
}

static void put_robustness(const char *run, const trm_robustness *r, const trm_attack_options *a) {
  printf("{\"run\": ");
  trm_json_text(stdout, run);
  printf(", \"step\": %" PRId64 ", \"count\": %" PRId64, r->step, r->count);
  put_text("unit", r->unit);
  put_text("subset", r->subset);
  put_text("attack", a->name);
  put_real("eps", a->eps);
  put_text("norm", a->norm);
  put_text("score", r->classes ? "accuracy" : "rmse");
  put_real("clean", r->clean);
  put_real("attacked", r->attacked);
  put_real("clean_loss", r->clean_loss);
  put_real("attacked_loss", r->attacked_loss);
  printf("}\n");
}

/* ---- the command ------------------------------------------------------------------------------ */

/* Each member, then the whole. */
static void print_ensemble(const trm_members *members, const trm_evaluation *results) {
  for (int i = 0; i < members->n; ++i) {
    printf("%s\n", members->runs[i]);
    print_one(&results[i]);
  }
  const trm_evaluation *whole = &results[members->n];
  printf("all %d, %s\n", members->n, members->vote ? "by votes" : "by their mean");
  if (whole->count > 0) {
    printf("  %s loss %.6f nats per %s, over %" PRId64 "\n", whole->subset, whole->loss,
           whole->unit, whole->count);
  }
  print_scores(whole);
}

static trm_status evaluate_all(trm_comm *comm, const trm_evaluate_options *options,
                               const trm_members *members, bool json, bool report) {
  trm_evaluation results[TRM_MAX_MEMBERS + 1];
  TRM_TRY(members->n == 1 ? trm_evaluate_run(comm, options, results)
                          : trm_evaluate_ensemble(comm, options, members, results));
  if (report) TRM_TRY(trm_ensemble_keep(comm, members, results));
  if (trm_comm_rank(comm) != 0) return TRM_OK;
  if (json) {
    put_results(members, results);
  } else if (members->n == 1) {
    print_one(results);
  } else {
    print_ensemble(members, results);
  }
  return TRM_OK;
}

static trm_status run_attack(trm_comm *comm, const trm_evaluate_options *evaluate,
                             const trm_attack_options *attack, bool json) {
  trm_robustness result;
  TRM_TRY(trm_robustness_run(comm, evaluate, attack, &result));
  if (trm_comm_rank(comm) == 0 && json) put_robustness(evaluate->run, &result, attack);
  if (trm_comm_rank(comm) == 0 && !json) print_robustness(&result, attack);
  return TRM_OK;
}

int app_evaluate(int argc, char **argv) {
  const char *assignments[64];
  app_list words, sets = {.items = assignments, .capacity = 64};
  trm_evaluate_options evaluate = {0};
  trm_attack_options attack = {.eps = -1, .step_size = -1}; /* given: not so */
  trm_members members = {0};
  bool helped, json = false, report = false;
  int64_t threads = 0;
  const app_option options[] = {
      APP_JSON(&json),
      APP_FLAG("--best", &evaluate.best, "the best checkpoint, not the newest"),
      APP_FLAG("--raw", &evaluate.raw, "the weights as trained, also where the run averaged them"),
      APP_TEXT("--data", 0, &evaluate.data, "DATA.h5",
               "another data set of the same vocabulary, or the same features and classes"),
      APP_LIST("--set", 's', &sets, "eval.KEY=VALUE",
               "how it is evaluated, e.g. eval.beam=5: see trireme help config"),
      APP_TEXT("--attack", 0, &attack.name, "fgsm|pgd",
               "on the inputs: clean and attacked accuracy side by side, of the test part"),
      APP_REAL("--eps", &attack.eps, 0, 1e9, "EPS",
               "radius of the attack: of pixels in [0, 1], vectors of tokens, features"),
      APP_INT("--attack-steps", 0, &attack.steps, 1, 100000, "N", "steps of pgd (default: 40)"),
      APP_REAL("--step-size", &attack.step_size, 0, 1e9, "SIZE",
               "length of a step (default: 2.5 EPS / N; of fgsm EPS)"),
      APP_INT("--restarts", 0, &attack.restarts, 1, 100000, "N",
              "random starts, of which the worst counts for each sample (default: 1)"),
      APP_TEXT("--attack-norm", 0, &attack.norm, "sup|2", "of the ball (default: sup)"),
      APP_FLAG("--report", &report, "several runs: trireme report shows them and the whole"),
      APP_FLAG("--vote", &members.vote, "several runs: by votes, not by the mean of probabilities"),
      APP_THREADS(&threads),
  };
  trm_comm *comm = NULL;
  trm_status status = app_parse("evaluate", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) {
    status = app_members("evaluate", &words, &members);
  }
  if (status == TRM_OK) status = settle_attack(&attack);
  if (status == TRM_OK && attack.name && members.n > 1) {
    status = trm_fail(TRM_ERR_USAGE, "evaluate: --attack is on one run, %d are given", members.n);
  }
  if (status == TRM_OK && report && members.n == 1) {
    status =
        trm_fail(TRM_ERR_USAGE, "evaluate: --report is of several runs together, one is given");
  }
  status = app_start(&argc, &argv, threads, status, &comm);
  if (!comm) return app_end(NULL, status);
  if (status == TRM_OK) {
    evaluate.run = words.items[0];
    evaluate.sets = sets.items;
    evaluate.n_sets = sets.n;
    status = attack.name ? run_attack(comm, &evaluate, &attack, json)
                         : evaluate_all(comm, &evaluate, &members, json, report);
  }
  return app_end(&comm, status);
}
