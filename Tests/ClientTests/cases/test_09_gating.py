"""Gated access. hf-hub-api §9."""

import pytest
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

from support import ADA, EVE, before, noise, over_tls, since, status_of

WEIGHTS = noise(50_000, 91)


@pytest.fixture()
def gated(repositories, owner):
    repo = repositories.make(files={"a.txt": "a", "w.bin": WEIGHTS})
    owner.update_repo_settings(repo, gated="manual")
    return repo


def ask(raw, people, repo, person="eve"):
    answer = raw("POST", f"/{repo}/ask-access", {"why": "research"}, people.token(person))
    assert answer.status in (200, 201, 204, 302, 303), answer.body


def users(requests):
    return {one.username: one for one in requests}


@over_tls
def test_the_description_stays_public(eve, gated):
    assert eve.model_info(gated).gated == "manual"
    assert "w.bin" in eve.list_repo_files(gated)


@pytest.mark.parametrize("path", ["a.txt", "w.bin"])
def test_files_are_not(eve, gated, tmp_path, path):
    with pytest.raises(GatedRepoError) as error:
        eve.hf_hub_download(gated, path, cache_dir=tmp_path)
    assert status_of(error) == 403


def test_nor_for_visitors(visitor, gated, tmp_path):
    with pytest.raises(GatedRepoError) as error:
        visitor.hf_hub_download(gated, "a.txt", cache_dir=tmp_path)
    assert status_of(error) == 401


def test_nor_as_a_snapshot(eve, gated, tmp_path):
    with pytest.raises(GatedRepoError):
        eve.snapshot_download(gated, cache_dir=tmp_path)


def test_nor_by_git_lfs(raw, people, gated):
    import json

    from support import sha256

    body = json.dumps({"operation": "download", "transfers": ["basic"], "objects": [{"oid": sha256(WEIGHTS), "size": len(WEIGHTS)}]}).encode()
    headers = {"Accept": "application/vnd.git-lfs+json", "Content-Type": "application/vnd.git-lfs+json"}
    answer = raw("POST", f"/{gated}.git/info/lfs/objects/batch", body, people.token("eve"), headers)
    assert answer.status in (401, 403, 404) or "error" in answer.json["objects"][0]


def test_nor_by_raw(raw, people, gated):
    assert raw("GET", f"/{gated}/raw/main/a.txt", token=people.token("eve")).error[:2] == (403, "GatedRepo")


def test_its_owner_reads_it(ada, gated, tmp_path):
    assert open(ada.hf_hub_download(gated, "w.bin", cache_dir=tmp_path), "rb").read() == WEIGHTS


def test_asking_waits_for_an_answer(raw, people, owner, eve, gated, tmp_path):
    ask(raw, people, gated)
    request = users(owner.list_pending_access_requests(gated))[EVE]
    assert (request.status, request.fullname) == ("pending", "Eve") and request.timestamp
    with pytest.raises(GatedRepoError):
        eve.hf_hub_download(gated, "a.txt", cache_dir=tmp_path)


def test_accepted(raw, people, owner, eve, gated, tmp_path):
    ask(raw, people, gated)
    owner.accept_access_request(gated, EVE)
    assert EVE in users(owner.list_accepted_access_requests(gated)) and EVE not in users(owner.list_pending_access_requests(gated))
    assert open(eve.hf_hub_download(gated, "w.bin", cache_dir=tmp_path), "rb").read() == WEIGHTS


def test_rejected(raw, people, owner, eve, gated, tmp_path):
    ask(raw, people, gated)
    owner.reject_access_request(gated, EVE, rejection_reason="Not now")
    assert EVE in users(owner.list_rejected_access_requests(gated))
    with pytest.raises(GatedRepoError):
        eve.hf_hub_download(gated, "a.txt", cache_dir=tmp_path)


def test_taken_back(raw, people, owner, eve, gated, tmp_path):
    ask(raw, people, gated)
    owner.accept_access_request(gated, EVE)
    owner.cancel_access_request(gated, EVE)
    assert EVE in users(owner.list_pending_access_requests(gated))
    with pytest.raises(GatedRepoError):
        eve.hf_hub_download(gated, "a.txt", cache_dir=tmp_path)


def test_granted_without_asking(owner, eve, gated, tmp_path):
    owner.grant_access(gated, EVE)
    accepted = list(owner.list_accepted_access_requests(gated))
    assert EVE in users(accepted)
    # Who did not ask has shared no address.
    assert all(request.email is None for request in accepted if request.username == EVE)
    assert eve.hf_hub_download(gated, "a.txt", cache_dir=tmp_path)


def test_granted_twice(owner, gated):
    owner.grant_access(gated, EVE)
    with pytest.raises(HfHubHTTPError) as error:
        owner.grant_access(gated, EVE)
    assert status_of(error) == 400


def test_granted_to_nobody(owner, gated):
    with pytest.raises(HfHubHTTPError) as error:
        owner.grant_access(gated, "nobody-at-all")
    assert status_of(error) in (400, 404)


def test_accepting_who_never_asked(owner, gated):
    with pytest.raises(HfHubHTTPError) as error:
        owner.accept_access_request(gated, EVE)
    assert status_of(error) == 404


def test_accepting_twice(raw, people, owner, gated):
    ask(raw, people, gated)
    owner.accept_access_request(gated, EVE)
    with pytest.raises(HfHubHTTPError) as error:
        owner.accept_access_request(gated, EVE)
    assert status_of(error) == 404


@since("2.0")
def test_by_the_requests_id(raw, people, owner, gated):
    ask(raw, people, gated)
    request = users(owner.list_pending_access_requests(gated))[EVE]
    owner.accept_access_request(gated, request_id=request.request_id)
    assert EVE in users(owner.list_accepted_access_requests(gated))


def test_others_decide_nothing(eve, gated):
    for call in (lambda: list(eve.list_pending_access_requests(gated)), lambda: eve.grant_access(gated, EVE)):
        with pytest.raises(HfHubHTTPError) as error:
            call()
        assert status_of(error) == 403


def test_requests_of_what_is_not_gated(owner, repositories):
    repo = repositories.make()
    with pytest.raises(HfHubHTTPError) as error:
        list(owner.list_pending_access_requests(repo))
    assert status_of(error) == 400


def test_automatic_approval(raw, people, owner, eve, gated, tmp_path):
    owner.update_repo_settings(gated, gated="auto")
    with pytest.raises(GatedRepoError):
        eve.hf_hub_download(gated, "a.txt", cache_dir=tmp_path)
    ask(raw, people, gated)
    assert eve.hf_hub_download(gated, "a.txt", cache_dir=tmp_path)


def test_gating_ends(owner, eve, gated, tmp_path):
    owner.update_repo_settings(gated, gated=False)
    assert eve.hf_hub_download(gated, "a.txt", cache_dir=tmp_path)


def test_gated_datasets(repositories, owner, eve, tmp_path):
    repo = repositories.make("dataset", files={"a.csv": "a\n1\n"})
    owner.update_repo_settings(repo, gated="auto", repo_type="dataset")
    with pytest.raises(GatedRepoError):
        eve.hf_hub_download(repo, "a.csv", repo_type="dataset", cache_dir=tmp_path)


def test_the_error_names_what_to_do(raw, people, gated):
    answer = raw("GET", f"/{gated}/resolve/main/a.txt", token=people.token("eve"))
    assert answer.error[:2] == (403, "GatedRepo") and "access" in answer.json["error"].lower()


def test_a_gated_repository_is_no_secret(eve, gated):
    assert gated in {one.id for one in eve.list_models(author=ADA)}
