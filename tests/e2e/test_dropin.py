"""Clients of other monitors, unmodified: only the host, and the key or token, are Tocsin's."""

import hashlib
import json
import os
import pathlib
import stat
import subprocess
import tempfile
import unittest
import uuid

import requests

from harness import debian, node
from harness.processes import Process, free_port
from harness.pushing import RawConnection, request
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until


class DropIn(TocsinTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = f"http://{cls.gateway}"
        cls.key = cls.cli.json("key", "create", "fleet", "--role", "pusher", "--may-create",
                               "--max-monitors", "1000")["secret"]

    def setUp(self):
        self.monitor = self.id_of_test()
        self.files = self.enterContext(tempfile.TemporaryDirectory())

    def make(self, *flags):
        self.cli.make_monitor(self.monitor, "1h", *flags)

    def make_with_uuid(self):
        """A monitor that moved here from Healthchecks: the UUID of its ping URL is its token."""
        token = str(uuid.uuid4())
        self.cli.json("monitor", "create", self.monitor, "--timeout", "1h", "--push-token-sha256",
                      hashlib.sha256(token.encode()).hexdigest())
        return token

    def beats(self, monitor=None):
        """Oldest first."""
        return list(reversed(self.cli.heartbeats(monitor or self.monitor)))

    def kinds(self, monitor=None):
        return [b["kind"].removeprefix("KIND_") for b in self.beats(monitor)]

    def run_command(self, *command, **more):
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False,
                              **more)

    def node(self, *arguments):
        done = self.run_command("node", "peers.mjs", *arguments, cwd=node.install())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stderr.strip().splitlines()[-1]), done.stdout


class Healthchecks(DropIn):
    def ping(self, path, method="GET", body=None, headers=None):
        return request(self.gateway, method, f"/ping/{path}", body, headers)

    def test_curl_pings_as_the_documentation_shows(self):
        url = f"{self.base}/ping/{self.make_with_uuid()}"
        curl = ("curl", "-fsS", "-m", "10", "--retry", "5")
        for arguments, output in (
                ((f"{url}/start",), "OK"), ((url,), "OK"), ((f"{url}/0",), "OK"),
                (("--data-raw", "status=down&msg=x", url), "OK"),
                (("--data-binary", "some output", f"{url}/7"), "OK"),
                (("-X", "POST", f"{url}/log"), "OK"), (("-I", f"{url}/fail"), None)):
            done = self.run_command(*curl, *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            if output:
                self.assertEqual(done.stdout, output)
        self.assertEqual(self.kinds(), ["START", "UP", "UP", "UP", "DOWN", "LOG", "DOWN"])
        self.assertEqual(self.beats()[4]["exitStatus"], 7)
        self.assertEqual(self.cli.state(self.monitor), "DOWN")

    def test_wget_pings(self):
        url = f"{self.base}/ping/{self.make_with_uuid()}"
        for arguments in ((url, "-T", "10", "-t", "5", "-O", "/dev/null"),
                          ("--spider", f"{url}/fail"),
                          ("-qO-", "--post-data", "log line", url)):
            done = self.run_command("wget", *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.kinds(), ["UP", "DOWN", "UP"])

    def test_requests_pings(self):
        url = f"{self.base}/ping/{self.make_with_uuid()}"
        run = str(uuid.uuid4())
        for answer in (requests.get(f"{url}/start", params={"rid": run.upper()}, timeout=10),
                       requests.post(url, data="out", params={"rid": run}, timeout=10),
                       requests.post(url, data=b"\xff\x00" * 20000, timeout=10),
                       requests.post(f"{url}/fail", json={"status": "up"}, timeout=10)):
            self.assertEqual((answer.status_code, answer.text), (200, "OK"))
            self.assertEqual(answer.headers["Ping-Body-Limit"], "10000")
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")
            self.assertIn("no-cache", answer.headers["Cache-Control"])
        beats = self.beats()
        self.assertEqual(self.kinds(), ["START", "UP", "UP", "DOWN"])
        self.assertEqual([b.get("runId") for b in beats], [run, run, None, None])

    def test_node_fetch_pings(self):
        saw, _ = self.node("fetch", f"{self.base}/ping/{self.make_with_uuid()}", "log of the job")
        self.assertEqual(saw, {"status": 200, "text": "OK", "limit": "10000"})
        self.assertEqual(self.kinds(), ["UP"])

    def test_slugs_reach_and_make_monitors(self):
        path = f"{self.key}/{self.monitor.replace('-', '_')}"
        answer = self.ping(path)
        self.assertEqual((answer.status, answer.body), (404, b"not found"))
        answer = self.ping(f"{path}/start?create=1")
        self.assertEqual((answer.status, answer.body), (201, b"Created"))
        answer = self.ping(f"{path}?create=1")
        self.assertEqual((answer.status, answer.body), (200, b"OK"))
        self.assertEqual(self.kinds(), ["START", "UP"])

    def test_a_token_of_ours_pings_too(self):
        token = self.cli.make_monitor(self.monitor, "1h")
        for end in ("", "/start", "/3"):
            self.assertEqual(self.ping(token + end).body, b"OK")
        self.assertEqual(self.kinds(), ["UP", "START", "DOWN"])

    def test_errors_are_in_its_words(self):
        token = self.make_with_uuid()
        for path, status, text in (
                (f"{token}/256", 400, b"invalid url format"),
                (f"{token}?rid=1", 400, b"invalid uuid format"),
                (f"{token}/stop", 400, b"invalid url format"),
                (f"{self.key}/Not-a-Slug", 400, b"invalid url format"),
                ("07c2f548-9850-4b27-af5d-6c9dc157ec02", 404, b"not found"),
                ("rrrrrrrrrrrrrrrrrrrrrr/foo", 404, b"not found"),
                (token.replace("-", ""), 404, b"not found")):
            answer = self.ping(path)
            self.assertEqual((answer.status, answer.body), (status, text), path)
        self.assertEqual(self.ping(token, "PUT").status, 405)
        preflight = self.ping(token, "OPTIONS", headers={"Origin": "https://example.org"})
        self.assertEqual(preflight.status, 204)
        self.assertEqual(preflight.headers["access-control-allow-origin"], "*")
        self.assertEqual(self.kinds(), [])

    def test_a_post_without_a_length_is_a_ping(self):
        with RawConnection(self.gateway) as connection:
            connection.send(
                f"POST /ping/{self.make_with_uuid()}/start HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            self.assertEqual(connection.read().body, b"OK")

    def test_borgmatic_reports_its_runs(self):
        token = self.make_with_uuid()
        good, bad = "version=1.2.4", "exit 2"
        for script, kinds in ((good, ["START", "UP"]), (bad, ["START", "UP", "START", "DOWN"])):
            self.borgmatic(f"healthchecks:\n        ping_url: {self.base}/ping/{token}", script)
            self.assertEqual(self.kinds(), kinds)

    def test_borgmatic_may_send_all_of_the_100000_bytes_that_it_keeps(self):
        token = self.make_with_uuid()
        lines = "i=0; while [ $i -lt 1500 ]; do echo \"$i " + "x" * 100 + "\"; i=$((i+1)); done"
        self.borgmatic(f"healthchecks:\n        ping_url: {self.base}/ping/{token}", lines,
                       "--monitoring-verbosity", "2", "--verbosity", "2")
        self.assertEqual(self.kinds(), ["START", "UP"])

    def test_borgmatic_with_cronitor_reports_its_runs(self):
        self.make()
        hook = f"cronitor:\n        ping_url: {self.base}/p/{self.key}/{self.monitor}"
        self.borgmatic(hook, "exit 0")
        self.borgmatic(hook, "exit 2")
        self.assertEqual(self.kinds(), ["START", "UP", "START", "DOWN"])

    def borgmatic(self, hook, script, *flags):
        """One `borgmatic create` whose borg is a script."""
        command, environment = debian.program(
            "borgmatic", "borgmatic", "python3-ruamel.yaml", "python3-ruamel.yaml.clib",
            "python3-jsonschema", "python3-attr", "python3-pyrsistent", "python3-colorama",
            "python3-packaging", "python3-pkg-resources", "python3-requests", "python3-urllib3",
            "python3-chardet", "python3-certifi", "python3-idna")
        borg = pathlib.Path(self.files, "borg")
        borg.write_text("#!/bin/sh\ncase \"$*\" in *--version*) echo borg 1.2.4; exit;; esac\n"
                        f"{script}\n")
        borg.chmod(borg.stat().st_mode | stat.S_IXUSR)
        config = pathlib.Path(self.files, "config.yaml")
        config.write_text(f"""location:
    source_directories: [{self.files}]
    repositories: [{self.files}/repository.borg]
    local_path: {borg}
    borgmatic_source_directory: {self.files}/borgmatic
hooks:
    {hook}
""")
        done = self.run_command("/usr/bin/python3", command, "--config", str(config),
                                *(flags or ("--verbosity", "1")), "create",
                                env={**environment, "HOME": self.files})
        refused = [line for line in (done.stdout + done.stderr).splitlines()
                   if "Healthchecks error" in line or "Cronitor error" in line]
        self.assertEqual(refused, [])


class Others(DropIn):
    def test_cronitors_own_library_reports_runs_and_failures(self):
        # Made by the first one, as Cronitor makes it.
        saw, _ = self.node("cronitor", self.base, self.key, self.monitor, "run")
        self.assertEqual(saw, {"returned": "42 rows"})
        self.node("cronitor", self.base, self.key, self.monitor, "fail")
        beats = self.beats()
        self.assertEqual(self.kinds(), ["START", "UP", "START", "DOWN"])
        self.assertEqual(beats[1]["message"], "42 rows")
        self.assertIn("disk full & more", beats[3]["message"])
        self.assertEqual(beats[0]["runId"], beats[1]["runId"])
        self.assertNotEqual(beats[1]["runId"], beats[2]["runId"])

    def test_cronitors_own_library_reports_metrics(self):
        self.make()
        saw, _ = self.node("cronitor", self.base, self.key, self.monitor, "event")
        self.assertEqual(saw, {"sent": True})
        self.assertEqual(self.beats()[0]["value"], 60)

    def test_cronitor_by_curl(self):
        url = f"{self.base}/p/{self.key}/{self.monitor}"
        for target in (f"{url}/run?series=a", f"{url}?state=complete&series=a&metric=duration:1.5",
                       f"{url}?state=fail&message=disk%20full&status_code=3", f"{url}/ok"):
            done = self.run_command("curl", "-fsS", target)
            self.assertEqual((done.returncode, done.stdout), (0, "OK"), done.stderr)
        beats = self.beats()
        self.assertEqual(self.kinds(), ["START", "UP", "DOWN", "UP"])
        self.assertEqual(beats[1]["value"], 1.5)
        self.assertEqual((beats[2]["message"], beats[2]["exitStatus"]), ("disk full", 3))
        self.assertEqual(request(self.gateway, "GET",
                                 f"/p/{self.key}/{self.monitor}?state=odd").status, 400)

    def test_opsgenies_own_library_pings(self):
        self.make()
        saw, _ = self.node("opsgenie", self.base, self.key, self.monitor)
        self.assertIsNone(saw["error"])
        self.assertEqual(saw["result"]["result"], "PONG - Heartbeat received")
        self.assertLess(saw["result"]["took"], 10)
        self.assertTrue(saw["result"]["requestId"])
        saw, _ = self.node("opsgenie", self.base, "tk_wrong", self.monitor)
        self.assertEqual(saw["error"]["httpStatusCode"], 404)
        self.assertTrue(saw["error"]["message"])
        self.assertEqual(self.kinds(), ["UP"])

    def test_opsgenie_by_curl(self):
        self.make()
        url = f"{self.base}/v2/heartbeats/{self.monitor}/ping"
        for method in ("GET", "POST", "PUT", "PATCH"):
            done = self.run_command("curl", "-fsS", "-X", method, url, "-H",
                                    f"Authorization: GenieKey {self.key}")
            self.assertIn("PONG - Heartbeat received", done.stdout, done.stderr)
        self.assertEqual(self.kinds(), ["UP"] * 4)
        self.assertEqual(request(self.gateway, "POST",
                                 f"/v2/heartbeats/{self.monitor}/ping").status, 401)

    def test_gatus_external_endpoints(self):
        self.make()
        group, _, name = self.monitor.partition("-")
        url = f"{self.base}/api/v1/endpoints/{group}_{name}/external"
        for query in ("success=true&error=&duration=10s", "success=false&error=disk+full"):
            done = self.run_command("curl", "-fsS", "-w", "%{http_code}", "-X", "POST",
                                    f"{url}?{query}", "-H", f"Authorization: Bearer {self.key}")
            self.assertEqual(done.stdout, "200", done.stderr)
        beats = self.beats()
        self.assertEqual(self.kinds(), ["UP", "DOWN"])
        self.assertEqual((beats[0]["value"], beats[1]["message"]), (10, "disk full"))
        # The REST API next to it is not in the way, nor the other way round.
        self.assertEqual(request(self.gateway, "GET", "/api/v1/projects/default/monitors").status,
                         401)

    def test_sentry_check_ins(self):
        self.make()
        url = f"{self.base}/api/4501/cron/{self.monitor}/{self.key}/"
        check_in = uuid.uuid4().hex
        for arguments in ((f"{url}?status=in_progress&check_in_id={check_in}",),
                          ("-X", "POST", f"{url}?status=ok&check_in_id={check_in}&environment=a"),
                          (f"{url}?status=error",)):
            done = self.run_command("curl", "-fsS", "-w", "%{http_code}", *arguments)
            self.assertEqual(done.stdout, "202", done.stderr)
        self.assertEqual(self.kinds(), ["START", "UP", "DOWN"])
        self.assertEqual([b.get("runId") for b in self.beats()], [check_in, check_in, None])

    def test_an_alertmanager_sends_its_watchdog(self):
        token = self.cli.make_monitor(self.monitor, "1h")
        command = debian.as_if_installed("prometheus-alertmanager", "prometheus-alertmanager")
        config = pathlib.Path(self.files, "alertmanager.yml")
        config.write_text(f"""route:
  receiver: tocsin
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1m
receivers:
  - name: tocsin
    webhook_configs:
      - url: {self.base}/api/push/{token}
""")
        address = f"127.0.0.1:{free_port()}"
        alertmanager = Process("alertmanager", [
            *command, f"--config.file={config}", f"--storage.path={self.files}/data",
            f"--web.listen-address={address}", "--cluster.listen-address="],
            os.path.join(self.cluster.logs, "alertmanager.log")).start()
        self.addCleanup(alertmanager.close)

        def watchdog():
            alert = [{"labels": {"alertname": "Watchdog", "severity": "none"}}]
            try:
                return requests.post(f"http://{address}/api/v2/alerts", json=alert,
                                     timeout=5).status_code == 200
            except requests.ConnectionError:
                return False

        wait_until(watchdog, 30, "the Alertmanager takes an alert")
        wait_until(self.kinds, 30, "the Alertmanager pushes", poll=0.2)
        self.assertEqual(self.kinds()[0], "UP")


if __name__ == "__main__":
    unittest.main()
