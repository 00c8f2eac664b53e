#!/usr/bin/env python3
"""Model files for tests: written here, and compared by NumPy's own means.

    tensors.py write FILE [NAME=DTYPE:SHAPE:SEED[:EDITS]]... [KEY==VALUE]...
        a safetensors file (no NumPy needed: numbers are random bytes or small integers of the seed)
    tensors.py versions DIR
        old.* and new.* in DIR: .safetensors, .npy, .npz (stored and deflated), .gguf
    tensors.py check OLD NEW JSON
        whether what `git dvx diff --tensors --json` says of the two files is what NumPy says
"""
import json
import math
import random
import struct
import sys

SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1, "BOOL": 1}


def safetensors(path, tensors, metadata=None):
    """tensors: {name: (dtype, shape, bytes)}"""
    header, at = {}, 0
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for _, _, data in tensors.values():
            f.write(data)


def write(path, *words):
    tensors, metadata = {}, {}
    for word in words:
        if "==" in word:
            key, _, metadata[key] = word.partition("==")
            continue
        name, _, rest = word.partition("=")
        dtype, shape, seed, *edits = rest.split(":")
        shape = [int(n) for n in shape.split("x") if n]
        count = math.prod(shape)
        rng = random.Random(seed)
        # F32 has numbers that are exact, all others any bytes
        if dtype == "F32":
            values = [float(rng.randrange(-100, 100)) for _ in range(count)]
            for i in range(int(edits[0]) if edits else 0):
                values[i] += 0.5
            data = struct.pack("<%df" % count, *values)
        else:
            data = rng.randbytes(count * SIZES[dtype])
        tensors[name] = (dtype, shape, data)
    safetensors(path, tensors, metadata)


# --- with NumPy --------------------------------------------------------------------------------


def arrays(numpy, seed):
    """What a model may hold, in two versions that share a good part."""
    rng = numpy.random.default_rng(7)
    late = numpy.random.default_rng(seed)
    out = {}
    for dtype in ("f8", "f4", "f2", ">f8", ">f4"):
        x = rng.standard_normal((301, 77)) * 10
        x[5:9] += late.standard_normal((4, 77))
        out["float" + dtype] = x.astype(dtype)
    for dtype in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i4", ">u8"):
        top = numpy.iinfo(dtype).max
        x = rng.integers(0, top, 5003, dtype=numpy.dtype(dtype).newbyteorder("="))
        x[late.integers(0, 5003, 40)] //= 3
        out["int" + dtype] = x.astype(dtype)
    out["bool"] = rng.random(1000) + late.random(1000) / 10 > 0.5
    for dtype in ("c8", "c16"):
        x = rng.standard_normal(999) + 1j * rng.standard_normal(999)
        x[late.integers(0, 999, 30)] *= 1j
        out["complex" + dtype] = x.astype(dtype)
    odd = rng.standard_normal(100)
    odd[late.integers(0, 100, 9)] = numpy.nan
    odd[late.integers(0, 100, 9)] = numpy.inf
    odd[late.integers(0, 100, 9)] = -numpy.inf
    out["odd"] = odd
    out["large"] = rng.standard_normal(1200) * 1e200 + late.standard_normal(1200) * 1e198
    out["small"] = rng.standard_normal(1200) * 1e-200 + late.standard_normal(1200) * 1e-202
    out["mixed"] = numpy.append(rng.standard_normal(70001) * 1e-3, [1e6 + seed])
    out["columns"] = numpy.asfortranarray(rng.standard_normal((20, 30, 4))) + seed
    out["turned"] = rng.standard_normal((11, 13))
    if seed == 2:
        out["turned"] = numpy.asfortranarray(out["turned"])
        out["turned"][3, 4] += 0.25
    out["same"] = rng.standard_normal((50, 50))
    out["scalar"] = numpy.array(float(seed))
    out["empty"] = numpy.zeros((0, 5))
    out["converted"] = rng.standard_normal(500).astype("f4" if seed == 1 else "f2")
    out["reshaped"] = rng.standard_normal(500).reshape((500,) if seed == 1 else (50, 10))
    out["before" if seed == 1 else "after"] = rng.standard_normal(321)
    out["gone" if seed == 1 else "new"] = rng.standard_normal(seed)
    out["words"] = numpy.array(["a", "b", "c%d" % seed])
    out["dates"] = numpy.array(["2024-01-01", "2024-01-0%d" % seed], dtype="M8[D]")
    record = numpy.zeros(4, dtype=[("x", "f4"), ("y", "i8", (2,))])
    record["x"][seed] = 1
    out["record"] = record
    return out


def bf16(numpy, x):
    return (x.astype("f4").view("u4") >> 16).astype("u2")


def gguf(path, tensors, pairs):
    """tensors: {name: (ggml type, shape with the fastest index first, bytes)}"""

    def text(s):
        return struct.pack("<Q", len(s.encode())) + s.encode()

    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs))
    for key, value in pairs.items():
        head += text(key) + struct.pack("<I", 8) + text(value)
    data = b""
    for name, (kind, shape, content) in tensors.items():
        head += text(name) + struct.pack("<I", len(shape)) + struct.pack("<%dQ" % len(shape), *shape)
        head += struct.pack("<IQ", kind, len(data))
        data += content + b"\0" * (-len(content) % 32)
    with open(path, "wb") as f:
        f.write(head + b"\0" * (-len(head) % 32) + data)


def versions(numpy, directory):
    names = {"f8": "F64", "f4": "F32", "f2": "F16", "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64", "u1": "U8",
             "u2": "U16", "u4": "U32", "u8": "U64", "b1": "BOOL", "c8": "C64"}
    for seed, name in ((1, "old"), (2, "new")):
        v = arrays(numpy, seed)
        numpy.savez("%s/%s.npz" % (directory, name), **v)
        numpy.savez_compressed("%s/%s.z.npz" % (directory, name), **v)
        for one in ("columns", "turned", "float>f4", "words", "odd"):
            numpy.save("%s/%s.%s.npy" % (directory, name, one.replace(">", "")), v[one])
        plain = {}
        for key, x in v.items():
            kind = names.get(x.dtype.str[1:])
            if kind and x.dtype.isnative:
                plain[key] = (kind, x.shape, x.tobytes())
        plain["brain"] = ("BF16", (301, 77), bf16(numpy, v["floatf4"]).tobytes())
        safetensors("%s/%s.safetensors" % (directory, name), plain, {"epoch": str(seed)})
        blocks = numpy.random.default_rng(3).integers(0, 256, (40, 18), dtype="u1")
        blocks[seed, 0] ^= 1
        gguf("%s/%s.gguf" % (directory, name), {
            "f": (0, (77, 301), v["floatf4"].tobytes()), "h": (1, (77, 301), v["floatf2"].tobytes()),
            "b": (30, (77, 301), bf16(numpy, v["floatf4"]).tobytes()), "d": (28, (1200,), v["large"].tobytes()),
            "q": (2, (1280,), blocks.tobytes())}, {"general.name": "tiny %d" % seed})


def load(numpy, path):
    """{name: (array, or None for what NumPy has no type of; its bytes)}"""
    if path.endswith(".npy"):
        x = numpy.load(path)
        return {"array": (x, x.tobytes())}
    if path.endswith(".npz"):
        return {name: (x, x.tobytes()) for name, x in numpy.load(path).items()}
    with open(path, "rb") as f:
        content = f.read()
    if path.endswith(".safetensors"):
        return load_safetensors(numpy, content)
    return load_gguf(numpy, content)


def of_bf16(numpy, data):
    return (numpy.frombuffer(data, "<u2").astype("u4") << 16).view("f4")


def load_safetensors(numpy, content):
    kinds = {"F64": "f8", "F32": "f4", "F16": "f2", "I8": "i1", "I16": "i2", "I32": "i4", "I64": "i8", "U8": "u1",
             "U16": "u2", "U32": "u4", "U64": "u8", "BOOL": "?", "C64": "c8"}
    length = struct.unpack("<Q", content[:8])[0]
    out = {}
    for name, item in json.loads(content[8:8 + length]).items():
        if name != "__metadata__":
            begin, end = item["data_offsets"]
            data = content[8 + length + begin:8 + length + end]
            x = of_bf16(numpy, data) if item["dtype"] == "BF16" else numpy.frombuffer(data, kinds[item["dtype"]])
            out[name] = (x.reshape(item["shape"]), data)
    return out


def load_gguf(numpy, content):
    at = 24

    def take(form):
        nonlocal at
        values = struct.unpack_from("<" + form, content, at)
        at += struct.calcsize("<" + form)
        return values

    def text():
        nonlocal at
        n = take("Q")[0]
        at += n
        return content[at - n:at].decode()

    _, n_tensors, n_pairs = struct.unpack("<IQQ", content[4:24])
    for _ in range(n_pairs):
        text(), take("I"), text()
    items = []
    for _ in range(n_tensors):
        name = text()
        shape = take("%dQ" % take("I")[0])
        items.append((name, shape, *take("IQ")))
    start = (at + 31) // 32 * 32
    out = {}
    for name, shape, kind, offset in items:
        count = math.prod(shape)
        size = count // 32 * 18 if kind == 2 else count * {0: 4, 1: 2, 28: 8, 30: 2}[kind]
        data = content[start + offset:start + offset + size]
        if kind == 30:
            out[name] = (of_bf16(numpy, data).reshape(shape), data)
        else:
            out[name] = (numpy.frombuffer(data, {0: "f4", 1: "f2", 28: "f8"}[kind]).reshape(shape) if kind != 2 else None, data)
    return out


def norm(numpy, x):
    """Whatever its range."""
    most = numpy.max(numpy.abs(x), initial=0)
    return float(most * numpy.sqrt(numpy.sum((numpy.abs(x) / most).astype(numpy.longdouble) ** 2))) if most else 0.0


def wide(numpy, x):
    return x.astype("c16" if x.dtype.kind == "c" else numpy.longdouble)


def expected_norms(numpy, old, new):
    a, b = wide(numpy, old).ravel(), wide(numpy, new).ravel()
    fine = numpy.isfinite(a), numpy.isfinite(b)
    diff = (b - a)[fine[0] & fine[1]]
    return {"norm_old": norm(numpy, a[fine[0]]), "norm_new": norm(numpy, b[fine[1]]), "norm_diff": norm(numpy, diff),
            "max_diff": float(numpy.max(numpy.abs(diff), initial=0)),
            "odd_old": int(numpy.sum(~fine[0])), "odd_new": int(numpy.sum(~fine[1]))}


def near(x, y):
    return x == y or abs(x - y) <= 1e-9 * abs(y)


def elements_changed(numpy, old, new, same_type):
    if not same_type:
        a, b = wide(numpy, old), wide(numpy, new)
        return int(numpy.sum((a != b) & ~(numpy.isnan(a) & numpy.isnan(b))))
    n = old.dtype.itemsize
    a, b = (numpy.frombuffer(x.tobytes(), "V%d" % n) for x in (old, new))
    return int(numpy.sum(a != b))


def check_change(numpy, said, old, new, failures):
    name = said["name"]
    kind = said["change"]
    a, b = old[0], new[0]

    def require(condition, what):
        if not condition:
            failures.append("%s: %s, but %s" % (name, what, said))

    if kind == "changed" and a is None:
        differing = sum(old[1][i:i + 18] != new[1][i:i + 18] for i in range(0, len(old[1]), 18))
        require(said["elements_changed"] == 32 * differing and "norm_old" not in said, "%d blocks" % differing)
        return
    if kind == "reshaped":
        require(a.shape != b.shape or a.dtype != b.dtype, "same shape and type")
        require(said["old"]["shape"] == list(a.shape) and said["new"]["shape"] == list(b.shape), "other shapes")
        if a.shape != b.shape:
            require("norm_old" not in said, "no norms")
            return
    if kind in ("changed", "reshaped") and a.dtype.kind in "fciub":
        changed = elements_changed(numpy, a, b, kind == "changed")
        require(said["elements_changed"] == changed and said["elements"] == a.size, "%d changed" % changed)
        for key, value in expected_norms(numpy, a, b).items():
            require(near(said[key], value), "%s is %r" % (key, value))
    elif kind == "changed":
        require("norm_old" not in said and said["elements_changed"] == elements_changed(numpy, a, b, True), "other elements")


def check(numpy, old_path, new_path, json_path):
    old, new = load(numpy, old_path), load(numpy, new_path)
    with open(json_path) as f:
        said = json.load(f)["modified"]
    (said,) = [m["tensors"] for m in said]
    failures = []
    by_name = {c["name"]: c for c in said["changes"]}
    renamed = {c["name"]: c["old_name"] for c in said["changes"] if c["change"] == "renamed"}
    same = 0
    for name in sorted(old.keys() | new.keys()):
        change = by_name.get(name, {}).get("change", "same")
        if name not in old:
            right = "renamed" if renamed.get(name) in old and old[renamed[name]][1] == new[name][1] else "added"
        elif name not in new:
            right = "same" if name in renamed.values() else "removed"
        elif old[name][1] == new[name][1] and (old[name][0] is None or old[name][0].shape == new[name][0].shape):
            right = "same"
            same += 1
        else:
            a, b = old[name][0], new[name][0]
            right = "reshaped" if a is not None and (a.shape != b.shape or a.dtype != b.dtype) else "changed"
        if change != right:
            failures.append("%s: %s, not %s" % (name, right, change))
        elif right in ("changed", "reshaped"):
            check_change(numpy, by_name[name], old[name], new[name], failures)
    if said["same"] != same or said["tensors"] != {"old": len(old), "new": len(new)} or said["more"] != 0:
        failures.append("%d same, but %s" % (same, said))
    print("\n".join(failures) or "%d tensors, %d same" % (len(new), same))
    return 1 if failures else 0


def main(argv):
    if argv[1] == "write":
        return write(argv[2], *argv[3:])
    import numpy
    numpy.seterr(over="ignore", invalid="ignore")
    if argv[1] == "versions":
        return versions(numpy, argv[2])
    return check(numpy, *argv[2:])


if __name__ == "__main__":
    sys.exit(main(sys.argv))
