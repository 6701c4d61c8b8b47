"""The code as part of a component's cache key: TFX's own key leaves it out."""

import hashlib
import importlib.metadata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from contracts.augmentation import AugmentationConfig
from contracts.module_sources import module_file, module_sources
from contracts.optional_libraries import ALBUMENTATIONS, installed
from contracts.training import TrainerConfig
from contracts.users_code import UsersCode, sources

PIECE_BYTES = 2**20


def augmentation_libraries(*augmentations: AugmentationConfig) -> tuple[str, ...]:
    """Return the optional libraries that changed images follow from."""
    backends = {augmentation.backend for augmentation in augmentations}
    return installed(ALBUMENTATIONS.name) if ALBUMENTATIONS.name in backends else ()


@cache
def code_digest(*modules: str, libraries: tuple[str, ...] = ()) -> str:
    """Return the SHA-256 of sources and library versions, as lower-case hex.

    The sources are found without anything being imported, and are the same wherever they are
    installed. A package stands for everything below it.

    Args:
      modules: dotted names, e.g. "contracts" or "trainer.preprocessing".
      libraries: names of installed distributions, e.g. "pillow".

    Raises:
      ModuleNotFoundError: there is no such module, or it has no source.
      importlib.metadata.PackageNotFoundError: a library is not installed.
    """
    digest = hashlib.sha256()
    for library in sorted(libraries):
        digest.update(f"{library}=={importlib.metadata.version(library)}\0".encode())
    for name in sorted(modules):
        for place, path in module_sources(name):
            digest.update(f"{name}\0{place}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def users_digest(codes: Iterable[UsersCode], files: Iterable[Path] = ()) -> str:
    """Return the SHA-256 of code of the user's own, and of other files that a result follows from.

    The sources beside a file or module that it imports count too, the folder that they are in does
    not. Nothing is imported.

    Raises:
      ModuleNotFoundError: there is no such module, or it has no source.
      OSError: a file cannot be read.
      SyntaxError, ValueError: one is no Python; `filename` says which.
    """
    digest = hashlib.sha256()
    for code in codes:
        top = code.place.partition(".")[0]
        file = code.file or module_file(top)
        digest.update(f"{code.attribute}\0".encode())
        if code.file is None:
            digest.update(f"{code.place}\0{code_digest(top)}\0".encode())
        # The parts of a package are in its own digest.
        if file is not None and file.name != "__init__.py":
            for source in sources(file):
                place = source.relative_to(file.parent).as_posix()
                digest.update(f"{place}\0{_file_digest(source)}\0".encode())
    for file in files:
        digest.update(f"{_file_digest(file)}\0".encode())
    return digest.hexdigest()


def trainers_digest(*trainers: TrainerConfig) -> str:
    """Return the `users_digest` of what trainings with these sections run and begin with."""
    codes = dict.fromkeys(code for trainer in trainers for code in trainer.users_code())
    files = dict.fromkeys(file for trainer in trainers for file in trainer.users_files())
    return users_digest(codes, files)


def _file_digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
