"""The programs that measure: wrk, nginx, pgbench and our open-loop generator."""

import contextlib
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from harness.processes import Process, free_port
from harness.waiting import wait_until

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CONNECTIONS = 256
THREADS = 2


def require(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        raise SystemExit(f"not installed: {', '.join(missing)} (./dev bench installs them)")


def bench_folder():
    """Where the build puts the programs of bench/."""
    return os.environ.get("TOCSIN_BENCH_DIR",
                          os.path.join(os.path.dirname(HERE), "build/release/bench"))


def _bench(program):
    path = os.path.join(bench_folder(), program)
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{path} is not built")
    return path


def wrk(address, seconds, monitors, *more, connections=CONNECTIONS):
    """Closed loop; `more` as push.lua takes it. Adds to what that reports requests_per_second and
    wrk's own processor time per request."""
    command = ["wrk", f"-t{min(THREADS, connections)}", f"-c{connections}", f"-d{seconds}s",
               "--timeout", "10s", "-s", os.path.join(HERE, "load/push.lua"), f"http://{address}", "--",
               str(monitors), *map(str, more)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = next(line for line in done.stdout.splitlines() if line.startswith("JSON "))
    result = json.loads(line.removeprefix("JSON "))
    result["requests_per_second"] = result["requests"] / result["seconds"]
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result["wrk_us"] = used * 1e6 / max(1, result["requests"])
    return result


def _json_of(*command):
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def grpc_push(address, seconds, in_flight, monitors):
    """Unary Push over gRPC, closed loop."""
    result = _json_of(_bench("tocsin-grpc-load"), "push", address, str(seconds), str(in_flight),
                      str(monitors))
    result["per_second"] = result["ok"] / result["seconds"]
    return result


def grpc_empty(address, seconds, in_flight):
    """An empty unary call, closed loop."""
    result = _json_of(_bench("tocsin-grpc-load"), "empty", address, str(seconds), str(in_flight))
    result["per_second"] = result["ok"] / result["seconds"]
    return result


@contextlib.contextmanager
def empty_grpc_server():
    """The address of a server whose Push does nothing."""
    with subprocess.Popen([_bench("tocsin-grpc-load"), "serve"], stdout=subprocess.PIPE,
                          text=True) as server:
        try:
            yield f"127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def store_alone(url, seconds, group, monitors):
    """Groups of pushes recorded by core's own store, without core, gateway or tokens."""
    result = _json_of(_bench("tocsin-store-load"), url, str(seconds), str(group), str(monitors))
    result["per_second"] = result["recorded"] / result["seconds"]
    return result


def list_pages(address, what, runs, seconds, skip, request):
    """One list call after another over gRPC; `request` as the API's JSON. A result for each run."""
    done = subprocess.run(
        [_bench("tocsin-list-load"), what, address, str(runs), str(seconds), str(skip),
         json.dumps(request)], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


class OpenLoop:
    """Open loop; runs beside other measurements. finish() gives what it printed."""

    def __init__(self, address, rate, seconds, monitors, connections=64):
        host, _, port = address.rpartition(":")
        self._child = subprocess.Popen(
            [_bench("tocsin-open-loop"), host, port, str(rate), str(seconds), str(connections),
             str(monitors)], stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()

    def finish(self):
        out, _ = self._child.communicate()
        if self._child.returncode:
            raise RuntimeError("the open-loop generator failed")
        result = json.loads(out)
        result["lost"] = result["refused"] + result["failed"]
        return result


class DeadReceivers:
    """Addresses that take a connection and a request and never answer."""

    def __init__(self, count):
        self._sockets = [socket.create_server(("127.0.0.1", 0), backlog=1024)
                         for _ in range(count)]
        self.urls = [f"http://127.0.0.1:{s.getsockname()[1]}/" for s in self._sockets]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self._sockets:
            each.close()


_NGINX = """
worker_processes auto; daemon off; pid {d}/pid; error_log {d}/error.log;
events {{ worker_connections 30000; }}
http {{
  log_format arrival '$msec $http_webhook_id';
  access_log {access_log}; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f;
  uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      return 200 '{{"ok":true,"message":"Push received successfully","msg":"OK"}}\\n';
    }}
  }}
}}
"""


class Nginx:
    """`return 200`, a worker per core: the ceiling for HTTP on this machine, and a receiver of
    webhooks that is never the slowest part."""

    def __init__(self, log_arrivals=False):
        self._log_arrivals = log_arrivals

    def arrivals(self):
        """webhook-id → when it was first answered, wall clock; and how many came in all."""
        first, count = {}, 0
        with open(os.path.join(self._dir, "arrivals")) as log:
            for line in log:
                at, _, webhook = line.strip().partition(" ")
                if webhook and webhook != "-":
                    count += 1
                    first.setdefault(webhook, float(at))
        return first, count

    def __enter__(self):
        self._dir = tempfile.mkdtemp(prefix="tocsin-nginx-")
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        conf = os.path.join(self._dir, "nginx.conf")
        with open(conf, "w") as out:
            out.write(_NGINX.format(
                d=self._dir, port=port,
                access_log=f"{self._dir}/arrivals arrival" if self._log_arrivals else "off"))
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self._process = Process("nginx", [program, "-c", conf, "-e", f"{self._dir}/error.log"],
                                os.path.join(self._dir, "log"), death_signal="TERM").start()
        wait_until(self._answers, 10, "nginx answers")
        return self

    def _answers(self):
        return subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://{self.address}/"],
                              check=False).returncode == 0

    def __exit__(self, *_):
        self._process.terminate()
        shutil.rmtree(self._dir, ignore_errors=True)


def autogroup_nice(text):
    """The nice value in what /proc/self/autogroup says; 0 when that is nothing."""
    return int(text.rpartition("nice")[2] or 0)


def own_autogroup():
    """What the kernel says of this session's autogroup; nothing where none counts."""
    try:
        with open("/proc/sys/kernel/sched_autogroup_enabled") as enabled, \
             open("/proc/self/autogroup") as text:
            return text.read() if int(enabled.read()) else ""
    except OSError:
        return ""


def slow_share(seconds):
    """The share of the time in which this machine, with the services idle, computes at less than
    half of its usual speed: what no percentile of a latency can be better than."""
    took, left = [], stopwatch()
    while left() < seconds:
        work = stopwatch()
        sum(range(2000))
        took.append(work())
    usual = statistics.median(took)
    return sum(one for one in took if one > 2 * usual) / sum(took)


def commit_milliseconds(postgres, seconds):
    """The median time of a transaction that inserts one row, on one connection."""
    postgres.execute("CREATE TABLE IF NOT EXISTS bench_commit (n bigint, at timestamptz)")
    directory = tempfile.mkdtemp(prefix="tocsin-pgbench-")
    try:
        script = os.path.join(directory, "one_row.sql")
        with open(script, "w") as out:
            out.write("INSERT INTO bench_commit VALUES (1, '2026-01-01');\n")
        subprocess.run(
            ["pgbench", "-n", "-f", script, "-c", "1", "-T", str(seconds), "-M", "prepared", "-l",
             "--log-prefix", os.path.join(directory, "log"), postgres.url],
            check=True, capture_output=True)
        log = next(name for name in os.listdir(directory) if name.startswith("log"))
        with open(os.path.join(directory, log)) as lines:
            return statistics.median(int(line.split()[2]) for line in lines) / 1000
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def wal_bytes(postgres, begin, end):
    """(record bytes, full-page-image bytes) between two positions of the log."""
    done = subprocess.run(
        [postgres.program("pg_waldump"), "--stats", "-p",
         os.path.join(postgres.data_directory, "pg_wal"), "-s", begin, "-e", end],
        capture_output=True, text=True, check=False)
    total = next(line for line in done.stdout.splitlines() if line.startswith("Total"))
    # Total  count  record-size [%]  fpi-size [%]  combined-size [%]
    numbers = [int(word) for word in total.split() if word.isdigit()]
    return numbers[1], numbers[2]


def cpu_seconds(pid):
    """Processor time that a process has used so far; none when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stopwatch():
    """A function that says how many seconds have passed since."""
    begin = time.monotonic()
    return lambda: time.monotonic() - begin
