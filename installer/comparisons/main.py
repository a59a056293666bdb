"""Runs the comparisons of `installer/benchmark` and prints the table."""

import argparse
import os
import traceback

import bundle_lines
import git_lines
import hf_lines
import hub_lines
import lfs_lines
import list_lines
import transfer_lines
from measuring import Table
from servers import Hub, Nginx


class Bench:
    """What every comparison needs: servers, a work folder, sizes, and the number of runs."""

    def __init__(self, folder, quick, only):
        self.folder, self.quick, self.only = folder, quick, only
        self.runs = 3 if quick else 5
        self.large_bytes = 512_000_000 if quick else 2_000_000_000
        self.table = Table()
        binary = os.environ["CSGHUB_BINARY"]
        self.plain, self.tls = Hub(binary, folder, tls=False), Hub(binary, folder, tls=True)
        self.nginx = Nginx(folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def hub(self, tls):
        return self.tls if tls else self.plain

    def line(self, name, work):
        """Runs one comparison; one that fails does not take the others down."""
        if self.only and self.only not in name:
            return
        try:
            work()
        except Exception as error:  # noqa: BLE001
            self.table.failed(name, error)
            traceback.print_exc()


def main():
    parser = argparse.ArgumentParser(prog="installer/benchmark")
    parser.add_argument("--folder", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="medians of 3 and smaller sizes")
    parser.add_argument("--only", metavar="WORD", help="the lines whose names hold the word")
    options = parser.parse_args()

    # What git and git-lfs read of a home is of this run alone.
    os.environ["HOME"] = options.folder
    os.environ["GIT_SSL_NO_VERIFY"] = "1"
    with open(os.path.join(options.folder, ".gitconfig"), "w") as file:
        file.write(
            "[user]\n\tname = Bench\n\temail = bench@example.org\n[gc]\n\tauto = 0\n[init]\n\tdefaultBranch = main\n"
            "[lfs]\n\tconcurrenttransfers = 8\n[filter \"lfs\"]\n\tclean = git-lfs clean -- %f\n"
            "\tsmudge = git-lfs smudge -- %f\n\tprocess = git-lfs filter-process\n\trequired = true\n")

    bench = Bench(options.folder, options.quick, options.only)
    try:
        bench.nginx.start()
        for hub in (bench.plain, bench.tls):
            hub.start()
            hub.prepare()
        for lines in (hub_lines, list_lines, transfer_lines, git_lines, lfs_lines, hf_lines, bundle_lines):
            lines.run_all(bench)
    finally:
        for server in (bench.plain, bench.tls, bench.nginx):
            server.stop()
            server.group.remove()
        bench.table.print_all()


main()
