"""`tocsin doctor` on a Tocsin that is well, and on ones that are not."""

import json
import os
import unittest

from harness import grpc_health
from harness.pushing import push
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until


class Doctor(TocsinTestCase):
    def examine(self, *flags, cli=None, status=None):
        """(verdict, what, advice) by check, of what was found; with more findings of one check, all."""
        done = (cli or self.cli).run("-o", "json", "doctor", *flags)
        self.assertEqual(done.stderr, "")
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if report["healthy"] else 1)
        if status is not None:
            self.assertEqual(done.returncode, status, done.stdout)
        found = {}
        for one in report["findings"]:
            found.setdefault(one["check"], []).append((one["verdict"], one["what"], one["advice"]))
        return found

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel = cls.cluster.make_channel(cls.receiver, "everyone", "--default")
        cls.token = cls.cli.make_monitor("beats", "60s")
        push(cls.gateway, cls.token)
        cls.everything = ["--gateway", cls.cluster.public_url]
        for service in cls.cluster.services:
            cls.everything += ["--admin", service.admin_address]
        cls.wait_health()

    @classmethod
    def wait_health(cls):
        """The health of gRPC follows /readyz within a fifth of a second."""
        address = cls.cluster.cores[0].address
        wait_until(lambda: grpc_health.check(address) == "SERVING", 10, "core says that it is ready")

    def test_a_tocsin_that_is_well_has_no_problem(self):
        found = self.examine(*self.everything, status=0)
        self.assertRegex(found["core"][0][1], r"is ready, and answers in \d+ ms")
        self.assertIn("has the role admin", found["key"][0][1])
        self.assertEqual([verdict for verdict, _, _ in found["clock"]], ["ok", "ok"])
        self.assertIn("reaches core", found["gateway"][0][1])
        # Which of the two depends on for how long this core has run.
        self.assertRegex(found["disk"][0][1],
                         r"pushes a \w+ \((measured for .*|by .* a core that has run for .*)\) are .* in 14d")
        text = self.cli.text("doctor", *self.everything)
        self.assertTrue(text.endswith("\nNo problem found.\n"), text)
        self.assertNotIn("\x1b", text)

    def test_without_admin_ports_the_rate_is_that_of_the_schedules(self):
        found = self.examine(status=0)
        self.assertEqual(found["gateway"][0][0], "unknown")
        self.assertIn("1.0 pushes a minute (by the schedules of 1 monitor of", found["disk"][0][1])

    def test_each_role_is_told(self):
        for role in ("viewer", "editor"):
            key = self.cli.json("key", "create", f"doctor-{role}", "--role", role)["secret"]
            found = self.examine(cli=self.cli.with_key(key), status=0)
            self.assertIn(f"TOCSIN_KEY has the role {role}", found["key"][0][1])

    def test_a_wrong_key_no_key_and_one_that_may_not_read_are_problems(self):
        wrong = self.examine(cli=self.cli.with_key("tk_" + "A" * 43), status=1)
        self.assertIn("does not accept the key from TOCSIN_KEY", wrong["key"][0][1])
        self.assertNotIn("channel", wrong)
        self.assertIn("needs a key", self.examine(cli=self.cli.with_key(None), status=1)["key"][0][1])
        gateway = self.examine(cli=self.cli.with_key(self.cluster.key("gateway")), status=1)
        self.assertIn("role viewer or more", gateway["key"][0][2])

    def test_a_receiver_that_fails_is_told_with_what_to_do(self):
        cli = self.cli.with_environment(TOCSIN_PROJECT="broken")
        self.cli.text("project", "create", "broken")
        cli.text("channel", "create", "nobody", "--url", "http://127.0.0.1:1/x", "--default")
        token = cli.make_monitor("job", "60s")
        push(self.gateway, token, status="down")
        wait_until(lambda: "failingSince" in json.dumps(cli.json("channel", "get", "nobody")), 20,
                   "the channel fails")
        found = self.examine(cli=cli, status=1)
        self.assertRegex(found["channel"][0][1], r"^nobody fails since ")
        self.assertIn("tocsin channel test nobody", found["channel"][0][2])

    def test_a_core_that_is_gone_is_told_by_it_and_by_the_gateway(self):
        core = self.cluster.cores[0]
        core.terminate()
        try:
            found = self.examine(*self.everything, status=1)
        finally:
            core.restart()
        self.assertEqual(found["core"][0][0], "problem")
        self.assertIn("cannot be reached (connection refused)", found["core"][0][1])
        self.assertIn("it does not reach core", found["gateway"][0][1])
        self.assertIn("is not ready", str(found["gateway"]))
        self.assertNotIn("key", found)
        for service in self.cluster.services:
            service.wait_ready()
        self.wait_health()

    def test_an_address_that_is_none_is_refused_with_what_is_accepted(self):
        done = self.cli.run("doctor", "--gateway", "example.org")
        self.assertEqual(done.returncode, 2)
        self.assertIn("accepted: http(s)://HOST[:PORT]", done.stderr)

    def test_a_key_file_that_others_may_read_is_noted(self):
        path = self.cluster.key_files["admin"]
        os.chmod(path, 0o644)
        try:
            found = self.examine(status=0)
        finally:
            os.chmod(path, 0o600)
        self.assertIn(f"chmod 600 {path}", found["key"][1][2])


if __name__ == "__main__":
    unittest.main()
