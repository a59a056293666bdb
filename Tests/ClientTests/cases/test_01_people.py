"""Who am I, users, organizations. hf-hub-api §1."""

import pytest
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

from support import ADA, BOB, EVE, TEAM, Repositories, fresh, http_error, over_tls, since, status_of


@over_tls
def test_whoami_names_the_account(ada):
    me = ada.whoami()
    assert (me["type"], me["name"], me["fullname"], me["email"]) == ("user", ADA, "Ada", f"{ADA}@example.org")


def test_whoami_lists_organizations_with_the_role(ada, bob):
    team = next(org for org in ada.whoami()["orgs"] if org["name"] == TEAM)
    assert (team["type"], team["fullname"], team["roleInOrg"]) == ("org", "The team", "admin")
    assert next(org for org in bob.whoami()["orgs"] if org["name"] == TEAM)["roleInOrg"] in ("contribute", "contributor")


@pytest.mark.parametrize("scope, role, name", [("write", "write", "laptop"), ("read", "read", "reader")])
def test_whoami_describes_the_token(people, scope, role, name):
    token = people.api("ada", scope).whoami()["auth"]["accessToken"]
    assert (token["role"], token["displayName"]) == (role, name)


def test_a_token_for_one_repository_is_fine_grained(verbs, repositories):
    from huggingface_hub import HfApi

    repo = repositories.make(files={"a.txt": "a"})
    text = verbs("token", "create", "--account", ADA, "--scope", "read", "--repository", f"models/{repo}").split()[-1]
    api = HfApi(endpoint=repositories.api.endpoint, token=text)
    assert api.whoami()["auth"]["accessToken"]["role"] == "fineGrained"
    assert api.model_info(repo).id == repo


def test_a_token_for_one_repository_opens_no_other_private_one(verbs, repositories, private_model):
    from huggingface_hub import HfApi

    repo = repositories.make(private=True)
    text = verbs("token", "create", "--account", ADA, "--scope", "read", "--repository", f"models/{repo}").split()[-1]
    api = HfApi(endpoint=repositories.api.endpoint, token=text)
    assert api.model_info(repo).id == repo
    with pytest.raises(RepositoryNotFoundError):
        api.model_info(private_model)


def test_a_wrong_token_is_refused_with_the_clients_words(people):
    from huggingface_hub import HfApi

    with pytest.raises(http_error()) as error:
        HfApi(endpoint=people.api("ada").endpoint, token="hf_wrong").whoami()
    assert status_of(error) == 401
    assert "nvalid" in str(error.value) and "token" in str(error.value).lower()


def test_a_wrong_token_is_refused_on_a_public_repository_too(raw, model):
    answer = raw("GET", f"/api/models/{model}", token="hf_wrong")
    assert answer.error[::2] == (401, "Invalid credentials in Authorization header")


def test_a_wrong_token_is_not_taken_for_a_missing_repository(ada, model):
    with pytest.raises(HfHubHTTPError) as error:
        ada.model_info(model, token="hf_wrong")
    assert status_of(error) == 401 and not isinstance(error.value, RepositoryNotFoundError)


def test_a_visitor_is_told_where_tokens_are_made(raw):
    answer = raw("GET", "/api/whoami-v2")
    assert answer.status == 401
    assert "/settings/tokens" in answer.json["error"]


def test_a_revoked_token_no_longer_works(verbs, people):
    import json

    from huggingface_hub import HfApi

    text = verbs("token", "create", "--account", EVE, "--scope", "read", "--name", "to be revoked").split()[-1]
    api = HfApi(endpoint=people.api("ada").endpoint, token=text)
    assert api.whoami()["name"] == EVE
    tokens = [json.loads(line) for line in verbs("token", "list", "--account", EVE, "--json").splitlines()]
    verbs("token", "revoke", str(next(token["id"] for token in tokens if token["name"] == "to be revoked")))
    with pytest.raises(http_error()) as error:
        api.whoami()
    assert status_of(error) == 401


@pytest.mark.parametrize("prefix", ["/hf", "/csg", "/ms"])
def test_the_api_answers_below_prefixes(people, prefix):
    assert people.api("ada", prefix=prefix).whoami()["name"] == ADA


def test_get_full_repo_name(ada):
    assert ada.get_full_repo_name("x") == f"{ADA}/x"
    assert ada.get_full_repo_name("x", organization=TEAM) == f"{TEAM}/x"


def test_user_overview(ada, bob):
    overview = bob.get_user_overview(ADA)
    assert (overview.username, overview.fullname) == (ADA, "Ada")
    assert isinstance(overview.num_models, int)


def test_user_overview_of_nobody(ada):
    with pytest.raises(HfHubHTTPError) as error:
        ada.get_user_overview("nobody-at-all")
    assert status_of(error) == 404


@since("0.35")
def test_organization_overview(ada):
    overview = ada.get_organization_overview(TEAM)
    assert (overview.name, overview.fullname) == (TEAM, "The team")


def test_organization_members(ada):
    assert {ADA, BOB} <= {member.username for member in ada.list_organization_members(TEAM)}


def test_members_of_no_organization(ada):
    with pytest.raises(HfHubHTTPError) as error:
        list(ada.list_organization_members("no-team-at-all"))
    assert status_of(error) == 404


def test_followers_and_following_are_lists(ada):
    assert list(ada.list_user_followers(ADA)) == []
    assert list(ada.list_user_following(ADA)) == []


@since("1.0")
def test_organization_followers_are_a_list(ada):
    assert list(ada.list_organization_followers(TEAM)) == []


def test_auth_check_of_a_public_repository(eve, model):
    eve.auth_check(model)


def test_auth_check_of_a_private_repository(eve, ada, private_model):
    ada.auth_check(private_model)
    with pytest.raises(RepositoryNotFoundError):
        eve.auth_check(private_model)


def test_auth_check_of_a_gated_repository(eve, repositories, owner):
    repo = repositories.make()
    owner.update_repo_settings(repo, gated="manual")
    owner.auth_check(repo)
    with pytest.raises(GatedRepoError):
        eve.auth_check(repo)


@since("1.10")
def test_auth_check_for_writing(owner, eve, repositories):
    repo = repositories.make()
    owner.auth_check(repo, write=True)
    with pytest.raises(HfHubHTTPError) as error:
        eve.auth_check(repo, write=True)
    assert status_of(error) == 403


def test_request_ids_are_echoed(raw, model):
    answer = raw("GET", f"/api/models/{model}", headers={"X-Amzn-Trace-Id": "my-own-id"})
    assert answer.headers["X-Request-Id"] == "my-own-id"


def test_every_error_is_json_with_a_message(raw):
    answer = raw("GET", "/api/nothing/of/the/kind")
    assert answer.status == 404 and answer.json["error"] and answer.headers["X-Error-Message"]


def test_the_local_administrator_sees_what_clients_made(verbs, repositories):
    repo = repositories.make()
    assert repo in verbs("repository", "list", "--owner", ADA)


def test_login_stores_the_token(people, tmp_path):
    """As `login(token=…)` does, in a home of its own."""
    import subprocess
    import sys

    from support import SITE

    code = (
        "import huggingface_hub as h; h.login(token=%r, add_to_git_credential=False); "
        "print(h.get_token()); print(h.whoami()['name'])" % people.token("ada")
    )
    import os

    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_ENDPOINT": SITE["url"]}
    environment.pop("HF_TOKEN", None)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment)
    assert done.stdout.split()[-2:] == [people.token("ada"), ADA], done.stderr


def test_the_organizations_repositories_may_be_made_by_members_only(bob, eve):
    repo = fresh("team", TEAM)
    assert bob.create_repo(repo, private=False).repo_id == repo
    with pytest.raises(HfHubHTTPError) as error:
        eve.create_repo(fresh("team", TEAM))
    assert status_of(error) == 403


def test_private_repositories_of_an_organization_are_its_members(bob, eve, owner):
    repo = Repositories(owner).make(owner=TEAM, private=True)
    assert bob.model_info(repo).private
    with pytest.raises(RepositoryNotFoundError):
        eve.model_info(repo)
