#!/usr/bin/env python3
"""Writes vectors.json: what an independent implementation in Python says. `python3 generate.py > vectors.json`.

SHA-256 and MD5 are Python's own; everything else is written from the papers and the constants in the TypeScript comments.
"""
import hashlib, json, math, struct, uuid, random

M32, M64 = 2**32 - 1, 2**64 - 1
rng = random.Random(1)
KEYS = [f"key-{i}" for i in range(40)] + ["", "ü", "日本"]


def mix32(h):
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & M32
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & M32
    return h ^ (h >> 16)


def hash32(text):
    h = 0x811C9DC5
    for unit in struct.unpack(f"<{len(text.encode('utf-16-le')) // 2}H", text.encode("utf-16-le")):
        h = ((h ^ (unit & 0xFF)) * 0x01000193) & M32
        if unit > 0xFF:
            h = ((h ^ (unit >> 8)) * 0x01000193) & M32
    return mix32(h)


def mix64(h):
    h = ((h ^ (h >> 33)) * 0xFF51AFD7ED558CCD) & M64
    h = ((h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53) & M64
    return h ^ (h >> 33)


def key64(text):
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = ((h ^ byte) * 0x100000001B3) & M64
    return mix64(h)


def slot(text, slots):
    sum_ = int.from_bytes(hashlib.sha256(b"ballast slot 16").digest()[:8], "big") >> 23
    for i, byte in enumerate(uuid.UUID(text).bytes):
        m = (int.from_bytes(hashlib.sha256(f"ballast slot {i}".encode()).digest()[:8], "big") >> 23) | 1
        sum_ += byte * m
    return (sum_ % 2**41) * slots // 2**41


def jump(key, buckets):
    b, j = -1, 0
    while j < buckets:
        b = j
        key = (key * 2862933555777941757 + 1) & M64
        j = int((b + 1) * (float(1 << 31) / float((key >> 33) + 1)))
    return b


def maglev(names, size):
    names = sorted(names)
    perm = [(key64(n) % size, mix64((key64(n) + 1) & M64) % (size - 1) + 1) for n in names]
    table, nxt, filled = [-1] * size, [0] * len(names), 0
    while True:
        for i, (offset, skip) in enumerate(perm):
            while True:
                entry = (offset + nxt[i] * skip) % size
                nxt[i] += 1
                if table[entry] < 0:
                    break
            table[entry] = i
            filled += 1
            if filled == size:
                return table


def anchor(capacity, removed, key):
    """From the definition: W_b is the set that was left after b went, in its order at that time (algorithm 1 of the paper)."""
    working, left = list(range(capacity)), {}
    for b in removed:
        place = working.index(b)
        last = working.pop()
        if last != b:
            working[place] = last
        left[b] = list(working)
    b = mix32(key) % capacity
    while b in left:
        b = left[b][mix32(((key * 0x9E3779B1) & M32) ^ mix32(b + 1)) % len(left[b])]
    return b


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def ring(servers):
    total, points = sum(w for _, w in servers), []
    for index, (name, weight) in enumerate(servers):
        share = f32(weight / total)
        for i in range(math.floor(f32(f32(share * 40) * len(servers)) + 1e-10)):
            d = hashlib.md5(f"{name}-{i}".encode()).digest()
            points += [(p, index) for p in struct.unpack("<4I", d)]
    return sorted(points)


def ring_of(servers, key):
    points, at = ring(servers), struct.unpack("<I", hashlib.md5(key.encode()).digest()[:4])[0]
    return servers[next((i for p, i in points if p >= at), points[0][1])][0]


def rendezvous(key, members):
    def score(name, weight):
        u = (mix32(((hash32(key) * 0x9E3779B1) & M32) ^ hash32(name)) + 0.5) / 2**32
        return (-math.log(u) / weight, name)

    return min(score(n, w) for n, w in members)[1]


def bounded(keys, members, epsilon):
    total = sum(w for _, w in members)
    room = {n: math.ceil((1 + epsilon) * len(keys) * w / total) for n, w in members}
    owners = []
    for key in keys:
        owner = rendezvous(key, [(n, w) for n, w in members if room[n] > 0])
        room[owner] -= 1
        owners.append(owner)
    return owners


WEIGHTED = [("a", 1), ("b", 2), ("c", 5), ("d", 0.5)]
NAMES = [f"worker-{i}" for i in range(7)]
SERVERS = [(f"192.168.1.10{i}:11210", 1) for i in range(1, 5)]
UNEVEN = [("10.0.1.1", 600), ("10.0.1.2", 300), ("10.0.1.3", 200), ("10.0.1.4", 350)]
REMOVED = [15, 14, 13, 12, 11, 10, 3, 0, 7, 9, 4, 8, 1]
UUIDS = [str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(50)]
MAGLEV_CASES = [(NAMES, 101), (NAMES[:3], 7), (NAMES, 65537)]

print(json.dumps({
    "sha256": [[k, hashlib.sha256(k.encode()).hexdigest()] for k in KEYS],
    "hash32": [[k, hash32(k)] for k in KEYS],
    "key64": [[k, str(key64(k))] for k in KEYS],
    "slot": [[u, n, slot(u, n)] for u in UUIDS for n in (16384, 1048576)],
    "jump": [[str(k), n, jump(k, n)] for k in [0, 1, 2**64 - 1, 2**32, *(rng.getrandbits(64) for _ in range(40))] for n in (1, 2, 10, 1000, 2**31 - 1)],
    "maglev": [[n, s, hashlib.sha256(",".join(map(str, maglev(n, s))).encode()).hexdigest()] for n, s in MAGLEV_CASES],
    "anchor": [[k, anchor(16, REMOVED, k)] for k in (rng.getrandbits(32) for _ in range(100))],
    "anchorRemoved": REMOVED,
    "ring": [[s, hashlib.sha256(",".join(str(p) for p, _ in ring(s)).encode()).hexdigest(), [[k, ring_of(s, k)] for k in KEYS]] for s in (SERVERS, UNEVEN)],
    "rendezvous": [[k, rendezvous(k, WEIGHTED)] for k in KEYS],
    "bounded": [[e, bounded(KEYS, WEIGHTED, e)] for e in (0, 0.05, 1)],
    "members": WEIGHTED,
}, ensure_ascii=False, separators=(",", ":")))
