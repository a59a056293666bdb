"""The hf command line. hf-hub-api §12."""

import json
import os
import subprocess

import pytest

from support import ADA, LARGE, SITE, fresh, needs, noise, over_tls, since


def attempt(*words, token=None, folder=None, text=None):
    environment = os.environ | {"HF_TOKEN": token or SITE["people"]["ada"]["admin"]}
    return subprocess.run(["hf", *map(str, words)], capture_output=True, text=True, input=text, timeout=60, env=environment, cwd=folder)


def hf(*words, **more):
    done = attempt(*words, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@over_tls
def test_whoami():
    assert ADA in hf("auth", "whoami")


def test_whoami_with_a_wrong_token():
    done = attempt("auth", "whoami", token="hf_wrong")
    assert done.returncode != 0 or "nvalid" in done.stdout + done.stderr


@over_tls
def test_upload_and_download(repositories, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("a")
    content = noise(200_000, 131)
    (tmp_path / "in/w.bin").write_bytes(content)
    repo = fresh()
    hf("upload", repo, tmp_path / "in")
    assert {"a.txt", "w.bin"} <= set(repositories.api.list_repo_files(repo))
    hf("download", repo, "--local-dir", tmp_path / "out")
    assert (tmp_path / "out/w.bin").read_bytes() == content


def test_upload_one_file_to_a_dataset(repositories, tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    repo = fresh()
    hf("upload", repo, tmp_path / "a.csv", "data/a.csv", "--repo-type", "dataset")
    assert repositories.api.file_exists(repo, "data/a.csv", repo_type="dataset")


def test_download_one_file(model, tmp_path):
    hf("download", model, "sub/a.txt", "--local-dir", tmp_path)
    assert (tmp_path / "sub/a.txt").read_text() == "alpha\n"


def test_download_what_is_missing(model, tmp_path):
    done = attempt("download", model, "none.txt", "--local-dir", tmp_path)
    assert done.returncode != 0 and "none.txt" in done.stdout + done.stderr


@since("2.0")
def test_repositories(repositories):
    repo, new = fresh("by-hf"), fresh("by-hf")
    hf("repos", "create", repo, "--private")
    hf("repos", "tag", "create", repo, "v1")
    assert "v1" in hf("repos", "tag", "list", repo)
    hf("repos", "branch", "create", repo, "dev")
    hf("repos", "settings", repo, "--public")
    hf("repos", "move", repo, new)
    assert new in hf("repos", "list", "--no-truncate")
    hf("repos", "delete", new, "--yes") if "--yes" in hf("repos", "delete", "--help") else hf("repos", "delete", new)
    assert not repositories.api.repo_exists(new)


@since("2.0")
def test_lists_and_info(model):
    assert model in hf("models", "list", "--author", ADA, "--search", "reading", "--json")
    assert json.loads(hf("models", "info", model, "--json"))["id"] == model


@since("2.0")
def test_discussions(repositories):
    repo = repositories.make(files={"a.txt": "a"})
    hf("discussions", "create", repo, "--title", "A question", "--body", "Why?")
    assert "A question" in hf("discussions", "list", repo, "--json")
    hf("discussions", "comment", repo, "1", "--body", "Because")
    assert "A question" in hf("discussions", "info", repo, "1")
    hf("discussions", "close", repo, "1", "--yes") if "--yes" in hf("discussions", "close", "--help") else hf("discussions", "close", repo, "1")
    assert repositories.api.get_discussion_details(repo, 1).status == "closed"


@since("2.0")
def test_collections(model):
    out = hf("collections", "create", "By hf", "--json")
    slug = json.loads(out)["slug"]
    hf("collections", "add-item", slug, model, "model")
    assert model in hf("collections", "info", slug)
    hf("collections", "delete", slug)


@since("2.0")
def test_copy(repositories, model, tmp_path):
    repo = repositories.make()
    hf("cp", "-", f"hf://{repo}/piped.txt", text="piped\n")
    assert repositories.api.file_exists(repo, "piped.txt")
    hf("cp", f"hf://{model}/weights.bin", tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == LARGE


@since("2.0")
def test_verify_a_cache(model, tmp_path):
    hf("download", model, "--cache-dir", tmp_path)
    assert "erified" in hf("cache", "verify", model, "--cache-dir", tmp_path)


@since("2.0")
def test_delete_files(repositories):
    repo = repositories.make(files={"a.log": "a", "b.txt": "b"})
    hf("repos", "delete-files", repo, "*.log")
    assert "a.log" not in repositories.api.list_repo_files(repo)


def test_version():
    assert hf("version")
