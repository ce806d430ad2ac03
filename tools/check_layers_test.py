#!/usr/bin/env python3
"""Every rule of check_layers.py catches what it forbids, and lets pass what it allows."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECKER = pathlib.Path(__file__).with_name("check_layers.py")

# path, content, a word of the complaint
VIOLATIONS = [
    ("services/core/engine/a.cc", "// x\n#include <pqxx/pqxx>\n", "pqxx"),
    ("services/core/domain/a.h", '// x\n#include "tocsin/v1/monitor.pb.h"\n', ".pb.h"),
    ("services/core/engine/b.cc", "// x\n#include <grpcpp/grpcpp.h>\n", "grpcpp/"),
    ("services/core/engine/c.cc", "// x\n#include <prometheus/counter.h>\n", "prometheus/"),
    ("gateway/a.cc", "// x\n#include <boost/asio.hpp>\n", "boost/"),
    ("services/notifier/stream/a.cc", "// x\n#include <curl/curl.h>\n", "curl/"),
    ("cli/a.cc", "// x\nauto t = absl::Now();\n", "time is an argument"),
    ("tests/a.cc", "// x\nauto t = std::chrono::system_clock::now();\n", "time is an argument"),
    ("services/core/api/a.cc", "// x\nvoid F() { throw 1; }\n", "no exceptions"),
    ("services/core/api/b.cc", "// x\nvoid F() { try { } catch (...) { } }\n", "no exceptions"),
    ("gateway/b.cc", '// x\nABSL_FLAG(int, n, 0, "");\n', "options.cc"),
    ("services/core/api/c.cc", '// x\nauto q = "SELECT id FROM monitors";\n', "SQL"),
    ("services/core/engine/d.cc", '// x\nauto q = R"(\nUPDATE monitors\nSET x = 1)";\n', "SQL"),
    ("tests/b.cc", "// x\nabsl::SleepFor(absl::Seconds(1));\n", "condition"),
    ("services/core/domain/b.cc", '// x\n#include "common/clock.h"\n', "pure"),
    ("services/core/domain/c.cc", '// x\n#include "services/core/store/store.h"\n', "must not"),
    ("gateway/c.cc", '// x\n#include "services/core/domain/monitor.h"\n', "must not"),
    ("common/a.cc", '// x\n#include "cli/options.h"\n', "must not"),
    ("common/b.cc", "#include <string>\n", "comment"),
    ("cli/b.cc", "//\n" * 501, "501 lines"),
    ("tools/long.sh", "#\n" * 501, "501 lines"),
]

ALLOWED = [
    ("services/core/store/pg/a.cc",
     '// x\n#include <pqxx/pqxx>\nvoid F() { try { } catch (...) { } }\n'
     'auto q = "SELECT id FROM monitors";\n'),
    ("services/core/api/metrics.cc", "// x\n#include <prometheus/counter.h>\n"),
    ("cli/exec/a.cc", "// x\n#include <curl/curl.h>\n"),
    ("services/core/options.cc", '// x\nABSL_FLAG(int, n, 0, "");\n'),
    ("gateway/http/a.cc", "// x\n#include <boost/asio.hpp>\n"),
    ("gateway/a.cc", '// x\n#include "tocsin/v1/monitor.pb.h"\n#include "common/clock.h"\n'),
    ("common/clock.cc", "// x\nauto t = absl::Now();\n"),
    ("cli/a.cc",
     "// We try to sleep(1) here, SELECT a FROM b, and throw.\n"
     '/* absl::Now() */ auto s = "try { throw }"; int n = 1\'000; auto c = \'"\';\n'
     'auto t = "Select all monitors FROM a project";\n'),
    ("bench/a.cc", "//\n" * 500),
]


def run(files):
    with tempfile.TemporaryDirectory() as tree:
        for path, content in files:
            file = pathlib.Path(tree, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        return subprocess.run([sys.executable, CHECKER, tree], capture_output=True, text=True)


class CheckLayersTest(unittest.TestCase):
    def test_catches_every_violation_at_its_place(self):
        result = run((path, content) for path, content, _ in VIOLATIONS)
        self.assertEqual(result.returncode, 1)
        lines = result.stdout.splitlines()
        for path, _, word in VIOLATIONS:
            self.assertTrue(any(l.startswith(path + ":") and word in l for l in lines),
                            f"{path}: no complaint with \"{word}\" in\n{result.stdout}")

    def test_complains_about_nothing_else(self):
        result = run(ALLOWED)
        self.assertEqual(result.stdout, "layers: ok\n")
        self.assertEqual(result.returncode, 0)


if __name__ == "__main__":
    unittest.main()
