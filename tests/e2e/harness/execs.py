"""`tocsin exec` as a test runs it: against a stand-in of the gateway, with a secret of its own."""

import os
import secrets
import subprocess
import unittest

from harness.cluster import binary
from harness.gateway_standin import GatewayStandIn

LIMIT = 60  # seconds after which something hangs


def environment(url=None, **more):
    """That of a job: without Tocsin's variables but the push URL, and without what this machine says of
    proxies and certificates."""
    own = {name: value for name, value in os.environ.items()
           if not name.startswith(("TOCSIN_", "SSL_CERT_", "CURL_"))
           and not name.lower().endswith("_proxy")}
    return {**own, **({"TOCSIN_PUSH_URL": url} if url else {}), **more}


class ExecTestCase(unittest.TestCase):
    """Each test has a token that nobody else has, and looks for it where it must not be."""

    @classmethod
    def setUpClass(cls):
        cls.gateway = GatewayStandIn()
        cls.addClassCleanup(cls.gateway.close)

    def setUp(self):
        self.token = secrets.token_hex(16)
        self.url = self.gateway.url(self.token)
        self.addCleanup(self.gateway.always, (200, {}))

    def command(self, *words, flags=()):
        return [binary("tocsin"), "exec", *flags, "--", *words]

    def start(self, *words, flags=(), url=None, prefix=(), **options):
        """The running command, with pipes for its streams."""
        child = subprocess.Popen(
            [*prefix, *self.command(*words, flags=flags)], env=environment(url or self.url),
            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
               **options})
        self.addCleanup(self._close, child)
        return child

    def run_exec(self, *words, flags=(), url=None, input=None, prefix=(), **more):
        """The completed command; `stdout` and `stderr` are bytes."""
        done = subprocess.run(
            [*prefix, *self.command(*words, flags=flags)], env=environment(url or self.url, **more),
            input=input, capture_output=True, timeout=LIMIT, check=False)
        self.assertNotIn(self.token.encode(), done.stderr)
        return done

    def shell(self, script, **options):
        return self.run_exec("sh", "-c", script, **options)

    def end_of_run(self):
        """The push of the end, once it is there; the start before it has the same run."""
        start, end = self.gateway.wait_for(self.token, 2)
        self.assertEqual(start.parameters["status"], "start")
        self.assertEqual(start.parameters["run"], end.parameters["run"])
        return end

    @staticmethod
    def _close(child):
        child.kill()
        child.wait(LIMIT)
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass  # what a test wrote and nobody read
