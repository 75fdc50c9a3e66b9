/** `trireme prepare`: finds the way of prepare/prepare_list.h that is asked for, and lets it run. */
#include <stdio.h>
#include <string.h>

#include "trireme/core/config.h"
#include "ways.h"

#define APP_PREPARE(name) extern const app_prepare_way app_prepare_way_##name;
#include "prepare_list.h"
#undef APP_PREPARE

static const app_prepare_way *const ways[] = {
#define APP_PREPARE(name) &app_prepare_way_##name,
#include "prepare_list.h"
#undef APP_PREPARE
};
enum { N_WAYS = sizeof ways / sizeof ways[0] };

/* ---- the list ------------------------------------------------------------------------------- */

/* "synth --graph" into text[64]. */
static const char *name_of(const app_prepare_way *way, char text[64]) {
  (void)snprintf(text, 64, "%s%s%s", way->name, way->variant ? " " : "",
                 way->variant ? way->variant : "");
  return text;
}

/* First words that can be given: of ways with variants once. */
static int first_words(const char *names[N_WAYS]) {
  int n = 0;
  for (int i = 0; i < N_WAYS; ++i) {
    if (!ways[i]->variant) names[n++] = ways[i]->name;
  }
  return n;
}

void app_prepare_print_kinds(void) {
  const char *separator = " ";
  for (int i = 0; i < N_WAYS; ++i) {
    if (ways[i]->variant) continue;
    printf("%s%s%s%s", separator, ways[i]->name, *ways[i]->words ? " " : "", ways[i]->words);
    separator = " | ";
  }
}

void app_prepare_print_names(void) {
  const char *names[N_WAYS];
  const int n = first_words(names);
  for (int i = 0; i < n; ++i) printf("%s%s", i ? " " : "", names[i]);
}

static void print_list(void) {
  const app_command *command = app_command_find("prepare");
  app_print_usage(command);
  printf("%s\n\n", command->summary);
  for (int i = 0; i < N_WAYS; ++i) {
    char name[64], left[128];
    (void)snprintf(left, sizeof left, "%s %s", name_of(ways[i], name), ways[i]->words);
    printf("  %-34s %s\n", left, ways[i]->summary);
  }
  printf("\nOptions of a kind: trireme help prepare KIND\n");
}

/* Adds `name` to a list "a, b, c" that is cut short when it is full. */
static void add_name(char *list, size_t bytes, const char *name) {
  const size_t length = strlen(list);
  (void)snprintf(list + length, bytes - length, "%s%s", length > 0 ? ", " : "", name);
}

static trm_status unknown(const char *word) {
  const char *names[N_WAYS];
  char list[512] = "";
  const int n = first_words(names);
  for (int i = 0; i < n; ++i) add_name(list, sizeof list, names[i]);
  const char *near = word ? trm_nearest(word, names, n) : NULL;
  if (!word) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare: give what to prepare (%s) and -o DATA.h5; see trireme help prepare",
                    list);
  }
  return trm_fail(TRM_ERR_USAGE, "prepare: no kind '%s'%s%s%s; there are %s", word,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", list);
}

static const app_prepare_way *find(const char *name, const char *variant) {
  for (int i = 0; i < N_WAYS; ++i) {
    const char *other = ways[i]->variant;
    if (strcmp(ways[i]->name, name) != 0 || !other != !variant) continue;
    if (!variant || strcmp(variant, other) == 0) return ways[i];
  }
  return NULL;
}

/* ---- reading argv before a way does --------------------------------------------------------- */

static bool is_option(const char *word) {
  return word[0] == '-' && word[1] != 0;
}

static bool is_help(const char *word) {
  app_page_format format;
  return app_asks_page(word, &format);
}

/* Whether the way takes the option that `word` gives; *option becomes it. */
static bool takes(const app_prepare_way *way, const char *word, app_option *option) {
  app_prepare_call call = {.asked = word};
  (void)way->run(&call);
  *option = call.taken;
  return call.taken.name != NULL;
}

/* Whether any way takes the option; *value_follows tells whether its value is the next of argv. */
static bool is_known(const char *word, bool *value_follows) {
  bool known = is_help(word) || strcmp(word, "--quiet") == 0 || strcmp(word, "-q") == 0;
  *value_follows = false;
  for (int i = 0; i < N_WAYS; ++i) {
    app_option o;
    if (!takes(ways[i], word, &o)) continue;
    TRM_ASSERT(!known || *value_follows == app_option_takes_next(&o, word));
    *value_follows = app_option_takes_next(&o, word);
    known = true;
  }
  return known;
}

/* Where the name of the way is: the first word that is no value of an option; -1: there is none. */
static int find_name(int argc, char **argv) {
  for (int i = 0; i < argc; ++i) {
    bool value_follows;
    if (strcmp(argv[i], "--") == 0) return i + 1 < argc ? i + 1 : -1;
    if (!is_option(argv[i])) return i;
    /* What follows an option that no way takes may be its value, or the name. */
    if (!is_known(argv[i], &value_follows))
      value_follows = i + 1 < argc && !find(argv[i + 1], NULL);
    if (value_follows) ++i;
  }
  return -1;
}

/* The next option from argv[*i] on, up to "--"; NULL: none is left. */
static const char *next_option(int argc, char **argv, int *i) {
  while (*i < argc && strcmp(argv[*i], "--") != 0) {
    const char *word = argv[(*i)++];
    bool value_follows;
    if (!is_option(word)) continue;
    if (is_known(word, &value_follows) && value_follows) ++*i;
    return word;
  }
  return NULL;
}

static bool asks_help(int argc, char **argv) {
  const char *word;
  for (int i = 0; (word = next_option(argc, argv, &i));) {
    if (is_help(word)) return true;
  }
  return false;
}

/* The way of this name whose variant is among the options, else the one without. */
static const app_prepare_way *choose(const char *name, int argc, char **argv) {
  const char *word;
  for (int i = 0; (word = next_option(argc, argv, &i));) {
    char variant[64];
    (void)snprintf(variant, sizeof variant, "%.*s", (int)strcspn(word, "="), word);
    const app_prepare_way *way = find(name, variant);
    if (way) return way;
  }
  return find(name, NULL);
}

/* Fails for an option that only other ways take; what no way takes is left to the parser. */
static trm_status refuse_of_others(const app_prepare_way *way, int argc, char **argv) {
  const char *word;
  for (int i = 0; (word = next_option(argc, argv, &i));) {
    app_option o, other = {0};
    char name[64], list[512] = "";
    if (takes(way, word, &o)) continue;
    for (int k = 0; k < N_WAYS; ++k) {
      if (!takes(ways[k], word, &o)) continue;
      other = o;
      add_name(list, sizeof list, name_of(ways[k], name));
    }
    if (!other.name) continue;
    return trm_fail(TRM_ERR_USAGE,
                    "prepare %s: takes no %s, which is for %s; see trireme prepare %s --help",
                    name_of(way, name), other.name, list, name);
  }
  return TRM_OK;
}

/* ---- the command ---------------------------------------------------------------------------- */

static trm_status run(const app_prepare_way *way, int argc, char **argv, trm_log *log) {
  char name[64], full[80];
  (void)snprintf(full, sizeof full, "prepare %s", name_of(way, name));
  app_prepare_call call = {.name = full,
                           .words = way->words,
                           .summary = way->summary,
                           .argc = argc,
                           .argv = argv,
                           .log = log};
  return way->run(&call);
}

/* The pages of all ways of a name. */
static trm_status show_pages(const char *name, trm_log *log) {
  char help[] = "--help", *page[] = {help, NULL};
  const char *between = "";
  for (int i = 0; i < N_WAYS; ++i) {
    if (strcmp(ways[i]->name, name) != 0) continue;
    if (app_speaks()) printf("%s", between);
    TRM_TRY(run(ways[i], 1, page, log));
    between = "\n";
  }
  return TRM_OK;
}

static trm_status prepare(int argc, char **argv, trm_log *log) {
  const int at = find_name(argc, argv);
  if (at < 0 && asks_help(argc, argv)) {
    if (app_speaks()) print_list();
    return TRM_OK;
  }
  if (at < 0) return unknown(NULL);
  const char *name = argv[at];
  if (!find(name, NULL)) return unknown(name);
  --argc;
  memmove(argv + at, argv + at + 1, (size_t)(argc - at) * sizeof *argv);
  const app_prepare_way *way = choose(name, argc, argv);
  if (!way->variant && asks_help(argc, argv)) return show_pages(name, log);
  TRM_TRY(refuse_of_others(way, argc, argv));
  return run(way, argc, argv, log);
}

int app_prepare_print_pages(app_page_format format) {
  trm_log log;
  trm_log_init(&log, stderr);
  for (int i = 0; i < N_WAYS; ++i) {
    char word[32], *page[] = {word, NULL};
    (void)snprintf(word, sizeof word, "%s", app_help_words[format]);
    (void)run(ways[i], 1, page, &log); /* a page cannot fail */
  }
  trm_log_close(&log);
  return 0;
}

int app_prepare(int argc, char **argv) {
  trm_log log;
  trm_log_init(&log, stderr);
  const trm_status status = prepare(argc, argv, &log);
  trm_log_close(&log);
  return app_end(NULL, status);
}
