"""How to point clients to the hub."""

import os
import re
import subprocess

import pytest

from support import ADA, SITE, URL, over_tls


@over_tls
def test_the_data_for_programs(raw):
    data = raw("GET", "/api/hub/v1/clients").json
    assert data["endpoint"] == URL and data["token_page"].startswith(URL)
    assert {system["name"] for system in data["systems"]} == {"linux", "macos", "windows"}
    names = {variable["name"] for variable in data["systems"][0]["variables"]}
    wanted = {"HF_ENDPOINT", "HF_TOKEN", "CSGHUB_DOMAIN", "HF_HUB_DISABLE_UPDATE_CHECK", "HF_HUB_DISABLE_TELEMETRY", "HF_UPDATE_DOWNLOAD_COUNTS"}
    if SITE["tls"]:
        wanted |= {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
        assert ".sslCAInfo" in data["systems"][0]["git_command"]
    assert wanted <= names


@over_tls
def test_the_certificate_and_its_fingerprint(raw):
    data = raw("GET", "/api/hub/v1/clients").json
    if not SITE["tls"]:
        assert data["certificate"] is None and raw("GET", "/connect/ca.pem").status == 404
        return
    pem = raw("GET", "/connect/ca.pem").body.decode()
    assert pem == data["certificate"]["pem"]
    shown = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=pem, capture_output=True, text=True, check=True).stdout
    assert shown.strip().split("=")[1] == data["certificate"]["sha256_fingerprint"]


@pytest.mark.parametrize("accept, language, word", [
    ("en-US,en;q=0.9", "en", "Connect to this hub"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans", "连接到本站"), ("fr", "en", "Connect"),
    ("en;q=0.2, zh;q=0.7", "zh-Hans", "连接到本站"), ("*", "en", "Connect"), (",;q=,", "en", "Connect"),
])
def test_the_page_in_the_readers_language(raw, accept, language, word):
    answer = raw("GET", "/connect", headers={"Accept-Language": accept})
    text = answer.body.decode()
    assert answer.status == 200 and f'<html lang="{language}">' in text and word in text
    assert answer.headers["Content-Language"] == language and "Accept-Language" in answer.headers["Vary"]


@over_tls
def test_the_page_loads_nothing_from_elsewhere(raw):
    answer = raw("GET", "/connect")
    text = answer.body.decode() + raw("GET", "/connect/style.css").body.decode()
    foreign = [address for address in re.findall(r"https?://[^\s\"'<)]+", text) if not address.startswith(URL)]
    assert foreign == [] and "<script" not in text and " style=" not in text
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_the_page_knows_light_and_dark(raw):
    assert "light-dark(" in raw("GET", "/connect/style.css").body.decode()


def test_a_strange_host_is_not_repeated(raw):
    answer = raw("GET", "/connect/profile.sh", headers={"Host": 'evil.example"$(id)'})
    assert b"evil" not in answer.body


@over_tls
def test_the_profile_sets_the_shell_up(raw, tmp_path):
    script = tmp_path / "profile.sh"
    script.write_bytes(raw("GET", "/connect/profile.sh").body)
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "HF_TOKEN": "mine"}
    words = ["sh", "-c", '. "$0" && env && git config --global --list; :', str(script)]
    shown = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=20, check=True).stdout
    assert f"HF_ENDPOINT={URL}" in shown and f"CSGHUB_DOMAIN={URL}" in shown and "HF_TOKEN=mine" in shown
    if SITE["tls"]:
        bundle = re.search(r"SSL_CERT_FILE=(.*)", shown).group(1)
        assert bundle.startswith(str(tmp_path)) and "BEGIN CERTIFICATE" in open(bundle).read()
        assert f"http.{URL.lower()}/.sslcainfo={tmp_path}/.config/csghub/ca.pem" in shown.lower().replace(str(tmp_path).lower(), str(tmp_path))


@over_tls
def test_the_profile_checks_the_result(raw, people, tmp_path):
    script = tmp_path / "profile.sh"
    script.write_bytes(raw("GET", "/connect/profile.sh").body)
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    for token, words in [(people.token("ada"), f"Signed in as {ADA}"), ("", "Nobody is signed in")]:
        done = subprocess.run(["sh", str(script), "check"], capture_output=True, text=True, env=environment | {"HF_TOKEN": token}, timeout=20)
        assert done.returncode == 0 and words in done.stdout, done.stdout + done.stderr
    done = subprocess.run(["sh", str(script), "check"], capture_output=True, text=True, env=environment | {"HF_TOKEN": "hub_wrong"}, timeout=20)
    assert done.returncode != 0


def test_the_profile_is_sound_shell(raw, tmp_path):
    script = tmp_path / "profile.sh"
    script.write_bytes(raw("GET", "/connect/profile.sh").body)
    done = subprocess.run(["shellcheck", "--shell=sh", "--exclude=SC3043", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@over_tls
def test_the_profile_for_windows(raw):
    text = raw("GET", "/connect/profile.ps1").body.decode()
    assert f"HF_ENDPOINT = '{URL}'" in text and ("BEGIN CERTIFICATE" in text) == SITE["tls"]


@over_tls
def test_git_trusts_the_hub_by_the_profile(raw, repositories, people, tmp_path):
    repo = repositories.make(files={"a.txt": "a"})
    script = tmp_path / "profile.sh"
    script.write_bytes(raw("GET", "/connect/profile.sh").body)
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "GIT_TERMINAL_PROMPT": "0"}
    words = ["sh", "-c", f'. "$0" && git clone --quiet {URL}/{repo} "$HOME/clone"', str(script)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
