"""Many small LFS objects, pushed and pulled by stock git-lfs, against giftless."""

import os
import shutil

from measuring import measure, run
from servers import Giftless

COUNT = 1000


def run_all(bench):
    bench.line("1,000 small LFS objects / giftless", lambda: small_objects(bench))


def small_objects(bench):
    folder = bench.path("small")
    run("git", "init", "--quiet", folder)
    run("git", "-C", folder, "lfs", "track", "*.bin")
    for index in range(COUNT):
        with open(f"{folder}/{index}.bin", "wb") as file:
            file.write(os.urandom(4096))
    run("git", "-C", folder, "add", "--all")
    run("git", "-C", folder, "commit", "--quiet", "--message", "Add objects")
    # git-lfs asks the remote by name; where it goes is said for each call.
    run("git", "-C", folder, "remote", "add", "origin", "http://127.0.0.1:9/none.git")
    pulled = bench.path("pulled")
    run("git", "clone", "--quiet", folder, pulled, env=dict(os.environ, GIT_LFS_SKIP_SMUDGE="1"))
    run("git", "-C", pulled, "remote", "set-url", "origin", "http://127.0.0.1:9/none.git")

    def lfs(where, url, *words):
        run("git", "-C", where, "-c", f"lfs.url={url}", "-c", f"lfs.{url}.locksverify=false", "lfs", *words)

    def pull(url):
        lfs(pulled, url, "fetch", "origin", "main")

    giftless = Giftless(bench.folder)
    try:
        giftless.start()
    except (RuntimeError, OSError) as error:
        # Without the package index the peer cannot be had; our own figures are still worth showing.
        print(f"giftless is not to be had: {str(error).splitlines()[0]}", flush=True)
        giftless.stop()
        giftless.group.remove()
        giftless = None

    hub = bench.plain
    ours, peers = ([], []), ([], [])
    for index in range(bench.runs):
        hub.create(f"small-{index}")
        sides = [(f"{hub.git_url(f'small-{index}')}/info/lfs", hub, ours)]
        if giftless:
            sides.append((giftless.lfs_url(f"small-{index}"), giftless, peers))
        for url, server, (pushes, pulls) in sides:
            pushes.append(measure(lambda url=url: lfs(folder, url, "push", "--all", "origin"), server))
            shutil.rmtree(pulled + "/.git/lfs/objects", ignore_errors=True)
            pulls.append(measure(lambda url=url: pull(url), server))
            count = sum(len(files) for _, _, files in os.walk(pulled + "/.git/lfs/objects"))
            if count != COUNT:
                raise RuntimeError(f"{count} of {COUNT} objects were pulled")
    if giftless:
        giftless.stop()
        giftless.group.remove()
    bench.table.compare("1,000 small LFS objects push / giftless", ours[0], peers[0], 1.0, 1.0)
    bench.table.compare("1,000 small LFS objects pull / giftless", ours[1], peers[1], 1.0, 1.0)
