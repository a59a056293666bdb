"""Discussions and pull requests. hf-hub-api §8."""

import base64

import pytest
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from support import ADA, EVE, over_tls, since, status_of


@pytest.fixture()
def repo(repositories):
    return repositories.make(files={"a.txt": "one\ntwo\nthree\n"})


def kinds(details):
    return [event.type for event in details.events]


@over_tls
def test_a_discussion(ada, repo):
    made = ada.create_discussion(repo, "A question", description="How does it *work*?")
    assert (made.num, made.title, made.status, made.is_pull_request, made.author) == (1, "A question", "open", False, ADA)
    found = ada.get_discussion_details(repo, 1)
    assert found.events[0].type == "comment" and found.events[0].content == "How does it *work*?"
    assert (found.repo_id, found.repo_type) == (repo, "model") and found.diff is None and found.target_branch is None


def test_any_reader_may_ask(eve, ada, repo):
    assert eve.create_discussion(repo, "From Eve").author == EVE
    assert ada.get_discussion_details(repo, 1).author == EVE


def test_a_visitor_may_not(visitor, raw, repo):
    assert raw("POST", f"/api/models/{repo}/discussions", {"title": "x", "description": ""}).status == 401


def test_not_where_nothing_is_seen(eve, private_model):
    with pytest.raises(RepositoryNotFoundError):
        eve.create_discussion(private_model, "Hello")


def test_a_title_is_needed(raw, people, repo):
    assert raw("POST", f"/api/models/{repo}/discussions", {"title": " ", "description": ""}, people.token("ada")).status == 400


def test_a_missing_discussion(ada, repo):
    with pytest.raises(HfHubHTTPError) as error:
        ada.get_discussion_details(repo, 99)
    assert status_of(error) == 404


def test_lists(ada, eve, repo):
    ada.create_discussion(repo, "One")
    eve.create_discussion(repo, "Two")
    ada.create_pull_request(repo, "Three")
    list_of = lambda **more: {one.num for one in ada.get_repo_discussions(repo, **more)}  # noqa: E731
    assert list_of() == {1, 2, 3}
    assert list_of(discussion_type="pull_request") == {3} and list_of(discussion_type="discussion") == {1, 2}
    assert list_of(author=EVE) == {2}
    ada.change_discussion_status(repo, 1, "closed")
    assert list_of(discussion_status="closed") == {1} and list_of(discussion_status="open") == {2, 3}


def test_lists_of_many_pages(ada, repo):
    for number in range(25):
        ada.create_discussion(repo, f"Number {number}")
    assert {one.num for one in ada.get_repo_discussions(repo)} == set(range(1, 26))


def test_no_list_of_what_is_hidden(eve, private_model):
    with pytest.raises(RepositoryNotFoundError):
        list(eve.get_repo_discussions(private_model))


def test_comment(ada, eve, repo):
    ada.create_discussion(repo, "Question")
    event = eve.comment_discussion(repo, 1, "An *answer*")
    assert (event.type, event.author, event.content, event.edited, event.hidden) == ("comment", EVE, "An *answer*", False, False)
    assert ada.get_discussion_details(repo, 1).events[-1].content == "An *answer*"


def test_comment_on_nothing(ada, repo):
    with pytest.raises(HfHubHTTPError) as error:
        ada.comment_discussion(repo, 7, "Hello?")
    assert status_of(error) == 404


def test_edit_a_comment(ada, repo):
    ada.create_discussion(repo, "Question")
    event = ada.comment_discussion(repo, 1, "Wrong")
    edited = ada.edit_discussion_comment(repo, 1, event.id, "Right")
    assert (edited.content, edited.edited, edited.id) == ("Right", True, event.id)
    assert edited.number_of_edits >= 1


def test_edit_a_comment_of_others(ada, eve, repo):
    ada.create_discussion(repo, "Question")
    event = ada.comment_discussion(repo, 1, "Mine")
    with pytest.raises(HfHubHTTPError) as error:
        eve.edit_discussion_comment(repo, 1, event.id, "Hers")
    assert status_of(error) == 403


def test_hide_a_comment(ada, eve, repo):
    ada.create_discussion(repo, "Question")
    event = eve.comment_discussion(repo, 1, "Something bad")
    hidden = ada.hide_discussion_comment(repo, 1, event.id)
    assert hidden.hidden
    assert "Something bad" not in str(ada.get_discussion_details(repo, 1).events[-1]._event)


def test_hide_a_comment_of_others(ada, eve, repo):
    ada.create_discussion(repo, "Question")
    event = ada.comment_discussion(repo, 1, "Mine")
    with pytest.raises(HfHubHTTPError) as error:
        eve.hide_discussion_comment(repo, 1, event.id)
    assert status_of(error) == 403


def test_rename(ada, repo):
    ada.create_discussion(repo, "Old")
    event = ada.rename_discussion(repo, 1, "New")
    assert (event.old_title, event.new_title) == ("Old", "New")
    found = ada.get_discussion_details(repo, 1)
    assert found.title == "New" and "title-change" in kinds(found)


def test_rename_what_others_began(ada, eve, repo):
    ada.create_discussion(repo, "Old")
    with pytest.raises(HfHubHTTPError) as error:
        eve.rename_discussion(repo, 1, "New")
    assert status_of(error) == 403


def test_close_and_open_again(ada, repo):
    ada.create_discussion(repo, "Question")
    assert ada.change_discussion_status(repo, 1, "closed", comment="Done").new_status == "closed"
    found = ada.get_discussion_details(repo, 1)
    assert found.status == "closed" and "status-change" in kinds(found)
    assert any(getattr(event, "content", None) == "Done" for event in found.events)
    ada.change_discussion_status(repo, 1, "open")
    assert ada.get_discussion_details(repo, 1).status == "open"


def test_close_what_others_began(ada, eve, repo):
    ada.create_discussion(repo, "Question")
    with pytest.raises(HfHubHTTPError) as error:
        eve.change_discussion_status(repo, 1, "closed")
    assert status_of(error) == 403


def test_whoever_began_it_may_close_it(ada, eve, repo):
    eve.create_discussion(repo, "Question")
    assert eve.change_discussion_status(repo, 1, "closed").new_status == "closed"


def test_a_pull_request(ada, repo):
    made = ada.create_pull_request(repo, "A change", description="Better")
    assert (made.is_pull_request, made.status, made.git_reference) == (True, "draft", "refs/pr/1")
    assert made.target_branch == "refs/heads/main"
    assert ada.model_info(repo, revision="refs/pr/1").sha == ada.model_info(repo).sha


@over_tls
def test_merge(ada, repo):
    ada.create_pull_request(repo, "A change")
    ada.upload_file(path_or_fileobj=b"new\n", path_in_repo="new.txt", repo_id=repo, revision="refs/pr/1", commit_message="Add new")
    ada.change_discussion_status(repo, 1, "open")
    before = ada.get_discussion_details(repo, 1)
    assert "commit" in kinds(before) and not before.conflicting_files
    ada.merge_pull_request(repo, 1, comment="Thanks")
    found = ada.get_discussion_details(repo, 1)
    assert found.status == "merged" and len(found.merge_commit_oid) == 40
    assert ada.file_exists(repo, "new.txt") and ada.model_info(repo).sha == found.merge_commit_oid


def test_the_difference(ada, repo):
    ada.create_pull_request(repo, "A change")
    ada.upload_file(path_or_fileobj=b"one\nTWO\nthree\n", path_in_repo="a.txt", repo_id=repo, revision="refs/pr/1")
    diff = ada.get_discussion_details(repo, 1).diff
    assert "a.txt" in diff and "\n-two" in diff and "\n+TWO" in diff and "@@" in diff


def test_merge_after_main_moved(ada, repo):
    ada.create_pull_request(repo, "A change")
    ada.upload_file(path_or_fileobj=b"b", path_in_repo="b.txt", repo_id=repo, revision="refs/pr/1")
    ada.upload_file(path_or_fileobj=b"c", path_in_repo="c.txt", repo_id=repo)
    ada.change_discussion_status(repo, 1, "open")
    ada.merge_pull_request(repo, 1)
    assert {"a.txt", "b.txt", "c.txt"} <= set(ada.list_repo_files(repo))


def test_a_conflict(ada, repo):
    ada.create_pull_request(repo, "A change")
    ada.upload_file(path_or_fileobj=b"theirs\n", path_in_repo="a.txt", repo_id=repo, revision="refs/pr/1")
    ada.upload_file(path_or_fileobj=b"ours\n", path_in_repo="a.txt", repo_id=repo)
    ada.change_discussion_status(repo, 1, "open")
    assert ada.get_discussion_details(repo, 1).conflicting_files == ["a.txt"]
    with pytest.raises(HfHubHTTPError) as error:
        ada.merge_pull_request(repo, 1)
    assert status_of(error) in (400, 409)
    assert ada.get_discussion_details(repo, 1).status == "open"


def test_merge_by_readers(ada, eve, repo):
    from huggingface_hub import CommitOperationAdd

    done = eve.create_commit(repo, [CommitOperationAdd("e.txt", b"e")], commit_message="From Eve", create_pr=True)
    with pytest.raises(HfHubHTTPError) as error:
        eve.merge_pull_request(repo, done.pr_num)
    assert status_of(error) == 403
    ada.merge_pull_request(repo, done.pr_num)
    assert ada.file_exists(repo, "e.txt")


def test_merge_twice(ada, repositories, repo):
    number = repositories.commit(repo, {"b.txt": "b"}, create_pr=True).pr_num
    ada.merge_pull_request(repo, number)
    with pytest.raises(HfHubHTTPError) as error:
        ada.merge_pull_request(repo, number)
    assert 400 <= status_of(error) < 500


def test_merge_a_discussion(ada, repo):
    ada.create_discussion(repo, "Only words")
    with pytest.raises(HfHubHTTPError) as error:
        ada.merge_pull_request(repo, 1)
    assert 400 <= status_of(error) < 500


def test_commits_to_a_pull_request_of_others(ada, bob, eve, repo):
    ada.create_pull_request(repo, "A change")
    with pytest.raises(HfHubHTTPError) as error:
        eve.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo, revision="refs/pr/1")
    assert status_of(error) == 403


def test_download_from_a_pull_request(ada, repositories, repo, tmp_path):
    done = repositories.commit(repo, {"a.txt": "changed"}, create_pr=True)
    assert open(ada.hf_hub_download(repo, "a.txt", revision=done.pr_revision, cache_dir=tmp_path)).read() == "changed"


def test_pull_requests_of_datasets(owner, repositories):
    repo = repositories.make("dataset", files={"a.csv": "a\n1\n"})
    number = repositories.commit(repo, {"b.csv": "a\n2\n"}, kind="dataset", create_pr=True).pr_num
    owner.merge_pull_request(repo, number, repo_type="dataset")
    assert owner.file_exists(repo, "b.csv", repo_type="dataset")


PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@since("2.0")
def test_attachments(ada, repo, raw, people, tmp_path):
    picture = tmp_path / "dot.png"
    picture.write_bytes(PICTURE)
    address = ada.upload_attachment(picture)
    assert address.startswith("http")
    path = "/uploads/" + address.split("/uploads/")[1]
    answer = raw("GET", path, token=people.token("ada"))
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, PICTURE, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    # Others see it once a discussion that they may read shows it.
    assert raw("GET", path, token=people.token("bob")).status == 404
    ada.create_discussion(repo, "Bug", description=f"![dot]({address})")
    assert raw("GET", path, token=people.token("bob")).body == PICTURE


@since("2.0")
def test_attachments_of_who_has_not_signed_in(visitor, tmp_path):
    picture = tmp_path / "dot.png"
    picture.write_bytes(PICTURE)
    with pytest.raises(HfHubHTTPError) as error:
        visitor.upload_attachment(picture, token=False)
    assert status_of(error) == 401


def test_attachments_that_are_no_pictures(raw, people):
    answer = raw("POST", "/uploads", b"<script>", people.token("ada"), {"Content-Type": "text/html"})
    assert 400 <= answer.status < 500


@pytest.mark.parametrize("path", ["0", "x", "-1", "99999999999999999999"])
def test_numbers_that_are_none(raw, people, repo, path):
    assert raw("GET", f"/api/models/{repo}/discussions/{path}", token=people.token("ada")).status in (400, 404)


def test_a_very_long_comment(raw, people, ada, repo):
    ada.create_discussion(repo, "Question")
    answer = raw("POST", f"/api/models/{repo}/discussions/1/comment", {"comment": "x" * 5_000_000}, people.token("ada"))
    assert 400 <= answer.status < 500
