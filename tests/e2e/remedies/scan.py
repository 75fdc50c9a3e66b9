"""Finds the messages of the program and of launch/ that advise something.

A message is a string literal of C, with those that the compiler joins to it and with <PRId64> for such
a macro, outside the tables of keys and options, whose texts are help. It advises something if a word of
command stands where one can (behind ; : , ( or "or"), or if it names an option or a command of ours.
"""
import os
import re

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[A-Za-z_]\w*|\s+|.', re.S)

WORDS = """add ask build call check choose close compile convert copy correct cut divide do double drop fetch
fill free give go increase install join keep label leave let limit list look lower make mark mend move name
number open order pass pick prepare put raise read remove rename repeat replace resume run save select set
shorten show sort spell split start store swap take tell train transpose try turn type unpack unset use wait
write""".split()
COMMAND = "(?:%s)" % "|".join(WORDS)
REMEDY = re.compile(rf"(?:(?:[;:,(]|; then|\bor|\.) |^[;,]? ?|\()(?:or |either )?{COMMAND}\b(?! of\b| as:)"
                    rf"|(?<![\w-])--[a-z]|`trireme|\btrireme [a-z]+ |\b(?:ulimit|iconv|h5repack|gunzip)\b", re.I)

# Where literals are help, not messages: calls, and files whose literals are pages.
HELP_CALLS = re.compile(r"TRM_KEY_\w+|APP_(?!EXPECT)[A-Z_]+|_Static_assert|_Pragma|TRM_ALLOC|trm_h5_\w+|trm_io_fail")
HELP_FILES = ("src/app/pages.c", "src/app/cmd_help.c", "src/core/config_text.c", "src/train/report/page/",
              "src/train/report/charts/")
# Tables of commands and of what is prepared: usage and a sentence.
USAGE_FILES = ("src/app/main.c", "src/app/prepare/")


class Message:
    def __init__(self, file, line, call, text):
        self.file, self.line, self.call, self.text = file, line, call, text

    def __str__(self):
        return f"{self.file}:{self.line}: {self.text}"


def literals(path, name):
    """[Message] of every string literal of a C file."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found, calls, before, line, now = [], [], "", 1, None
    for match in TOKEN.finditer(text):
        token = match.group(0)
        if not token.isspace() and token[:2] not in ("/*", "//"):
            if token[0] == '"':
                now = now or Message(name, line, calls[-1] if calls else "", "")
                now.text += token[1:-1]
            elif now and re.match(r"(?:PRI\w+|TRM_VERSION)$", token):
                now.text += f"<{token}>"
            else:
                if now:
                    found.append(now)
                now = None
                if token == "(":
                    inner = calls[-1] if calls else ""
                    calls.append(before if re.match(r"\w", before) else inner)
                elif token == "{":
                    calls.append("{")
                elif token in ")}" and calls:
                    calls.pop()
            before = token
        line += token.count("\n")
    return [m for m in found if re.search(r"\w'? \S", m.text)]


def is_help(message):
    if HELP_CALLS.match(message.call) or message.file.startswith(HELP_FILES):
        return True
    return message.call == "{" and message.file.startswith(USAGE_FILES) and not message.text.startswith(",")


def shell_lines(path, name):
    """[Message] of every line of a script that says something to its user."""
    found = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            said = re.match(r"\s*[^#]*?\b(echo|die|say|fail|warn|note|printf|usage)\b(.*)", line)
            if said and re.search(r"[a-z] [a-z]", said.group(2)):
                found.append(Message(name, number, said.group(1), said.group(2).strip()))
    return found


def messages(source):
    """[Message] of src/ and launch/, in the order of the files."""
    found = []
    for folder, _, names in sorted(os.walk(os.path.join(source, "src"))):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                path = os.path.join(folder, name)
                found += [m for m in literals(path, os.path.relpath(path, source)) if not is_help(m)]
    for folder, _, names in sorted(os.walk(os.path.join(source, "launch"))):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not name.endswith((".md", ".py", ".txt")):
                found += shell_lines(path, os.path.relpath(path, source))
    return found


def remedies(source):
    """Those that advise something."""
    return [m for m in messages(source) if REMEDY.search(m.text)]


def pattern(says):
    """What a fragment of a message looks like once it is printed."""
    plain = re.sub(r"\\(.)", r"\1", says)
    parts = re.split(r"%(?:[-+ 0#]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:ll|l|z|h)?[a-zA-Z]|%|<\w+>)|<\w+>", plain)
    return re.compile(".*".join(re.escape(part) for part in parts), re.S)
