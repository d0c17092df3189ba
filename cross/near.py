#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""On MIPS: turns jumps to near places into branches, which say how far it is and not where.

    near.py OBJDUMP PROGRAM          in place

LLVM leaves a function's own blocks with `j`, whose 26 bits are the place in the program: each is different. `b` (`beq $0, $0`)
has the distance from the next instruction, in words: equal loops have equal bytes, and packers like that. Both have a
delay slot, take as long, and stand in all MIPS processors. What is farther than 16 bits reach stays a jump.

Read in "MIPS32 Architecture for Programmers, volume II", the pages of J and BEQ, before editing. Only words that the
disassembler calls `j` are touched, and only if they are the word that J to this place would be."""
import re
import struct
import subprocess
import sys

J, BEQ = 2 << 26, 4 << 26


def branch(word, at):
    """The branch in the place of the jump `word` at the address `at`; None: too far, or no jump."""
    if word & 0xFC000000 != J:
        return None
    target = (at + 4) & 0xF0000000 | (word & 0x03FFFFFF) << 2
    distance = (target - (at + 4)) // 4
    return BEQ | distance & 0xFFFF if -0x8000 <= distance < 0x8000 else None


def texts(program, order):
    """The executable sections of an ELF file of 32 bits: address, offset in the file, size."""
    (table,) = struct.unpack_from(order + "I", program, 32)
    size, count = struct.unpack_from(order + "HH", program, 46)
    for n in range(count):
        _, kind, flags, address, offset, length = struct.unpack_from(order + "6I", program, table + n * size)
        if kind == 1 and flags & 4:  # SHT_PROGBITS, SHF_EXECINSTR
            yield address, offset, length


def jumps(listing):
    """The addresses of the jumps in what the disassembler wrote."""
    return [int(place, 16) for place in re.findall(r"^\s*([0-9a-f]+):\s+j\s", listing, re.MULTILINE)]


def shorten(program, listing):
    """Changes the bytes of `program`, and counts the jumps that are branches now."""
    order, changed = "<" if program[5] == 1 else ">", 0
    sections = list(texts(program, order))
    for at in jumps(listing):
        for address, offset, length in sections:
            if address <= at < address + length:
                place = offset + at - address
                (word,) = struct.unpack_from(order + "I", program, place)
                near = branch(word, at)
                if near is not None:
                    struct.pack_into(order + "I", program, place, near)
                    changed += 1
    return changed


def main():
    objdump, path = sys.argv[1:]
    with open(path, "rb") as file:
        program = bytearray(file.read())
    if program[:5] != b"\x7fELF\x01" or 8 not in program[18:20]:  # ELFCLASS32, EM_MIPS in either order
        sys.exit(f"{path} is no program for MIPS")
    listing = subprocess.run([objdump, "-d", "--no-show-raw-insn", path], stdout=subprocess.PIPE, text=True, check=True)
    if shorten(program, listing.stdout) == 0:
        sys.exit(f"{objdump} finds no jumps in {path}")
    with open(path, "r+b") as file:
        file.write(program)


if __name__ == "__main__":
    main()
