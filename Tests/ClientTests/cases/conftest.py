"""What cases use."""

import importlib.metadata
import importlib.util
import json
import os
import re
from pathlib import Path

import pytest

from support import SITE, People, Raw, Repositories, csghub

RESULT: dict = {"passed": 0, "failed": [], "expected": [], "slow": []}


def version_of(package: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", importlib.metadata.version(package))[:3])


def installed(what: str) -> bool:
    if what == "xet":
        return importlib.util.find_spec("hf_xet") is not None
    if what == "cli":
        return importlib.util.find_spec("huggingface_hub.cli") is not None
    if what == "sdk":
        return importlib.util.find_spec("pycsghub") is not None
    if what == "hub":
        return importlib.util.find_spec("pycsghub") is None
    if what == "lfs":
        return importlib.util.find_spec("hf_xet") is None
    return importlib.util.find_spec(what) is not None


def pytest_collection_modifyitems(config, items):
    """Leaves out what is not for this client; a case of the hub client is not run again under csghub-sdk."""
    here = version_of("huggingface_hub")
    kept = []
    for item in items:
        needs = [name for mark in item.iter_markers("needs") for name in mark.args]
        # The files that only look at the hub itself run once, with the present client.
        if "sdk" not in needs and not any(item.iter_markers("over_tls")):
            needs.append("hub")
        since = [mark.args[0] for mark in item.iter_markers("since")]
        before = [mark.args[0] for mark in item.iter_markers("before")]
        parse = lambda text: tuple(int(part) for part in text.split("."))  # noqa: E731
        if all(map(installed, needs)) and all(here >= parse(v) for v in since) and all(here < parse(v) for v in before):
            kept.append(item)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_runtest_logreport(report):
    name = report.nodeid.split("cases/")[-1].removesuffix("]").replace("[", " ").replace(".py::", ": ")
    if report.duration >= 1:
        RESULT["slow"].append([name, report.duration])
    if hasattr(report, "wasxfail") and report.skipped:
        RESULT["expected"].append([name, report.wasxfail.removeprefix("reason: ")])
    elif report.failed:
        text = getattr(getattr(report.longrepr, "reprcrash", None), "message", None) or str(report.longrepr)
        RESULT["failed"].append([name, " ".join(text.split())[:300]])
    elif report.when == "call" and report.passed:
        RESULT["passed"] += 1
    if "CLIENT_TESTS_RESULT" in os.environ:
        Path(os.environ["CLIENT_TESTS_RESULT"]).write_text(json.dumps(RESULT))


@pytest.fixture(scope="session")
def site():
    return SITE


@pytest.fixture(scope="session")
def people():
    return People()


@pytest.fixture(scope="session")
def ada(people):
    """The client of the person who owns nearly everything, with a token that may write."""
    return people.api("ada")


@pytest.fixture(scope="session")
def owner(people):
    """Ada with a token that may do all that she may."""
    return people.api("ada", "admin")


@pytest.fixture(scope="session")
def bob(people):
    return people.api("bob")


@pytest.fixture(scope="session")
def eve(people):
    """Somebody with an account and no other right."""
    return people.api("eve")


@pytest.fixture(scope="session")
def visitor(people):
    """Somebody who has not signed in."""
    return people.visitor()


@pytest.fixture(scope="session")
def raw():
    return Raw()


@pytest.fixture()
def repositories(owner):
    return Repositories(owner)


@pytest.fixture(scope="session")
def verbs():
    return csghub


@pytest.fixture(scope="session")
def model(owner):
    """A model that cases only read: a card, a configuration, small files in folders, a large file."""
    from support import MODEL_FILES

    return Repositories(owner).make(files=MODEL_FILES, name="reading")


@pytest.fixture(scope="session")
def dataset(owner):
    from support import DATASET_FILES

    return Repositories(owner).make("dataset", files=DATASET_FILES, name="reading")


@pytest.fixture(scope="session")
def private_model(owner):
    return Repositories(owner).make(files={"secret.txt": b"secret\n"}, private=True, name="private")
