"""Monitors and channels that files declare: applied, compared, pruned, exported."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import jsonschema
import yaml

from harness.cluster import binary
from harness.pushing import push, request
from harness.testcase import TocsinTestCase

TREE = pathlib.Path(__file__).parents[2]
EXAMPLES = TREE / "docs" / "examples"
SCHEMA = TREE / "docs" / "reference" / "apply.schema.json"


def monitor(monitor_id, **fields):
    return {"id": monitor_id, "schedule": {"heartbeat": {"timeout": "5m"}}, **fields}


class Apply(TocsinTestCase):
    """Each test has a project of its own."""

    def setUp(self):
        self.files = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.project = self.id_of_test()
        self.cli.text("project", "create", self.project)

    def write(self, *documents, name="declared.yaml"):
        """A file of documents, which are of the project of the test unless they say another one."""
        file = self.files / name
        file.write_text(documents[0] if isinstance(documents[0], str) else yaml.safe_dump_all(
            [{"project": self.project, **document} for document in documents]))
        return str(file)

    def apply(self, file, *flags, status=0, **environment):
        done = self.cli.with_environment(**environment).run("apply", "-f", str(file), *flags)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def plan(self, file, *flags, status=2):
        """{name: (action, {field: [before, after]})} of a dry run."""
        done = self.cli.run("-o", "json", "apply", "--dry-run", "-f", str(file), *flags)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return {change["name"].rpartition("/")[2]:
                (change["action"],
                 {field["field"]: [field["before"], field["after"]] for field in change["fields"]})
                for change in json.loads(done.stdout)["changes"]}

    def list(self, collection):
        """{id: resource} of what the project has."""
        listed = self.cli.json("--project", self.project, collection, "list")
        return {one["name"].rpartition("/")[2]: one for one in listed.get(f"{collection}s", [])}

    def audit(self):
        """How many entries the project's audit has."""
        listed = self.cli.json("--project", self.project, "audit", "list", "--limit", "0")
        return [entry["name"] for entry in listed.get("auditEntries", [])]

    def test_three_hundred_monitors_are_one_file(self):
        declared = {"channels": [{"id": "on-call", "url": "https://hooks.example.org/x",
                                  "selector": "team=t1"}],
                    "monitors": [monitor(f"job-{i:03}", owner=f"team-{i % 7}",
                                         labels={"team": f"t{i % 7}"}, channels=["on-call"])
                                 for i in range(300)]}
        file = self.write(declared)
        dry = self.apply(file, "--dry-run", status=2)
        self.assertIn(f"+ monitor {self.project}/job-299\n", dry.stdout)
        self.assertTrue(dry.stdout.endswith("\n301 created\n"), dry.stdout[-200:])
        self.assertEqual(self.list("monitor"), {})
        began = time.monotonic()
        done = self.apply(file)
        print(f"300 monitors and a channel in {time.monotonic() - began:.1f} s")
        self.assertTrue(done.stdout.endswith("\n301 created\n"), done.stdout[-200:])
        monitors = self.list("monitor")
        self.assertEqual(len(monitors), 300)
        self.assertTrue(all(one["armOnCreate"] for one in monitors.values()))

        audit = self.audit()
        began = time.monotonic()
        self.assertEqual(self.apply(file).stdout, "301 unchanged\n")
        print(f"unchanged in {time.monotonic() - began:.1f} s")
        self.assertEqual(self.apply(file, "--dry-run").stdout, "301 unchanged\n")
        self.assertEqual(self.audit(), audit)
        self.assertEqual(self.list("monitor"), monitors)

        declared["monitors"][7]["schedule"]["heartbeat"]["timeout"] = "90s"
        declared["monitors"][8].pop("owner")
        declared["monitors"].append(monitor("new"))
        file = self.write(declared)
        self.assertEqual(self.plan(file), {
            "job-007": ("updated", {"schedule.heartbeat.timeout": ["5m", "1m30s"],
                                    "schedule.heartbeat.recommendedInterval": ["5m", "1m30s"]}),
            "job-008": ("updated", {"owner": ["team-1", ""]}),
            "new": ("created", {"schedule.heartbeat.timeout": ["", "5m"],
                                "armOnCreate": ["", "true"]})})
        done = self.apply(file)
        self.assertIn(f"~ monitor {self.project}/job-007\n"
                      "    schedule.heartbeat.timeout: 5m -> 1m30s\n", done.stdout)
        self.assertTrue(done.stdout.endswith("\n1 created, 2 updated, 299 unchanged\n"))
        self.assertEqual(len(self.audit()), len(audit) + 3)

    def test_what_is_made_is_pushed_to_with_a_push_key(self):
        done = self.apply(self.write({"monitors": [monitor("job")]}))
        self.assertIn("push to them with a push key", done.stderr)
        key = self.cli.json("--project", self.project, "key", "create", "pusher", "--role",
                            "pusher")["secret"]
        answer = request(self.gateway, "POST", f"/api/push/{key}/job")
        self.assertEqual(answer.status, 200, answer)

    def test_tokens_go_to_a_file_that_only_its_owner_reads(self):
        tokens = self.files / "tokens"
        file = self.write({"monitors": [monitor("a"), monitor("b")],
                           "channels": [{"id": "c", "url": "https://example.org/c"}]})
        done = self.apply(file, "--tokens-file", str(tokens))
        self.assertEqual(done.stderr, "")
        self.assertEqual(tokens.stat().st_mode & 0o777, 0o600)
        lines = dict(line.split("\t", 1) for line in tokens.read_text().splitlines())
        parent = f"projects/{self.project}"
        self.assertEqual(set(lines), {f"{parent}/monitors/a", f"{parent}/monitors/b",
                                      f"{parent}/channels/c"})
        token, url = lines[f"{parent}/monitors/a"].split("\t")
        self.assertTrue(url.endswith(token))
        self.assertNotIn(token, done.stdout)
        self.assertEqual(push(self.gateway, token).status, 200)
        self.assertTrue(lines[f"{parent}/channels/c"].startswith("whsec_"))
        tokens.chmod(0o644)
        done = self.apply(self.write({"monitors": [monitor("d")]}), "--tokens-file", str(tokens),
                          status=1)
        self.assertIn("can be read by others", done.stderr)
        self.assertNotIn("d", self.list("monitor"))

    def test_secrets_come_from_elsewhere_and_are_not_shown(self):
        (self.files / "url").write_text("https://hooks.example.org/first\n")
        text = f"""
project: {self.project}
channels:
  - id: hook
    url: ${{file:url}}
    webhookSecret: ${{env:HOOK_SECRET}}
    fallbackChannel: other
  - id: other
    url: https://other.example.org/plain
    fallbackChannel: hook
"""
        secret = "whsec_" + "QUJD" * 10
        file = self.write(text)
        done = self.apply(file, status=1)
        self.assertIn(f"{file}:6:20: webhookSecret: the variable HOOK_SECRET is not set", done.stderr)
        for flags, status in ((("--dry-run",), 2), ((), 0), (("--dry-run",), 0)):
            done = self.apply(file, *flags, status=status, HOOK_SECRET=secret)
            self.assertNotIn("first", done.stdout + done.stderr)
            self.assertNotIn(secret, done.stdout + done.stderr)
        self.assertEqual(self.list("channel")["hook"]["fallbackChannel"],
                         f"projects/{self.project}/channels/other")
        (self.files / "url").write_text("https://hooks.example.org/second\n")
        done = self.apply(file, "--dry-run", status=2, HOOK_SECRET=secret)
        self.assertIn(f"~ channel {self.project}/hook\n    url: (not shown) -> (another one)\n",
                      done.stdout)
        self.apply(file, HOOK_SECRET=secret)
        audit = self.audit()
        # Left out, it is kept.
        self.apply(self.write(text.replace("    url: ${file:url}\n", "")), HOOK_SECRET=secret)
        self.assertEqual(self.audit(), audit)

    def test_headers_of_a_channel_come_from_elsewhere_too(self):
        file = self.write(f"""
project: {self.project}
channels:
  - id: hook
    url: https://hooks.example.org/x
    headers:
      Authorization: Bearer ${{env:HOOK_TOKEN}}
      X-Env: prod
""")
        done = self.apply(file, HOOK_TOKEN="hunter2")
        self.assertNotIn("hunter2", done.stdout + done.stderr)
        self.assertEqual(self.list("channel")["hook"]["headers"], {"Authorization": "***", "X-Env": "***"})
        self.apply(file, "--dry-run", HOOK_TOKEN="hunter2")
        done = self.apply(file, "--dry-run", status=2, HOOK_TOKEN="hunter3")
        self.assertIn("    url or headers: (not shown) -> (another one)\n", done.stdout)
        self.assertNotIn("hunter3", done.stdout + done.stderr)
        done = self.apply(file, status=1, HOOK_TOKEN="two\nlines")
        self.assertIn(f"{file}:7:22: headers.Authorization: its value has a line break", done.stderr)
        self.assertNotIn("lines", done.stderr)
        exported = self.cli.text("--project", self.project, "export")
        self.assertIn("    #   X-Env: ${env:TOCSIN_SECRET_HOOK_HEADER_X_ENV}\n", exported)

    def test_prune_deletes_what_the_set_has_made_and_nothing_else(self):
        many = [monitor(f"job-{i:02}") for i in range(20)]
        self.cli.text("--project", self.project, "monitor", "create", "by-hand", "--timeout", "1h")
        self.apply(self.write({"monitors": [monitor("of-nobody")]}))
        self.apply(self.write({"monitors": [monitor("of-another")]}), "--set", "another")
        self.apply(self.write({"monitors": many}), "--set", "main")

        file = self.write({"monitors": many[2:]})
        done = self.apply(file, "--prune", status=1)
        self.assertIn("--prune needs --set NAME", done.stderr)
        self.assertEqual(self.apply(file).stdout, "18 unchanged\n")
        gone = {"job-00": ("deleted", {}), "job-01": ("deleted", {})}
        self.assertEqual(self.plan(file, "--set", "main", "--prune"), gone)
        done = self.apply(file, "--set", "main", "--prune")
        self.assertEqual(done.stdout, f"- monitor {self.project}/job-00\n"
                                      f"- monitor {self.project}/job-01\n"
                                      "\n2 deleted, 18 unchanged\n")
        file = self.write({"monitors": many[4:]})
        before = self.audit()
        done = self.apply(file, "--set", "main", "--prune", status=1)
        self.assertEqual(done.stderr, "tocsin: --prune would delete 2 of the 18 monitors of project "
                                      f"{self.project}, which is more than a tenth; nothing was "
                                      "changed. --yes does it\n")
        self.assertEqual(self.audit(), before)
        self.apply(file, "--set", "main", "--prune", "--yes")
        self.apply(self.write({}), "--set", "main", "--prune", "--yes")
        self.assertEqual(set(self.list("monitor")), {"by-hand", "of-nobody", "of-another"})

    def test_a_monitor_of_another_set_is_a_fault(self):
        self.apply(self.write({"monitors": [monitor("job")]}), "--set", "one")
        file = self.write({"monitors": [monitor("job", owner="x")]})
        done = self.apply(file, "--set", "two", status=1)
        self.assertIn(f'monitor {self.project}/job belongs to the set "one"', done.stderr)
        self.apply(file)
        self.assertEqual(self.list("monitor")["job"]["labels"], {"tocsin.set": "one"})

    def test_what_was_deleted_is_brought_back_with_its_token(self):
        tokens = self.files / "tokens"
        file = self.write({"monitors": [monitor("job")]})
        self.apply(file, "--set", "main", "--tokens-file", str(tokens))
        self.apply(self.write({}), "--set", "main", "--prune", "--yes")
        file = self.write({"monitors": [monitor("job", owner="again")]})
        done = self.apply(file, "--set", "main")
        self.assertIn("1 brought back\n", done.stdout)
        self.assertEqual(self.list("monitor")["job"]["owner"], "again")
        self.assertEqual(push(self.gateway, tokens.read_text().split("\t")[1]).status, 200)
        self.assertEqual(self.list("monitor")["job"]["state"], "STATE_UP")

    def test_a_paused_monitor_stays_paused(self):
        file = self.write({"monitors": [monitor("job")]})
        self.apply(file)
        self.cli.text("--project", self.project, "monitor", "pause", "job")
        self.assertEqual(self.apply(file).stdout, "1 unchanged\n")
        self.apply(self.write({"monitors": [monitor("job", owner="x")]}))
        self.assertEqual(self.list("monitor")["job"]["state"], "STATE_PAUSED")

    def test_what_is_exported_applies_unchanged(self):
        make = ("--project", self.project)
        self.cli.text(*make, "channel", "create", "on-call", "--url", "https://example.org/s3cret",
                      "--selector", "team=a", "--default")
        self.cli.text(*make, "channel", "create", "second", "--url", "https://example.org/2",
                      "--fallback", "on-call", "--display-name", "The \"second\" one: #2")
        self.cli.text(*make, "monitor", "create", "cron", "--cron", "*/5 1-3 * * mon",
                      "--time-zone", "Europe/Paris", "--grace", "90m", "--early-tolerance", "30s",
                      "--label", "team=a", "--label", "version=1.10", "--label", "yes=no",
                      "--channel", "on-call", "--channel", "second", "--max-run-duration", "2h",
                      "--reminder-interval", "1d", "--runbook-url", "https://example.org/a#b",
                      "--description", "Two\nlines: ${env:HOME} 'quoted' \u00e9")
        self.cli.text(*make, "monitor", "create", "plain", "--timeout", "1h30m", "--grace", "1500ms",
                      "--recommended-interval", "30m", "--severity", "critical", "--arm-on-create",
                      "--failure-threshold", "3", "--recovery-threshold", "2", "--value-min", "-0.1",
                      "--value-max", "1e9", "--resume-on-heartbeat", "--owner", "007")
        self.cli.text(*make, "monitor", "create", "deleted", "--timeout", "1h")
        self.cli.text(*make, "monitor", "delete", "deleted")
        audit = self.audit()
        file = self.files / "exported.yaml"
        self.cli.text(*make, "export", "--to", str(file))
        self.assertNotIn("s3cret", file.read_text())
        self.assertNotIn("deleted", file.read_text())
        self.assertEqual(self.apply(file, "--dry-run").stdout, "4 unchanged\n")
        self.assertEqual(self.apply(file).stdout, "4 unchanged\n")
        self.assertEqual(self.audit(), audit)
        jsonschema.validate(yaml.safe_load(file.read_text()), json.loads(SCHEMA.read_text()))

        # Elsewhere the secrets are needed, where the comments say it.
        other = file.read_text().replace(f"project: {self.project}", f"project: {self.project}-2")
        self.cli.text("project", "create", f"{self.project}-2")
        done = self.apply(self.write(other), status=1)
        self.assertEqual(done.stderr.count(": url: "), 2, done.stderr)
        self.apply(self.write(other.replace("# url:", "url:")), TOCSIN_SECRET_ON_CALL="https://x/1",
                   TOCSIN_SECRET_SECOND="https://x/2")
        for name in ("cron", "plain"):
            here = self.list("monitor")[name]
            there = self.cli.json("--project", f"{self.project}-2", "monitor", "get", name)
            for field in ("schedule", "labels", "description", "owner", "valueMin", "armOnCreate"):
                self.assertEqual(here.get(field), there.get(field), field)

    def test_all_faults_of_all_files_are_told_and_nothing_is_changed(self):
        folder = self.files / "folder"
        folder.mkdir()
        (folder / "a.yaml").write_text("monitors:\n  - id: one\n    scedule: {}\n---\n- 3\n")
        (folder / "b.yml").write_text("monitors: [\n")
        (folder / "c.yaml").write_text("monitors:\n  - id: one\n")
        (folder / "ignored.txt").write_text("}")
        done = self.apply(folder, "--project", self.project, status=1)
        lines = done.stderr.replace(f"{folder}/", "").splitlines()
        self.assertRegex(lines[0], r"^a.yaml:3:5: scedule: unknown field; did you mean schedule\? ")
        self.assertRegex(lines[1], r"^a.yaml:5:1: a document is a list; accepted: ")
        self.assertRegex(lines[2], r"^b.yml:2:1: it is no YAML: ")
        self.assertEqual(lines[3], f"c.yaml:2:5: monitor {self.project}/one is declared twice, first "
                                   "in a.yaml:2:5")
        self.assertEqual(lines[4:], ["tocsin: 4 faults; nothing was changed"])

        file = self.write({"monitors": [
            monitor("good"),
            monitor("wrong", runbookUrl="ftp://x", channels=["nowhere"]),
            {"id": "cron", "schedule": {"cron": {"expression": "61 * * * *", "timeZone": "No/Where"}}},
            monitor("token", pushTokenSha256="short")]})
        done = self.apply(file, status=1)
        for field in ("runbookUrl", "channels", "schedule.cron.expression", "schedule.cron.timeZone",
                      "pushTokenSha256"):
            self.assertRegex(done.stderr, rf"(?m)^{file}:\d+:\d+: {field}: .*; accepted: ")
        self.assertIn("tocsin: 5 faults; nothing was changed\n", done.stderr)
        self.assertEqual(self.list("monitor"), {})

    def test_exit_status_2_says_that_something_differs_and_nothing_else(self):
        for arguments in (("--no-such-flag",), (), ("-f", "/no/such/file"),
                          ("-f", "-", "--set", "No Name")):
            self.assertEqual(self.cli.run("apply", *arguments).returncode, 1, arguments)
        done = self.cli.run("apply", "--project", "no-such-project", "-f", self.write("monitors:\n"))
        self.assertEqual(done.returncode, 3, done.stderr)
        away = self.cli.with_environment(TOCSIN_CORE_ADDRESS="127.0.0.1:1")
        done = away.run("apply", "-f", self.write({"monitors": [monitor("job")]}))
        self.assertEqual(done.returncode, 4, done.stderr)

    def test_standard_input_is_a_file(self):
        text = f"project: {self.project}\nmonitors: [{{id: job, schedule: {{heartbeat: {{timeout: 1m}}}}}}]"
        done = self.cli.pipe(text, "apply", "-f", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("job", self.list("monitor"))

    def test_cronjobs_and_crontabs_become_files_that_apply(self):
        file = self.files / "imported.yaml"
        done = self.cli.run("--project", self.project, "import", "kubernetes",
                            str(EXAMPLES / "cronjobs.json"), "--to", str(file))
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertIn("1 kept, 1 converted, 1 skipped\n", done.stderr)
        self.apply(file)
        settle = self.list("monitor")["payments-settle-invoices"]
        self.assertEqual(settle["owner"], "billing")
        self.assertEqual(settle["schedule"]["cron"],
                         {"expression": "30 2 * * *", "timeZone": "Europe/Paris", "grace": "1800s"})
        self.assertEqual(settle["maxRunDuration"], "7200s")

        done = self.cli.run("--project", self.project, "import", "crontab", "--system",
                            "--time-zone", "Europe/Paris", str(EXAMPLES / "crontab"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("3 kept, 1 skipped\n", done.stderr)
        jsonschema.validate(yaml.safe_load(done.stdout), json.loads(SCHEMA.read_text()))
        self.apply(self.write(done.stdout))
        backup = self.list("monitor")["backup"]
        self.assertEqual(backup["owner"], "root")
        self.assertEqual(backup["description"], "Copies /srv to the other building")
        self.assertEqual(backup["schedule"]["cron"]["timeZone"], "Europe/Paris")
        self.assertEqual(self.apply(file).stdout, "2 unchanged\n")

        done = self.cli.pipe("nonsense\n@daily good\n", "import", "crontab", "-")
        self.assertEqual(done.returncode, 1)
        self.assertIn("id: good", done.stdout)
        self.assertIn("tocsin: 1 of 2 refused", done.stderr)


class Schema(unittest.TestCase):
    def test_the_published_schema_is_that_of_the_program(self):
        """TOCSIN_UPDATE_GOLDEN=1 writes it anew."""
        printed = subprocess.run([binary("tocsin"), "apply", "--schema"], capture_output=True,
                                 text=True, check=True).stdout
        if os.environ.get("TOCSIN_UPDATE_GOLDEN"):
            SCHEMA.write_text(printed)
        self.assertEqual(printed, SCHEMA.read_text())
        jsonschema.Draft202012Validator.check_schema(json.loads(printed))

    def test_it_has_every_field_that_can_be_set(self):
        api = json.loads((TREE / "tests/golden/api/openapi.json").read_text())
        own = json.loads(SCHEMA.read_text())["$defs"]
        for kind, extra in (("Monitor", "pushTokenSha256"), ("Channel", "webhookSecret")):
            fields = next(schema["properties"] for name, schema in api["components"]["schemas"].items()
                          if name.split(".")[-1] == kind)
            hidden = {name for name, field in fields.items() if field.get("writeOnly")}
            self.assertEqual({name for name, field in own[kind]["properties"].items()
                              if field.get("writeOnly")}, hidden | {extra}, kind)
            # The etag is output only too, but for updates that send it back.
            settable = {name for name, field in fields.items() if not field.get("readOnly")}
            self.assertEqual(set(own[kind]["properties"]) - {"id", extra},
                             settable - {"name", "etag"}, kind)

    def test_it_takes_the_examples_and_refuses_what_is_faulty(self):
        validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
        files = sorted((EXAMPLES / "gitops").glob("*.yaml"))
        self.assertTrue(files)
        for file in files:
            for document in yaml.safe_load_all(file.read_text()):
                validator.validate(document)
        fences = re.findall(r"^```yaml\n(.*?)^```$", (TREE / "docs/gitops.md").read_text(),
                            re.MULTILINE | re.DOTALL)
        validator.validate(yaml.safe_load(fences[0]))
        good = {"id": "a", "schedule": {"cron": {"expression": "@daily"}}}
        validator.validate({"monitors": [good]})
        for change in ({"id": "A"}, {"schedule": {}}, {"schedul": {}}, {"severity": "bad"},
                       {"labels": []}, {"labels": {"tocsin.set": "x"}}, {"labels": {"A": "x"}},
                       {"maxRunDuration": "5 parsecs"}, {"maxRunDuration": 5}, {"channels": "ops"},
                       {"failureThreshold": "many"}, {"armOnCreate": "yes"}, {"state": "STATE_UP"},
                       {"schedule": {"cron": {}, "heartbeat": {}}}):
            with self.assertRaises(jsonschema.ValidationError, msg=change):
                validator.validate({"monitors": [{**good, **change}]})
        for document in ([], {"monitor": []}, {"monitors": {}}, {"project": "No"},
                         {"channels": [{"url": "x"}]}):
            with self.assertRaises(jsonschema.ValidationError, msg=document):
                validator.validate(document)


if __name__ == "__main__":
    unittest.main()
