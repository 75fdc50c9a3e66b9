"""Every remedy in a message is followed: it leads to success, or to the next honest error.

    test_remedies.py [--scan] [FAMILY...]

FAMILY: a module of remedies/, whose rows are followed. --scan: no message that advises something is missing
in the table. Without either, both of all.
"""
import concurrent.futures
import importlib
import shlex

from harness import *
from remedies import data, elsewhere, scan

FAMILIES = "prepare samples keys runs tools".split()


def tables():
    return [importlib.import_module(f"remedies.{name}").TABLE for name in FAMILIES]


def complete():
    """Every remedy of the sources has a row, or stands among those that are provoked elsewhere."""
    found = scan.remedies(SOURCE)
    check(len(found) > 400, f"the scanner finds messages: {len(found)}")
    said = [row.says for table in tables() for row in table.rows]
    listed = list(elsewhere.PROVOKED) + list(elsewhere.NOT_PROVOKED) + list(elsewhere.NO_REMEDY)
    for message in found:
        check(any(part in message.text for part in said + listed),
              f"{message.file}:{message.line}: no row of tests/e2e/remedies has: {message.text}")
    texts = [message.text for message in scan.messages(SOURCE)]
    for part in said + listed:
        check(any(part in text for text in texts), f"a row of no message: {part!r}")
    for part, where in elsewhere.PROVOKED.items():
        test, words = where if isinstance(where, tuple) else (where, None)
        with open(os.path.join(SOURCE, "tests", test), encoding="utf-8") as file:
            content = file.read()
        there = words in content if words else any(shares_words(t, content) for t in texts if part in t)
        check(there, f"{part!r}: not in tests/{test}")


def shares_words(message, content):
    """Whether two words of a message that stand together are in a test."""
    plain = re.split(r"%[-.\d]*(?:ll|l|z)?[a-z]|<\w+>", message)
    runs = (" ".join(run) for part in plain for words in [part.split()] for run in zip(words, words[1:]))
    return any(run in content for run in runs if len(run) > 8)


def words_of(text, number, kind):
    words = shlex.split(text)
    settings = [word for word in words if re.match(r"[A-Z_]+=", word)]
    words = [word for word in words if word not in settings]
    if words[0] == "prepare" and "-o" not in words and "NO-o" not in words:
        words += ["-o", f"o{number}{kind}.h5"]
    if words[0] == "train" and "--go" not in words and "--check" not in words:
        words += ["--check"]
    return settings, [word for word in words if word not in ("NO-o", "--go")]


def attempt(text, folder, number, kind):
    """Commands with && between; the last one's exit code, and all that was said."""
    said = ""
    for part in text.split(" && "):
        settings, words = words_of(part, number, kind)
        ranks = [word for word in words if re.match(r"@\d$", word)]
        words = [word for word in words if word not in ranks]
        ranks = int(ranks[0][1:]) if ranks else 0
        whole = words if words[0] == "sh" else command(words, ranks)
        done = subprocess.run(["env", *settings, *whole], env=environment(), cwd=folder, timeout=300,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said += done.stdout.decode(errors="replace")
    return done.returncode, said


def follow(row, folder, number):
    """One row: [what is not as it must be]."""
    wrong = attempt(row.wrong, folder, number, "w")
    if not scan.pattern(row.says).search(wrong[1]):
        return f"{row.wrong}\n  does not say: {row.says}\n  but ({wrong[0]}): {wrong[1][-600:]}"
    mended = attempt(row.mended, folder, number, "m")
    if row.then is None and mended[0] != 0:
        return f"{row.says}\n  the remedy does not help: {row.mended}\n  ({mended[0]}): {mended[1][-600:]}"
    if row.then and (not scan.pattern(row.then).search(mended[1]) or scan.pattern(row.says).search(mended[1])):
        return f"{row.says}\n  {row.mended}\n  does not lead to: {row.then}\n  but ({mended[0]}): {mended[1][-600:]}"
    return None


def main(families):
    """Follows the rows of these families, each in a folder of its own."""
    jobs, only = [], os.environ.get("REMEDIES_ONLY", "")
    for name in families:
        table, folder = importlib.import_module(f"remedies.{name}").TABLE, temp_folder()
        table.write(folder)
        data.make(folder, table.needs)
        jobs += [(row, folder) for row in table.rows if only in row.says or only in row.wrong]
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("REMEDIES_JOBS", "2"))) as pool:
        for problem in pool.map(lambda number: follow(*jobs[number], number), range(len(jobs))):
            check(problem is None, problem)


if len(sys.argv) == 1 or "--scan" in sys.argv:
    complete()
main([name for name in sys.argv[1:] if name != "--scan"] or FAMILIES if sys.argv[1:] != ["--scan"] else [])
finish()
