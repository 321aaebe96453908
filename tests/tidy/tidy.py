#!/usr/bin/env python3
"""Keeps the house: layers, headers that stand alone, pure modules without effects, sizes, words.

usage: tidy.py [--headers] [--self-test]     from anywhere; exits 1 and prints file:line: message for each finding.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests/tidy/layers.txt"

# System headers that give a pure module a way to act, to read a clock, to start a thread or to write a log.
EFFECTS = re.compile(
    r"^(sys/(?!types\.h|cdefs\.h)|unistd\.h|fcntl\.h|poll\.h|netinet/|netdb\.h|net/|linux/|liburing|pthread\.h|signal\.h|"
    r"time\.h|ctime|thread|mutex|shared_mutex|condition_variable|future|iostream|fstream|filesystem|random|spdlog/|syslog\.h|"
    r"openssl/(ssl|bio|tls1)|boost/(asio|beast))")
CLOCK_CALLS = re.compile(r"\b(steady_clock|system_clock|high_resolution_clock)::now\b|\bclock_gettime\b|\bgettimeofday\b|\bgetenv\b")
# What may live in one module only (DESIGN: io_uring only in io, TLS only in transport).
ONLY_IN = {"liburing": {"io"}, "openssl/ssl.h": {"transport"}, "urcu": {"location"}}
FORBIDDEN_NAMES = re.compile(r"(^|_)(util|utils|helper|helpers|common|manager|misc)(_|\.|$)")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70


def read_layers(text):
    """module -> (modules it may include, is it pure)"""
    layers = {}
    for row in text.splitlines():
        if not row or row.startswith("#"):
            continue
        module, uses, _libraries, kind = [cell.strip() for cell in row.split(":")]
        layers[module] = (set(uses.replace("-", "").split()) | {module}, kind == "pure")
    return layers


def module_of(path, root):
    parts = path.relative_to(root).parts
    if parts[0] == "include":
        return parts[2]
    if parts[0] == "src":
        return parts[1]
    return None


def sources(root):
    for top in ("include/ringweir", "src"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".h", ".cpp"):
                yield path


def check_includes(path, lines, module, layers, report):
    if module not in layers:
        report(path, 1, f"module '{module}' has no row in tests/tidy/layers.txt")
        return
    allowed, pure = layers[module]
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#\s*include\s+[<"]([^">]+)[">]', line)
        if found:
            name = found.group(1)
            ours = re.match(r"(?:ringweir/)?(\w+)/", name) if name.startswith("ringweir/") or line.strip().endswith('"') else None
            if ours and ours.group(1) in layers and ours.group(1) not in allowed:
                report(path, number, f"{module} may not include {ours.group(1)} (tests/tidy/layers.txt)")
            if pure and EFFECTS.match(name):
                report(path, number, f"pure module {module} includes <{name}>")
            for prefix, homes in ONLY_IN.items():
                if name.startswith(prefix) and module not in homes:
                    report(path, number, f"<{name}> belongs to {', '.join(sorted(homes))} only")
        elif pure and CLOCK_CALLS.search(line):
            report(path, number, f"pure module {module} reads a clock or the environment")


def check_sizes(path, lines, report):
    if len(lines) > FILE_LINES_MAX:
        report(path, len(lines), f"{len(lines)} lines: a file is one idea (at most {FILE_LINES_MAX})")
    # A function body begins at a line that ends in '{' with at most four columns of indent and a ')' before it.
    start = None
    for number, line in enumerate(lines, 1):
        if start is None:
            opens = re.match(r"^( {0,4})(?!namespace|class|struct|enum|union|extern|if|for|while|switch|\})\S.*\)[^;=]*\{\s*$", line)
            if opens:
                start, indent = number, opens.group(1)
        elif re.match(rf"^{indent}\}}", line):
            length = number - start + 1
            if length > FUNCTION_LINES_MAX:
                report(path, start, f"function of {length} lines (at most {FUNCTION_LINES_MAX})")
            start = None


def check_words(path, lines, report):
    if FORBIDDEN_NAMES.search(path.stem):
        report(path, 1, "name says nothing: no util, helper, common, manager")
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            report(path, number, "unfinished work")


def check_tree(root, layers):
    findings = []

    def report(path, number, message):
        findings.append(f"{path.relative_to(root)}:{number}: {message}")

    count = 0
    for path in sources(root):
        count += 1
        lines = path.read_text().splitlines()
        check_includes(path, lines, module_of(path, root), layers, report)
        check_sizes(path, lines, report)
        check_words(path, lines, report)
    main = root / "src/app/main.cpp"
    if main.exists() and len(main.read_text().splitlines()) >= 100:
        report(main, 1, "main.cpp stays under 100 lines")
    return count, findings


def check_headers(root):
    """Every public header compiles alone."""
    headers = [path for path in sources(root) if path.suffix == ".h"]

    def compile_alone(path):
        result = subprocess.run(
            [os.environ.get("CXX", "g++"), "-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
             f"-I{root / 'include'}", f"-I{root / 'src'}", '-DRINGWEIR_VERSION="0"', "-x", "c++", "-"],
            input=f'#include "{path}"\n', capture_output=True, text=True)
        return None if result.returncode == 0 else f"{path.relative_to(root)}:1: does not compile alone\n{result.stderr[:800]}"

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = [finding for finding in pool.map(compile_alone, headers) if finding]
    return len(headers), findings


def self_test(layers):
    """The rules find what they are for: each sample is a tree with one fault."""
    samples = {
        "src/sip/a.cpp": '#include "ringweir/shard/shard.h"\n',
        "src/auth/b.cpp": "#include <unistd.h>\n",
        "src/location/c.cpp": "auto t = std::chrono::steady_clock::now();\n",
        "src/shard/d.cpp": "#include <liburing.h>\n",
        "src/sip/e.cpp": "void f() {\n" + "  g();\n" * 80 + "}\n",
        "src/sip/string_helper.cpp": "\n",
        "src/sip/g.cpp": "// TODO later\n",
        "include/ringweir/base/h.h": "#pragma once\n#include <mutex>\n",
        "src/nowhere/i.cpp": "\n",
    }
    failures = []
    for name, text in samples.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.parent.mkdir(parents=True)
            path.write_text(text)
            if len(check_tree(Path(folder), layers)[1]) != 1:
                failures.append(f"tidy.py: sample {name} was not found out")
    return len(samples), failures


def main():
    layers = read_layers(TABLE.read_text())
    jobs = [("samples", self_test(layers)), ("files", check_tree(ROOT, layers))]
    if "--headers" in sys.argv:
        jobs.append(("headers alone", check_headers(ROOT)))
    failed = False
    for what, (count, findings) in jobs:
        print(f"tidy: {count} {what}, {len(findings)} findings")
        for finding in findings:
            print(finding)
        failed |= bool(findings)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
