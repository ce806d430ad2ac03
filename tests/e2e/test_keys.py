"""Keys as people and services meet them: who may what, and when that ends."""

import os
import subprocess
import time
import unittest

from harness.cluster import binary, new_key
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until


def content(path):
    with open(path) as file:
        return file.read()


class KeysTest(TocsinTestCase):
    cluster_options = {"cores": 2}

    def key(self, key_id, role, *flags, project=None):
        """A CLI with a new key, and its secret."""
        where = ["--project", project] if project else ["--all-projects"]
        made = self.cli.json("key", "create", key_id, "--role", role, *where, *flags)
        return self.cli.with_key(made["secret"]), made["secret"]

    def refused(self, cli, *arguments, status=1):
        done = cli.run(*arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_without_a_key_the_command_says_what_to_do(self):
        said = self.refused(self.cli.with_key(None), "monitor", "list")
        self.assertIn("needs a key", said)
        self.assertIn("TOCSIN_KEY", said)

    def test_a_wrong_key_is_told_where_it_comes_from(self):
        said = self.refused(self.cli.with_key(new_key()), "monitor", "list")
        self.assertIn("does not accept the key from TOCSIN_KEY", said)
        self.assertIn("is no key", self.refused(self.cli.with_key("password"), "monitor", "list",
                                                status=2))

    def test_roles_are_kept_apart(self):
        viewer, _ = self.key("a-viewer", "viewer")
        editor, _ = self.key("an-editor", "editor")
        self.assertIsNotNone(viewer.json("monitor", "list"))
        said = self.refused(viewer, "monitor", "create", "by-viewer", "--timeout", "1m")
        self.assertIn("role editor", said)
        editor.make_monitor("by-editor", "1m")
        said = self.refused(editor, "key", "list")
        self.assertIn("role admin", said)
        self.assertNotIn("by-viewer", self.cli.text("monitor", "list"))

    def test_a_project_is_closed_to_the_keys_of_others(self):
        for project in ("red", "blue"):
            self.cli.text("project", "create", project)
            self.cli.make_monitor("job", "1m", "--project", project)
        red, _ = self.key("red-admin", "admin", project="red")
        self.assertEqual(red.json("monitor", "list", "--project", "red")["monitors"][0]["name"],
                         "projects/red/monitors/job")
        self.assertEqual([p["name"] for p in red.json("project", "list")["projects"]],
                         ["projects/red"])
        there = self.refused(red, "monitor", "get", "projects/blue/monitors/job")
        missing = self.refused(red, "monitor", "get", "projects/nowhere/monitors/job")
        self.assertEqual(there, missing)
        self.assertIn("projects/red only", there)
        self.refused(red, "key", "list", "--all-projects")
        self.refused(red, "project", "create", "green")
        self.assertEqual(self.cli.run("project", "delete", "red").returncode, 1)
        self.cli.text("monitor", "delete", "projects/red/monitors/job")
        self.cli.text("project", "delete", "red")
        self.assertIn("does not accept", self.refused(red, "project", "list"))

    def test_a_key_that_is_revoked_while_in_use_ends_everywhere(self):
        viewer, secret = self.key("watcher", "viewer")
        other = self.cluster.cli(core=1).with_key(secret)
        with viewer.follow("-o", "json", "watch") as watch, other.follow("-o", "json", "watch") as far:
            watch.wait_for(lambda line: "cursor" in line, what="the first word")
            far.wait_for(lambda line: "cursor" in line, what="the first word of the other core")
            shown = self.cli.text("key", "revoke", "watcher", "--all-projects")
            self.assertRegex(shown, r"(?m)^Revoked +\d{4}-")
            self.assertNotIn("Expires", shown)
            # At once where it was revoked; where others heard of it, soon.
            self.refused(viewer, "monitor", "list")
            wait_until(lambda: other.run("monitor", "list").returncode == 1, 5,
                       "the other core refuses the key")
            for stream in (watch, far):
                stream.wait_for(lambda line: "does not accept" in line, timeout=12,
                                what="the end of the watch")

    def test_a_rotated_key_works_with_both_secrets_for_the_overlap(self):
        old, _ = self.key("rotated", "viewer")
        answer = self.cli.json("key", "rotate", "rotated", "--all-projects", "--overlap", "3s")
        new = self.cli.with_key(answer["secret"])
        old.json("monitor", "list")
        new.json("monitor", "list")
        wait_until(lambda: old.run("monitor", "list").returncode == 1, 10, "the old secret ends")
        self.assertIn("expired", self.refused(old, "monitor", "list"))
        new.json("monitor", "list")

    def test_the_use_of_a_key_is_noted(self):
        viewer, _ = self.key("used", "viewer")
        viewer.json("monitor", "list")
        wait_until(lambda: "lastUseTime" in self.cli.json("key", "get", "used", "--all-projects"), 15,
                   "the use is noted")

    def test_a_key_comes_from_a_file_too(self):
        _, secret = self.key("filed", "viewer")
        path = os.path.join(self.cluster.logs, "filed.key")
        with open(path, "w") as file:
            file.write(secret + "\n")
        self.cli.with_key(None).json("--key_file", path, "monitor", "list")
        os.unlink(path)
        self.assertIn("the key", self.refused(self.cli.with_key(None), "--key_file", path, "monitor",
                                              "list", status=2))

    def test_secrets_are_in_no_log_and_not_in_the_database(self):
        _, secret = self.key("kept", "viewer")
        keys = [secret] + [content(file).strip() for file in self.cluster.key_files.values()]
        for service in self.cluster.services:
            for key in keys:
                self.assertNotIn(key, content(service.log_path))
        dump = self.cluster.postgres.dump()
        for key in keys:
            self.assertNotIn(key, dump)


class WrongServiceKeyTest(TocsinTestCase):
    """Services whose key core does not know say so, are not ready, and lose no push for it."""

    cluster_options = {"notifiers": 1}

    def test_wrong_keys_are_told_and_right_ones_take_over(self):
        gateway, notifier = self.cluster.gateways[0], self.cluster.notifiers[0]
        token = self.cli.make_monitor("job", "1m")
        good = {role: content(self.cluster.key_files[role]) for role in ("gateway", "notifier")}
        for role, service in (("gateway", gateway), ("notifier", notifier)):
            service.signal(15)
            service.wait(30)
            with open(self.cluster.key_files[role], "w") as file:
                file.write(new_key() + "\n")
            service.start()
        for role, service in (("gateway", gateway), ("notifier", notifier)):
            wait_until(lambda: f"core refuses this {role}'s key" in service.get_admin("/readyz")[1],
                       20, f"the {role} says why it is not ready")
        begin = time.monotonic()
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST",
                               self.cluster.push_url(token)], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.stdout, "503")
        self.assertLess(time.monotonic() - begin, 15)
        self.assertIn("core_refuses_key", content(gateway.log_path))
        for role, service in (("gateway", gateway), ("notifier", notifier)):
            service.signal(15)
            service.wait(30)
            with open(self.cluster.key_files[role], "w") as file:
                file.write(good[role])
            service.restart()
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST",
                               self.cluster.push_url(token)], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.stdout, "200")


class BootstrapTest(unittest.TestCase):
    def test_a_file_that_holds_no_key_is_told(self):
        path = os.path.join("/tmp", f"no-key-{os.getpid()}")
        with open(path, "w") as file:
            file.write("password\n")
        try:
            done = subprocess.run([binary("tocsin-core"), "--database_url=dbname=none",
                                   "--secret_key_file=none", f"--bootstrap_admin_key_file={path}"],
                                  capture_output=True, text=True, timeout=20, check=False)
        finally:
            os.unlink(path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--bootstrap_admin_key_file: must hold tk_", done.stderr)
        self.assertNotIn("password", done.stderr)

    def test_no_keys_only_on_loopback(self):
        done = subprocess.run([binary("tocsin-core"), "--database_url=dbname=none",
                               "--secret_key_file=none", "--auth=disabled", "--listen=0.0.0.0:1"],
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--auth: can be disabled only", done.stderr)


if __name__ == "__main__":
    unittest.main()
