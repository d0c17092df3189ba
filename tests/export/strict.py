# SPDX-License-Identifier: Apache-2.0
"""A strict HTTP server that plays what it is told: each request takes the next act of its plan, or is answered well.

It takes nothing that is not HTTP as it should be: a body of the length that was said, gzip that unpacks, and, where it is
asked to, lines of InfluxDB's protocol to the last character.
"""
import gzip
import re
import socket
import ssl
import struct
import threading
import time

LABEL = r'[a-z]+=(?:[^\s,=\\]|\\[ ,=])+'
FIELD = r'[a-z0-9_]+=(?:\d+i|"(?:[^"\\\n]|\\["\\])*")'
LINE = re.compile(rf'weir[a-z_]*(?:,{LABEL})* {FIELD}(?:,{FIELD})* \d{{13}}')


class Strict:
    def __init__(self, port, lines=False, tls=None):
        """`tls`: a file with the certificate and one with its key."""
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
        self.lines, self.plan, self.requests, self.faults, self.connections = lines, [], [], [], 0
        self.port = port
        self.socket, self.open_ones = None, set()
        self.open()

    def open(self):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", self.port))
        self.socket.listen(16)
        threading.Thread(target=self.accept, args=(self.socket,), daemon=True).start()

    def close(self):
        # An accept that waits goes on waiting when its socket is closed; one that is shut down ends.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for one in list(self.open_ones):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self, listener):
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open_ones.add(one)
            threading.Thread(target=self.talk, args=(one,), daemon=True).start()

    def talk(self, one):
        if self.context:
            try:
                one = self.context.wrap_socket(one, server_side=True)
            except OSError:
                one.close()
                return
        file = one.makefile("rb")
        try:
            while self.turn(one, file):
                pass
        except OSError:
            pass
        finally:
            self.open_ones.discard(one)
            file.close()
            one.close()

    def fault(self, why):
        self.faults.append(why)

    def turn(self, one, file):
        first = file.readline()
        if not first:
            return False
        at = time.monotonic()
        words = first.decode("latin-1").split()
        if len(words) != 3 or words[2] != "HTTP/1.1":
            self.fault(f"request line {first!r}")
            return False
        headers = {}
        while (line := file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() in headers:
                self.fault(f"header {name} twice")
            headers[name.lower()] = value.strip()
        if "host" not in headers:
            self.fault("no host")
        if "content-length" not in headers:
            self.fault("no length")
            return False
        body = file.read(int(headers["content-length"]))
        raw = len(body)
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
            if len(body) <= 1024:
                self.fault("a small body was packed")
        elif len(body) > 1024 and self.lines:
            self.fault("a large body was not packed")
        text = body.decode("utf-8")
        if self.lines:
            for line in text.splitlines():
                if not LINE.fullmatch(line):
                    self.fault(f"line {line!r}")
        act = self.plan.pop(0) if self.plan else answer(204)
        self.requests.append({"at": at, "method": words[0], "path": words[1], "headers": headers, "body": text, "raw": raw, "act": act.__name__})
        return act(one)


def named(name, act):
    act.__name__ = name
    return act


def answer(status, headers="", body=b""):
    def act(one):
        one.sendall(f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)
        return True
    return named(f"answer {status}", act)


def later(status, seconds):
    return answer(status, f"Retry-After: {seconds}\r\n", b"later")


def chunked(one):
    one.sendall(b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfine \r\n3;x=y\r\nnow\r\n0\r\nX-More: y\r\n\r\n")
    return True


def huge(one):
    size = 64 << 20
    one.sendall(f"HTTP/1.1 500 x\r\nContent-Length: {size}\r\n\r\n".encode())
    sent = 0
    try:
        while sent < size:
            one.sendall(b"x" * 65536)
            sent += 65536
    except OSError:
        pass
    huge.sent = sent
    return False


def slow(seconds):
    def act(one):
        time.sleep(seconds)
        return answer(204)(one)
    return named("slow", act)


def drip(one):
    # A byte now and then: whoever counts from the last byte waits for ever.
    for byte in b"HTTP/1.1 204 x\r\nX-Long: " + b"y" * 200:
        one.sendall(bytes([byte]))
        time.sleep(0.2)
    return False


def reset(text):
    def act(one):
        one.sendall(text)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.shutdown(socket.SHUT_RD)
        one.close()
        return False
    return named("reset", act)


def hang_up(one):
    return False
