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
    Environment("hub-0.36", ["huggingface_hub==0.36.0"]),
    Environment("csghub-sdk-0.9.3", ["csghub-sdk==0.9.3"]),
]
