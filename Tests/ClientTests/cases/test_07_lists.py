"""Lists and search. hf-hub-api §7."""

import pytest
from huggingface_hub.errors import HfHubHTTPError

from support import ADA, BOB, MODEL_FILES, RUN, Repositories, eventually, over_tls, safetensors_file, since, status_of

WORD = "zyx" * RUN + ADA.replace("-", "")


@pytest.fixture(scope="module")
def shelf(owner):
    """Models with different cards, and datasets, all with one word in their names."""
    make = Repositories(owner).make
    card = "---\nlicense: {}\nlanguage: {}\nlibrary_name: {}\npipeline_tag: {}\ntags: [shelf, {}]\ndatasets: [somebody/{}]\n---\n# 深度学习 {}\n"
    rows = {
        "one": ("mit", "en", "transformers", "text-generation", "red", "novels", "alpha"),
        "two": ("apache-2.0", "fr", "diffusers", "text-to-image", "red", "pictures", "beta"),
        "three": ("mit", "de", "transformers", "fill-mask", "blue", "novels", "gamma"),
    }
    found = {key: make(name=f"{WORD}-{key}", files={
        "README.md": card.format(*row), "model.safetensors": safetensors_file({"a": ("F16", [1000 * (index + 1)])}),
    }) for index, (key, row) in enumerate(rows.items())}
    found["hidden"] = make(name=f"{WORD}-hidden", private=True, files={"README.md": card.format(*rows["one"])})
    data = "---\nlicense: mit\nlanguage: [de]\ntask_categories: [text-classification]\nsize_categories: [n<1K]\n---\n"
    found["data"] = make("dataset", name=f"{WORD}-data", files={"README.md": data})
    found["space"] = make("space", name=f"{WORD}-space", files={"README.md": "---\nsdk: static\nmodels: [somebody/m]\n---\n"})
    for key in rows:
        assert eventually(lambda key=key: owner.model_info(found[key]).card_data), "the indexer did not come by"
    assert eventually(lambda: "language:de" in owner.dataset_info(found["data"]).tags)
    return found


def ids(entries):
    return [entry.id for entry in entries]


@over_tls
def test_all_of_an_author(ada, model):
    assert model in ids(ada.list_models(author=ADA))


def test_nothing_of_nobody(ada):
    assert ids(ada.list_models(author="nobody-at-all")) == []


@pytest.mark.parametrize("word", [WORD, WORD.upper(), WORD[:-2]])
def test_search_by_a_part_of_the_name(ada, shelf, word):
    assert {shelf["one"], shelf["two"], shelf["three"]} <= set(ids(ada.list_models(search=word)))


def test_search_finds_no_other(ada, shelf):
    assert ids(ada.list_models(search=f"{WORD}-one")) == [shelf["one"]]


@pytest.mark.parametrize("tags, keys", [
    (["red"], {"one", "two"}), (["shelf", "blue"], {"three"}), (["license:mit"], {"one", "three"}), (["red", "license:mit"], {"one"}),
    (["transformers"], {"one", "three"}), (["fr"], {"two"}), (["dataset:somebody/novels"], {"one", "three"}), (["safetensors"], {"one", "two", "three"}),
    (["text-to-image"], {"two"}), (["no-such-tag"], set()), (["region:us", "de"], {"three"}),
])
def test_filter_by_tags(eve, shelf, tags, keys):
    assert set(ids(eve.list_models(author=ADA, search=WORD, filter=tags))) == {shelf[key] for key in keys}


def test_filter_by_task(ada, shelf):
    assert ids(ada.list_models(search=WORD, pipeline_tag="fill-mask")) == [shelf["three"]]


def test_filter_by_training_data(ada, shelf):
    assert set(ids(ada.list_models(search=WORD, trained_dataset="somebody/pictures"))) == {shelf["two"]}


@since("1.0")
def test_filter_by_size(ada, shelf):
    assert set(ids(ada.list_models(search=WORD, num_parameters="min:1500,max:2500"))) == {shelf["two"]}


def test_filter_by_gating(owner, shelf):
    repo = Repositories(owner).make(name=f"{WORD}-gated")
    owner.update_repo_settings(repo, gated="auto")
    assert ids(owner.list_models(author=ADA, search=WORD, gated=True)) == [repo]
    assert repo not in ids(owner.list_models(author=ADA, search=WORD, gated=False))
    owner.delete_repo(repo)


def test_newest_first(ada, shelf):
    public = [shelf[key] for key in ("three", "two", "one")]
    found = [one for one in ids(ada.list_models(author=ADA, search=WORD, sort="created_at")) if one in public]
    assert found == public


@pytest.mark.parametrize("sort", ["likes", "downloads", "last_modified", "trending_score"])
def test_other_orders(ada, shelf, sort):
    assert set(ids(ada.list_models(author=ADA, search=WORD, sort=sort))) >= {shelf["one"], shelf["two"]}


def test_most_liked_first(owner, bob, shelf, raw, people):
    assert raw("POST", f"/api/models/{shelf['two']}/like", token=people.token("bob")).status == 200
    assert ids(owner.list_models(author=ADA, search=WORD, sort="likes"))[0] == shelf["two"]


def test_an_unknown_order(raw):
    assert raw("GET", "/api/models", sort="beauty").status == 400


def test_some_of_many(ada, shelf):
    assert len(ids(ada.list_models(author=ADA, limit=2))) == 2


def test_pages_follow_links(raw, people, ada, shelf):
    path, seen = f"/api/models?author={ADA}&search={WORD}&limit=1&sort=createdAt", []
    while path:
        answer = raw("GET", path, token=people.token("ada"))
        assert len(answer.json) <= 1
        seen += [entry["id"] for entry in answer.json]
        link = answer.headers.get("Link")
        path = "/" + link.split(">")[0].split("/", 3)[-1] if link else None
    assert len(seen) == len(set(seen)) and set(seen) == set(ids(ada.list_models(author=ADA, search=WORD)))


def test_siblings_only_when_full(ada, model):
    find = lambda **more: next(one for one in ada.list_models(author=ADA, search="reading", **more) if one.id == model)  # noqa: E731
    assert not find().siblings
    assert {file.rfilename for file in find(full=True).siblings} == set(MODEL_FILES) | {".gitattributes"}


def test_cards_when_asked(ada, shelf):
    found = next(iter(ada.list_models(search=f"{WORD}-one", cardData=True)))
    assert found.card_data.license == "mit"


def test_configurations_when_asked(ada, model):
    eventually(lambda: ada.model_info(model).config)
    found = next(one for one in ada.list_models(author=ADA, search="reading", fetch_config=True) if one.id == model)
    assert found.config["model_type"] == "llama"


def test_expand(ada, shelf):
    found = next(iter(ada.list_models(search=f"{WORD}-one", expand=["likes", "author"])))
    assert (found.author, found.likes, found.tags) == (ADA, 0, None)


def test_items_are_described(ada, shelf):
    found = next(iter(ada.list_models(search=f"{WORD}-one")))
    assert (found.private, found.pipeline_tag, found.library_name) == (False, "text-generation", "transformers")
    assert found.created_at and "red" in found.tags


def test_private_ones_are_listed_for_who_may_read(ada, eve, visitor, shelf):
    assert shelf["hidden"] in ids(ada.list_models(author=ADA, search=WORD))
    for api in (eve, visitor):
        assert shelf["hidden"] not in ids(api.list_models(author=ADA, search=WORD))


def test_a_visitor_lists_what_is_public(visitor, shelf):
    assert shelf["one"] in ids(visitor.list_models(search=WORD))


def test_datasets(ada, shelf, dataset):
    assert {shelf["data"], dataset} <= set(ids(ada.list_datasets(author=ADA)))


@pytest.mark.parametrize("wanted", [{"language": "de"}, {"task_categories": "text-classification"}, {"size_categories": "n<1K"}, {"filter": "license:mit"}])
def test_datasets_by_their_tags(ada, shelf, wanted):
    assert ids(ada.list_datasets(search=WORD, **wanted)) == [shelf["data"]]


def test_datasets_by_other_tags(ada, shelf):
    assert ids(ada.list_datasets(search=WORD, language="fr")) == []


def test_datasets_by_name(ada, shelf):
    assert shelf["data"] in ids(ada.list_datasets(dataset_name=f"{WORD}-data"))


def test_spaces(ada, shelf):
    found = next(iter(ada.list_spaces(search=WORD)))
    assert found.id == shelf["space"] and found.sdk == "static"


def test_spaces_by_their_models(ada, shelf):
    assert ids(ada.list_spaces(search=WORD, models="somebody/m")) == [shelf["space"]]
    assert ids(ada.list_spaces(search=WORD, models="somebody/other")) == []


def test_a_deleted_one_is_not_listed(owner):
    repo = Repositories(owner).make(name=f"{WORD}-gone")
    owner.delete_repo(repo)
    assert repo not in ids(owner.list_models(author=ADA))


def test_tags_by_type(ada, shelf):
    assert isinstance(ada.get_model_tags(), dict) and isinstance(ada.get_dataset_tags(), dict)


def test_a_bad_token_lists_nothing(ada):
    with pytest.raises(HfHubHTTPError) as error:
        list(ada.list_models(token="hf_wrong"))
    assert status_of(error) == 401


def test_a_wrong_cursor(raw):
    assert raw("GET", "/api/models", cursor="nonsense%%").status in (200, 400)


@pytest.mark.parametrize("limit", ["0", "-1", "x", "100000"])
def test_a_wrong_limit(raw, limit):
    assert raw("GET", "/api/models", limit=limit).status in (200, 400)


def test_as_older_clients_ask(raw, people, shelf):
    answer = raw("GET", "/api/models", token=people.token("ada"), author=ADA, search=WORD, sort="createdAt", direction="-1", full="true")
    assert answer.status == 200 and answer.json[0]["id"].startswith(ADA)


@since("2.0")
def test_search_spaces(ada, shelf):
    assert isinstance(list(ada.search_spaces(WORD)), list)


def test_of_another_author(ada, shelf):
    assert ids(ada.list_models(author=BOB, search=WORD)) == []
