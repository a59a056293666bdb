"""Things that cases share: people, repositories made for one case, raw requests, files of models."""

import base64
import hashlib
import http.client
import itertools
import json
import os
import ssl
import struct
import subprocess
import time
import urllib.parse
from pathlib import Path

import pytest

SITE = json.loads(Path(os.environ["CLIENT_TESTS_SITE"]).read_text())
URL = SITE["url"]

since = pytest.mark.since
before = pytest.mark.before
needs = pytest.mark.needs
over_tls = pytest.mark.over_tls


class People:
    """Who uses the hub. `api("bob")` is the client of one of them."""

    def name(self, person: str) -> str:
        return SITE["people"][person]["name"]

    def token(self, person: str, scope: str = "write") -> str:
        return SITE["people"][person][scope]

    def api(self, person: str, scope: str = "write", prefix: str = ""):
        from huggingface_hub import HfApi

        return HfApi(endpoint=URL + prefix, token=self.token(person, scope))

    def visitor(self):
        from huggingface_hub import HfApi

        return HfApi(endpoint=URL, token=False)


ADA = SITE["people"]["ada"]["name"]
BOB = SITE["people"]["bob"]["name"]
EVE = SITE["people"]["eve"]["name"]
TEAM = SITE["team"]

# A second run on the same hub makes other names.
RUN = int(os.environ.get("CLIENT_TESTS_RUN", "1"))
numbers = itertools.count(RUN * 10_000)


def fresh(word: str = "case", owner: str = ADA) -> str:
    """A name that no repository has."""
    return f"{owner}/{word}-{next(numbers)}"


class Repositories:
    """Makes repositories, with files in one commit."""

    def __init__(self, api):
        self.api = api

    def make(self, kind: str = "model", files: dict | None = None, private: bool = False, name: str = "case", **more) -> str:
        repo_id = fresh(name, more.pop("owner", ADA))
        if kind == "space":
            more.setdefault("space_sdk", "static")
        self.api.create_repo(repo_id, repo_type=kind, private=private, **more)
        if files:
            self.commit(repo_id, files, kind=kind)
        return repo_id

    def commit(self, repo_id: str, files: dict, kind: str = "model", message: str = "Add files", **more):
        from huggingface_hub import CommitOperationAdd

        operations = [CommitOperationAdd(path, as_bytes(content)) for path, content in files.items()]
        return self.api.create_commit(repo_id, operations, commit_message=message, repo_type=kind, **more)


def as_bytes(content) -> bytes:
    return content.encode() if isinstance(content, str) else content


class Answer:
    def __init__(self, status: int, headers, body: bytes):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self) -> tuple:
        """Status, code and message, as clients read them."""
        return self.status, self.headers.get("X-Error-Code"), self.headers.get("X-Error-Message")


class Raw:
    """Requests as they are, for what no client would send; follows nothing, retries nothing."""

    def __call__(self, method: str, path: str, body=None, token: str | None = None, headers: dict | None = None, **query) -> Answer:
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if query:
            path += "?" + urllib.parse.urlencode(query, doseq=True)
        parts = urllib.parse.urlsplit(URL)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=SITE["certificate"])
            connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=30, context=context)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def commit(self, repo_id: str, lines: list, token: str, kind: str = "models", rev: str = "main", **query) -> Answer:
        """A commit with these lines, texts or objects, after a header."""
        body = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
        return self(
            "POST", f"/api/{kind}/{repo_id}/commit/{rev}", body, token, {"Content-Type": "application/x-ndjson"}, **query
        )


def header(summary: str = "Change", **more) -> dict:
    return {"key": "header", "value": {"summary": summary, "description": "", **more}}


def file_line(path: str, content: bytes = b"text\n") -> dict:
    return {"key": "file", "value": {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}}


def lfs_line(path: str, oid: str, size: int) -> dict:
    return {"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": oid, "size": size}}


def csghub(*words: str) -> str:
    """A verb of the command line, as the administrator types it on the hub's machine."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CSGHUB_")}
    done = subprocess.run(
        [SITE["binary"], *words, "--data", SITE["data"]], capture_output=True, text=True, timeout=60, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def eventually(look, seconds: float = 10):
    """What `look` returns once it is true: facts of repositories come a moment after their commit."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def http_error():
    """What every client raises at least; 0.x raises it bare for a wrong token."""
    from huggingface_hub.errors import HfHubHTTPError

    return next(kind for kind in HfHubHTTPError.__mro__ if kind.__name__ == "HTTPError")


def status_of(error) -> int:
    return error.value.response.status_code


def git_blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    stream = hashlib.shake_256(f"{SITE['slug']} {seed}".encode())
    return stream.digest(size)


def safetensors_file(tensors: dict[str, tuple[str, list[int]]]) -> bytes:
    """A safetensors file of zeros: names with dtype and shape."""
    widths = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8}
    head, end = {}, 0
    for name, (dtype, shape) in tensors.items():
        size = widths[dtype]
        for length in shape:
            size *= length
        head[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps({"__metadata__": {"format": "pt"}, **head}).encode()
    return struct.pack("<Q", len(text)) + text + bytes(end)


def gguf_file(architecture: str = "llama", context: int = 2048, rows: int = 16) -> bytes:
    """A GGUF file of version 3 with one tensor."""
    text = lambda value: struct.pack("<Q", len(value)) + value.encode()  # noqa: E731
    pairs = [
        text("general.architecture") + struct.pack("<I", 8) + text(architecture),
        text(f"{architecture}.context_length") + struct.pack("<II", 4, context),
    ]
    tensor = text("weight") + struct.pack("<IQQIQ", 2, rows, 4, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(pairs)) + b"".join(pairs) + tensor
    return head + bytes(-len(head) % 32) + bytes(rows * 4 * 4)


CARD = """---
license: mit
library_name: transformers
pipeline_tag: text-generation
language:
- en
- fr
tags:
- poems
- very-rare-tag
datasets:
- somebody/poems
base_model: somebody/base
---
# Reading

A model for tests, 机器学习.
"""

LARGE = noise(300_000, 1)

MODEL_FILES = {
    "README.md": CARD,
    "config.json": json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "vocab_size": 32}),
    "model.safetensors": safetensors_file({"a": ("F32", [10, 10]), "b": ("BF16", [7])}),
    "weights.bin": LARGE,
    "sub/a.txt": "alpha\n",
    "sub/deep/b.txt": "beta\n",
    "sub/deep/Ü ber +#&%.txt": "name\n",
    "empty.txt": "",
}

DATASET_FILES = {
    "README.md": "---\nlicense: cc-by-4.0\nlanguage:\n- de\ntask_categories:\n- text-classification\nsize_categories:\n- n<1K\n---\n# Data\n",
    "data/train.csv": "text,label\nhello,0\nworld,1\n",
    "data/test.csv": "text,label\nbye,1\n",
}
