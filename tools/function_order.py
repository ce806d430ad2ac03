#!/usr/bin/env python3
"""Which functions of the services run from their start to idling, and at their end, for the linker.

  tools/function_order.py          writes cmake/function_order.txt: runs the services, as ./dev build
                                   left them, under callgrind (package valgrind) for half a minute
  tools/function_order.py --check [DIRECTORY]
                                   whether most of what the file names is in the services that lie there

The linker places these side by side. Without that they are strewn over the program, and the kernel
maps 16 pages around each: nearly all of it. A name of which no service has a function does nothing;
one that is missing costs a few kilobytes.
"""

import bisect
import os
import re
import subprocess
import sys
import tempfile

_TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_BUILD = os.path.join(_TREE, "build/release")
_FILE = os.path.join(_TREE, "cmake/function_order.txt")
_SERVICES = ("core", "gateway", "notifier")
_IDLE_S = 10
_ENOUGH = 0.8  # of the names: less says that another gRPC has come, or that much was renamed
_WRAPPER = """#!/bin/sh
exec valgrind --tool=callgrind --demangle=no --callgrind-out-file={out}/{service}.%p \\
  --log-file={out}/log.%p {program} "$@"
"""
_INPUT_SECTION = re.compile(r"\s*([0-9a-f]+)\s+[0-9a-f]+\s+[0-9a-f]+\s+\d+ {9}(\S.*):\((\.text[^)]*)\)$")


def run_under_callgrind(out):
    """Leaves OUT/SERVICE.PID for each service: what it did until it had idled for a while."""
    for service in _SERVICES:
        wrapper = os.path.join(out, f"tocsin-{service}")
        with open(wrapper, "w") as file:
            file.write(_WRAPPER.format(out=out, service=service,
                                       program=os.path.join(_BUILD, "bin", f"tocsin-{service}")))
        os.chmod(wrapper, 0o755)
    os.symlink(os.path.join(_BUILD, "bin/tocsin"), os.path.join(out, "tocsin"))
    os.environ["TOCSIN_BIN_DIR"] = out
    sys.path.insert(0, os.path.join(_TREE, "tests/e2e"))
    from harness.cluster import Cluster
    from harness.waiting import pause
    with Cluster("function-order"):
        pause(_IDLE_S)


def executed(profile, program):
    """The functions of `program` that a profile of callgrind has costs of."""
    names, objects, current, found = {}, {}, "", set()
    with open(profile) as lines:
        for line in lines:
            match = re.match(r"c?(ob|fn)=\((\d+)\)(?: (.*))?", line)
            if not match:
                continue
            kind, number, text = match.groups()
            table = objects if kind == "ob" else names
            if text:
                table[number] = text
            if line.startswith("ob="):
                current = objects[number]
            elif line.startswith("fn=") and os.path.basename(current) == program:
                found.add(names[number].split("'")[0])  # 'N counts recursion
    return found


def link_with_map(service, out):
    """(path, map) of the same program, linked once more."""
    commands = subprocess.run(["ninja", "-C", _BUILD, "-t", "commands", f"tocsin-{service}"],
                              check=True, capture_output=True, text=True).stdout
    path = os.path.join(out, f"mapped-{service}")
    command = commands.rstrip().rsplit("\n", 1)[-1].replace(
        f"-o bin/tocsin-{service} ", f"-o {path} -Wl,-Map={path}.map ")
    subprocess.run(command, shell=True, check=True, cwd=_BUILD)
    return path, f"{path}.map"


def functions(program):
    """(address, name) of each."""
    listed = subprocess.run(["nm", program], check=True, capture_output=True, text=True).stdout
    return [(int(address, 16), name) for address, name in
            re.findall(r"^([0-9a-f]+) [tTwWi] (.+)$", listed, re.MULTILINE)]


def sections(map_file):
    """(address, "object:section") of each that holds functions, by address."""
    with open(map_file) as lines:
        found = [_INPUT_SECTION.match(line) for line in lines]
    return sorted((int(match[1], 16), f"{os.path.basename(match[2])}:{match[3]}")
                  for match in found if match)


def one_for_each_section(names, program, map_file):
    """What the linker moves is sections: the shortest of the names in each of them."""
    starts = sections(map_file)
    addresses = [address for address, _ in starts]
    chosen = {}
    for address, name in functions(program):
        if name in names and address >= addresses[0]:
            section = starts[bisect.bisect_right(addresses, address) - 1][1]
            chosen[section] = min(chosen.get(section, name), name, key=lambda one: (len(one), one))
    return chosen


def write():
    order = {}
    with tempfile.TemporaryDirectory(prefix="tocsin-order-") as out:
        run_under_callgrind(out)
        for service in _SERVICES:
            names = set()
            for profile in os.listdir(out):
                if profile.startswith(f"{service}."):
                    names |= executed(os.path.join(out, profile), f"tocsin-{service}")
            for section, name in one_for_each_section(names, *link_with_map(service, out)).items():
                order.setdefault(section, name)
    with open(_FILE, "w") as file:
        file.writelines(f"{name}\n" for name in sorted(set(order.values())))
    print(f"{_FILE}: {len(order)} functions")


def check(directory):
    with open(_FILE) as file:
        wanted = set(file.read().split())
    there = {name for service in _SERVICES
             for _, name in functions(os.path.join(directory, f"tocsin-{service}"))}
    share = len(wanted & there) / len(wanted)
    print(f"{share:.0%} of the {len(wanted)} functions in {_FILE} are in the services")
    if share < _ENOUGH:
        sys.exit(f"less than {_ENOUGH:.0%}: write it anew, with tools/function_order.py")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"] and len(sys.argv) <= 3:
        check(*sys.argv[2:] or [os.path.join(_BUILD, "bin")])
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        write()
