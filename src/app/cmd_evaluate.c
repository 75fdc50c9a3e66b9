#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "app.h"
#include "trireme/train/train.h"

static void print_result(const trm_evaluation *r) {
  if (r->n_scores == 0) {
    printf("step %" PRId64 ": validation loss %.6f nats a token, perplexity %.4f, %.4f bits, over "
           "%" PRId64 " tokens\n",
           r->step, r->loss, exp(r->loss), r->loss / log(2.0), r->count);
    return;
  }
  if (r->count == 0) {
    printf("step %" PRId64 ": the %s subset is empty\n", r->step, r->subset);
  } else {
    printf("step %" PRId64 ": %s loss %.6f %s per %s, over %" PRId64 "\n", r->step, r->subset,
           r->loss, r->loss_unit ? r->loss_unit : "nats", r->unit, r->count);
  }
  for (int i = 0; i < r->n_scores; ++i) {
    if (!isnan(r->scores[i].value)) printf("  %-18s %.6f\n", r->scores[i].name, r->scores[i].value);
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

static trm_status run_attack(trm_comm *comm, const trm_evaluate_options *evaluate,
                             const trm_attack_options *attack) {
  trm_robustness result;
  TRM_TRY(trm_robustness_run(comm, evaluate, attack, &result));
  if (trm_comm_rank(comm) == 0) print_robustness(&result, attack);
  return TRM_OK;
}

static trm_status run_plain(trm_comm *comm, const trm_evaluate_options *evaluate) {
  trm_evaluation result;
  TRM_TRY(trm_evaluate_run(comm, evaluate, &result));
  if (trm_comm_rank(comm) != 0) return TRM_OK;
  print_result(&result);
  if (!isnan(result.train_loss)) {
    printf("  training part, measured alike: loss %.6f\n", result.train_loss);
  }
  return TRM_OK;
}

int app_evaluate(int argc, char **argv) {
  const char *assignments[64];
  app_list words, sets = {.items = assignments, .capacity = 64};
  trm_evaluate_options evaluate = {0};
  trm_attack_options attack = {.norm = "sup", .eps = -1, .restarts = 1};
  bool helped;
  int64_t threads = 0;
  const app_option options[] = {
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
      APP_THREADS(&threads),
  };
  trm_comm *comm = NULL;
  trm_status status = app_parse("evaluate", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) {
    status = app_expect("evaluate", &words, 1, "one run directory or checkpoint");
  }
  if (status == TRM_OK && !attack.name && attack.eps >= 0) {
    status = trm_fail(TRM_ERR_USAGE, "evaluate: --eps is for --attack; give one of fgsm, pgd");
  }
  status = app_start(&argc, &argv, threads, status, &comm);
  if (!comm) return app_end(NULL, status);
  if (status == TRM_OK) {
    evaluate.run = words.items[0];
    evaluate.sets = sets.items;
    evaluate.n_sets = sets.n;
    status = attack.name ? run_attack(comm, &evaluate, &attack) : run_plain(comm, &evaluate);
  }
  return app_end(&comm, status);
}
