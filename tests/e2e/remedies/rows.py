"""Rows of the table of remedies: a message, how it is provoked, what its remedy is, what comes then.

Words are those of the command line, in a folder with the files of the table and what it needs of data.py;
`&&` stands between commands, of which the last one counts. Besides, `@3` runs a command on 3 ranks, `NAME=x`
sets a variable of the environment, `sh -c '...'` runs what a message says to run, `prepare` writes a file of its own unless -o is there or `NO-o`, and
`train` looks only (--check) unless there is `--go`.
"""
import os

GOOD = None  # what comes after the remedy: success


class Row:
    def __init__(self, says, wrong, mended, then):
        self.says, self.wrong, self.mended, self.then = says, wrong, mended, then


class Table:
    """Rows of one family, and the files that they are about."""

    def __init__(self, prefix="", needs=()):
        self.rows, self.files, self.prefix, self.needs = [], {}, prefix, tuple(needs)

    def file(self, name, text):
        self.files[name] = text
        return name

    def row(self, says, wrong, mended, then=GOOD, prefix=None):
        """says: of the message, as it stands in the source; several parts of one line in a tuple.
        wrong: what provokes it; mended: what is done by who follows the remedy. then: GOOD, or what the
        next honest error says. Rows run side by side, so each writes files and runs of its own."""
        prefix = self.prefix if prefix is None else prefix
        for part in (says,) if isinstance(says, str) else says:
            self.rows.append(Row(part, prefix + wrong, prefix + mended, then))

    def write(self, folder):
        for name, text in self.files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(text if isinstance(text, bytes) else text.encode("utf-8"))
