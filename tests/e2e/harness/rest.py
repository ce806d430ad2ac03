"""The REST API as a client speaks it."""

import json

import requests


class Rest:
    """One gateway's API, with a key."""

    def __init__(self, address, key):
        self.url = f"http://{address}"
        self.headers = {"Authorization": f"Bearer {key}"}

    def call(self, method, path, body=None, timeout=20, **parameters):
        """The response, whatever its status; `path` is below /api/v1."""
        return requests.request(method, f"{self.url}/api/v1{path}", params=parameters, json=body,
                                headers=self.headers, timeout=timeout)

    def json(self, method, path, body=None, **parameters):
        answer = self.call(method, path, body, **parameters)
        if answer.status_code != 200:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def get(self, path, **parameters):
        return self.json("GET", path, **parameters)

    def post(self, path, body=None, **parameters):
        return self.json("POST", path, body, **parameters)

    def events(self, path, last_event_id=None, **parameters):
        headers = {**self.headers, **({"Last-Event-ID": last_event_id} if last_event_id else {})}
        return EventStream(f"{self.url}/api/v1{path}", headers, parameters)


class EventStream:
    """Server-sent events, read as an EventSource reads them."""

    def __init__(self, url, headers, parameters):
        self._answer = requests.get(url, params=parameters, headers=headers, stream=True, timeout=30)
        self.status = self._answer.status_code
        self.headers = self._answer.headers
        self.problem = self._answer.json() if self.status != 200 else None
        self._lines = self._answer.iter_lines(chunk_size=1, decode_unicode=True)
        self.last_id = headers.get("Last-Event-ID")

    def await_id(self):
        """Reads until the stream has said where it is."""
        said = False
        for line in self._lines:
            if line.startswith("id: "):
                self.last_id, said = line[4:], True
            elif not line and said:
                return self.last_id
        raise AssertionError("the stream ended before it said where it is")

    def next(self):
        """(event, data) of the next event; None when the stream has ended."""
        event, data = "message", None
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.last_id = value
            elif name == "event":
                event = value
            elif name == "data":
                data = json.loads(value)
            elif not line and data is not None:
                return event, data
        return None

    def close(self):
        self._answer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
