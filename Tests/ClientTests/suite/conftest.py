"""What huggingface_hub's own tests expect around them, for a hub under test.

The source distribution has the tests without their `conftest.py`. This one gives the fixtures and marks that they name, leaves
out what a private hub does not have, and tells the tests that ask the hub from those of the client alone.
"""

import contextlib
import json
import os
from importlib.util import find_spec
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HfHubHTTPError

from . import testing_constants

SITE = json.loads(Path(os.environ["CLIENT_TESTS_SITE"]).read_text())
for name, value in SITE["tokens"].items():
    setattr(testing_constants, name, value)

from .testing_utils import repo_name  # noqa: E402  after the tokens are set

# The tests name it in their annotations.
RepoFactory = object

RESULT: dict = {"passed": 0, "failed": [], "expected": [], "slow": [], "client_only": 0}

# Why a test does not apply to a private hub, by a word of its id or of a fixture.
LEFT_OUT = {
    "bucket": "buckets are left out", "production": "reads what is on huggingface.co", "kernel": "no repositories of kernels",
    "inference": "calls inference providers", "Inference": "calls inference providers", "oauth": "no sign-in for other sites",
    "test_create_repo_private_by_default": "a policy of Hugging Face's paid organizations",
}

# What is known to differ, and on purpose.
EXPECTED = {
    "test_create_commit_repo_does_not_exist": "the message says more than Hugging Face's: which hub has no such repository",
    "TestHfHubDownloadRelativePaths": "a path that leaves its folder on Windows is refused when it is uploaded",
}


def pytest_collection_modifyitems(config, items):
    def words(item):
        return [item.nodeid, *item.fixturenames, *(mark.name for mark in item.iter_markers())]

    left = [item for item in items if any(word in text for word in LEFT_OUT for text in words(item))]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


# MARK: Who asks the hub


asking: dict[str, bool] = {}
current = {"test": ""}
send = httpx2.HTTPTransport.handle_request


def handle_request(self, request):
    if request.url.host == SITE["host"]:
        asking[current["test"]] = True
    return send(self, request)


httpx2.HTTPTransport.handle_request = handle_request


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    current["test"] = item.nodeid


def pytest_runtest_logreport(report):
    name = report.nodeid.split("/")[-1].replace(".py::", ": ").replace("::", " ")
    if report.duration >= 1:
        RESULT["slow"].append([name, report.duration])
    if report.failed:
        text = getattr(getattr(report.longrepr, "reprcrash", None), "message", None) or str(report.longrepr)
        reason = next((why for word, why in EXPECTED.items() if word in report.nodeid), None)
        if reason:
            RESULT["expected"].append([name, reason])
        elif asking.get(report.nodeid):
            RESULT["failed"].append([name, " ".join(text.split())[:300]])
    elif report.when == "call" and report.passed:
        # What asks nothing of the hub says nothing about it.
        RESULT["passed" if asking.get(report.nodeid) else "client_only"] += 1
    Path(os.environ["CLIENT_TESTS_RESULT"]).write_text(json.dumps(RESULT))


# MARK: Fixtures that the tests name


@pytest.fixture(autouse=True)
def fresh_client(request, monkeypatch, tmp_path_factory):
    """No cache, token or answer of an earlier test."""
    from huggingface_hub.cli._output import out
    from huggingface_hub.utils import _auth, _detect_agent

    home = tmp_path_factory.mktemp("home")
    monkeypatch.setattr(constants, "HF_HOME", str(home))
    parts = {
        "HF_HUB_CACHE": "hub", "HUGGINGFACE_HUB_CACHE": "hub", "HF_XET_CACHE": "xet", "HF_ASSETS_CACHE": "assets",
        "HF_TOKEN_PATH": "token", "HF_STORED_TOKENS_PATH": "stored_tokens",
    }
    for name, part in parts.items():
        monkeypatch.setattr(constants, name, str(home / part))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_EXPERIMENTAL_WARNING", True)
    monkeypatch.setattr(_auth, "_OAUTH_REFRESH_CACHE", None)
    monkeypatch.setattr(_auth, "_OAUTH_REFRESH_WARNED", False)
    monkeypatch.setattr(_detect_agent, "_registry", _detect_agent._EMPTY_REGISTRY)
    # The client's tables are as wide as the terminal.
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    out.set_mode()
    out.set_no_truncate(False)

    def marked(mark):
        return request.node.get_closest_marker(mark) is not None

    if marked("git_lfs"):
        pytest.skip("sets up git-lfs for all of this account")
    if marked("xet" if find_spec("hf_xet") is None else "no_xet"):
        pytest.skip("is of the other way to transfer")


@pytest.fixture(autouse=True)
def warned_of(request):
    names = [name for mark in request.node.iter_markers("deprecated") for name in mark.args]
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(pytest.warns(FutureWarning, match=f".*'{name}'.*"))
        yield


@pytest.fixture(scope="session")
def api():
    return HfApi(endpoint=testing_constants.ENDPOINT_STAGING, token=testing_constants.TOKEN)


@pytest.fixture
def repo_factory(api):
    """Makes repositories that are gone after the test."""
    made = []

    def make(repo_type="model", **more):
        more.setdefault("repo_id", repo_name(prefix=repo_type))
        if repo_type == "space":
            more.setdefault("space_sdk", "gradio")
        url = api.create_repo(repo_type=repo_type, **more)
        made.append((url.repo_id, repo_type))
        return url

    yield make
    for repo_id, repo_type in made:
        # Those of others are gone with the hub.
        with contextlib.suppress(HfHubHTTPError):
            api.delete_repo(repo_id, repo_type=repo_type, missing_ok=True)


@pytest.fixture
def new_repo_id(api):
    """A name that the test gives to a repository."""
    repo_id = f"{testing_constants.USER}/{repo_name()}"
    yield repo_id
    api.delete_repo(repo_id, missing_ok=True)
