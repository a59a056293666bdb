"""Spaces and jobs. hf-hub-api §11."""

import pytest
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from support import ADA, since, status_of


@pytest.fixture()
def space(repositories):
    return repositories.make("space", space_sdk="gradio", files={"app.py": "print()\n"})


def test_runtime(ada, space):
    found = ada.get_space_runtime(space)
    assert isinstance(found.stage, str) and found.stage != "RUNNING"
    assert hasattr(found, "hardware") and hasattr(found, "sleep_time")


def test_runtime_of_nothing(ada):
    with pytest.raises(RepositoryNotFoundError):
        ada.get_space_runtime(f"{ADA}/never-was")


def test_secrets(owner, ada, space):
    owner.add_space_secret(space, "KEY", "hidden value", description="What for")
    owner.add_space_secret(space, "KEY", "another value")
    owner.delete_space_secret(space, "KEY")


@since("2.0")
def test_secrets_are_listed_without_values(owner, raw, people, space):
    owner.add_space_secret(space, "KEY", "hidden value", description="What for")
    assert owner.get_space_secrets(space)["KEY"].description == "What for"
    answer = raw("GET", f"/api/spaces/{space}/secrets", token=people.token("ada", "admin"))
    assert b"hidden value" not in answer.body


def test_secrets_of_others(eve, space):
    with pytest.raises(HfHubHTTPError) as error:
        eve.add_space_secret(space, "KEY", "value")
    assert status_of(error) == 403


def test_variables(owner, space):
    owner.add_space_variable(space, "COLOR", "red", description="Which")
    found = owner.get_space_variables(space)["COLOR"]
    assert (found.value, found.description) == ("red", "Which") and found.updated_at
    owner.add_space_variable(space, "COLOR", "blue")
    assert owner.get_space_variables(space)["COLOR"].value == "blue"
    owner.delete_space_variable(space, "COLOR")
    assert "COLOR" not in owner.get_space_variables(space)


@pytest.mark.parametrize("key", ["1A", "a b", "", "A-B", "x" * 300])
def test_variables_with_impossible_names(raw, people, space, key):
    answer = raw("POST", f"/api/spaces/{space}/variables", {"key": key, "value": "x"}, people.token("ada", "admin"))
    assert answer.status == 400


def test_secrets_given_at_creation(owner, repositories):
    repo = repositories.make("space", space_secrets=[{"key": "A", "value": "x"}], space_variables=[{"key": "B", "value": "y"}])
    assert owner.get_space_variables(repo)["B"].value == "y"


def test_pause_and_restart(owner, space):
    assert owner.pause_space(space).stage == "PAUSED"
    assert owner.restart_space(space).stage != "PAUSED"


def test_hardware(owner, space):
    found = owner.request_space_hardware(space, "cpu-upgrade")
    assert "cpu-upgrade" in (found.requested_hardware, found.hardware)


def test_sleep_time(owner, space):
    owner.request_space_hardware(space, "cpu-upgrade")
    assert owner.set_space_sleep_time(space, 3600).sleep_time == 3600


def test_others_do_not_run_it(eve, space):
    with pytest.raises(HfHubHTTPError) as error:
        eve.restart_space(space)
    assert status_of(error) == 403


@since("2.0")
def test_kinds_of_hardware(ada):
    assert isinstance(ada.list_spaces_hardware(), list)


@since("2.0")
def test_templates(ada):
    assert isinstance(ada.list_space_templates(), list)


@since("2.0")
def test_developing(owner, space):
    assert owner.disable_space_dev_mode(space).dev_mode is False


@since("1.10")
def test_jobs_are_not_here(raw, people):
    answer = raw("GET", f"/api/jobs/{ADA}/000000000000000000000000", token=people.token("ada"))
    assert answer.status == 404 and answer.json["error"]
