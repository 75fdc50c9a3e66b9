"""Remedies of `trireme prepare` for labelled texts, pairs, tables and images."""
import gzip
import struct
import zlib

from remedies.rows import Table

TABLE = Table("prepare ")
row, file = TABLE.row, TABLE.file

# ---- labelled texts
ROWS = "".join(f"{'good' if i % 2 else 'bad'},word{i % 7} and more\n" for i in range(40))
file("l.csv", "label,text\n" + ROWS)
L = "labelled l.csv --text text --label label"
row("give a table to train on, or a file for each class by --class NAME=FILE", "labelled --text text --label label", L)
file("good.txt", "fine words\n" * 9)
file("bad_.txt", "grim words\n" * 9)
BY_CLASS = "labelled --class good=good.txt --class bad=bad_.txt"
row("give a table to train on, or a file for each class by --class NAME=FILE", "labelled --text text", BY_CLASS)
row("texts come from a file a class (--class) or from tables with columns, not both", L + " --class good=good.txt", L)
row("--class is '%s', expected NAME=FILE", "labelled --class good.txt --class bad=bad_.txt", BY_CLASS)
for fix in (L, "labelled l.csv --text text --unlabelled"):
    row("give the columns by --text COLUMN and --label COLUMN; --unlabelled takes texts alone, to predict",
        "labelled l.csv --text text", fix)
row("texts have no labels, folds or parts; leave --label, --real, --fold, --split, --valid and --test out", L + " --unlabelled",
    "labelled l.csv --text text --unlabelled")
row("--text and --label are the same column", "labelled l.csv --text text --label text", L)
file("gap.csv", "label,text\n,word\n" + ROWS)
row("the %s is empty; give the line one, or remove it", "labelled gap.csv --text text --label label", L)
row(" (--no-label '' leaves such lines out)", L.replace("l.csv", "gap.csv"), L.replace("l.csv", "gap.csv") + " --no-label ''")
file("once.csv", "label,text\n" + "".join(f"{i}.5,word{i % 7}\n" for i in range(60)))
for fix in ("labelled once.csv --text label --label text", "labelled once.csv --text text --label label --real"):
    row("is --label the right column? --real takes labels that are numbers", "labelled once.csv --text text --label label", fix)
file("numbers.csv", "label,text\n" + "".join(f"{i}.5,word{i % 7}\n" for i in range(70000)))
row("different %ss; is the column the right one? (--real takes them as numbers)",
    "labelled numbers.csv --text text --label label", "labelled numbers.csv --text text --label label --real")
file("headed.csv", "mood,review\n" + ROWS)
for answer in ("yes", "no"):
    row("no other line has the label '%s'; if the line names the columns give --header yes, else --header no",
        "labelled headed.csv --text 2 --label 1", f"labelled headed.csv --text 2 --label 1 --header {answer}",
        None)
row("--header is '%s', expected yes or no", L + " --header maybe", L + " --header yes")
file("real.csv", "label,text\n" + "".join(f"{i}.5,word{i % 7}\n" for i in range(20)))
file("real_comma.csv", "label;text\n" + "".join(f"{i},5;word{i % 7}\n" for i in range(20)))
file("real_odd.csv", "label,text\n" + "".join(f"{i if i != 4 else 'four'},word{i % 7}\n" for i in range(20)))
R = "labelled real.csv --text text --label label --real"
row("write points, as in 1.5", R.replace("real.csv", "real_comma.csv"), R)
row("is no finite number that a float holds; correct it%s", R.replace("real.csv", "real_odd.csv"), R)
row(", or give --header yes if the line names columns", "labelled real.csv --text 2 --label 1 --real",
    "labelled real.csv --text 2 --label 1 --real --header yes")
file("empty.csv", "label,text\ngood,\n" + ROWS)
row("is empty; correct the line, or leave such samples out by --empty drop", L.replace("l.csv", "empty.csv"),
    L.replace("l.csv", "empty.csv") + " --empty drop")
file("alone.csv", "label,text\n" + ROWS + "rare,a word\n")
file("rare.csv", "label,text\nrare,a word\ngood,a word\n")
row("but no sample to train on has it; correct the label, or leave the class out", L + " --valid rare.csv", L + " --valid l.csv")
row("folds are in a column (--fold) or dealt (--folds), not both", L + " --fold label --folds 3", L + " --folds 3")
row("with folds the parts are made of them; leave files to validate or test out", L + " --folds 3 --test l.csv", L + " --folds 3")
row("with folds each is the test part once; leave --test-share out", L + " --folds 3 --test-share 0.2", L + " --folds 3")
for over in ("--over cut", "--over drop", "--over keep", "--longest 9"):
    row("--longest is %lld; give --over cut, drop or keep, or a larger --longest", L + " --longest 2",
        L + (" --longest 2 " if "over" in over else " ") + over,
        "no samples are left to train on" if over == "--over drop" else None)
row("--over needs --longest N", L + " --over cut", L + " --over cut --longest 9")
file("quote.csv", 'label,text\ngood,"a word\nbad,other\n')
file("quoted.csv", 'label,text\ngood,"a ""word"""\nbad,other\n' + ROWS)
row("a quote is opened and never closed; close it, or double it", L.replace("l.csv", "quote.csv"), L.replace("l.csv", "quoted.csv"))
file("behind.csv", 'label,text\ngood,"a "word" here"\nbad,other\n')
row("double quotes (\\\"\\\") that belong to the text%s", L.replace("l.csv", "behind.csv"), L.replace("l.csv", "quoted.csv"))
file("latin.csv", b"label,text\ngood,caf\xe9\n" + ROWS.encode())
LATIN = L.replace("l.csv", "latin.csv")
row(("convert the file to UTF-8 (iconv)%s", ", or take unit byte, which takes any bytes"), LATIN, LATIN + " --unit byte")
row("convert the file to UTF-8 (iconv)%s", LATIN, L)
file("ended.csv", "label,text\n" + "".join(f"{'good' if i % 2 else 'bad'},word{i % 7},\n" for i in range(40)))
file("ended_all.csv", TABLE.files["ended.csv"].replace("text\n", "text,\n"))
for fix in ("l.csv", "ended_all.csv"):
    row("; the lines end with a separator: remove it, or add one to the first", L.replace("l.csv", "ended.csv"), L.replace("l.csv", fix))
file("r_rows.csv", "x,y,kind\n" + "".join(f"{i + 1},{i % 7}.5,{i % 5},{'yes' if i % 2 else 'no'}\n" for i in range(60)))
file("r_plain.csv", "x,y,kind\n" + "".join(f"{i % 7}.5,{i % 5},{'yes' if i % 2 else 'no'}\n" for i in range(60)))
row("; if they begin with names of rows, as R writes them, leave these out: write.table(x, row.names = FALSE)", "table r_rows.csv --target kind",
    "table r_plain.csv --target kind")
file("preface.csv", "made by us,1,2\n" + TABLE.files["r_plain.csv"])
TABLE.row("; line %lld has it: leave out those above (tail -n +%lld)", "prepare table preface.csv --target kind",
          "sh -c 'tail -n +2 preface.csv > behind_preface.csv' && prepare table behind_preface.csv --target kind", prefix="")
file("same.csv", "text,text,label\na,b,good\nc,d,bad\n" * 9)
row("columns are called '%s'; give %s as a number from 1", "labelled same.csv --text text --label label",
    "labelled same.csv --text 1 --label label --header yes")
file("a.arff", "@relation x\n@attribute a numeric\n@data\n" + "1,2\n" * 9)
file("no_head.csv", "1,2\n2,1\n" * 9)
# ---- vocabularies
row("a tokenizer (%s) and a vocabulary (%s): give one of them", L + " --tokenizer l.csv --vocabulary data.h5", L)
row("its vocabulary has unit %s, unit %s is asked for; leave it away", L + " --vocabulary rev.h5 --unit char", L + " --vocabulary cls.h5")
row("is a tokenizer of subwords, unit '%s' needs none", L + " --tokenizer m.model --unit word", L + " --unit word")
row("has a vocabulary of sources and one of targets; give --vocab separate to take both",
    "pairs p.tsv --vocabulary snd.h5 --vocab shared", "pairs p.tsv --vocabulary snd.h5 --vocab separate")
row("its vocabulary has no %s of a sequence, which %s need; take one that has, or learn one",
    "pairs p.tsv --unit char --vocabulary letters.h5", "pairs p.tsv --unit char")

# ---- pairs
file("p.tsv", "".join(f"{'ab'[i % 2]} {'cd'[i % 2]}\tA{i % 2} B\n" for i in range(40)))
file("p.src", "a b\n" * 20)
file("p.tgt", "A B\n" * 20)
P = "pairs p.tsv --unit word"
row("has no file beside it; sources and targets are two files, --source and --target", "pairs --source p.src --unit word",
    "pairs --source p.src --target p.tgt --unit word")
row("pairs come from parallel files (--source, --target) or from tables, not both", P + " --source p.src --target p.tgt", P)
for fix in (P, "pairs --source p.src --target p.tgt --unit word"):
    row("give what to train on: a table, or two parallel files by --source and --target", "pairs --unit word", fix)
row("--columns is '%s', expected two columns like 1,2", P + " --columns 1", P + " --columns 1,2")
row("--vocab is '%s', expected shared or separate", P + " --vocab both", P + " --vocab separate")
row("with --target-unit vocabularies are separate", P + " --target-unit char --vocab shared", P + " --target-unit char")

# ---- tables
BODY = "".join(f"{i % 7}.5,{'red' if i % 3 else 'blue'},{'yes' if i % 2 else 'no'}\n" for i in range(60))
file("t.csv", "x,colour,kind\n" + BODY)
T = "table t.csv --target kind"
for fix in (T, "table t.csv --unlabelled"):
    row("give the target by --target COLUMN; --unlabelled takes rows alone, to predict", "table t.csv", fix)
row("rows have no targets, folds or parts; leave --target and what is of it, --fold, --folds, --split, --valid and --test out",
    T + " --unlabelled", "table t.csv --unlabelled")
row("--target-kind is '%s', expected number or class", T + " --target-kind word", T + " --target-kind class")
row("--labels-separator is empty; give what parts the classes", T + " --labels-separator ''", T + " --labels-separator '|'")
row("--labels-separator parts classes, but --target-kind is number", T + " --labels-separator '|' --target-kind number",
    T + " --labels-separator '|' --target-kind class")
file("two.csv", "x,a,b\n" + "".join(f"{i % 7}.5,{i % 2},{i // 2 % 2}\n" for i in range(60)))
row("--labels-separator parts the classes of one column; --target has %d",
    "table two.csv --target a,b --labels-separator '|'", "table two.csv --target a,b")
row("one column of numbers can be the target; --target has %d", "table two.csv --target a,b --target-kind number",
    "table two.csv --target a --target-kind number")
row("--kind is '%s', expected COLUMN=number, category or skip", T + " --kind colour", T + " --kind colour=category")
row("--kind is '%s', expected %s=number, category or skip", T + " --kind colour=word", T + " --kind colour=category")
row("is given twice, by %s and by %s; leave one out", T + " --kind kind=skip", T)
row("--target is '%s', expected a column, or several like a,b,c", "table t.csv --target ,", T)
file("doubled.csv", "x,x,kind\n" + BODY)
row("are both called '%s'; rename one", "table doubled.csv --target kind", T)
file("wide.csv", "x,colour,more,kind\n1,red,3,yes\n")
file("other.csv", "x,color,kind\n1,red,yes\n")
file("fewer.csv", "x,kind\n" + "1,yes\n2,no\n" * 9)
file("no_names.csv", BODY)
file("no_names4.csv", "".join("1," + line + "\n" for line in BODY.split()))
row("columns, the first table has %lld; give both the same", "table no_names.csv --target 3 --test no_names4.csv",
    "table no_names.csv --target 3 --test no_names.csv")
row("that the first table has not; remove or rename it", T + " --test wide.csv", T + " --test t.csv")
row("of the first table is missing; add it%s%s%s", T + " --test fewer.csv", T + " --test t.csv")
row(", or do without it by --kind '", T + " --test fewer.csv", T + " --test fewer.csv --kind colour=skip")
file("many.csv", "x,kind\n" + "".join(f"{i % 7},k{i}\n" for i in range(70000)))
file("many_numbers.csv", "x,kind\n" + "".join(f"{i % 7},{i}\n" for i in range(70000)))
row("is it the right one? (--target-kind number takes numbers)", "table many_numbers.csv --target kind --target-kind class",
    "table many_numbers.csv --target kind --target-kind number")
file("lacking.csv", "x,kind\n" + "1,yes\n2,no\n" * 9 + "3,\n")
row("is missing; fill it in, or leave such rows out by --drop-missing-target", "table lacking.csv --target kind",
    "table lacking.csv --target kind --drop-missing-target")
file("levels.csv", "x,name,kind\n" + "".join(f"{i},n{i},{'yes' if i % 2 else 'no'}\n" for i in range(60)))
file("levels_gap.csv", "x,name,kind\n" + "".join(f"{i},{i if i != 5 else 'none'},{'yes' if i % 2 else 'no'}\n" for i in range(60)))
for fix in ("--kind name=skip", "--most-levels 100"):
    row("is categories; --kind '%s=skip' leaves it out%s, --most-levels N allows more",
        "table levels.csv --target kind --most-levels 20", "table levels.csv --target kind " + fix)
row(", --missing '%s' makes it numbers if no other field is none", "table levels_gap.csv --target kind --most-levels 20",
    "table levels_gap.csv --target kind --missing none")
row(", --kind '%s=number' takes them as numbers", "table levels_gap.csv --target kind --most-levels 20 --kind x=category",
    "table levels_gap.csv --target kind --kind x=number --missing none")
file("group.csv", "x,who,kind\n" + "1,,yes\n2,a,no\n" * 20)
file("group_full.csv", "x,who,kind\n" + "".join(f"{i % 7},w{i % 9},{'yes' if i % 2 else 'no'}\n" for i in range(60)))
row("in column '%s' is empty; give the row one, or remove it", "table group.csv --target kind --group who",
    "table group_full.csv --target kind --group who")
file("pandas.csv", "0,1,2\n" + "".join(f"{i % 7}.5,{i % 5},{i % 2}\n" for i in range(60)))
for answer in ("yes", "no"):
    row("as pandas numbers columns; --header yes takes it for names, --header no for values", "table pandas.csv --target 3",
        f"table pandas.csv --target 3 --header {answer}" + (" --target-kind number" if answer == "no" else ""))
file("typo.csv", "x,colour,kind\n" + BODY + "1e,red,yes\n")
TYPO = "table typo.csv --target kind "
row(("correct it, or give %s%s%s or --missing '%s'", ), TYPO + "--kind x=number", TYPO + "--kind x=category")
row("correct it, or give %s%s%s or --missing '%s'", TYPO + "--kind x=number", TYPO + "--kind x=number --missing 1e")
row("--missing takes such a text for a gap",
    TYPO, TYPO + "--missing 1e")
file("target_typo.csv", "x,y\n" + "".join(f"{i % 7},{i}.25\n" for i in range(60)) + "1,1e\n")
row("--target-kind class", "table target_typo.csv --target y --target-kind number", "table target_typo.csv --target y --target-kind number --missing 1e --drop-missing-target")
file("commas.csv", "x;kind\n" + "".join(f"{i % 7},5;{'yes' if i % 2 else 'no'}\n" for i in range(60)))
file("points.csv", "x;kind\n" + "".join(f"{i % 7}.5;{'yes' if i % 2 else 'no'}\n" for i in range(60)))
row("write points, as in 1.5", "table commas.csv --target kind", "table points.csv --target kind")
for name, cell, plain, says in (
        ("thousands1", "1,234.5", "1234.5", "write plain digits, as in 1234.5"), ("thousands2", "1.234.567", "1234567", "write plain digits, as in 1234.5"),
        ("thousands3", "1'234", "1234", "write plain digits, as in 1234.5"), ("either1", "1,234", "1.234", "write 1.234 for the one, 1234 for the other"),
        ("either2", "1,234", "1234", "write 1.234 for the one, 1234 for the other"), ("dollars", "$12", "12", "write plain numbers"),
        ("euros1", "\u20ac12", "12", "write plain numbers"), ("euros2", "12 \u20ac", "12", "write plain numbers"),
        ("pounds", "\u00a312", "12", "write plain numbers"), ("yen", "\u00a512", "12", "write plain numbers"), ("minus", "\u221212", "-12", "write a hyphen")):
    for which, text in (("", cell), ("_plain", plain)):
        file(f"{name}{which}.tsv", "x\tkind\n" + f"{text}\tyes\n{text.replace('2', '3')}\tno\n" * 9)
    row(says, f"table {name}.tsv --target kind", f"table {name}_plain.tsv --target kind")
for name, cell, says, run in (("percent", "12%", "write plain numbers (tr -d '%')", "tr -d %"),
                              ("formula", '="12"', "leave it out (tr -d '=\\\"')", "tr -d '\\''=\"'\\''"),
                              ("quote_mark", "'12", "leave it out (tr -d \\\\')", "tr -d \\'\\''")):
    file(name + ".tsv", "x\tkind\n" + f"{cell}\tyes\n{cell.replace('2', '3')}\tno\n" * 9)
    TABLE.row(says, f"prepare table {name}.tsv --target kind", f"sh -c '{run} < {name}.tsv > {name}_plain.tsv' && prepare table {name}_plain.tsv --target kind",
              prefix="")
row(", or give --kind '", "table commas.csv --target kind", "table commas.csv --target kind --kind x=category")
file("target_commas.csv", "x;y\n" + "".join(f"{i % 9};{i % 7},5\n" for i in range(60)))
row(", or --target-kind class", "table target_commas.csv --target y", "table target_commas.csv --target y --target-kind class")
file("huge.csv", "x,kind\n" + "".join(f"{i % 7}e300,{'yes' if i % 2 else 'no'}\n" for i in range(1, 60)))
file("huge2.csv", "x,z,kind\n" + "".join(f"{i % 7}e300,{i % 5},{'yes' if i % 2 else 'no'}\n" for i in range(1, 60)))
row("give the column in a larger unit, or --kind '%s=skip'", "table huge2.csv --target kind", "table huge2.csv --target kind --kind x=skip")
file("huge_target.csv", "x,y\n" + "".join(f"{i % 7},{i % 5}.5e300\n" for i in range(1, 60)))
file("fit_target.csv", "x,y\n" + "".join(f"{i % 7},{i % 5}.5\n" for i in range(1, 60)))
row("give it in a larger unit", "table huge_target.csv --target y --target-kind number", "table fit_target.csv --target y")
file("titled.csv", "width,class\n" + "".join(f"{i % 7}.5,{i % 2}\n" for i in range(60)))
row("if it names the columns give --header yes, or a column by its name, else --header no", "table titled.csv --target 2",
    "table titled.csv --target 2 --header yes")
row("if it names the columns give --header yes, or a column by its name, else --header no", "table titled.csv --target 2",
    "table titled.csv --target class")
row("if it names the columns give --header yes, or a column by its name, else --header no", "table titled.csv --target 2",
    "table titled.csv --target 2 --header no --kind 1=category")
file("counted.csv", ",x,kind\n" + "".join(f"{i},{i % 7}.5,{'yes' if i % 2 else 'no'}\n" for i in range(60)))
row("which has no name and counts the rows (--kind '%s=number' takes it)", "table counted.csv --target kind",
    "table counted.csv --target kind --kind 1=number")
file("ids.csv", "id,code,x,kind\n" + "".join(f"a{i},{i % 4},{i % 9}.5,{'yes' if i % 2 else 'no'}\n" for i in range(60)))
for fix in ("--id id", "--kind id=skip"):
    row("note: another value in each row (if it is an id: --id COLUMN keeps it as a name, --kind COLUMN=skip leaves it out)",
        "table ids.csv --target kind", "table ids.csv --target kind " + fix)
row("note: few different whole numbers (if they are codes: --kind COLUMN=category)", "table ids.csv --target kind",
    "table ids.csv --target kind --kind code=category")
file("large.csv", "n,x,kind\n" + "".join(f"{20000001 + 2 * (i % 30)},{i % 9}.5,{'yes' if i % 2 else 'no'}\n" for i in range(60)))
for fix in ("--id n", "--kind n=skip"):
    row("are rounded to floats (if it is an id: --id COLUMN keeps it as a name, --kind COLUMN=skip leaves it out)",
        "table large.csv --target kind", "table large.csv --target kind " + fix)
file("stars.csv", "x,stars\n" + "".join(f"{i % 9}.5,{i % 4 + 1}\n" for i in range(60)))
row(", few whole numbers; --target-kind number takes them as numbers", "table stars.csv --target stars",
    "table stars.csv --target stars --target-kind number")

file("x.ft", "".join(f"__label__{'good' if i % 2 else 'bad'} word{i % 7} and more\n" for i in range(40)))
TABLE.row("part label and text: sed", "prepare labelled x.ft --text 2 --label 1",
          "sh -c 'sed \"s/^__label__//; s/ /\\t/\" x.ft > ft.tsv' && prepare labelled ft.tsv --text 2 --label 1", prefix="")
file("x.conll", "-DOCSTART- -X- O O\n\nEU NNP B-NP\n")
row("write a sentence and its label a line", "labelled x.conll --text 1 --label 2", L)
file("x.po", 'msgid "one"\nmsgstr "eins"\n')
row("write its pairs as two columns (po2csv)", "pairs x.po --unit char", "pairs named.csv --unit char --columns 2,3")

file("alike.csv", "label,text\n" + "".join(f"{('good', 'bad', 'Good')[i % 3]},word{i % 7} and more\n" for i in range(40)))
row("differ in upper and lower case alone; write them alike if they are one", L.replace("l.csv", "alike.csv"), L)

# ---- parts by a column, and names
file("split.csv", "text,label,split\n" + "".join(f"word{i % 7},{'good' if i % 2 else 'bad'},{('train', 'val', 'Test')[i % 3]}\n" for i in range(60)))
BY_SPLIT = "labelled split.csv --text text --label label --split split"
row("--split tells the parts; leave --valid and --test out", BY_SPLIT + " --test split.csv", BY_SPLIT)
row("is no part (--split); expected train, valid (or val, validation, dev) or test", BY_SPLIT.replace("--split split", "--split text"),
    BY_SPLIT)
row("note: values are names of parts (--split COLUMN divides by them)", "table split.csv --target label",
    "table split.csv --target label --split split")
file("pair_split.csv", "from,to,split\n" + "".join(f"{'ab' * (i + 1)},{'cd' * (i + 1)},{'train' if i else 'dev'}\n" for i in range(9)))
row("--split is a column of tables that tells all parts; leave it, or the files of parts, out",
    "pairs pair_split.csv --unit char --columns from,to --split split --test pair_split.csv",
    "pairs pair_split.csv --unit char --columns from,to --split split")
row("--id is a column of tables; files of classes (--class) have none", BY_CLASS + " --id 1", BY_CLASS)
file("named.csv", "key,from,to\n" + "".join(f"k{i},{'ab' * (i + 1)},{'cd' * (i + 1)}\n" for i in range(9)))
NAMED = "pairs named.csv --unit char --id key"
row("--id is the column of the %ss too; give sources and targets by --columns SOURCE,TARGET", NAMED, NAMED + " --columns from,to")
file("from.txt", "ab\nba\nabab\n")
row("--id is a column of tables; parallel files (--source, --target) have none",
    "pairs --unit char --source from.txt --target from.txt --id 1", "pairs --unit char --source from.txt --target from.txt")

# ---- images


def png(side, value, channels=1):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\0" + bytes([value]) * (side * channels)) * side
    head = struct.pack(">IIBBBBB", side, side, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def folder(name, **more):
    for i in range(12):
        file(f"{name}/{'cat' if i % 2 else 'dog'}/{i}.png", png(4, 10 * i))
    for path, content in more.items():
        file(f"{name}/{path.replace('__', '/').replace('_dot_', '.')}", content)
    return f"images {name}"


I = folder("pets")
for fix in (I, "images --images i.idx --labels l.idx", "images --pixels px.csv --size 2x2"):
    row("give a folder of images, IDX files (--images, --labels), or a table of pixels (--pixels)", "images", fix)
file("i.idx", struct.pack(">BBBBIII", 0, 0, 8, 3, 20, 2, 2) + bytes(range(80)))
file("l.idx", struct.pack(">BBBBI", 0, 0, 8, 1, 20) + bytes([0, 1] * 10))
file("px.csv", "".join(f"{i % 2},{i},2,3,4\n" for i in range(20)))
X, D = "images --pixels px.csv --size 2x2", "images --images i.idx --labels l.idx"
row("tables of pixels (--pixels) need --size HxW or HxWxC", "images --pixels px.csv", X)
row("--size, --label, --no-label, --id, --scale, --separator and --header are of tables of pixels", I + " --size 4x4", I)
row("--label and --id are the same column", X + " --id 1 --label 1", "images --pixels px.csv --size 1x3 --id 1 --label 2 --scale 20")
row("images come from a folder, from IDX files (--images) or from tables (--pixels), not from several",
    X + " --images i.idx --labels l.idx", X)
row("give images to train on by --images FILE", "images --test-images i.idx --test-labels l.idx", D)
row("--unlabelled images have no labels, parts or folds; leave --labels, --label, --no-label, --folds and files of validation and test out",
    D + " --unlabelled", "images --images i.idx --unlabelled")
row("give a folder of images, IDX files by --images and --labels, or a table of pixels by --pixels", "images px.csv", X)
row("give a folder of images, IDX files by --images and --labels, or a table of pixels by --pixels", "images i.idx", D)
row("has no file of %s beside it; give both", "images --images i.idx", D)
file("short.idx", struct.pack(">BBBBIII", 0, 0, 8, 3, 20, 2, 2) + bytes(range(30)))
row("is cut short: it ends in %s; fetch it again", D.replace("i.idx", "short.idx"), D)
file("torn.gz", gzip.compress(struct.pack(">BBBBIII", 0, 0, 8, 3, 20, 2, 2) + bytes(range(80)), mtime=0)[:-8] + b"\xff" * 8)
row("is damaged (%s); fetch it again", D.replace("i.idx", "torn.gz"), D)
row("is no folder; give a folder of images by --valid and --test, tables by --pixels", I + " --valid px.csv", I + " --valid pets")
O = folder("outside", cow_dot_png=png(4, 9))
row("is an image outside the folders of the classes; move it into one, or leave it out by --skip-other", O, O + " --skip-other")
row("is an image outside the folders of the classes; move it into one, or leave it out by --skip-other", O, I)
for i in range(12):
    file(f"flat/{i}.png", png(4, 10 * i))
for fix in ("images flat --unlabelled", I):
    row("put images into a folder for each class, or take them without classes, to predict, by --unlabelled", "images flat", fix)
N = folder("nested", cat__more__1_dot_png=png(4, 9))
row("is a folder among images; move its images up, or leave it out by --skip-other", N, N + " --skip-other")
S = folder("strange", cat__notes_dot_txt="a text\n")
row("is neither PNG nor JPEG: it %s%s%s; remove it, or leave such files out by --skip-other", S, S + " --skip-other")
G = folder("drawn", cat__g_dot_gif=b"GIF89a" + bytes(30))
row("convert such files to PNG (mogrify -format png, then remove them), or leave them out by --skip-other", G, G + " --skip-other")
row("convert such files to PNG (mogrify -format png, then remove them), or leave them out by --skip-other", G, I)
V = folder("bare_class", cow__notes_dot_txt="a text\n")
row("has no image; a folder of a class needs one, or has to go", V + " --skip-other", I)
for part in ("train", "valid", "val"):
    for i in range(4):
        file(f"both/{part}/{'cat' if i % 2 else 'dog'}/{i}.png", png(4, 10 * i))
        if part != "val":
            file(f"parts2/{part}/{'cat' if i % 2 else 'dog'}/{i}.png", png(4, 10 * i))
row("are both for validation; leave one out", "images both", "images parts2")
row("%s and %s are both for %s; leave one out", "images parts2 --valid pets", "images parts2")
A = folder("clear", cat__c_dot_png=png(4, 90, 4))
row("has transparent pixels; put it on a background, or take the colours beneath by --alpha drop", A,
    A + " --alpha drop", "make them alike by --colour grey or rgb")
C = folder("coloured", cat__c_dot_png=png(4, 90, 3))
for fix in ("grey", "rgb"):
    row("make them alike by --colour grey or rgb", C, C + " --colour " + fix)
Z = folder("sizes", cat__c_dot_png=png(6, 90))
row("make them alike by --resize HxW", Z, Z + " --resize 4x4")
B = folder("torn", cat__c_dot_png=png(4, 90)[:50])
row("is damaged: %s (PNG); make it again, or leave it out", B, I)
J = folder("jpeg", cat__c_dot_jpg=b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0")
row("is damaged: %s (JPEG); make it again, or leave it out", J, I)
M = folder("most", cat__c_dot_png=png(40, 9))
row("more than --most-pixels %lld; it is damaged, or give more", M + " --most-pixels 100 --resize 4x4", M + " --most-pixels 1600 --resize 4x4")
file("cifar/data_batch_1.bin", bytes(3073 * 2))
for n in (1, 2, 3, 4, 5):
    file(f"cifar10/data_batch_{n}.bin", b"".join(bytes([i]) + bytes(3072) for i in range(4)))
    file(f"cifar_torn/data_batch_{n}.bin", bytes(3073 * 2 - 1))
    file(f"cifar_odd/data_batch_{n}.bin", bytes([99] * 3073))
file("cifar10/test_batch.bin", bytes(3073))
row("has no %s; fetch it too", "images cifar", "images cifar10")
row("which is no multiple of the %<PRId64> of an image and its label; fetch it again", "images cifar_torn", "images cifar10")
file("px_odd.csv", "".join(f"{i % 2},{i},2,3,4.5\n" for i in range(20)))
row("is no whole number from 0 to 255; give another range's end by --scale MAX", "images --pixels px_odd.csv --size 2x2",
    "images --pixels px_odd.csv --size 2x2 --scale 20")
row("is out of [0, %g], the range of --scale", "images --pixels px_odd.csv --size 2x2 --scale 2",
    "images --pixels px_odd.csv --size 2x2 --scale 20")
file("px_gap.csv", TABLE.files["px.csv"] + ",1,2,3,4\n")
row("the label is empty; give the line one, or remove it", "images --pixels px_gap.csv --size 2x2", X)
row("more than %d different labels; is --label the right column?", "images --pixels px_many.csv --size 1x1 --scale 70000 --label 2",
    "images --pixels px_many.csv --size 1x1 --scale 70000 --label 1")
file("px_many.csv", "".join(f"{i % 2},{i}\n" for i in range(70000)))
row("columns, but --size %<PRId64>x%<PRId64>x%<PRId64> needs", X.replace("2x2", "3x3"), X)
row("give a table to train on", "table --target kind", T)
row("--kind '", TYPO + "--kind x=number", TYPO + "--kind x=category")
file("cifar_odd/test_batch.bin", bytes(3073))
row("the file is damaged, or no CIFAR-%d", "images cifar_odd", "images cifar10")
file("no_classes/readme.txt", "nothing here\n")
row("has no folders of classes, nor files of MNIST (train-images-idx3-ubyte) or CIFAR", "images no_classes", I)
UNK = "labelled l.csv --text text --label label --vocabulary cls.h5"
row("--unknown is '%s', expected token, skip or refuse", UNK + " --unknown drop", UNK + " --unknown skip --empty drop")
for fix in ("token", "skip --empty drop"):
    row("of the vocabulary%s; leave %s out by --unknown skip, or %s", UNK + " --unknown refuse", UNK + " --unknown " + fix)
row("take the token for what is unknown by --unknown token", UNK + " --unknown refuse", UNK + " --unknown token")
row("is in the vocabulary; leave such samples out by --empty drop", "labelled l2.csv --text text --label label --vocabulary cls.h5 --unknown skip",
    "labelled l2.csv --text text --label label --vocabulary cls.h5 --unknown skip --empty drop")
file("l2.csv", "label,text\ngood,nothing known\n" + "good,fine day\nbad,cold day\n" * 9)
TABLE.needs = ("data", "cls", "rev", "snd", "letters")
