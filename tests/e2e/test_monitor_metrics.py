"""Metrics of each monitor, read by promtool and scraped by a Prometheus."""

import collections
import http.client
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import zlib

import requests

from harness import debian
from harness.processes import Process, free_port
from harness.pushing import push
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until

_TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
_EXAMPLES = os.path.join(_TREE, "docs/examples/prometheus")
_SEED = os.path.join(_TREE, "bench/suite/seed_monitors.sql")


class MonitorMetricsTest(TocsinTestCase):
    cluster_options = {"notifiers": 0}

    def key(self, role, project=None):
        """The secret of a new key, of all projects unless one is named."""
        where = ["--project", project] if project else ["--all-projects"]
        key_id = f"{self.id_of_test()[:50]}-{role}-{project or 'all'}"[:63]
        return self.cli.json("key", "create", key_id, "--role", role, *where)["secret"]

    def scrape(self, key, headers=None, **parameters):
        sent = {"Authorization": f"Bearer {key}"} if key else {}
        return requests.get(f"http://{self.gateway}/metrics/monitors", params=parameters,
                            headers={**sent, **(headers or {})}, timeout=20)

    def text(self, key, **parameters):
        answer = self.scrape(key, **parameters)
        self.assertEqual(answer.status_code, 200, answer.text)
        return answer.text

    def values(self, text, family, monitor):
        """{labels without project and monitor: value} of a family's series of a monitor."""
        found = re.findall(rf'(?m)^{family}{{project="[^"]*",monitor="{monitor}",?(.*)}} (\S+)$', text)
        return {labels: float(value) for labels, value in found}

    def test_a_monitor_is_shown_with_what_is_known_of_it(self):
        monitor = self.id_of_test()
        token = self.cli.make_monitor(monitor, "60s", "--owner", "pay \"ments\"", "--severity",
                                      "critical", "--label", "team=backup", "--display-name",
                                      "Sicherung ÄÖ\\")
        viewer = self.key("viewer")
        text = self.text(viewer)
        self.assertEqual(self.values(text, "tocsin_monitor_state", monitor),
                         {'state="new"': 1, 'state="up"': 0, 'state="down"': 0, 'state="paused"': 0})
        self.assertEqual(list(self.values(text, "tocsin_monitor_info", monitor)),
                         ['display_name="Sicherung ÄÖ\\\\",owner="pay \\"ments\\"",'
                          'severity="critical",label_team="backup"'])
        for family in ("last_heartbeat_timestamp_seconds", "deadline_timestamp_seconds", "last_value"):
            self.assertEqual(self.values(text, f"tocsin_monitor_{family}", monitor), {})
        self.assertEqual(push(self.gateway, token, value="4.5").status, 200)
        text = self.text(viewer)
        self.assertEqual(self.values(text, "tocsin_monitor_state", monitor)['state="up"'], 1)
        self.assertEqual(self.values(text, "tocsin_monitor_last_value", monitor), {"": 4.5})
        at = self.values(text, "tocsin_monitor_last_heartbeat_timestamp_seconds", monitor)[""]
        due = self.values(text, "tocsin_monitor_deadline_timestamp_seconds", monitor)[""]
        self.assertAlmostEqual(due - at, 60, places=4)

    def test_promtool_finds_nothing_to_say(self):
        self.cli.make_monitor(self.id_of_test(), "60s", "--label", "a.b=1", "--label", "a-b=2")
        promtool, environment = debian.program("promtool", "prometheus")
        checked = subprocess.run([promtool, "check", "metrics"], input=self.text(self.key("viewer")),
                                 env=environment, text=True, capture_output=True, timeout=60,
                                 check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

    def test_a_key_sees_what_it_may_and_a_filter_narrows_it(self):
        for project in ("metrics-red", "metrics-blue"):
            self.cli.text("project", "create", project)
            for team in ("pay", "search"):
                self.cli.make_monitor(team, "60s", "--label", f"team={team}", "--project", project)
        everything = self.text(self.key("viewer"))
        red = self.text(self.key("viewer", "metrics-red"))
        self.assertIn('project="metrics-blue"', everything)
        self.assertIn('project="metrics-red"', everything)
        self.assertEqual(set(re.findall(r'project="([^"]*)"', red)), {"metrics-red"})
        blue = self.text(self.key("editor"), project="metrics-blue", filter="labels.team = pay")
        self.assertEqual(set(re.findall(r'project="[^"]*",monitor="[^"]*"', blue)),
                         {'project="metrics-blue",monitor="pay"'})
        for answer, status, reason in [
                (self.scrape(None), 401, "KEY_MISSING"),
                (self.scrape("tk_" + "x" * 43), 401, "KEY_UNKNOWN"),
                (self.scrape(self.key("pusher", "metrics-red")), 403, "ROLE_TOO_LOW"),
                (self.scrape(self.key("admin", "metrics-red"), project="metrics-blue"), 403,
                 "OTHER_PROJECT"),
                (self.scrape(self.key("admin"), project="nowhere"), 404, "PROJECT_NOT_FOUND"),
                (self.scrape(self.key("notifier"), filter="state ="), 403, "ROLE_TOO_LOW"),
                (self.scrape(self.key("viewer", "metrics-blue"), filter="state ="), 400,
                 "INVALID_FIELD"),
                (self.scrape(self.key("editor", "metrics-blue"), team="pay"), 400, "INVALID_FIELD")]:
            self.assertEqual((answer.status_code, answer.json()["reason"]), (status, reason))
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")

    def test_a_prometheus_scrapes_it_and_answers_who_is_down(self):
        token = self.cli.make_monitor(self.id_of_test(), "60s", "--label", "team=pay", "--owner", "pay")
        self.assertEqual(push(self.gateway, token, status="down").status, 200)
        prometheus = Prometheus(self, self.key("viewer"))
        query = 'tocsin_monitor_state{state="down"} == 1'

        def down():
            return [sample["metric"]["monitor"] for sample in prometheus.query(query)]

        wait_until(lambda: self.id_of_test() in down(), 30, "Prometheus knows that it is down")
        joined = prometheus.query(f"({query}) * on (project, monitor) group_left (owner, label_team) "
                                  "tocsin_monitor_info")
        self.assertIn(("pay", "pay"), [(sample["metric"].get("owner"), sample["metric"].get("label_team"))
                                       for sample in joined])
        wait_until(lambda: "MonitorDown" in prometheus.firing(), 30, "the example's rule fires")
        self.assertEqual(push(self.gateway, token).status, 200)
        wait_until(lambda: self.id_of_test() not in down(), 30, "Prometheus knows that it is up again")

    def test_a_core_that_dies_makes_a_scrape_fail(self):
        self.cli.make_monitor(self.id_of_test(), "60s")
        viewer = self.key("viewer")
        self.assertEqual(self.scrape(viewer).status_code, 200)
        core = self.cluster.cores[0]
        core.freeze()
        try:
            connection = http.client.HTTPConnection(self.gateway, timeout=30)
            self.addCleanup(connection.close)
            connection.request("GET", "/metrics/monitors", headers={"Authorization": f"Bearer {viewer}"})
            core.kill()
            self.assertIn(connection.getresponse().status, (503, 504))
        finally:
            core.close()
            core.restart()
        wait_until(lambda: self.scrape(viewer).status_code == 200, 30, "it is scraped again")


class ManyMonitorsTest(TocsinTestCase):
    """TOCSIN_SCRAPE_MONITORS=100000 measures as many, and prints what a scrape of them took."""

    cluster_options = {"notifiers": 0}

    count = int(os.environ.get("TOCSIN_SCRAPE_MONITORS", "5000"))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.postgres.run_file(_SEED, prefix="many-", first=1, count=cls.count, severity=2,
                                      timeout_us=3_600_000_000, step_us=0, channels="{}")
        cls.cluster.postgres.execute("ANALYZE")

    def fetch(self, encoding):
        """Reads a scrape to its end: (what it took in seconds, its bytes, its lines by family)."""
        connection = http.client.HTTPConnection(self.gateway, timeout=120)
        self.addCleanup(connection.close)
        began = time.monotonic()
        connection.request("GET", "/metrics/monitors", headers={
            "Authorization": f"Bearer {self.cluster.key('admin')}", "Accept-Encoding": encoding})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        unpack = zlib.decompressobj(31) if encoding == "gzip" else None
        size, families, rest = 0, collections.Counter(), b""
        while piece := answer.read(1 << 16):
            size += len(piece)
            *lines, rest = (rest + (unpack.decompress(piece) if unpack else piece)).split(b"\n")
            families.update(line.split(b"{", 1)[0].decode() for line in lines if line[:1] != b"#")
        self.assertEqual(rest, b"")
        return time.monotonic() - began, size, families

    def cpu_seconds(self):
        """What was used so far, by process; of PostgreSQL by its sessions that are there now."""
        def of(pid):
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return {"gateway": of(self.cluster.gateways[0].pid), "core": of(self.cluster.cores[0].pid),
                "PostgreSQL": sum(of(pid) for pid in self.cluster.postgres.pids())}

    def test_they_come_whole_and_leave_no_memory_behind(self):
        gateway, core = self.cluster.gateways[0], self.cluster.cores[0]
        watched = {"gateway": gateway, "core": core}
        before = {name: process.resident_bytes() for name, process in watched.items()}
        most = dict(before)
        spent = self.cpu_seconds()
        stop = threading.Event()

        def watch():
            while not stop.wait(0.01):
                for name, process in watched.items():
                    most[name] = max(most[name], process.resident_bytes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            results = {encoding: self.fetch(encoding) for encoding in ("identity", "gzip")}
        finally:
            stop.set()
            watcher.join()
        for encoding, (seconds, size, families) in results.items():
            print(f"{self.count} monitors, {encoding}: {seconds:.2f} s, {size / 1e6:.1f} MB")
            self.assertEqual(families, {"tocsin_monitor_info": self.count,
                                        "tocsin_monitor_state": 4 * self.count,
                                        "tocsin_monitor_last_heartbeat_timestamp_seconds": self.count,
                                        "tocsin_monitor_deadline_timestamp_seconds": self.count})
        for name in watched:
            print(f"{name}: {before[name] / 1e6:.1f} MB before, {most[name] / 1e6:.1f} MB at most")
            self.assertLess(most[name] - before[name], 40_000_000)
        print("processor:", ", ".join(f"{name} {(now - spent[name]) / 2:.2f} s each"
                                      for name, now in self.cpu_seconds().items()))

    def test_pushes_are_answered_while_a_scrape_is_not_read(self):
        """A client that stops reading holds up itself only."""
        with socket.create_connection(self.gateway.rsplit(":", 1), timeout=30) as slow:
            slow.sendall(f"GET /metrics/monitors HTTP/1.1\r\nHost: x\r\n"
                         f"Authorization: Bearer {self.cluster.key('admin')}\r\n\r\n".encode())
            self.assertIn(b"200 OK", slow.recv(100))
            token = self.cli.make_monitor(self.id_of_test(), "60s")
            self.assertEqual(push(self.gateway, token).status, 200)
        self.cli.text("monitor", "delete", self.id_of_test())


class ExamplesTest(unittest.TestCase):
    def check(self, kind, name):
        promtool, environment = debian.program("promtool", "prometheus")
        with tempfile.TemporaryDirectory() as folder:
            text = example(name, folder, "127.0.0.1:1", "unused")
            checked = subprocess.run([promtool, "check", kind, text], env=environment, text=True,
                                     capture_output=True, timeout=60, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_promtool_accepts_the_example_configuration_and_its_rules(self):
        self.check("config", "prometheus.yml")
        self.check("rules", "tocsin-rules.yml")


def example(name, folder, gateway, key):
    """The path of an example, made fit for a test: its gateway, its files, and no long waits."""
    for file in os.listdir(_EXAMPLES):
        with open(os.path.join(_EXAMPLES, file)) as given:
            text = given.read()
        text = text.replace("gateway.example.com:8080", gateway) \
                   .replace("/etc/prometheus/", f"{folder}/") \
                   .replace("interval: 30s", "interval: 1s") \
                   .replace("scrape_timeout: 20s", "scrape_timeout: 1s") \
                   .replace("for: 1m", "for: 0s")
        with open(os.path.join(folder, file), "w") as out:
            out.write(text)
    with open(os.path.join(folder, "tocsin-key"), "w") as out:
        out.write(key)
    return os.path.join(folder, name)


class Prometheus:
    """A Prometheus with the example's configuration, for the length of a test."""

    def __init__(self, test, key):
        program, environment = debian.program("prometheus", "prometheus")
        folder = tempfile.TemporaryDirectory(prefix="tocsin-e2e-prometheus-")
        test.addCleanup(folder.cleanup)
        config = example("prometheus.yml", folder.name, test.gateway, key)
        self._address = f"127.0.0.1:{free_port()}"
        process = Process("prometheus", [program, f"--config.file={config}",
                                         f"--storage.tsdb.path={folder.name}/data",
                                         f"--web.listen-address={self._address}"],
                          os.path.join(test.cluster.logs, "prometheus.log"), environment=environment)
        process.start()
        test.addCleanup(process.close)
        wait_until(lambda: self._get("/-/ready") is not None, 30, "Prometheus is ready")

    def _get(self, path):
        try:
            with urllib.request.urlopen(f"http://{self._address}{path}", timeout=5) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return None

    def query(self, expression):
        answer = self._get("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        return json.loads(answer)["data"]["result"] if answer else []

    def firing(self):
        answer = self._get("/api/v1/alerts")
        alerts = json.loads(answer)["data"]["alerts"] if answer else []
        return [alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"]


if __name__ == "__main__":
    unittest.main()
