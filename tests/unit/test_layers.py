#!/usr/bin/env python3
"""Holds src/ and include/ to the layers that CMakeLists.txt declares.

usage: test_layers.py ROOT         check a source tree; one line for each offence
       test_layers.py --self-test  break each rule in a small tree and expect to be told

Rules, each offence with file and line:
  * a module includes public headers of itself and of the modules after MAY_USE only
    (app: of every module);
  * a header beside the sources of a module is private to it, for app too;
  * a public header includes public headers only;
  * mpi.h under comm, hdf5.h under io, yaml.h under core, metis.h and SentencePiece's headers under
    input, png.h, jpeglib.h and zlib.h under prepare, dlfcn.h under math and optim, cblas.h, omp.h
    and OpenMP pragmas under math, nowhere else;
  * MAY_USE names modules declared above, so that the layers have no cycle.
"""

import os
import re
import sys
import tempfile

# Header names of a library, by the only modules that may include them.
LIBRARY_HEADERS = [
    (re.compile(r"(.*/)?mpi(-ext|io)?\.h"), "comm"),
    (re.compile(r"(.*/)?(cblas(_64)?|omp|openblas_config|lapacke)\.h"), "math"),
    (re.compile(r"(.*/)?(hdf5(_hl)?|H5[A-Za-z]*)\.h"), "io"),
    (re.compile(r"(.*/)?(yaml|cyaml/cyaml)\.h"), "core"),
    (re.compile(r"(.*/)?metis\.h"), "input"),
    (re.compile(r"(.*/)?sentencepiece_(processor|trainer)\.h"), "input"),
    (re.compile(r"(.*/)?(png(conf)?|jpeglib|jerror|turbojpeg|zlib)\.h"), "prepare"),
    (re.compile(r"(.*/)?dlfcn\.h"), "math or optim"),
]
MODULE_LINE = re.compile(r"^\s*trm_module\(\s*(\w+)([^)]*)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
OPENMP = re.compile(r'^\s*#\s*pragma\s+omp\b|_Pragma\s*\(\s*"\s*omp\b')
SOURCE_ENDINGS = (".c", ".cc", ".h", ".inc", ".def")


def read_modules(root, problems):
    """{module: set of modules it may use}, in the order of declaration."""
    modules = {}
    path = os.path.join(root, "CMakeLists.txt")
    if not os.path.exists(path):
        problems.append(f"{path}:1: no such file; give the root of the source tree")
        return modules
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = MODULE_LINE.match(line)
            if not match:
                continue
            name, words = match.group(1), match.group(2).split()
            uses = []
            if "MAY_USE" in words:
                for word in words[words.index("MAY_USE") + 1 :]:
                    if word == "LIBS":
                        break
                    uses.append(word)
            for use in uses:
                if use not in modules:
                    problems.append(
                        f"CMakeLists.txt:{number}: {name} may not use {use}: it is declared no "
                        f"earlier; order the modules from the lowest up"
                    )
            modules[name] = set(uses)
    if not modules:
        problems.append("CMakeLists.txt:1: no trm_module() line; is this the source tree?")
    return modules


def without_comments(text):
    """The text with comments blanked, line numbers kept; string and character literals stay."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
    )

    def blank(match):
        piece = match.group(0)
        return piece if piece[0] in "\"'" else " " + "\n" * piece.count("\n")

    return pattern.sub(blank, text)


def files_of(root, folder):
    for path, folders, names in os.walk(os.path.join(root, folder)):
        folders.sort()
        for name in sorted(names):
            if name.endswith(SOURCE_ENDINGS):
                yield os.path.relpath(os.path.join(path, name), root)


class Tree:
    """What is where in a source tree, and the check of one file of it."""

    def __init__(self, root):
        self.root = root
        self.problems = []
        self.modules = read_modules(root, self.problems)
        self.private = {}  # base name of a header under src/: modules that have one
        for path in files_of(root, "src"):
            parts = path.split(os.sep)
            if len(parts) > 2 and not path.endswith((".c", ".cc")):
                self.private.setdefault(parts[-1], set()).add(parts[1])

    def may_use(self, module):
        if module == "app":
            return set(self.modules) | {"app"}
        return self.modules[module] | {module}

    def check_library(self, module, header):
        for pattern, owner in LIBRARY_HEADERS:
            owners = owner.split(" or ")
            if pattern.fullmatch(header) and module not in owners:
                where = " or ".join(f"src/{name}" for name in owners)
                return f"{module} includes {header}, which belongs under {where} only"
        return None

    def check_public(self, module, header):
        owner = header.split("/")[1]
        if owner in self.may_use(module):
            return None
        allowed = " ".join(m for m in self.modules if m in self.may_use(module))
        return f"{module} may not include {header}; it may use: {allowed}"

    def check_private(self, path, module, header):
        """A header that is neither public nor a library's, as far as the tree tells."""
        beside = os.path.normpath(os.path.join(os.path.dirname(path), header))
        parts = beside.split(os.sep)
        is_public = path.split(os.sep)[0] == "include"
        if os.path.exists(os.path.join(self.root, beside)):
            owners = {parts[1]} if parts[0] == "src" else set()
            if parts[:2] == ["include", "trireme"]:
                return f"include {header} as trireme/{'/'.join(parts[2:])}"
        else:
            owners = self.private.get(os.path.basename(header), set())
        if is_public and (owners or header.endswith("_internal.h")):
            return f"a public header includes the private {header}"
        if owners and module not in owners:
            return f"{module} includes {header}, which is private to {' '.join(sorted(owners))}"
        if not owners and header.endswith("_internal.h"):
            return f"{module} includes {header}, a private header that is not its own"
        return None

    def check_include(self, path, module, header):
        if header.startswith("trireme/"):
            return self.check_public(module, header)
        return self.check_library(module, header) or self.check_private(path, module, header)

    def check_file(self, path):
        parts = path.split(os.sep)
        module = parts[1] if parts[0] == "src" else parts[2]
        if module != "app" and module not in self.modules:
            self.problems.append(f"{path}:1: no trm_module({module} ...) in CMakeLists.txt")
            return
        with open(os.path.join(self.root, path), encoding="utf-8") as file:
            lines = without_comments(file.read()).split("\n")
        for number, line in enumerate(lines, 1):
            problem = None
            match = INCLUDE.match(line)
            if match:
                problem = self.check_include(path, module, match.group(2))
            elif module != "math" and OPENMP.search(line):
                problem = f"{module} uses an OpenMP pragma, which belongs under src/math only"
            if problem:
                self.problems.append(f"{path}:{number}: {problem}")

    def check(self):
        for folder, depth in (("src", 3), (os.path.join("include", "trireme"), 4)):
            for path in files_of(self.root, folder):
                if len(path.split(os.sep)) < depth:
                    self.problems.append(f"{path}:1: belongs in the folder of a module")
                else:
                    self.check_file(path)
        return self.problems


CLEAN = {
    "CMakeLists.txt": "trm_module(core LIBS m)\n"
    "trm_module(math MAY_USE core LIBS trm::openblas)\n"
    "trm_module(comm MAY_USE core math LIBS MPI::MPI_C)\n"
    "trm_module(io   MAY_USE core)\n",
    "include/trireme/core/a.h": "#include <stdio.h>\n",
    "include/trireme/math/a.h": '#include "trireme/core/a.h"\n',
    "include/trireme/comm/a.h": "",
    "include/trireme/io/a.h": "",
    "src/core/a.c": '#include "trireme/core/a.h"\n#include <yaml.h>\n#include "core_internal.h"\n',
    "src/core/core_internal.h": "",
    "src/math/a.c": "#include <cblas.h>\n#include <omp.h>\n#pragma omp parallel\n",
    "src/math/kernels/k.c": '#include "team.h"\n',
    "src/math/team.h": "",
    "src/comm/a.c": '#include "trireme/math/a.h"\n#include <mpi.h>\n',
    "src/io/a.c": "#include <hdf5.h>\n#include <generated.pb-c.h>\n"
    "/* as <mpi.h> is\n#include <mpi.h>\n*/ // #include <mpi.h>\n"
    'const char *text = "/*";\n',
    "src/app/main.c": '#include "trireme/comm/a.h"\n#include "trireme/io/a.h"\n',
}

# (name of the rule, file, its text, what the only problem must contain)
BREACHES = [
    ("upward", "src/core/b.c", '\n#include "trireme/io/a.h"\n', "src/core/b.c:2: core may not"),
    ("sideways", "src/io/b.c", '#include "trireme/math/a.h"\n', "src/io/b.c:1: io may not"),
    ("public upward", "include/trireme/core/b.h", "# include <trireme/math/a.h>\n", "b.h:1: core"),
    ("private of another", "src/io/b.c", '#include "core_internal.h"\n', "private to core"),
    ("private by path", "src/io/b.c", '#include "../math/team.h"\n', "private to math"),
    ("private, plain name", "src/comm/b.c", '#include "team.h"\n', "private to math"),
    ("private from app", "src/app/b.c", '#include "team.h"\n', "private to math"),
    ("private of nobody", "src/io/b.c", '#include "lost_internal.h"\n', "not its own"),
    ("private in public", "include/trireme/core/b.h", '#include "core_internal.h"\n', "public"),
    ("mpi.h", "src/math/b.c", "#include <mpi.h>\n", "under src/comm only"),
    ("mpi.h in app", "src/app/b.c", "#include <mpi.h>\n", "under src/comm only"),
    ("mpi.h by folder", "src/io/b.c", "#include <openmpi/mpi.h>\n", "under src/comm only"),
    ("cblas.h", "src/core/b.c", "#include <cblas.h>\n", "under src/math only"),
    ("omp.h", "src/comm/b.c", "#include <omp.h>\n", "under src/math only"),
    ("omp pragma", "src/comm/b.c", "/*\n*/\n  # pragma  omp for\n", "b.c:3: comm uses an OpenMP"),
    ("omp _Pragma", "src/io/b.c", '_Pragma("omp simd")\n', "io uses an OpenMP"),
    ("hdf5.h", "src/core/b.c", '#include "hdf5.h"\n', "under src/io only"),
    ("H5public.h", "src/core/b.c", "#include <H5public.h>\n", "under src/io only"),
    ("yaml.h", "src/io/b.c", "#include <yaml.h>\n", "under src/core only"),
    ("png.h", "src/io/b.c", "#include <png.h>\n", "under src/prepare only"),
    ("jpeglib.h", "src/io/b.c", "#include <jpeglib.h>\n", "under src/prepare only"),
    ("zlib.h", "src/io/b.c", "#include <zlib.h>\n", "under src/prepare only"),
    ("metis.h", "src/io/b.c", "#include <metis.h>\n", "under src/input only"),
    ("dlfcn.h", "src/io/b.c", "#include <dlfcn.h>\n", "under src/math or src/optim only"),
    ("a library of C++", "src/io/b.cc", "#include <sentencepiece_trainer.h>\n", "under src/input only"),
    ("after a comment", "src/io/b.c", "/* x */ #include <mpi.h>\n", "under src/comm only"),
    ("unknown module", "src/gpu/b.c", "", "no trm_module(gpu"),
    ("unknown module's header", "include/trireme/gpu/b.h", "", "no trm_module(gpu"),
    ("outside modules", "src/b.c", "", "src/b.c:1: belongs in"),
    ("cycle", "CMakeLists.txt", CLEAN["CMakeLists.txt"].replace("(core LIBS", "(core MAY_USE io LIBS"),
     "CMakeLists.txt:1: core may not use io"),
]


def problems_of(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        return Tree(root).check()


def self_test():
    failures = []
    clean = problems_of(CLEAN)
    if clean:
        failures.append(f"clean tree: expected no problem, got {clean}")
    for name, path, text, part in BREACHES:
        got = problems_of({**CLEAN, path: text})
        if len(got) != 1 or part not in got[0]:
            failures.append(f"{name}: expected one problem with {part!r}, got {got}")
    if not problems_of({**CLEAN, "CMakeLists.txt": "project(x)\n"}):
        failures.append("no modules: expected a problem, got none")
    return failures


def main(arguments):
    if len(arguments) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 64
    lines = self_test() if arguments[0] == "--self-test" else Tree(arguments[0]).check()
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
