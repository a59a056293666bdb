"""The hub under measurement and its peers: nginx, git http-backend behind it, giftless."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.request

from measuring import Group, processes, run, stop, tree, wait_until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Hub:
    """A hub on a free port with its own data folder and the account `bench`."""

    def __init__(self, binary, folder, tls, name=None):
        name = name or ("hub-tls" if tls else "hub")
        self.binary, self.tls = binary, tls
        self.data = os.path.join(folder, name)
        self.log = self.data + ".log"
        self.port = free_port()
        self.process = None
        self.token = None
        self.group = Group(name)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("CSGHUB_")}

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def certificate(self):
        return os.path.join(self.data, "tls", "ca.pem")

    @property
    def roots(self):
        return [self.process.pid]

    def git_url(self, name):
        scheme, rest = self.url.split("://")
        return f"{scheme}://bench:{self.token}@{rest}/models/bench/{name}.git"

    def start(self):
        """Starts the hub. Returns the milliseconds until its first answer."""
        words = [self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        with open(self.log, "ab") as log:
            began = time.perf_counter()
            self.process = subprocess.Popen(
                words + ([] if self.tls else ["--tls", "off"]), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment, preexec_fn=self.group.join)
        context = ssl._create_unverified_context() if self.tls else None
        for _ in range(30_000):
            try:
                with urllib.request.urlopen(self.url + "/healthz", timeout=10, context=context) as answer:
                    answer.read()
                return (time.perf_counter() - began) * 1000
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError(f"the hub ended at its start; see {self.log}")
                time.sleep(0.001)
        raise RuntimeError("the hub did not answer")

    def stop(self):
        stop(self.process)
        self.process = None

    def prepare(self):
        """Makes the account and its token; the hub must run."""
        self.verb("account", "create", "bench")
        self.token = self.verb("token", "create", "--account", "bench", "--scope", "write").strip()

    def verb(self, *words):
        return run(self.binary, *words, "--data", self.data, env=self.environment)

    def create(self, name):
        self.verb("repository", "create", "model", f"bench/{name}")

    def forget_packs(self):
        """Restarts the hub with an empty pack cache."""
        self.stop()
        shutil.rmtree(os.path.join(self.data, "staging", "packs"), ignore_errors=True)
        self.start()


class Nginx:
    """nginx as a site would set it up: files by sendfile, and git http-backend by fcgiwrap, for those who sign in as on the hub."""

    PASSWORD = "comparison"

    def __init__(self, folder):
        self.folder = os.path.join(folder, "nginx")
        self.files = os.path.join(self.folder, "files")
        self.repositories = os.path.join(self.folder, "repositories")
        self.port, self.tls_port = free_port(), free_port()
        self.server = self.wrapper = None
        self.group = Group("nginx")

    @property
    def roots(self):
        return [self.server.pid, self.wrapper.pid]

    def url(self, tls):
        return f"https://127.0.0.1:{self.tls_port}" if tls else f"http://127.0.0.1:{self.port}"

    def git_url(self, name, tls=False):
        scheme, rest = self.url(tls).split("://")
        return f"{scheme}://bench:{self.PASSWORD}@{rest}/git/{name}.git"

    def start(self):
        for name in (self.files, self.repositories, self.folder + "/temporary"):
            os.makedirs(name, exist_ok=True)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", self.folder + "/key.pem", "-out", self.folder + "/certificate.pem")
        backend = shutil.which("git-http-backend") or os.path.join(run("git", "--exec-path").strip(), "git-http-backend")
        with open(self.folder + "/nginx.conf", "w") as file:
            file.write(self.configuration(backend))
        with open(self.folder + "/passwords", "w") as file:
            file.write(f"bench:{{PLAIN}}{self.PASSWORD}\n")
        environment = dict(os.environ, GIT_CONFIG_NOSYSTEM="1", HOME=self.folder)
        with open(self.folder + "/.gitconfig", "w") as file:
            file.write("[http]\n\treceivepack = true\n[gc]\n\tauto = 0\n[safe]\n\tdirectory = *\n[uploadpack]\n\tallowFilter = true\n")
        with open(self.folder + "/fcgiwrap.log", "ab") as log:
            self.wrapper = subprocess.Popen(
                ["fcgiwrap", "-c", "4", "-s", f"unix:{self.folder}/wrapper.sock"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=environment, preexec_fn=self.group.join)
        self.server = subprocess.Popen(
            ["nginx", "-p", self.folder, "-c", self.folder + "/nginx.conf", "-e", self.folder + "/error.log"],
            stdin=subprocess.DEVNULL, preexec_fn=self.group.join)
        wait_until("nginx", lambda: accepts(self.port) and accepts(self.tls_port))

    def stop(self):
        stop(self.server)
        # It has four workers, which its end leaves running.
        if self.wrapper is not None:
            for pid in tree([self.wrapper.pid], processes()):
                if pid != self.wrapper.pid:
                    os.kill(pid, signal.SIGTERM)
        stop(self.wrapper)

    def repository(self, name):
        """An empty bare repository. Returns its path."""
        path = os.path.join(self.repositories, name + ".git")
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", path)
        run("git", "-C", path, "config", "http.receivepack", "true")
        run("git", "-C", path, "config", "gc.auto", "0")
        run("git", "-C", path, "config", "receive.autogc", "false")
        return path

    def configuration(self, backend):
        user = "user root;" if os.geteuid() == 0 else ""
        listen = f"""
            location /files/ {{ alias {self.files}/; }}
            location /git/ {{
                auth_basic git;
                auth_basic_user_file {self.folder}/passwords;
                client_max_body_size 0;
                fastcgi_pass unix:{self.folder}/wrapper.sock;
                fastcgi_buffering off;
                fastcgi_request_buffering off;
                fastcgi_read_timeout 600;
                fastcgi_param SCRIPT_FILENAME {backend};
                fastcgi_param GIT_PROJECT_ROOT {self.repositories};
                fastcgi_param GIT_HTTP_EXPORT_ALL 1;
                fastcgi_param GIT_PROTOCOL $http_git_protocol;
                fastcgi_param REMOTE_USER bench;
                fastcgi_param PATH_INFO $git_path;
                fastcgi_param QUERY_STRING $query_string;
                fastcgi_param REQUEST_METHOD $request_method;
                fastcgi_param CONTENT_TYPE $content_type;
                fastcgi_param CONTENT_LENGTH $content_length;
                fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
            }}"""
        return f"""
            {user}
            worker_processes 2;
            daemon off;
            pid {self.folder}/nginx.pid;
            events {{ worker_connections 1024; }}
            http {{
                access_log off;
                sendfile on;
                tcp_nopush on;
                tcp_nodelay on;
                keepalive_timeout 65;
                client_body_temp_path {self.folder}/temporary/body;
                proxy_temp_path {self.folder}/temporary/proxy;
                fastcgi_temp_path {self.folder}/temporary/fastcgi;
                uwsgi_temp_path {self.folder}/temporary/uwsgi;
                scgi_temp_path {self.folder}/temporary/scgi;
                map $uri $git_path {{ ~^/git(?<rest>/.*)$ $rest; }}
                server {{ listen 127.0.0.1:{self.port}; {listen} }}
                server {{
                    listen 127.0.0.1:{self.tls_port} ssl;
                    ssl_certificate {self.folder}/certificate.pem;
                    ssl_certificate_key {self.folder}/key.pem;
                    ssl_protocols TLSv1.2 TLSv1.3;
                    {listen}
                }}
            }}"""


class Giftless:
    """The LFS server giftless with local files, under gunicorn with two workers, from PyPI in an environment of its own."""

    PACKAGES = (
        "giftless==0.6.2", "gunicorn", "flask", "flask-classful", "flask-marshmallow", "marshmallow", "webargs", "pyjwt<2.10",
        "pyyaml", "python-dotenv", "python-dateutil", "cachetools", "cryptography", "figcan", "typing-extensions")

    def __init__(self, folder):
        self.folder = os.path.join(folder, "giftless")
        self.port = free_port()
        self.process = None
        self.group = Group("giftless")

    @property
    def roots(self):
        return [self.process.pid]

    def lfs_url(self, name):
        return f"http://127.0.0.1:{self.port}/bench/{name}"

    def start(self):
        os.makedirs(self.folder)
        environment = os.path.join(self.folder, "environment")
        run("python3", "-m", "venv", environment)
        run(environment + "/bin/pip", "install", "--quiet", "--retries", "1", *self.PACKAGES, seconds=300)
        with open(self.folder + "/giftless.yaml", "w") as file:
            file.write(
                "TRANSFER_ADAPTERS:\n  basic:\n    factory: giftless.transfer.basic_streaming:factory\n    options:\n"
                "      storage_class: giftless.storage.local_storage:LocalStorage\n      storage_options:\n"
                f"        path: {self.folder}/objects\n"
                "AUTH_PROVIDERS:\n  - giftless.auth.allow_anon:read_write\n"
                f"PRE_AUTHORIZED_ACTION_PROVIDER:\n  options:\n    private_key: {'comparison' * 6}\n")
        variables = dict(os.environ, GIFTLESS_CONFIG_FILE=self.folder + "/giftless.yaml", PYTHONWARNINGS="ignore")
        with open(self.folder + "/log", "ab") as log:
            self.process = subprocess.Popen(
                [environment + "/bin/gunicorn", "--workers", "2", "--threads", "4", "--bind", f"127.0.0.1:{self.port}",
                 "giftless.wsgi_entrypoint:app"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=variables, preexec_fn=self.group.join)
        wait_until("giftless", lambda: accepts(self.port))

    def stop(self):
        stop(self.process)
