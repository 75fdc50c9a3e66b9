"""What other programs take from us: JSON, a schema of configurations, weights as safetensors and .npz, pages
for man, completion of shells; and --quiet and colours."""
import glob
import json
import pty
import shutil
import struct
import zipfile

from harness import *

folder = temp_folder()
config = small_setup(folder)
run_dir = f"{folder}/run"
good(train(config, run_dir, "--set", "average.kind=ema"), "train")


def parsed(*words, **how):
    result = run(*words, **how)
    if not good(result, f"{words}"):
        return {}
    return json.loads(result.out)


# ---- JSON: the numbers of the lines for readers
check(parsed("version", "--json")["version"] in run("version").out, "version")
for ranks in (0, 3):
    told = parsed("evaluate", run_dir, "--json", ranks=ranks)
    check(f"{told['loss']:.6f}" in run("evaluate", run_dir).out and told["step"] == 20, f"evaluate: {told}")
both = parsed("evaluate", run_dir, "--json")
equal(both["run"], run_dir, "evaluate --json")
told = parsed("doctor", "--json", ranks=2)
equal([len(told["ranks"]), told["ranks"][1]["rank"]], [2, 1], "doctor")
check(told["allreduce_gb_per_s"] > 0 and isinstance(told["complaints"], list), f"doctor: {told}")
told = parsed("inspect", run_dir, "--json")
equal([told["step"], told["arrays"]["/model/wte/weight"]["shape"]], [20, [17, 32]], "inspect a run")
told = parsed("inspect", f"{folder}/data.h5", "--json")
check(told["kind"] == "text" and ["created by", f"trireme {parsed('version', '--json')['version']}"] in told["lines"], told)
awkward = f"{folder}/a \"b\\\té"
os.rename(run_dir, awkward)
equal(parsed("evaluate", awkward, "--json")["run"], awkward, "a name with quotes and more")
os.rename(awkward, run_dir)

# ---- quiet, and colours on terminals alone
quiet = run("train", config, "--set", f"run.dir={folder}/quiet", "--quiet", ranks=2)
equal([quiet.code, quiet.out, quiet.err], [0, "", ""], "train --quiet")
check(os.path.getsize(f"{folder}/quiet/log.txt") > 200, "the log has all")
equal(run("prepare", "synth", "--tokens", 100, "--vocab", 5, "-q", "-o", f"{folder}/q.h5").err, "", "prepare -q")
one_line(run("train", f"{folder}/none.yaml", "-q"), 66, "none.yaml")


def on_terminal(**env):
    """What a failing command writes to a terminal."""
    main, other = pty.openpty()
    done = subprocess.run([PROGRAM, "train", f"{folder}/none.yaml"], stderr=other, stdout=other, stdin=other,
                          env={**environment(), "TERM": "xterm", **env}, timeout=60)
    os.close(other)
    text = os.read(main, 10000).decode()
    os.close(main)
    equal(done.returncode, 66, "on a terminal")
    return text


check("\033[" in on_terminal(), "coloured")
for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
    check("\033[" not in on_terminal(**env), f"not coloured with {env}")
check("\033[" not in run("train", f"{folder}/none.yaml").err, "not coloured in a pipe")

# ---- weights: read by hand, and by the packages where they are
for name in ("w.safetensors", "w.npz", "raw.npz"):
    more = ["--raw"] if name.startswith("raw") else []
    good(run("export", run_dir, "-o", f"{folder}/{name}", *more), f"export {name}")
with open(f"{folder}/w.safetensors", "rb") as file:
    size, = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(size))
    body = file.read()
equal((8 + size) % 8, 0, "arrays are aligned")
equal(header["wte/weight"]["shape"], [17, 32], "shape")
equal(max(v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"), len(body), "all bytes are named")
check("layers: 2" in header["__metadata__"]["config"], "the configuration is beside")
with zipfile.ZipFile(f"{folder}/w.npz") as archive:
    equal(archive.testzip(), None, "checksums of the zip file")
    begin, end = header["wte/weight"]["data_offsets"]
    entry = archive.read("wte/weight.npy")
    equal(entry[len(entry) - (end - begin):], body[begin:end], "the same numbers in both")
    with zipfile.ZipFile(f"{folder}/raw.npz") as raw:
        check(raw.read("wte/weight.npy") != entry, "--raw: not the average")
one_line(run("export", run_dir, "-o", f"{folder}/w.pt"), 64, ".safetensors or .npz")
with open(f"{folder}/own.npz", "w") as file:
    file.write("the user's")
one_line(run("export", run_dir, "-o", f"{folder}/own.npz"), 64, "is there already")
before = open(f"{folder}/w.npz", "rb").read()
good(run("export", run_dir, "-o", f"{folder}/w.npz"), "export again")
check(open(f"{folder}/w.npz", "rb").read() == before, "the same bytes again")
missing = []
try:
    import numpy
    arrays = numpy.load(f"{folder}/w.npz")
    equal(arrays["wte/weight"].shape, (17, 32), "numpy")
    try:
        from safetensors.numpy import load_file
        other = load_file(f"{folder}/w.safetensors")
        equal(sorted(other), sorted(name for name in arrays if name != "__trireme__"), "names")
        check(all((other[name] == arrays[name]).all() for name in other), "safetensors and numpy read the same")
    except ImportError:
        missing.append("safetensors")
except ImportError:
    missing.append("numpy")

# ---- the schema
schema = run("help", "schema")
good(schema, "help schema")
schema = json.loads(schema.out)
equal(schema["properties"]["optimizer"]["properties"]["lr"]["type"], ["number", "string"], "schema")
check("gcn" in schema["properties"]["model"]["properties"]["kind"]["enum"], "kinds in the schema")
try:
    import jsonschema
    import yaml
    validator = jsonschema.Draft7Validator(schema)
    jsonschema.Draft7Validator.check_schema(schema)
    with open(f"{run_dir}/config.yaml") as file:
        equal([e.message for e in validator.iter_errors(yaml.safe_load(file))], [], "config.yaml of a run")
    for path in glob.glob(f"{SOURCE}/examples/*.yaml") + glob.glob(f"{SOURCE}/benchmarks/[gi]*/*.yaml"):
        with open(path) as file:
            equal([e.message for e in validator.iter_errors(yaml.safe_load(file))], [], path)
    for wrong in ({"model": {"widht": 3}}, {"optimiser": {}}, {"model": {"width": "x"}}, {"model": {"kind": "gpt"}},
                  {"train": {"steps": 0}}, {"model": {"tied": 3}}):
        check(not validator.is_valid(wrong), f"refused: {wrong}")
except ImportError:
    missing.append("jsonschema or yaml")

# ---- pages
for page in ("trireme", "config", "train", "prepare", "export"):
    text = run("help", "man", page)
    good(text, f"help man {page}")
    check(text.out.startswith(".TH"), f"help man {page}")
    if shutil.which("groff"):
        shown = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=text.out, capture_output=True, text=True)
        equal([shown.returncode, shown.stderr], [0, ""], f"groff {page}")
equal(set(re.findall(r"^\.B ([a-z-]+)$", run("help", "man", "trireme").out, re.M)) - {"trireme"},
      set(re.findall(r"^  trireme ([a-z-]+)", run("help").out, re.M)), "every command is on the page")
with open(f"{SOURCE}/cmake/TriremeInstall.cmake") as file:
    installed = file.read()
for name in re.findall(r"^  trireme ([a-z-]+)", run("help").out, re.M):
    check(re.search(rf"[ (]{name}[ )\n]", installed), f"the page of {name} is installed")
one_line(run("help", "man", "trian"), 64, "no page")
one_line(run("help", "completion", "csh"), 64, "bash, zsh, fish")

script = f"""
source {folder}/bash
compopt() {{ :; }}
ask() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _trireme; echo "${{COMPREPLY[@]}}"; }}
ask trireme tr
ask trireme train --res
ask trireme train x.yaml --set optimizer.lr
ask trireme prepare int
ask trireme prepare text --voc
ask trireme prepare synth --edg
"""
with open(f"{folder}/bash", "w") as file:
    file.write(run("help", "completion", "bash").out)
shown = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
equal(shown.stdout.splitlines(), ["train translate", "--resume", "optimizer.lr= optimizer.lr_decay=", "interactions",
                                  "--vocab-size --vocabulary --vocab-from", "--edges-count"], f"bash: {shown.stderr}")
for shell, check_words in (("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])):
    with open(f"{folder}/{shell}", "w") as file:
        file.write(run("help", "completion", shell).out)
    if shutil.which(shell):
        shown = subprocess.run(check_words + [f"{folder}/{shell}"], capture_output=True, text=True)
        equal([shown.returncode, shown.stderr], [0, ""], shell)

if missing and not data_folder():
    print("not looked at, as Python has no", ", ".join(missing))
finish()
