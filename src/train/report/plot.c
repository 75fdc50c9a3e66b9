/* Curves as a picture of its own. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "curves.h"
#include "output_check.h"
#include "text_file.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/io/output.h"
#include "trireme/train/report.h"

extern char **environ;

static bool ends_with(const char *text, const char *end) {
  const size_t n = strlen(text), m = strlen(end);
  return n >= m && strcasecmp(text + n - m, end) == 0;
}

static const char mark[] = "<!-- trireme plot -->";

static trm_status add_mark(const char *png) {
  FILE *file = fopen(png, "ab");
  bool good = file && fputs(mark, file) >= 0;
  good = file && fclose(file) == 0 && good;
  return good ? TRM_OK : trm_fail(TRM_ERR_IO, "%s: writing failed: %s", png, strerror(errno));
}

/* Runs rsvg-convert, at twice the size for screens of many pixels. */
static trm_status convert(const char *svg, const char *png) {
  const char *const words[] = {"rsvg-convert", "--zoom", "2", "-o", png, svg, NULL};
  pid_t child;
  int ended;
  const int error = posix_spawnp(&child, words[0], NULL, NULL, (char *const *)words, environ);
  if (error != 0) {
    return trm_fail(TRM_ERR_IO,
                    "%s: PNG is made by rsvg-convert, which cannot be started (%s); install "
                    "librsvg2-bin, or give -o a name that ends with .svg",
                    png, strerror(error));
  }
  while (waitpid(child, &ended, 0) < 0) {
    if (errno != EINTR) return trm_fail(TRM_ERR_IO, "rsvg-convert: %s", strerror(errno));
  }
  if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0) return add_mark(png);
  return trm_fail(TRM_ERR_IO, "%s: rsvg-convert failed; its own message is above", png);
}

/* A PNG goes through an SVG beside it, and appears whole or not at all. */
static trm_status publish(trm_text_file *file, const char *path) {
  char svg[4096], png[4096];
  if (!ends_with(path, ".png")) return trm_text_file_publish(file, path);
  if (snprintf(svg, sizeof svg, "%s.tmp.%ld.svg", path, (long)getpid()) >= (int)sizeof svg ||
      snprintf(png, sizeof png, "%s.tmp.%ld", path, (long)getpid()) >= (int)sizeof png) {
    trm_text_file_discard(file);
    return trm_fail(TRM_ERR_IO, "%.200s...: path too long", path);
  }
  trm_status status = trm_text_file_publish(file, svg);
  if (status == TRM_OK) status = convert(svg, png);
  if (status == TRM_OK) status = trm_file_publish(png, path);
  (void)unlink(svg);
  (void)unlink(png); /* is there after a failure alone */
  return status;
}

/* The loss, and the chart of what makes an evaluation the best. */
static int choose(const trm_study *study, const trm_charts *charts, const char *what,
                  trm_chart chosen[2]) {
  char subset[16];
  const char *metric = "";
  int n = 0;
  if (!trm_score_parts(study->select, subset, &metric)) metric = "";
  for (int i = 0; i < charts->n && n < 2; ++i) {
    const char *name = charts->charts[i].name;
    if (what || strcmp(name, "loss") == 0 || strcmp(name, metric) == 0) {
      chosen[n++] = charts->charts[i];
    }
  }
  return n;
}

static trm_status draw(const trm_study *study, const char *what, const char *path) {
  enum { POINTS = 40000 };
  trm_charts charts;
  trm_chart chosen[2];
  trm_text_file file;
  TRM_TRY(trm_charts_make(study, what, POINTS, &charts));
  const int n = choose(study, &charts, what, chosen);
  trm_status status = trm_text_file_begin(&file);
  if (status == TRM_OK) {
    chosen[0].mark = mark;
    trm_charts_svg(chosen, n, file.stream);
    status = publish(&file, path);
  }
  trm_charts_free(&charts);
  return status;
}

/* ---- what may be written over ------------------------------------------------------------------ */

/* The mark stands at the beginning of an SVG, and behind the end of a PNG, where readers do not look. */
static bool is_plot(const char *path) {
  enum { MOST_BYTES = 1 << 26 };
  char *text = NULL;
  int64_t bytes = 0;
  const int64_t n = sizeof mark - 1;
  if (!ends_with(path, ".png")) return trm_file_begins_with(path, mark);
  if (trm_file_read_all(path, MOST_BYTES, &text, &bytes) != TRM_OK) return false;
  const bool ours = bytes >= n && memcmp(text + bytes - n, mark, (size_t)n) == 0;
  TRM_FREE(text);
  return ours;
}

trm_status trm_plot_write(const char *const *folders, int n_folders, const char *what, bool force,
                          const char *path) {
  const trm_output_rule rule = {.command = "plot", .made = is_plot, .force = force};
  trm_study study;
  if (!ends_with(path, ".svg") && !ends_with(path, ".png")) {
    return trm_fail(TRM_ERR_USAGE, "plot: -o %s: give a name that ends with .svg or .png", path);
  }
  TRM_TRY(trm_report_check_output(&rule, folders, n_folders, path));
  TRM_TRY(trm_study_read(folders, n_folders, &study));
  const trm_status status = draw(&study, what, path);
  trm_study_free(&study);
  return status;
}
