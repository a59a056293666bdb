"""Times commands and the processor time of server processes, and prints the table of ratios."""

import os
import resource
import signal
import statistics
import subprocess
import sys
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def processes():
    """All processes as {pid: (parent, CPU seconds with those of reaped children, resident bytes)}."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        seconds = sum(int(value) for value in fields[11:15]) / TICKS
        found[int(name)] = (int(fields[1]), seconds, int(fields[21]) * PAGE)
    return found


def tree(roots, found):
    """The pids of the roots and all their descendants."""
    members = set(roots)
    grown = True
    while grown:
        grown = False
        for pid, (parent, _, _) in found.items():
            if parent in members and pid not in members:
                members.add(pid)
                grown = True
    return [pid for pid in members if pid in found]


def cpu_seconds(roots):
    """The CPU seconds that server processes have used, children that have ended included."""
    found = processes()
    return sum(found[pid][1] for pid in tree(roots, found))


def resident_bytes(roots):
    found = processes()
    return sum(found[pid][2] for pid in tree(roots, found))


class Group:
    """A control group for one server, whose kernel counter holds the CPU time of all that ever ran in it.

    fcgiwrap ignores the end of its children, so the time of `git http-backend` is in no process that lives on.
    Where groups cannot be made (without root) the processes themselves are asked, and that time is missing.
    """

    def __init__(self, name):
        self.path, self.counter, self.unit = None, None, 1
        own = f"csghub-benchmark-{os.getpid()}-{name}"
        for base, counter, unit in (("/sys/fs/cgroup/cpuacct", "cpuacct.usage", 1e9), ("/sys/fs/cgroup", "cpu.stat", 1e6)):
            if not os.path.exists(f"{base}/cgroup.procs"):
                continue
            try:
                os.mkdir(f"{base}/{own}")
            except OSError:
                continue
            self.path, self.counter, self.unit = f"{base}/{own}", counter, unit
            return
        print(f"No control group for {name}: the CPU time of its children may be missing.", file=sys.stderr)

    def join(self):
        """Called in a new process before it becomes the server."""
        if self.path:
            with open(self.path + "/cgroup.procs", "w") as file:
                file.write("0")

    def seconds(self, roots):
        if not self.path:
            return cpu_seconds(roots)
        with open(f"{self.path}/{self.counter}") as file:
            text = file.read()
        number = text if self.counter == "cpuacct.usage" else text.split()[1]
        return int(number) / self.unit

    def remove(self):
        if not self.path:
            return
        # A process that has ended leaves its group a moment later.
        for _ in range(100):
            try:
                os.rmdir(self.path)
                break
            except OSError:
                time.sleep(0.02)
        else:
            print(f"{self.path} stays: something still runs in it.", file=sys.stderr)
        self.path = None


class PeakSampler:
    """Looks every 50 ms at the memory of server processes and keeps the most."""

    def __init__(self, roots):
        self.roots = roots
        self.peak = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        while True:
            self.peak = max(self.peak, resident_bytes(self.roots))
            if self.over.wait(0.05):
                return

    def __enter__(self):
        if self.roots:
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        if self.roots:
            self.thread.join()


class Measure:
    """One run: wall seconds, CPU seconds of the server (or of the command where there is no server), peak bytes, and the CPU
    seconds of the commands that were run, the server's own not included."""

    def __init__(self, wall, cpu, peak, client_cpu=0):
        self.wall, self.cpu, self.peak, self.client_cpu = wall, cpu, peak, client_cpu

    @property
    def with_client(self):
        return Measure(self.wall, self.cpu + self.client_cpu, self.peak)


def measure(work, server=None):
    """Runs `work()` and measures it. Without a server it is the CPU of the commands that `work` runs."""
    def commands():
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    def used():
        return server.group.seconds(server.roots) if server else commands()

    before, commands_before = used(), commands()
    with PeakSampler(server.roots if server else []) as sampler:
        started = time.perf_counter()
        work()
        wall = time.perf_counter() - started
    client = commands() - commands_before if server else 0
    if server:
        # What the server does after its last byte belongs to the request too: reaping children, closing files.
        time.sleep(0.1)
    return Measure(wall, used() - before, sampler.peak, client)


def run(*words, seconds=1800, check=True, **options):
    """Runs a command silently. Its output is shown when it fails."""
    done = subprocess.run(
        [str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=seconds, **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: status {done.returncode}\n{done.stdout.decode(errors='replace')[-2000:]}")
    return done.stdout.decode(errors="replace")


def stop(process, how=signal.SIGTERM):
    """Ends a process that this program started, at the latest after 40 s."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(event, happened, seconds=30):
    for _ in range(seconds * 200):
        if happened():
            return
        time.sleep(0.005)
    raise RuntimeError(f"{event} did not come about within {seconds} s")


class Table:
    """The lines of the comparison, printed as they come and all together at the end."""

    HEAD = ("what", "ours s", "peer s", "wall", "goal", "ours CPU", "peer CPU", "CPU", "goal", "ours MB", "peer MB", "")
    WIDTHS = (46, 8, 8, 6, 5, 8, 8, 6, 5, 7, 7, 0)

    def __init__(self):
        self.rows = []

    def show(self, cells):
        text = "  ".join(
            str(cell).ljust(width) if index in (0, 11) else str(cell).rjust(width)
            for index, (cell, width) in enumerate(zip(cells, self.WIDTHS)))
        print(text.rstrip(), flush=True)

    def compare(self, name, ours, peers, wall_goal=None, cpu_goal=None):
        """Adds a line from runs of ours and of the peer: medians, their ratios, and whether the goals are met."""
        def median(runs, field):
            return statistics.median(getattr(one, field) for one in runs)

        wall, cpu = median(ours, "wall"), median(ours, "cpu")
        cells = [name, f"{wall:.3f}", "", "", "", f"{cpu:.3f}", "", "", "", f"{median(ours, 'peak') / 1e6:.0f}", "", ""]
        if peers:
            peer_wall, peer_cpu = median(peers, "wall"), median(peers, "cpu")
            wall_ratio, cpu_ratio = wall / max(peer_wall, 1e-9), cpu / max(peer_cpu, 1e-9)
            cells[2], cells[3] = f"{peer_wall:.3f}", f"{wall_ratio:.2f}"
            cells[6], cells[7] = f"{peer_cpu:.3f}", f"{cpu_ratio:.2f}"
            cells[10] = f"{median(peers, 'peak') / 1e6:.0f}"
            missed = []
            if wall_goal is not None:
                cells[4] = f"{wall_goal:.2f}"
                missed += ["wall"] if wall_ratio > wall_goal else []
            if cpu_goal is not None:
                cells[8] = f"{cpu_goal:.2f}"
                missed += ["CPU"] if cpu_ratio > cpu_goal else []
            if wall_goal is not None or cpu_goal is not None:
                cells[11] = "missed: " + ", ".join(missed) if missed else "met"
        self.add(cells)

    def figure(self, name, value, goal="", verdict=""):
        """Adds a line that has one figure of ours and no peer."""
        self.add([name, value, "", "", goal, "", "", "", "", "", "", verdict])

    def failed(self, name, error):
        self.add([name, "-", "", "", "", "", "", "", "", "", "", f"not measured: {str(error).splitlines()[0][:80]}"])
        print(error, file=sys.stderr, flush=True)

    def add(self, cells):
        self.rows.append(cells)
        self.show(cells)

    def print_all(self):
        print()
        self.show(self.HEAD)
        for row in self.rows:
            self.show(row)
