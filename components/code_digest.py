"""The code as part of a component's cache key: TFX's own key leaves it out."""

import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from contracts.augmentation import AugmentationConfig
from contracts.training import TrainerConfig
from contracts.users_code import UsersCode, sources

PIECE_BYTES = 2**20


def installed(*libraries: str) -> tuple[str, ...]:
    """Return those of the optional libraries that are installed."""
    return tuple(name for name in libraries if any(importlib.metadata.distributions(name=name)))


def augmentation_libraries(*augmentations: AugmentationConfig) -> tuple[str, ...]:
    """Return the optional libraries that changed images follow from."""
    backends = {augmentation.backend for augmentation in augmentations}
    return installed("albumentations") if "albumentations" in backends else ()


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
        for place, path in _sources(name):
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


def module_file(module: str) -> Path | None:
    """Return the source of a module, without importing it; None for a package without one.

    Raises:
      ModuleNotFoundError: there is no such module, or it has no source.
    """
    own = ("", "__init__.py")
    return next((path for place, path in _sources(module) if place in own), None)


def _file_digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _sources(module: str) -> list[tuple[str, Path]]:
    """Return the source files of a module, each with its place inside it, in order of these.

    Only the top package is looked up by importlib, which would import all packages above another.
    """
    top, *below = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is not None and spec.submodule_search_locations:
        places = [Path(folder, *below) for folder in spec.submodule_search_locations]
    elif spec is not None and spec.origin and spec.has_location and not below:
        places = [Path(spec.origin).with_suffix("")]
    else:
        places = []
    sources = [("", file) for place in places if (file := place.with_suffix(".py")).is_file()]
    sources += [
        (file.relative_to(place).as_posix(), file)
        for place in places
        for file in place.rglob("*.py")
    ]
    if not sources:
        raise ModuleNotFoundError(f"{module}: expected a module with sources.", name=module)
    return sorted(sources)
