"""Public gRPC clients drive every method of every public service: @grpc/grpc-js, and buf curl, which
learns them by reflection. clients/scenario.json is what both of them do."""

import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

from harness.node import google_protos, install
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIO = json.loads((ROOT / "tests/e2e/clients/scenario.json").read_text())
SECRET = "whsec_" + "c2VjcmV0IG9mIHRoaXMgdGVzdCE" + "hISEhISEhIQ=="


class NodeClient:
    """call.mjs, kept running."""

    def __init__(self, address, key):
        folder = install()
        self._child = subprocess.Popen(
            ["node", "call.mjs", address, str(ROOT / "proto"), google_protos(), "/usr/include"],
            cwd=folder, env={**os.environ, "TOCSIN_KEY": key}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def call(self, method, request, stream=False):
        """(response, None) or (None, code and message)."""
        del stream  # it knows
        self._child.stdin.write(json.dumps({"method": method, "request": request}) + "\n")
        self._child.stdin.flush()
        answer = json.loads(self._child.stdout.readline())
        if "response" in answer:
            return answer["response"], None
        return None, f"{answer['code']}: {answer['message']}"

    def methods(self):
        return self.call("?", {})[0]

    def close(self):
        self._child.stdin.close()
        self._child.wait(20)
        self._child.stdout.close()


class BufCurl:
    """One process for each call. Without a key it sends none."""

    def __init__(self, address, key=""):
        self._url = f"http://{address}"
        self._command = [str(install() / "node_modules/.bin/buf"), "curl", "--http2-prior-knowledge",
                         "--protocol", "grpc"]
        if key:
            self._command += ["--header", f"authorization: Bearer {key}",
                              "--reflect-header", f"authorization: Bearer {key}"]

    def call(self, method, request, stream=False, package="tocsin.v1"):
        command = [*self._command, "--data", json.dumps(request),
                   f"{self._url}/{package}.{method}"]
        if stream:
            return self._first(command)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0:
            return json.loads(done.stdout or "{}"), None
        return None, done.stderr

    @staticmethod
    def _first(command):
        """The first message of a stream that does not end by itself."""
        # In a group of its own: what npm installs as buf is a script that starts another process.
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              start_new_session=True) as child:
            text = ""
            while line := child.stdout.readline():
                text += line
                if line in ("}\n", "{}\n"):
                    break
            os.killpg(child.pid, signal.SIGKILL)
            error = child.stderr.read()
        return (json.loads(text), None) if text else (None, error)

    def services(self):
        """The public ones, by reflection."""
        return {line.removeprefix("tocsin.v1.") for line in self._list("--list-services")
                if line.startswith("tocsin.v1.")}

    def methods(self):
        """Those of every service, by reflection, e.g. "grpc.health.v1.Health/Check"."""
        return self._list("--list-methods")

    def _list(self, what):
        done = subprocess.run([*self._command, what, self._url], capture_output=True, text=True,
                              timeout=60, check=False)
        if done.returncode != 0:
            raise AssertionError(f"buf curl {what}: {done.stderr}")
        return done.stdout.split()

    def close(self):
        pass


class GrpcClients(TocsinTestCase):
    def drive(self, client, project):
        """Runs the scenario; fails at the end, naming every call that went wrong."""
        self.addCleanup(client.close)
        path = f"/{project}"
        self.receiver.trust(path, SECRET)
        known = {"id": project, "receiver": self.receiver.url(path), "secret": SECRET,
                 "tomorrow": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))}
        faults = []
        for step in SCENARIO:
            if fault := self.step(client, step, known):
                faults.append(f"{step['method']}: {fault}")
        self.assertEqual(faults, [])

    def step(self, client, step, known):
        request = fill(step["request"], known)
        response, error = client.call(step["method"], request, step.get("stream", False))
        end = time.monotonic() + 20
        while error and "until" in step and time.monotonic() < end:
            response, error = client.call(step["method"], request)
        if error:
            return error
        for field, value in fill(step.get("expect", {}), known).items():
            if response.get(field) != value:
                return f"{field} is {response.get(field)!r}, not {value!r}"
        for name, place in step.get("save", {}).items():
            for part in place.split("."):
                response = response[int(part) if part.isdigit() else part]
            known[name] = response
        return None

    def test_node_drives_every_method(self):
        client = NodeClient(self.cluster.cores[0].address, self.cluster.key("admin"))
        self.assertEqual(sorted(client.methods()), sorted({step["method"] for step in SCENARIO}),
                         "clients/scenario.json has every method")
        self.drive(client, "by-node")

    def test_buf_curl_drives_every_method(self):
        client = BufCurl(self.cluster.cores[0].address, self.cluster.key("admin"))
        self.assertEqual(client.services(), {step["method"].split("/")[0] for step in SCENARIO})
        self.drive(client, "by-buf")

    def test_buf_curl_asks_for_health_by_reflection_and_without_a_key(self):
        client = BufCurl(self.cluster.cores[0].address)
        methods = client.methods()
        for method in ("grpc.health.v1.Health/Check", "grpc.health.v1.Health/Watch",
                       "tocsin.v1.MonitorService/CreateMonitor"):
            self.assertIn(method, methods)
        serving = ({"status": "SERVING"}, None)
        # Health follows readiness once a second.
        wait_until(lambda: client.call("Health/Check", {"service": ""}, False,
                                       package="grpc.health.v1") == serving, 10, "core serves")
        for service in ("", "tocsin.v1.MonitorService"):
            for method, stream in (("Health/Check", False), ("Health/Watch", True)):
                with self.subTest(f"{method} of {service!r}"):
                    self.assertEqual(client.call(method, {"service": service}, stream,
                                                 package="grpc.health.v1"), serving)
        _, error = client.call("Health/Check", {"service": "no.such.Service"},
                               package="grpc.health.v1")
        self.assertIn("not_found", error)


def fill(value, known):
    """`value` with each $name replaced."""
    if isinstance(value, dict):
        return {key: fill(each, known) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    for name in sorted(known, key=len, reverse=True):
        value = value.replace(f"${name}", str(known[name]))
    return value


if __name__ == "__main__":
    unittest.main()
