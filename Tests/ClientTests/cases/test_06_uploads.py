"""Uploading: preupload, content, commit. hf-hub-api §6."""

import base64
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from support import (
    ADA, LARGE, URL, before, file_line, fresh, git_blob, header, lfs_line, noise, over_tls, sha256, since, status_of,
)


def content_of(api, repo, path, tmp_path, **more):
    return Path(api.hf_hub_download(repo, path, cache_dir=tmp_path, **more)).read_bytes()


@pytest.mark.parametrize("form", ["bytes", "path", "file", "memory"])
@over_tls
def test_upload_a_small_file(repositories, tmp_path, form):
    repo = repositories.make()
    path = tmp_path / "a.txt"
    path.write_bytes(b"content\n")
    source = {"bytes": b"content\n", "path": str(path), "file": open(path, "rb"), "memory": io.BytesIO(b"content\n")}[form]
    repositories.api.upload_file(path_or_fileobj=source, path_in_repo="in/a.txt", repo_id=repo)
    assert content_of(repositories.api, repo, "in/a.txt", tmp_path) == b"content\n"


@pytest.mark.parametrize("form", ["bytes", "path", "file"])
@over_tls
def test_upload_a_large_file(repositories, tmp_path, form):
    repo, content = repositories.make(), noise(11_000_000, hash(form) % 1000)
    path = tmp_path / "w.bin"
    path.write_bytes(content)
    source = {"bytes": content, "path": str(path), "file": open(path, "rb")}[form]
    repositories.api.upload_file(path_or_fileobj=source, path_in_repo="w.bin", repo_id=repo)
    entry = repositories.api.get_paths_info(repo, ["w.bin"])[0]
    assert (entry.size, entry.lfs.sha256) == (len(content), sha256(content))
    assert content_of(repositories.api, repo, "w.bin", tmp_path) == content


def test_commit_tells_what_it_made(repositories):
    repo = repositories.make()
    done = repositories.commit(repo, {"a.txt": "a"}, message="Title", commit_description="More")
    assert (done.commit_message, done.commit_description, done.repo_url.repo_id) == ("Title", "More", repo)
    assert done.oid == repositories.api.model_info(repo).sha and done.oid in done.commit_url
    assert done.commit_url.startswith(URL)


def test_the_author_of_a_commit(repositories):
    repo = repositories.make(files={"a.txt": "a"})
    assert repositories.api.list_repo_commits(repo)[0].authors == [ADA]


def test_what_is_there_already_makes_no_commit(repositories):
    repo = repositories.make(files={"a.txt": "a", "w.bin": LARGE})
    sha = repositories.api.model_info(repo).sha
    done = repositories.commit(repo, {"a.txt": "a", "w.bin": LARGE})
    assert done.oid == sha == repositories.api.model_info(repo).sha


def test_an_empty_file(repositories, tmp_path):
    repo = repositories.make(files={"empty.bin": b""})
    assert content_of(repositories.api, repo, "empty.bin", tmp_path) == b""
    assert repositories.api.get_paths_info(repo, ["empty.bin"])[0].lfs is None


def test_binary_files_are_large_files(repositories):
    repo = repositories.make(files={"a.bin": noise(2000, 3), "a.txt": "text"})
    found = {entry.path: entry.lfs for entry in repositories.api.list_repo_tree(repo) if hasattr(entry, "lfs")}
    assert found["a.bin"] is not None and found["a.txt"] is None


def test_gitattributes_decide(repositories):
    repo = repositories.make(files={".gitattributes": "*.special filter=lfs diff=lfs merge=lfs -text\n"})
    repositories.commit(repo, {"a.special": "text", "b.txt": "text"})
    found = {entry.path: entry.lfs for entry in repositories.api.list_repo_tree(repo) if hasattr(entry, "lfs")}
    assert found["a.special"] is not None and found["b.txt"] is None


def test_large_files_are_told_to_git(repositories, tmp_path):
    """Stock git fetches the content of a large file only where .gitattributes names it."""
    repo = repositories.make(files={"odd name.xyz": noise(3000, 4), "w.bin": LARGE})
    lines = content_of(repositories.api, repo, ".gitattributes", tmp_path).decode().splitlines()
    assert [line for line in lines if "xyz" in line] == ["/odd[[:space:]]name.xyz filter=lfs diff=lfs merge=lfs -text"]
    assert not any("w.bin" in line for line in lines)


def test_long_text_is_a_large_file(repositories):
    repo = repositories.make(files={"long.txt": b"line\n" * 2_200_000})
    assert repositories.api.get_paths_info(repo, ["long.txt"])[0].lfs is not None


def test_ignored_files_are_left_out(repositories):
    repo = repositories.make(files={".gitignore": "*.log\n"})
    repositories.commit(repo, {"a.log": "x", "a.txt": "x"})
    assert not repositories.api.file_exists(repo, "a.log") and repositories.api.file_exists(repo, "a.txt")


def folder_of(tmp_path, files):
    for path, content in files.items():
        target = tmp_path / "folder" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path / "folder"


@over_tls
def test_upload_a_folder(repositories, tmp_path):
    files = {"a.txt": "a", "sub/b.txt": "b", "sub/w.bin": noise(200_000, 21)}
    repo = repositories.make()
    repositories.api.upload_folder(repo_id=repo, folder_path=folder_of(tmp_path, files), commit_message="Folder")
    assert set(files) <= set(repositories.api.list_repo_files(repo))
    assert content_of(repositories.api, repo, "sub/w.bin", tmp_path / "cache") == files["sub/w.bin"]


def test_upload_some_of_a_folder(repositories, tmp_path):
    repo = repositories.make(files={"in/old.txt": "old", "keep.txt": "keep"})
    folder = folder_of(tmp_path, {"a.txt": "a", "b.log": "b", "c.md": "c"})
    repositories.api.upload_folder(
        repo_id=repo, folder_path=folder, path_in_repo="in", allow_patterns=["*.txt", "*.md"], ignore_patterns="*.md", delete_patterns="*.txt")
    assert set(repositories.api.list_repo_files(repo)) == {".gitattributes", "in/a.txt", "keep.txt"}


def test_upload_a_folder_a_second_time(repositories, tmp_path):
    repo = repositories.make()
    folder = folder_of(tmp_path, {"a.txt": "a", "w.bin": noise(100_000, 22)})
    repositories.api.upload_folder(repo_id=repo, folder_path=folder)
    sha = repositories.api.model_info(repo).sha
    repositories.api.upload_folder(repo_id=repo, folder_path=folder)
    assert repositories.api.model_info(repo).sha == sha


def test_upload_a_folder_of_many_files(repositories, tmp_path):
    repo = repositories.make()
    repositories.api.upload_folder(repo_id=repo, folder_path=folder_of(tmp_path, {f"d{n % 7}/{n}.txt": str(n) for n in range(400)}))
    assert len(repositories.api.list_repo_files(repo)) == 401


def test_upload_a_folder_to_a_branch(repositories, tmp_path):
    repo = repositories.make()
    repositories.api.create_branch(repo, branch="feat/z")
    repositories.api.upload_folder(repo_id=repo, folder_path=folder_of(tmp_path, {"a.txt": "a"}), revision="feat/z")
    assert repositories.api.file_exists(repo, "a.txt", revision="feat/z")


@before("2.0")
def test_upload_large_folder(repositories, tmp_path):
    repo = repositories.make()
    repositories.api.upload_large_folder(
        repo, folder_of(tmp_path, {"a.txt": "a", "w.bin": noise(100_000, 23)}), repo_type="model", num_workers=2, print_report=False)
    assert {"a.txt", "w.bin"} <= set(repositories.api.list_repo_files(repo))


def test_many_operations_in_one_commit(repositories, tmp_path):
    repo = repositories.make(files={"old.txt": "old", "dir/a": "a", "dir/b": "b", "w.bin": LARGE, "t.txt": "t"})
    repositories.api.create_commit(repo, [
        CommitOperationAdd("new.txt", b"new"), CommitOperationDelete("old.txt"), CommitOperationDelete("dir/"),
        CommitOperationCopy("w.bin", "copy.bin"), CommitOperationCopy("t.txt", "copy.txt"),
    ], commit_message="Much")
    assert set(repositories.api.list_repo_files(repo)) == {".gitattributes", "new.txt", "w.bin", "t.txt", "copy.bin", "copy.txt"}
    assert content_of(repositories.api, repo, "copy.bin", tmp_path) == LARGE


def test_copy_from_a_revision(repositories, tmp_path):
    repo = repositories.make(files={"w.bin": LARGE})
    sha = repositories.api.model_info(repo).sha
    repositories.api.delete_file("w.bin", repo)
    repositories.api.create_commit(repo, [CommitOperationCopy("w.bin", "back.bin", src_revision=sha)], commit_message="Back")
    assert content_of(repositories.api, repo, "back.bin", tmp_path) == LARGE


def test_copy_what_is_missing(repositories):
    with pytest.raises(EntryNotFoundError):
        repositories.api.create_commit(repositories.make(), [CommitOperationCopy("none", "x")], commit_message="Copy")


def test_delete_a_file(repositories):
    repo = repositories.make(files={"a.txt": "a"})
    repositories.api.delete_file("a.txt", repo)
    assert not repositories.api.file_exists(repo, "a.txt")


def test_delete_a_missing_file(repositories):
    with pytest.raises(EntryNotFoundError) as error:
        repositories.api.delete_file("none.txt", repositories.make())
    assert "doesn't exist" in str(error.value)


def test_delete_a_folder(repositories):
    repo = repositories.make(files={"dir/a": "a", "dir/sub/b": "b", "direct": "d"})
    repositories.api.delete_folder("dir", repo)
    assert set(repositories.api.list_repo_files(repo)) == {".gitattributes", "direct"}


def test_delete_by_pattern(repositories):
    repo = repositories.make(files={"a.txt": "a", "b.log": "b", "sub/c.log": "c"})
    repositories.api.delete_files(repo, ["*.log"])
    assert "a.txt" in repositories.api.list_repo_files(repo) and "b.log" not in repositories.api.list_repo_files(repo)


def test_commit_on_the_expected_parent(repositories):
    repo = repositories.make(files={"a.txt": "a"})
    sha = repositories.api.model_info(repo).sha
    repositories.commit(repo, {"b.txt": "b"}, parent_commit=sha)
    with pytest.raises(HfHubHTTPError) as error:
        repositories.commit(repo, {"c.txt": "c"}, parent_commit=sha)
    assert status_of(error) == 412
    assert not repositories.api.file_exists(repo, "c.txt")


def test_commit_to_no_branch(repositories):
    with pytest.raises(RevisionNotFoundError):
        repositories.commit(repositories.make(), {"a.txt": "a"}, revision="none")


def test_commit_to_no_repository(repositories):
    with pytest.raises(RepositoryNotFoundError):
        repositories.commit(f"{ADA}/never-was", {"a.txt": "a"})


def test_commit_to_what_others_own(eve, model):
    with pytest.raises(HfHubHTTPError) as error:
        eve.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=model)
    assert status_of(error) == 403


def test_commit_to_what_others_hide(eve, private_model):
    with pytest.raises(RepositoryNotFoundError):
        eve.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=private_model)


def test_commit_with_a_token_that_only_reads(people, model):
    with pytest.raises(HfHubHTTPError) as error:
        people.api("ada", "read").upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=model)
    assert status_of(error) == 403


def test_commit_as_a_pull_request(repositories):
    repo = repositories.make(files={"a.txt": "a"})
    done = repositories.commit(repo, {"b.txt": "b"}, message="Please take", create_pr=True)
    assert done.pr_num and done.pr_url.endswith(f"/discussions/{done.pr_num}") and done.pr_revision == f"refs/pr/{done.pr_num}"
    assert not repositories.api.file_exists(repo, "b.txt") and repositories.api.file_exists(repo, "b.txt", revision=done.pr_revision)
    details = repositories.api.get_discussion_details(repo, done.pr_num)
    assert (details.title, details.status, details.is_pull_request) == ("Please take", "open", True)


def test_readers_may_open_pull_requests(repositories, eve):
    repo = repositories.make(files={"a.txt": "a"})
    done = eve.create_commit(repo, [CommitOperationAdd("b.txt", b"b")], commit_message="From Eve", create_pr=True)
    assert repositories.api.file_exists(repo, "b.txt", revision=done.pr_revision)


def test_readers_may_send_large_files_in_pull_requests(repositories, eve, tmp_path):
    repo, content = repositories.make(), noise(150_000, 31)
    done = eve.create_commit(repo, [CommitOperationAdd("b.bin", content)], commit_message="From Eve", create_pr=True)
    assert content_of(repositories.api, repo, "b.bin", tmp_path, revision=done.pr_revision) == content


def test_a_folder_as_a_pull_request(repositories, tmp_path):
    repo = repositories.make()
    done = repositories.api.upload_folder(
        repo_id=repo, folder_path=folder_of(tmp_path, {"a.txt": "a", "w.bin": noise(100_000, 32)}), create_pr=True, commit_message="Folder")
    number = repositories.api.get_repo_discussions(repo).__next__().num
    assert repositories.api.file_exists(repo, "w.bin", revision=f"refs/pr/{number}") and not repositories.api.file_exists(repo, "w.bin")
    assert done is not None


def test_commit_to_a_pull_request(repositories):
    repo = repositories.make()
    number = repositories.api.create_pull_request(repo, "Change").num
    repositories.commit(repo, {"a.txt": "a"}, revision=f"refs/pr/{number}")
    assert repositories.api.file_exists(repo, "a.txt", revision=f"refs/pr/{number}")


def test_a_card_with_a_good_front_matter(repositories):
    repo = repositories.make(files={"README.md": "---\nlicense: mit\n---\n# Good\n"})
    assert repositories.api.file_exists(repo, "README.md")


def test_a_card_with_a_bad_front_matter(repositories):
    with pytest.raises(ValueError):
        repositories.make(files={"README.md": "---\nlicense: [mit\n---\n# Bad\n"})


def test_validation_of_cards(raw, people):
    good = raw("POST", "/api/validate-yaml", {"content": "---\nlicense: mit\n---\n", "repoType": "model"}, people.token("ada"))
    assert good.status == 200 and good.json["errors"] == []
    bad = raw("POST", "/api/validate-yaml", {"content": "---\n\ta: [\n---\n", "repoType": "model"}, people.token("ada"))
    assert bad.status == 400 and bad.json["errors"][0]["message"]


def test_a_large_file_twice_in_two_repositories(repositories, tmp_path):
    content = noise(400_000, 41)
    one, two = repositories.make(files={"w.bin": content}), repositories.make(files={"v.bin": content})
    for repo, path in ((one, "w.bin"), (two, "v.bin")):
        assert content_of(repositories.api, repo, path, tmp_path) == content


def test_a_thousand_files_in_one_commit(repositories):
    repo = repositories.make(files={f"{n}.txt": str(n) for n in range(1000)})
    assert len(repositories.api.list_repo_files(repo)) == 1001


def test_in_the_background(repositories):
    repo = repositories.make()
    future = repositories.api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo, run_as_future=True)
    assert future.result(timeout=30).oid == repositories.api.model_info(repo).sha


def test_many_at_once(repositories):
    """Each is made, or told that the branch moved."""
    repo = repositories.make()

    def commit(number):
        try:
            return repositories.commit(repo, {f"{number}.txt": "x"}).oid
        except HfHubHTTPError as error:
            assert error.response.status_code in (409, 412)

    with ThreadPoolExecutor(8) as pool:
        made = [oid for oid in pool.map(commit, range(24)) if oid]
    assert made and len(repositories.api.list_repo_files(repo)) == len(made) + 1


@pytest.mark.parametrize("path", ["../x", "/x", "a/../b", ".git/config", "a/.git/x", "", "a//b", "a/", "./a", "a\0b", "..\\x", "a\\..\\x", "x" * 5000])
def test_impossible_paths(raw, people, repositories, path):
    repo = repositories.make()
    answer = raw.commit(repo, [header(), file_line(path)], people.token("ada"))
    assert answer.status in (400, 422), answer.body
    assert repositories.api.list_repo_files(repo) == [".gitattributes"]


@pytest.mark.parametrize("lines", [
    [b"{"], [b"[]"], [header(), b"no json"], [file_line("a.txt")], [header(), {"key": "unheard", "value": {}}], [header(), {"key": "file"}],
    [header(), {"key": "file", "value": {"path": "a", "content": "%%%", "encoding": "base64"}}],
    [header(), {"key": "file", "value": {"path": "a", "content": "YQ==", "encoding": "rot13"}}],
    [header(), {"key": "lfsFile", "value": {"path": "a", "algo": "sha256", "oid": "xyz", "size": 1}}],
    [header(), {"key": "lfsFile", "value": {"path": "a", "algo": "sha256", "oid": "0" * 64, "size": -1}}],
    [header(parentCommit="xyz"), file_line("a")],
], ids=range(11))
def test_impossible_commits(raw, people, repositories, lines):
    repo = repositories.make()
    sha = repositories.api.model_info(repo).sha
    answer = raw.commit(repo, lines, people.token("ada"))
    assert answer.status in (400, 412, 404), answer.body
    assert answer.json["error"] and repositories.api.model_info(repo).sha == sha


def test_a_file_and_a_folder_of_one_name(raw, people, repositories):
    repo = repositories.make(files={"a": "file"})
    assert raw.commit(repo, [header(), file_line("a/b")], people.token("ada")).status in (200, 400)
    assert raw.commit(repo, [header(), file_line("c"), file_line("c/d")], people.token("ada")).status in (200, 400)
    assert repositories.api.list_repo_files(repo)


def test_a_hash_that_nobody_uploaded(raw, people, repositories):
    answer = raw.commit(repositories.make(), [header(), lfs_line("w.bin", "0" * 64, 5)], people.token("ada"))
    assert answer.status == 400, answer.body


def test_knowing_a_hash_is_not_holding_the_file(raw, people, repositories, eve):
    """Eve names the hash of Ada's private file; it must not become hers."""
    content = noise(70_000, 51)
    repositories.make(files={"w.bin": content}, private=True)
    hers = fresh(owner=eve.whoami()["name"])
    eve.create_repo(hers)
    answer = raw.commit(hers, [header(), lfs_line("w.bin", sha256(content), len(content))], people.token("eve"))
    assert answer.status == 400, answer.body
    assert not eve.file_exists(hers, "w.bin")


def test_a_wrong_size_of_a_large_file(raw, people, repositories):
    content = noise(60_000, 52)
    repo = repositories.make(files={"w.bin": content})
    assert raw.commit(repo, [header(), lfs_line("v.bin", sha256(content), 5)], people.token("ada")).status == 400


def test_preupload_tells_how(raw, people, repositories):
    repo = repositories.make(files={"a.txt": "alpha\n", "w.bin": LARGE, ".gitignore": "*.log\n"})
    sample = lambda content: base64.b64encode(content[:512]).decode()  # noqa: E731
    files = [{"path": "a.txt", "size": 6, "sample": sample(b"alpha\n")}, {"path": "w.bin", "size": len(LARGE), "sample": sample(LARGE)},
             {"path": "new.txt", "size": 20_000_000, "sample": sample(b"x" * 512)}, {"path": "x.log", "size": 1, "sample": sample(b"x")}]
    found = {one["path"]: one for one in raw("POST", f"/api/models/{repo}/preupload/main", {"files": files}, people.token("ada")).json["files"]}
    assert (found["a.txt"]["uploadMode"], found["a.txt"]["oid"]) == ("regular", git_blob(b"alpha\n"))
    assert (found["w.bin"]["uploadMode"], found["w.bin"]["oid"]) == ("lfs", sha256(LARGE))
    assert found["new.txt"]["uploadMode"] == "lfs" and not found["new.txt"].get("oid")
    assert found["x.log"]["shouldIgnore"] and not found["a.txt"]["shouldIgnore"]


def test_preupload_takes_the_callers_gitignore(raw, people, repositories):
    body = {"files": [{"path": "x.tmp", "size": 1, "sample": "eA=="}], "gitIgnore": "*.tmp\n"}
    answer = raw("POST", f"/api/models/{repositories.make()}/preupload/main", body, people.token("ada"))
    assert answer.json["files"][0]["shouldIgnore"] is True


def test_preupload_for_no_branch(raw, people, repositories):
    body = {"files": [{"path": "x", "size": 1, "sample": "eA=="}]}
    assert raw("POST", f"/api/models/{repositories.make()}/preupload/none", body, people.token("ada")).error[:2] == (404, "RevisionNotFound")


@pytest.mark.parametrize("body", [{"files": "x"}, {"files": [{"path": 5}]}, {}])
def test_preupload_of_nonsense(raw, people, repositories, body):
    assert raw("POST", f"/api/models/{repositories.make()}/preupload/main", body, people.token("ada")).status == 400


def test_the_same_commit_twice_is_one(raw, people, repositories):
    repo = repositories.make()
    answers = [raw.commit(repo, [header("Once"), file_line("a.txt")], people.token("ada")) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].json["commitOid"] == answers[1].json["commitOid"]


def test_a_long_commit_is_streamed(raw, people, repositories):
    repo = repositories.make()
    lines = [header("Long")] + [file_line(f"{n}.txt", b"x" * 1_000_000) for n in range(20)]
    assert raw.commit(repo, lines, people.token("ada")).status == 200
    assert len(repositories.api.list_repo_files(repo)) == 21


def test_commits_to_other_kinds(repositories):
    for kind in ("dataset", "space"):
        repo = repositories.make(kind, files={"a.txt": "a", "w.bin": LARGE})
        assert {"a.txt", "w.bin"} <= set(repositories.api.list_repo_files(repo, repo_type=kind))


def test_older_transfers_are_answered(raw, people, repositories):
    """1.x clients name `xet` among the transfers and take what they are told."""
    repo = repositories.make()
    body = {"operation": "upload", "transfers": ["basic", "multipart", "xet"], "hash_algo": "sha256", "objects": [{"oid": sha256(b"x"), "size": 1}]}
    headers = {"Accept": "application/vnd.git-lfs+json", "Content-Type": "application/vnd.git-lfs+json"}
    answer = raw("POST", f"/{repo}.git/info/lfs/objects/batch", json.dumps(body).encode(), people.token("ada"), headers)
    assert answer.status == 200 and answer.json.get("transfer", "basic") in ("basic", "multipart")


@since("2.0")
def test_hot_reload_is_only_a_hint(raw, people, repositories):
    repo = repositories.make("space")
    assert raw.commit(repo, [header(), file_line("a.txt")], people.token("ada"), "spaces", hot_reload="1").status == 200
