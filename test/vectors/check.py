#!/usr/bin/env python3
"""Recomputes every value of x-safetp1.json from its fixed keys and randomness, with the standard library alone.

Written from the specification (docs/x-safetp1.md) and FIPS 46-3, without a line of ftpseal's code: what it and ftpseal agree
on is what the document says. Prints one line for each value; exit status 1 if any differs.

usage: check.py x-safetp1.json
"""

import base64
import hashlib
import hmac
import json
import sys

# --- DES and Triple-DES (FIPS 46-3) ----------------------------------------------------------------------------------------

IP = [58 - 8 * (i % 8) + 2 * (i // 8) if i < 32 else 57 - 8 * (i % 8) + 2 * (i // 8 - 4) for i in range(64)]
FP = [0] * 64
for _i, _b in enumerate(IP):
    FP[_b - 1] = _i + 1
E = [((4 * (i // 6) + i % 6 - 1) % 32) + 1 for i in range(48)]
P = [16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25]
PC1 = [57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
       63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4]
PC2 = [14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
       41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32]
SHIFTS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1]
S = [
    "e4d12fb83a6c5907" "0f74e2d1a6cb9538" "41e8d62bfc973a50" "fc8249175b3ea06d",
    "f18e6b34972dc05a" "3d47f28ec01a69b5" "0e7ba4d158c6932f" "d8a13f42b67c05e9",
    "a09e63f51dc7b428" "d709346a285ecbf1" "d6498f30b12c5ae7" "1ad069874fe3b52c",
    "7de3069a1285bc4f" "d8b56f03472c1ae9" "a690cb7df13e5284" "3f06a1d8945bc72e",
    "2c417ab6853fd0e9" "eb2c47d150fa3986" "421bad78f9c5630e" "b8c71e2d6f09a453",
    "c1af92680d34e75b" "af427c9561de0b38" "9ef528c3704a1db6" "432c95fabe17608d",
    "4b2ef08d3c975a61" "d0b7491ae35c2f86" "14bdc37eaf680592" "6bd814a7950fe23c",
    "d2846fb1a93e50c7" "1fd8a374c56b0e92" "7b419ce206adf358" "21e74a8dfc90356b",
]
SBOX = [[int(digit, 16) for digit in row] for row in S]


def permute(value, width, table):
    out = 0
    for position in table:
        out = out << 1 | value >> (width - position) & 1
    return out


def subkeys(key):
    state = permute(int.from_bytes(key, "big"), 64, PC1)
    c, d = state >> 28, state & 0xFFFFFFF
    keys = []
    for shift in SHIFTS:
        c = (c << shift | c >> (28 - shift)) & 0xFFFFFFF
        d = (d << shift | d >> (28 - shift)) & 0xFFFFFFF
        keys.append(permute(c << 28 | d, 56, PC2))
    return keys


def des(block, keys):
    state = permute(int.from_bytes(block, "big"), 64, IP)
    left, right = state >> 32, state & 0xFFFFFFFF
    for key in keys:
        mixed = permute(right, 32, E) ^ key
        out = 0
        for i in range(8):
            six = mixed >> (42 - 6 * i) & 63
            out = out << 4 | SBOX[i][(six & 32 | (six & 1) << 4) + (six >> 1 & 15)]
        left, right = right, left ^ permute(out, 32, P)
    return permute(right << 32 | left, 64, FP).to_bytes(8, "big")


def triple_des_cbc(key, iv, plain):
    one, two, three = subkeys(key[:8]), subkeys(key[8:16]), subkeys(key[16:])
    out, last = b"", iv
    for at in range(0, len(plain), 8):
        block = bytes(a ^ b for a, b in zip(plain[at : at + 8], last))
        last = des(des(des(block, one), two[::-1]), three)
        out += last
    return out


# --- encodings ----------------------------------------------------------------------------------------------------------------

def u32(n):
    return n.to_bytes(4, "big")


def field(b):
    return u32(len(b)) + b


def number(n):
    return n.to_bytes((n.bit_length() + 7) // 8, "big")


def mpint(n):
    return field(number(n))


def text(s):
    return field(s.encode("utf-8"))


def b64(b):
    return base64.b64encode(b).decode("ascii")


# --- the checks -----------------------------------------------------------------------------------------------------------------

failures = 0


def check(name, expected, computed):
    global failures
    good = expected == computed
    failures += not good
    print(("ok    " if good else "WRONG ") + name)


def unhex(value):
    return bytes.fromhex(value)


def whole(value):
    return int(value or "0", 16)


def dsa_sign(dsa, k, message):
    p, q, g, x = (whole(dsa[n]) for n in "pqgx")
    r = pow(g, k, p) % q
    s = pow(k, -1, q) * (int.from_bytes(hashlib.sha1(message).digest(), "big") + x * r) % q
    return mpint(r) + mpint(s)


def expand(master, h, label, extra, length):
    out, i = b"", 1
    while len(out) < length:
        out += hmac.new(master, text(label) + h + field(extra) + u32(i), hashlib.sha1).digest()
        i += 1
    return out[:length]


def protect(enc, mac, multiple, iv, header, body):
    count = multiple - (len(header) + len(body) + 20) % multiple
    covered = header + body + bytes([count]) * count
    return iv + triple_des_cbc(enc, iv, covered + hmac.new(mac, covered, hashlib.sha1).digest())


def check_keys(v):
    dsa = v["dsa"]
    p, q, g, x, y = (whole(dsa[n]) for n in "pqgxy")
    check("dsa.y", y, pow(g, x, p))
    check("dsa group", (1, 0), (pow(g, q, p), (p - 1) % q))
    public = b"".join(mpint(whole(dsa[n])) for n in "pqgy")
    check("dsa.encoded", dsa["encoded"], public.hex())
    check("dsa.fingerprint", dsa["fingerprint"], "SHA256:" + b64(hashlib.sha256(public).digest()).rstrip("="))
    brand = v["brandedKey"]
    part = text("ftpseal-brand1") + text(brand["brand"]) + field(public)
    check("brandedKey.encoded", brand["encoded"], (part + field(dsa_sign(dsa, whole(brand["k"]), part))).hex())
    lines = [b64(unhex(brand["encoded"]))[i : i + 64] for i in range(0, len(b64(unhex(brand["encoded"]))), 64)]
    paper = ["-----BEGIN SAFETP PUBLIC KEY-----", "Brand: " + brand["brand"], "", *lines, "-----END SAFETP PUBLIC KEY-----", ""]
    check("brandedKey.text", brand["text"], "\n".join(paper))


def check_exchange(v):
    client, server = v["clientKey"], v["exchange"]
    p, g, x = whole(client["p"]), whole(client["g"]), whole(client["x"])
    y = pow(g, x, p)
    check("clientKey.y", client["y"], number(y).hex())
    public = mpint(p) + mpint(g) + mpint(y)
    check("clientKey.encoded", client["encoded"], public.hex())
    challenge, master = unhex(server["serverChallenge"]), unhex(server["master"])
    first = field(public) + field(unhex(server["clientChallenge"]))
    m = int.from_bytes(b"\x00\x02" + unhex(server["filler"]) + b"\x00" + master, "big")
    k = whole(server["k"])
    c1, c2 = pow(g, k, p), m * pow(y, k, p) % p
    check("secret can be read", m, c2 * pow(c1, p - 1 - x, p) % p)
    body = field(challenge) + field(unhex(server["clientChallenge"])) + text(server["serverAddress"]) + mpint(c1) + mpint(c2)
    check("exchange.body", server["body"], body.hex())
    signed = text("ftpseal-kex1") + field(unhex(v["brandedKey"]["encoded"])) + field(public) + field(body)
    check("exchange.hash", server["hash"], hashlib.sha1(signed).hexdigest())
    answer = field(body) + field(dsa_sign(v["dsa"], whole(server["signatureK"]), signed))
    h = unhex(server["hash"])
    enc = expand(master, h, "c2s control enc", b"", 24)
    iv = unhex(server["proofIv"])
    proof = iv + triple_des_cbc(enc, iv, challenge)
    lines = [
        ("C", "AUTH X-SafeTP1"),
        ("S", "334 ADAT=" + b64(unhex(v["brandedKey"]["encoded"]))),
        ("C", "ADAT " + b64(first)),
        ("S", "335 ADAT=" + b64(answer)),
        ("C", "ADAT " + b64(proof)),
        ("S", "235 Security data exchange complete"),
    ]
    said = v["negotiation"][-len(lines) :]
    for (side, line), given in zip(lines, said):
        check(f"negotiation {side} {line[:8]}", [given["from"], given["line"]], [side, line])
    everything = "".join(entry["line"] + "\r\n" for entry in v["negotiation"])
    check("digest", v["digest"], hashlib.sha1(everything.encode("latin-1")).hexdigest())
    return master, h


def check_session_keys(v, master, h):
    for row in v["sessionKeys"]:
        if "fileSequence" in row:
            extra = u32(row["fileSequence"]) + u32(row["blockSequence"] // 64)
        else:
            extra = b""
        length = 24 if row["label"].endswith(" enc") else 20
        check("key " + row["label"] + " " + extra.hex(), row["key"], expand(master, h, row["label"], extra, length).hex())


def check_lines(v, master, h):
    for direction, flag, verb in (("c2s", 0, "ENC "), ("s2c", 1, "632 ")):
        enc = expand(master, h, direction + " control enc", b"", 24)
        mac = expand(master, h, direction + " control mac", b"", 20)
        for row in (r for r in v["lines"] if r["direction"] == direction):
            header = u32(flag) + u32(row["sequence"])
            block = protect(enc, mac, 64, unhex(row["iv"]), header, unhex(row["line"]))
            check(f"line {direction} {row['sequence']}", row["wire"], verb + b64(block))


def check_blocks(v, master, h):
    for row in v["blocks"]:
        direction, safe = row["direction"], row["level"] == "S"
        extra = u32(row["fileSequence"]) + u32(row["blockSequence"] // 64)
        enc = expand(master, h, direction + " data enc", extra, 24)
        mac = expand(master, h, direction + " data mac", extra, 20)
        flags = (1 if direction == "s2c" else 0) | 2 | (4 if safe else 0)
        header = u32(flags) + u32(row["fileSequence"]) + u32(row["blockSequence"])
        data = unhex(row["data"])
        if safe:
            block = header + data + hmac.new(mac, header + data, hashlib.sha1).digest()
        else:
            block = protect(enc, mac, 8, unhex(row["iv"]), header, data)
        name = f"block {row['level']} {direction} file {row['fileSequence']} block {row['blockSequence']}"
        check(name, row["wire"], (u32(len(block)) + block).hex())


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        v = json.load(file)
    # A known answer first: the example of FIPS 81 for the key 0123456789abcdef.
    check("DES itself", "3fa40e8a984d4815", des(b"Now is t", subkeys(unhex("0123456789abcdef"))).hex())
    check_keys(v)
    master, h = check_exchange(v)
    check_session_keys(v, master, h)
    check_lines(v, master, h)
    check_blocks(v, master, h)
    print(f"{failures} wrong" if failures else "all values agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
