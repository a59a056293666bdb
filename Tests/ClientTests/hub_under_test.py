"""A hub under test: its process, accounts, organizations and tokens."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Hub:
    """A hub of the executable under test, on a free port of this machine and with a data folder of its own."""

    def __init__(self, binary: Path, folder: Path, tls: bool):
        self.binary = binary
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.tls = tls
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self.certificate = self.data / "tls" / "ca.pem"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        words += ["--external-url", self.url, "--external-url", self.url.replace("localhost", "127.0.0.1")]
        words += ["--anonymous-read"] + ([] if self.tls else ["--tls", "off"])
        with open(self.folder / "hub.log", "wb") as log:
            self.process = subprocess.Popen(
                [str(word) for word in words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=plain_environment()
            )
        deadline = time.monotonic() + 30
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"The hub did not start:\n{(self.folder / 'hub.log').read_text(errors='replace')}")
            time.sleep(0.05)

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                pass
            if self.tls:
                return self.certificate.exists()
            with urllib.request.urlopen(self.url + "/readyz", timeout=5) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def run(self, *words: str, text: str | None = None) -> str:
        """Runs a verb of the command line, which reaches the hub by its control socket."""
        done = subprocess.run(
            [str(self.binary), *words, "--data", str(self.data)],
            input=text, capture_output=True, text=True, timeout=60, env=plain_environment(),
        )
        if done.returncode != 0:
            raise RuntimeError(f"csghub {' '.join(words)}: {done.stderr}")
        return done.stdout.strip()

    def token(self, account: str, scope: str, name: str = "laptop", *more: str) -> str:
        return self.run("token", "create", "--account", account, "--scope", scope, "--name", name, *more).split()[-1]

    def seed(self, slug: str) -> dict:
        """The people of one environment: ada owns nearly all, bob works with her, eve has no rights."""
        people = {}
        for person in ["ada", "bob", "eve"]:
            name = f"{person}-{slug}"
            self.run(
                "account", "create", name, "--email", f"{name}@example.org", "--full-name", person.capitalize(),
                "--password-file", "-", text=f"a long password of {person}\n",
            )
            people[person] = {"name": name, "write": self.token(name, "write"), "read": self.token(name, "read", "reader")}
        people["ada"]["admin"] = self.token(people["ada"]["name"], "admin", "all of it")
        team = f"team-{slug}"
        self.run("organization", "create", team, "--full-name", "The team")
        self.run("organization", "member", "add", team, people["ada"]["name"], "--role", "admin")
        self.run("organization", "member", "add", team, people["bob"]["name"], "--role", "contribute")
        return {"people": people, "team": team}

    def describe(self, slug: str, path: Path) -> Path:
        """Writes what the cases must know of this hub."""
        facts = {
            "url": self.url, "tls": self.tls, "certificate": str(self.certificate), "binary": str(self.binary),
            "data": str(self.data), "slug": slug, **self.seed(slug),
        }
        path.write_text(json.dumps(facts))
        return path


def plain_environment() -> dict[str, str]:
    """This process's environment without settings of a hub or a client."""
    return {
        key: value for key, value in os.environ.items()
        if not key.startswith(("CSGHUB_", "HF_", "HUGGING", "SSL_CERT", "REQUESTS_CA", "GIT_"))
    }
