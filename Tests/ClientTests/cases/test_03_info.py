"""What a repository says of itself. hf-hub-api §3."""

import json
from datetime import datetime, timezone

import pytest
from huggingface_hub import DatasetInfo, ModelInfo, SpaceInfo
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from support import (
    ADA, DATASET_FILES, LARGE, MODEL_FILES, as_bytes, eventually, git_blob, gguf_file, over_tls, safetensors_file, sha256, since,
    status_of,
)


def facts(api, repo, kind="model", ready=lambda info: info.card_data is not None, **more):
    """Info once the indexer has come by."""
    found = eventually(lambda: ready(info := api.repo_info(repo, repo_type=kind, **more)) and info)
    assert found, "the indexer did not come by"
    return found


def test_info_of_a_model(ada, model):
    info = ada.model_info(model)
    assert isinstance(info, ModelInfo)
    assert (info.id, info.author, info.private, info.gated, info.disabled) == (model, ADA, False, False, False)
    assert len(info.sha) == 40
    for moment in (info.created_at, info.last_modified):
        assert isinstance(moment, datetime) and moment.tzinfo == timezone.utc
    assert isinstance(info.downloads, int) and isinstance(info.likes, int) and isinstance(info.tags, list)


def test_info_of_a_dataset(ada, dataset):
    info = ada.dataset_info(dataset)
    assert isinstance(info, DatasetInfo) and info.id == dataset


def test_info_of_a_space(repositories):
    repo = repositories.make("space")
    info = facts(repositories.api, repo, "space")
    assert isinstance(info, SpaceInfo) and (info.id, info.sdk) == (repo, "static")


@over_tls
def test_siblings_are_all_files(ada, model):
    names = {file.rfilename for file in ada.model_info(model).siblings}
    assert names == set(MODEL_FILES) | {".gitattributes"}


def test_siblings_have_no_sizes_unless_asked(ada, model):
    assert all(file.size is None and file.lfs is None for file in ada.model_info(model).siblings)


def test_siblings_with_sizes(ada, model):
    files = {file.rfilename: file for file in ada.model_info(model, files_metadata=True).siblings}
    small, large = files["sub/a.txt"], files["weights.bin"]
    assert (small.size, small.blob_id, small.lfs) == (6, git_blob(b"alpha\n"), None)
    assert (large.size, large.lfs.sha256, large.lfs.size) == (len(LARGE), sha256(LARGE), len(LARGE))
    assert large.lfs.pointer_size > 100 and len(large.blob_id) == 40


def test_the_card_is_read(ada, model):
    card = facts(ada, model).card_data
    assert (card.license, card.pipeline_tag, card.language) == ("mit", "text-generation", ["en", "fr"])


@pytest.mark.parametrize(
    "tag",
    ["transformers", "safetensors", "text-generation", "en", "license:mit", "poems", "dataset:somebody/poems", "region:us"],
)
def test_tags_of_a_model(ada, model, tag):
    assert tag in facts(ada, model).tags


def test_the_base_model_is_a_tag(ada, model):
    assert any(tag.startswith("base_model:") and tag.endswith("somebody/base") for tag in facts(ada, model).tags)


@pytest.mark.parametrize("tag", ["license:cc-by-4.0", "language:de", "task_categories:text-classification", "size_categories:n<1K"])
def test_tags_of_a_dataset(ada, dataset, tag):
    assert tag in facts(ada, dataset, "dataset").tags


def test_library_and_task(ada, model):
    info = facts(ada, model)
    assert (info.library_name, info.pipeline_tag) == ("transformers", "text-generation")


def test_configuration(ada, model):
    config = facts(ada, model).config
    assert config["model_type"] == "llama" and config["architectures"] == ["LlamaForCausalLM"]


def test_how_transformers_loads_it(ada, model):
    assert facts(ada, model).transformers_info.auto_model == "AutoModelForCausalLM"


def test_parameters_of_safetensors(ada, model):
    found = facts(ada, model, ready=lambda info: info.safetensors).safetensors
    assert (found.parameters, found.total) == ({"F32": 100, "BF16": 7}, 107)


def test_gguf_is_described(repositories):
    repo = repositories.make(files={"model.gguf": gguf_file(), "README.md": "---\nlicense: mit\n---\n"})
    info = facts(repositories.api, repo, ready=lambda info: info.gguf, expand=["gguf"])
    assert (info.gguf["architecture"], info.gguf["context_length"], info.gguf["total"]) == ("llama", 2048, 64)


def test_a_card_without_front_matter(repositories):
    repo = repositories.make(files={"README.md": "# Nothing here\n"})
    assert repositories.api.model_info(repo).id == repo


def test_evaluation_results(repositories):
    card = """---
model-index:
- name: m
  results:
  - task: {type: text-classification}
    dataset: {name: d, type: d}
    metrics: [{type: accuracy, value: 0.5}]
---
"""
    repo = repositories.make(files={"README.md": card})
    info = facts(repositories.api, repo, ready=lambda info: info.model_index)
    assert info.model_index[0]["results"][0]["metrics"][0]["value"] == 0.5


def test_a_new_card_replaces_the_old_one(repositories):
    repo = repositories.make(files={"README.md": "---\nlicense: mit\n---\n"})
    facts(repositories.api, repo)
    repositories.commit(repo, {"README.md": "---\nlicense: apache-2.0\n---\n"})
    tags = facts(repositories.api, repo, ready=lambda info: "license:apache-2.0" in (info.tags or [])).tags
    assert "license:mit" not in tags


@pytest.mark.parametrize("kind", ["branch", "tag", "commit", "short commit", "full name"])
def test_info_at_a_revision(repositories, kind):
    api = repositories.api
    repo = repositories.make(files={"a.txt": "a"})
    sha = api.model_info(repo).sha
    api.create_branch(repo, branch="feat/x")
    api.create_tag(repo, tag="v1.0")
    repositories.commit(repo, {"b.txt": "b"})
    revision = {"branch": "feat/x", "tag": "v1.0", "commit": sha, "short commit": sha[:7], "full name": "refs/heads/feat/x"}[kind]
    info = api.model_info(repo, revision=revision)
    assert info.sha == sha and "b.txt" not in {file.rfilename for file in info.siblings}


def test_info_at_no_revision(ada, model):
    with pytest.raises(RevisionNotFoundError):
        ada.model_info(model, revision="no-such-branch")


def test_info_of_nothing(ada):
    with pytest.raises(RepositoryNotFoundError) as error:
        ada.model_info(f"{ADA}/never-was")
    assert status_of(error) == 404
    assert f"{ADA}/never-was" in str(error.value)


def test_info_of_nothing_for_a_visitor(visitor):
    with pytest.raises(RepositoryNotFoundError) as error:
        visitor.model_info(f"{ADA}/never-was")
    assert status_of(error) == 401


@over_tls
def test_info_of_what_is_hidden(eve, visitor, private_model):
    for api, status in [(eve, 404), (visitor, 401)]:
        with pytest.raises(RepositoryNotFoundError) as error:
            api.model_info(private_model)
        assert status_of(error) == status


def test_missing_and_hidden_look_the_same(raw, people, private_model):
    token = people.token("eve")
    hidden = raw("GET", f"/api/models/{private_model}", token=token)
    missing = raw("GET", f"/api/models/{ADA}/never-was", token=token)
    words = lambda answer, repo: (answer.status, answer.headers["X-Error-Code"], answer.json["error"].replace(repo, "…"))  # noqa: E731
    assert words(hidden, private_model) == words(missing, f"{ADA}/never-was")


def test_a_model_is_no_dataset(ada, model):
    repo = model
    with pytest.raises(RepositoryNotFoundError):
        ada.space_info(repo)


@pytest.mark.parametrize("name, attribute", [("downloads", "downloads"), ("likes", "likes"), ("tags", "tags"), ("siblings", "siblings"),
                                             ("createdAt", "created_at"), ("author", "author"), ("private", "private"), ("sha", "sha"),
                                             pytest.param("usedStorage", "used_storage", marks=since("1.0")), ("downloadsAllTime", "downloads_all_time")])
def test_expand_one(ada, model, name, attribute):
    info = ada.model_info(model, expand=[name])
    assert info.id == model and getattr(info, attribute) is not None
    assert info.library_name is None


def test_expand_several(ada, model):
    info = ada.model_info(model, expand=["likes", "author"])
    assert (info.likes, info.author, info.siblings) == (0, ADA, None)


def test_expand_the_unknown(raw, model):
    answer = raw("GET", f"/api/models/{model}", expand="nothing")
    assert answer.status == 400 and "nothing" in answer.headers["X-Error-Message"]


def test_expand_what_late_0_3_clients_ask_before_they_upload(raw, model):
    answer = raw("GET", f"/api/models/{model}", expand="xetEnabled")
    assert answer.status == 200 and answer.json["id"] == model


def test_security_status_is_not_refused(ada, model):
    assert ada.model_info(model, securityStatus=True).id == model


def test_revision_exists(ada, model):
    assert ada.revision_exists(model, "main") and not ada.revision_exists(model, "no-such-branch")
    assert not ada.revision_exists(f"{ADA}/never-was", "main")


def test_file_exists(ada, model):
    assert ada.file_exists(model, "sub/a.txt")
    assert not ada.file_exists(model, "sub/none.txt") and not ada.file_exists(model, "sub/a.txt", revision="none")
    assert not ada.file_exists(f"{ADA}/never-was", "a.txt")


@since("2.0")
def test_resolve_revision(ada, model, tmp_path):
    assert ada.resolve_revision(model, cache_dir=tmp_path).resolved == ada.model_info(model).sha


def test_info_of_a_hostile_card(repositories):
    """Aliases that grow without bound stop nothing."""
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{n}: &{n} [{','.join(['*' + p] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi"))
    answer = repositories.api
    repo = repositories.make(files={"other.txt": "x"})
    from huggingface_hub import CommitOperationAdd
    try:
        answer.create_commit(repo, [CommitOperationAdd("README.md", f"---\n{bomb}---\n".encode())], commit_message="bomb")
    except (ValueError, HfHubHTTPError):
        pass
    assert answer.model_info(repo).id == repo


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"\x10\0\0\0\0\0\0\0{\"a\":", (1 << 62).to_bytes(8, "little") + b"{}"])
def test_info_with_a_damaged_safetensors_file(repositories, content):
    repo = repositories.make(files={"model.safetensors": content, "README.md": "---\nlicense: mit\n---\n"})
    assert facts(repositories.api, repo).safetensors is None


def test_info_with_a_configuration_that_is_none(repositories):
    repo = repositories.make(files={"config.json": "[1, 2", "README.md": "---\nlicense: mit\n---\n"})
    assert facts(repositories.api, repo).id == repo


def test_info_of_a_former_revision_has_its_own_files(repositories):
    first = repositories.make(files={"a.txt": "a"})
    sha = repositories.api.model_info(first).sha
    repositories.commit(first, {"b.txt": "b"})
    assert {f.rfilename for f in repositories.api.model_info(first, revision=sha).siblings} == {".gitattributes", "a.txt"}


@since("1.0")
def test_used_storage_counts_large_files(ada, model):
    assert facts(ada, model, ready=lambda info: info.used_storage, expand=["usedStorage"]).used_storage >= len(LARGE)


def test_safetensors_in_parts(repositories):
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = {"metadata": {"total_size": 80}, "weight_map": {"a": names[0], "b": names[1]}}
    repo = repositories.make(files={
        names[0]: safetensors_file({"a": ("F32", [10])}), names[1]: safetensors_file({"b": ("F32", [10])}),
        "model.safetensors.index.json": json.dumps(index), "README.md": "---\nlicense: mit\n---\n",
    })
    assert facts(repositories.api, repo, ready=lambda info: info.safetensors).safetensors.total == 20


def test_info_of_a_dataset_has_its_files(ada, dataset):
    files = {file.rfilename: file.size for file in ada.dataset_info(dataset, files_metadata=True).siblings}
    assert all(files[name] == len(as_bytes(content)) for name, content in DATASET_FILES.items())
