"""The few calls of the LFS API that the comparisons make themselves, for curl to follow."""

import base64
import hashlib
import json
import os
import ssl
import urllib.request


def write_file(path, size, seed=1):
    """A file that no compressor makes smaller. Returns its SHA-256."""
    digest = hashlib.sha256()
    block = bytearray(os.urandom(1 << 20))
    with open(path, "wb") as file:
        left, counter = size, seed
        while left > 0:
            counter += 1
            block[:8] = counter.to_bytes(8, "little")
            part = bytes(block[:left]) if left < len(block) else bytes(block)
            file.write(part)
            digest.update(part)
            left -= len(part)
    return digest.hexdigest()


def action(hub, name, operation, oid, size):
    """The action that the batch API gives for one object, or None when there is nothing to do."""
    request = urllib.request.Request(
        f"{hub.url}/models/bench/{name}.git/info/lfs/objects/batch",
        json.dumps({"operation": operation, "transfers": ["basic"], "objects": [{"oid": oid, "size": size}]}).encode(),
        {
            "Accept": "application/vnd.git-lfs+json",
            "Content-Type": "application/vnd.git-lfs+json",
            "Authorization": "Basic " + base64.b64encode(f"bench:{hub.token}".encode()).decode(),
        })
    context = ssl._create_unverified_context() if hub.tls else None
    with urllib.request.urlopen(request, timeout=60, context=context) as answer:
        found = json.load(answer)["objects"][0]
    if "error" in found:
        raise RuntimeError(f"batch: {found['error']}")
    return found.get("actions", {}).get(operation)


def curl_words(one):
    """curl's words that follow an action."""
    words = ["curl", "--silent", "--show-error", "--fail", "--insecure"]
    for key, value in one.get("header", {}).items():
        words += ["--header", f"{key}: {value}"]
    return words + [one["href"]]
