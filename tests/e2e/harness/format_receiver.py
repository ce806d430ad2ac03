"""Slack and PagerDuty as far as their published rules go: what breaks one is refused and remembered."""

import collections
import dataclasses
import http.server
import json
import re
import threading

from harness.waiting import wait_until

# https://docs.slack.dev/reference/messaging/attachments, and what Discord takes under `/slack`, which is
# narrower: https://discord.com/developers/docs/resources/message#embed-object-embed-limits.
SLACK_TEXT, SLACK_FIELD_TITLE, SLACK_FIELD_VALUE, SLACK_FIELDS, SLACK_TOTAL = 4096, 256, 1024, 25, 6000
# https://developer.pagerduty.com/docs/events-api-v2-overview
PAGERDUTY_EVENT_BYTES, PAGERDUTY_SUMMARY, PAGERDUTY_KEY = 512_000, 1024, 255

UNSAFE = re.compile(r"[<>]|&(?!(amp|lt|gt);)|@(?!\u200b)|\]\(")


@dataclasses.dataclass
class Post:
    """One request."""
    path: str
    content: dict
    headers: dict
    status: int  # what it was answered


def slack_fault(content):
    """What Slack, Mattermost or Discord would mind; None when it is good."""
    if set(content) != {"attachments"} or len(content["attachments"]) != 1:
        return f"not one attachment: {sorted(content)}"
    attachment = content["attachments"][0]
    unknown = set(attachment) - {"color", "fallback", "text", "fields", "footer", "ts"}
    if unknown:
        return f"unknown: {unknown}"
    if not re.fullmatch("#[0-9a-f]{6}", attachment["color"]):
        return f"colour {attachment['color']}"
    if not isinstance(attachment["ts"], int):
        return f"ts {attachment['ts']}"
    fields = attachment.get("fields", [])
    texts = [attachment["text"], attachment["fallback"], *(field["value"] for field in fields)]
    for text in texts:
        if not text or UNSAFE.search(text):
            return f"unsafe or empty: {text!r}"
    if len(attachment["text"]) > SLACK_TEXT or len(fields) > SLACK_FIELDS:
        return "too long"
    for field in fields:
        if len(field["title"]) > SLACK_FIELD_TITLE or len(field["value"]) > SLACK_FIELD_VALUE:
            return f"a field is too long: {field['title']}"
    total = sum(map(len, texts)) - len(attachment["fallback"]) + len(attachment["footer"])
    return f"{total} characters in all" if total > SLACK_TOTAL else None


def pagerduty_fault(content, size):
    """What PagerDuty would mind; None when it is good."""
    if size > PAGERDUTY_EVENT_BYTES:
        return f"{size} bytes"
    if not re.fullmatch("[0-9A-Za-z]{32}", content.get("routing_key", "")):
        return "Length of 'routing_key' is incorrect (should be 32 characters)"
    if content.get("event_action") not in ("trigger", "resolve"):
        return f"event_action {content.get('event_action')}"
    if not 1 <= len(content.get("dedup_key", "")) <= PAGERDUTY_KEY:
        return f"dedup_key {content.get('dedup_key')!r}"
    payload = content.get("payload", {})
    if not 1 <= len(payload.get("summary", "")) <= PAGERDUTY_SUMMARY:
        return f"summary {payload.get('summary')!r}"
    if payload.get("severity") not in ("critical", "error", "warning", "info"):
        return f"severity {payload.get('severity')!r}"
    if not payload.get("source"):
        return "no source"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", payload.get("timestamp", "")):
        return f"timestamp {payload.get('timestamp')!r}"
    if not isinstance(payload.get("custom_details", {}), dict):
        return "custom_details is no object"
    for link in content.get("links", []):
        if not link["href"].startswith(("http://", "https://")):
            return f"link {link}"
    return None


class FormatReceiver:
    """Paths below /slack and /pagerduty. Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._posts = []
        self._scripts = collections.defaultdict(collections.deque)
        self.faults = []
        handler = type("Handler", (_Handler,), {"receiver": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def url(self, path):
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def script(self, path, *answers):
        """The next requests to `path` get these answers: (status, headers, body) each."""
        with self._lock:
            self._scripts[path].extend(answers)

    def posts(self, path):
        """What was accepted there, in order."""
        with self._lock:
            return [post for post in self._posts if post.path == path and post.status < 300]

    def wait_for(self, path, count=1, timeout=20, passes=lambda content: True):
        """The contents that were accepted and pass, once there are `count` of them."""
        def enough():
            found = [post.content for post in self.posts(path) if passes(post.content)]
            return found if len(found) >= count else None
        return wait_until(enough, timeout, lambda: f"{count} posts to {path}; had "
                          f"{[post.content for post in self.posts(path)]}; faults {self.faults}")

    def open_alerts(self, path):
        """By deduplication key, what somebody would be paged for now: the event that triggered last."""
        alerts = {}
        for post in self.posts(path):
            key = post.content["dedup_key"]
            if post.content["event_action"] == "trigger":
                alerts[key] = post.content
            else:
                alerts.pop(key, None)
        return alerts

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _take(self, path, headers, body):
        """The answer: (status, headers, body)."""
        content = json.loads(body)
        slack = path.startswith("/slack")
        fault = slack_fault(content) if slack else pagerduty_fault(content, len(body))
        if not headers.get("content-type", "").startswith("application/json"):
            fault = f"content type {headers.get('content-type')}"
        with self._lock:
            if fault:
                self.faults.append(f"{path}: {fault}")
                answer = (400, {}, "invalid_payload" if slack else
                          json.dumps({"status": "invalid event", "errors": [fault]}))
            elif self._scripts[path]:
                answer = self._scripts[path].popleft()
            elif slack:
                answer = (200, {}, "ok")
            else:
                answer = (202, {}, json.dumps({"status": "success", "message": "Event processed",
                                               "dedup_key": content["dedup_key"]}))
            self._posts.append(Post(path, content, headers, answer[0]))
        return answer


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    receiver = None

    def do_POST(self):  # noqa: N802, the name is http.server's
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, extra, text = self.receiver._take(self.path, headers, body)
        self.send_response(status)
        for name, value in extra.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass
