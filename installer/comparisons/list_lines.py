"""Lists, search, info and trees among many repositories, and commits of many small files, through HTTP.

The database is filled by `csghub benchmark lists --keep`, or copied from the folder that CSGHUB_LISTS_DATA names. One reader at a time is this program on a connection that stays open;
many readers are `wrk`, since Python would be what is measured. Every request of a series is for something else where the line
says so, so that no answer can come from a cache.
"""

import base64
import concurrent.futures
import http.client
import json
import os
import random
import re
import sqlite3
import statistics
import time
import urllib.parse

from measuring import run, wait_until
from servers import Hub

READERS = 32
GOAL = "5 / 20 ms"

WRK_SCRIPT = """
local paths, index = {}, 0
for line in io.lines("PATHS") do paths[#paths + 1] = line end
function request()
  index = index + 1
  return wrk.format("GET", paths[(index - 1) % #paths + 1])
end
function done(summary, latency)
  io.write(string.format("RESULT %f %f %f %d %d\\n", summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
"""


def run_all(bench):
    names = ("lists through HTTP", "lists: commits", "lists: indexer")
    if bench.only and not any(bench.only in name for name in names):
        return
    count = 20_000 if bench.quick else 100_000
    hub = Hub(os.environ["CSGHUB_BINARY"], bench.folder, tls=False, name="hub-lists")
    prepared = os.environ.get("CSGHUB_LISTS_DATA")
    if prepared:
        run("cp", "-r", prepared, hub.data)
    else:
        run(hub.binary, "benchmark", "lists", "--data", hub.data, "--repositories", count, "--keep")
    hub.start()
    try:
        hub.prepare()
        lines = Lines(bench, hub)
        bench.line(names[0], lines.reading)
        bench.line(names[1], lines.commits)
        bench.line(names[2], lines.indexer)
    finally:
        hub.stop()
        hub.group.remove()


class Client:
    """A connection that stays open."""

    def __init__(self, hub):
        self.connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=120)
        self.headers = {"Authorization": f"Bearer {hub.token}"}

    def ask(self, method, path, body=None, kind="application/json"):
        """Returns status, headers, body and the milliseconds that it took."""
        headers = dict(self.headers, **({"Content-Type": kind} if body is not None else {}))
        began = time.perf_counter()
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        return answer.status, answer.headers, content, (time.perf_counter() - began) * 1000

    def get(self, path):
        status, _, content, milliseconds = self.ask("GET", path)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {content[:200]}")
        return milliseconds

    def create(self, name):
        status, _, content, _ = self.ask("POST", "/api/repos/create", json.dumps({"name": name, "type": "model"}))
        if status not in (200, 409):
            raise RuntimeError(f"{name}: {status} {content[:200]}")

    def commit(self, name, files, parent=None):
        """Returns status, the commit's id and milliseconds."""
        lines = [{"key": "header", "value": {"summary": "Add files", **({"parentCommit": parent} if parent else {})}}]
        lines += [
            {"key": "file", "value": {"path": path, "encoding": "base64", "content": base64.b64encode(content).decode()}}
            for path, content in files]
        body = "\n".join(map(json.dumps, lines)).encode()
        status, _, content, milliseconds = self.ask(
            "POST", f"/api/models/bench/{name}/commit/main", body, "application/x-ndjson")
        return status, json.loads(content).get("commitOid") if status == 200 else content, milliseconds


def percentile(times, share):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Lines:
    def __init__(self, bench, hub):
        self.bench, self.hub, self.client = bench, hub, Client(hub)
        self.rounds = 50 if bench.quick else 200
        self.random = random.Random(7)

    # Reading

    def reading(self):
        names = self.names(3000)
        self.make_trees()
        series = self.series(names)
        for title, paths in series.items():
            self.alone(title, paths)
        lists = [path for title, paths in series.items() if title.startswith(("list", "search")) and "1,000" not in title for path in paths]
        self.random.shuffle(lists)
        self.together("lists and searches, each another", lists)
        self.together("the lists of a front page", [series["list: first page"][0], "/api/datasets?limit=30", "/api/models?sort=downloads&limit=30"])
        self.together("info", series["info"])
        self.together("tree", series["tree of 100 files"])
        everything = lists + 3 * series["info"] + 3 * series["tree of 100 files"]
        self.random.shuffle(everything)
        self.together("all of these", everything)

    def names(self, count):
        """Names of repositories from all over the site."""
        found = []
        path = "/api/models?sort=downloads&limit=1000"
        while path and len(found) < count:
            _, headers, content, _ = self.client.ask("GET", path)
            found += [item["id"] for item in json.loads(content)]
            link = re.match(r"<https?://[^/]+([^>]+)>", headers.get("Link") or "")
            path = link and link.group(1)
        self.random.shuffle(found)
        return found

    def make_trees(self):
        for number in range(20):
            name = f"tree-{number}"
            self.client.create(name)
            files = [(f"folder-{index // 100}/file-{index:04}.txt", b"%d of %d\n" % (index, number)) for index in range(1000)]
            status, answer, _ = self.client.commit(name, [("README.md", b"---\nlicense: mit\n---\n# Files\n")] + files)
            if status != 200:
                raise RuntimeError(f"commit: {status} {answer}")

    def series(self, names):
        """Requests by what they ask for; those of one series differ."""
        def many(make):
            return [make() for _ in range(self.rounds)]

        def choice(*words):
            return self.random.choice(words)

        def list_of(kind="models", **parts):
            return f"/api/{kind}?" + urllib.parse.urlencode({"limit": 100, **parts})

        def order():
            return choice("downloads", "likes", "createdAt", "lastModified", "trendingScore")

        below = self.random.randrange
        families = ("qwen2", "llama", "mistral", "bert", "gemma", "phi", "deepseek", "yi", "t5", "gpt2")
        sizes = ("7b", "1.5b", "0.5b", "13b", "70b", "base", "large")
        tags = ("transformers", "safetensors", "text-generation", "en", "zh", "license:mit", "license:apache-2.0", "gguf", "peft")
        words = ("sentiment", "analysis", "quantized", "情感分析", "大语言模型", "tokenizer", "accuracy", "benchmark", "机器学习")
        return {
            "list: first page": [list_of(limit=limit) for limit in range(101 - min(self.rounds, 80), 101)],
            "list: an order and a tag": many(lambda: list_of(sort=order(), filter=choice(*tags), limit=90 + below(10))),
            "list: three tags": many(lambda: list_of(sort=order(), filter=",".join(self.random.sample(tags, 3)))),
            "list: an owner": many(lambda: list_of(author=f"owner{below(2000)}")),
            "list: a rare tag": many(lambda: list_of(filter=f"own-{below(20000)}", sort=order())),
            "list: by size": many(lambda: list_of(num_parameters=f"min:{1 + below(20)}B,max:{22 + below(40)}B", sort=order())),
            "list: datasets": many(lambda: list_of("datasets", sort=order(), limit=50 + below(50))),
            "search: a part of a name": many(lambda: list_of(search=f"{choice(*families)}-{choice(*sizes)}", sort=order())),
            "search: a number in a name": many(lambda: list_of(search=str(below(99999)), sort=order())),
            "search: a letter in a name": many(lambda: list_of(search=choice(*"abdegijlmnopqrstwy"), sort=order())),
            "search: words in spaces' texts": many(
                lambda: "/api/spaces/semantic-search?" + urllib.parse.urlencode({"q": f"{choice(*words)} {choice(*words)}"})),
            "list: 1,000 on a page": many(lambda: list_of(limit=1000, sort=order(), filter=choice(*tags)))[:50],
            "info": [f"/api/models/{name}" for name in names],
            "tree of 100 files": [
                f"/api/models/bench/tree-{number}/tree/main/folder-{folder}" for folder in range(10) for number in range(20)],
            "tree of 1,000 files": [f"/api/models/bench/tree-{number}/tree/main?recursive=true" for number in range(20)] * 3,
        }

    def alone(self, title, paths):
        for path in paths[:5]:
            self.client.get(path)
        times = [self.client.get(path) for path in paths]
        middle, last = statistics.median(times), percentile(times, 0.99)
        is_met = middle < 5 and last < 20
        self.bench.table.figure(title, f"{middle:.2f}", GOAL, f"p99 {last:.2f} ms, {len(times)} requests; {'met' if is_met else 'missed'}")

    def together(self, title, paths):
        file, script = self.bench.path("paths"), self.bench.path("wrk.lua")
        with open(file, "w") as out:
            out.writelines(path + "\n" for path in paths)
        with open(script, "w") as out:
            out.write(WRK_SCRIPT.replace("PATHS", file))
        seconds = 5 if self.bench.quick else 10
        before = self.hub.group.seconds(self.hub.roots)
        text = run("wrk", "--threads", 1, "--connections", READERS, "--duration", f"{seconds}s", "--timeout", "30s", "--script", script,
                   "--header", f"Authorization: Bearer {self.hub.token}", self.hub.url)
        cpu = self.hub.group.seconds(self.hub.roots) - before
        rate, middle, last, refused, broken = map(float, re.search(r"RESULT (.*)", text).group(1).split())
        note = f", {refused + broken:.0f} failed" if refused + broken else ""
        self.bench.table.figure(
            f"{READERS} readers: {title}", f"{rate:.0f}/s", "",
            f"median {middle:.1f} ms, p99 {last:.1f} ms, {cpu / max(rate * seconds, 1) * 1000:.2f} ms CPU a request{note}")

    # Writing

    def commits(self):
        times = []
        for number in range(self.bench.runs + 1):
            name = f"thousand-{number}"
            self.client.create(name)
            files = [(f"data/{index // 50}/part-{index:04}.json", b'{"number": %d, "of": %d}\n' % (index, number)) for index in range(1000)]
            before = self.hub.group.seconds(self.hub.roots)
            status, answer, milliseconds = self.client.commit(name, files)
            if status != 200:
                raise RuntimeError(f"commit: {status} {answer}")
            times.append((milliseconds, (self.hub.group.seconds(self.hub.roots) - before) * 1000))
        self.bench.table.figure(
            "a commit of 1,000 small files", f"{statistics.median(one for one, _ in times[1:]):.0f} ms", "",
            f"{statistics.median(one for _, one in times[1:]):.0f} ms CPU of the hub")
        for title, with_parent in (("on the branch", False), ("on the commit they saw", True)):
            self.at_once(title, with_parent)

    def at_once(self, title, with_parent):
        """Fifty clients commit to one branch at the same time, with the parent that all of them saw or with none."""
        name = "many-" + ("parent" if with_parent else "branch")
        self.client.create(name)
        _, parent, _ = self.client.commit(name, [("README.md", b"# Many\n")])
        clients = [Client(self.hub) for _ in range(50)]

        def one(number):
            return clients[number].commit(name, [(f"file-{number}.txt", b"%d\n" % number)], parent if with_parent else None)

        began = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(one, range(50)))
        seconds = time.perf_counter() - began
        statuses = [status for status, _, _ in answers]
        done = statuses.count(200)
        _, _, content, _ = self.client.ask("GET", f"/api/models/bench/{name}/tree/main")
        kept = sum(1 for entry in json.loads(content) if entry["path"].startswith("file-"))
        is_met = set(statuses) <= {200, 412} and kept == done and done > 0
        self.bench.table.figure(
            f"50 clients commit {title}", f"{seconds * 1000:.0f} ms", "all or 412",
            f"{done} made, {statuses.count(412)} refused with 412, {50 - done - statuses.count(412)} otherwise, {kept} files there; "
            f"slowest {max(one for _, _, one in answers):.0f} ms; {'met' if is_met else 'missed'}")

    def indexer(self):
        """Repositories with a card, a configuration and a tokenizer are indexed anew after a start that finds all of them stale."""
        count = 300 if self.bench.quick else 1000
        for number in range(count):
            name = f"indexed-{number}"
            self.client.create(name)
            card = f"---\nlicense: mit\nlanguage: [en, zh]\nlibrary_name: transformers\ntags: [made, t{number % 50}]\n---\n" + "# A model\n" * 50
            config = json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": number})
            status, answer, _ = self.client.commit(name, [("README.md", card.encode()), ("config.json", config.encode()), ("vocab.txt", b"a\nb\n" * 500)])
            if status != 200:
                raise RuntimeError(f"commit: {status} {answer}")
        path = os.path.join(self.hub.data, "hub.db")
        self.hub.stop()
        with sqlite3.connect(path) as database:
            ids = [row[0] for row in database.execute("SELECT id FROM repositories ORDER BY id DESC LIMIT ?", (count,))]
            database.execute(f"UPDATE facts SET rules = 0 WHERE repository_id >= {min(ids)}")
            database.execute("DELETE FROM listing_stale")
        database.close()
        self.hub.start()
        before, began = self.hub.group.seconds(self.hub.roots), time.perf_counter()
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

        def left():
            return database.execute(f"SELECT count(*) FROM facts WHERE rules = 0 AND repository_id >= {min(ids)}").fetchone()[0]

        wait_until("the indexer's end", lambda: left() == 0, seconds=300)
        seconds = time.perf_counter() - began
        database.close()
        self.bench.table.figure(
            "indexer", f"{count / seconds:.0f}/s", "",
            f"{count} repositories in {seconds:.2f} s; {(self.hub.group.seconds(self.hub.roots) - before) / count * 1000:.2f} ms CPU each")
