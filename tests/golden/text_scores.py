"""Scores of texts, lists of tokens, classes and numbers by the packages that others use.

    pip install sacrebleu rapidfuzz scikit-learn
    python text_scores.py -o text_scores.tsv

sacreBLEU with its default settings: BLEU (13a, mixed case, exp) and chrF2; rapidfuzz: edits; scikit-learn:
Matthews correlation, RMSE, MAE, R2. Sentences are made up here, of words made up here or a few dozen
everyday ones, with a generator of their own: the same file every time.

One line each, fields between tabs; in texts \\\\, \\t, \\n, \\r and \\xNN for control characters and bytes that are no UTF-8:
    case      name  BLEU  chrF  tokens            hypothesis  reference...
    sentence  name  BLEU  chrF                    hypothesis  reference...
    corpus    name  BLEU  chrF  counts  counts    signature             of the sentences since the last one
    edits     name  edits                         list        list
    classes   name  n     Matthews                labels      predicted
    numbers   name  RMSE  MAE  R2                 targets     predicted
Counts: sacreBLEU's statistics. Scores of a case and a sentence are those of a corpus of that one.
"""

import argparse
import logging
import math
import platform

import rapidfuzz
import sacrebleu
import sklearn
from rapidfuzz.distance import Levenshtein
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sklearn import metrics

logging.disable(logging.WARNING)  # sacreBLEU's advice about single sentences


class Random:
    """Numbers from a seed, the same in every version of everything."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n

    def of(self, things):
        return things[self.below(len(things))]

    def chance(self, percent):
        return self.below(100) < percent


# ---- texts ---------------------------------------------------------------------------------------

# Hypothesis and references; bytes where they are no UTF-8.
CASES = {
    "same": ("The boat left the harbour at dawn.", "The boat left the harbour at dawn."),
    "one word off": ("The boat left the harbour at noon.", "The boat left the harbour at dawn."),
    "nothing alike": ("one two three four five", "six seven eight nine ten"),
    "empty hypothesis": ("", "The boat left."),
    "empty reference": ("The boat left.", ""),
    "both empty": ("", ""),
    "white space alone": (" \t ", "The boat left."),
    "no 4-grams": ("The boat left", "The boat left"),
    "one token": ("boat", "boat"),
    "one character": ("a", "a"),
    "no matching bigrams": ("a b c d e f", "f e d c b a"),
    "short": ("The boat left the harbour", "The boat left the harbour at dawn, before the others woke."),
    "long": ("The boat left the harbour at dawn, before the others woke.", "The boat left the harbour"),
    "repeated": ("the the the the the the the", "the cat is on the mat", "there is a cat on the mat"),
    "clipped": ("a a a a a b b a a a", "a a a b b b a a"),
    "case": ("the Boat Left THE harbour", "The boat left the harbour"),
    "punctuation": ("\"Well,\" she said; (yes!) it's [a] {test}: $5 + 3% = #8 @ home/away * 2 ^ `x` ~ y | z \\ w?",
                    "\"Well\", she said: (yes) it's a test; 5$ and 3 % of #8 at home / away"),
    "entities": ("&quot;Fish &amp; chips&quot; &lt;b&gt; &amp;lt; &amp;quot; &apos; &amp;amp; & &QUOT;",
                 "\"Fish & chips\" <b> < \" ' &amp; & &"),
    "skipped": ("a <skipped>b <skip<skipped>ped> c d", "a b c d"),
    "numbers": ("It cost 1,234.56 or 1.234,56, not 12,5. or .5 or 5., on 3.4.2020 at 10.30.",
                "It cost 1,234.56 or 1.234,56 not 12.5, or 0.5 or 5, on 3.4.2020 at 10:30."),
    "digits at the ends": ("5.5", "5.5"),
    "points": ("...", ".. ."),
    "points and commas": ("a..b,,c.,d 1..2,,3.,4 ,5 6, .7 8.", "a. .b , , c. , d 1. .2 , , 3 . , 4 , 5 6 , . 7 8 ."),
    "dashes": ("a well-known 5-year plan, 1-2-3 - x -5 --- 7-", "a well known 5 - year plan , 1 - 2 - 3 -x - 5 -- 7 -"),
    "dash and line end": ("auto-\nmatic \n line\nend-\n", "automatic line end"),
    "apostrophes": ("don't 'quote' rock 'n' roll's", "do n't ' quote ' rock 'n' roll 's"),
    "unicode": ("Größe naïve coöperate Ωμέγα слово 単語です 😀😀 e\u0301", "Größe naive coöperate Ωμεγα слово 単語だ 😀 é"),
    "unicode punctuation": ("«Oui», dit-il… – “non” ‘si’ 5–6 3،5", "« Oui » , dit-il ... - \"non\" 'si' 5-6 3,5"),
    "unicode digits": ("٣.٤ ３,４ ²., Ⅳ.", "٣ . ٤ ３ , ４ ² . , Ⅳ ."),
    "spaces": ("  a\u00a0b\u2003c\u3000d\u1680e\u2028f\u0085g\x1ch\u200bi\ufeffj  \t", "a b c d e f g h\u200bi\ufeffj"),
    "control characters": ("a\x01b \x7f c\rd\x0be", "a\x01b \x7f c d e"),
    "not UTF-8": (b"caf\xe9 \xff\xfe na\xc3 \xe2\x82 \xf0\x9f\x98 \xe2\x28\xa1 \xed\xa0\x80 \xc0\x80 \xf5 end\xf0\x9f",
                  b"caf\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd na\xef\xbf\xbd x end"),
    "tokenized": ("the boat left .", "the boat left ."),
    "several references": ("the boat left the port at dawn", "at dawn the boat left the harbour",
                           "the boat left the port early", "it was dawn when the boat left port"),
    "nearest length": ("a b c d e f", "a b c d e f g h", "a b c d", "a b c d e f g"),
    "nearest length, equals": ("a b c d e f", "a b c d e f g h", "a b c d"),
    "a reference is empty": ("a b c d e", "", "a b c d x"),
    "equal references": ("a b c d e", "a b c d x", "a b c d x"),
    "chrF of the second": ("the quick boat", "boats are quick", "the quick boats", "the quick boatz"),
    "chrF of short words": ("ab", "abcdefgh", "xab"),
}


def read(text):
    return text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text


def escape(text):
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    named = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
    out = ""
    for c in data.decode("utf-8", errors="surrogateescape"):
        byte = ord(c) - 0xDC00 if 0xDC80 <= ord(c) <= 0xDCFF else ord(c)
        out += named.get(c, f"\\x{byte:02X}" if byte < 0x20 or byte == 0x7F or byte != ord(c) else c)
    return out


def put(*fields):
    return "\t".join(format(f, ".17g") if isinstance(f, float) else str(f) for f in fields)


class Scores:
    """sacreBLEU's of several sentences; references: [[of the first sentence], ...], of any number."""

    def __init__(self, hypotheses, references):
        most = max(map(len, references))
        rows = [[refs[r] if r < len(refs) else None for refs in references] for r in range(most)]
        self.bleu, self.chrf = BLEU(), CHRF()
        self.bleu_score = float(self.bleu.corpus_score(hypotheses, rows).score)
        self.chrf_score = float(self.chrf.corpus_score(hypotheses, rows).score)
        self.bleu_counts, self.chrf_counts = (
            " ".join(str(sum(column)) for column in zip(*metric._extract_corpus_statistics(hypotheses, rows)))
            for metric in (self.bleu, self.chrf))


def case_lines():
    tokenize = Tokenizer13a()
    for name, texts in CASES.items():
        hypothesis, *references = map(read, texts)
        scores = Scores([hypothesis], [references])
        yield put("case", name, scores.bleu_score, scores.chrf_score, escape(tokenize(hypothesis.rstrip())),
                  *map(escape, texts))


WORDS = ("the a of in boat harbour rope knot wind wave gull salt crew mast sail oar keel deck captain storm "
         "left right sailed turned sank rose sang pulled slowly quickly never again before after because "
         "blue grey old new heavy light it's don't well-known 5-year Ägäis Übung été señor naïve").split()
ENDS = [".", ".", ".", "!", "?", "...", "", " .", ".\"", ";"]


def make_word(random):
    if random.chance(4):
        return "".join(random.of("bdfgklmnprstvz") + random.of("aeiouäöü") for _ in range(1 + random.below(4)))
    if random.chance(4):
        return random.of(["{}", "{},5", "{}.50", "1,{}", "{}%", "${}", "{}-{}", "#{}"]).replace(
            "{}", str(random.below(2000)))
    return random.of(WORDS)


def make_sentence(random, n_most):
    words = [make_word(random) for _ in range(1 + random.below(n_most))]
    text = words[0].capitalize() if random.chance(80) else words[0]
    for word in words[1:]:
        text += random.of([" "] * 12 + [", ", " - ", "; ", " & ", " &amp; ", " (", "/", ": "]) + word
    return text + random.of(ENDS)


def change(random, text, percent):
    """The text with some of its words changed, dropped, repeated, swapped or in another case."""
    out = []
    for word in text.split(" "):
        if not random.chance(percent):
            out.append(word)
            continue
        way = random.below(6)
        if way == 0:
            out.append(make_word(random))
        elif way == 1:
            out += [word, word]
        elif way == 2:
            out.append(word.swapcase())
        elif way == 3 and out:
            out.insert(len(out) - 1, word)
        elif way == 4:
            out += [make_word(random), word]
    return " ".join(out)


# Name, sentences, least and most references, words of a sentence, percent of words changed.
CORPORA = [("near", 120, 1, 1, 24, 15), ("far", 60, 1, 1, 12, 70), ("three references", 60, 3, 3, 16, 40),
           ("some references", 60, 1, 4, 16, 40), ("short", 20, 1, 1, 3, 30)]


def corpus_lines():
    for number, (name, n, least, most, n_words, percent) in enumerate(CORPORA):
        random = Random(number + 1)
        hypotheses, references = [], []
        for _ in range(n):
            text = make_sentence(random, n_words)
            hypotheses.append(change(random, text, percent))
            n_references = least + random.below(most - least + 1)
            references.append([change(random, text, r * percent) for r in range(n_references)])
            one = Scores(hypotheses[-1:], references[-1:])
            yield put("sentence", name, one.bleu_score, one.chrf_score, escape(hypotheses[-1]),
                      *map(escape, references[-1]))
        scores = Scores(hypotheses, references)
        yield put("corpus", name, scores.bleu_score, scores.chrf_score, scores.bleu_counts, scores.chrf_counts,
                  scores.bleu.get_signature())


# ---- lists, classes, numbers ---------------------------------------------------------------------


def numbers(values):
    return " ".join(repr(float(v)) if isinstance(v, float) else str(v) for v in values)


def edit_lines():
    random = Random(100)
    for i in range(60):
        n_symbols = 2 + random.below(8)
        a, b = ([random.below(n_symbols) for _ in range(random.below(13))] for _ in range(2))
        if i % 3 == 0:
            b = [random.below(n_symbols) if random.chance(20) else x for x in a if not random.chance(20)]
        yield put("edits", f"lists {i}", Levenshtein.distance(a, b), numbers(a), numbers(b))


def class_lines():
    random = Random(200)
    for i in range(24):
        n_classes, n = 2 + i % 5, 1 + random.below(60)
        labels = [random.below(n_classes) for _ in range(n)]
        predicted = [random.below(n_classes) if random.chance(10 * (i % 11)) else x for x in labels]
        if i == 20:
            predicted = [1] * n
        if i == 21:
            labels = [1] * n
        if i == 22:
            predicted = [1 - x if x < 2 else x for x in labels]
        yield put("classes", f"classes {i}", n_classes, float(metrics.matthews_corrcoef(labels, predicted)),
                  numbers(labels), numbers(predicted))


def number_lines():
    random = Random(300)
    for i in range(16):
        n, scale, offset = 2 + random.below(50), 10.0 ** (i % 7 - 3), [0, 5, -1e3, 1e6][i % 4]
        targets = [offset + scale * (random.below(2001) - 1000) / 500 for _ in range(n)]
        wrong = 0 if i == 5 else scale * (1 + i % 3)
        predicted = [t + wrong * (random.below(2001) - 1000) / 1000 for t in targets]
        yield put("numbers", f"numbers {i}", math.sqrt(metrics.mean_squared_error(targets, predicted)),
                  float(metrics.mean_absolute_error(targets, predicted)),
                  float(metrics.r2_score(targets, predicted)), numbers(targets), numbers(predicted))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", default="text_scores.tsv")
    with open(parser.parse_args().output, "w", encoding="utf-8", newline="\n") as file:
        print("# Scores computed by tests/golden/text_scores.py, not by Trireme.", file=file)
        print(f"# sacreBLEU {sacrebleu.__version__}, rapidfuzz {rapidfuzz.__version__}, scikit-learn "
              f"{sklearn.__version__}, Python {platform.python_version()}", file=file)
        for lines in (case_lines, corpus_lines, edit_lines, class_lines, number_lines):
            for line in lines():
                print(line, file=file)


if __name__ == "__main__":
    main()
