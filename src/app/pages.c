/** Pages of commands: for a reader, for man, and completion for shells, all from the tables of options. */
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "trireme/core/config.h"
#include "trireme/train/keys.h"

const char *const app_help_words[APP_N_PAGE_FORMATS] = {"--help", "--help=man", "--help=bash",
                                                        "--help=zsh", "--help=fish"};

bool app_asks_page(const char *word, app_page_format *format) {
  *format = APP_PAGE_TEXT;
  if (strcmp(word, "-h") == 0) return true;
  for (int i = 0; i < APP_N_PAGE_FORMATS; ++i) {
    *format = (app_page_format)i;
    if (strcmp(word, app_help_words[i]) == 0) return true;
  }
  return false;
}

/* Options that every command takes. */
static const app_option common[] = {
    {"--quiet", 'q', APP_TYPE_FLAG, false, 0, 0, NULL, NULL, "no progress and no notes"},
    {"--help", 'h', APP_TYPE_FLAG, false, 0, 0, NULL, NULL, "this page"},
};
enum { N_COMMON = sizeof common / sizeof common[0] };

static bool takes_value(const app_option *o) {
  return o->type != APP_TYPE_FLAG;
}

/* ---- text ------------------------------------------------------------------------------------ */

static void print_text_option(const app_option *o) {
  char left[64], letter[8] = "";
  if (o->letter) (void)snprintf(letter, sizeof letter, "-%c, ", o->letter);
  (void)snprintf(left, sizeof left, "%s%s%s%s%s", letter, o->name,
                 !takes_value(o)     ? ""
                 : o->value_optional ? "[="
                                     : " ",
                 takes_value(o) ? o->value_name : "", o->value_optional ? "]" : "");
  printf("  %-28s %s\n", left, o->help);
}

/* ---- man ------------------------------------------------------------------------------------- */

/* Text as roff takes it literally. */
static void put_roff(const char *text) {
  if (*text == '.' || *text == '\'') printf("\\&");
  for (const char *p = text; *p; ++p) {
    if (*p == '-') {
      printf("\\-");
    } else if (*p == '\\') {
      printf("\\e");
    } else {
      putchar(*p);
    }
  }
}

static void print_man_option(const app_option *o) {
  printf(".TP\n\\fB");
  if (o->letter) printf("\\-%c\\fR, \\fB", o->letter);
  put_roff(o->name);
  printf("\\fR");
  if (takes_value(o)) {
    printf(o->value_optional ? "[=\\fI" : " \\fI");
    put_roff(o->value_name);
    printf(o->value_optional ? "\\fR]" : "\\fR");
  }
  printf("\n");
  put_roff(o->help);
  printf("\n");
}

/* ---- shells ---------------------------------------------------------------------------------- */

/* Text between single quotes of any shell. */
static void put_quoted(const char *text) {
  putchar('\'');
  for (const char *p = text; *p; ++p) {
    if (*p == '\'') {
      printf("'\\''");
    } else {
      putchar(*p);
    }
  }
  putchar('\'');
}

/* "prepare synth" of "prepare synth --graph": its options go to the same words. */
static int words_of(const app_command *page) {
  const char *variant = strstr(page->name, " --");
  return variant ? (int)(variant - page->name) : (int)strlen(page->name);
}

/* As the colons of zsh's _describe and its brackets want it. */
static void put_zsh(const char *text) {
  for (const char *p = text; *p; ++p) {
    if (*p == '\'') continue;
    if (*p == ':') printf("\\\\");
    putchar(*p);
  }
}

static void print_shell_option(const app_command *page, const app_option *o,
                               app_page_format format) {
  const int n = words_of(page);
  if (format == APP_PAGE_BASH) {
    printf("_trireme_options[%.*s]+=' %s", n, page->name, o->name);
    if (o->letter) printf(" -%c", o->letter);
    printf("'\n");
  } else if (format == APP_PAGE_ZSH) {
    printf("_trireme_options[%.*s]+='%s:", n, page->name, o->name);
    put_zsh(o->help);
    printf("\n'\n");
  } else {
    printf("complete -c trireme -n '__trireme_on %.*s' -l %s", n, page->name, o->name + 2);
    if (o->letter) printf(" -s %c", o->letter);
    if (takes_value(o) && !o->value_optional) printf(" -r");
    printf(" -d ");
    put_quoted(o->help);
    printf("\n");
  }
}

/* ---- a page ---------------------------------------------------------------------------------- */

static void print_option(const app_command *page, const app_option *o, app_page_format format) {
  switch (format) {
  case APP_PAGE_TEXT:
    print_text_option(o);
    break;
  case APP_PAGE_MAN:
    print_man_option(o);
    break;
  default:
    print_shell_option(page, o, format);
  }
}

void app_print_page(const app_command *page, const app_option *options, int n_options,
                    app_page_format format) {
  if (format == APP_PAGE_TEXT) {
    app_print_usage(page);
    printf("%s\n", page->summary);
    if (n_options > 0) printf("\n");
  }
  if (format == APP_PAGE_MAN) {
    printf(".SS trireme ");
    put_roff(page->name);
    printf(" ");
    put_roff(page->words);
    printf("\n");
    put_roff(page->summary);
    printf("\n");
  }
  for (int i = 0; i < n_options; ++i) print_option(page, &options[i], format);
  for (int i = 0; i < N_COMMON && format != APP_PAGE_TEXT; ++i) {
    print_option(page, &common[i], format);
  }
}

/* The pages of a command, one for each kind where it has such. */
static int print_command(const app_command *command, app_page_format format) {
  char word[32], *words[] = {word, NULL};
  (void)snprintf(word, sizeof word, "%s", app_help_words[format]);
  if (command->print_kinds) return app_prepare_print_pages(format);
  return command->run(1, words);
}

/* ---- man pages ------------------------------------------------------------------------------- */

static void print_man_head(const char *name, const char *section, const char *summary) {
  printf(".TH %s %s \"\" \"trireme " TRM_VERSION "\"\n.SH NAME\n", name, section);
  put_roff(name);
  printf(" \\- ");
  put_roff(summary);
  printf("\n");
}

static void print_man_overview(void) {
  int n;
  const app_command *all = app_commands(&n);
  print_man_head("trireme", "1",
                 "trains Transformers, networks on images and graphs data-parallel");
  printf(
      ".SH SYNOPSIS\n.B trireme\n.I COMMAND\n[...]\n.br\n.B mpirun \\-n 4 trireme train lm.yaml\n"
      ".SH COMMANDS\n");
  for (int i = 0; i < n; ++i) {
    printf(".TP\n.B %s\n", all[i].name);
    put_roff(all[i].summary);
    printf("; see trireme\\-%s(1).\n", all[i].name);
  }
  printf(".SH EXIT STATUS\n");
#define APP_EXIT(name, value, exit_code, text) printf(".TP\n.B %d\n%s\n", exit_code, text);
  TRM_STATUS_LIST(APP_EXIT)
#undef APP_EXIT
  printf(".SH ENVIRONMENT\n.TP\n.B OMP_NUM_THREADS\ncompute threads of a rank\n.TP\n.B NO_COLOR\n"
         "set to anything: no colours on a terminal\n.SH SEE ALSO\ntrireme.yaml(5)\n");
}

/* Keys as they are in `trireme help config`, untouched. */
static trm_status print_man_keys(void) {
  trm_config_parts parts;
  trm_program_parts(&parts);
  print_man_head("trireme.yaml", "5", "configurations of trireme");
  printf(".SH KEYS\n.nf\n.cc ^\n"); /* lines of ours may begin with a point */
  TRM_TRY(trm_config_help(&parts, NULL, stdout));
  printf("^cc .\n.fi\n.SH SEE ALSO\ntrireme\\-train(1)\n");
  return TRM_OK;
}

static trm_status print_man(const char *name) {
  if (strcmp(name, "trireme") == 0) {
    print_man_overview();
    return TRM_OK;
  }
  if (strcmp(name, "config") == 0) return print_man_keys();
  const app_command *command = app_command_find(name);
  if (!command) {
    return trm_fail(TRM_ERR_USAGE,
                    "help man: no page '%s'; there are trireme, config and those of "
                    "commands",
                    name);
  }
  char title[64];
  (void)snprintf(title, sizeof title, "trireme-%s", name);
  print_man_head(title, "1", command->summary);
  printf(".SH SYNOPSIS AND OPTIONS\n");
  (void)print_command(command, APP_PAGE_MAN);
  printf(".SH SEE ALSO\ntrireme(1), trireme.yaml(5)\n");
  return TRM_OK;
}

/* ---- completion ------------------------------------------------------------------------------ */

static const char bash_end[] =
    "_trireme() {\n"
    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} on=${COMP_WORDS[1]}\n"
    "  COMPREPLY=()\n"
    "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "    COMPREPLY=($(compgen -W \"$_trireme_commands\" -- \"$cur\"))\n"
    "    return\n"
    "  fi\n"
    "  case $prev in\n"
    "    --set | -s)\n"
    "      COMPREPLY=($(compgen -S = -W \"$_trireme_keys\" -- \"$cur\"))\n"
    "      compopt -o nospace\n"
    "      return ;;\n"
    "  esac\n"
    "  if [ \"$on\" = prepare ] && [ \"$COMP_CWORD\" -eq 2 ]; then\n"
    "    COMPREPLY=($(compgen -W \"$_trireme_kinds\" -- \"$cur\"))\n"
    "    return\n"
    "  fi\n"
    "  [ \"$on\" = prepare ] && on=\"prepare ${COMP_WORDS[2]}\"\n"
    "  [ \"$on\" = help ] && [ \"$COMP_CWORD\" -eq 2 ] &&\n"
    "    COMPREPLY=($(compgen -W \"$_trireme_commands config augment search schema man "
    "completion\" -- \"$cur\")) && return\n"
    "  case $cur in\n"
    "    -*) COMPREPLY=($(compgen -W \"${_trireme_options[$on]}\" -- \"$cur\")) ;;\n"
    "  esac\n"
    "}\n"
    "complete -o default -o bashdefault -F _trireme trireme\n";

static const char zsh_end[] = "_trireme() {\n"
                              "  local on=$words[2]\n"
                              "  local -a lines\n"
                              "  if (( CURRENT == 2 )); then\n"
                              "    lines=(${(f)_trireme_commands})\n"
                              "    _describe command lines\n"
                              "    return\n"
                              "  fi\n"
                              "  if [[ $words[CURRENT-1] == (--set|-s) ]]; then\n"
                              "    compadd -S = -- ${=_trireme_keys}\n"
                              "    return\n"
                              "  fi\n"
                              "  if [[ $on == prepare ]]; then\n"
                              "    if (( CURRENT == 3 )); then\n"
                              "      compadd -- ${=_trireme_kinds}\n"
                              "      return\n"
                              "    fi\n"
                              "    on=\"prepare $words[3]\"\n"
                              "  fi\n"
                              "  if [[ $PREFIX == -* ]]; then\n"
                              "    lines=(${(f)_trireme_options[$on]})\n"
                              "    _describe option lines\n"
                              "  else\n"
                              "    _files\n"
                              "  fi\n"
                              "}\n"
                              "compdef _trireme trireme\n";

static const char fish_begin[] =
    "# Options of a command stand behind its words.\n"
    "function __trireme_on\n"
    "  set -l words (commandline -opc)\n"
    "  set -l n (math (count $argv) + 1)\n"
    "  test (count $words) -ge $n; and test \"$words[2..$n]\" = \"$argv\"\n"
    "end\n";

static void print_names(const char *before, const char *between, const char *after) {
  int n;
  const app_command *all = app_commands(&n);
  printf("%s", before);
  for (int i = 0; i < n; ++i) printf("%s%s", i ? between : "", all[i].name);
  printf("%s", after);
}

static void print_commands_of(app_page_format format) {
  int n;
  const app_command *all = app_commands(&n);
  if (format == APP_PAGE_BASH) print_names("_trireme_commands='", " ", "'\n");
  if (format == APP_PAGE_ZSH) printf("typeset -g _trireme_commands='");
  for (int i = 0; i < n && format == APP_PAGE_ZSH; ++i) {
    printf("%s:", all[i].name);
    put_zsh(all[i].summary);
    printf("\n");
  }
  if (format == APP_PAGE_ZSH) printf("'\n");
  for (int i = 0; i < n && format == APP_PAGE_FISH; ++i) {
    printf("complete -c trireme -n __fish_use_subcommand -a %s -d ", all[i].name);
    put_quoted(all[i].summary);
    printf("\n");
  }
}

static trm_status print_completion(const char *shell) {
  static const char *const shells[] = {"bash", "zsh", "fish"};
  trm_config_parts parts;
  int n, which = 0;
  const app_command *all = app_commands(&n);
  while (which < 3 && strcmp(shell, shells[which]) != 0) ++which;
  if (which == 3) {
    return trm_fail(TRM_ERR_USAGE, "help completion: no shell '%s'; there are bash, zsh, fish",
                    shell);
  }
  const app_page_format format = (app_page_format)(APP_PAGE_BASH + which);
  if (format == APP_PAGE_ZSH) printf("#compdef trireme\n");
  printf("# Completion of trireme " TRM_VERSION ", made by `trireme help completion %s`.\n", shell);
  if (format == APP_PAGE_BASH) printf("declare -gA _trireme_options=()\n");
  if (format == APP_PAGE_ZSH) printf("typeset -gA _trireme_options=()\n");
  if (format == APP_PAGE_FISH) printf("%s", fish_begin);
  print_commands_of(format);
  trm_program_parts(&parts);
  if (format == APP_PAGE_FISH) {
    printf("complete -c trireme -n '__trireme_on prepare' -f -a '");
    app_prepare_print_names();
    printf("'\ncomplete -c trireme -n '__trireme_on train' -s s -l set -x -a '");
    TRM_TRY(trm_config_print_names(&parts, stdout));
    printf("'\n");
  } else {
    printf("_trireme_kinds='");
    app_prepare_print_names();
    printf("'\n_trireme_keys='");
    TRM_TRY(trm_config_print_names(&parts, stdout));
    printf("'\n");
  }
  for (int i = 0; i < n; ++i) (void)print_command(&all[i], format);
  if (format == APP_PAGE_BASH) printf("%s", bash_end);
  if (format == APP_PAGE_ZSH) printf("%s", zsh_end);
  return TRM_OK;
}

trm_status app_print_pages(const char *what, const char *name) {
  if (!app_speaks()) return TRM_OK;
  return strcmp(what, "man") == 0 ? print_man(name) : print_completion(name);
}
