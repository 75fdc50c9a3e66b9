"""The commands of docs/GUIDE.md, in order, in one folder; its Python where torch is installed."""
import random
import shutil

from harness import *

folder = temp_folder()
with open(f"{SOURCE}/docs/GUIDE.md", encoding="utf-8") as file:
    guide = file.read()
words = "the a ship oar wind sea rows of to and trireme sails".split()
r = random.Random(1)
with open(f"{folder}/corpus.txt", "w") as file:
    file.write("\n".join(" ".join(r.choice(words) for _ in range(8)) for _ in range(400)))
with open(f"{folder}/lm.yaml", "w") as file:
    file.write(re.search(r"```yaml\n(.*?)```", guide, re.S).group(1))
os.mkdir(f"{folder}/bin")
os.symlink(PROGRAM, f"{folder}/bin/trireme")
env = environment()
env["PATH"] = f"{folder}/bin:{env['PATH']}"
blocks = re.findall(r"```(sh|python)\n(.*?)```", guide, re.S)
check(len(blocks) >= 5, "blocks of commands")
for kind, text in blocks:
    if kind == "python":
        done = subprocess.run([sys.executable, "-c", "import numpy, torch"], capture_output=True)
        if done.returncode == 0:
            done = subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True)
            check(done.returncode == 0 and "wte/weight" in done.stdout, f"python: {done.stderr}")
        continue
    for line in text.splitlines():
        line = line.replace("mpirun", " ".join([MPIEXEC, *MPI_FLAGS]))
        done = subprocess.run(["bash", "-c", line], cwd=folder, env=env, capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, f"{line}: {done.returncode}\n{done.stderr}")

# every column of metrics.csv has a row
with open(f"{folder}/runs/lm/metrics.csv") as file:
    for column in file.readline().strip().split(","):
        check(f"`{column}`" in guide, f"the column {column} is explained")
shutil.rmtree(folder)
finish()
