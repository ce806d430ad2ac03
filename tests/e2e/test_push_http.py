"""Every method, parameter form and error of a push over HTTP, against the real gateway."""

import json
import unittest
import urllib.parse

from harness.pushing import RawConnection, push, request
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until

UP_WORDS = ("", "up", "ok", "success", "true", "UP", "Ok")
DOWN_WORDS = ("down", "fail", "failed", "failure", "error", "false", "DOWN", "Error")


class PushHttp(TocsinTestCase):
    def setUp(self):
        self.monitor = self.id_of_test()
        self.token = self.cli.make_monitor(self.monitor, "1h")
        self.path = f"/api/push/{self.token}"

    def beats(self):
        """Oldest first."""
        return list(reversed(self.cli.heartbeats(self.monitor)))

    def newest(self):
        return self.cli.heartbeats(self.monitor)[0]

    def send(self, method, query="", body=None, headers=None):
        return request(self.gateway, method, self.path + query, body, headers)

    # --- methods ---

    def test_get_post_put_and_patch_each_record_one_heartbeat(self):
        for method in ("GET", "POST", "PUT", "PATCH"):
            answer = self.send(method, f"?msg={method}")
            self.assertEqual(answer.status, 200, method)
            self.assertEqual(answer.json, {"ok": True, "message": "Push received successfully",
                                           "msg": "OK"})
            self.assertTrue(answer.headers["content-type"].startswith("application/json"))
        self.assertEqual([b["message"] for b in self.beats()], ["GET", "POST", "PUT", "PATCH"])

    def test_head_records_a_heartbeat_and_answers_without_a_body(self):
        with RawConnection(self.gateway) as connection:
            head = f"HEAD {self.path}?msg=spider HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            answer = connection.send(head).read(head=True)
            self.assertEqual((answer.status, answer.body), (200, b""))
            # The connection is still in step: nothing of a body is in the way.
            self.assertEqual(connection.send(head).read(head=True).status, 200)
        self.assertEqual([b["message"] for b in self.beats()], ["spider", "spider"])

    def test_options_is_a_preflight_and_never_a_heartbeat(self):
        answer = self.send("OPTIONS", headers={"Origin": "https://example.org",
                                               "Access-Control-Request-Method": "POST"})
        self.assertIn(answer.status, (200, 204))
        self.assertEqual(answer.headers["access-control-allow-origin"], "*")
        self.assertIn("POST", answer.headers["access-control-allow-methods"])
        self.assertEqual(self.beats(), [])

    def test_every_answer_to_a_push_may_be_read_by_any_page(self):
        self.assertEqual(self.send("POST").headers["access-control-allow-origin"], "*")
        self.assertEqual(push(self.gateway, "unknown").headers["access-control-allow-origin"], "*")

    def test_delete_is_refused_and_says_what_is_allowed(self):
        answer = self.send("DELETE")
        self.assertEqual(answer.status, 405)
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH"):
            self.assertIn(method, answer.headers["allow"])
        self.assertEqual(self.beats(), [])

    def test_a_path_in_capitals_and_a_trailing_slash_are_accepted(self):
        for path in (f"/API/Push/{self.token}", self.path + "/", self.path + "/?msg=x"):
            self.assertEqual(request(self.gateway, "POST", path).status, 200, path)
        self.assertEqual(len(self.beats()), 3)

    def test_the_token_may_come_as_a_bearer(self):
        answer = request(self.gateway, "POST", "/api/push?msg=bearer",
                         headers={"Authorization": f"Bearer {self.token}"})
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.newest()["message"], "bearer")

    # --- the wire ---

    def test_a_post_without_length_and_body_is_a_push(self):
        with RawConnection(self.gateway) as connection:
            text = f"POST {self.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            self.assertEqual(connection.send(text).read().status, 200)
            self.assertEqual(connection.send(text).read().status, 200)
        self.assertEqual(len(self.beats()), 2)

    def test_pipelined_pushes_are_answered_in_order(self):
        with RawConnection(self.gateway) as connection:
            connection.send(b"".join(
                f"GET {self.path if i != 3 else '/api/push/unknown'}?msg={i} HTTP/1.1\r\n"
                f"Host: x\r\n\r\n".encode() for i in range(6)))
            statuses = [connection.read().status for _ in range(6)]
        self.assertEqual(statuses, [200, 200, 200, 404, 200, 200])
        self.assertEqual(sorted(b["message"] for b in self.beats()), ["0", "1", "2", "4", "5"])

    def test_a_request_in_tiny_pieces_is_understood(self):
        with RawConnection(self.gateway) as connection:
            for byte in f"POST {self.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode():
                connection.send(bytes([byte]))
            self.assertEqual(connection.read().status, 200)

    def test_connection_close_is_honoured(self):
        with RawConnection(self.gateway) as connection:
            connection.send(
                f"POST {self.path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            self.assertEqual(connection.read().status, 200)
            self.assertIsNone(connection.read())

    def test_http_1_0_is_answered_and_closed(self):
        with RawConnection(self.gateway) as connection:
            connection.send(f"GET {self.path} HTTP/1.0\r\n\r\n".encode())
            self.assertEqual(connection.read().status, 200)
            self.assertIsNone(connection.read())

    def test_a_chunked_body_is_read(self):
        with RawConnection(self.gateway) as connection:
            connection.send(
                f"POST {self.path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
                "8\r\nmsg=chun\r\n3\r\nked\r\n0\r\n\r\n".encode())
            self.assertEqual(connection.read().status, 200)
        self.assertEqual(self.newest()["message"], "chunked")

    def test_a_client_that_awaits_100_continue_gets_it(self):
        with RawConnection(self.gateway) as connection:
            connection.send(
                f"POST {self.path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n"
                "Content-Length: 9\r\n\r\n".encode())
            self.assertEqual(connection.read().status, 100)
            self.assertEqual(connection.send(b"msg=hello").read().status, 200)
        self.assertEqual(self.newest()["message"], "hello")

    def test_bytes_that_are_not_http_are_refused_and_closed(self):
        with RawConnection(self.gateway) as connection:
            answer = connection.send(b"this is not http\r\n\r\n").read()
            self.assertTrue(answer is None or answer.status == 400)
            self.assertIsNone(connection.read())

    def test_a_length_and_chunks_at_once_are_refused(self):
        with RawConnection(self.gateway) as connection:
            connection.send(
                f"POST {self.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode())
            self.assertEqual(connection.read().status, 400)
            self.assertIsNone(connection.read())

    # --- status ---

    def test_every_word_for_up_means_up(self):
        for word in UP_WORDS:
            self.assertEqual(push(self.gateway, self.token, status=word).status, 200, word)
        self.assertEqual({b["kind"] for b in self.beats()}, {"KIND_UP"})
        self.assertEqual(len(self.beats()), len(UP_WORDS))

    def test_every_word_for_down_means_down(self):
        for word in DOWN_WORDS:
            self.assertEqual(push(self.gateway, self.token, status=word).status, 200, word)
        self.assertEqual({b["kind"] for b in self.beats()}, {"KIND_DOWN"})
        self.assertEqual(self.cli.state(self.monitor), "DOWN")

    def test_start_and_log_are_stored_and_change_nothing(self):
        self.send("POST")
        for word in ("start", "log", "LOG"):
            self.assertEqual(push(self.gateway, self.token, status=word, run="r1").status, 200)
        self.assertEqual([b["kind"] for b in self.beats()],
                         ["KIND_UP", "KIND_START", "KIND_LOG", "KIND_LOG"])
        self.assertEqual(self.beats()[1]["runId"], "r1")
        self.assertEqual(self.cli.state(self.monitor), "UP")

    def test_another_status_is_refused_with_the_accepted_ones(self):
        answer = push(self.gateway, self.token, status="dwon")
        self.assertEqual(answer.status, 400)
        self.assertFalse(answer.json["ok"])
        said = json.dumps(answer.json)
        for word in ("status", "up", "down", "start", "log"):
            self.assertIn(word, said)
        self.assertEqual(self.beats(), [])

    # --- msg ---

    def test_a_push_without_message_says_ok(self):
        self.send("POST")
        self.send("POST", "?msg=")
        self.assertEqual([b["message"] for b in self.beats()], ["OK", "OK"])

    def test_a_message_keeps_its_letters(self):
        text = "sauvegarde terminée à 100 % + 1 & plus 🎉"
        push(self.gateway, self.token, msg=text)
        self.assertEqual(self.newest()["message"], text)

    def test_plus_signs_and_percent_signs_are_decoded(self):
        self.send("POST", "?msg=a+b%2Bc%20d%26e")
        self.assertEqual(self.newest()["message"], "a b+c d&e")

    def test_a_long_message_is_cut_between_letters(self):
        push(self.gateway, self.token, "POST", msg="x" + "é" * 2100)
        message = self.newest()["message"]
        self.assertEqual(message, "x" + "é" * 2047)

    def test_bytes_that_are_not_utf8_become_replacement_characters_and_nul_goes(self):
        self.send("POST", "?msg=a%FFb%00c")
        self.assertEqual(self.newest()["message"], "a\ufffdbc")

    # --- value ---

    def test_values_and_pings_are_kept_and_empty_ones_are_absent(self):
        for query in ("?value=12.5", "?ping=80", "?value=1e-3", "?value=-2", "?value=", "?ping="):
            self.assertEqual(self.send("POST", query).status, 200, query)
        self.assertEqual([b.get("value") for b in self.beats()],
                         [12.5, 80, 0.001, -2, None, None])

    def test_a_value_that_is_no_number_is_dropped_with_a_warning(self):
        for text in ("abc", "nan", "inf", "-inf", "12abc", "1e999"):
            answer = push(self.gateway, self.token, value=text)
            self.assertEqual(answer.status, 200, text)
            self.assertIn("value", answer.json["warning"], text)
        self.assertEqual({b.get("value") for b in self.beats()}, {None})
        self.assertEqual(len(self.beats()), 6)

    # --- where parameters come from ---

    def test_a_form_body_carries_parameters(self):
        answer = self.send("POST", "", "status=down&msg=from+form&value=3",
                           {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(answer.status, 200)
        beat = self.newest()
        self.assertEqual((beat["kind"], beat["message"], beat["value"]),
                         ("KIND_DOWN", "from form", 3))

    def test_an_empty_form_body_is_a_push(self):
        answer = self.send("POST", "?msg=query", "",
                           {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.newest()["message"], "query")

    def test_a_json_body_carries_parameters(self):
        for body in ({"status": "down", "msg": "from json", "value": 3.5},
                     {"status": "down", "msg": "from json", "value": "3.5"}):
            answer = self.send("POST", "", json.dumps(body),
                               {"Content-Type": "application/json; charset=utf-8"})
            self.assertEqual(answer.status, 200)
            beat = self.newest()
            self.assertEqual((beat["kind"], beat["message"], beat["value"]),
                             ("KIND_DOWN", "from json", 3.5))

    def test_the_query_wins_over_the_body(self):
        self.send("POST", "?status=up&msg=query", "status=down&msg=body&value=7",
                  {"Content-Type": "application/x-www-form-urlencoded"})
        beat = self.newest()
        self.assertEqual((beat["kind"], beat["message"], beat["value"]), ("KIND_UP", "query", 7))

    def test_the_first_of_repeated_parameters_wins_and_unknown_ones_are_ignored(self):
        self.assertEqual(self.send("POST", "?msg=one&msg=two&colour=red&status=up&status=down").status,
                         200)
        self.assertEqual((self.newest()["kind"], self.newest()["message"]), ("KIND_UP", "one"))

    def test_a_body_of_another_type_is_no_parameter(self):
        self.assertEqual(self.send("POST", "", "status=down", {"Content-Type": "text/plain"}).status,
                         200)
        self.assertEqual(self.newest()["kind"], "KIND_UP")

    def test_a_broken_json_body_is_refused_or_ignored_but_never_a_server_error(self):
        answer = self.send("POST", "", '{"status": "down"', {"Content-Type": "application/json"})
        self.assertIn(answer.status, (200, 400))

    def test_an_alertmanager_may_push_its_watchdog(self):
        for status, kind in (("firing", "KIND_UP"), ("resolved", "KIND_LOG")):
            body = {"version": "4", "status": status, "receiver": "tocsin", "alerts": [
                {"status": status, "labels": {"alertname": "Watchdog"}, "annotations": {}}]}
            answer = self.send("POST", "", json.dumps(body), {"Content-Type": "application/json"})
            self.assertEqual(answer.status, 200)
            self.assertEqual(self.newest()["kind"], kind)

    # --- errors ---

    def test_an_unknown_token_is_404_in_the_shape_that_peers_use(self):
        answer = push(self.gateway, "this-is-no-token")
        self.assertEqual(answer.status, 404)
        self.assertEqual(answer.json["ok"], False)
        self.assertEqual(answer.json["msg"], "Monitor not found or not active.")
        self.assertTrue(answer.json["error"])

    def test_a_push_without_a_token_is_401(self):
        for path in ("/api/push", "/api/push/"):
            self.assertEqual(request(self.gateway, "POST", path).status, 401, path)

    def test_another_path_is_404(self):
        for path in ("/nothing", "/api", "/api/pushx/abc", f"{self.path}/more"):
            self.assertEqual(request(self.gateway, "GET", path).status, 404, path)
        self.assertEqual(self.beats(), [])

    def test_a_body_over_the_limit_is_413(self):
        answer = self.send("POST", "", b"x" * (4 << 20), {"Content-Type": "text/plain"})
        self.assertEqual(answer.status, 413)
        self.assertEqual(self.beats(), [])

    def test_a_head_over_the_limit_is_431(self):
        answer = self.send("GET", headers={"X-Padding": "x" * 200_000})
        self.assertEqual(answer.status, 431)
        self.assertEqual(self.beats(), [])

    def test_pushing_too_often_is_429_for_that_token_only_and_never_swallows_a_failure(self):
        other = self.cli.make_monitor(self.monitor[:50] + "-other", "1h")
        self.assertEqual(push(self.gateway, other).status, 200)
        with RawConnection(self.gateway) as connection:
            line = f"POST {self.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            connection.send(line * 150)
            answers = [connection.read() for _ in range(150)]
        refused = [a for a in answers if a.status == 429]
        accepted = [a for a in answers if a.status == 200]
        self.assertEqual(len(refused) + len(accepted), 150)
        self.assertGreaterEqual(len(accepted), 60)
        self.assertTrue(refused)
        self.assertGreaterEqual(int(refused[0].headers["retry-after"]), 1)
        self.assertEqual(push(self.gateway, other).status, 200)
        self.assertEqual(push(self.gateway, self.token, status="down").status, 200)
        self.assertEqual(self.cli.state(self.monitor), "DOWN")
        wait_until(lambda: push(self.gateway, self.token).status == 200, 10,
                   "the token may push again")

    def test_unknown_tokens_are_limited_without_harm_to_known_ones(self):
        with RawConnection(self.gateway) as connection:
            connection.send(b"".join(f"GET /api/push/guess-{i} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                                     for i in range(500)))
            statuses = {connection.read().status for _ in range(500)}
        self.assertEqual(statuses, {404, 429})
        self.assertEqual(push(self.gateway, self.token).status, 200)

    def test_a_token_with_escaped_letters_is_the_same_token(self):
        escaped = "".join(f"%{ord(c):02X}" for c in self.token)
        self.assertEqual(request(self.gateway, "GET", f"/api/push/{escaped}").status, 200)
        self.assertEqual(urllib.parse.unquote(escaped), self.token)


class PushWithoutCore(TocsinTestCase):
    """Destructive: a cluster of its own."""

    def test_a_push_waits_for_core_and_then_says_503_with_retry_after(self):
        monitor = self.id_of_test()
        token = self.cli.make_monitor(monitor, "1h")
        self.assertEqual(push(self.gateway, token).status, 200)
        self.cluster.cores[0].kill()
        answer = push(self.gateway, token, msg="lost")
        self.assertEqual(answer.status, 503)
        self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)
        self.assertFalse(answer.json["ok"])
        # Not a token that is known, not one that is unknown: a retry may cure both.
        self.assertEqual(push(self.gateway, "unknown").status, 503)
        wait_until(lambda: self.cluster.gateways[0].get_admin("/readyz")[0] == 503, 10,
                   "the gateway is not ready")
        self.assertEqual(self.cluster.gateways[0].get_admin("/healthz")[0], 200)
        self.cluster.cores[0].restart()
        wait_until(lambda: push(self.gateway, token, msg="back").status == 200, 20,
                   "pushes are recorded again")
        self.assertEqual(push(self.gateway, "unknown").status, 404)


if __name__ == "__main__":
    unittest.main()
