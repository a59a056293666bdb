"""`hf upload` and `hf download` with hf-xet: against hashing and writing the same bytes, and against git-lfs and the same hub.

Also how much is sent again after the client was killed, and for a copy of which one hundredth has changed. A hub of its own serves
each line, so that the disk holds the data of one line only.
"""

import os
import shutil
import signal
import subprocess
import time

from measuring import Measure, cpu_seconds, measure, run
from servers import Hub

PACKAGES = ("huggingface_hub==2.4.0", "hf-xet==1.8.0")
FOLDER_BYTES, FOLDER_FILES, FILE_BYTES = 5_000_000_000, 1_000, 10_000_000_000
QUICK_FOLDER_BYTES, QUICK_FOLDER_FILES, QUICK_FILE_BYTES = 100_000_000, 100, 200_000_000


def run_all(bench):
    folder, files, file = (
        (QUICK_FOLDER_BYTES, QUICK_FOLDER_FILES, QUICK_FILE_BYTES) if bench.quick else (FOLDER_BYTES, FOLDER_FILES, FILE_BYTES))
    for name, size, count in (("a folder", folder, files), ("one file", file, 1)):
        bench.line(f"hf transfers of {name}", lambda name=name, size=size, count=count: transfers(bench, name, size, count))
    bench.line("hf transfers killed and resumed", lambda: resumed(bench, file))
    bench.line("hf upload of a changed copy", lambda: changed_copy(bench, file))


class Client:
    """Stock `hf` in an environment of its own, made once."""

    def __init__(self, bench, hub, home="hf-home"):
        self.environment = bench.path("hf-environment")
        if not os.path.exists(self.environment + "/bin/hf"):
            run("python3", "-m", "venv", self.environment)
            run(self.environment + "/bin/pip", "install", "--quiet", "--retries", "1", *PACKAGES, seconds=300)
        self.variables = dict(
            os.environ, HF_ENDPOINT=hub.url, HF_TOKEN=hub.token, HF_HOME=bench.path(home), HF_HUB_DISABLE_PROGRESS_BARS="1",
            HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_UPDATE_CHECK="1")

    def words(self, *words):
        return [self.environment + "/bin/hf", *words]

    def run(self, *words):
        run(*self.words(*words), env=self.variables)

    def start(self, *words):
        return subprocess.Popen(
            self.words(*words), env=self.variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)


class Site:
    """A hub for one line, with its client; what it stored goes at the end."""

    def __init__(self, bench):
        self.bench = bench

    def __enter__(self):
        self.folder = self.bench.path("hf-site")
        os.makedirs(self.folder)
        self.hub = Hub(os.environ["CSGHUB_BINARY"], self.folder, tls=False)
        self.hub.start()
        self.hub.prepare()
        self.client = Client(self.bench, self.hub)
        return self

    def __exit__(self, *_):
        self.hub.stop()
        self.hub.group.remove()
        for name in ("hf-site", "hf-home", "hf-other-home", "hf-source", "hf-got"):
            shutil.rmtree(self.bench.path(name), ignore_errors=True)

    def counter(self, name):
        """A counter of the hub's metrics."""
        text = run("curl", "--silent", "--fail", "--unix-socket", self.hub.data + "/control.sock", "http://localhost/metrics")
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def received(self):
        return self.counter("hub_http_received_bytes_total")

    def sent(self):
        return self.counter("hub_http_sent_bytes_total")

    def measure(self, work):
        """With what the hub still does after the last answer: chunks of new objects, facts of the commit."""
        one = measure(work, self.hub)
        before = cpu_seconds(self.hub.roots)
        began = time.perf_counter()
        last = before
        while time.perf_counter() - began < 60:
            time.sleep(1)
            now = cpu_seconds(self.hub.roots)
            if now - last < 0.02:
                break
            last = now
        return Measure(one.wall, one.cpu + last - before, one.peak, one.client_cpu)


def write_random(path, size, seed):
    """Bytes that no compressor and no deduplication makes fewer; the same for the same seed."""
    key = f"{seed:032x}"
    with open(path, "wb") as file:
        cipher = subprocess.Popen(
            ["openssl", "enc", "-aes-128-ctr", "-K", key, "-iv", "0" * 32, "-in", "/dev/zero"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        left = size
        while left > 0:
            part = cipher.stdout.read(min(left, 1 << 20))
            file.write(part)
            left -= len(part)
        cipher.stdout.close()
        cipher.wait()


def write_source(folder, size, count):
    os.makedirs(folder)
    for index in range(count):
        write_random(f"{folder}/part-{index:04}.bin", size // count, index + 1)
    # What the generator left for the disk to write is no business of either side.
    run("sync", "-f", folder)


def size_name(size):
    return f"{size / 1e9:.1f} GB"


# MARK: Against hashing and writing, and against git-lfs


def transfers(bench, name, size, count):
    source, got = bench.path("hf-source"), bench.path("hf-got")
    title = f"{size_name(size)}, {name}" + (f" of {count}" if count > 1 else "")
    with Site(bench) as site:
        write_source(source, size, count)
        floor = measure(lambda: hash_and_write(bench, source))
        site.hub.create("m")
        upload = site.measure(lambda: site.client.run("upload", "bench/m", source, "."))
        shutil.rmtree(source)
        download = site.measure(lambda: site.client.run("download", "bench/m", "--local-dir", got))
        check(got, size, count)
    with Site(bench) as site:
        site.hub.create("m")
        write_source(source, size, count)
        push = site.measure(lambda: git_push(source, site.hub.git_url("m")))
        shutil.rmtree(source)
        clone = site.measure(lambda: run("git", "clone", "--quiet", site.hub.git_url("m"), got))
        check(got, size, count)
    bench.table.compare(f"hf upload {title} / dgst + dd fsync", [upload], [floor], cpu_goal=2.0)
    bench.table.compare(f"hf upload {title} / git add, push", [upload], [push], wall_goal=1.3)
    bench.table.compare(f"hf download {title} / dgst + dd fsync", [download], [floor], cpu_goal=2.0)
    bench.table.compare(f"hf download {title} / git clone", [download], [clone], wall_goal=1.3)


def hash_and_write(bench, source):
    copy = bench.path("hf-floor")
    names = sorted(os.listdir(source))
    run("openssl", "dgst", "-sha256", *names, cwd=source)
    files = subprocess.Popen(["cat", *names], cwd=source, stdout=subprocess.PIPE)
    subprocess.run(
        ["dd", f"of={copy}", "bs=1M", "iflag=fullblock", "conv=fsync"], stdin=files.stdout, stderr=subprocess.DEVNULL, check=True)
    files.stdout.close()
    files.wait()
    os.remove(copy)


def git_push(source, url):
    """All that somebody with a folder does."""
    run("git", "init", "--quiet", source)
    run("git", "-C", source, "lfs", "install", "--local")
    run("git", "-C", source, "lfs", "track", "*.bin")
    run("git", "-C", source, "add", "--all")
    run("git", "-C", source, "commit", "--quiet", "--message", "Add files")
    run("git", "-C", source, "push", "--quiet", url, "main")


def check(folder, size, count):
    names = [name for name in os.listdir(folder) if name.endswith(".bin")]
    total = sum(os.path.getsize(f"{folder}/{name}") for name in names)
    if (total, len(names)) != (size // count * count, count):
        raise RuntimeError(f"{len(names)} files of {total} bytes came, not {count} of {size}")
    shutil.rmtree(folder)


# MARK: Killed


def resumed(bench, size):
    source, got = bench.path("hf-source"), bench.path("hf-got")
    title = f"{size_name(size)} killed near half and resumed"
    with Site(bench) as site:
        write_source(source, size, 1)
        site.hub.create("m")
        upload = ["upload", "bench/m", source, "."]
        first = kill_at(site.client.start(*upload), site.received, size / 2)
        second = used(site.received, lambda: site.client.run(*upload))
        again = max(first + second - size, 0)
        bench.table.figure(f"hf upload {title}: sent again", f"{again / 1e6:.0f} MB", verdict=shares(first, second, size))
        shutil.rmtree(source)
        download = ["download", "bench/m", "--local-dir", got]
        first = kill_at(site.client.start(*download), site.sent, size / 2)
        second = used(site.sent, lambda: site.client.run(*download))
        again = max(first + second - size, 0)
        bench.table.figure(f"hf download {title}: sent again", f"{again / 1e6:.0f} MB", verdict=shares(first, second, size))
        check(got, size, 1)


def shares(first, second, size):
    return f"{first / 1e6:.0f} MB before, {second / 1e6:.0f} MB after, of {size / 1e6:.0f} MB"


def kill_at(process, counter, wanted):
    """Kills the client once so much has passed. Returns what passed until then."""
    before = counter()
    while process.poll() is None and counter() - before < wanted:
        time.sleep(0.02)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return used_since(counter, before)


def used_since(counter, before):
    """What has passed when nothing more passes; the hub may still read what the client sent before its end."""
    last = counter()
    for _ in range(100):
        time.sleep(0.2)
        now = counter()
        if now - last < 100_000:
            return now - before
        last = now
    return last - before


def used(counter, work):
    before = counter()
    work()
    return counter() - before


# MARK: One hundredth changed


def changed_copy(bench, size):
    source = bench.path("hf-source")
    with Site(bench) as site:
        write_source(source, size, 1)
        site.hub.create("m")
        file = source + "/part-0000.bin"
        whole = used(site.received, lambda: site.client.run("upload", "bench/m", file, "a.bin"))
        bench.table.figure(f"hf upload {size_name(size)}: sent", f"{whole / 1e6:.0f} MB")
        other = Client(bench, site.hub, home="hf-other-home")
        for index, (where, client) in enumerate((("the same machine", site.client), ("another machine", other))):
            change(file, size, index + 1)
            sent = used(site.received, lambda client=client, index=index: client.run("upload", "bench/m", file, f"b{index}.bin"))
            bench.table.figure(
                f"hf upload of a copy, 1 % changed, {where}: sent", f"{sent / 1e6:.0f} MB", verdict=f"{sent / size * 100:.1f} % of it")


def change(path, size, seed):
    """Overwrites one hundredth of a file in a hundred places."""
    piece = size // 10_000
    with open(path, "r+b") as file:
        for index in range(100):
            file.seek(index * (size // 100) + seed * piece)
            file.write(os.urandom(piece))
