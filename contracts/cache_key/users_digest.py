"""Code and files of the user's own, as part of cache keys."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from contracts.cache_key.module_sources import module_file
from contracts.cache_key.sources_digest import sources_digest
from contracts.config.trainer.config import TrainerConfig
from contracts.config.trainer.users_code import UsersCode, sources
from contracts.system.file_digest import file_digest


def users_digest(codes: Iterable[UsersCode], files: Iterable[Path] = ()) -> str:
    """Return the SHA-256 of code of the user's own, and of other files that a result depends on.

    The sources that it imports from its own folder count too; the path of the folder does not.
    Nothing is imported.

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
            digest.update(f"{code.place}\0{sources_digest(top)}\0".encode())
        # The parts of a package are in its own digest.
        if file is not None and file.name != "__init__.py":
            for source in sources(file):
                place = source.relative_to(file.parent).as_posix()
                digest.update(f"{place}\0{file_digest(source)}\0".encode())
    for file in files:
        digest.update(f"{file_digest(file)}\0".encode())
    return digest.hexdigest()


def trainers_digest(*trainers: TrainerConfig) -> str:
    """Return the `users_digest` of the code and files that trainings with these sections use."""
    codes = dict.fromkeys(code for trainer in trainers for code in trainer.users_code())
    files = dict.fromkeys(file for trainer in trainers for file in trainer.users_files())
    return users_digest(codes, files)
