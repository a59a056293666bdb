"""csghub-sdk: by the Hub API, as it does by default, and by its native client. csghub-api §2.2."""

import os
import subprocess
from pathlib import Path

import pytest

from support import ADA, SITE, fresh, needs, noise, over_tls, sha256

pytestmark = needs("sdk")

WAYS = ["hub", "native"]


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Which of the SDK's clients is used."""
    if request.param == "native":
        monkeypatch.setenv("CSGHUB_DISABLE_XNET", "true")
    else:
        monkeypatch.delenv("CSGHUB_DISABLE_XNET", raising=False)
    return request.param


def run(*words, way="native", token=None, folder=None, seconds=60):
    environment = os.environ | {"CSGHUB_TOKEN": token or SITE["people"]["ada"]["admin"]}
    environment.pop("HF_TOKEN", None)
    if way == "native":
        environment["CSGHUB_DISABLE_XNET"] = "true"
    return subprocess.run(
        ["csghub-cli", *map(str, words)], capture_output=True, text=True, timeout=seconds, env=environment, cwd=folder)


@over_tls
@pytest.mark.parametrize("way", WAYS)
def test_download(dataset, model, tmp_path, way):
    done = run("download", model, "--local-dir", tmp_path, way=way)
    assert (tmp_path / "sub/a.txt").read_text() == "alpha\n", done.stdout + done.stderr
    from support import LARGE

    assert (tmp_path / "weights.bin").read_bytes() == LARGE


@pytest.mark.parametrize("way", WAYS)
def test_download_a_dataset(dataset, tmp_path, way):
    done = run("download", dataset, "-t", "dataset", "--local-dir", tmp_path, way=way)
    assert (tmp_path / "data/train.csv").exists(), done.stdout + done.stderr


def test_snapshot_by_the_library(model, people, tmp_path):
    from pycsghub.snapshot_download import snapshot_download

    folder = snapshot_download(model, cache_dir=str(tmp_path), endpoint=SITE["url"], token=people.token("ada"), quiet=True)
    assert (Path(folder) / "sub/deep/b.txt").read_text() == "beta\n"


def test_some_files_by_the_library(repositories, people, tmp_path):
    from pycsghub.snapshot_download import snapshot_download

    repo = repositories.make(files={"config.json": "{}", "weights.bin": noise(5000, 146)})
    folder = Path(snapshot_download(
        repo, cache_dir=str(tmp_path), allow_patterns=["*.json"], endpoint=SITE["url"], token=people.token("ada"), quiet=True))
    assert (folder / "config.json").exists() and not (folder / "weights.bin").exists()


def test_one_file_by_the_library(model, people, tmp_path):
    from pycsghub.file_download import file_download

    path = file_download(model, file_name="sub/a.txt", repo_type="model", cache_dir=str(tmp_path), endpoint=SITE["url"], token=people.token("ada"), quiet=True)
    assert open(path).read() == "alpha\n"


@pytest.mark.parametrize("source", ["csg", "hf", "ms"])
def test_repository_info_by_every_source(model, people, source):
    from pycsghub.utils import get_repo_info

    info = get_repo_info(model, revision="main", token=people.token("ada"), endpoint=SITE["url"], source=source, files_metadata=True)
    assert info.sha and {file.rfilename for file in info.siblings} >= {"config.json"}


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_repository_info_of_other_kinds(repositories, people, kind):
    from pycsghub.utils import get_repo_info

    repo = repositories.make(kind, files={"a.txt": "a"})
    assert get_repo_info(repo, repo_type=kind, revision="main", token=people.token("ada"), endpoint=SITE["url"]).id == repo


def test_private_repositories_are_hidden(private_model, people, tmp_path):
    import requests
    from pycsghub.snapshot_download import snapshot_download

    with pytest.raises(requests.HTTPError) as error:
        snapshot_download(private_model, cache_dir=str(tmp_path), endpoint=SITE["url"], token=people.token("eve"), quiet=True)
    assert error.value.response.status_code == 404


@over_tls
@pytest.mark.parametrize("way", WAYS)
def test_upload_a_folder(repositories, tmp_path, way):
    files = {"a.txt": b"a\n", "sub/b.txt": b"b\n", "w.bin": noise(2_000_000, 141)}
    for name, content in files.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    repo = repositories.make()
    subprocess.run(["git", "config", "--global", "user.name", "Ada"], check=True)
    subprocess.run(["git", "config", "--global", "user.email", "ada@example.org"], check=True)
    subprocess.run(["git", "lfs", "install", "--skip-repo"], check=True, capture_output=True)
    done = run("upload", repo, tmp_path / "in", "-u", ADA, way=way)
    assert set(files) <= set(repositories.api.list_repo_files(repo)), done.stdout + done.stderr
    entry = repositories.api.get_paths_info(repo, ["w.bin"])[0]
    assert entry.lfs and entry.lfs.sha256 == sha256(files["w.bin"])


def test_upload_a_folder_makes_the_repository(repositories, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("a")
    repo = fresh("by-sdk")
    done = run("upload", repo, tmp_path / "in", "-u", ADA)
    assert repositories.api.file_exists(repo, "a.txt"), done.stdout + done.stderr
    assert repositories.api.model_info(repo).private


@pytest.mark.parametrize("way", WAYS)
def test_upload_one_file(repositories, tmp_path, way):
    (tmp_path / "one.txt").write_text("one\n")
    repo = repositories.make()
    done = run("upload", repo, "one.txt", way=way, folder=tmp_path)
    # The native client takes the path in the repository for a folder.
    path = "one.txt/one.txt" if way == "native" else "one.txt"
    assert repositories.api.file_exists(repo, path), done.stdout + done.stderr


def test_upload_one_large_file(repositories, people, tmp_path):
    from pycsghub.file_upload import http_upload_file

    content = noise(3_000_000, 142)
    (tmp_path / "w.dat").write_bytes(content)
    repo = repositories.make()
    http_upload_file(repo, "model", str(tmp_path / "w.dat"), "in", endpoint=SITE["url"], token=people.token("ada"))
    entry = repositories.api.get_paths_info(repo, ["in/w.dat"])[0]
    assert entry.lfs and entry.lfs.sha256 == sha256(content)
    assert "/in/w.dat filter=lfs" in open(repositories.api.hf_hub_download(repo, ".gitattributes", cache_dir=tmp_path)).read()


def test_upload_a_large_folder(repositories, tmp_path):
    files = {"a.txt": b"a\n", "sub/w.bin": noise(900_000, 143), "sub/x.dat": noise(700_000, 144)}
    for name, content in files.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    repo = fresh("large-folder")
    done = run("upload-large-folder", repo, tmp_path / "in", "--num-workers", "2")
    assert set(files) <= set(repositories.api.list_repo_files(repo)), done.stdout + done.stderr
    for name in ("sub/w.bin", "sub/x.dat"):
        assert repositories.api.get_paths_info(repo, [name])[0].lfs.sha256 == sha256(files[name])


def test_branches(repositories, people):
    from pycsghub.csghub_api import CsgHubApi

    repo, api = repositories.make(), CsgHubApi()
    known = {"repo_id": repo, "repo_type": "model", "endpoint": SITE["url"], "token": people.token("ada")}
    assert api.repo_branch_exists(revision="main", **known) == (True, True)
    assert api.repo_branch_exists(revision="dev", **known) == (True, False)
    assert api.create_new_branch(revision="dev", **known)["msg"] == "OK"
    assert api.repo_branch_exists(revision="dev", **known) == (True, True)
    assert api.repo_branch_exists(**(known | {"repo_id": fresh()}), revision="main") == (False, False)


@pytest.mark.parametrize("kind", ["model", "dataset", "space", "code"])
def test_create(people, kind):
    from pycsghub.csghub_api import CsgHubApi

    repo = fresh("made")
    made = CsgHubApi().create_new_repo(repo, kind, "main", SITE["url"], people.token("ada"))
    assert (made["msg"], made["data"]["path"], made["data"]["private"]) == ("OK", repo, True)


def test_codes(people, tmp_path):
    from pycsghub.csghub_api import CsgHubApi
    from pycsghub.snapshot_download import snapshot_download

    repo = fresh("code")
    CsgHubApi().create_new_repo(repo, "code", "main", SITE["url"], people.token("ada"))
    folder = snapshot_download(repo, repo_type="code", cache_dir=str(tmp_path), endpoint=SITE["url"], token=people.token("ada"), quiet=True)
    assert (Path(folder) / ".gitattributes").exists()


def test_commit_and_upload_modes(repositories, people):
    from base64 import b64encode

    from pycsghub.csghub_api import CsgHubApi

    repo = repositories.make(files={"a.txt": "a", "dir/b": "b"})
    api, known = CsgHubApi(), {"repo_id": repo, "repo_type": "model", "revision": "main", "endpoint": SITE["url"], "token": people.token("ada")}
    modes = api.fetch_upload_modes({"files": [{"path": "a.txt", "size": 1}, {"path": "x.bin", "size": 5}, {"path": "dir", "size": 1}]}, **known)
    found = {one["path"]: one for one in modes["data"]["files"]}
    assert (found["a.txt"]["uploadMode"], found["x.bin"]["uploadMode"], found["dir"]["isDir"]) == ("regular", "lfs", True)
    files = [{"path": "c.txt", "action": "create", "content": b64encode(b"c").decode()}, {"path": "a.txt", "action": "delete"}]
    assert api.create_commit({"message": "Both", "files": files}, **known)["msg"] == "OK"
    assert set(repositories.api.list_repo_files(repo)) == {".gitattributes", "c.txt", "dir/b"}


def test_refusals_have_the_form_of_csghub(raw, people, private_model):
    for token, path, status, code in [
        (None, f"/api/v1/models/{private_model}", 401, "AUTH-ERR-0"), (people.token("eve"), f"/api/v1/models/{private_model}", 404, "GIT-ERR-9"),
        ("hub_wrong", "/api/v1/models", 401, "AUTH-ERR-0"), (None, "/api/v1/none/of/these", 404, "REQ-ERR-0"),
    ]:
        answer = raw("GET", path, token=token)
        assert (answer.status, answer.json["code"]) == (status, code) and answer.json["msg"], answer.body


def test_creating_twice_is_told_in_csghubs_words(raw, people, repositories):
    namespace, name = repositories.make().split("/")
    answer = raw("POST", "/api/v1/models", {"namespace": namespace, "name": name}, people.token("ada"))
    assert answer.status == 409 and "duplicate key value violates unique constraint" in answer.json["msg"]


# As an upstream of another CSGHub. csghub-api §5.


def feed(raw, token, start=0, headers=None):
    found, more = [], True
    while more:
        data = raw("GET", "/api/v1/sync/version/latest", token=token, headers=headers, cur=start).json["data"]
        found += data["versions"]
        more, start = data["has_more"], (data["versions"] or [{"version": start}])[-1]["version"]
    return found


def entry_of(raw, token, repo):
    from support import eventually

    return eventually(lambda: next((one for one in feed(raw, token) if one["repo_path"] == repo), None))


def test_the_feed_tells_of_public_pushes(raw, people, repositories):
    token, repo = people.token("eve", "read"), repositories.make(files={"a.txt": "a"})
    first = entry_of(raw, token, repo)
    assert (first["repo_type"], first["source_id"]) == ("model", 0) and first["last_modify_time"].endswith("Z")
    repositories.commit(repo, {"b.txt": "b"}, message="Change b")
    from support import eventually

    second = eventually(lambda: next((one for one in feed(raw, token, first["version"]) if one["repo_path"] == repo and one["change_log"] == "Change b"), None))
    assert second and second["version"] > first["version"]


def test_the_feed_tells_of_nothing_hidden(raw, people, repositories, owner):
    token = people.token("ada")
    hidden, shown = repositories.make(files={"a": "a"}, private=True), repositories.make(files={"a": "a"})
    assert entry_of(raw, token, shown)
    assert hidden not in {one["repo_path"] for one in feed(raw, token)}
    owner.update_repo_settings(shown, private=True)
    assert shown not in {one["repo_path"] for one in feed(raw, token)}


@pytest.mark.parametrize("form", ["bearer", "scheme", "header"])
def test_sync_tokens_in_every_form(raw, people, repositories, form):
    token = people.token("ada", "read")
    headers = {"bearer": {"Authorization": f"Bearer {token}"}, "scheme": {"Authorization": f"X-OPENCSG-Sync-Token{token}"},
               "header": {"X-OPENCSG-Sync-Token": token}}[form]
    repo = repositories.make(private=True)
    assert raw("GET", f"/api/v1/models/{repo}", headers=headers).status == 200
    address = f"{SITE['url']}/models/{repo}.git/info/refs?service=git-upload-pack"
    assert raw("GET", address.removeprefix(SITE["url"]), headers=headers).status == 200


def test_what_a_syncing_hub_reads(raw, people, repositories):
    token = people.token("eve", "read")
    repo = repositories.make(files={"README.md": "---\nlicense: mit\n---\n# Hello\n", "w.bin": noise(5000, 145)})
    data = raw("GET", f"/api/v1/models/{repo}?need_multi_sync=true", token=token).json["data"]
    assert {"path", "nickname", "description", "private", "default_branch", "user", "tags", "hf_path", "ms_path", "csg_path", "scores",
            "base_model", "metadata"} <= set(data)
    assert (data["path"], data["default_branch"], data["private"]) == (repo, "main", False)
    assert raw("GET", f"/api/v1/models/{repo}/raw/README.md", token=token).json["data"].endswith("# Hello\n")
    files = {one["path"]: one for one in raw("GET", f"/api/v1/models/{repo}/all_files", token=token).json["data"]}
    assert files["w.bin"]["lfs"] and files["w.bin"]["size"] == 5000 and len(files["README.md"]["sha"]) == 40
    assert raw("GET", "/api/v1/accounting/multisync/quota", token=token).json["data"]["repo_count_limit"] > 0


def test_differences_between_commits(raw, people, repositories):
    repo = repositories.make(files={"a.txt": "a", "b.txt": "b"})
    sha = repositories.api.model_info(repo).sha
    repositories.commit(repo, {"a.txt": "changed", "c.txt": "c"})
    repositories.api.delete_file("b.txt", repo)
    data = raw("GET", f"/api/v1/models/{repo}/diff", token=people.token("ada"), left_commit_id=sha).json["data"][0]
    assert data == {"added": ["c.txt"], "modified": ["a.txt"], "removed": ["b.txt"]}


def test_mirror_with_a_sync_token(people, repositories, tmp_path):
    repo = repositories.make(files={"a.txt": "a"}, private=True)
    git = ["git", "-c", f"http.extraHeader=X-OPENCSG-Sync-Token: {people.token('ada', 'read')}"]
    done = subprocess.run(
        [*git, "clone", "--quiet", "--mirror", f"{SITE['url']}/models/{repo}.git", str(tmp_path / "mirror")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("body", [b"", b"--x\r\n", b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nabc", b"--y--\r\n"])
def test_broken_forms(raw, people, repositories, body):
    repo = repositories.make()
    answer = raw("POST", f"/api/v1/models/{repo}/upload_file", body, people.token("ada"), {"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status == 400 and repositories.api.list_repo_files(repo) == [".gitattributes"]


def test_users_and_tokens(raw, people):
    token = people.token("ada")
    assert raw("GET", f"/api/v1/user/{ADA}", token=token).json["data"]["username"] == ADA
    names = {one["token_name"] for one in raw("GET", f"/api/v1/user/{ADA}/tokens", token=token).json["data"]}
    assert {"laptop", "reader"} <= names
    assert raw("GET", f"/api/v1/user/{ADA}/tokens", token=people.token("eve")).status == 403


def test_lists_in_pages(raw, people, repositories):
    repositories.make()
    one = raw("GET", "/api/v1/models", token=people.token("ada"), page=1, per=1).json
    two = raw("GET", "/api/v1/models", token=people.token("ada"), page=2, per=1).json
    assert len(one["data"]) == 1 and one["total"] >= 1 and one["data"] != two.get("data")
