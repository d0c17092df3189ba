#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small opkg for tests: list, install, upgrade and remove one package in a root, by opkg's rules.

It reads the archives by itself (POSIX.1-1988 ustar headers, as GNU tar writes them), so that it is a reader of its own.
The rules are those of OpenWrt's opkg: a changed conffile stays and the new one is put beside it as -opkg; removing
keeps changed conffiles; prerm and postinst know of an upgrade by PKG_UPGRADE=1; postrm runs on removal alone."""
import gzip
import hashlib
import os
import subprocess
import sys


def members(data):
    """Name, mode, uid, gid, time, kind and contents of each member of a tar."""
    at, found = 0, []
    while at + 512 <= len(data):
        head = data[at:at + 512]
        if head == bytes(512):
            break
        octal = lambda start, size: int(head[start:start + size].split(b"\0")[0].strip() or b"0", 8)
        told = octal(148, 8)
        summed = sum(head[:148]) + 8 * 32 + sum(head[156:])
        if told != summed:
            sys.exit(f"a tar header at {at} has the checksum {told}, not {summed}")
        name, size = head[:100].split(b"\0")[0].decode(), octal(124, 12)
        kind = {b"0": "file", b"\0": "file", b"5": "folder"}.get(head[156:157])
        if kind is None:
            sys.exit(f"{name} is of a kind no package of ours has: {head[156:157]}")
        found.append((name, octal(100, 8), octal(108, 8), octal(116, 8), octal(136, 12), kind, data[at + 512:at + 512 + size]))
        at += 512 + (size + 511) // 512 * 512
    return found


class Package:
    def __init__(self, path):
        with open(path, "rb") as file:
            outer = members(gzip.decompress(file.read()))
        self.outer = [one[0] for one in outer]
        parts = {one[0]: one[6] for one in outer}
        if parts.get("./debian-binary") != b"2.0\n":
            sys.exit("debian-binary does not say 2.0")
        self.data = members(gzip.decompress(parts["./data.tar.gz"]))
        self.control = {one[0][2:]: one for one in members(gzip.decompress(parts["./control.tar.gz"])) if one[5] == "file"}
        lines = self.control["control"][6].decode().split("\n")
        self.fields = dict(line.split(": ", 1) for line in lines if line and not line.startswith(" "))
        self.name = self.fields["Package"]
        self.conffiles = self.control["conffiles"][6].decode().split() if "conffiles" in self.control else []


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Root:
    def __init__(self, root):
        self.root = root
        self.info = self.at("/usr/lib/opkg/info")
        os.makedirs(self.info, exist_ok=True)

    def at(self, path):
        return self.root + path

    def sums(self, name):
        """The conffiles as the package brought them; opkg has them in its status file."""
        path = f"{self.info}/{name}.sums"
        if not os.path.exists(path):
            return None
        with open(path) as file:
            return dict(line.split() for line in file)

    def run(self, name, script, word, is_upgrade):
        if not os.path.exists(f"{self.info}/{name}.{script}"):
            return
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        if is_upgrade:
            environment["PKG_UPGRADE"] = "1"
        command = ["chroot", self.root, "/bin/sh", f"/usr/lib/opkg/info/{name}.{script}", word]
        code = subprocess.run(command, env=environment).returncode
        if code:
            print(f"{name}.{script} {word} failed: {code}")

    def install(self, package):
        name, old = package.name, self.sums(package.name)
        is_upgrade = old is not None
        if is_upgrade:
            self.run(name, "prerm", "upgrade", True)
        # Changed by somebody, or there without the package that owns it.
        kept = {}
        for path in package.conffiles:
            if os.path.exists(self.at(path)) and (old or {}).get(path) != digest(self.at(path)):
                kept[path] = self.at(path) + "-opkg.backup"
                os.rename(self.at(path), kept[path])
        listed, sums = [], {}
        for member, mode, uid, gid, time, kind, contents in package.data:
            path = member[1:]
            if kind == "folder":
                os.makedirs(self.at(path), mode, exist_ok=True)
                continue
            with open(self.at(path) + ".new", "wb") as file:
                file.write(contents)
            os.chown(file.name, uid, gid)
            os.chmod(file.name, mode)
            os.utime(file.name, (time, time))
            os.rename(file.name, self.at(path))
            listed.append(path)
            if path in package.conffiles:
                sums[path] = digest(self.at(path))
        for path, backup in kept.items():
            if digest(backup) == digest(self.at(path)):
                os.remove(backup)
                continue
            print(f"{path} is changed; the new one is {path}-opkg")
            os.rename(self.at(path), self.at(path) + "-opkg")
            os.rename(backup, self.at(path))
        if is_upgrade:
            with open(f"{self.info}/{name}.list") as file:
                for path in set(file.read().split()) - set(listed):
                    if os.path.exists(self.at(path)):
                        os.remove(self.at(path))
        for file, member in package.control.items():
            with open(f"{self.info}/{name}.{file}", "wb") as out:
                out.write(member[6])
            os.chmod(out.name, member[1])
        with open(f"{self.info}/{name}.list", "w") as file:
            file.write("".join(path + "\n" for path in listed))
        with open(f"{self.info}/{name}.sums", "w") as file:
            file.write("".join(f"{path} {value}\n" for path, value in sums.items()))
        self.run(name, "postinst", "configure", is_upgrade)

    def remove(self, name):
        sums = self.sums(name)
        self.run(name, "prerm", "remove", False)
        with open(f"{self.info}/{name}.list") as file:
            listed = file.read().split()
        for path in listed:
            full = self.at(path)
            if not os.path.exists(full):
                continue
            if path in sums and sums[path] != digest(full):
                print(f"{path} is changed and stays")
                continue
            os.remove(full)
            while path != "/":
                path = os.path.dirname(path)
                try:
                    os.rmdir(self.at(path))
                except OSError:
                    break
        self.run(name, "postrm", "remove", False)
        for file in os.listdir(self.info):
            if file.startswith(name + "."):
                os.remove(f"{self.info}/{file}")


def main(arguments):
    match arguments:
        case ["list", path]:
            package = Package(path)
            print("members:", *package.outer)
            for name, mode, uid, gid, _, kind, contents in package.data:
                if kind == "file":
                    print(f"{mode:04o} {uid}:{gid} {hashlib.sha256(contents).hexdigest()[:16]} {name[1:]}")
        case ["times", path]:
            package = Package(path)
            print(*sorted({one[4] for one in package.data} | {one[4] for one in package.control.values()}))
        case ["install", root, path]:
            Root(root).install(Package(path))
        case ["remove", root, name]:
            Root(root).remove(name)
        case _:
            sys.exit("usage: opkg.py list FILE | times FILE | install ROOT FILE | remove ROOT NAME")


main(sys.argv[1:])
