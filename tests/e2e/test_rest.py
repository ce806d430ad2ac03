"""Management over REST, against the real gateway and core: every method that /openapi.json names."""

import unittest
from datetime import datetime, timedelta, timezone

import requests

from harness.pushing import push, request
from harness.rest import Rest
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until

SCHEDULE = {"heartbeat": {"timeout": "3600s"}}
PROJECT = "/projects/default"

# operationId → the test that calls it. A method without a line here fails the test of this table.
DRIVES = {}


def drives(*operations):
    """Marks a test as the one of these operations."""
    def mark(test):
        for operation in operations:
            DRIVES[operation] = test.__name__
        return test
    return mark


class EveryMethod(TocsinTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rest = Rest(cls.gateway, cls.cluster.key("admin"))
        cls.document = requests.get(f"{cls.rest.url}/openapi.json", timeout=20).json()

    def operations(self):
        return {operation["operationId"]: (method.upper(), path)
                for path, item in self.document["paths"].items() if path.startswith("/api/v1/")
                for method, operation in item.items()}

    def make_monitor(self, suffix="", **fields):
        """(path, answer) of a new monitor named after the test."""
        monitor_id = (self.id_of_test()[:50] + suffix).rstrip("-")
        made = self.rest.post(f"{PROJECT}/monitors", {"schedule": SCHEDULE, **fields},
                              monitorId=monitor_id)
        return f"{PROJECT}/monitors/{monitor_id}", made

    def make_channel(self):
        channel_id = self.id_of_test()[:60]
        made = self.rest.post(f"{PROJECT}/channels",
                              {"url": self.receiver.url(f"/{channel_id}"), "isDefault": False},
                              channelId=channel_id)
        self.receiver.trust(f"/{channel_id}", made["webhookSecret"])
        return f"{PROJECT}/channels/{channel_id}"

    def test_every_method_has_a_test(self):
        self.assertEqual(sorted(self.operations()), sorted(DRIVES))

    def test_the_document_says_what_every_operation_needs(self):
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                with self.subTest(f"{method} {path}"):
                    self.assertTrue(operation["summary"])
                    self.assertTrue(operation["description"])
                    self.assertIn("security", operation)

    # --- monitors ---

    @drives("createMonitor", "getMonitor")
    def test_a_monitor_is_made_and_read(self):
        path, made = self.make_monitor(owner="payments", labels={"team": "pay"},
                                       severity="SEVERITY_CRITICAL")
        self.assertEqual(push(self.gateway, made["pushToken"]).status, 200)
        self.assertIn(made["pushToken"], made["pushUrl"])
        read = self.rest.get(path)
        self.assertEqual(read["name"], path[1:])
        self.assertEqual((read["owner"], read["labels"], read["severity"], read["state"]),
                         ("payments", {"team": "pay"}, "SEVERITY_CRITICAL", "STATE_UP"))

    @drives("listMonitors")
    def test_monitors_are_listed_page_by_page(self):
        names = sorted(self.make_monitor(f"-{i}")[0][1:] for i in range(3))
        seen, token = [], ""
        while True:
            page = self.rest.get(f"{PROJECT}/monitors", pageSize=2, pageToken=token)
            self.assertLessEqual(len(page.get("monitors", [])), 2)
            seen += [m["name"] for m in page.get("monitors", [])]
            token = page.get("nextPageToken", "")
            if not token:
                break
        self.assertEqual([name for name in seen if name in names], names)
        self.assertEqual(len(seen), len(set(seen)))

    @drives("updateMonitor")
    def test_a_patch_changes_what_its_body_gives_and_nothing_else(self):
        path, _ = self.make_monitor(owner="a", description="d", labels={"k": "v"})
        changed = self.rest.json("PATCH", path, {"owner": "", "labels": {"k": "w"},
                                                 "schedule": {"heartbeat": {"grace": "5s"}}})
        self.assertNotIn("owner", changed)
        self.assertEqual((changed["description"], changed["labels"]), ("d", {"k": "w"}))
        self.assertEqual(changed["schedule"]["heartbeat"]["timeout"], "3600s")
        self.assertEqual(changed["schedule"]["heartbeat"]["grace"], "5s")
        masked = self.rest.json("PATCH", path, {"owner": "b", "description": "other"},
                                updateMask="owner")
        self.assertEqual((masked["owner"], masked["description"]), ("b", "d"))

    def test_what_was_read_can_be_sent_back(self):
        path, made = self.make_monitor(owner="a")
        push(self.gateway, made["pushToken"])
        read = self.rest.get(path)
        read["displayName"] = "Another"
        self.assertEqual(self.rest.json("PATCH", path, read)["displayName"], "Another")

    @drives("deleteMonitor", "undeleteMonitor")
    def test_a_monitor_is_deleted_and_brought_back(self):
        path, _ = self.make_monitor()
        self.assertIn("deleteTime", self.rest.json("DELETE", path))
        self.assertEqual(self.rest.post(f"{path}:undelete")["state"], "STATE_PAUSED")

    @drives("previewSchedule")
    def test_a_cron_schedule_says_when_it_fires(self):
        preview = self.rest.post(f"{PROJECT}/monitors:previewSchedule",
                                 {"cron": {"expression": "0 12 1 1 *"}, "count": 2,
                                  "startTime": "2026-06-01T00:00:00Z"})
        self.assertEqual([fire["fireTime"] for fire in preview["fireTimes"]],
                         ["2027-01-01T12:00:00Z", "2028-01-01T12:00:00Z"])

    @drives("createMaintenance", "getMaintenance", "listMaintenances", "updateMaintenance",
            "deleteMaintenance")
    def test_a_maintenance_is_made_read_changed_and_deleted(self):
        made = self.rest.post(f"{PROJECT}/maintenances?maintenanceId=rest-work",
                              {"reason": "new disks", "selector": "owner=nobody",
                               "recurring": {"cron": "0 2 * * sun", "timeZone": "Europe/Paris",
                                             "duration": "7200s"}})
        path = f"{PROJECT}/maintenances/rest-work"
        self.assertEqual(self.rest.json("GET", path), made)
        self.assertIn("nextStartTime", made)
        listed = self.rest.json("GET", f"{PROJECT}/maintenances")["maintenances"]
        self.assertIn(made["name"], [each["name"] for each in listed])
        changed = self.rest.json("PATCH", f"{path}?updateMask=reason", {"reason": "newer disks"})
        self.assertEqual(changed["reason"], "newer disks")
        self.assertEqual(changed["recurring"], made["recurring"])
        # A part of the window, and what was read.
        changed = self.rest.json("PATCH", path, {"recurring": {"duration": "3600s"}})
        self.assertEqual(changed["recurring"], made["recurring"] | {"duration": "3600s"})
        self.assertEqual(self.rest.json("PATCH", path, changed), changed)
        made = self.rest.post(f"{PROJECT}/maintenances?maintenanceId=rest-once",
                              {"reason": "new disks", "selector": "owner=nobody",
                               "oneOff": {"startTime": "2099-01-01T00:00:00Z",
                                          "endTime": "2099-01-01T01:00:00Z"}})
        once = f"{PROJECT}/maintenances/rest-once"
        changed = self.rest.json("PATCH", once, {"oneOff": {"endTime": "2099-01-01T02:00:00Z"}})
        self.assertEqual(changed["oneOff"], made["oneOff"] | {"endTime": "2099-01-01T02:00:00Z"})
        self.rest.json("DELETE", once)
        self.rest.json("DELETE", path)
        self.assertEqual(self.rest.call("GET", path).status_code, 404)

    @drives("createMute", "getMute", "listMutes", "deleteMute")
    def test_a_mute_is_made_read_and_deleted(self):
        tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = self.rest.post(f"{PROJECT}/mutes?muteId=rest-mute",
                              {"reason": "known", "selector": "owner=nobody", "expireTime": tomorrow})
        self.assertEqual(made["expireTime"], tomorrow)
        path = f"{PROJECT}/mutes/rest-mute"
        self.assertEqual(self.rest.json("GET", path), made)
        listed = self.rest.json("GET", f"{PROJECT}/mutes?activeOnly=true")["mutes"]
        self.assertIn(made["name"], [each["name"] for each in listed])
        self.rest.json("DELETE", path)
        self.assertEqual(self.rest.call("GET", path).status_code, 404)

    @drives("explainMonitor")
    def test_an_alarm_is_explained(self):
        path, made = self.make_monitor()
        push(self.gateway, made["pushToken"], status="down", msg="disk full")
        explained = self.rest.json("GET", f"{path}:explain?pageSize=100")
        self.assertTrue(explained["verdict"]["incident"].startswith("projects/default/incidents/"))
        self.assertIn('down "disk full"', " ".join(explained["verdict"]["sentences"]))
        self.assertIn("DOWN", [entry["what"] for entry in explained["entries"]])
        early = self.rest.json("GET", f"{path}:explain?at={explained['at']}&endTime={explained['startTime']}")
        self.assertEqual(early.get("entries", []), [])

    @drives("pauseMonitor", "resumeMonitor")
    def test_a_monitor_is_paused_and_resumed(self):
        path, _ = self.make_monitor()
        self.assertEqual(self.rest.post(f"{path}:pause", {})["state"], "STATE_PAUSED")
        self.assertEqual(self.rest.post(f"{path}:resume")["state"], "STATE_NEW")

    @drives("rotatePushToken")
    def test_a_push_token_is_rotated(self):
        path, made = self.make_monitor()
        rotated = self.rest.post(f"{path}:rotatePushToken", {"overlap": "0s"})
        self.assertEqual(push(self.gateway, rotated["pushToken"]).status, 200)
        wait_until(lambda: push(self.gateway, made["pushToken"]).status == 404, 20,
                   "the old token has ended")

    @drives("listHeartbeats", "push")
    def test_a_heartbeat_is_pushed_and_listed(self):
        path, made = self.make_monitor()
        pushed = self.rest.post("/push", {"pushToken": made["pushToken"], "kind": "KIND_DOWN",
                                          "message": "disk full", "value": 99.5})
        self.assertEqual(pushed["monitor"], path[1:])
        beat = self.rest.get(f"{path}/heartbeats")["heartbeats"][0]
        self.assertEqual((beat["kind"], beat["message"], beat["value"]),
                         ("KIND_DOWN", "disk full", 99.5))

    @drives("getMonitorStatistics")
    def test_statistics_say_what_a_timeout_would_have_done(self):
        path, made = self.make_monitor()
        push(self.gateway, made["pushToken"])
        read = self.rest.get(f"{path}/statistics?timeout=60s")
        self.assertEqual((read["monitor"], read["timeoutAdvice"]["timeout"]), (path[1:], "60s"))
        self.assertEqual(len(read["uptimes"]), 4)

    # --- channels, incidents, deliveries, alerts ---

    @drives("createChannel", "getChannel", "listChannels", "updateChannel", "deleteChannel")
    def test_a_channel_is_made_read_changed_and_deleted(self):
        path = self.make_channel()
        self.assertEqual(self.rest.get(path)["name"], path[1:])
        self.assertIn(path[1:], [c["name"] for c in self.rest.get(f"{PROJECT}/channels")["channels"]])
        self.assertEqual(self.rest.json("PATCH", path, {"selector": "team=x"})["selector"], "team=x")
        self.assertEqual(self.rest.json("DELETE", path), {})
        self.assertEqual(self.rest.call("GET", path).status_code, 404)

    @drives("rotateChannelSecret")
    def test_a_signing_secret_is_rotated(self):
        path = self.make_channel()
        before = self.rest.get(path)["etag"]
        rotated = self.rest.post(f"{path}:rotateSecret", {"overlap": "3600s"})
        self.assertRegex(rotated["webhookSecret"], "^whsec_")
        self.assertIn("oldSecretExpireTime", rotated["channel"])
        self.assertNotEqual(self.rest.get(path)["etag"], before)
        refused = self.rest.call("POST", f"{path}:rotateSecret", {"webhookSecret": "short"})
        self.assertEqual(refused.status_code, 400)
        self.assertEqual(refused.json()["violations"][0]["field"], "webhookSecret")

    @drives("testChannel", "listDeliveries", "redeliverDelivery")
    def test_a_test_message_is_sent_and_sent_again(self):
        path = self.make_channel()
        delivery = self.rest.post(f"{path}:test", {})

        def delivered():
            found = self.rest.get(f"{PROJECT}/deliveries", channel=path[1:],
                                  state="STATE_DELIVERED").get("deliveries", [])
            return [d["name"] for d in found] == [delivery["name"]]
        wait_until(delivered, 20, "the message is delivered")
        again = self.rest.post(f"/{delivery['name']}:redeliver", {})
        self.assertEqual(again["state"], "STATE_PENDING")

    @drives("listIncidents", "getIncident")
    def test_an_incident_is_listed_and_read(self):
        path, made = self.make_monitor()
        push(self.gateway, made["pushToken"], status="down", msg="gone")
        incidents = self.rest.get(f"{PROJECT}/incidents", monitor=path[1:], openOnly="true")["incidents"]
        self.assertEqual([i["message"] for i in incidents], ["gone"])
        self.assertEqual(self.rest.get(f"/{incidents[0]['name']}"), incidents[0])

    @drives("watchAlerts")
    def test_alerts_are_streamed(self):
        path, made = self.make_monitor()
        with self.rest.events(f"{PROJECT}/alertEvents:watch") as events:
            self.assertEqual(events.headers["content-type"], "text/event-stream")
            events.await_id()
            push(self.gateway, made["pushToken"], status="down")
            while True:
                event, data = events.next()
                self.assertEqual(event, "alertEvent")
                self.assertEqual(data["cursor"], events.last_id)
                if data["event"]["monitor"]["name"] == path[1:]:
                    break
        self.assertEqual(data["event"]["type"], "TYPE_FIRING")

    # --- projects, keys, audit ---

    @drives("createProject", "getProject", "listProjects", "updateProject", "deleteProject")
    def test_a_project_is_made_read_changed_and_deleted(self):
        project_id = self.id_of_test()[:60]
        self.rest.post("/projects", {"displayName": "One"}, projectId=project_id)
        path = f"/projects/{project_id}"
        self.assertEqual(self.rest.get(path)["displayName"], "One")
        self.assertIn(path[1:], [p["name"] for p in self.rest.get("/projects")["projects"]])
        self.assertEqual(self.rest.json("PATCH", path, {"displayName": "Two"})["displayName"], "Two")
        self.rest.json("DELETE", path)
        self.assertEqual(self.rest.call("GET", path).status_code, 404)

    @drives("createKey", "getKey", "listKeys", "updateKey", "rotateKey", "revokeKey")
    def test_a_key_is_made_read_changed_rotated_and_revoked(self):
        key_id = self.id_of_test()[:60]
        made = self.rest.post(f"{PROJECT}/keys", {"role": "ROLE_VIEWER"}, keyId=key_id)
        self.assertTrue(made["secret"].startswith("tk_"))
        path = f"{PROJECT}/keys/{key_id}"
        self.assertEqual(self.rest.get(path)["role"], "ROLE_VIEWER")
        self.assertIn(path[1:], [k["name"] for k in self.rest.get(f"{PROJECT}/keys")["keys"]])
        self.assertEqual(self.rest.json("PATCH", path, {"displayName": "Two"})["displayName"], "Two")
        self.assertNotEqual(self.rest.post(f"{path}:rotate", {})["secret"], made["secret"])
        self.assertIn("revokeTime", self.rest.post(f"{path}:revoke", {}))

    def test_a_push_keys_defaults_are_changed_in_parts_and_sent_back_as_read(self):
        key_id = self.id_of_test()[:60]
        self.rest.post(f"{PROJECT}/keys",
                       {"role": "ROLE_PUSHER",
                        "push": {"mayCreate": True,
                                 "defaults": {"owner": "payments", "labels": {"team": "a"},
                                              "schedule": {"heartbeat": {"timeout": "3600s"}}}}},
                       keyId=key_id)
        path = f"{PROJECT}/keys/{key_id}"
        read = self.rest.get(path)
        self.assertEqual(self.rest.json("PATCH", path, read), read)
        changed = self.rest.json("PATCH", path,
                                 {"push": {"defaults": {"severity": "SEVERITY_CRITICAL"}}})
        expected = read["push"]["defaults"] | {"severity": "SEVERITY_CRITICAL"}
        self.assertEqual(changed["push"], read["push"] | {"defaults": expected})
        self.rest.post(f"{path}:revoke", {})

    @drives("listAuditEntries")
    def test_changes_are_listed(self):
        path, _ = self.make_monitor()
        entries = self.rest.get(f"{PROJECT}/auditEntries", resource=path[1:])["auditEntries"]
        self.assertEqual(entries[0]["method"], "tocsin.v1.MonitorService/CreateMonitor")

    # --- what is refused ---

    def problem(self, answer, status, code):
        self.assertEqual(answer.status_code, status, answer.text)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        self.assertEqual(answer.headers["cache-control"], "no-store")
        self.assertNotIn("access-control-allow-origin", answer.headers)
        problem = answer.json()
        self.assertEqual((problem["status"], problem["code"]), (status, code))
        self.assertEqual(problem["requestId"], answer.headers["x-request-id"])
        self.assertEqual(problem["domain"], "tocsin")
        self.assertRegex(problem["reason"], r"^[A-Z][A-Z0-9_]+$")
        return problem

    def test_what_is_wrong_with_a_request_is_named_and_nothing_is_made(self):
        path = f"{PROJECT}/monitors"
        answer = self.rest.call("POST", path, {"colour": 1, "owner": 2, "schedule": SCHEDULE},
                                monitorId=self.id_of_test(), huh="x")
        problem = self.problem(answer, 400, "INVALID_ARGUMENT")
        self.assertEqual({v["field"] for v in problem["violations"]},
                         {"monitor.colour", "monitor.owner", "huh"})
        answer = self.rest.call("POST", path, {"schedule": {"heartbeat": {"timeout": "0s"}}},
                                monitorId=self.id_of_test())
        problem = self.problem(answer, 400, "INVALID_ARGUMENT")
        self.assertIn("schedule.heartbeat.timeout", problem["violations"][0]["field"])
        answer = self.rest.call("POST", path, {"failureThreshold": -1, "schedule": SCHEDULE},
                                monitorId=self.id_of_test())
        problem = self.problem(answer, 400, "INVALID_ARGUMENT")
        self.assertEqual([v["field"] for v in problem["violations"]], ["monitor.failureThreshold"])
        self.assertTrue(problem["detail"].startswith("monitor.failureThreshold: "))
        self.assertEqual(self.rest.call("GET", f"{path}/{self.id_of_test()}").status_code, 404)

    def test_hostile_requests_are_answered_clearly(self):
        headers = {"Content-Type": "application/json", **self.rest.headers}

        def send(method, path, body=b""):
            return requests.request(method, self.rest.url + path, data=body, headers=headers,
                                    timeout=20)
        monitors = "/api/v1/projects/default/monitors"
        for path in (f"{monitors}?pageSize=-1", f"{monitors}?orderBy=colour",
                     f"{monitors}?pageSize=99999999999999999999", f"{monitors}?pageToken=nonsense",
                     f"{monitors}?filter=%FF", f"{monitors}?filter=%00", f"{monitors}/%FF",
                     f"{monitors}/%00", f"{monitors}/a%2Fb",
                     f"{monitors}/..%2f..%2fdefault"):
            self.problem(send("GET", path), 400, "INVALID_ARGUMENT")
        for method, path, body, reason in (
                ("GET", f"{monitors}/a%2Fb", b"", "MALFORMED_PATH"),
                ("GET", f"{monitors}/%FF", b"", "MALFORMED_PATH"),
                ("POST", f"{monitors}?monitorId=hostile", b"{", "MALFORMED_JSON"),
                ("POST", f"{monitors}?monitorId=hostile", b"[" * 60000, "JSON_TOO_DEEP"),
                ("POST", f"{monitors}?monitorId=hostile", b"[]", "BODY_NOT_AN_OBJECT"),
                ("DELETE", f"{monitors}/a", b"{}", "BODY_NOT_TAKEN"),
                ("GET", f"{monitors}/a", b"{}", "BODY_NOT_TAKEN"),
                ("GET", f"{monitors}?showDeleted=yes", b"", "INVALID_FIELD")):
            self.assertEqual(self.problem(send(method, path, body), 400, "INVALID_ARGUMENT")["reason"],
                             reason, path)
        self.problem(send("GET", f"{monitors}/UPPER"), 404, "NOT_FOUND")
        for body in (b"{", b"[]", b"null", b'{"owner": "\xff"}', b'{"owner": "\\u0000"}', b"[" * 60000,
                     b'{"owner": 1e999}', b'{"owner": "a", "owner": "b"}'):
            self.problem(send("POST", f"{monitors}?monitorId=hostile", body), 400, "INVALID_ARGUMENT")
        self.problem(send("POST", f"{monitors}?monitorId=hostile", b'{"owner":"' + b"x" * 200 + b'"}'),
                     400, "INVALID_ARGUMENT")
        self.problem(send("GET", "/api/v1/projects/default/nothing"), 404, "NOT_FOUND")
        self.problem(send("POST", f"{monitors}/a:explode"), 404, "NOT_FOUND")
        allowed = send("PUT", f"{monitors}/a")
        self.problem(allowed, 405, "UNIMPLEMENTED")
        self.assertEqual(allowed.headers["allow"], "DELETE, GET, HEAD, PATCH")
        self.assertEqual(self.rest.call("GET", f"{PROJECT}/monitors/hostile").status_code, 404)

    def test_a_body_that_is_no_json_is_415(self):
        answer = requests.post(f"{self.rest.url}/api/v1/projects/default/monitors", data={"a": "b"},
                               headers=self.rest.headers, timeout=20)
        self.problem(answer, 415, "INVALID_ARGUMENT")

    def test_conflicts_are_409(self):
        path, _ = self.make_monitor()
        answer = self.rest.call("POST", f"{PROJECT}/monitors", {"schedule": SCHEDULE},
                                monitorId=path.rpartition("/")[2])
        self.problem(answer, 409, "ALREADY_EXISTS")

    def test_head_is_get_without_a_body_and_a_request_id_is_kept(self):
        path, _ = self.make_monitor()
        answer = requests.head(f"{self.rest.url}/api/v1{path}", timeout=20,
                               headers={"X-Request-Id": "mine-1", **self.rest.headers})
        self.assertEqual((answer.status_code, answer.content), (200, b""))
        self.assertGreater(int(answer.headers["content-length"]), 10)
        self.assertEqual(answer.headers["x-request-id"], "mine-1")

    def test_the_reference_is_served(self):
        page = request(self.gateway, "GET", "/docs")
        self.assertEqual(page.status, 200)
        text = page.body.decode()
        for operation in self.operations():
            self.assertIn(f'id="{operation}"', text)
        for door in ("/api/push/{token}", "/api/push/{key}/{monitor}"):
            self.assertEqual(text.count(f"<code>{door}</code>"), 1, "GET and POST are one entry")
        self.assertIn('id="pushByPost"', text)
        for name in ("next_page_token", "page_size", "display_name", "state_change_time"):
            self.assertNotIn(name, text)
        for outside in ("<script", "src=", "@import", 'href="http'):
            self.assertNotIn(outside, text)
        self.assertEqual(request(self.gateway, "GET", "/").headers["location"], "/docs")


class Streams(TocsinTestCase):
    """Destructive: a cluster of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rest = Rest(cls.gateway, cls.cluster.key("admin"))

    def test_a_stream_is_resumed_where_it_broke_over_a_restart_of_the_gateway(self):
        rest = self.rest
        tokens = {}
        for monitor in ("before", "between", "after"):
            made = rest.post(f"{PROJECT}/monitors", {"schedule": SCHEDULE}, monitorId=monitor)
            tokens[monitor] = made["pushToken"]

        def fail(monitor):
            self.assertEqual(push(self.gateway, tokens[monitor], status="down").status, 200)

        def next_name(stream):
            return stream.next()[1]["event"]["monitor"]["name"].rpartition("/")[2]

        stream = rest.events(f"{PROJECT}/alertEvents:watch")
        stream.await_id()
        fail("before")
        self.assertEqual(next_name(stream), "before")
        gateway = self.cluster.gateways[0]
        self.assertEqual(gateway.terminate(), 0)
        self.assertIsNone(stream.next(), "the drain ends the stream")
        gateway.restart()
        fail("between")
        with rest.events(f"{PROJECT}/alertEvents:watch", stream.last_id) as again:
            self.assertEqual(next_name(again), "between")
            fail("after")
            self.assertEqual(next_name(again), "after")
        # The header wins over the parameter, as a browser repeats the URL with it.
        with rest.events(f"{PROJECT}/alertEvents:watch", again.last_id, cursor=stream.last_id) as last:
            self.assertEqual(last.await_id(), again.last_id)

    def test_a_cursor_that_is_not_known_is_a_problem_and_not_a_stream(self):
        with self.rest.events(f"{PROJECT}/alertEvents:watch", cursor="nonsense") as stream:
            self.assertEqual(stream.status, 400)
            self.assertIn(stream.problem["code"], ("INVALID_ARGUMENT", "OUT_OF_RANGE"))

    def test_without_core_requests_are_503_with_retry_after(self):
        core = self.cluster.cores[0]
        core.kill()
        try:
            for path in ("/projects/default/monitors", "/projects/default/alertEvents:watch"):
                wait_until(lambda: self.rest.call("GET", path).status_code == 503, 10,
                           "the gateway has noticed")
                answer = self.rest.call("GET", path)
                self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)
                self.assertEqual(answer.json()["code"], "UNAVAILABLE")
        finally:
            core.restart()
        wait_until(lambda: self.rest.call("GET", "/projects/default/monitors").status_code == 200,
                   20, "requests are served again")


if __name__ == "__main__":
    unittest.main()
