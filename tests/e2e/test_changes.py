"""Changes by the command line: guarded, tried, repeated, and told by the audit log."""

import hashlib
import json
import unittest
import uuid

from harness.pushing import push
from harness.testcase import TocsinTestCase


class Changes(TocsinTestCase):
    def setUp(self):
        self.monitor = self.id_of_test()

    def audit(self, *filters):
        """Entries about the monitor of this test, newest first."""
        return self.cli.json("audit", "list", "--resource",
                             f"projects/default/monitors/{self.monitor}", *filters).get(
                                 "auditEntries", [])

    def refused(self, *arguments):
        """What stderr says of a command that fails."""
        done = self.cli.run(*arguments)
        self.assertNotEqual(done.returncode, 0, arguments)
        return done.stderr

    def test_an_etag_guards_against_overwriting(self):
        self.cli.make_monitor(self.monitor, "60s")
        etag = self.cli.monitor(self.monitor)["etag"]
        self.cli.text("monitor", "update", self.monitor, "--owner", "a", "--etag", etag)
        self.assertIn("has changed since it was read", self.refused(
            "monitor", "update", self.monitor, "--owner", "b", "--etag", etag))
        self.assertIn("has changed since", self.refused("monitor", "delete", self.monitor,
                                                        "--etag", etag))
        self.assertIn("--etag: it is none of ours", self.refused(
            "monitor", "update", self.monitor, "--owner", "b", "--etag", "W/1"))
        self.cli.text("monitor", "delete", self.monitor, "--etag",
                      self.cli.monitor(self.monitor)["etag"])

    def test_a_trial_changes_nothing(self):
        self.assertIn("Nothing was changed", self.cli.text(
            "monitor", "create", self.monitor, "--timeout", "60s", "--validate-only"))
        self.assertEqual(self.cli.run("monitor", "get", self.monitor).returncode, 3)
        token = self.cli.make_monitor(self.monitor, "60s")
        push(self.gateway, token, status="down")
        before = self.cli.monitor(self.monitor)
        self.assertIn("Nothing was changed", self.cli.text(
            "monitor", "delete", self.monitor, "--validate-only"))
        self.assertRegex(self.cli.text("monitor", "update", self.monitor, "--owner", "x",
                                       "--validate-only"), r"(?m)^Owner +x$")
        self.assertEqual(self.cli.monitor(self.monitor), before)
        self.assertEqual(len(self.audit()), 1)

    def test_a_command_that_runs_twice_makes_one_monitor(self):
        command = ("monitor", "create", self.monitor, "--timeout", "60s", "--label", "a=1",
                   "--label", "b=2", "--request-id", str(uuid.uuid4()))
        first = self.cli.json(*command)
        again = self.cli.json(*command)
        self.assertEqual(first["pushToken"], again["pushToken"])
        self.assertEqual(first["monitor"]["etag"], again["monitor"]["etag"])
        self.assertEqual(push(self.gateway, again["pushToken"]).status, 200)
        self.assertIn("another request came with it", self.refused(*command, "--owner", "b"))
        self.assertEqual(len(self.audit()), 1)
        hook = ("channel", "create", self.monitor, "--url", "https://example.com/x",
                "--request-id", str(uuid.uuid4()))
        self.assertEqual(self.cli.json(*hook)["webhookSecret"],
                         self.cli.json(*hook)["webhookSecret"])
        self.cli.text("channel", "delete", self.monitor)
        key = ("key", "create", self.monitor, "--role", "viewer", "--request-id", str(uuid.uuid4()))
        self.assertEqual(self.cli.json(*key)["secret"], self.cli.json(*key)["secret"])
        self.assertIn("exists already", self.refused(*key[:-1], str(uuid.uuid4())))
        project = ("project", "create", self.monitor, "--request-id", str(uuid.uuid4()))
        self.assertEqual(self.cli.json(*project), self.cli.json(*project))
        self.assertIn("exists already", self.refused(*project[:-1], str(uuid.uuid4())))
        self.cli.text("project", "delete", self.monitor)

    def test_a_trial_makes_neither_key_nor_project(self):
        for command in (("key", "create", self.monitor, "--role", "viewer"),
                        ("project", "create", self.monitor)):
            tried = self.cli.text(*command, "--validate-only")
            self.assertIn("Nothing was changed", tried)
            self.assertNotIn("ecret", tried)
            self.assertEqual(self.cli.run(command[0], "get", self.monitor).returncode, 3)

    def test_what_is_refused_is_told_in_words_of_the_command_line(self):
        create = ("key", "create", self.monitor, "--role")
        self.assertIn("--role: a service's key is one of all projects; accepted: viewer, editor, "
                      "admin or pusher; or --all-projects", self.refused(*create, "gateway"))
        self.assertIn("--may-create, --max-monitors, --create-…: the key is no push key; accepted: "
                      "nothing, or --role pusher", self.refused(*create, "viewer", "--may-create"))
        self.assertIn("--create-label: ", self.refused(*create, "pusher", "--may-create",
                                                       "--create-label", "Team=x"))
        made = self.cli.json(*create, "pusher", "--may-create", "--create-label", "team=x",
                             "--create-label", "env=")
        self.assertEqual(made["key"]["push"]["defaults"]["labels"], {"team": "x", "env": ""})

    def test_a_missing_monitor_is_made_with_a_token_of_its_owner(self):
        token = uuid.uuid4().hex
        digest = hashlib.sha256(token.encode()).hexdigest()
        self.assertIn("does not exist", self.refused("monitor", "update", self.monitor,
                                                     "--timeout", "60s"))
        command = ("monitor", "update", self.monitor, "--timeout", "60s", "--allow-missing",
                   "--push-token-sha256", digest)
        self.cli.text(*command)
        self.cli.text(*command)
        self.assertEqual(push(self.gateway, token).status, 200)
        self.assertIn("in use", self.refused("monitor", "create", self.monitor + "-2", "--timeout",
                                             "60s", "--push-token-sha256", digest))
        self.assertEqual(len(self.audit()), 1)
        self.cli.text("monitor", "delete", "never-there", "--allow-missing")

    def test_the_audit_log_says_who_and_what(self):
        token = self.cli.make_monitor(self.monitor, "60s")
        self.cli.text("monitor", "update", self.monitor, "--owner", "payments")
        rotated = self.cli.json("monitor", "rotate-token", self.monitor)["pushToken"]
        push(self.gateway, rotated)
        entries = self.audit()
        self.assertEqual([e["method"].rpartition("/")[2] for e in entries],
                         ["RotatePushToken", "UpdateMonitor", "CreateMonitor"])
        self.assertEqual(entries[1]["changes"], [{"field": "owner", "after": "payments"}])
        self.assertEqual(entries[1]["source"], "127.0.0.1")
        for secret in (token, rotated):
            self.assertNotIn(secret, json.dumps(entries))
        lines = self.cli.text("-o", "jsonl", "audit", "list", "--since", "1h", "--limit", "2")
        self.assertEqual(len([json.loads(line) for line in lines.splitlines()]), 2)
        self.assertIn("payments", self.cli.text("audit", "list"))
        self.assertEqual(self.audit("--until", "1h"), [])
        self.assertEqual(self.audit("--actor", "projects/default/keys/nobody"), [])
        self.assertIn("--actor: \"nobody\" names none; accepted: projects/{project}/keys/{key}",
                      self.refused("audit", "list", "--actor", "nobody"))
        self.assertIn("--resource: \"backup\" names none; accepted: projects/{project}",
                      self.refused("audit", "list", "--resource", "backup"))
        self.assertIn("accepted: 2h ago", self.refused("audit", "list", "--since", "yesterday"))

    def test_lists_are_printed_as_lines(self):
        self.cli.make_monitor(self.monitor, "60s")
        lines = self.cli.text("-o", "jsonl", "monitor", "list").splitlines()
        self.assertIn(f"projects/default/monitors/{self.monitor}",
                      [json.loads(line)["name"] for line in lines])
        self.assertEqual(json.loads(self.cli.text("-o", "jsonl", "monitor", "get", self.monitor))
                         ["name"], f"projects/default/monitors/{self.monitor}")


if __name__ == "__main__":
    unittest.main()
