"""The libraries that only some configs need; each is an extra of imgpipe."""

import importlib.metadata
from dataclasses import dataclass
from typing import Final

from contracts.system.errors import ComponentError


def installed(*libraries: str) -> tuple[str, ...]:
    """Return those of the libraries that are installed; a folder of that name does not count."""
    return tuple(name for name in libraries if any(importlib.metadata.distributions(name=name)))


@dataclass(frozen=True)
class OptionalLibrary:
    """A library, named as the extra that brings it."""

    name: str
    key: str  # that asks for it
    alternative: str  # what to do without it

    @property
    def is_installed(self) -> bool:
        """Whether it is there."""
        return bool(installed(self.name))

    @property
    def missing(self) -> str:
        """The sentence that it is not there."""
        return (
            f"{self.key}: expected the package {self.name}, which is not installed. Install it "
            f"(pip install 'imgpipe[{self.name}]'), or {self.alternative}."
        )

    def require(self) -> None:
        """Raise ComponentError where it is not installed."""
        if not self.is_installed:
            raise ComponentError(self.missing)


ALBUMENTATIONS: Final = OptionalLibrary(
    "albumentations", "augmentation.backend", "take the backend keras"
)
CLEANLAB: Final = OptionalLibrary(
    "cleanlab", "validation.likely_mislabelled", "set the severity to off"
)
WANDB: Final = OptionalLibrary("wandb", "tracking.wandb.enabled", "set it to false")
