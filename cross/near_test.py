#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of near.py; `cross/near_test.py` runs them."""
import struct
import unittest

import near


def program(order, words, address=0x20000):
    """An ELF file of 32 bits with one section of code."""
    head, length = 52, 4 * len(words)
    elf = b"\x7fELF\x01" + (b"\x01" if order == "<" else b"\x02") + bytes(10)
    elf += struct.pack(order + "HHIIIIIHHHHHH", 2, 8, 1, address, 0, head, 0, head, 0, 0, 40, 1, 0)
    elf += struct.pack(order + "10I", 0, 1, 6, address, head + 40, length, 0, 0, 4, 0)
    return bytearray(elf + struct.pack(order + f"{len(words)}I", *words))


class Near(unittest.TestCase):
    def test_a_branch_goes_where_the_jump_went(self):
        for target, at, wanted in [
            (0x20010, 0x20000, 0x10000003),
            (0x20004, 0x20000, 0x10000000),
            (0x20000, 0x20000, 0x1000FFFF),
            (0x1FF00, 0x20000, 0x1000FFBF),
        ]:
            self.assertEqual(near.branch(0x08000000 | target >> 2, at), wanted)

    def test_what_is_farther_than_a_branch_reaches_or_no_jump_stays(self):
        reach = 4 + 4 * 0x7FFF
        self.assertEqual(near.branch(0x08000000 | (0x20000 + reach) >> 2, 0x20000), 0x10007FFF)
        self.assertIsNone(near.branch(0x08000000 | (0x20000 + reach + 4) >> 2, 0x20000))
        self.assertEqual(near.branch(0x08000000 | (0x80000 + 4 - 4 * 0x8000) >> 2, 0x80000), 0x10008000)
        self.assertIsNone(near.branch(0x08000000 | (0x80000 - 4 * 0x8000) >> 2, 0x80000))
        self.assertIsNone(near.branch(0x0C008004, 0x20000))  # jal

    def test_only_what_the_disassembler_calls_a_jump_is_changed_in_either_order_of_bytes(self):
        jump = 0x08008003  # to 0x2000c
        listing = "\n00020000 <f>:\n   20000:      \tj\t0x2000c <f+0xc>\n   20004:      \tnop\n   20008: \tjal\t0x20000\n   2000c:\tjr\t$ra\n"
        for order in "<", ">":
            elf = program(order, [jump, 0, 0x0C008000, 0x03E00008, jump])
            before = bytes(elf)
            self.assertEqual(near.shorten(elf, listing), 1)
            self.assertEqual(elf, before[:92] + struct.pack(order + "I", 0x10000002) + before[96:])


if __name__ == "__main__":
    unittest.main()
