"""Making, changing and removing repositories. hf-hub-api §2."""

import fcntl
import tempfile
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from support import ADA, BOB, TEAM, URL, before, eventually, fresh, over_tls, since, status_of

KINDS = ["model", "dataset", "space"]


@pytest.mark.parametrize("kind", KINDS)
def test_create(ada, kind):
    repo = fresh()
    url = ada.create_repo(repo, repo_type=kind, private=False, **({"space_sdk": "static"} if kind == "space" else {}))
    assert (url.repo_id, url.repo_type, url.namespace) == (repo, kind, ADA)
    assert url.startswith(URL)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_repository_has_a_first_commit(repositories, kind):
    repo = repositories.make(kind)
    assert len(repositories.api.repo_info(repo, repo_type=kind).sha) == 40
    assert ".gitattributes" in repositories.api.list_repo_files(repo, repo_type=kind)


def test_create_without_a_namespace_means_ones_own(ada):
    name = fresh().split("/")[1]
    assert ada.create_repo(name).repo_id == f"{ADA}/{name}"


def test_create_what_exists(ada, repositories):
    repo = repositories.make()
    with pytest.raises(HfHubHTTPError) as error:
        ada.create_repo(repo)
    assert status_of(error) == 409
    assert error.value.response.json()["url"].endswith(repo)


def test_create_what_exists_and_may(ada, repositories):
    repo = repositories.make()
    assert ada.create_repo(repo, exist_ok=True).repo_id == repo


def test_create_what_exists_in_other_letters(ada, repositories):
    repo = repositories.make(name="Letters")
    with pytest.raises(HfHubHTTPError) as error:
        ada.create_repo(f"{ADA}/{repo.split('/')[1].lower()}")
    assert status_of(error) == 409


def test_create_in_a_foreign_namespace(ada):
    with pytest.raises(HfHubHTTPError) as error:
        ada.create_repo(f"{BOB}/theirs")
    assert status_of(error) == 403


def test_create_in_no_namespace(ada):
    with pytest.raises(HfHubHTTPError) as error:
        ada.create_repo("nobody-at-all/x")
    assert status_of(error) in (403, 404)


def test_create_what_exists_elsewhere_and_may(eve, model):
    """With exist_ok and no right to create, the client looks whether it can see the repository."""
    assert eve.create_repo(model, exist_ok=True).repo_id == model


def test_create_without_signing_in(visitor, raw):
    assert raw("POST", "/api/repos/create", {"name": "x", "organization": ADA}).status == 401


def test_create_with_a_token_that_only_reads(people):
    with pytest.raises(HfHubHTTPError) as error:
        people.api("ada", "read").create_repo(fresh())
    assert status_of(error) == 403
    assert "write" in str(error.value)


@pytest.mark.parametrize("name", ["a--b", "a..b", "-a", "a.", "a.git", "a b", "ä", "a" * 97, ""])
def test_create_with_an_impossible_name(raw, people, name):
    answer = raw("POST", "/api/repos/create", {"name": name, "organization": ADA}, people.token("ada"))
    assert answer.status == 400, answer.body
    assert answer.headers["X-Error-Message"]


def test_create_with_a_body_that_is_no_json(raw, people):
    answer = raw("POST", "/api/repos/create", b"{", people.token("ada"), {"Content-Type": "application/json"})
    assert answer.status == 400 and answer.json["error"]


def test_create_private(ada, eve):
    repo = fresh()
    ada.create_repo(repo, private=True)
    assert ada.model_info(repo).private is True
    with pytest.raises(RepositoryNotFoundError):
        eve.model_info(repo)


@since("1.0")
@pytest.mark.parametrize("visibility, private", [("public", False), ("private", True)])
def test_create_by_visibility(ada, visibility, private):
    repo = fresh()
    ada.create_repo(repo, visibility=visibility)
    assert ada.model_info(repo).private is private


def test_create_as_older_clients_do(raw, people, ada):
    name = fresh().split("/")[1]
    assert raw("POST", "/api/repos/create", {"name": name, "private": True, "type": "dataset"}, people.token("ada")).status == 200
    assert ada.dataset_info(f"{ADA}/{name}").private


def test_a_model_and_a_dataset_may_share_a_name(ada):
    repo = fresh()
    ada.create_repo(repo)
    ada.create_repo(repo, repo_type="dataset")
    assert ada.model_info(repo).id == ada.dataset_info(repo).id == repo


def test_a_space_has_its_sdk(repositories):
    repo = repositories.make("space", space_sdk="gradio")
    assert eventually(lambda: repositories.api.space_info(repo).sdk == "gradio")


@pytest.mark.parametrize("kind", KINDS)
def test_delete(repositories, owner, kind):
    repo = repositories.make(kind)
    owner.delete_repo(repo, repo_type=kind)
    with pytest.raises(RepositoryNotFoundError):
        owner.repo_info(repo, repo_type=kind)


def test_delete_what_is_missing(owner):
    with pytest.raises(RepositoryNotFoundError):
        owner.delete_repo(f"{ADA}/never-was")
    owner.delete_repo(f"{ADA}/never-was", missing_ok=True)


def test_delete_what_others_own(eve, repositories):
    repo = repositories.make()
    with pytest.raises(HfHubHTTPError) as error:
        eve.delete_repo(repo)
    assert status_of(error) == 403
    assert repositories.api.repo_exists(repo)


def test_delete_what_others_hide(eve, private_model):
    with pytest.raises(RepositoryNotFoundError):
        eve.delete_repo(private_model)


def test_a_deleted_name_may_be_used_again(repositories, owner):
    repo = repositories.make(files={"old.txt": "old"})
    owner.delete_repo(repo)
    owner.create_repo(repo)
    assert "old.txt" not in owner.list_repo_files(repo)


def test_repo_exists(ada, eve, model, private_model):
    assert eve.repo_exists(model) and not eve.repo_exists(model, repo_type="dataset")
    assert ada.repo_exists(private_model) and not eve.repo_exists(private_model)
    assert not ada.repo_exists(f"{ADA}/never-was")


def test_move(repositories, owner):
    repo, new = repositories.make(files={"a.txt": "a"}), fresh("moved")
    owner.move_repo(repo, new)
    assert owner.model_info(new).id == new


def test_old_names_lead_to_the_new_one(repositories, owner, tmp_path):
    repo, new = repositories.make(files={"a.txt": "a"}), fresh("moved")
    owner.move_repo(repo, new)
    assert owner.model_info(repo).id == new
    assert "a.txt" in owner.list_repo_files(repo)
    path = owner.hf_hub_download(repo, "a.txt", cache_dir=tmp_path)
    assert open(path).read() == "a"


def test_an_old_name_takes_commits(repositories, owner):
    repo, new = repositories.make(), fresh("moved")
    owner.move_repo(repo, new)
    owner.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo)
    assert owner.file_exists(new, "x.txt")


def test_the_redirect_keeps_to_this_host(repositories, owner, raw, people):
    repo, new = repositories.make(), fresh("moved")
    owner.move_repo(repo, new)
    answer = raw("GET", f"/api/models/{repo}/revision/main?blobs=true", token=people.token("ada"))
    assert answer.status == 307
    assert answer.headers["Location"].removeprefix(URL) == f"/api/models/{new}/revision/main?blobs=true"


def test_move_onto_what_exists(repositories, owner):
    one, two = repositories.make(), repositories.make()
    with pytest.raises(HfHubHTTPError) as error:
        owner.move_repo(one, two)
    assert status_of(error) == 409


def test_move_into_a_foreign_namespace(repositories, owner):
    repo = repositories.make()
    with pytest.raises(HfHubHTTPError) as error:
        owner.move_repo(repo, f"{BOB}/theirs")
    assert status_of(error) == 403


def test_move_into_an_organization(repositories, owner):
    repo, new = repositories.make(), fresh("moved", TEAM)
    owner.move_repo(repo, new)
    assert owner.model_info(new).author == TEAM


def test_move_what_is_missing(owner):
    with pytest.raises(RepositoryNotFoundError):
        owner.move_repo(f"{ADA}/never-was", fresh())


def test_settings_hide_and_show(repositories, owner, eve):
    repo = repositories.make()
    owner.update_repo_settings(repo, private=True)
    assert not eve.repo_exists(repo)
    owner.update_repo_settings(repo, private=False)
    assert eve.repo_exists(repo)


def test_settings_as_older_clients_send_them(repositories, owner, raw, people):
    repo = repositories.make()
    assert raw("PUT", f"/api/models/{repo}/settings", {"private": True}, people.token("ada", "admin")).status == 200
    assert owner.model_info(repo).private


@pytest.mark.parametrize("gated", ["auto", "manual", False])
def test_settings_gate(repositories, owner, gated):
    repo = repositories.make()
    owner.update_repo_settings(repo, gated="auto")
    owner.update_repo_settings(repo, gated=gated)
    assert owner.model_info(repo).gated == gated


def test_settings_of_others(eve, model):
    with pytest.raises(HfHubHTTPError) as error:
        eve.update_repo_settings(model, private=True)
    assert status_of(error) == 403


def test_settings_with_an_unknown_word(raw, people, repositories):
    answer = raw("PUT", f"/api/models/{repositories.make()}/settings", {"gated": "perhaps"}, people.token("ada", "admin"))
    assert answer.status == 400


@since("1.0")
def test_duplicate(owner, model):
    new = fresh("copy")
    url = owner.duplicate_repo(model, new)
    assert url.repo_id == new
    paths = lambda repo: {(entry.path, getattr(entry, "blob_id", None)) for entry in owner.list_repo_tree(repo, recursive=True)}  # noqa: E731
    assert paths(new) == paths(model)


@since("1.0")
def test_duplicate_large_files(owner, model, tmp_path):
    from support import LARGE

    new = fresh("copy")
    owner.duplicate_repo(model, new)
    assert open(owner.hf_hub_download(new, "weights.bin", cache_dir=tmp_path), "rb").read() == LARGE


@since("1.0")
def test_duplicate_onto_what_exists(owner, repositories, model):
    repo = repositories.make()
    with pytest.raises(HfHubHTTPError) as error:
        owner.duplicate_repo(model, repo)
    assert status_of(error) == 409
    assert owner.duplicate_repo(model, repo, exist_ok=True).repo_id == repo


@since("1.0")
def test_duplicate_what_is_hidden(eve, private_model):
    with pytest.raises(RepositoryNotFoundError):
        eve.duplicate_repo(private_model, fresh(owner=eve.whoami()["name"]))


@before("2.0")
def test_duplicate_a_space(owner, repositories):
    repo = repositories.make("space", files={"index.html": "<p>"})
    new = fresh("copy")
    owner.duplicate_space(repo, new)
    assert owner.file_exists(new, "index.html", repo_type="space")


@since("2.0")
def test_list_ones_own_repositories(owner, private_model, model):
    found = {repo.id: repo for repo in owner.list_user_repos()}
    assert {private_model, model} <= set(found)
    assert found[private_model].visibility == "private"


@since("2.0")
def test_list_an_organizations_repositories(owner, repositories):
    repo = repositories.make(owner=TEAM)
    assert repo in {found.id for found in owner.list_user_repos(namespace=TEAM)}


@pytest.mark.parametrize("call", ["model_info", "list_repo_files"])
def test_an_id_of_one_part_is_not_found(ada, call):
    with pytest.raises(RepositoryNotFoundError):
        getattr(ada, call)("gpt2-nowhere")


def test_an_id_of_one_part_follows_the_administrators_alias(ada, verbs, model, tmp_path):
    alias = f"short-{ADA}"
    # The other clients' cases add to the same setting at the same time.
    with open(Path(tempfile.gettempdir(), "csghub-client-tests-aliases.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = [part for part in verbs("setting", "get", "repository-aliases").split(", ") if part]
        verbs("setting", "set", "repository-aliases", ", ".join([*known, f"{alias}={model}"]))
    assert ada.model_info(alias).id in (model, alias)
    assert open(ada.hf_hub_download(alias, "sub/a.txt", cache_dir=tmp_path)).read() == "alpha\n"


@over_tls
def test_a_repository_lives_and_dies(owner):
    repo = fresh()
    owner.create_repo(repo, private=True)
    owner.delete_repo(repo)
    assert not owner.repo_exists(repo)


@since("1.0")  # 0.x takes the prefix in the hub's answers for a type of repositories.
def test_endpoint_below_a_prefix_makes_urls_that_the_client_reads(people):
    repo = fresh()
    api = people.api("ada", prefix="/hf")
    assert api.create_repo(repo).repo_id == repo
    done = api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo)
    assert done.repo_url.repo_id == repo


def test_endpoint_by_address_makes_urls_that_the_client_reads(people):
    repo = fresh()
    api = HfApi(endpoint=URL.replace("localhost", "127.0.0.1"), token=people.token("ada"))
    url = api.create_repo(repo)
    assert url.repo_id == repo and "127.0.0.1" in url
