"""The steps of toolchain/test: what they run, in which order, and what their output counts as.

A step succeeds when it ran something and nothing of it failed; its counts are read from what
the tools printed. Steps that do not disturb each other run at the same time.
"""
import os
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build"
LOGS = BUILD / "test-logs"
# Without FUZZ_SECONDS the fuzzers begin alike each time: a test of the program as it is, not a
# search, whose finds would fail whoever happens to run it.
SEARCH = "FUZZ_SECONDS" in os.environ
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS", "20"))
# How much of the machine a step takes: a test that mostly waits, a core that it keeps busy, or
# all of it, for what builds and for what measures.
LIGHT, CORE, ALONE = 1, 2, 4
STEP_LIMIT_S = 1500  # a step that takes longer hangs
# How pytest, cmocka, node, sanitizers and our own scripts begin the line that names a failure.
FAILURE = re.compile(r"(FAILED|ERROR|FAIL|not ok|✖|\[  FAILED  \]|SUMMARY:) |error:|.*: error: ")


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed,
                     self.skipped + other.skipped)

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


@dataclass
class Step:
    name: str
    command: list
    count: callable  # (step, exit code, output) -> Count
    needs: tuple = ()
    weight: int = CORE
    env: dict = field(default_factory=dict)
    cwd: Path = TOP
    may_skip: bool = False  # skipping all of it is an answer
    asked: bool = False  # runs only when it is named, or with --all: it takes long
    timed: bool = False  # judges by the clock, beside other steps on a machine that others use

    @property
    def log(self):
        return LOGS / f"{self.name}.log"


# --- what an output counts as ---------------------------------------------------------------

def one(_step, code, _output):
    """A command that checks one thing."""
    return Count(passed=1) if code == 0 else Count(failed=1)


def total_line(_step, _code, output):
    """A script whose last line is its total."""
    lines = output.rstrip().splitlines()
    found = re.fullmatch(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?",
                         lines[-1].strip() if lines else "")
    return Count(*(int(n or 0) for n in found.groups())) if found else Count(failed=1)


def node_test(_step, _code, output):
    """The summary of node --test, whichever reporter printed it."""
    found = dict(re.findall(r"^(?:#|ℹ) (pass|fail|cancelled|skipped|todo) (\d+)$", output, re.M))
    n = {word: int(found.get(word, 0)) for word in ("pass", "fail", "cancelled", "skipped", "todo")}
    return Count(n["pass"], n["fail"] + n["cancelled"], n["skipped"] + n["todo"])


def ctest(step, _code, _output):
    """ctest counts programs; where a program is a cmocka suite, its own counts are taken."""
    total = Count()
    try:
        cases = ElementTree.parse(step.log.with_suffix(".xml")).iter("testcase")
        for case in cases:
            total += cmocka(case.get("status"), case.findtext("system-out", ""))
    except (OSError, ElementTree.ParseError):
        total += Count(failed=1)
    return total


def cmocka(status, output):
    def sum_of(word):
        return sum(int(n) for n in re.findall(rf"^\[ *{word} *\] (?:.*: )?(\d+) test", output, re.M))

    counts = Count(sum_of("PASSED"), sum_of("FAILED"), sum_of("SKIPPED"))
    # A program that crashed, or is no cmocka suite, is one result.
    if status != "run":
        return counts if counts.failed else counts + Count(failed=1)
    return counts if counts != Count() else Count(passed=1)


def fuzz(_step, code, output):
    """A fuzzer that ran no input has proved nothing."""
    done = re.search(r"^Done (\d+) runs", output, re.M)
    return Count(passed=1) if code == 0 and done and int(done[1]) > 0 else Count(failed=1)


# --- the steps ------------------------------------------------------------------------------

def sources():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h"],
                            cwd=TOP, capture_output=True, text=True, check=True).stdout.split()
    return sorted(f for f in listed if (TOP / f).is_file())


def sanitized(name):
    """Reports of the sanitizers go to files of the step's own: no harness can miss them."""
    log = f"log_path={LOGS / name}.report"
    return {"ASAN_OPTIONS": f"{log}:detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": f"{log}:print_stacktrace=1",
            "TSAN_OPTIONS": f"{log}:halt_on_error=1:second_deadlock_stack=1"}


def build(preset):
    return Step(f"build-{preset}", ["toolchain/build", preset], one, weight=ALONE)


def unit(preset):
    name = f"unit-{preset}"
    return Step(name, ["ctest", "--test-dir", f"build/{preset}", "-j2", "--output-on-failure",
                       "--test-output-size-passed", "1000000",
                       "--test-output-size-failed", "1000000",
                       "--output-junit", str(LOGS / f"{name}.xml")],
                ctest, needs=(f"build-{preset}",), weight=ALONE, env=sanitized(name))


def script(folder, preset="release", **how):
    """A folder of tests brings its own runner, which prints a total."""
    name = f"{folder}-{preset}" if preset != "release" or folder == "wire" else folder
    env = {"PULSEBOARD_BUILD": str(BUILD / preset)}
    if preset != "release":
        env.update(sanitized(name))
    return Step(name, [f"tests/{folder}/run"], total_line, needs=(f"build-{preset}",),
                env=env, **how)


def soak(name, *args, **how):
    """Short here, so that it still works on the day when it runs for hours."""
    return Step(name, ["tests/soak/churn", "--seconds", "60", *args], total_line,
                needs=("build-release",), env={"PULSEBOARD_BUILD": str(BUILD / "release")},
                timed=True, **how)


def fuzzer(source):
    name = source.stem
    found = BUILD / "fuzz" / "new" / name
    kept = [str(p) for p in (TOP / "tests/fuzz/corpus" / name, TOP / "tests/fuzz/regress" / name)
            if p.is_dir()]
    found.mkdir(parents=True, exist_ok=True)
    return Step(name.replace("_", "-"),
                [str(BUILD / "fuzz" / "tests" / name), f"-max_total_time={FUZZ_SECONDS}",
                 *([] if SEARCH else ["-seed=1"]),
                 "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1",
                 f"-artifact_prefix={LOGS}/{name}-", str(found), *kept],
                fuzz, needs=("build-fuzz",))


def steps():
    """In the order in which they start, as far as needs and cores allow."""
    tidy = ["toolchain/lib/tidy", "build/dev", *(f for f in sources() if f.endswith(".c"))]
    return [
        Step("format", ["toolchain/lib/format", *sources()], total_line, may_skip=True),
        Step("house", ["toolchain/house"], total_line),
        Step("web-check", ["npm", "run", "--silent", "check"], one, cwd=TOP / "web"),
        Step("web-test", ["npm", "test", "--silent"], node_test, cwd=TOP / "web"),
        build("release"),
        build("dev"),
        build("tsan"),
        build("fuzz"),
        unit("dev"),
        unit("tsan"),
        Step("bench", ["tests/bench/run", "--short"], total_line, needs=("build-release",),
             weight=ALONE, asked=True),
        Step("budgets", ["tests/bench/budgets"], one, needs=("build-release",), weight=ALONE,
             asked=True),
        Step("page", ["tests/bench/page", "--seconds", "5"], one, needs=("build-release",),
             weight=ALONE),
        Step("cross", ["toolchain/cross", "armhf"], total_line),
        script("wire", timed=True),
        # Emulated boards start slowly and wait much: beside whatever else there is to do.
        Step("firmware", ["tests/firmware/run"], total_line, needs=("cross",), timed=True),
        Step("boards", ["tests/firmware/run", "--boards"], total_line, asked=True),
        Step("chaos", ["tests/chaos/run"], total_line, needs=("build-release", "build-dev"),
             env={"PULSEBOARD_BUILD": str(BUILD / "release")}, weight=LIGHT, may_skip=True,
             timed=True),
        *(fuzzer(f) for f in sorted((TOP / "tests/fuzz").glob("fuzz_*.c"))),
        script("wire", "tsan", weight=LIGHT, asked=True),
        script("wire", "dev", weight=LIGHT, timed=True),
        script("browser", timed=True),
        script("deb", weight=LIGHT, may_skip=True, asked=True),
        script("recipes", weight=LIGHT, asked=True),
        Step("tidy", tidy, one, needs=("build-dev",)),
        soak("soak-echo"),
        soak("soak-board", "--board"),
    ]


# --- running them ---------------------------------------------------------------------------

class Runner:
    """Starts steps while they fit on the cores; prints a line as each ends."""

    def __init__(self, chosen):
        self.all = chosen
        self.waiting = list(chosen)
        self.names = {s.name for s in chosen}
        self.ended = {}  # name -> Count
        self.running = []
        self.disturbed = set()  # names of timed steps that did not have the machine to themselves
        self.children = set()
        self.changed = threading.Condition()

    def run(self):
        with self.changed:
            while self.waiting or self.running:
                step = self.next_step()
                if step is None:
                    self.changed.wait(1)
                    continue
                self.waiting.remove(step)
                self.start(step)
                threading.Thread(target=self.work, args=(step,), daemon=True).start()
        self.once_more()
        return sum(self.ended.values(), Count())

    def start(self, step):
        if self.running:
            self.disturbed |= {s.name for s in (*self.running, step) if s.timed}
        self.running.append(step)

    def next_step(self):
        """The first that is ready. One that is ready but too heavy keeps later ones back, so
        that it gets its turn."""
        for step in self.waiting:
            if any(need in self.names and need not in self.ended for need in step.needs):
                continue
            busy = sum(s.weight for s in self.running)
            return step if busy + step.weight <= ALONE else None
        return None

    def once_more(self):
        """What judged by the clock and failed beside other work is asked again, alone: a machine
        that was held up is no fault of ours, a fault of ours is still there. Its first log is
        kept; what sanitizers reported is a fault, whenever it was seen."""
        for step in self.all:
            reported = list(LOGS.glob(f"{step.name}.report.*"))
            if self.ended[step.name].failed and step.name in self.disturbed and not reported:
                print(f"again {step.name}, alone; beside other steps this failed:")
                print("".join(f"    | {line}\n" for line in self.failures(step)), end="", flush=True)
                step.log.rename(step.log.with_suffix(".first.log"))
                self.start(step)
                self.work(step)

    def work(self, step):
        started = time.monotonic()
        broken = [n for n in step.needs if n in self.ended and self.ended[n].failed]
        if broken:
            step.log.write_text(f"not run: {broken[0]} failed\n")
            count = Count(failed=1)
        else:
            count = self.execute(step)
        with self.changed:
            self.ended[step.name] = count
            self.running.remove(step)
            self.show(step, count, time.monotonic() - started)
            self.changed.notify_all()

    def execute(self, step):
        with open(step.log, "wb") as log:
            try:
                child = subprocess.Popen(step.command, cwd=step.cwd, env={**os.environ, **step.env},
                                         stdin=subprocess.DEVNULL, stdout=log,
                                         stderr=subprocess.STDOUT, start_new_session=True)
            except OSError as error:
                log.write(f"{error}\n".encode())
                return Count(failed=1)
            self.children.add(child)
            try:
                code = child.wait(STEP_LIMIT_S)
            except subprocess.TimeoutExpired:
                end_group(child)
                code = child.wait()
                log.write(f"\nended after {STEP_LIMIT_S} s\n".encode())
            self.children.discard(child)
        return self.judge(step, code)

    @staticmethod
    def judge(step, code):
        count = step.count(step, code, step.log.read_text(errors="replace"))
        reports = sorted(LOGS.glob(f"{step.name}.report.*"))
        with open(step.log, "a") as log:
            for report in reports:
                log.write(f"\n{report.name}:\n{report.read_text(errors='replace')}")
            if count.failed == 0:
                if reports:
                    count += Count(failed=1)
                elif code != 0:
                    log.write(f"\nended with {code}, though no test failed\n")
                    count += Count(failed=1)
                elif count.passed == 0 and not (step.may_skip and count.skipped):
                    log.write("\nno test ran\n")
                    count += Count(failed=1)
        return count

    @staticmethod
    def show(step, count, seconds):
        verdict = "FAIL" if count.failed else "ok"
        print(f"{verdict:5} {step.name:20} {seconds:6.1f} s   {count}", flush=True)
        if count.failed:
            tail = step.log.read_text(errors="replace").rstrip().splitlines()[-40:]
            print("".join(f"    | {line}\n" for line in tail) + f"    {step.log}", flush=True)

    @staticmethod
    def failures(step):
        """The lines of its log that name what failed."""
        lines = step.log.read_text(errors="replace").rstrip().splitlines()
        return [line[:300] for line in lines if FAILURE.match(line)][:8] or lines[-1:]

    def remind(self):
        """What failed, once more in few lines: it may be far up by now."""
        for step in self.all:
            if self.ended[step.name].failed:
                print("".join(f"{step.name}: {line}\n" for line in self.failures(step)), end="")

    def stop(self):
        for child in list(self.children):
            end_group(child)


def end_group(child):
    """Ends a step with everything that it started: it leads a session of its own."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def choose(every, wanted):
    """The steps that the words ask for, and what those need."""
    if wanted == ["--all"]:
        return every
    if not wanted:
        return [s for s in every if not s.asked]
    names = set()
    for word in wanted:
        found = {s.name for s in every if s.name == word or s.name.startswith(word)}
        if not found:
            sys.exit(f"toolchain/test: no step is called {word}; --list names them")
        names |= found
    for step in every:
        if step.name in names:
            names |= set(step.needs)
    return [s for s in every if s.name in names]


def main():
    every = steps()
    if sys.argv[1:] == ["--list"]:
        print("\n".join(s.name + (" (when named, or with --all)" if s.asked else "") for s in every))
        return 0
    chosen = choose(every, sys.argv[1:])
    LOGS.mkdir(parents=True, exist_ok=True)
    for old in LOGS.iterdir():
        old.unlink()
    started = time.monotonic()
    runner = Runner(chosen)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        total = runner.run()
    except KeyboardInterrupt:
        runner.stop()
        return 130
    print()
    runner.remind()
    print(f"{len(chosen)} steps in {time.monotonic() - started:.0f} s")
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
