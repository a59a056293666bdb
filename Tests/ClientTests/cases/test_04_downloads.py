"""Files and downloads. hf-hub-api §4."""

import os
import subprocess
from pathlib import Path

import pytest
from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError,
)

from support import ADA, LARGE, MODEL_FILES, URL, as_bytes, fresh, git_blob, noise, over_tls, sha256, since

ODD = "sub/deep/Ü ber +#&%.txt"


def url(repo, path, revision="main", kind=None):
    return hf_hub_url(repo, path, revision=revision, repo_type=kind, endpoint=URL)


def content_of(api, repo, path, tmp_path, **more):
    return Path(api.hf_hub_download(repo, path, cache_dir=tmp_path, **more)).read_bytes()


@pytest.mark.parametrize("path", [path for path in MODEL_FILES])
def test_every_file_arrives_whole(ada, model, tmp_path, path):
    assert content_of(ada, model, path, tmp_path) == as_bytes(MODEL_FILES[path])


def test_metadata_of_a_small_file(ada, model):
    found = ada.get_hf_file_metadata(url=url(model, "sub/a.txt"))
    assert (found.commit_hash, found.etag, found.size) == (ada.model_info(model).sha, git_blob(b"alpha\n"), 6)


def test_metadata_of_a_large_file(ada, model):
    found = ada.get_hf_file_metadata(url=url(model, "weights.bin"))
    assert (found.commit_hash, found.etag, found.size) == (ada.model_info(model).sha, sha256(LARGE), len(LARGE))


def test_etags_are_what_the_tree_says(ada, model):
    for entry in ada.list_repo_tree(model, recursive=True):
        if hasattr(entry, "blob_id"):
            etag = ada.get_hf_file_metadata(url=url(model, entry.path)).etag
            assert etag == (entry.lfs.sha256 if entry.lfs else entry.blob_id)


def test_headers_of_an_answer(raw, model, ada):
    for method in ("HEAD", "GET"):
        answer = raw(method, f"/{model}/resolve/main/weights.bin", headers={"Accept-Encoding": "identity"})
        while answer.status in (302, 307):
            assert answer.headers["X-Repo-Commit"] and answer.headers["X-Linked-Size"] == str(len(LARGE))
            answer = raw(method, answer.headers["Location"].removeprefix(URL))
        assert answer.status == 200
        assert answer.headers["X-Repo-Commit"] == ada.model_info(model).sha
        assert answer.headers["Content-Length"] == str(len(LARGE)) and answer.headers["Accept-Ranges"] == "bytes"
        assert sha256(LARGE) in (answer.headers.get("X-Linked-ETag") or answer.headers["ETag"])


def test_a_head_has_no_body_and_its_length(raw, model):
    answer = raw("HEAD", f"/{model}/resolve/main/sub/a.txt", headers={"Accept-Encoding": "identity"})
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, "6", b"")


@pytest.mark.parametrize("wanted, part", [("bytes=0-9", slice(0, 10)), ("bytes=299990-", slice(299990, None)),
                                          ("bytes=-7", slice(-7, None)), ("bytes=5-5", slice(5, 6)),
                                          ("bytes=299999-400000", slice(299999, None))])
@pytest.mark.parametrize("path", ["weights.bin", "sub/a.txt"])
def test_ranges(raw, repositories, model, wanted, part, path):
    content = LARGE if path == "weights.bin" else None
    if content is None:
        wanted, part, content = "bytes=2-3", slice(2, 4), b"alpha\n"
    answer = raw("GET", f"/{model}/resolve/main/{path}", headers={"Range": wanted})
    assert (answer.status, answer.body) == (206, content[part])
    assert answer.headers["Content-Range"].endswith(f"/{len(content)}")


def test_a_range_past_the_end(raw, model):
    answer = raw("GET", f"/{model}/resolve/main/weights.bin", headers={"Range": "bytes=300000-"})
    assert answer.status == 416 and answer.headers["Content-Range"] == "bytes */300000"


@pytest.mark.parametrize("wanted", ["bytes=9-3", "lines=1-2", "bytes=x"])
def test_a_range_that_is_none_is_ignored_or_refused(raw, model, wanted):
    answer = raw("GET", f"/{model}/resolve/main/sub/a.txt", headers={"Range": wanted})
    assert (answer.status, answer.body) == (200, b"alpha\n") or answer.status in (400, 416)


def test_missing_file(ada, model, tmp_path):
    with pytest.raises(EntryNotFoundError):
        ada.hf_hub_download(model, "none.txt", cache_dir=tmp_path)


def test_a_missing_file_is_remembered_for_its_commit(ada, model, tmp_path):
    from huggingface_hub import _CACHED_NO_EXIST, try_to_load_from_cache

    with pytest.raises(EntryNotFoundError):
        ada.hf_hub_download(model, "none.txt", cache_dir=tmp_path)
    sha = ada.model_info(model).sha
    assert try_to_load_from_cache(model, "none.txt", cache_dir=tmp_path, revision=sha) is _CACHED_NO_EXIST


def test_a_missing_file_names_the_commit(raw, model, ada):
    for method in ("HEAD", "GET"):
        answer = raw(method, f"/{model}/resolve/main/none.txt")
        assert answer.error[:2] == (404, "EntryNotFound")
        assert answer.headers["X-Repo-Commit"] == ada.model_info(model).sha


def test_a_folder_is_no_file(raw, model):
    assert raw("GET", f"/{model}/resolve/main/sub").error[:2] == (404, "EntryNotFound")


def test_missing_revision(ada, model, tmp_path):
    with pytest.raises(RevisionNotFoundError):
        ada.hf_hub_download(model, "sub/a.txt", revision="none", cache_dir=tmp_path)


def test_missing_repository(ada, tmp_path):
    with pytest.raises(RepositoryNotFoundError):
        ada.hf_hub_download(f"{ADA}/never-was", "a.txt", cache_dir=tmp_path)


def test_hidden_repository(eve, visitor, private_model, tmp_path):
    for api in (eve, visitor):
        with pytest.raises(RepositoryNotFoundError):
            api.hf_hub_download(private_model, "secret.txt", cache_dir=tmp_path)


@over_tls
def test_private_file_for_its_owner(people, private_model, tmp_path):
    assert content_of(people.api("ada", "read"), private_model, "secret.txt", tmp_path) == b"secret\n"


@over_tls
def test_a_visitor_downloads_what_is_public(visitor, model, tmp_path):
    assert content_of(visitor, model, "config.json", tmp_path) == as_bytes(MODEL_FILES["config.json"])


def test_subfolder(ada, model, tmp_path):
    assert content_of(ada, model, "b.txt", tmp_path, subfolder="sub/deep") == b"beta\n"


@pytest.mark.parametrize("revision", ["feat/x", "v1.0", "refs/heads/feat/x", "sha", "short"])
def test_revisions(repositories, tmp_path, revision):
    api = repositories.api
    repo = repositories.make(files={"a.txt": "old"})
    sha = api.model_info(repo).sha
    api.create_branch(repo, branch="feat/x")
    api.create_tag(repo, tag="v1.0")
    repositories.commit(repo, {"a.txt": "new"})
    revision = {"sha": sha, "short": sha[:8]}.get(revision, revision)
    assert content_of(api, repo, "a.txt", tmp_path, revision=revision) == b"old"


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_other_kinds(repositories, tmp_path, kind):
    repo = repositories.make(kind, files={"a.txt": "a"})
    assert content_of(repositories.api, repo, "a.txt", tmp_path, repo_type=kind) == b"a"


def test_a_model_is_also_found_below_models(raw, model):
    assert raw("GET", f"/models/{model}/resolve/main/sub/a.txt").body == b"alpha\n"


@pytest.mark.parametrize("prefix", ["/hf", "/csg", "/ms"])
def test_below_prefixes(people, model, tmp_path, prefix):
    assert content_of(people.api("ada", prefix=prefix), model, "sub/a.txt", tmp_path) == b"alpha\n"


def test_local_folder(ada, model, tmp_path):
    path = ada.hf_hub_download(model, "sub/deep/b.txt", local_dir=tmp_path)
    assert Path(path) == tmp_path / "sub/deep/b.txt" and Path(path).read_text() == "beta\n"


def test_a_second_download_takes_the_cache(ada, model, tmp_path):
    path = Path(ada.hf_hub_download(model, "weights.bin", cache_dir=tmp_path))
    blob = path.resolve()
    before = blob.stat().st_mtime_ns
    ada.hf_hub_download(model, "weights.bin", cache_dir=tmp_path)
    assert blob.stat().st_mtime_ns == before


def test_a_new_commit_is_noticed(repositories, tmp_path):
    repo = repositories.make(files={"a.txt": "old"})
    assert content_of(repositories.api, repo, "a.txt", tmp_path) == b"old"
    repositories.commit(repo, {"a.txt": "new"})
    assert content_of(repositories.api, repo, "a.txt", tmp_path) == b"new"


def test_an_interrupted_download_goes_on(ada, model, tmp_path):
    """The client left a part of the file; the rest is asked for with a range."""
    path = Path(ada.hf_hub_download(model, "weights.bin", cache_dir=tmp_path))
    blob = path.resolve()
    blob.unlink()
    path.unlink()
    (blob.parent / f"{blob.name}.incomplete").write_bytes(LARGE[:100_000])
    assert content_of(ada, model, "weights.bin", tmp_path) == LARGE


def test_without_the_hub_the_cache_serves(ada, model, tmp_path):
    with pytest.raises(LocalEntryNotFoundError):
        ada.hf_hub_download(model, "sub/a.txt", cache_dir=tmp_path, local_files_only=True)
    ada.hf_hub_download(model, "sub/a.txt", cache_dir=tmp_path)
    assert content_of(ada, model, "sub/a.txt", tmp_path, local_files_only=True) == b"alpha\n"


@over_tls
def test_snapshot(ada, model, tmp_path):
    folder = Path(ada.snapshot_download(model, cache_dir=tmp_path))
    assert folder.name == ada.model_info(model).sha
    for path, content in MODEL_FILES.items():
        assert (folder / path).read_bytes() == as_bytes(content)


def test_snapshot_of_some(ada, model, tmp_path):
    folder = Path(ada.snapshot_download(model, cache_dir=tmp_path, allow_patterns=["sub/*"], ignore_patterns="*deep*"))
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {"sub/a.txt"}


def test_snapshot_at_a_commit(repositories, tmp_path):
    repo = repositories.make(files={"a.txt": "old"})
    sha = repositories.api.model_info(repo).sha
    repositories.commit(repo, {"a.txt": "new", "b.txt": "b"})
    folder = Path(repositories.api.snapshot_download(repo, cache_dir=tmp_path, revision=sha))
    assert (folder / "a.txt").read_text() == "old" and not (folder / "b.txt").exists()


def test_snapshot_into_a_folder(ada, model, tmp_path):
    ada.snapshot_download(model, local_dir=tmp_path / "here")
    assert (tmp_path / "here" / ODD).read_text() == "name\n"


def test_snapshot_of_a_dataset(ada, dataset, tmp_path):
    folder = Path(ada.snapshot_download(dataset, repo_type="dataset", cache_dir=tmp_path))
    assert (folder / "data/train.csv").exists()


def test_snapshot_of_nothing(ada, tmp_path):
    with pytest.raises((RepositoryNotFoundError, LocalEntryNotFoundError)):
        ada.snapshot_download(f"{ADA}/never-was", cache_dir=tmp_path)


def test_snapshot_of_an_empty_repository(repositories, tmp_path):
    repo = repositories.make()
    folder = Path(repositories.api.snapshot_download(repo, cache_dir=tmp_path))
    assert [path.name for path in folder.iterdir()] == [".gitattributes"]


def test_snapshot_a_second_time_needs_nothing(ada, model, tmp_path):
    first = ada.snapshot_download(model, cache_dir=tmp_path)
    assert ada.snapshot_download(model, cache_dir=tmp_path, local_files_only=True) == first


@since("1.0")
def test_dry_run(ada, model, tmp_path):
    found = ada.hf_hub_download(model, "weights.bin", cache_dir=tmp_path, dry_run=True)
    assert found.file_size == len(LARGE) and found.will_download


@since("1.10")
def test_checksums_are_verified(ada, model, tmp_path):
    ada.snapshot_download(model, cache_dir=tmp_path)
    result = ada.verify_repo_checksums(model, cache_dir=tmp_path)
    assert not result.mismatches and result.checked_count >= len(MODEL_FILES)


def test_the_header_of_safetensors_is_read_by_ranges(ada, model):
    found = ada.get_safetensors_metadata(model)
    assert found.parameter_count == {"F32": 100, "BF16": 7}


def test_raw_gives_text(raw, model):
    assert raw("GET", f"/{model}/raw/main/sub/a.txt").body == b"alpha\n"


def test_raw_gives_the_pointer_of_a_large_file(raw, model):
    body = raw("GET", f"/{model}/raw/main/weights.bin").body
    assert body.startswith(b"version https://git-lfs") and sha256(LARGE).encode() in body


def test_files_are_no_pages_of_the_hub(raw, repositories):
    repo = repositories.make(files={"page.html": "<script>alert(1)</script>"})
    answer = raw("GET", f"/{repo}/resolve/main/page.html")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"].startswith("text/plain") or "attachment" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("path", ["../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc%2fpasswd", "a%00b", "%ff", "a//b"])
def test_paths_that_lead_nowhere(raw, model, path):
    assert raw("GET", f"/{model}/resolve/main/{path}").status in (400, 404)


def test_downloads_are_counted(repositories, tmp_path):
    from support import eventually

    repo = repositories.make(files={"config.json": "{}"})
    content_of(repositories.api, repo, "config.json", tmp_path)
    assert eventually(lambda: repositories.api.model_info(repo).downloads >= 1)


def test_a_file_above_one_piece(repositories, tmp_path):
    content = noise(12_000_000, 7)
    repo = repositories.make(files={"big.bin": content})
    assert content_of(repositories.api, repo, "big.bin", tmp_path) == content


def test_git_clones_what_clients_uploaded(repositories, people, tmp_path):
    repo = repositories.make(files={"a.txt": "a", "weights.bin": LARGE}, private=True)
    address = URL.replace("://", f"://{ADA}:{people.token('ada', 'read')}@") + f"/{repo}"
    environment = os.environ | {"GIT_LFS_SKIP_SMUDGE": "0", "GIT_TERMINAL_PROMPT": "0"}
    git = ["git", "-c", "filter.lfs.process=git-lfs filter-process", "-c", "filter.lfs.smudge=git-lfs smudge -- %f", "-c", "filter.lfs.required=true"]
    done = subprocess.run([*git, "clone", "--quiet", address, tmp_path / "clone"], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "clone/weights.bin").read_bytes() == LARGE


def test_clients_download_what_git_pushed(repositories, people, tmp_path):
    repo = repositories.make()
    address = URL.replace("://", f"://{ADA}:{people.token('ada')}@") + f"/{repo}.git"
    run = lambda *words: subprocess.run(  # noqa: E731
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    run("clone", "--quiet", address, "work")
    (tmp_path / "work/pushed.txt").write_text("by git\n")
    run("-C", "work", "add", "-A")
    run("-C", "work", "commit", "--quiet", "-m", "Push")
    run("-C", "work", "push", "--quiet", "origin", "HEAD:main", "HEAD:refs/convert/parquet")
    assert content_of(repositories.api, repo, "pushed.txt", tmp_path) == b"by git\n"
    assert repositories.api.list_repo_commits(repo)[0].title == "Push"
