"""Event files, decoded by code that shares nothing with the writer but the published format.

With --tensorboard also reads them with TensorBoard itself, where it is installed.
"""
import math
import os
import struct
import subprocess
import sys
import tempfile

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        head, (crc,) = data[at:at + 8], struct.unpack_from("<I", data, at + 8)
        assert crc == masked_crc(head), f"bad checksum of the length at {at}"
        (length,) = struct.unpack("<Q", head)
        body = data[at + 12:at + 12 + length]
        (crc,) = struct.unpack_from("<I", data, at + 12 + length)
        assert len(body) == length and crc == masked_crc(body), f"bad record at {at}"
        yield body
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """{number: value}: ints for varints, raw bytes for all else."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            found[number], at = varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if size is None:
                assert kind == 2, f"wire type {kind}"
                size, at = varint(data, at)
            found[number], at = data[at:at + size], at + size
    return found


def decode(path):
    """[(step, tag, value)] of the scalars, and [step] of the session starts."""
    scalars, starts = [], []
    with open(path, "rb") as file:
        events = [fields(body) for body in records(file.read())]
    assert events[0][3] == b"brain.Event:2", events[0]
    for event in events[1:]:
        assert abs(struct.unpack("<d", event[1])[0] - os.path.getmtime(path)) < 600, "wall time"
        if 7 in event:
            assert fields(event[7]) == {1: 1}, event
            starts.append(event[2])
        else:
            value = fields(fields(event[5])[1])
            scalars.append((event[2], value[1].decode(), struct.unpack("<f", value[2])[0]))
    return scalars, starts


def with_tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    reader = EventAccumulator(folder, size_guidance={"scalars": 0})
    reader.Reload()
    train = reader.Scalars("loss/train")
    steps = [event.step for event in train]
    assert steps == list(range(1, 1501)) + [1501, 1 << 40], (len(steps), steps[-5:])
    assert train[1].value == 2.0 and math.isnan(train[-2].value), train[1]
    assert [event.step for event in reader.Scalars("loss/valid")] == list(range(100, 1501, 100))


def main():
    writer, folder = sys.argv[1], tempfile.mkdtemp(prefix="trireme-events-")
    assert masked_crc(b"123456789") == (((0xE3069283 >> 15) | (0xE3069283 << 17)) + 0xA282EAD8) \
        & 0xFFFFFFFF, "this decoder's own CRC"
    result = subprocess.run([writer, "events", folder], capture_output=True, text=True, check=False)
    assert result.returncode == 0 and not result.stderr, result.stderr
    names = sorted(os.listdir(folder))
    assert len(names) == 2 and all(n.startswith("events.out.tfevents.") for n in names), names
    scalars, starts = decode(os.path.join(folder, names[0]))
    assert starts == [], starts
    train = [(step, value) for step, tag, value in scalars if tag == "loss/train"]
    valid = [(step, value) for step, tag, value in scalars if tag == "loss/valid"]
    expected = [(s, struct.unpack("<f", struct.pack("<f", 4.0 / s))[0]) for s in range(1, 2001)]
    assert train == expected, [pair for pair in zip(train, expected) if pair[0] != pair[1]][:3]
    assert valid == [(s, 0.0) for s in range(100, 2001, 100)], valid[:3]
    scalars, starts = decode(os.path.join(folder, names[1]))
    assert starts == [1501], starts
    assert scalars[0][0] == 1501 and math.isnan(scalars[0][2]), scalars
    assert scalars[1][0] == 1 << 40, scalars
    if "--tensorboard" in sys.argv:
        with_tensorboard(folder)


main()
