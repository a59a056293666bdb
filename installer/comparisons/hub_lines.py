"""The hub alone: its start, its memory, its durable commits a second."""

import json
import os
import shutil
import statistics
import subprocess
import time

from lfs_client import action, curl_words, write_file
from measuring import resident_bytes, run


def run_all(bench):
    bench.line("start to first answer", lambda: start(bench))
    for tls in (False, True):
        bench.line(f"memory idle and after parallel transfers, {'TLS' if tls else 'plain'}", lambda tls=tls: memory(bench, tls))
    bench.line("commits a second", lambda: commits(bench))


def verdict(is_met):
    return "met" if is_met else "missed"


def start(bench):
    for hub in (bench.plain, bench.tls):
        times = []
        for _ in range(bench.runs):
            hub.stop()
            times.append(hub.start())
        middle = statistics.median(times)
        bench.table.figure(f"start to first answer, {'TLS' if hub.tls else 'plain'}", f"{middle:.0f} ms", "100", verdict(middle <= 100))


def memory(bench, tls):
    hub, suffix = bench.hub(tls), ", TLS" if tls else ", plain"
    hub.stop()
    hub.start()
    time.sleep(3)
    idle = resident_bytes(hub.roots) / 1e6
    bench.table.figure("idle memory after the start" + suffix, f"{idle:.0f} MB", "64", verdict(idle <= 64))

    # All uploads are of one object, but each is written in full before the hub can know that; so the disk must hold them.
    free = shutil.disk_usage(bench.folder).free
    size = min(64_000_000 if bench.quick else 1_000_000_000, free // 150)
    source = bench.path("parallel")
    oid = write_file(source, size)
    hub.create("parallel")

    def hundred(what, words):
        began = time.perf_counter()
        transfers = [subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for _ in range(100)]
        failed = sum(1 for transfer in transfers if transfer.wait(1800) != 0)
        seconds = time.perf_counter() - began
        with open(f"/proc/{hub.process.pid}/status") as file:
            peak = next(int(line.split()[1]) / 1e3 for line in file if line.startswith("VmHWM"))
        time.sleep(5)
        now = resident_bytes(hub.roots) / 1e6
        note = f"peak {peak:.0f} MB, {seconds:.0f} s" + (f", {failed} failed" if failed else "")
        bench.table.figure(f"memory after 100 {what} of {size / 1e6:.0f} MB{suffix}", f"{now:.0f} MB", "64", f"{verdict(now <= 64)}; {note}")

    hundred("uploads", curl_words(action(hub, "parallel", "upload", oid, size)) + ["--upload-file", source])
    hundred("downloads", curl_words(action(hub, "parallel", "download", oid, size)) + ["--output", "/dev/null"])
    os.remove(source)
    shutil.rmtree(os.path.join(hub.data, "objects", oid[:2], oid[2:4]))


def commits(bench):
    """The figures come from the executable's own measurement."""
    hub = bench.plain
    one, many = [], []
    for _ in range(bench.runs):
        text = run(hub.binary, "benchmark", "commits", "--data", bench.folder, "--json", env=hub.environment)
        figures = {line["writers"]: line["commits_per_second"] for line in map(json.loads, text.splitlines())}
        one.append(figures[1])
        many.append(figures[64])
    alone, together = statistics.median(one), statistics.median(many)
    is_met = together >= 10 * alone or together >= 20_000
    bench.table.figure("durable commits a second, 1 writer", f"{alone:.0f}")
    bench.table.figure("durable commits a second, 64 writers", f"{together:.0f}", "10x", f"{verdict(is_met)}: {together / alone:.1f} times")
