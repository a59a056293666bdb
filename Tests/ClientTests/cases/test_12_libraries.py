"""datasets, transformers, HfFileSystem. hf-hub-api §12."""

import json

import pytest
from huggingface_hub import HfFileSystem
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

from support import LARGE, URL, fresh, needs, over_tls


@pytest.fixture()
def files(people):
    HfFileSystem.clear_instance_cache()
    return HfFileSystem(endpoint=URL, token=people.token("ada"), skip_instance_cache=True)


# HfFileSystem


@over_tls
def test_list_a_folder(files, model):
    assert f"{model}/sub/a.txt" in files.ls(f"{model}/sub", detail=False)


def test_find_and_glob(files, model):
    assert f"{model}/sub/deep/b.txt" in files.find(model)
    assert files.glob(f"{model}/**/*.bin") == [f"{model}/weights.bin"]


def test_exists_and_kinds(files, model):
    assert files.exists(f"{model}/sub/a.txt") and not files.exists(f"{model}/none")
    assert files.isdir(f"{model}/sub") and files.isfile(f"{model}/sub/a.txt")


def test_info_of_a_file(files, model):
    found = files.info(f"{model}/weights.bin")
    assert (found["size"], found["type"]) == (len(LARGE), "file") and found["lfs"]


def test_read_a_part(files, model):
    with files.open(f"{model}/weights.bin", block_size=4096) as source:
        source.seek(100_000)
        assert source.read(500) == LARGE[100_000:100_500]


@over_tls
def test_read_text(files, model):
    assert files.read_text(f"{model}/sub/a.txt") == "alpha\n"


def test_write_copy_and_remove(files, repositories):
    repo = repositories.make()
    with files.open(f"{repo}/new.txt", "w") as target:
        target.write("written\n")
    files.cp_file(f"{repo}/new.txt", f"{repo}/copy.txt")
    files.rm_file(f"{repo}/new.txt")
    assert files.read_text(f"{repo}/copy.txt") == "written\n" and not files.exists(f"{repo}/new.txt")


def test_read_at_a_revision(files, repositories):
    repo = repositories.make(files={"a.txt": "old"})
    repositories.api.create_branch(repo, branch="feat/x")
    repositories.commit(repo, {"a.txt": "new"})
    assert files.read_text(f"{repo}@feat%2Fx/a.txt") == "old"


def test_read_what_is_missing(files, model):
    with pytest.raises(FileNotFoundError):
        files.read_text(f"{model}/none.txt")
    with pytest.raises(FileNotFoundError):
        files.ls(f"{fresh()}/x")


def test_list_of_a_dataset(files, dataset):
    assert f"datasets/{dataset}/data/train.csv" in files.find(f"datasets/{dataset}")


def test_when_a_file_changed(files, model):
    assert files.modified(f"{model}/sub/a.txt")


# datasets


@pytest.fixture()
def cached(tmp_path, people):
    return {"cache_dir": str(tmp_path / "cache"), "token": people.token("ada")}


@needs("datasets")
@over_tls
def test_load_csv(dataset, cached):
    from datasets import load_dataset

    data = load_dataset(dataset, **cached)
    assert set(data) == {"train", "test"} and data["train"][0] == {"text": "hello", "label": 0}


@needs("datasets")
def test_load_json_lines(repositories, cached):
    from datasets import load_dataset

    lines = "".join(json.dumps({"n": n, "word": f"w{n}"}) + "\n" for n in range(100))
    repo = repositories.make("dataset", files={"train.jsonl": lines})
    assert load_dataset(repo, split="train", **cached)[99] == {"n": 99, "word": "w99"}


@needs("datasets")
@over_tls
def test_push_and_load_parquet(repositories, people, cached):
    from datasets import Dataset, load_dataset

    repo = fresh()
    Dataset.from_dict({"n": list(range(500)), "text": [f"row {n}" for n in range(500)]}).push_to_hub(repo, token=people.token("ada"))
    assert load_dataset(repo, split="train", **cached)[499] == {"n": 499, "text": "row 499"}
    assert any(path.endswith(".parquet") for path in repositories.api.list_repo_files(repo, repo_type="dataset"))


@needs("datasets")
def test_push_splits_and_configurations(people, cached):
    from datasets import Dataset, DatasetDict, get_dataset_config_names, load_dataset

    repo, token = fresh(), people.token("ada")
    DatasetDict({"train": Dataset.from_dict({"n": [1]}), "test": Dataset.from_dict({"n": [2]})}).push_to_hub(repo, "one", token=token)
    Dataset.from_dict({"m": [3]}).push_to_hub(repo, "two", token=token)
    assert set(get_dataset_config_names(repo, token=token)) == {"one", "two"}
    assert load_dataset(repo, "one", split="test", **cached)[0] == {"n": 2}


@needs("datasets")
def test_push_to_a_branch(people, repositories, cached):
    from datasets import Dataset, load_dataset

    repo = fresh()
    Dataset.from_dict({"n": [1, 2]}).push_to_hub(repo, revision="feat/data", token=people.token("ada"))
    assert load_dataset(repo, revision="feat/data", split="train", **cached)[1] == {"n": 2}


@needs("datasets")
def test_push_again_replaces(people, cached):
    from datasets import Dataset, load_dataset

    repo, token = fresh(), people.token("ada")
    for rows in ([1, 2, 3], [7]):
        Dataset.from_dict({"n": rows}).push_to_hub(repo, token=token)
    assert load_dataset(repo, split="train", **cached)["n"][:] == [7]


@needs("datasets")
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_stream(repositories, people, cached, tmp_path, form):
    from datasets import Dataset, load_dataset

    data = Dataset.from_dict({"n": list(range(3000))})
    path = tmp_path / f"train.{form}"
    {"csv": data.to_csv, "jsonl": data.to_json, "parquet": data.to_parquet}[form](str(path))
    repo = repositories.make("dataset", files={f"train.{form}": path.read_bytes()})
    rows = load_dataset(repo, split="train", streaming=True, **cached)
    assert [row["n"] for row in rows.skip(2990)] == list(range(2990, 3000))


@needs("datasets")
def test_load_private_data(repositories, people, cached, tmp_path):
    from datasets import load_dataset

    repo = repositories.make("dataset", files={"train.csv": "n\n1\n"}, private=True)
    assert load_dataset(repo, split="train", **cached)[0] == {"n": 1}
    with pytest.raises(Exception) as error:
        load_dataset(repo, split="train", cache_dir=str(tmp_path / "other"), token=people.token("eve"))
    assert "NotFound" in type(error.value).__name__ or "doesn't exist" in str(error.value)


@needs("datasets")
def test_load_nothing(cached):
    from datasets import load_dataset

    with pytest.raises(Exception) as error:
        load_dataset(fresh(), **cached)
    assert "NotFound" in type(error.value).__name__


@needs("datasets")
def test_load_chosen_files(dataset, cached):
    from datasets import load_dataset

    assert load_dataset(dataset, data_files="data/test.csv", split="train", **cached)[0]["text"] == "bye"


@needs("datasets")
def test_data_is_read_by_paths(dataset, cached, people):
    from datasets import load_dataset

    found = load_dataset("csv", data_files=f"hf://datasets/{dataset}/data/train.csv", split="train", storage_options={"token": people.token("ada"), "endpoint": URL}, cache_dir=cached["cache_dir"])
    assert len(found) == 2


# transformers


@needs("transformers")
@over_tls
def test_load_a_configuration(model, people, tmp_path):
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(model, token=people.token("ada"), cache_dir=tmp_path)
    assert (config.model_type, config.hidden_size) == ("llama", 8)


@needs("transformers")
def test_push_and_load_a_configuration(repositories, people, tmp_path):
    from transformers import AutoConfig, BertConfig

    repo = fresh()
    BertConfig(hidden_size=12, num_attention_heads=2).push_to_hub(repo, token=people.token("ada"))
    assert AutoConfig.from_pretrained(repo, token=people.token("ada"), cache_dir=tmp_path).hidden_size == 12


@needs("transformers")
def test_push_and_load_a_tokenizer(people, tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"[UNK]": 0, "hello": 1, "world": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    repo = fresh()
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]").push_to_hub(repo, token=people.token("ada"))
    loaded = AutoTokenizer.from_pretrained(repo, token=people.token("ada"), cache_dir=tmp_path)
    assert loaded("hello world moon")["input_ids"] == [1, 2, 0]


@needs("transformers")
def test_load_from_nowhere(people, tmp_path):
    from transformers import AutoConfig

    with pytest.raises(OSError) as error:
        AutoConfig.from_pretrained(fresh(), token=people.token("ada"), cache_dir=tmp_path)
    assert "not a valid model identifier" in str(error.value) or "not a local folder" in str(error.value)


@needs("transformers")
def test_load_at_no_revision(model, people, tmp_path):
    from transformers import AutoConfig

    with pytest.raises(OSError) as error:
        AutoConfig.from_pretrained(model, revision="none", token=people.token("ada"), cache_dir=tmp_path)
    assert "revision" in str(error.value)


@needs("transformers")
def test_load_what_is_gated(repositories, owner, people, tmp_path):
    from transformers import AutoConfig

    repo = repositories.make(files={"config.json": json.dumps({"model_type": "llama"})})
    owner.update_repo_settings(repo, gated="manual")
    with pytest.raises(OSError) as error:
        AutoConfig.from_pretrained(repo, token=people.token("eve"), cache_dir=tmp_path)
    assert "gated" in str(error.value)


@needs("transformers")
def test_load_what_has_no_tokenizer(repositories, people, tmp_path):
    from transformers import AutoTokenizer

    repo = repositories.make(files={"a.txt": "a"})
    with pytest.raises(Exception):
        AutoTokenizer.from_pretrained(repo, token=people.token("ada"), cache_dir=tmp_path)
