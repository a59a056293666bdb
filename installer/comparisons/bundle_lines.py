"""Offline bundles: create, verify and import of a folder, against the tools that one would otherwise carry it with."""

import os
import resource
import shutil
import subprocess
import tempfile
import time

from measuring import Measure, PeakSampler, cpu_seconds, run
from servers import Hub

# Longer than the window of zstd, so that it finds nothing to match.
BLOCK_BYTES = 8 << 20
SLOW_BYTES_A_SECOND = 100_000_000


def run_all(bench):
    bench.line("bundle create, verify, import", lambda: all_steps(bench))
    bench.line("bundle import from a slow medium", lambda: slow_import(bench))


def all_steps(bench):
    """At no time are there more than two copies of the folder."""
    size, runs = (2_000_000_000, bench.runs) if bench.quick else (20_000_000_000, 1)
    name = f"{size / 1e9:.0f} GB"
    site = Site(bench)
    make_folder(site.source, size)

    peers = []
    for _ in range(runs):
        peers.append(packed(site))
    created = []
    for index in range(runs):
        forget(site.source)
        created.append(command(bench.plain.binary, "bundle", "create", "--folder", site.source, "--as", "model", "acme/big",
                               "--out", site.stick, env=site.environment))
        if index < runs - 1:
            site.empty_stick()
    shutil.rmtree(site.source)
    bench.table.compare(f"bundle create {name} / tar, zstd, sha256sum", created, peers, wall_goal=1.0, cpu_goal=1.0)

    volumes = site.volumes()
    verified, hashed = [], []
    for _ in range(runs):
        forget(site.stick)
        hashed.append(command("openssl", "dgst", "-sha256", *volumes))
        forget(site.stick)
        verified.append(command(bench.plain.binary, "bundle", "verify", site.stick, env=site.environment))
    bench.table.compare(f"bundle verify {name} / dgst", verified, hashed)

    imported, copied = [], []
    for _ in range(runs):
        forget(site.stick)
        copied.append(hashed_and_copied(site, volumes))
        with site.hub() as hub:
            forget(site.stick)
            imported.append(import_on(hub, site))
    peak = max(one.peak for one in imported) / 1e6
    bench.table.compare(f"bundle import {name} / dgst, cp, sync", imported, copied, wall_goal=1.0, cpu_goal=1.0)
    bench.table.figure(f"memory of the import of {name}", f"{peak:.0f} MB", "200", "met" if peak <= 200 else "missed")
    shutil.rmtree(site.folder)


def slow_import(bench):
    """A medium that reads 100 MB/s: an import takes as long as reading it once."""
    # Less, and the constant part of an import, half a second, is what is measured.
    size = 2_000_000_000
    site = Site(bench)
    make_folder(site.source, size)
    imported, read = [], []
    with SlowMedium(site.folder, size + size // 5 + (64 << 20), SLOW_BYTES_A_SECOND) as medium:
        site.stick = medium.path
        run(bench.plain.binary, "bundle", "create", "--folder", site.source, "--as", "model", "acme/big", "--out", site.stick,
            env=site.environment)
        shutil.rmtree(site.source)
        for _ in range(1 if bench.quick else 3):
            medium.put_in()
            read.append(command("cat", *site.volumes(), preexec_fn=medium.hold))
            with site.hub() as hub:
                medium.put_in()
                medium.hold(hub.process.pid)
                imported.append(import_on(hub, site))
    bench.table.compare(f"bundle import {size / 1e9:.0f} GB at 100 MB/s / reading it once", imported, read, wall_goal=1.05)
    shutil.rmtree(site.folder)


class Site:
    """A folder to send, a stick, and the home of who sends it."""

    def __init__(self, bench):
        self.bench = bench
        self.folder = tempfile.mkdtemp(prefix="bundles.", dir=bench.folder)
        self.source, self.stick = self.folder + "/source", self.folder + "/stick"
        os.mkdir(self.source)
        os.mkdir(self.stick)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("CSGHUB_", "XDG_"))}
        self.environment["HOME"] = self.folder

    def empty_stick(self):
        shutil.rmtree(self.stick + "/HUBBUNDLE")

    def volumes(self):
        return sorted(path for path in files(self.stick) if path.endswith(".tar"))

    def hub(self):
        return TrustingHub(self)


class TrustingHub:
    """A new hub that trusts who made the bundle on the stick; removed at the end."""

    def __init__(self, site):
        self.site = site
        self.hub = Hub(site.bench.plain.binary, site.folder, tls=False, name="hub-bundles")

    def __enter__(self):
        self.hub.start()
        root = next(path for path in files(self.site.stick) if path.endswith("/trust/root.1.json"))
        fingerprint = run(self.hub.binary, "trust", "fingerprint", root).split(maxsplit=1)[1].strip()
        self.hub.verb("trust", "add", root, "--fingerprint", fingerprint)
        return self.hub

    def __exit__(self, *_):
        self.hub.stop()
        self.hub.group.remove()
        shutil.rmtree(self.hub.data)


def import_on(hub, site):
    """CPU and memory of the hub; the CPU of the command that follows it is added."""
    before = cpu_seconds(hub.roots)
    with PeakSampler(hub.roots) as sampler:
        one = command(hub.binary, "bundle", "import", site.stick, "--data", hub.data, env=hub.environment)
    return Measure(one.wall, one.cpu + cpu_seconds(hub.roots) - before, sampler.peak)


def packed(site):
    """The folder as an archive beside its checksum, on the disk."""
    archive = site.folder + "/archive.tar.zst"
    forget(site.source)
    one = together(
        command("bash", "-c", 'set -o pipefail; tar --create --directory "$1" . | zstd --quiet -o "$2"', "bash", site.source, archive),
        command("sha256sum", archive), command("sync", archive))
    os.remove(archive)
    return one


def hashed_and_copied(site, volumes):
    copy = site.folder + "/copy"
    os.mkdir(copy)
    one = together(command("openssl", "dgst", "-sha256", *volumes), command("cp", *volumes, copy), command("sync", "-f", copy))
    shutil.rmtree(copy)
    return one


def command(*words, **options):
    """Runs a command and measures it with all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **options)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            raise RuntimeError(f"{' '.join(words[:6])}: status {process.returncode}\n{output.read().decode(errors='replace')[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measure(wall, cpu, used.ru_maxrss * 1024)


def together(*steps):
    return Measure(sum(one.wall for one in steps), sum(one.cpu for one in steps), max(one.peak for one in steps))


def make_folder(folder, size):
    """A model as they come: some files of weights that no compressor makes smaller, and small ones beside them."""
    count = max(1, size // 5_000_000_000)
    for index in range(count):
        block = bytearray(os.urandom(BLOCK_BYTES))
        with open(f"{folder}/model-{index + 1:05}.safetensors", "wb") as file:
            left, counter = size // count, index << 40
            while left > 0:
                for offset in range(0, BLOCK_BYTES, 4096):
                    counter += 1
                    block[offset:offset + 8] = counter.to_bytes(8, "little")
                file.write(memoryview(block)[:min(left, BLOCK_BYTES)])
                left -= BLOCK_BYTES
    for index in range(200):
        with open(f"{folder}/note-{index:03}.md", "w") as file:
            file.write(f"# Note {index}\n" + "Some words that say little.\n" * 300)
    run("sync", "-f", folder)


def files(folder):
    return [os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names]


def forget(folder):
    """Drops the files from memory: a medium that was just put in."""
    run("sync", "-f", folder)
    for path in files(folder):
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


class SlowMedium:
    """A loop device with a file system, from which the processes of a control group read so many bytes a second. Needs root.

    The limit is set once: the kernel gives credit for time that has passed when a limit is changed.
    """

    def __init__(self, folder, size, rate):
        self.image, self.path, self.size, self.rate = folder + "/medium.img", folder + "/medium", size, rate
        self.device = self.group = None

    def __enter__(self):
        if os.geteuid() != 0:
            raise RuntimeError("a slow medium is made by root only")
        os.mkdir(self.path)
        run("truncate", "--size", self.size, self.image)
        run("mkfs.ext4", "-q", "-m", "0", self.image)
        self.device = run("losetup", "--find", "--show", self.image).strip()
        try:
            run("mount", self.device, self.path)
            self.make_group()
        except BaseException:
            self.__exit__()
            raise
        return self

    def make_group(self):
        name = f"csghub-benchmark-{os.getpid()}-slow"
        if os.path.exists("/sys/fs/cgroup/blkio/blkio.throttle.read_bps_device"):
            group, file, key = "/sys/fs/cgroup/blkio/" + name, "blkio.throttle.read_bps_device", ""
        else:
            group, file, key = "/sys/fs/cgroup/" + name, "io.max", "rbps="
            with open("/sys/fs/cgroup/cgroup.subtree_control", "w") as control:
                control.write("+io")
        os.mkdir(group)
        self.group = group
        number = os.stat(self.device).st_rdev
        with open(f"{group}/{file}", "w") as limit:
            limit.write(f"{os.major(number)}:{os.minor(number)} {key}{self.rate}")

    def put_in(self):
        """Nothing of it is in memory from now on."""
        run("umount", self.path)
        run("mount", self.device, self.path)

    def hold(self, pid=0):
        """Puts a process into the group; without one the caller."""
        with open(self.group + "/cgroup.procs", "w") as file:
            file.write(str(pid))

    def __exit__(self, *_):
        subprocess.run(["umount", "--quiet", self.path], check=False)
        if self.device:
            run("losetup", "--detach", self.device, check=False)
        for _ in range(100):
            try:
                if self.group:
                    os.rmdir(self.group)
                break
            except OSError:
                time.sleep(0.02)
        if os.path.exists(self.image):
            os.remove(self.image)
