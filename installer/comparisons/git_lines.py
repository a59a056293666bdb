"""Git over HTTP against nginx and git http-backend, on a repository of more than 100,000 objects."""

import os
import random
import shutil
import subprocess

from measuring import measure, run


def run_all(bench):
    work = GitLines(bench)
    lines = [
        (f"{what}, {'TLS' if tls else 'plain'}", lambda call=call, tls=tls: call(tls))
        for tls in (False, True)
        for what, call in (
            ("push git", work.push), ("clone git", work.clone), ("fetch git", work.fetch),
            ("ls-remote git", work.list_remote), ("clone git after 50 pushes", work.clone_after_pushes))
    ]
    if bench.only and not any(bench.only in name for name, _ in lines):
        return
    try:
        work.make_source()
    except RuntimeError as error:
        bench.table.failed("git: making the repository", error)
        return
    for name, call in lines:
        bench.line(name, call)


class GitLines:
    def __init__(self, bench):
        self.bench = bench
        self.source = bench.path("source.git")
        self.commits = 22_000
        self.counter = 0

    def make_source(self):
        """22,000 commits, each a change in one of 600 text files two folders deep: five objects a commit, then git gc."""
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", self.source)
        chance = random.Random(7)
        words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(3000)]
        files = {}
        importer = subprocess.Popen(["git", "-C", self.source, "fast-import", "--quiet"], stdin=subprocess.PIPE)
        out = importer.stdin
        for index in range(self.commits):
            number = chance.randrange(600)
            path = f"part-{number % 24}/area-{number % 7}/file-{number}.txt"
            lines = files.setdefault(path, [" ".join(chance.choices(words, k=9)) for _ in range(chance.randint(15, 60))])
            for _ in range(chance.randint(1, 4)):
                lines[chance.randrange(len(lines))] = " ".join(chance.choices(words, k=9))
            text = ("\n".join(lines) + f"\nrevision {index}\n").encode()
            message = f"Change {path}\n\n{' '.join(chance.choices(words, k=12))}\n".encode()
            out.write(b"commit refs/heads/main\nmark :%d\ncommitter Bench <bench@example.org> %d +0000\ndata %d\n" % (
                index + 1, 1_600_000_000 + index * 3600, len(message)))
            out.write(message + b"M 100644 inline %s\ndata %d\n" % (path.encode(), len(text)) + text + b"\n")
        out.close()
        if importer.wait(600) != 0:
            raise RuntimeError("git fast-import failed")
        # The refs of an ordinary project: branches and annotated tags.
        for index in range(200):
            run("git", "-C", self.source, "update-ref", f"refs/heads/topic-{index}", f"main~{index * 50}")
            run("git", "-C", self.source, "tag", "--annotate", "--message", f"Version {index}", f"v{index}", f"main~{index * 90}")
        run("git", "-C", self.source, "gc", "--quiet")
        count = run("git", "-C", self.source, "count-objects", "-v")
        objects = int(next(line.split()[1] for line in count.splitlines() if line.startswith("in-pack")))
        size = int(next(line.split()[1] for line in count.splitlines() if line.startswith("size-pack"))) // 1024
        print(f"The repository has {objects} objects in {size} MB.", flush=True)

    def new(self, suffix=""):
        self.counter += 1
        return self.bench.path(f"git-{self.counter}{suffix}")

    def ready(self, tls):
        """The repository on the hub and, as git gc leaves it, beside nginx. Returns both addresses."""
        name = f"large-{tls}"
        hub, nginx = self.bench.hub(tls), self.bench.nginx
        path = os.path.join(nginx.repositories, name + ".git")
        if not os.path.isdir(path):
            hub.create(name)
            run("git", "-C", self.source, "push", "--quiet", "--mirror", hub.git_url(name))
            nginx.repository(name)
            run("git", "-C", self.source, "push", "--quiet", "--mirror", path)
            run("git", "-C", path, "gc", "--quiet")
        return hub.git_url(name), nginx.git_url(name, tls)

    def compare_git(self, what, tls, ours, peers, wall=None, cpu=None):
        self.bench.table.compare(f"{what} / http-backend, {'TLS' if tls else 'plain'}", ours, peers, wall, cpu)

    def timed_clone(self, url, server):
        target = self.new()
        result = measure(lambda: run("git", "clone", "--quiet", "--mirror", url, target), server)
        shutil.rmtree(target)
        return result

    def push(self, tls):
        hub, nginx = self.bench.hub(tls), self.bench.nginx
        ours, peers = [], []
        for index in range(self.bench.runs):
            name = f"push-{tls}-{index}"
            hub.create(name)
            nginx.repository(name)
            for url, server, runs in ((hub.git_url(name), hub, ours), (nginx.git_url(name, tls), nginx, peers)):
                runs.append(measure(lambda url=url: run("git", "-C", self.source, "push", "--quiet", url, "main"), server))
            shutil.rmtree(os.path.join(nginx.repositories, name + ".git"))
        self.compare_git("push of 100,000 objects", tls, ours, peers, wall=2.0, cpu=1.3)

    def clone(self, tls):
        hub, nginx = self.bench.hub(tls), self.bench.nginx
        url, peer = self.ready(tls)
        first, second, peers = [], [], []
        for _ in range(self.bench.runs):
            hub.forget_packs()
            first.append(self.timed_clone(url, hub))
            second.append(self.timed_clone(url, hub))
            peers.append(self.timed_clone(peer, nginx))
        self.compare_git("clone of 100,000 objects", tls, first, peers, wall=1.0, cpu=1.0)
        self.compare_git("second clone", tls, second, peers, cpu=0.3)

    def fetch(self, tls):
        hub, nginx = self.bench.hub(tls), self.bench.nginx
        url, peer = self.ready(tls)
        ours, peers = [], []
        # The first is not counted: it pays for the start of the hub. Each asks for another pack, so that none comes from the cache.
        for index in range(self.bench.runs + 1):
            count = 100 + index
            old = self.client_without_last(count)
            for address, server, runs in ((url, hub, ours), (peer, nginx, peers)):
                target = self.new()
                run("cp", "-al", old, target)
                runs.append(measure(
                    lambda address=address, target=target: run(
                        "git", "-C", target, "fetch", "--quiet", "--no-tags", address, "main:new"), server))
                if run("git", "-C", target, "rev-list", "--count", "old..new").strip() != str(count):
                    raise RuntimeError(f"the fetch did not bring {count} commits")
                shutil.rmtree(target)
        self.compare_git("fetch of 100 commits", tls, ours[1:], peers[1:], wall=1.0, cpu=1.0)

    def client_without_last(self, count):
        """A client that has all but the last commits, truly without their objects."""
        old = self.bench.path(f"old-{count}.git")
        if not os.path.isdir(old):
            run("git", "-C", self.source, "branch", "--force", "old", f"main~{count}")
            run("git", "clone", "--quiet", "--bare", "--no-local", "--single-branch", "--no-tags", "--branch", "old", self.source, old)
            run("git", "-C", self.source, "branch", "-D", "old")
        return old

    def list_remote(self, tls):
        hub, nginx = self.bench.hub(tls), self.bench.nginx
        url, peer = self.ready(tls)

        def twenty(address):
            for _ in range(20):
                run("git", "ls-remote", address)

        ours, peers = [], []
        for _ in range(self.bench.runs):
            ours.append(measure(lambda: twenty(url), hub))
            peers.append(measure(lambda: twenty(peer), nginx))
        self.compare_git("20 ls-remote", tls, ours, peers, cpu=0.3)

    def clone_after_pushes(self, tls):
        hub, nginx = self.bench.hub(tls), self.bench.nginx
        url, peer = self.ready(tls)
        working = self.new()
        run("git", "clone", "--quiet", "--single-branch", "--no-tags", self.source, working)
        for index in range(50):
            with open(f"{working}/part-{index % 24}/pushed-{index}.txt", "w") as file:
                file.write(f"pushed {index}\n" * 40)
            run("git", "-C", working, "add", "--all")
            run("git", "-C", working, "commit", "--quiet", "--message", f"Push {index}")
            for address in (url, peer):
                run("git", "-C", working, "push", "--quiet", address, "main")
        shutil.rmtree(working)
        # The peer is again as git gc leaves it; ours is as the pushes left it.
        run("git", "-C", os.path.join(nginx.repositories, f"large-{tls}.git"), "gc", "--quiet")
        ours, peers = [], []
        for _ in range(self.bench.runs):
            hub.forget_packs()
            ours.append(self.timed_clone(url, hub))
            peers.append(self.timed_clone(peer, nginx))
        self.compare_git("clone after 50 pushes", tls, ours, peers, wall=2.0, cpu=2.0)
