#!/usr/bin/env python3
"""Runs the cases with every client and adds up. The last line is "N passed, N failed[, N expected failures]"."""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from environments import ENVIRONMENTS, RUNNER, Environment  # noqa: E402
from hub_under_test import Hub, plain_environment  # noqa: E402
from isolation import Isolation  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
INSTALL_SECONDS = 300
# What clients ask for that no setting of theirs stops; neither waits where the site's name server answers.
KNOWN_HOSTS = {
    "pypi.org": "hf of huggingface_hub 1.10 looks for a newer version once a day, for 2 s at most",
    "datasets-server.localhost": "datasets looks for exported features beside the hub",
}
# A case that takes longer is told: a client that waits for another host takes that long.
SLOW_SECONDS = 10

speaking = threading.Lock()


def say(text: str) -> None:
    with speaking:
        print(text, flush=True)


def main() -> int:
    options = parse()
    work = Path(options.work).resolve()
    chosen = [one for one in ENVIRONMENTS if not options.only or one.name in options.only]
    if not chosen:
        raise SystemExit(f"There are: {', '.join(one.name for one in ENVIRONMENTS)}")
    run = work / "run"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    started = time.monotonic()
    unavailable = {}
    for one in chosen:
        complaint = prepare(one, work)
        if complaint:
            unavailable[one.name] = complaint
            say(f"  {one.name}: cannot be installed: {complaint}")
    chosen = [one for one in chosen if one.name not in unavailable]
    isolation = isolate() if options.isolated else None

    plain = Hub(Path(options.binary).resolve(), run / "plain", tls=False)
    secure = Hub(Path(options.binary).resolve(), run / "tls", tls=True)
    results = []
    try:
        if options.round != "tls":
            plain.start()
        if options.round != "plain":
            secure.start()
        with ThreadPoolExecutor(options.jobs) as pool:
            results = list(pool.map(lambda one: run_environment(one, options, run, plain, secure), chosen))
    finally:
        plain.stop()
        secure.stop()
    asked = isolation.asked if isolation else {}
    return report([line for lines in results for line in lines], unavailable, asked, time.monotonic() - started, options.results)


def isolate() -> Isolation | None:
    """Leaves the networks of this machine. Who may not do that runs the cases all the same."""
    isolation = Isolation()
    try:
        isolation.enter()
    except OSError as error:
        say(f"  note: the cases run on this machine's networks, as a network of their own cannot be had ({error}).")
        return None
    say("  The cases run where no other host can be reached.")
    return isolation


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=os.environ.get("CSGHUB_BINARY", str(ROOT / ".build-static" / "csghub")))
    parser.add_argument("--work", default=str(ROOT / ".build" / "clients"), help="where environments are kept")
    parser.add_argument("--only", action="append", help="an environment; may be repeated")
    parser.add_argument("--round", choices=["plain", "tls"], help="only over plain HTTP, or only over TLS")
    parser.add_argument("--jobs", type=int, default=2, help="environments at a time")
    parser.add_argument("--isolated", action="store_true", help="without a route to any other host, where this machine allows that")
    parser.add_argument("--results", help="a file for the sums, read by installer/test")
    parser.add_argument("-k", dest="expression", help="as pytest's")
    parser.add_argument("-x", dest="first", action="store_true", help="stop at the first failure")
    options = parser.parse_args()
    if not os.access(options.binary, os.X_OK):
        raise SystemExit(f"There is no executable {options.binary}; run installer/build or set CSGHUB_BINARY.")
    return options


# MARK: Environments


def prepare(one: Environment, work: Path) -> str | None:
    """Makes the virtual environment unless it is there. Returns why it cannot be made."""
    folder = work / one.name
    stamp = folder / "made-of"
    recipe = hashlib.sha256(json.dumps([one.requirements, one.without, RUNNER, sys.version]).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == recipe:
        return None
    say(f"  Installing {one.name}.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    steps = [[sys.executable, "-m", "venv", folder], pip + ["install", *one.requirements, *RUNNER]]
    if one.without:
        steps.append(pip + ["uninstall", "--yes", *one.without])
    for step in steps:
        try:
            done = subprocess.run(
                [str(word) for word in step], capture_output=True, text=True, timeout=INSTALL_SECONDS, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            return f"not done after {INSTALL_SECONDS} s"
        if done.returncode != 0:
            return (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    stamp.write_text(recipe)
    return None


# MARK: Running


def run_environment(one: Environment, options: argparse.Namespace, run: Path, plain: Hub, secure: Hub) -> list[dict]:
    lines = []
    if options.round != "tls":
        site = plain.describe(one.slug, run / f"{one.name}.site.json")
        settings = {"HF_ENDPOINT": plain.url, "CSGHUB_DOMAIN": plain.url}
        lines.append(run_cases(one, one.name, options, run, site, settings, []))
    if options.round != "plain":
        site = secure.describe(one.slug, run / f"{one.name}-tls.site.json")
        lines.append(run_over_tls(one, options, run, secure, site))
    return lines


def run_over_tls(one: Environment, options: argparse.Namespace, run: Path, hub: Hub, site: Path) -> dict:
    """As a person would: the profile script of /connect, and nothing else."""
    home = run / f"{one.name}-tls-home"
    home.mkdir()
    profile = home / "profile.sh"
    got = subprocess.run(
        ["curl", "--fail", "--silent", "--show-error", "--cacert", str(hub.certificate), "--output", str(profile), hub.url + "/connect/profile.sh"],
        capture_output=True, text=True, timeout=20, env=plain_environment(),
    )
    name = one.name + " over TLS"
    if got.returncode != 0:
        return {"name": name, "passed": 0, "failed": [["/connect/profile.sh", got.stderr.strip()]], "expected": [], "seconds": 0}
    shown = subprocess.run(
        ["sh", "-c", '. "$0" > /dev/null && env -0', str(profile)],
        capture_output=True, text=True, timeout=20, env=plain_environment() | {"HOME": str(home)},
    )
    before = plain_environment()
    settings = dict(pair.split("=", 1) for pair in shown.stdout.split("\0") if "=" in pair)
    settings = {key: value for key, value in settings.items() if before.get(key) != value}
    return run_cases(one, name, options, run, site, settings, ["-m", "over_tls"])


def run_cases(
    one: Environment, name: str, options: argparse.Namespace, run: Path, site: Path, settings: dict[str, str], more: list[str],
    is_repeated: bool = False,
) -> dict:
    safe = name.replace(" ", "-")
    home = run / f"{safe}-home"
    home.mkdir(exist_ok=True)
    result = run / f"{safe}.json"
    environment = plain_environment() | {
        "HOME": str(home), "HF_HOME": str(home / "hf"), "CLIENT_TESTS_SITE": str(site), "CLIENT_TESTS_RESULT": str(result), "CLIENT_TESTS_RUN": "2" if is_repeated else "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_UPDATE_CHECK": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "0",
        "PYTHONDONTWRITEBYTECODE": "1", "TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_VERBOSITY": "error",
        "PATH": f"{options.work}/{one.name}/bin:{os.environ['PATH']}", "NO_COLOR": "1", "GIT_CONFIG_NOSYSTEM": "1",
        # A client that aborts says where.
        "RUST_BACKTRACE": "full", "PYTHONFAULTHANDLER": "1",
        "CSGHUB_TOKEN_PATH": str(home / "csghub-token"), **settings,
    }
    words = [str(Path(options.work).resolve() / one.name / "bin" / "python"), "-m", "pytest", "-q", str(HERE / "cases")]
    words += ["-c", str(HERE / "cases" / "pytest.ini"), "--basetemp", str(run / f"{safe}-tmp"), *more]
    words += (["-k", options.expression] if options.expression else []) + (["-x"] if options.first else [])
    began = time.monotonic()
    with open(run / f"{safe}.log", "wb") as log:
        try:
            status = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, timeout=one.seconds, cwd=run
            ).returncode
        except subprocess.TimeoutExpired:
            status = "out of time"
    if isinstance(status, int) and status < 0 and not is_repeated:
        # hf-xet now and then aborts the whole process; the hub is asked again, and it is told.
        log_file = run / f"{safe}.log"
        log_file.rename(run / f"{safe}-crashed.log")
        result.unlink(missing_ok=True)
        say(f"  note: {name}: the client's process ended by signal {-status}, see {safe}-crashed.log; its cases run once more.")
        return run_cases(one, name, options, run, site, settings, more, is_repeated=True)
    line = json.loads(result.read_text()) if result.exists() else {"passed": 0, "failed": [], "expected": [], "slow": []}
    # 5 is pytest's word for a choice that matches nothing.
    if status == "out of time" or (status not in (0, 5) and not line["failed"]):
        line["failed"].append([f"the run ended with {status}", f"see {run / f'{safe}.log'}"])
    line |= {"name": name, "seconds": round(time.monotonic() - began)}
    say(
        f"  {name}: {line['passed']} passed, {len(line['failed'])} failed"
        + (f", {len(line['expected'])} expected failures" if line["expected"] else "") + f" ({line['seconds']} s)"
    )
    return line


def report(
    lines: list[dict], unavailable: dict[str, str], asked: dict[str, int], seconds: float, path: str | None
) -> int:
    passed = sum(line["passed"] for line in lines)
    failed = [f"{line['name']}: {case} — {why}" for line in lines for case, why in line["failed"]]
    failed += [f"{name}: not installed — {why}" for name, why in unavailable.items()]
    failed += [f"a client asked for the host {name}, {count} times" for name, count in sorted(asked.items()) if name not in KNOWN_HOSTS]
    for name in sorted(asked.keys() & KNOWN_HOSTS.keys()):
        say(f"known: a client asked for the host {name}, {asked[name]} times — {KNOWN_HOSTS[name]}")
    slow = [(took, f"{line['name']}: {case}") for line in lines for case, took in line["slow"] if took >= SLOW_SECONDS]
    for took, text in sorted(slow, reverse=True):
        say(f"slow: {text} ({took:.0f} s)")
    expected: dict[str, list[str]] = {}
    for line in lines:
        for case, why in line["expected"]:
            expected.setdefault(f"{case} — {why}", []).append(line["name"])
    for text, names in sorted(expected.items()):
        say(f"known: {text} ({', '.join(names)})")
    for text in failed:
        say(f"failed: {text}")
    count = sum(len(names) for names in expected.values())
    if path:
        Path(path).write_text(json.dumps({"passed": passed, "failed": failed, "expected": count}))
    say(f"The clients took {round(seconds)} s.")
    say(f"{passed} passed, {len(failed)} failed" + (f", {count} expected failures" if count else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
