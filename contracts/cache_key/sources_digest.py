"""The bytes of sources, as part of keys that are needed within milliseconds."""

import hashlib
from functools import cache

from contracts.cache_key.module_sources import module_sources


@cache
def sources_digest(*modules: str) -> str:
    """Return the SHA-256 of every byte of some modules, as lower-case hex.

    Nothing is imported or parsed. A package stands for everything below it.

    Raises:
      ModuleNotFoundError: there is no such module, or it has no source.
    """
    digest = hashlib.sha256()
    for name in sorted(modules):
        for place, path in module_sources(name):
            digest.update(f"{name}\0{place}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
