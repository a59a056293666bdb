"""Large objects: download against nginx, upload against hashing and writing the same file."""

import os
import shutil
import sys

from lfs_client import action, curl_words, write_file
from measuring import measure, run


def run_all(bench):
    for tls in (False, True):
        suffix = "TLS" if tls else "plain"
        bench.line(f"download of a large object, {suffix}", lambda tls=tls: download(bench, tls))
    for tls in (False, True):
        suffix = "TLS" if tls else "plain"
        bench.line(f"upload of a large object, {suffix}", lambda tls=tls: upload(bench, tls))
    bench.line("download of a Xet-stored object, plain", lambda: xet_download(bench))


def size_name(bench):
    return f"{bench.large_bytes / 1e9:.1f} GB"


def download(bench, tls):
    hub, nginx = bench.hub(tls), bench.nginx
    source = nginx.files + "/object"
    oid = write_file(source, bench.large_bytes)
    name = f"download-{tls}"
    hub.create(name)
    run(*curl_words(action(hub, name, "upload", oid, bench.large_bytes)), "--upload-file", source)

    ours, peers = [], []
    for _ in range(bench.runs):
        words = curl_words(action(hub, name, "download", oid, bench.large_bytes)) + ["--output", "/dev/null"]
        ours.append(measure(lambda words=words: run(*words), hub))
        peer = ["curl", "--silent", "--fail", "--insecure", "--output", "/dev/null", nginx.url(tls) + "/files/object"]
        peers.append(measure(lambda: run(*peer), nginx))
    os.remove(source)
    name = f"download {size_name(bench)} / nginx, {'TLS' if tls else 'plain'}"
    bench.table.compare(name, ours, peers, wall_goal=1.0, cpu_goal=1.15 if tls else 1.0)
    # On the loopback device the kernel's work for the receiver is charged to whichever side happens to run it.
    bench.table.compare(
        f"{name}, with curl", [one.with_client for one in ours], [one.with_client for one in peers],
        cpu_goal=1.15 if tls else 1.0)


def xet_download(bench):
    """A file that hf-xet sent, so that it lies in parts of xorbs, as curl gets it; nginx has the same bytes in one file."""
    hub, nginx = bench.hub(tls=False), bench.nginx
    source = nginx.files + "/xet-object"
    write_file(source, bench.large_bytes, seed=7)
    hub.create("xet")
    hf = os.path.join(install(bench.path("hf"), "huggingface_hub==2.4.0", "hf-xet==1.8.0"), "hf")
    settings = {"HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token, "HF_HOME": bench.path("hf-home")}
    settings |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_UPDATE_CHECK": "1"}
    run(hf, "upload", "bench/xet", source, "object.bin", env=os.environ | settings)
    url = f"{hub.url}/bench/xet/resolve/main/object.bin"
    words = ["curl", "--silent", "--fail", "--location", "--output", "/dev/null"]

    ours, peers = [], []
    for _ in range(bench.runs):
        ours.append(measure(lambda: run(*words, "--header", f"Authorization: Bearer {hub.token}", url), hub))
        peers.append(measure(lambda: run(*words, nginx.url(tls=False) + "/files/xet-object"), nginx))
    os.remove(source)
    name = f"download {size_name(bench)} sent by Xet / nginx, plain"
    bench.table.compare(name, ours, peers, wall_goal=1.1, cpu_goal=1.3)
    bench.table.compare(
        f"{name}, with curl", [one.with_client for one in ours], [one.with_client for one in peers], cpu_goal=1.3)


def install(folder, *packages):
    """A virtual environment with these packages of PyPI; returns where its programs are."""
    run(sys.executable, "-m", "venv", folder)
    run(os.path.join(folder, "bin", "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", *packages)
    return os.path.join(folder, "bin")


def upload(bench, tls):
    hub = bench.hub(tls)
    source, copy = bench.path("upload"), bench.path("copy")
    ours, peers = [], []
    for index in range(bench.runs):
        oid = write_file(source, bench.large_bytes, seed=100 + index)
        name = f"upload-{tls}-{index}"
        hub.create(name)
        # What the generator left for the disk to write is no business of either side.
        run("sync", "-f", source)
        words = curl_words(action(hub, name, "upload", oid, bench.large_bytes)) + ["--upload-file", source]
        ours.append(measure(lambda words=words: run(*words), hub))

        def hash_and_write():
            run("openssl", "dgst", "-sha256", source)
            run("dd", f"if={source}", f"of={copy}", "bs=1M", "conv=fsync")

        peers.append(measure(hash_and_write))
        os.remove(copy)
        shutil.rmtree(os.path.join(hub.data, "objects", oid[:2], oid[2:4]), ignore_errors=True)
    os.remove(source)
    bench.table.compare(
        f"upload {size_name(bench)} / openssl dgst + dd fsync, {'TLS' if tls else 'plain'}", ours, peers,
        wall_goal=1.2 if tls else 1.0)
