"""The programs that measure: wrk, nginx, pgbench and our open-loop generator."""

import json
import os
import shutil
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


def wrk(address, seconds, monitors, close=False, connections=CONNECTIONS):
    """Closed loop. Adds requests_per_second to what push.lua reports."""
    command = ["wrk", f"-t{THREADS}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
               "-s", os.path.join(HERE, "load/push.lua"), f"http://{address}", "--", str(monitors)]
    if close:
        command.append("close")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("JSON "))
    result = json.loads(line.removeprefix("JSON "))
    result["requests_per_second"] = result["requests"] / result["seconds"]
    return result


class OpenLoop:
    """Runs beside other measurements; finish() gives what it printed."""

    def __init__(self, address, rate, seconds, monitors, connections=64):
        host, _, port = address.rpartition(":")
        program = os.environ.get("TOCSIN_OPEN_LOOP",
                                 os.path.join(os.path.dirname(HERE), "build/release/bench/tocsin-open-loop"))
        self._child = subprocess.Popen(
            [program, host, port, str(rate), str(seconds), str(connections), str(monitors)],
            stdout=subprocess.PIPE, text=True)

    def finish(self):
        out, _ = self._child.communicate()
        if self._child.returncode:
            raise RuntimeError("the open-loop generator failed")
        return json.loads(out)


_NGINX = """
worker_processes auto; daemon off; pid {d}/pid; error_log {d}/error.log;
events {{ worker_connections 4096; }}
http {{
  log_format arrival '$msec $request_method';
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
        """When each POST was answered, wall clock, in order."""
        with open(os.path.join(self._dir, "arrivals")) as log:
            answered = (line.split() for line in log)
            return sorted(float(at) for at, method in answered if method == "POST")

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


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def stopwatch():
    """A function that says how many seconds have passed since."""
    begin = time.monotonic()
    return lambda: time.monotonic() - begin
