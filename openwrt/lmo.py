#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a catalogue as LuCI reads it (.lmo) of a translation (.po).

    openwrt/lmo.py FILE.po FILE.lmo

The format: the texts, each filled up to four bytes, then a table sorted by the key's hash, of 16 bytes for each text in the
network's byte order (hash of the key, how many forms it has, where it begins, how long it is), then where that table
begins. A key is the message, its context and \\1 in front of it and \\2 and the number of the form behind it; its hash is
Paul Hsieh's SuperFastHash. The rule for plurals is the text of hash 0. What is not translated is left out.
"""
import re
import struct
import sys


def super_fast_hash(data: bytes) -> int:
    value = len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        low, high = struct.unpack_from("<HH", data, at)
        value = (value + low) & 0xFFFFFFFF
        value = ((value << 16) ^ (high << 11) ^ value) & 0xFFFFFFFF
        value = (value + (value >> 11)) & 0xFFFFFFFF
    rest = data[whole:]
    # A byte alone has a sign.
    signed = struct.unpack("b", rest[-1:])[0] if len(rest) & 1 else 0
    if len(rest) >= 2:
        value = (value + struct.unpack_from("<H", rest)[0]) & 0xFFFFFFFF
    if len(rest) == 3:
        value ^= (value << 16) & 0xFFFFFFFF
        value = (value ^ (signed << 18)) & 0xFFFFFFFF
        value = (value + (value >> 11)) & 0xFFFFFFFF
    elif len(rest) == 2:
        value ^= (value << 11) & 0xFFFFFFFF
        value = (value + (value >> 17)) & 0xFFFFFFFF
    elif len(rest) == 1:
        value = (value + signed) & 0xFFFFFFFF
        value ^= (value << 10) & 0xFFFFFFFF
        value = (value + (value >> 1)) & 0xFFFFFFFF
    for left, right in ((3, 5), (4, 17), (25, 6)):
        value ^= (value << left) & 0xFFFFFFFF
        value = (value + (value >> right)) & 0xFFFFFFFF
    return value


def messages(text: str):
    """Each entry of a .po, as its keywords with their texts."""
    for entry in re.split(r"\n\s*\n", text):
        found, last = {}, None
        for line in entry.splitlines():
            said = re.fullmatch(r'(?:(\w+(?:\[\d+\])?)\s+)?(".*")\s*', line)
            if not said:
                continue
            last = said[1] or last
            # As LuCI's own tool does it: other escapes stay as they are written.
            found[last] = found.get(last, "") + re.sub(r'\\(["\\])', r"\1", said[2][1:-1])
        if "msgid" in found:
            yield found


def catalogue(text: str) -> bytes:
    texts, table = bytearray(), []

    def add(key: int, forms: int, said: str):
        data = said.encode()
        table.append(struct.pack(">IIII", key, forms, len(texts), len(data)))
        texts.extend(data + b"\0" * (-len(data) % 4))

    for found in messages(text):
        key = found["msgid"]
        if not key:
            rule = re.search(r"Plural-Forms: (.*?)\\n", found["msgstr"])
            if rule:
                add(0, 0, rule[1])
            continue
        if "msgctxt" in found:
            key = found["msgctxt"] + "\1" + key
        numbers = sorted(int(name[7:-1]) for name in found if name.startswith("msgstr["))
        forms = [(f"{key}\2{n}", found[f"msgstr[{n}]"]) for n in numbers] or [(key, found["msgstr"])]
        for form, said in forms:
            if said and said != form:
                add(super_fast_hash(form.encode()), len(forms), said)
    table.sort()
    return bytes(texts) + b"".join(table) + struct.pack(">I", len(texts))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: openwrt/lmo.py FILE.po FILE.lmo")
    with open(sys.argv[1], encoding="utf-8") as source:
        made = catalogue(source.read())
    with open(sys.argv[2], "wb") as target:
        target.write(made)
