"""The OpenSSF's model_signing: it accepts what the hub's program signs, and the other way round."""

import json
import os
import subprocess

import pytest

from support import SITE, needs

pytestmark = needs("model_signing")

CURVES = ["prime256v1", "secp384r1"]


def run(*words):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CSGHUB_")}
    return subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=60, env=environment)


def verb(*words):
    return run(SITE["binary"], *words)


@pytest.fixture(params=CURVES)
def keys(request, tmp_path):
    """A private and a public key in files."""
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "ecparam", "-name", request.param, "-genkey", "-noout", "-out", private], check=True)
    subprocess.run(["openssl", "ec", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    return private, public


@pytest.fixture()
def folder(tmp_path):
    folder = tmp_path / "bert"
    (folder / "onnx").mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "bert"}\n')
    (folder / "model.safetensors").write_bytes(os.urandom(3_000_000))
    (folder / "onnx" / "Größe ü.bin").write_bytes(b"\0" * 1000)
    (folder / "empty").touch()
    (folder / ".gitattributes").write_text("*.bin filter=lfs\n")
    return folder


def test_the_tool_accepts_ours(keys, folder):
    private, public = keys
    made = verb("model", "sign", folder, "--key", private)
    assert made.returncode == 0, made.stderr
    check = ["model_signing", "verify", "key", "--public_key", public, "--signature", folder / "model.sig", folder]
    done = run(*check)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "config.json").write_text("{}")
    assert run(*check).returncode != 0


def test_we_accept_the_tools(keys, folder):
    private, public = keys
    made = run("model_signing", "sign", "key", "--private_key", private, "--signature", folder / "model.sig", folder)
    assert made.returncode == 0, made.stdout + made.stderr
    done = verb("model", "verify", folder, "--key", public)
    assert done.returncode == 0, done.stderr
    (folder / "new.txt").touch()
    (folder / "config.json").write_text("{}")
    (folder / "empty").unlink()
    done = verb("model", "verify", folder, "--key", public)
    assert done.returncode == 65
    for line in ["config.json has other bytes", "empty is missing", "new.txt was not signed"]:
        assert line in done.stderr


def test_we_accept_shards(keys, folder):
    private, public = keys
    import model_signing

    config = model_signing.hashing.Config().use_shard_serialization(shard_size=1_000_000)
    model_signing.signing.Config().use_elliptic_key_signer(private_key=private).set_hashing_config(config).sign(
        folder, folder.parent / "shards.sig")
    check = ["model", "verify", folder, "--key", public, "--signature", folder.parent / "shards.sig"]
    # Of an empty file there is no part, so nothing is signed of it.
    assert "empty" not in json.dumps(json.loads((folder.parent / "shards.sig").read_text()))
    done = verb(*check)
    assert done.returncode == 0, done.stderr
    with open(folder / "model.safetensors", "r+b") as file:
        file.seek(2_500_000)
        file.write(b"x")
    assert verb(*check).returncode == 65


def test_another_key_and_a_changed_signature_are_refused(keys, folder, tmp_path):
    private, public = keys
    assert run("model_signing", "sign", "key", "--private_key", private, "--signature", folder / "model.sig", folder).returncode == 0
    other = tmp_path / "other.pem"
    made = subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"], capture_output=True, check=True)
    subprocess.run(["openssl", "ec", "-pubout", "-out", other], input=made.stdout, check=True, capture_output=True)
    assert verb("model", "verify", folder, "--key", other).returncode == 77
    signature = json.loads((folder / "model.sig").read_text())
    signature["verificationMaterial"]["publicKey"]["hint"] = "0" * 64
    (folder / "model.sig").write_text(json.dumps(signature))
    done = verb("model", "verify", folder, "--key", public)
    assert done.returncode == 77 and "names another key" in done.stderr


def test_an_ed25519_key_is_refused_as_the_specification_has_it(folder, tmp_path):
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "ed.pem"], check=True)
    done = verb("model", "sign", folder, "--key", tmp_path / "ed.pem")
    assert done.returncode == 65 and "ed25519" in done.stderr
