# SPDX-License-Identifier: Apache-2.0
"""What weir-export claims, held against real servers. Run by tests/export/run in a network of its own."""
import base64
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import strict
from strict import Strict, answer, chunked, drip, hang_up, huge, later, reset, slow

ROOT = os.getcwd()
WEIR, EXPORT, BUS = (os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "debug", name) for name in ("weir", "weir-export", "examples/lab-bus"))
TLS = EXPORT + "-tls"
WORK = tempfile.mkdtemp(prefix="weir-export-")
USER = pwd.getpwnam("weir")
SECRETS = ["s3cret-token", "s3cret-header", "s3cret-password", "s3cret-path"]
passed, failed, children, logs = 0, 0, [], []


def claim(sentence, holds, said=""):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {sentence}\n  {str(said)[:1500]}", flush=True)


def until(is_so, seconds=30):
    """Within so long at most; what counts is that it comes, not when."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if (found := is_so()):
                return found
        except (OSError, ValueError, KeyError, IndexError):
            pass
        time.sleep(0.05)
    return None


def begin(name, *command, **more):
    log = os.path.join(WORK, name + ".log")
    out = open(log, "ab")
    child = subprocess.Popen(command, stdout=out, stderr=out, **{"stdin": subprocess.DEVNULL, **more})
    child.log = log
    children.append(child)
    logs.append(log)
    return child


def end(child, how=signal.SIGTERM):
    if child.poll() is None:
        child.send_signal(how)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(name, text, mode=0o644):
    path = os.path.join(WORK, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def get(url, **headers):
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as got:
        return got.read().decode()


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **more)


class Export:
    """weir-export as the service runs it: user weir, no capability, no new privileges."""

    def __init__(self, name, config, *words, stdin=None, path=None, program=EXPORT):
        self.state = os.path.join(WORK, "state-" + name)
        os.makedirs(self.state, exist_ok=True)
        os.chown(self.state, USER.pw_uid, USER.pw_gid)
        self.config = write(name + ".config", config)
        command = ["setpriv", "--reuid=weir", "--regid=weir", "--clear-groups", "--no-new-privs", "--bounding-set=-all",
                   "--inh-caps=-all", program, "run", "--foreground", "--config", self.config, "--state-dir", self.state]
        command += words or ["--ubus", SOCKET]
        env = {**os.environ, **({"PATH": path} if path else {})}
        self.child = begin(name, *command, stdin=stdin if stdin is not None else subprocess.DEVNULL, env=env)

    def status(self):
        return json.loads(read(os.path.join(self.state, "status")))

    def outlet(self, name):
        return next(one for one in self.status()["outlets"] if one["outlet"] == name)

    def says(self):
        return run(EXPORT, "status", "--state-dir", self.state).stdout

    def log(self):
        return read(self.child.log)

    def proc(self, key):
        return next(line.split(":", 1)[1].strip() for line in read(f"/proc/{self.child.pid}/status").splitlines() if line.startswith(key + ":"))

    def end(self, how=signal.SIGTERM):
        end(self.child, how)


SOCKET = os.path.join(WORK, "ubus.sock")
THRESHOLD = "config threshold 'busy'\n option metric 'throughput'\n option direction 'up'\n option operator '>'\n option value '2mbit'\n option for '1s'\n option severity 'error'\n"


class Router:
    """A daemon that shapes the loopback device, and the bus."""

    def __init__(self):
        os.chmod(WORK, 0o755)
        acl = os.path.join(WORK, "acl")
        os.makedirs(acl)
        shutil.copy(os.path.join(ROOT, "openwrt/weir/files/ubus-acl.json"), os.path.join(acl, "weir.json"))
        self.broker = begin("broker", BUS, "broker", SOCKET, acl)
        until(lambda: os.path.exists(SOCKET))
        os.chmod(SOCKET, 0o666)  # as procd has it
        self.config = write("weir", "config wan 'home'\n option device 'lo'\n option upload '20mbit'\n" + THRESHOLD)
        os.makedirs(os.path.join(WORK, "daemon"))
        self.daemon = None
        self.start()

    def start(self):
        self.daemon = begin("daemon", WEIR, "daemon", "--foreground", "--config", self.config, "--state-dir", os.path.join(WORK, "daemon"), "--ubus", SOCKET)
        shaped = until(lambda: "shaped to 20 Mbit/s" in self.weir("status").stdout)
        if not shaped:
            print(read(self.daemon.log), self.weir("status").stdout)
            raise SystemExit("the daemon does not shape")

    def weir(self, *words):
        return run(WEIR, *words, "--config", self.config, "--state-dir", os.path.join(WORK, "daemon"))


def flood(stop):
    """4 Mbit/s or so over the loopback device."""
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while not stop.is_set():
        out.sendto(b"x" * 1000, ("127.0.0.1", 9999))
        time.sleep(0.0015)


def influx(url, more="", name="influx"):
    return f"config globals\n option interval '1s'\n option router 'attic'\nconfig influx '{name}'\n option url '{url}'\n option org 'o'\n option bucket 'b b'\n option token 's3cret-token'\n{more}"


# --- the parts --------------------------------------------------------------------------------------------------------

def cli(_):
    said = run(EXPORT, "version").stdout
    version = re.search(r'^version = "(.*)"', read("Cargo.toml"), re.M).group(1)
    claim("it knows its version", said.startswith(f"weir-export {version} ("), said)
    bad = write("bad", "config influx\n option url 'htp://x'\n option token 's3cret-token'\n option bucket 'b'\n")
    done = run(EXPORT, "check", bad)
    claim("a fault is told with file, line and option", done.returncode == 78 and f"{bad}:2: fault: option 'url'" in done.stderr, done)
    claim("and without the secret beside it", "s3cret" not in done.stdout + done.stderr, done)
    default = "openwrt/weir-export/files/weir-export.config"
    done = run(EXPORT, "check", default)
    claim("the default configuration is sound and switches nothing on", done.returncode == 0 and "nothing is switched on" in done.stdout and not done.stderr, done)
    on = write("on", read(default).replace("'0'", "'1'"))
    done = run(EXPORT, "check", on)
    claim("switched on it is sound as well", done.returncode == 0 and not done.stderr, done)
    done = run(EXPORT, "run", "--config", default)
    claim("with nothing switched on it does not run", done.returncode == 78 and "nothing to do" in done.stderr, done)
    done = run(EXPORT, "run", "--config", "/nowhere")
    claim("without a file it says so", done.returncode == 66 and "/nowhere" in done.stderr, done)
    done = run(EXPORT, "status", "--state-dir", "/nowhere")
    claim("status of what has not run says so", done.returncode == 1 and "has not run" in done.stderr, done)
    text = read("docs/export.md")
    claim("the documentation's table of metrics is the program's own", run(EXPORT, "help", "metrics").stdout in text, "BLESS=1 cargo test --features export --test readme")


def victoria(router):
    begin("victoria", "victoria-metrics", "-httpListenAddr=127.0.0.1:8428", f"-storageDataPath={WORK}/victoria", "-retentionPeriod=1", "-search.latencyOffset=0s")
    base = "http://127.0.0.1:8428"
    if not until(lambda: get(base + "/health")):
        claim("VictoriaMetrics begins", False, read(os.path.join(WORK, "victoria.log")))
        return
    export = Export("to-victoria", influx(base))
    query = lambda text: json.loads(get(f"{base}/api/v1/query?query={urllib.parse.quote(text)}"))["data"]["result"]
    found = until(lambda: query('weir_direction_rate_bps{direction="upload"}'))
    claim("VictoriaMetrics has the rate, by line, direction and router", found and found[0]["metric"]["wan"] == "home" and found[0]["metric"]["router"] == "attic" and found[0]["value"][1] == "20000000", found or export.log())
    found = until(lambda: query('weir_class_sent_bytes{class="normal"}'))
    claim("and what classes sent", found and int(found[0]["value"][1]) > 0, found)
    found = until(lambda: [one for one in query("weir_direction_sent_bps") if one["metric"]["direction"] == "upload"])
    claim("and what the history says of the seconds between", found is not None, query("weir_direction_sent_bps"))
    found = until(lambda: query('weir_export_outlet_sent{outlet="influx"} > 0'))
    claim("and how weir-export does", found is not None)
    health = until(lambda: (one := export.outlet("influx"))["sent"] > 0 and one["saved_bytes"] > 0 and one)
    claim("the status counts what arrived and what gzip saved", health and health["p95_us"] > 0 and health["failed"] == 0 and health["trouble"] is None, health)
    claim("and says it for people", re.search(r"influx: http://127.0.0.1:8428: \d+ sent.*, 95 % within .*, gzip saved \d+ %", export.says()), export.says())
    claim("it runs as user weir", export.proc("Uid").split() == [str(USER.pw_uid)] * 4, export.proc("Uid"))
    claim("without any capability", all(int(export.proc(key), 16) == 0 for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")))
    claim("and can get none", export.proc("NoNewPrivs") == "1")
    time.sleep(3)
    memory = int(export.proc("VmRSS").split()[0])
    print(f"  memory while it exports (debug build): {memory} KB resident, {export.proc('RssAnon')} of its own, {export.proc('Threads')} threads")
    claim("it needs less than 8 MB in a debug build", memory < 8192, memory)
    export.end()


def influxdb(router):
    config = write("influxd.conf", f"""reporting-disabled = true
bind-address = "127.0.0.1:8088"
[meta]
dir = "{WORK}/influx/meta"
[data]
dir = "{WORK}/influx/data"
wal-dir = "{WORK}/influx/wal"
[http]
bind-address = "127.0.0.1:8086"
auth-enabled = true
""")
    begin("influxd", "influxd", "-config", config)
    base = "http://127.0.0.1:8086"

    def query(text, **more):
        data = urllib.parse.urlencode({"q": text, "db": "weir", "epoch": "ms"}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{base}/query?{urllib.parse.urlencode(more)}", data), timeout=10) as got:
            return json.loads(got.read())["results"][0]

    if not until(lambda: query("CREATE USER admin WITH PASSWORD 's3cret-password' WITH ALL PRIVILEGES")):
        claim("InfluxDB begins", False, read(os.path.join(WORK, "influxd.log")))
        return
    who = {"u": "admin", "p": "s3cret-password"}
    secret = write("password", "s3cret-password\n", 0o640)
    os.chown(secret, 0, USER.pw_gid)
    text = f"config globals\n option interval '1s'\nconfig influx\n option url '{base}'\n option database 'weir'\n option username 'admin'\n option password_file '{secret}'\n"
    export = Export("to-influxdb", text)
    claim("a database that is not there is waited for", until(lambda: "HTTP 404" in (export.outlet("influx")["trouble"] or "")), export.log())
    query("CREATE DATABASE weir", **who)
    found = until(lambda: query('SELECT last("rate_bps"), "state" FROM "weir_direction" WHERE "direction" = \'upload\'', **who)["series"][0]["values"][0])
    claim("InfluxDB 1 has the rate as a whole number", found and found[1] == 20000000, found or export.log())
    claim("and the time in milliseconds", found and abs(found[0] / 1000 - time.time()) < 600, found)
    found = until(lambda: query('SELECT count("active") FROM "weir_alerts"', **who)["series"][0]["values"][0])
    claim("nothing was lost while it was not there", found and export.outlet("influx")["dropped"] == 0 and export.outlet("influx")["failed"] == 0, export.status())
    claim("that it delivers again is in the log, once", until(lambda: export.log().count("delivers again") == 1), export.log())
    export.end()


def prometheus(router):
    text = "config globals\n option interval '1s'\nconfig prometheus\n option listen '127.0.0.1:9477'\n"
    export = Export("to-prometheus", text)
    url = "http://127.0.0.1:9477"
    metrics = until(lambda: (got := get(url + "/metrics")) and "weir_shaped" in got and "weir_sent_bytes_per_second" in got and got)
    claim("its metrics are there", metrics is not None, export.log())
    lint = run("promtool", "check", "metrics", input=metrics or "")
    claim("promtool has nothing to say", lint.returncode == 0 and not lint.stdout + lint.stderr, lint)
    config = write("prometheus.yml", "global:\n  scrape_interval: 1s\nscrape_configs:\n- job_name: weir\n  static_configs:\n  - targets: ['127.0.0.1:9477']\n")
    begin("prometheus", "prometheus", f"--config.file={config}", f"--storage.tsdb.path={WORK}/prometheus", "--web.listen-address=127.0.0.1:9090", "--log.level=warn")
    base = "http://127.0.0.1:9090/api/v1"
    query = lambda text: json.loads(get(f"{base}/query?query={urllib.parse.quote(text)}"))["data"]["result"]
    found = until(lambda: query('weir_rate_bytes_per_second{wan="home",direction="upload"}'))
    claim("Prometheus scrapes the rate", found and found[0]["value"][1] == "2500000", found)
    before = router.weir("status", "--json").stdout
    sent = {row["name"]: row["sent_bytes"] for row in json.loads(before)["lines"][0]["upload"]["classes"]}
    found = until(lambda: [one for one in query('weir_class_sent_bytes_total{class="normal"}') if int(one["value"][1]) >= sent["normal"]])
    claim("and counters catch up with the kernel's", found is not None, sent)
    claim("Prometheus knows their types", json.loads(get(f"{base}/metadata?metric=weir_class_sent_bytes_total"))["data"]["weir_class_sent_bytes_total"][0]["type"] == "counter")
    dashboard(base, run(EXPORT, "help", "metrics").stdout)
    packed = urllib.request.urlopen(urllib.request.Request(url + "/metrics", headers={"Accept-Encoding": "gzip"}), timeout=10)
    claim("who takes gzip gets gzip", packed.headers.get("Content-Encoding") == "gzip" and len(packed.read()) < len(metrics or "") / 3)
    for path, status in (("/", 200), ("/etc/passwd", 404)):
        try:
            got = urllib.request.urlopen(url + path, timeout=10).status
        except urllib.error.HTTPError as error:
            got = error.code
        claim(f"{path} is answered by {status}", got == status, got)
    idle = [socket.create_connection(("127.0.0.1", 9477)) for _ in range(3)]
    idle[0].send(b"GET /metrics HTTP/1.1\r\nX: ")
    claim("who says nothing keeps nobody away for long", until(lambda: "weir_up 1" in get(url + "/metrics")))
    for one in idle:
        one.close()
    one = socket.create_connection(("127.0.0.1", 9477))
    one.settimeout(10)
    try:
        one.sendall(b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 100_000)
        got = one.recv(100)
    except OSError:
        got = b"reset"
    claim("endless headers are refused", got.startswith((b"HTTP/1.1 400", b"reset")) or got == b"", got)
    door = until(lambda: (one := export.status()["prometheus"])["scrapes"] > 3 and one["refused"] > 1 and one)
    claim("the status has its scrapes, and who was refused", door and door["listen"] == "127.0.0.1:9477" and abs(door["last_seconds"] - time.time()) < 60, export.status())
    claim("and says it for people", re.search(r"^prometheus: http://127.0.0.1:9477/metrics: \d+ scrapes, the last .*, \d+ callers refused$", export.says(), re.M), export.says())
    end(router.daemon)
    gone = until(lambda: (got := get(url + "/metrics")) and "weir_up 0" in got and got)
    claim("of a daemon that is gone nothing old is told", gone and "weir_shaped" not in gone, gone)
    router.start()
    claim("and it is found again", until(lambda: "weir_shaped" in get(url + "/metrics")), export.log())
    claim("both are in the log, once each", export.log().count("cannot be read:") == 1 and export.log().count("can be read again") == 1, export.log())
    export.end()


def dashboard(base, known):
    """Every expression of the dashboard is asked for, at the real Prometheus."""
    names = set(re.findall(r"`(weir_\w+)`", known))
    board = json.loads(read("openwrt/weir-export/grafana-weir.json"))
    texts = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    texts += [one["query"]["query"] for one in board["templating"]["list"] if one["type"] == "query"]
    used = {name for text in texts for name in re.findall(r"weir_\w+", text)}
    claim("every metric of the dashboard is one of weir-export's", used and used <= names, used - names)
    claim("it shows most of them", len(used) >= 15, used)
    wrong = []
    for text in texts:
        text = re.sub(r"^label_values\((.*), *\w+\)$", r"\1", text)
        for name, value in (("$__rate_interval", "5s"), ("$__range", "1m"), ("$wan", ".*"), ("$direction", ".*")):
            text = text.replace(name, value)
        try:
            if json.loads(get(f"{base}/query?query={urllib.parse.quote(text)}"))["status"] != "success":
                wrong.append(text)
        except urllib.error.HTTPError as error:
            wrong.append(f"{text}: {error.read().decode()}")
    claim("and Prometheus understands all of its expressions", not wrong and len(texts) > 10, wrong)


def mqtt(router):
    passwords = os.path.join(WORK, "mosquitto.passwords")
    run("mosquitto_passwd", "-c", "-b", passwords, "weir", "s3cret-password")
    os.chmod(passwords, 0o644)
    config = write("mosquitto.conf", f"listener 1883 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nlog_type all\n")
    broker = begin("mosquitto", "mosquitto", "-c", config)
    heard = Subscriber("weir", "s3cret-password")
    claim("mosquitto begins", until(heard.connect), read(broker.log))
    export = Export("to-mqtt", "config globals\n option interval '1s'\n option router 'attic'\nconfig mqtt\n option host '127.0.0.1'\n option username 'weir'\n option password 's3cret-password'\n option qos '1'\n option topic 'home/weir'\n")
    claim("mosquitto is told that weir is there", until(lambda: heard.last.get("home/weir/online") == "1"), export.log())
    body = until(lambda: json.loads(heard.last["home/weir/home/upload"]))
    claim("and how the upload stands, as JSON", body and body["rate_bps"] == 20000000 and body["shaped"] == 1, body)
    claim("and each class", until(lambda: json.loads(heard.last["home/weir/home/upload/class/critical"])["rate_bps"] > 0), heard.last)
    health = until(lambda: (one := export.outlet("mqtt"))["sent"] > 10 and one)
    claim("with quality 1 it counts what was acknowledged", health and health["trouble"] is None and "PUBACK" in read(broker.log) or "Sending PUBACK" in read(broker.log), health)
    late = Subscriber("weir", "s3cret-password")
    late.connect()
    claim("who comes late hears what is retained", until(lambda: "home/weir/home/upload" in late.last), late.last)
    end(broker, signal.SIGKILL)
    claim("an outage is told", until(lambda: export.outlet("mqtt")["trouble"]), export.status())
    begin("mosquitto", "mosquitto", "-c", config)
    again = Subscriber("weir", "s3cret-password")
    claim("and over when the server is there again", until(lambda: again.connect() and export.outlet("mqtt")["trouble"] is None), export.log())
    claim("which is in the log", until(lambda: "delivers again" in export.log()), export.log())
    stop = threading.Event()
    threading.Thread(target=flood, args=(stop,), daemon=True).start()
    raised = until(lambda: [one for one in again.all if one[0] == "home/weir/alert" and json.loads(one[1])["event"] == "raise"])
    stop.set()
    claim("an alert of the daemon is told", raised and json.loads(raised[0][1])["level"] == "busy", again.all[-5:])
    claim("and that it is over", until(lambda: [one for one in again.all if one[0] == "home/weir/alert" and json.loads(one[1])["event"] == "clear"], 60))
    claim("alerts are not retained", not any(retained for topic, _, retained in again.all if topic.endswith("/alert")))
    export.end(signal.SIGKILL)
    claim("a death is told by the will", until(lambda: again.last.get("home/weir/online") == "0"), again.last.get("home/weir/online"))
    wrong = Export("to-mqtt-wrong", "config mqtt\n option host '127.0.0.1'\n option username 'weir'\n option password 's3cret-wrong'\n")
    claim("a wrong password is told, and not which", until(lambda: "we may not" in wrong.log() or "user or password is wrong" in wrong.log()) and "s3cret" not in wrong.log(), wrong.log())
    wrong.end()


class Subscriber:
    """As little of MQTT as hears everything; its own reading of the standard, not weir-export's."""

    def __init__(self, user, password):
        self.user, self.password, self.last, self.all, self.socket = user, password, {}, [], None

    def connect(self):
        if self.socket:
            return True
        one = socket.create_connection(("127.0.0.1", 1883), 5)
        text = lambda value: len(value).to_bytes(2, "big") + value.encode()
        inside = text("MQTT") + bytes([4, 0b11000010, 0, 0]) + text(f"sub{id(self)}") + text(self.user) + text(self.password)
        one.sendall(bytes([0x10, len(inside)]) + inside)
        if one.recv(4)[3:] != b"\0":
            return False
        inside = b"\0\1" + text("#") + b"\0"
        one.sendall(bytes([0x82, len(inside)]) + inside)
        one.settimeout(None)
        self.socket = one
        threading.Thread(target=self.hear, daemon=True).start()
        return True

    def hear(self):
        file = self.socket.makefile("rb")
        while (first := file.read(1)):
            length, shift = 0, 0
            while True:
                byte = file.read(1)[0]
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            inside = file.read(length)
            if first[0] >> 4 == 3:
                size = int.from_bytes(inside[:2], "big")
                topic, body = inside[2:2 + size].decode(), inside[2 + size:].decode()
                self.last[topic] = body
                self.all.append((topic, body, bool(first[0] & 1)))


def trouble(router):
    """All that can go wrong with a server."""
    server = Strict(7001, lines=True)
    elsewhere = Strict(7002)
    # None of it twice in a row more often than pauses stay short.
    plan = [
        answer(503), later(429, 3), answer(204), answer(302, "Location: http://127.0.0.1:7002/s3cret-path\r\n"),
        answer(307, "Location: http://127.0.0.1:7002/s3cret-path\r\n"), answer(204), reset(b"HTTP/1.1 2"), reset(b""), answer(204), hang_up,
        answer(401, "", b"who?"), chunked, answer(400, "", b"partial write: s0 bad"), answer(204),
    ]
    server.plan = list(plan)
    export = Export("to-trouble", influx("http://127.0.0.1:7001", " option timeout '2s'\n"))
    claim("every answer was met", until(lambda: not server.plan and len(server.requests) > len(plan) + 1, 60), (len(server.requests), export.log()))
    requests = server.requests
    claim("each request was as strict a server wants it", not server.faults, server.faults[:3])
    first = requests[0]
    claim("it is InfluxDB 2's API, with what names have in them escaped", first["path"] == "/api/v2/write?org=o&bucket=b%20b&precision=ms", first["path"])
    claim("with the token", first["headers"].get("authorization") == "Token s3cret-token", first["headers"])
    claim("packed to a third at least", first["raw"] * 3 < len(first["body"]), (first["raw"], len(first["body"])))
    again = [(one["act"], after["body"].startswith(one["body"])) for one, after in zip(requests, requests[1:]) if one["act"] not in ("answer 204", "answer 400", "chunked")]
    claim("what was not taken is sent again, the oldest first", len(again) == 8 and all(is_same for _, is_same in again), again)
    claim("what was taken is not sent again", all(not after["body"].startswith(one["body"]) for one, after in zip(requests, requests[1:]) if one["act"] in ("answer 204", "chunked")))
    claim("Retry-After is waited for", requests[2]["at"] - requests[1]["at"] >= 3, requests[2]["at"] - requests[1]["at"])
    claim("a redirect is not followed, nor anybody else told the token", not elsewhere.requests and elsewhere.connections == 0, elsewhere.requests)
    health = until(lambda: (one := export.outlet("influx"))["failed"] > 0 and one["sent"] > 0 and one)
    refused = next(n for n, one in enumerate(requests) if one["act"] == "answer 400")
    claim("what was refused for good is counted and not sent again", health and requests[refused]["body"].splitlines()[0] not in "".join(one["body"] for one in requests[refused + 1:]), health)
    claim("tries that failed are counted", health and health["retried"] == 8, health)
    connections = server.connections
    asked = len(server.requests)
    until(lambda: len(server.requests) >= asked + 4)
    claim("one connection serves many requests", server.connections == connections, server.connections - connections)

    server.plan = [huge, slow(6), drip]
    asked = len(server.requests)
    claim("huge, slow and dripping answers end", until(lambda: len(server.requests) >= asked + 4, 60), export.log())
    claim("a huge one is not read to its end", getattr(huge, "sent", 1 << 30) < 32 << 20, getattr(huge, "sent", None))
    acts = [one["act"] for one in server.requests[asked:asked + 4]]
    times = [one["at"] for one in server.requests[asked:asked + 4]]
    claim("a slow one is given up before it comes", acts[1] == "slow" and server.requests[asked + 2]["body"].startswith(server.requests[asked + 1]["body"]), acts)
    claim("a dripping one, too", acts[2] == "drip" and times[3] - times[2] < 30, times)

    server.close()
    claim("an outage is told once, without secrets", until(lambda: export.outlet("influx")["trouble"]), export.status())
    time.sleep(3)
    server.open()
    asked = len(server.requests)
    claim("behind an outage all of it comes", until(lambda: export.outlet("influx")["trouble"] is None, 40), export.status())
    stamps = [line.split()[-1] for one in server.requests[asked:] for line in one["body"].splitlines() if line.startswith("weir_line,")]
    gaps = [int(b) - int(a) for a, b in zip(stamps, stamps[1:])]
    claim("in order and with the times it was read at", len(stamps) >= 3 and all(0 < gap < 60_000 for gap in gaps), stamps)
    log = export.log()
    claim("the log has changes alone", log.count("trying on") > 3 and abs(log.count("trying on") - log.count("delivers again")) <= 1, log)
    export.end()

    server = Strict(7007, lines=True)
    server.plan = [later(503, 4), answer(413)]
    export = Export("to-small", influx("http://127.0.0.1:7007", " option batch '40'\n"))
    until(lambda: len(server.requests) >= 4)
    bodies = [one["body"] for one in server.requests]
    claim("what a server finds too large comes in smaller parts", len(bodies) >= 4 and len(bodies[2]) < len(bodies[1]) and bodies[1].startswith(bodies[2]) and bodies[1].startswith(bodies[2] + bodies[3]), [len(one) for one in bodies])
    claim("and all of it arrives", until(lambda: export.outlet("influx")["failed"] == 0 and export.outlet("influx")["sent"] > 40), export.status())
    export.end()

    server = Strict(7003, lines=True)
    server.close()
    export = Export("to-nowhere", influx("http://127.0.0.1:7003", " option queue '16k'\n"))
    health = until(lambda: (one := export.outlet("influx"))["dropped"] > 0 and one, 60)
    claim("a full queue drops and counts", health is not None, export.status())
    until(lambda: export.outlet("influx")["dropped"] > health["dropped"])
    claim("which is in the log, once and not with each", export.log().count("the queue is full") == 1 and "has room again" not in export.log(), export.log())
    server.open()
    claim("what comes then is the newest", until(lambda: server.requests, 60) and len(server.requests[0]["body"]) <= 16384, export.status())
    is_told = lambda: re.findall(r"has room again; (\d+) were dropped", export.log()) == [str(export.outlet("influx")["dropped"])]
    claim("and how many were dropped is in the log, once", until(is_told), (export.log(), export.status()))
    export.end()


def webhook(router):
    server = Strict(7004)
    header = "s3cret-header"
    token = write("token", "s3cret-token\n", 0o640)
    os.chown(token, 0, USER.pw_gid)
    template = '{"t":"{{event}}: {{text}} \\\\\\"{{level}}","n":{{id}},"c":{{class}},"who":{{router}}}'
    text = ("config globals\n option interval '1s'\n option router 'at\"tic'\n"
            f"config webhook 'all'\n option url 'http://127.0.0.1:7004/s3cret-path'\n option token_file '{token}'\n list header 'X-Key: {header}'\n"
            f"config webhook 'own'\n option url 'http://127.0.0.1:7004/own'\n option method 'PUT'\n option on 'raise'\n option template '{template}'\n"
            "config webhook 'clear'\n option url 'http://127.0.0.1:7004/clear'\n option on 'clear'\n")
    server.plan = [answer(503)]
    export = Export("to-webhook", text)
    until(lambda: export.status()["readings"] > 1)
    stop = threading.Event()
    threading.Thread(target=flood, args=(stop,), daemon=True).start()
    by = lambda path: [one for one in server.requests if one["path"] == path and one["act"] == "answer 204"]
    raised = until(lambda: by("/s3cret-path") and by("/own"), 60)
    stop.set()
    claim("an alert that the daemon raises is told, also behind a refusal", raised, (server.requests, export.log()))
    if raised:
        one, own = json.loads(by("/s3cret-path")[0]["body"]), by("/own")[0]
        claim("with what, where and why", one["event"] == "raise" and one["wan"] == "home" and one["direction"] == "upload" and one["level"] == "busy" and one["advice"] and one["router"] == 'at"tic', one)
        headers = by("/s3cret-path")[0]["headers"]
        claim("with its token and headers", headers["authorization"] == "Bearer s3cret-token" and headers["x-key"] == header and headers["content-type"] == "application/json", headers)
        body = json.loads(own["body"])
        claim("as its own template has it", own["method"] == "PUT" and body["who"] == 'at"tic' and body["n"] == one["id"] and body["t"].startswith("raise: ") and body["t"].endswith('\\"busy'), own["body"])
    claim("that it is over is told to who wants to know", until(lambda: by("/clear") and len(by("/s3cret-path")) == 2, 60), server.requests)
    claim("and not to who does not", len(by("/own")) == 1 and all(json.loads(one["body"])["event"] == "clear" for one in by("/clear")), by("/own"))
    claim("each once", len(by("/clear")) == 1, by("/clear"))
    claim("requests are as they should be", not server.faults, server.faults)
    with open(f"/proc/{export.child.pid}/cmdline", encoding="utf-8") as file:
        line = file.read()
    told = line + json.dumps(export.status()) + export.says() + export.log()
    claim("no secret is in the list of processes, the status or the log", not any(secret in told for secret in SECRETS), told)
    export.end()


def stdin(router):
    server = Strict(7005, lines=True)
    follow = subprocess.Popen([WEIR, "status", "--follow", "--every", "300ms", "--config", router.config, "--state-dir", os.path.join(WORK, "daemon")], stdout=subprocess.PIPE)
    children.append(follow)
    export = Export("from-pipe", influx("http://127.0.0.1:7005"), "--stdin", stdin=follow.stdout)
    follow.stdout.close()
    found = until(lambda: len(server.requests) >= 3 and "rate_bps=20000000i" in server.requests[0]["body"])
    claim("'weir status --follow | weir-export run --stdin' delivers without a bus", found, (server.requests[:1], export.log()))
    said = export.says()
    claim("whose status tells the pace of the lines, not the interval of the configuration", "from standard input, the last " in said and " behind the one before" in said and "each" not in said, said)
    export.end(signal.SIGKILL)
    claim("and 'weir status --follow' ends with its reader", until(lambda: follow.poll() is not None), follow.poll())
    claim("well", follow.poll() == 0, follow.poll())

    name = 'a b,c="d\\\n}# HELP x\0/+😀\\'
    alert = {"id": 1, "since_us": 1, "wan": "w", "direction": "upload", "level": "l", "class": None, "metric": "loss", "severity": "error", "cause": "line", "text": "x", "advice": "y"}
    status = {"version": name, "shaping": True, "uptime_us": 2**62, "lines": [{"name": name, "device": name, "up": True, "probes": name, "upload": {"rate_bps": 2**63 - 1, "classes": [{"name": name, "sent_bytes": 2**62}], "steering": {"state": name}}, "download": None}], "alerts": [{**alert, "text": name}], "schedules": [{"name": name, "active": True}]}
    hook = Strict(7006)
    begin_at = len(server.requests)
    text = influx("http://127.0.0.1:7005") + "config prometheus\n option listen '127.0.0.1:9478'\nconfig webhook\n option url 'http://127.0.0.1:7006/'\n"
    out, into = os.pipe()
    export = Export("hostile", text, "--stdin", stdin=out)
    os.close(out)
    for line in ("", "nonsense", "[" * 5000, '{"lines":7}', json.dumps(status), json.dumps({"x": "y" * 700_000}), json.dumps(status, ensure_ascii=False)):
        os.write(into, line.encode() + b"\n")
    metrics = until(lambda: (got := get("http://127.0.0.1:9478/metrics")) and "weir_schedule_active" in got and got)
    claim("a hostile document is told all the same", metrics is not None, export.log())
    lint = run("promtool", "check", "metrics", input=metrics or "")
    claim("promtool can read what is made of it", lint.returncode == 0, lint)
    os.close(into)
    export.child.wait(30)
    claim("when the lines end, what waits is delivered, and it ends well", export.child.returncode == 0 and len(server.requests) > begin_at and not server.faults, server.faults)
    claim("and a webhook gets JSON with the very text", json.loads(hook.requests[0]["body"])["measured"] == name if hook.requests else False, hook.requests)


def fetch(router):
    """https:// where TLS is not built in. Debian has no uclient-fetch: a stand-in that takes the options of its usage."""
    tool = os.path.join(WORK, "tools")
    os.makedirs(tool)
    path = write("tools/uclient-fetch", f"""#!/usr/bin/python3
import getopt, json, sys
known = ["header=", "post-file=", "user-agent=", "method=", "body-file=", "ca-certificate=", "no-check-certificate"]
try:
    options, urls = getopt.getopt(sys.argv[1:], "46cO:P:qsT:U:vY:", known)
except getopt.GetoptError:
    sys.exit(1)
options = [list(one) for one in options]
body = open(dict(options)["--post-file"], "rb").read()
with open("{WORK}/fetched/log", "a") as log:
    log.write(json.dumps([options, urls, len(body)]) + "\\n")
import os
plan = "{WORK}/fetched/plan"
status = open(plan).read().strip() if os.path.exists(plan) else ""
if status:
    os.remove(plan)
    print("Connecting to 192.0.2.1:443\\nHTTP error " + status, file=sys.stderr)
    sys.exit(8)
""", 0o755)
    fetched = os.path.join(WORK, "fetched")
    os.makedirs(fetched)
    os.chown(fetched, USER.pw_uid, USER.pw_gid)
    config = influx("https://db.example.org", " option visible_secret '1'\n")
    refused = run(EXPORT, "check", write("hidden", influx("https://db.example.org")))
    if "uclient-fetch" not in run(EXPORT, "version").stdout:
        print("  TLS is built in: uclient-fetch is not used")
        return
    claim("https:// with a token is refused where others would see it, and that is said", refused.returncode == 78 and "visible_secret" in refused.stderr and "s3cret" not in refused.stderr, refused.stderr)
    write("fetched/plan", "503")
    os.chown(os.path.join(fetched, "plan"), USER.pw_uid, USER.pw_gid)
    export = Export("to-fetch", config, path=tool + ":" + os.environ["PATH"])
    calls = until(lambda: (lines := read(fetched + "/log").splitlines()) and len(lines) >= 3 and [json.loads(line) for line in lines])
    claim("with a word it goes through uclient-fetch", calls is not None, export.log())
    if calls:
        options, urls, size = calls[0]
        claim("as it wants to be called", urls == ["https://db.example.org/api/v2/write?org=o&bucket=b%20b&precision=ms"] and ["--header", "Authorization: Token s3cret-token"] in options and size > 100, calls[0])
        health = until(lambda: (one := export.outlet("influx"))["sent"] > 0 and one)
        claim("its refusals are understood and its successes counted", health and health["retried"] == 1, health)
    claim("no body is left behind", until(lambda: not [name for name in os.listdir(export.state) if name.startswith("body")], 10), os.listdir(export.state))
    claim("and no secret in log or status", not any(secret in export.log() + json.dumps(export.status()) for secret in SECRETS))
    export.end()


def tls(router):
    """TLS of weir-export's own: certificates by openssl, which say what is wrong with them by their names."""
    if not os.path.exists(TLS):
        claim("weir-export is built with TLS", False, "tests/export/run tls builds it")
        return
    claim("it says that TLS is built in", "TLS built in" in run(TLS, "version").stdout, run(TLS, "version").stdout)
    at = lambda name: os.path.join(WORK, name)

    def certificate(name, *words, days=2, ca="ca"):
        key = run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", at(name + ".key"),
                  *(["-out", at(name + ".csr")] if ca else ["-x509", "-days", str(days), *words, "-out", at(name + ".pem")]))
        signed = run("openssl", "x509", "-req", "-in", at(name + ".csr"), "-CA", at(ca + ".pem"), "-CAkey", at(ca + ".key"), "-CAcreateserial",
                     "-days", str(days), "-extfile", write(name + ".ext", "\n".join(words)), "-out", at(name + ".pem")) if ca else key
        if key.returncode or signed.returncode:
            raise SystemExit(key.stderr + signed.stderr)
        return at(name + ".pem"), at(name + ".key")

    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    own, _ = certificate("ca", ca=None)
    other, _ = certificate("another", ca=None)
    good = certificate("good", names)
    url = "https://localhost:7443"
    config = lambda ca, url=url: influx(url, f" option timeout '2s'\n option ca_file '{ca}'\n")
    checked = run(TLS, "check", write("tls-check", config(own)))
    claim("https:// with a token needs no word more", checked.returncode == 0 and not checked.stderr, checked)

    server = Strict(7443, lines=True, tls=good)
    server.plan = [answer(503), answer(204)]
    export = Export("to-tls", config(own), program=TLS)
    claim("a server whose certificate the file's authority has signed is told", until(lambda: export.outlet("influx")["sent"] > 0 and len(server.requests) > 4), export.log())
    claim("as strictly as without TLS", not server.faults and server.requests[0]["headers"]["authorization"] == "Token s3cret-token", server.faults[:3])
    claim("what it refused is sent again", server.requests[1]["body"].startswith(server.requests[0]["body"]), server.requests[:2])
    claim("one connection serves many requests", server.connections == 1, server.connections)
    print(f"  memory with TLS (debug build): {export.proc('VmRSS')} resident, {export.proc('RssAnon')} of its own")
    export.end()

    asked = len(server.requests)
    export = Export("to-tls-wrong", config(other), program=TLS)
    said = until(lambda: export.outlet("influx")["trouble"])
    claim("another authority's file is no reason to believe it, which is said", said == f"the server's certificate is not believed: none of those in {other} has signed it", said)
    claim("in the log as well, once", export.log().count(f"none of those in {other} has signed it") == 1, export.log())
    claim("and it is told nothing", len(server.requests) == asked, server.requests[asked:])
    export.end()
    export = Export("to-tls-usual", influx(url), program=TLS)
    said = until(lambda: export.outlet("influx")["trouble"]) or ""
    claim("without a file only the usual authorities are believed, and the option is named", "none of the usual authorities" in said and "'ca_file'" in said, said)
    claim("then it is told nothing either", len(server.requests) == asked, server.requests[asked:])
    export.end()
    server.close()

    wrong = [
        ("of another name", certificate("elsewhere", "subjectAltName=DNS:elsewhere.lan"), own, 'not valid for name "localhost"'),
        ("that has expired", certificate("expired", names, days=-1), own, "it has expired, by the clock here"),
        ("that is its own authority's", certificate("self", "-addext", names, ca=None), at("self.pem"), "it is an authority's own"),
    ]
    for n, (what, pair, ca, part) in enumerate(wrong):
        server = Strict(7444 + n, tls=pair)
        export = Export(f"to-tls-wrong-{n}", config(ca, f"https://localhost:{7444 + n}"), program=TLS)
        said = until(lambda: export.outlet("influx")["trouble"])
        claim(f"a certificate {what} is refused, and that is said", said and said.startswith("the server's certificate is not believed: ") and part in said and not server.requests, said)
        export.end()
        server.close()

    plain = socket.create_server(("127.0.0.1", 7448))

    def refuse():
        while True:
            one, _ = plain.accept()
            one.recv(1000)
            one.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            one.close()

    threading.Thread(target=refuse, daemon=True).start()
    export = Export("to-plain", config(own, "https://localhost:7448"), program=TLS)
    said = until(lambda: export.outlet("influx")["trouble"])
    claim("that a server does not speak TLS is said", said == "it does not speak TLS; is it http://?", said)
    export.end()
    mute = socket.create_server(("127.0.0.1", 7449))
    export = Export("to-mute", config(own, "https://localhost:7449"), program=TLS)
    said = until(lambda: export.outlet("influx")["trouble"])
    claim("one that never says a word is given up in time", said and said.startswith("no answer in time"), said)
    export.end()
    mute.close()
    for path, part in (("/nowhere", "cannot read /nowhere: No such file or directory"), (write("no.pem", "nothing\n"), "has no certificate in it (PEM)")):
        export = Export("to-no-file", config(path), program=TLS)
        claim(f"with a file of no use it does not begin, and names it: {part}", until(lambda: export.child.poll() == 1) and part in export.log() and path in export.log(), export.log())


def main():
    begun = time.monotonic()
    wanted = sys.argv[1:]
    try:
        router = Router()
        for part in (cli, victoria, influxdb, mqtt, trouble, webhook, stdin, fetch, tls, prometheus):
            # TLS takes a build of its own: it is named, or left out.
            if not wanted and part is not tls or any(part.__name__.startswith(word) for word in wanted):
                at = time.monotonic()
                before = passed, failed
                try:
                    part(router)
                except Exception as error:  # one part that breaks does not hide the others
                    import traceback
                    claim(f"{part.__name__} runs to its end", False, traceback.format_exc() or error)
                print(f"export: {part.__name__}: {passed - before[0]} hold, {failed - before[1]} do not, {time.monotonic() - at:.0f} s", flush=True)
    finally:
        for child in reversed(children):
            end(child)
        if not failed:
            shutil.rmtree(WORK, ignore_errors=True)
        else:
            print(f"export: logs are in {WORK}")
    print(f"export: {passed} claims hold, {failed} do not, in {time.monotonic() - begun:.0f} s")
    return 1 if failed or not passed else 0


sys.exit(main())
