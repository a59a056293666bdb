#!/usr/bin/env python3
"""Runs huggingface_hub's own tests against the hub, as far as they are about what a private hub has.

They come with the client's source distribution, and they talk to Hugging Face's hub for tests. In a network without other hosts
that name is this machine, so nothing of them or of the client is changed: only tokens are given. The last line is
"N passed, N failed[, N expected failures]".
"""

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from environments import SUITE, SUITE_FILES  # noqa: E402
from hub_under_test import Hub, plain_environment  # noqa: E402
from isolation import Isolation  # noqa: E402
from run import HERE, parse, prepare, report, say  # noqa: E402

HOST = "hub-ci.huggingface.co"
# The people that the tests know, and the names of their tokens in `testing_constants.py`.
PEOPLE = {
    "__DUMMY_HUB_USER__": ("Dummy User", "TOKEN"), "DVUser": ("Other User", "OTHER_TOKEN"),
    "EnterpriseAdmin": ("Administrator", "ENTERPRISE_TOKEN"),
}
# An organization and who administers it.
ORGANIZATIONS = {"valid_org_hub": ("Dummy Hub Org", "__DUMMY_HUB_USER__"), "EnterpriseOrgPrivate": ("Enterprise", "EnterpriseAdmin")}


def main() -> int:
    options = parse()
    work = Path(options.work).resolve()
    complaint = prepare(SUITE, work)
    if complaint:
        raise SystemExit(f"{SUITE.name} cannot be installed: {complaint}")
    run = work / "run-suite"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    tests = unpack(work, run)
    isolation = Isolation()
    try:
        isolation.enter(names=[HOST])
    except OSError as error:
        say(f"  note: these tests need a network of their own, which this machine does not give ({error}).")
        if options.results:
            Path(options.results).write_text(json.dumps({"passed": 0, "failed": [], "expected": 0}))
        say("0 passed, 0 failed")
        return 0

    hub = Hub(Path(options.binary).resolve(), run / "hub", tls=True)
    hub.port, hub.url = 443, f"https://{HOST}"
    hub.start()
    try:
        line = run_tests(options, run, tests, hub)
    finally:
        hub.stop()
    say(f"  {line['client_only']} more tests asked nothing of the hub.")
    return report([line], {}, {}, line["seconds"], options.results)


def unpack(work: Path, run: Path) -> Path:
    """The tests of the source distribution, which is fetched once."""
    version = next(word.split("==")[1] for word in SUITE.requirements if word.startswith("huggingface_hub=="))
    archive = work / SUITE.name / f"huggingface_hub-{version}.tar.gz"
    if not archive.exists():
        subprocess.run(
            [str(work / SUITE.name / "bin" / "python"), "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
             "--dest", str(archive.parent), f"huggingface_hub=={version}"],
            check=True, timeout=300, stdin=subprocess.DEVNULL)
    with tarfile.open(archive) as file:
        file.extractall(run, filter="data")
    folder = run / f"huggingface_hub-{version}"
    (folder / "tests" / "__init__.py").touch()
    shutil.copy(HERE / "suite" / "conftest.py", folder / "tests")
    return folder


def run_tests(options, run: Path, folder: Path, hub: Hub) -> dict:
    tokens = {}
    for name, (full_name, constant) in PEOPLE.items():
        hub.run(
            "account", "create", name, "--email", f"{name}@example.org", "--full-name", full_name, "--password-file", "-",
            text=f"a long password of {name}\n")
        tokens[constant] = hub.token(name, "admin")
    for name, (full_name, member) in ORGANIZATIONS.items():
        hub.run("organization", "create", name, "--full-name", full_name)
        hub.run("organization", "member", "add", name, member, "--role", "admin")
    site, result, home = run / "site.json", run / "result.json", run / "home"
    site.write_text(json.dumps({"host": HOST, "tokens": tokens}))
    home.mkdir()
    environment = plain_environment() | {
        "HOME": str(home), "CLIENT_TESTS_SITE": str(site), "CLIENT_TESTS_RESULT": str(result), "HUGGINGFACE_CO_STAGING": "1",
        "SSL_CERT_FILE": str(hub.certificate), "HF_HUB_DISABLE_UPDATE_CHECK": "1", "PYTHONDONTWRITEBYTECODE": "1",
    }
    words = [str(Path(options.work).resolve() / SUITE.name / "bin" / "python"), "-m", "pytest", "-q", "-W", "error::FutureWarning"]
    # The suite's own settings print all that is logged.
    words += ["-o", "addopts=", "-p", "no:cacheprovider", "--timeout=180", "--basetemp", str(run / "tmp")]
    words += (["-k", options.expression] if options.expression else []) + (["-x"] if options.first else [])
    words += [f"tests/{name}.py" for name in SUITE_FILES]
    say("  The client's own tests run.")
    with open(run / "tests.log", "wb") as log:
        try:
            status = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=folder, timeout=SUITE.seconds).returncode
        except subprocess.TimeoutExpired:
            status = "out of time"
    line = json.loads(result.read_text()) if result.exists() else {
        "passed": 0, "failed": [], "expected": [], "slow": [], "client_only": 0}
    if status not in (0, 1):
        line["failed"].append([f"the run ended with {status}", f"see {run / 'tests.log'}"])
    return line | {"name": SUITE.name, "seconds": sum(took for _, took in line["slow"])}


if __name__ == "__main__":
    sys.exit(main())
