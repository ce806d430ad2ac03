"""The canary that watches Tocsin from outside: what it tells, and when."""

import http.server
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest

from harness.processes import free_port

CANARY = pathlib.Path(__file__).resolve().parents[2] / "deploy/canary/tocsin-canary"


class Gateway:
    """Answers every request with `status` and keeps the paths."""

    def __init__(self):
        gateway = self
        self.status = 200
        self.paths = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                gateway.paths.append(self.path)
                self.send_response(gateway.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/push/token"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Canary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.url_file = pathlib.Path(folder.name, "url")
        self.told_file = pathlib.Path(folder.name, "told")
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)
        self.url_file.write_text(self.gateway.url + "\n")

    def canary(self, *command):
        command = command or ("tee", "-a", str(self.told_file))
        return subprocess.run(
            [CANARY, self.url_file, *command], capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "TOCSIN_CANARY_RETRIES": "0", "no_proxy": "127.0.0.1"}).returncode

    def told(self):
        return self.told_file.read_text().splitlines() if self.told_file.exists() else []

    def test_an_accepted_push_tells_nobody(self):
        self.assertEqual(self.canary(), 0)
        self.assertEqual(self.gateway.paths, ["/api/push/token"])
        self.assertEqual(self.told(), [])

    def test_an_outage_is_told_once_and_its_end_once(self):
        self.gateway.status = 503
        self.assertEqual([self.canary(), self.canary()], [1, 1])
        self.assertEqual(len(self.told()), 1)
        self.assertIn("503", self.told()[0])
        self.gateway.status = 200
        self.assertEqual([self.canary(), self.canary()], [0, 0])
        self.assertEqual(len(self.told()), 2)
        self.assertIn("again", self.told()[1])

    def test_a_gateway_that_is_gone_is_told(self):
        self.url_file.write_text(f"http://127.0.0.1:{free_port()}/api/push/token\n")
        self.assertEqual(self.canary(), 1)
        self.assertIn("cannot be reached", self.told()[0])

    def test_what_could_not_be_told_is_told_by_the_next_run(self):
        self.gateway.status = 503
        self.assertEqual(self.canary("false"), 1)
        self.assertEqual(self.canary(), 1)
        self.assertEqual(len(self.told()), 1)

    def test_no_token_is_ever_told(self):
        self.gateway.status = 404
        self.assertEqual(self.canary(), 1)
        self.assertNotIn("/api/push", "".join(self.told()))

    def test_a_missing_url_file_is_a_mistake_of_its_own(self):
        self.url_file.unlink()
        self.assertEqual(self.canary(), 2)
        self.assertEqual(self.told(), [])


if __name__ == "__main__":
    unittest.main()
