"""Collections, likes, webhooks. hf-hub-api §10."""

import pytest
from huggingface_hub.errors import HfHubHTTPError

from support import ADA, EVE, TEAM, before, over_tls, since, status_of


@pytest.fixture()
def collection(ada):
    made = ada.create_collection("My list", description="Good ones", private=False)
    yield made
    ada.delete_collection(made.slug, missing_ok=True)


@over_tls
def test_create_a_collection(ada, collection):
    assert collection.slug.startswith(f"{ADA}/my-list-") and len(collection.slug.rsplit("-", 1)[1]) == 24
    found = ada.get_collection(collection.slug)
    owner = found.owner["name"] if isinstance(found.owner, dict) else found.owner
    assert (found.title, found.description, owner, found.items, found.private) == ("My list", "Good ones", ADA, [], False)


def test_create_a_collection_twice(ada, collection):
    with pytest.raises(HfHubHTTPError) as error:
        ada.create_collection("My list")
    assert status_of(error) == 409
    assert ada.create_collection("My list", exists_ok=True).slug == collection.slug


def test_create_a_collection_elsewhere(owner, eve):
    made = owner.create_collection("Of the team", namespace=TEAM)
    assert made.slug.startswith(TEAM)
    owner.delete_collection(made.slug)
    with pytest.raises(HfHubHTTPError) as error:
        eve.create_collection("Not mine", namespace=TEAM)
    assert status_of(error) == 403


def test_add_to_a_collection(ada, collection, model, dataset):
    ada.add_collection_item(collection.slug, model, "model", note="Best")
    found = ada.add_collection_item(collection.slug, dataset, "dataset")
    assert [(item.item_id, item.item_type, item.position) for item in found.items] == [(model, "model", 0), (dataset, "dataset", 1)]
    assert found.items[0].note == "Best"


def test_add_to_a_collection_twice(ada, collection, model):
    ada.add_collection_item(collection.slug, model, "model")
    with pytest.raises(HfHubHTTPError) as error:
        ada.add_collection_item(collection.slug, model, "model")
    assert status_of(error) == 409
    ada.add_collection_item(collection.slug, model, "model", exists_ok=True)


def test_add_what_is_missing(ada, collection):
    with pytest.raises(HfHubHTTPError) as error:
        ada.add_collection_item(collection.slug, f"{ADA}/never-was", "model")
    assert status_of(error) == 404


def test_change_an_item(ada, collection, model, dataset):
    ada.add_collection_item(collection.slug, model, "model")
    ada.add_collection_item(collection.slug, dataset, "dataset")
    items = ada.get_collection(collection.slug).items
    ada.update_collection_item(collection.slug, items[1].item_object_id, note="New", position=0)
    found = ada.get_collection(collection.slug).items
    assert [(item.item_id, item.note) for item in found] == [(dataset, "New"), (model, None)]


def test_remove_an_item(ada, collection, model):
    item = ada.add_collection_item(collection.slug, model, "model").items[0]
    ada.delete_collection_item(collection.slug, item.item_object_id)
    assert ada.get_collection(collection.slug).items == []
    with pytest.raises(HfHubHTTPError) as error:
        ada.delete_collection_item(collection.slug, item.item_object_id)
    assert status_of(error) == 404
    ada.delete_collection_item(collection.slug, item.item_object_id, missing_ok=True)


def test_rename_a_collection(ada, collection):
    found = ada.update_collection_metadata(collection.slug, title="Another name", description="More", theme="pink")
    assert (found.title, found.description, found.theme) == ("Another name", "More", "pink")
    assert found.slug.startswith(f"{ADA}/another-name-")
    assert ada.get_collection(collection.slug).title == "Another name"


def test_hide_a_collection(ada, eve, collection):
    ada.update_collection_metadata(collection.slug, private=True)
    with pytest.raises(HfHubHTTPError) as error:
        eve.get_collection(collection.slug)
    assert status_of(error) == 404


def test_others_do_not_change_a_collection(eve, collection, model):
    with pytest.raises(HfHubHTTPError) as error:
        eve.add_collection_item(collection.slug, model, "model")
    assert status_of(error) == 403


def test_what_is_hidden_is_not_shown_in_a_collection(ada, eve, collection, private_model):
    ada.add_collection_item(collection.slug, private_model, "model")
    assert [item.item_id for item in ada.get_collection(collection.slug).items] == [private_model]
    assert eve.get_collection(collection.slug).items == []


def test_list_collections(ada, eve, collection, model):
    ada.add_collection_item(collection.slug, model, "model")
    assert collection.slug in {one.slug for one in eve.list_collections(owner=ADA)}
    assert collection.slug in {one.slug for one in eve.list_collections(owner=ADA, item=f"models/{model}")}
    assert list(eve.list_collections(owner="nobody-at-all")) == []


def test_delete_a_collection(ada, collection):
    ada.delete_collection(collection.slug)
    with pytest.raises(HfHubHTTPError) as error:
        ada.get_collection(collection.slug)
    assert status_of(error) == 404
    with pytest.raises(HfHubHTTPError):
        ada.delete_collection(collection.slug)
    ada.delete_collection(collection.slug, missing_ok=True)


def test_others_do_not_delete_a_collection(eve, ada, collection):
    with pytest.raises(HfHubHTTPError) as error:
        eve.delete_collection(collection.slug)
    assert status_of(error) == 403


# Likes


def like(raw, people, repo, person, method="POST"):
    return raw(method, f"/api/models/{repo}/like", token=people.token(person)).status


@over_tls
def test_like_and_unlike(raw, people, bob, repositories):
    repo = repositories.make()
    assert like(raw, people, repo, "bob") == 200 and like(raw, people, repo, "bob") in (200, 409)
    assert bob.model_info(repo).likes == 1
    bob.unlike(repo)
    assert bob.model_info(repo).likes == 0


def test_who_likes_it(raw, people, ada, repositories):
    repo = repositories.make()
    like(raw, people, repo, "eve")
    assert [user.username for user in ada.list_repo_likers(repo)] == [EVE]


def test_what_somebody_likes(raw, people, eve, repositories):
    repo = repositories.make()
    like(raw, people, repo, "eve")
    assert repo in eve.list_liked_repos(EVE).models


def test_likes_need_a_name(raw, model):
    assert raw("POST", f"/api/models/{model}/like").status == 401


def test_likes_of_what_is_hidden(raw, people, private_model):
    assert like(raw, people, private_model, "eve") == 404


def test_hidden_ones_are_not_among_the_likes_others_see(raw, people, ada, eve, repositories):
    repo = repositories.make(private=True)
    like(raw, people, repo, "ada")
    assert repo in ada.list_liked_repos(ADA).models and repo not in eve.list_liked_repos(ADA).models


# Webhooks


@pytest.fixture()
def webhook(ada):
    made = ada.create_webhook(url="http://127.0.0.1:9/hook", watched=[{"type": "user", "name": ADA}], domains=["repo"], secret="s3cret")
    yield made
    try:
        ada.delete_webhook(made.id)
    except HfHubHTTPError:
        pass


def test_create_a_webhook(ada, webhook):
    found = ada.get_webhook(webhook.id)
    assert (found.url, found.domains, found.disabled) == ("http://127.0.0.1:9/hook", ["repo"], False)
    assert [(one.type, one.name) for one in found.watched] == [("user", ADA)]


def test_list_webhooks(ada, eve, webhook):
    assert webhook.id in {one.id for one in ada.list_webhooks()}
    assert webhook.id not in {one.id for one in eve.list_webhooks()}


def test_change_a_webhook(ada, webhook, model):
    found = ada.update_webhook(webhook.id, url="http://127.0.0.1:9/other", watched=[{"type": "model", "name": model}], domains=["repo", "discussion"])
    assert found.url.endswith("/other") and set(found.domains) == {"repo", "discussion"}


def test_switch_a_webhook(ada, webhook):
    assert ada.disable_webhook(webhook.id).disabled and not ada.enable_webhook(webhook.id).disabled


def test_delete_a_webhook(ada, webhook):
    ada.delete_webhook(webhook.id)
    with pytest.raises(HfHubHTTPError) as error:
        ada.get_webhook(webhook.id)
    assert status_of(error) == 404


def test_webhooks_of_others(eve, webhook):
    with pytest.raises(HfHubHTTPError) as error:
        eve.get_webhook(webhook.id)
    assert status_of(error) == 404


@pytest.mark.parametrize("body", [{"url": "ftp://x/y", "watched": [], "domains": ["repo"]}, {"watched": "x"}, {"url": "http://x/y", "watched": [{"type": "moon", "name": "x"}]}])
def test_impossible_webhooks(raw, people, body):
    assert raw("POST", "/api/settings/webhooks", body, people.token("ada")).status == 400
