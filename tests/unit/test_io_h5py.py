"""Our HDF5 files read by h5py, and files written with h5py read by us. Skipped without h5py."""
import os
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
except ImportError:
    print("skipped: h5py is not installed")
    sys.exit(77)


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0 and not result.stderr, (command, result.stderr)


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def main():
    writer, folder = sys.argv[1], tempfile.mkdtemp(prefix="trireme-h5py-")
    ours, theirs = os.path.join(folder, "ours.h5"), os.path.join(folder, "theirs.h5")
    run(writer, "container", ours)
    with h5py.File(ours) as file:
        assert file.attrs["trireme_format"] == 1
        assert text(file.attrs["kind"]) == "teïxt", file.attrs["kind"]
        assert file["arrays"].attrs["loss"] == 1.5
        kinds = {"f32": "<f4", "f64": "<f8", "u8": "u1", "u16": "<u2", "i32": "<i4", "u32": "<u4",
                 "i64": "<i8", "u64": "<u8"}
        assert sorted(file["arrays"]) == sorted(kinds)
        for name, kind in kinds.items():
            array = file["arrays"][name]
            assert array.dtype == np.dtype(kind), (name, array.dtype)
            assert (array[()] == np.arange(6).reshape(2, 3)).all(), name

    tokens = np.arange(1000, dtype=np.uint16)
    with h5py.File(theirs, "w") as file:
        file.attrs["trireme_format"] = 1
        file.attrs["kind"] = "teïxt"
        file["plain"] = tokens
        file["i64"] = tokens.astype(np.int64)
        file["be"] = tokens.astype(">i4")
        file.create_dataset("gzip", data=tokens, compression="gzip", chunks=(100,), shuffle=True)
        file.create_dataset("lzf", data=tokens, compression="lzf")
    run(writer, "read", theirs)

    run(writer, "checkpoint", folder)
    for name in ("step_00000200.h5", "best.h5"):
        with h5py.File(os.path.join(folder, name)) as file:
            assert text(file.attrs["kind"]) == "checkpoint"
            assert (file["model/wte/weight"][()] == np.arange(1, 7).reshape(2, 3)).all()
            assert file["optimizer/m/wte/weight"].shape == (6,)
            facts = file["run"].attrs
            assert facts["step"] == 200 and int(text(facts["seed"])) == 2**64 - 1
            assert text(facts["config_text"]).startswith("model:")
            assert bytes(file["vocab/bytes"][()]) == b"abb"


main()
