"""One secret for a fleet: push keys, from the command line that makes them to the monitors that they reach."""

import unittest

from harness.pushing import request
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until


class PushKeys(TocsinTestCase):
    def make_key(self, *flags):
        """The secret of a key named after the test."""
        return self.cli.json("key", "create", self.id_of_test(), "--role", "pusher",
                             *flags)["secret"]

    def push(self, key, path, method="POST"):
        return request(self.gateway, method, f"/api/push/{key}/{path}")

    def newest(self, monitor):
        return self.cli.heartbeats(monitor)[0]

    def test_a_push_key_reaches_each_monitor_of_its_project(self):
        key = self.make_key()
        for monitor in ("fleet-a", "fleet-b"):
            self.cli.make_monitor(monitor, "1h")
            self.assertEqual(self.push(key, f"{monitor}?msg=hello").status, 200)
            self.assertEqual(self.newest(monitor)["message"], "hello")
        answer = self.push(key, "no-such-monitor")
        self.assertEqual((answer.status, answer.json["ok"]), (404, False))

    def test_the_path_says_what_happened(self):
        key, monitor = self.make_key(), self.id_of_test()
        self.cli.make_monitor(monitor, "1h")
        for action, kind, exit_status in (
                ("start", "START", None), ("0", "UP", 0), ("fail", "DOWN", None),
                ("17", "DOWN", 17), ("log", "LOG", None), ("", "UP", None)):
            self.assertEqual(self.push(key, f"{monitor}/{action}".rstrip("/")).status, 200)
            beat = self.newest(monitor)
            self.assertEqual(beat["kind"], f"KIND_{kind}")
            self.assertEqual(beat.get("exitStatus"), exit_status)
        for wrong in ("256", "stop"):
            answer = self.push(key, f"{monitor}/{wrong}")
            self.assertEqual(answer.status, 400)
            self.assertIn("0 to 255", answer.json["msg"])

    def test_a_key_that_may_makes_the_monitors_that_pushes_name(self):
        key = self.make_key("--may-create", "--max-monitors", "100000")
        self.assertEqual(self.push(key, "made-by-push").status, 404)
        self.assertEqual(self.push(key, "made-by-push?create=1").status, 201)
        self.assertEqual(self.push(key, "made-by-push?create=1").status, 200)
        made = self.cli.monitor("made-by-push")
        self.assertEqual(made["state"], "STATE_UP")
        self.assertEqual(made["schedule"]["heartbeat"]["timeout"], "86400s")

    def test_a_key_that_may_not_is_told_so(self):
        key = self.make_key()
        answer = self.push(key, "not-made?create=1")
        self.assertEqual(answer.status, 403)
        self.assertIn("may not create", answer.json["msg"])
        self.assertNotEqual(self.cli.run("monitor", "get", "not-made").returncode, 0)

    def test_a_key_makes_no_more_monitors_than_its_project_may_have(self):
        key = self.make_key("--may-create", "--max-monitors", "1")
        self.cli.make_monitor(self.id_of_test(), "1h")
        answer = self.push(key, "one-too-many?create=1")
        self.assertEqual(answer.status, 403)
        self.assertIn("as many monitors as this push key allows", answer.json["msg"])

    def test_a_deleted_monitor_is_not_made_anew_and_says_so(self):
        key = self.make_key("--may-create", "--max-monitors", "100000")
        self.assertEqual(self.push(key, "made-and-gone?create=1").status, 201)
        self.assertEqual(self.cli.run("monitor", "delete", "made-and-gone").returncode, 0)
        answer = self.push(key, "made-and-gone?create=1")
        self.assertEqual(answer.status, 404)
        self.assertIn("undelete it", answer.json["msg"])

    def test_who_made_a_monitor_by_a_push_is_in_the_audit_log_and_the_use_at_the_key(self):
        key = self.make_key("--may-create", "--max-monitors", "100000")
        made = request(self.gateway, "POST", f"/api/push/{key}/made-and-told?create=1",
                       headers={"X-Request-Id": "nightly-run-7"})
        self.assertEqual(made.status, 201)
        entry = self.cli.json("audit", "list", "--resource",
                              "projects/default/monitors/made-and-told")["auditEntries"][0]
        self.assertEqual(entry["actor"], f"projects/default/keys/{self.id_of_test()}")
        self.assertEqual((entry["source"], entry["requestId"]), ("127.0.0.1", "nightly-run-7"))
        wait_until(lambda: "lastUseTime" in self.cli.json("key", "get", self.id_of_test()), 20,
                   "the use is noted")

    def test_a_revoked_key_pushes_nothing(self):
        key, monitor = self.make_key(), self.id_of_test()
        self.cli.make_monitor(monitor, "1h")
        self.assertEqual(self.push(key, monitor).status, 200)
        self.cli.run("key", "revoke", self.id_of_test())
        wait_until(lambda: self.push(key, monitor).status == 404, 10,
                   "the key is refused")

    def test_a_key_is_no_push_token_and_opens_no_api(self):
        key = self.make_key()
        self.assertEqual(request(self.gateway, "POST", f"/api/push/{key}").status, 404)
        refused = self.cli.with_environment(TOCSIN_KEY=key).run("monitor", "list")
        self.assertNotEqual(refused.returncode, 0)

    def test_over_grpc_the_request_names_the_monitor(self):
        key, monitor = self.make_key(), self.id_of_test()
        self.cli.make_monitor(monitor, "1h")
        pushing = self.cli.with_environment(TOCSIN_PUSH_TOKEN=key)
        self.assertEqual(pushing.run("push", "--monitor", monitor, "--message", "grpc").returncode,
                         0)
        self.assertEqual(self.newest(monitor)["message"], "grpc")


if __name__ == "__main__":
    unittest.main()
