#!/usr/bin/env python3
"""Holds the layers: which file may use what, and how long a file may be.

Usage: check_layers.py [TREE]. Prints one line per violation; exits with 1 if there is any.
The layers themselves are explained in docs/architecture.md.
"""
import collections
import fnmatch
import pathlib
import re
import sys

FOLDERS = ["bench", "cli", "common", "gateway", "proto", "services", "tests", "tools"]
MAX_LINES = 500
PG, HTTP = "services/core/store/pg/*", "gateway/http/*"
OUTSIDE = ["tests/*", "bench/*"]
RPC = ["services/core/api/*", "services/*/stream/*", "gateway/*", "cli/*", "common/grpc_*",
       "services/*/main.cc", "services/*/server.*", *OUTSIDE]

# What is searched for: in the includes, the code (no comments, no literals) or the literals of
# C++ files; where it is allowed; why.
Rule = collections.namedtuple("Rule", "pattern within allowed why")
RULES = [
    Rule(r"^pqxx|^libpq-fe\.h", "includes", [PG, *OUTSIDE], "SQL lives in one folder"),
    Rule(r"\.pb\.h$", "includes", [*RPC, "services/core/store/pg/event_facts.cc"],
         "protos stay at the edges"),
    Rule(r"^grpc(pp)?/", "includes", RPC, "gRPC stays at the edges"),
    Rule(r"^prometheus/", "includes",
         ["*/metrics.*", "*/*_metrics.*", "*/metrics_test.cc", "common/admin_server*",
          "common/build_info*", "common/process_metrics*", "*/main.cc", "*/server.*", *OUTSIDE],
         "metrics are structs made in metrics.{h,cc}"),
    Rule(r"^civetweb|^CivetServer", "includes", ["common/admin_server*"],
         "one admin server for all"),
    Rule(r"^boost/", "includes", [HTTP, *OUTSIDE], "the HTTP server is one folder"),
    Rule(r"^curl/", "includes", ["services/notifier/channel/*", "cli/exec/*", "cli/doctor/http_get*", *OUTSIDE],
         "an HTTP client is one folder"),
    Rule(r"^spdlog/", "includes", ["common/log.cc"], "logging goes through common/log.h"),
    Rule(r"\babsl::Now\b|\bsystem_clock\b|\bgettimeofday\b|\bstd::time\(|CLOCK_REALTIME", "code",
         ["common/clock.*"], "time is an argument"),
    Rule(r"\b(try|catch|throw)\b", "code", [PG, HTTP], "no exceptions"),
    Rule(r"\bABSL_FLAG\b", "code", ["*/options.cc", "common/flags_test.cc", "bench/*"],
         "flags live in options.cc"),
    Rule(r"\b(SELECT\s+\S+.*\sFROM\s|INSERT INTO|UPDATE\s+\S+\s+SET\s|DELETE FROM|CREATE TABLE|"
         r"ALTER TABLE|ON CONFLICT|FOR UPDATE)\b", "literals", [PG, *OUTSIDE],
         "SQL lives in one folder"),
    Rule(r"\b(SleepFor|sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(", "code", ["bench/*"],
         "waiting is for a condition, with a deadline"),
    Rule(r"^common/clock\.h|^absl/synchronization|^mutex$|^thread$|^atomic$", "includes",
         ["!services/core/domain/*", "!services/notifier/delivery/*", "*_test.cc"],
         "the domain is pure: no clock, no lock"),
]

# folder → the parts of this tree that it may include; the longest matching folder counts.
LAYERS = {
    "common/": ["common/"],
    "services/core/domain/": ["services/core/domain/", "common/"],
    "services/core/store/": ["services/core/store/", "services/core/domain/", "common/"],
    "services/core/engine/": ["services/core/engine/", "services/core/store/",
                              "services/core/domain/", "common/"],
    "services/core/": ["services/core/", "common/"],
    "services/notifier/delivery/": ["services/notifier/delivery/", "common/"],
    "services/notifier/": ["services/notifier/", "common/"],
    "gateway/": ["gateway/", "common/"],
    "cli/": ["cli/", "common/", "gateway/http/"],  # `tocsin listen` serves HTTP
}

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^()\s]*)\((?P<raw>.*?)\)(?P=d)"|"(?P<s>(?:\\.|[^"\\\n])*)"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'", re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def split(text):
    """The searchable parts of a C++ file: lists of (line, text)."""
    literals = [(line_of(text, m.start()), m["raw"] or m["s"] or "")
                for m in TOKEN.finditer(text)]
    code = TOKEN.sub(lambda m: "\n" * m.group().count("\n") + " ", text)
    includes = [(line_of(text, m.start(1)), m[1]) for m in INCLUDE.finditer(text)]
    return {"literals": literals, "includes": includes,
            "code": list(enumerate(code.split("\n"), 1))}


def allowed(path, patterns):
    if any(p.startswith("!") for p in patterns):  # a ban on some folders only
        banned = any(fnmatch.fnmatch(path, p[1:]) for p in patterns if p.startswith("!"))
        return not banned or any(fnmatch.fnmatch(path, p) for p in patterns if p[0] != "!")
    return any(fnmatch.fnmatch(path, p) for p in patterns)


def check_cpp(path, text):
    parts = split(text)
    for rule in RULES:
        if not allowed(path, rule.allowed):
            for line, part in parts[rule.within]:
                if match := re.search(rule.pattern, part, re.S):
                    found = " ".join(match.group().split())
                    yield f'{path}:{line}: "{found}" here: {rule.why}'
    layer = max((f for f in LAYERS if path.startswith(f)), key=len, default=None)
    if layer and not path.endswith("_test.cc"):
        for line, name in parts["includes"]:
            own = name.split("/")[0] in ("bench", "cli", "common", "gateway", "services", "tests")
            if own and not name.startswith(tuple(LAYERS[layer])):
                yield f"{path}:{line}: {layer} must not include {name}"
    if not text.startswith("//"):
        yield f"{path}:1: the first line says in a comment what the file is for"


def check(tree):
    for folder in FOLDERS:
        for file in sorted((tree / folder).rglob("*")):
            path = file.relative_to(tree).as_posix()
            if not file.is_file() or file.suffix not in (".h", ".cc", ".py", ".sh", ".proto", ".sql"):
                continue
            text = file.read_text(encoding="utf-8", errors="replace")
            if (lines := text.count("\n")) > MAX_LINES:
                yield f"{path}: {lines} lines; at most {MAX_LINES}: one idea per file"
            if file.suffix in (".h", ".cc"):
                yield from check_cpp(path, text)


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    violations = list(check(root))
    print("\n".join(violations) or "layers: ok")
    sys.exit(1 if violations else 0)
