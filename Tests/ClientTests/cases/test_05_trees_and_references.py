"""Trees, paths, references, commits. hf-hub-api §5."""

import pytest
from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from support import ADA, LARGE, MODEL_FILES, fresh, git_blob, noise, over_tls, sha256, since, status_of


def names(entries):
    return {entry.path for entry in entries}


def test_tree_of_the_top(ada, model):
    assert names(ada.list_repo_tree(model)) == {".gitattributes", "README.md", "config.json", "model.safetensors", "weights.bin", "sub", "empty.txt"}


@over_tls
def test_tree_of_everything(ada, model):
    found = {entry.path: entry for entry in ada.list_repo_tree(model, recursive=True)}
    assert set(found) == set(MODEL_FILES) | {".gitattributes", "sub", "sub/deep"}
    assert hasattr(found["sub/deep"], "tree_id") and found["sub/a.txt"].blob_id == git_blob(b"alpha\n")


def test_tree_of_a_folder(ada, model):
    assert names(ada.list_repo_tree(model, "sub")) == {"sub/a.txt", "sub/deep"}
    assert "sub/deep/b.txt" in names(ada.list_repo_tree(model, "sub/deep"))


def test_tree_of_a_folder_as_older_clients_ask(raw, model):
    for path in ("sub/deep", "sub%2Fdeep"):
        answer = raw("GET", f"/api/models/{model}/tree/main/{path}")
        assert "sub/deep/b.txt" in {entry["path"] for entry in answer.json}


def test_large_files_in_a_tree(ada, model):
    entry = next(entry for entry in ada.list_repo_tree(model) if entry.path == "weights.bin")
    assert (entry.size, entry.lfs.size, entry.lfs.sha256) == (len(LARGE), len(LARGE), sha256(LARGE))
    assert entry.blob_id != entry.lfs.sha256


def test_tree_with_last_commits(repositories):
    repo = repositories.make(files={"a.txt": "a", "b.txt": "b"})
    repositories.commit(repo, {"b.txt": "new"}, message="Change b")
    found = {entry.path: entry.last_commit for entry in repositories.api.list_repo_tree(repo, expand=True)}
    assert (found["a.txt"].title, found["b.txt"].title) == ("Add files", "Change b")
    assert found["b.txt"].oid == repositories.api.model_info(repo).sha


def test_tree_of_no_folder(ada, model):
    with pytest.raises(EntryNotFoundError):
        list(ada.list_repo_tree(model, "none"))


def test_tree_of_a_file(ada, model):
    with pytest.raises(EntryNotFoundError):
        list(ada.list_repo_tree(model, "config.json"))


def test_tree_of_no_revision(ada, model):
    with pytest.raises(RevisionNotFoundError):
        list(ada.list_repo_tree(model, revision="none"))


def test_tree_of_no_repository(ada):
    with pytest.raises(RepositoryNotFoundError):
        list(ada.list_repo_tree(f"{ADA}/never-was"))


def test_a_tree_of_many_pages(repositories):
    repo = repositories.make(files={f"many/{number:04}.txt": str(number) for number in range(1100)})
    assert len(names(repositories.api.list_repo_tree(repo, "many"))) == 1100
    assert len(repositories.api.list_repo_files(repo)) == 1101


def test_pages_of_a_tree_follow_links(raw, model):
    path, seen = f"/api/models/{model}/tree/main?recursive=true&limit=3", []
    while path:
        answer = raw("GET", path)
        assert len(answer.json) <= 3
        seen += [entry["path"] for entry in answer.json]
        link = answer.headers.get("Link")
        path = link.split(">")[0].lstrip("<").split("/", 3)[-1] if link else None
        path = "/" + path if path else None
    assert len(seen) == len(set(seen)) == len(MODEL_FILES) + 3


def test_paths_info(ada, model):
    found = ada.get_paths_info(model, ["sub/a.txt", "sub", "none.txt", "weights.bin"])
    assert names(found) == {"sub/a.txt", "sub", "weights.bin"}


def test_paths_info_with_last_commits(ada, model):
    assert ada.get_paths_info(model, ["sub/a.txt"], expand=True)[0].last_commit.title == "Add files"


def test_paths_info_of_no_revision(ada, model):
    with pytest.raises(RevisionNotFoundError):
        ada.get_paths_info(model, ["a"], revision="none")


def test_paths_info_of_odd_names(ada, model):
    odd = "sub/deep/Ü ber +#&%.txt"
    assert names(ada.get_paths_info(model, [odd])) == {odd}


def test_list_repo_files(ada, dataset):
    assert "data/train.csv" in ada.list_repo_files(dataset, repo_type="dataset")


def test_references(repositories):
    api, repo = repositories.api, repositories.make()
    api.create_branch(repo, branch="dev")
    api.create_tag(repo, tag="v1")
    refs = api.list_repo_refs(repo)
    assert {(branch.name, branch.ref) for branch in refs.branches} == {("main", "refs/heads/main"), ("dev", "refs/heads/dev")}
    assert [(tag.name, tag.ref) for tag in refs.tags] == [("v1", "refs/tags/v1")]
    assert refs.branches[0].target_commit == api.model_info(repo).sha and refs.converts == []


def test_references_with_pull_requests(repositories):
    api, repo = repositories.api, repositories.make()
    number = api.create_pull_request(repo, "Change").num
    assert f"refs/pr/{number}" in {one.ref for one in api.list_repo_refs(repo, include_pull_requests=True).pull_requests}
    assert api.list_repo_refs(repo).pull_requests is None


def test_references_of_no_repository(ada):
    with pytest.raises(RepositoryNotFoundError):
        ada.list_repo_refs(f"{ADA}/never-was")


def test_commits_newest_first(repositories):
    repo = repositories.make()
    repositories.commit(repo, {"a.txt": "a"}, message="First")
    repositories.commit(repo, {"a.txt": "b"}, message="Second", commit_description="With more words")
    commits = repositories.api.list_repo_commits(repo)
    assert [commit.title for commit in commits][:2] == ["Second", "First"] and len(commits) == 3
    assert commits[0].authors == [ADA] and "With more words" in commits[0].message
    assert commits[0].commit_id == repositories.api.model_info(repo).sha


def test_commits_in_many_pages(repositories):
    repo = repositories.make()
    for number in range(55):
        repositories.commit(repo, {"a.txt": str(number)}, message=f"Commit {number}")
    titles = [commit.title for commit in repositories.api.list_repo_commits(repo)]
    assert len(titles) == 56 and titles[:2] == ["Commit 54", "Commit 53"]


def test_commits_formatted(ada, model):
    commit = ada.list_repo_commits(model, formatted=True)[0]
    assert commit.formatted_title is not None


def test_commits_of_no_revision(ada, model):
    with pytest.raises(RevisionNotFoundError):
        ada.list_repo_commits(model, revision="none")


@pytest.mark.parametrize("name", ["dev", "feat/x", "v1.2-rc_3"])
def test_branch(repositories, name):
    api, repo = repositories.api, repositories.make(files={"a.txt": "a"})
    api.create_branch(repo, branch=name)
    assert api.model_info(repo, revision=name).sha == api.model_info(repo).sha
    api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo, revision=name)
    assert api.file_exists(repo, "x.txt", revision=name) and not api.file_exists(repo, "x.txt")


def test_branch_from_a_revision(repositories):
    api, repo = repositories.api, repositories.make(files={"a.txt": "a"})
    sha = api.model_info(repo).sha
    repositories.commit(repo, {"b.txt": "b"})
    api.create_branch(repo, branch="old", revision=sha)
    assert api.model_info(repo, revision="old").sha == sha


def test_branch_that_exists(repositories):
    api, repo = repositories.api, repositories.make()
    api.create_branch(repo, branch="dev")
    with pytest.raises(HfHubHTTPError) as error:
        api.create_branch(repo, branch="dev")
    assert status_of(error) == 409
    api.create_branch(repo, branch="dev", exist_ok=True)


def test_branch_from_nowhere(repositories):
    with pytest.raises(RevisionNotFoundError):
        repositories.api.create_branch(repositories.make(), branch="dev", revision="none")


@pytest.mark.parametrize("name", ["a..b", "a b", "-x", "x.lock", "@{", "refs/heads/"])
def test_branch_with_an_impossible_name(repositories, raw, people, name):
    from urllib.parse import quote

    repo = repositories.make()
    answer = raw("POST", f"/api/models/{repo}/branch/{quote(name, safe='')}", {}, people.token("ada"))
    assert answer.status == 400, answer.body


def test_delete_branch(repositories):
    api, repo = repositories.api, repositories.make()
    api.create_branch(repo, branch="dev")
    api.delete_branch(repo, branch="dev")
    assert not api.revision_exists(repo, "dev")


def test_delete_the_main_branch(repositories):
    with pytest.raises(HfHubHTTPError) as error:
        repositories.api.delete_branch(repositories.make(), branch="main")
    assert status_of(error) == 403


def test_delete_no_branch(repositories):
    with pytest.raises(HfHubHTTPError) as error:
        repositories.api.delete_branch(repositories.make(), branch="none")
    assert status_of(error) == 404


def test_branches_of_others(eve, model):
    with pytest.raises(HfHubHTTPError) as error:
        eve.create_branch(model, branch="mine")
    assert status_of(error) == 403


def test_tag(repositories):
    api, repo = repositories.api, repositories.make()
    api.create_tag(repo, tag="v1", tag_message="The first")
    assert api.model_info(repo, revision="v1").sha == api.model_info(repo).sha
    api.delete_tag(repo, tag="v1")
    assert api.list_repo_refs(repo).tags == []


def test_tag_a_revision(repositories):
    api, repo = repositories.api, repositories.make()
    sha = api.model_info(repo).sha
    repositories.commit(repo, {"a.txt": "a"})
    api.create_tag(repo, tag="old", revision=sha)
    assert api.model_info(repo, revision="old").sha == sha


def test_tag_that_exists(repositories):
    api, repo = repositories.api, repositories.make()
    api.create_tag(repo, tag="v1")
    with pytest.raises(HfHubHTTPError) as error:
        api.create_tag(repo, tag="v1")
    assert status_of(error) == 409
    api.create_tag(repo, tag="v1", exist_ok=True)


def test_tag_nothing(repositories):
    with pytest.raises(RevisionNotFoundError):
        repositories.api.create_tag(repositories.make(), tag="v1", revision="none")


def test_delete_no_tag(repositories):
    with pytest.raises(HfHubHTTPError) as error:
        repositories.api.delete_tag(repositories.make(), tag="none")
    assert status_of(error) == 404


def test_squash(repositories):
    api, repo = repositories.api, repositories.make(files={"a.txt": "a"})
    repositories.commit(repo, {"b.txt": "b"})
    api.super_squash_history(repo, commit_message="One")
    assert [commit.title for commit in api.list_repo_commits(repo)] == ["One"]
    assert set(api.list_repo_files(repo)) == {".gitattributes", "a.txt", "b.txt"}


@since("1.0")
def test_squash_a_pull_request(repositories):
    api, repo = repositories.api, repositories.make(files={"a.txt": "a"})
    request = api.create_pull_request(repo, title="Squash me")
    for text in ("b", "c"):
        api.upload_file(path_or_fileobj=text.encode(), path_in_repo="b.txt", repo_id=repo, revision=request.git_reference)
    api.super_squash_history(repo, branch=request.git_reference)
    assert len(api.list_repo_commits(repo, revision=request.git_reference)) == 1


def test_a_branch_twice(repositories):
    api, repo = repositories.api, repositories.make()
    with pytest.raises(HfHubHTTPError, match="Reference refs/heads/main already exists"):
        api.create_branch(repo, branch="main")
    with pytest.raises(HfHubHTTPError, match="Cannot delete refs/heads/main"):
        api.delete_branch(repo, branch="main")
    with pytest.raises(HfHubHTTPError, match="Invalid rev id"):
        api.delete_branch(repo, branch="none")


def test_squash_no_branch(repositories):
    with pytest.raises(HfHubHTTPError) as error:
        repositories.api.super_squash_history(repositories.make(), branch="none")
    assert status_of(error) == 404


def test_squash_what_others_own(eve, model):
    with pytest.raises(HfHubHTTPError) as error:
        eve.super_squash_history(model)
    assert status_of(error) == 403


def test_large_files_are_listed(repositories):
    content = noise(50_000, 11)
    repo = repositories.make(files={"w.bin": content})
    found = list(repositories.api.list_lfs_files(repo))
    assert [(file.filename, file.oid, file.size) for file in found] == [("w.bin", sha256(content), 50_000)]


def test_large_files_of_a_branch_are_listed_by_name(repositories):
    api, repo = repositories.api, repositories.make(files={"w.bin": noise(50_000, 13)})
    api.create_branch(repo, branch="side")
    api.upload_file(path_or_fileobj=noise(50_000, 14), path_in_repo="side.bin", repo_id=repo, revision="side")
    found = {(file.filename, file.ref) for file in api.list_lfs_files(repo)}
    assert found == {("w.bin", "refs/heads/main"), ("side.bin", "refs/heads/side")}


def test_large_files_are_removed_for_good(repositories, tmp_path):
    api, repo = repositories.api, repositories.make(files={"w.bin": noise(50_000, 12), "a.txt": "a"})
    api.permanently_delete_lfs_files(repo, list(api.list_lfs_files(repo)))
    assert list(api.list_lfs_files(repo)) == []
    assert "a.txt" in api.list_repo_files(repo)


def test_large_files_of_others_are_not_removed(eve, ada, model):
    files = list(ada.list_lfs_files(model))
    with pytest.raises(HfHubHTTPError) as error:
        eve.permanently_delete_lfs_files(model, files)
    assert status_of(error) == 403


@since("2.0")
def test_copy_between_repositories(owner, repositories, model):
    target = repositories.make()
    owner.copy_files(f"hf://models/{model}/sub/a.txt", f"hf://models/{target}/copied.txt")
    assert owner.file_exists(target, "copied.txt")


@since("2.0")
@pytest.mark.needs("xet")
def test_copy_a_large_file_between_repositories(owner, repositories, model, tmp_path):
    target = repositories.make()
    owner.copy_files(f"hf://models/{model}/weights.bin", f"hf://models/{target}/copied.bin")
    assert open(owner.hf_hub_download(target, "copied.bin", cache_dir=tmp_path), "rb").read() == LARGE


def test_commits_of_a_branch_with_a_slash(repositories):
    api, repo = repositories.api, repositories.make()
    api.create_branch(repo, branch="feat/y")
    api.create_commit(repo, [CommitOperationAdd("a.txt", b"a")], commit_message="On it", revision="feat/y")
    assert api.list_repo_commits(repo, revision="feat/y")[0].title == "On it"
    assert api.list_repo_commits(repo)[0].title != "On it"


def test_a_token_that_only_reads_makes_no_branch(people, model):
    with pytest.raises(HfHubHTTPError) as error:
        people.api("ada", "read").create_branch(model, branch="x")
    assert status_of(error) == 403
