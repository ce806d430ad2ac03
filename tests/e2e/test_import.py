"""Monitors that move here from Healthchecks and Uptime Kuma: their clients change the host name only."""

import json
import pathlib
import tempfile
import unittest
import uuid

from harness.pushing import push, request
from harness.testcase import TocsinTestCase

EXAMPLES = pathlib.Path(__file__).parents[2] / "docs" / "examples"


def check(slug, **changes):
    """What the API of Healthchecks tells of a check; a field that is None is left out."""
    made = {"name": slug.title(), "slug": slug, "tags": "", "desc": "", "grace": 60, "status": "up",
            "last_ping": "2026-03-24T14:02:03+00:00", "manual_resume": False, "methods": "",
            "ping_url": f"https://hc.example.org/ping/{uuid.uuid4()}", "timeout": 3600, **changes}
    return {field: value for field, value in made.items() if value is not None}


class Import(TocsinTestCase):
    def setUp(self):
        self.files = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def ids(self):
        listed = self.cli.json("monitor", "list").get("monitors", [])
        return {monitor["name"].rpartition("/")[2] for monitor in listed}

    def write(self, content):
        file = self.files / "export.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(file)

    def bring(self, source, file, *flags, status=0):
        """{id or name: (result, reasons)} of an import."""
        done = self.cli.run("-o", "json", "import", source, str(file), *flags)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["dryRun"], "--dry-run" in flags)
        return {entry["id"] or entry["name"]: (entry["result"], entry["reasons"])
                for entry in report["monitors"]}

    def results(self, *arguments, **more):
        return {name: result for name, (result, _) in self.bring(*arguments, **more).items()}

    def test_the_checks_of_healthchecks_keep_their_ping_urls(self):
        file = EXAMPLES / "healthchecks.json"
        expected = {"filesystem-backup": "kept", "database-backup": "converted"}
        before = self.ids()
        self.assertEqual(self.results("healthchecks", file, "--dry-run"), expected)
        self.assertEqual(self.ids(), before)
        self.assertEqual(self.results("healthchecks", file), expected)

        backup = self.cli.monitor("filesystem-backup")
        self.assertEqual(backup["displayName"], "Filesystem Backup")
        self.assertEqual(backup["labels"], {"tag.backup": "true", "team": "ops"})
        self.assertEqual(backup["schedule"]["heartbeat"]["timeout"], "3600s")
        self.assertEqual(backup["schedule"]["heartbeat"]["grace"], "600s")
        self.assertEqual(backup["state"], "STATE_NEW")
        database = self.cli.monitor("database-backup")
        self.assertEqual(database["schedule"]["cron"]["expression"], "15 5 * * *")
        self.assertEqual(database["schedule"]["cron"]["timeZone"], "Europe/Riga")
        self.assertEqual(database["state"], "STATE_PAUSED")

        for entry in json.loads(file.read_text())["checks"]:
            path = entry["ping_url"].removeprefix("https://hc.example.org")
            answer = request(self.gateway, "POST", path)
            self.assertEqual((answer.status, answer.body), (200, b"OK"))
        self.assertEqual(self.cli.state("filesystem-backup"), "UP")
        self.assertEqual(self.cli.state("database-backup"), "PAUSED")  # manual_resume

        self.cli.text("monitor", "update", "filesystem-backup", "--owner", "me")
        again = self.results("healthchecks", file)
        self.assertEqual(again, dict.fromkeys(expected, "exists"))
        self.assertEqual(self.cli.monitor("filesystem-backup")["owner"], "me")

    def test_the_push_monitors_of_uptime_kuma_keep_their_push_urls(self):
        file = EXAMPLES / "uptime-kuma.json"
        expected = {"Web site": "skipped", "nightly-import": "converted", "sensor": "kept"}
        before = self.ids()
        self.assertEqual(self.results("uptime-kuma", file, "--dry-run"), expected)
        self.assertEqual(self.ids(), before)
        self.assertEqual(self.results("uptime-kuma", file, "--arm-on-create"), expected)

        nightly = self.cli.monitor("nightly-import")
        self.assertEqual(nightly["schedule"]["heartbeat"]["grace"], "601s")
        self.assertEqual(nightly["reminderInterval"], "86400s")
        self.assertEqual(nightly["labels"], {"team": "orders", "tag.nightly": "true"})
        self.assertTrue(nightly["armOnCreate"])
        self.assertEqual(self.cli.monitor("sensor")["failureThreshold"], 2)

        for entry in json.loads(file.read_text())["monitorList"]:
            if entry["type"] == "push":
                answer = push(self.gateway, entry["pushToken"], "GET", status="up", msg="OK", ping="")
                self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.cli.state("nightly-import"), "UP")
        self.assertEqual(self.cli.state("sensor"), "UP")
        again = self.results("uptime-kuma", file)
        self.assertEqual(again, {**expected, "nightly-import": "exists", "sensor": "exists"})

    def test_what_is_refused_says_why_and_the_rest_is_made(self):
        file = self.write({"checks": [
            check("good"),
            check("calendar", timeout=None, schedule="Mon..Fri 12:00", tz="UTC"),
            check("rare", timeout=None, schedule="0 0 L * *", tz="UTC"),
            check("nowhere", timeout=None, schedule="0 0 * * *", tz="Mars/Olympus"),
            check("tiny", timeout=0.5),
            check("keywords", filter_http_body=True),
            check("unknown", ping_url=None, unique_key="a6c7b0a8a66bed0df66abfdab3c77736861703ee")]})
        reasons = {"Calendar": "OnCalendar", "Keywords": "keywords in the",
                   "Unknown": "read-only key", "rare": "cron.expression: ",
                   "nowhere": "cron.time_zone: ", "tiny": "heartbeat.timeout: "}
        for flags in (("--dry-run",), ()):
            brought = self.bring("healthchecks", file, *flags, status=1)
            self.assertEqual(brought.pop("good"), ("kept", []))
            self.assertEqual(set(brought), set(reasons))
            for name, words in reasons.items():
                self.assertEqual(brought[name][0], "refused", name)
                self.assertIn(words, brought[name][1][0], name)
        self.assertEqual(self.ids() & {"good", "calendar", "rare", "nowhere", "tiny"}, {"good"})
        done = self.cli.run("import", "healthchecks", file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("1 exists, 6 refused\n", done.stdout)
        self.assertEqual(done.stderr, "tocsin: 6 of 7 refused, for the reasons above\n")

    def test_a_monitor_that_has_the_id_by_chance_is_told_from_one_that_was_imported(self):
        self.cli.text("monitor", "create", "taken", "--timeout", "1h")
        file = self.write({"checks": [check("taken")]})
        result, reasons = self.bring("healthchecks", file, status=1)["taken"]
        self.assertEqual(result, "refused")
        self.assertEqual(reasons, ["projects/default/monitors/taken exists already",
                                   "and has another push URL: rename one of the two"])

    def test_a_check_with_a_new_slug_is_not_made_twice(self):
        old = check("old-slug")
        self.assertEqual(self.results("healthchecks", self.write({"checks": [old]})),
                         {"old-slug": "kept"})
        file = self.write({"checks": [{**old, "slug": "new-slug"}]})
        self.assertEqual(self.bring("healthchecks", file)["new-slug"],
                         ("exists", ["its push URL is that of another monitor already"]))
        self.assertNotIn("new-slug", self.ids())

    def test_a_deleted_monitor_is_not_made_anew(self):
        file = self.write({"checks": [check("deleted")]})
        self.assertEqual(self.results("healthchecks", file), {"deleted": "kept"})
        self.cli.text("monitor", "delete", "deleted")
        result, reasons = self.bring("healthchecks", file)["deleted"]
        self.assertEqual(result, "exists")
        self.assertIn("it is deleted, and can be undeleted", reasons[0])

    def test_it_goes_into_the_project_that_was_named(self):
        self.cli.text("project", "create", "moved-in")
        file = self.write({"checks": [check("elsewhere")]})
        self.assertEqual(self.results("healthchecks", file, "--project", "moved-in"),
                         {"elsewhere": "kept"})
        self.cli.text("--project", "moved-in", "monitor", "get", "elsewhere")
        self.assertNotIn("elsewhere", self.ids())
        done = self.cli.run("import", "healthchecks", file, "--project", "no-such-project")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("no-such-project", done.stderr)

    def test_a_file_that_is_no_export_says_where(self):
        for content, words in (
                ('{"checks": [\n  {"name": }]}', "it is no JSON: it goes wrong at line 2, column 12"),
                ('{"error": "wrong api key"}', "checks: missing; accepted: the answer of GET"),
                ("[" * 1000, "nested deeper than 32 levels")):
            file = self.write(content)
            done = self.cli.run("import", "healthchecks", file)
            self.assertEqual((done.returncode, done.stdout), (2, ""), content)
            self.assertIn(f"tocsin: {file}: ", done.stderr)
            self.assertIn(words, done.stderr)
        done = self.cli.run("import", "uptime-kuma", "/no/such/file")
        self.assertEqual((done.returncode, done.stderr),
                         (2, "tocsin: /no/such/file cannot be opened: No such file or directory\n"))

    def test_a_thousand_checks_move_in_and_no_url_changes(self):
        """Every form of schedule that Healthchecks has and Tocsin knows; pings by UUID, exit status and body."""
        zones = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata")
        checks = []
        for n in range(1000):
            how = {} if n % 3 else {"timeout": None, "schedule": f"{n % 60} {n % 24} * * *", "tz": zones[n % 4]}
            checks.append(check(f"fleet-{n}", tags=f"team-{n % 7} prod", grace=60 + n, **how))
        self.cli.text("project", "create", "fleet")
        file = self.write({"checks": checks})
        brought = self.results("healthchecks", file, "--project", "fleet")
        self.assertEqual(brought, dict.fromkeys((f"fleet-{n}" for n in range(1000)), "kept"))
        for n, each in enumerate(checks):
            path = each["ping_url"].removeprefix("https://hc.example.org")
            answer = (request(self.gateway, "GET", path), request(self.gateway, "POST", f"{path}/0", "done"),
                      request(self.gateway, "HEAD", path))[n % 3]
            self.assertEqual(answer.status, 200, path)
        listed = self.cli.json("--project", "fleet", "monitor", "list")["monitors"]
        self.assertEqual(len(listed), 1000)
        self.assertEqual({monitor["state"] for monitor in listed}, {"STATE_UP"})
        self.assertEqual(self.results("healthchecks", file, "--project", "fleet"),
                         dict.fromkeys(brought, "exists"))

    def test_lines_of_json_are_one_for_each(self):
        file = self.write({"checks": [check("line-a"), check("line-b")]})
        lines = self.cli.text("-o", "jsonl", "import", "healthchecks", file).splitlines()
        self.assertEqual([json.loads(line)["id"] for line in lines], ["line-a", "line-b"])


if __name__ == "__main__":
    unittest.main()
