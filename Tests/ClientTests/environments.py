"""The clients that the cases run with."""

from dataclasses import dataclass, field

# Beside each client: the runner of the cases.
RUNNER = ["pytest==8.4.2", "pytest-timeout==2.4.0"]


@dataclass(frozen=True)
class Environment:
    """A virtual environment with a client."""

    name: str
    # What pip installs, and what it removes again.
    requirements: list[str]
    without: list[str] = field(default_factory=list)
    # How long all its cases may take, in seconds.
    seconds: int = 240

    @property
    def slug(self) -> str:
        """Part of the names of its accounts, so that environments do not see one another's repositories."""
        return self.name.replace(".", "").replace("_", "-")


CURRENT = ["huggingface_hub==2.4.0", "hf-xet==1.8.0", "transformers==5.23.0", "datasets==5.2.0", "jinja2==3.1.6"]

ENVIRONMENTS = [
    Environment("hub-2.4-xet", CURRENT, seconds=330),
    Environment("hub-2.4-lfs", CURRENT, without=["hf-xet"], seconds=330),
    Environment("hub-1.10", ["huggingface_hub==1.10.0", "click==8.1.8"]),
    # With the OpenSSF's tool, which needs pyOpenSSL and does not say so.
    Environment("hub-0.36", ["huggingface_hub==0.36.0", "model-signing==1.1.1", "pyOpenSSL==26.4.0"]),
    Environment("csghub-sdk-0.9.3", ["csghub-sdk==0.9.3"]),
]

# huggingface_hub's own tests, see hub_suite.py.
SUITE = Environment(
    "hub-2.4-suite",
    ["huggingface_hub==2.4.0", "hf-xet==1.8.0", "pytest-mock==3.17.0", "pytest-asyncio==1.5.0", "jinja2==3.1.6", "jedi", "numpy", "pyarrow"],
    seconds=900)

# Those of its files with tests that ask a hub. `test_repocard` wants cards that the source distribution does not have.
SUITE_FILES = [
    "test_auth", "test_cli", "test_cli_discussions", "test_commit_api", "test_commit_scheduler", "test_copy_files", "test_file_download",
    "test_hf_api", "test_hf_file_system", "test_hub_mixin", "test_lfs", "test_snapshot_download", "test_upload_pipeline",
    "test_utils_http", "test_xet_download", "test_xet_upload",
]
