"""The shards of an Examples artifact: their places, and a digest of what is in each."""

import hashlib
import re
from pathlib import Path
from typing import Final

# Of the content of a shard that ImageExampleGen writes; its name ends in it.
DIGEST_LENGTH: Final = 16

_NAME: Final = re.compile(rf"data_tfrecord-\d{{5,}}-([0-9a-f]{{{DIGEST_LENGTH}}})")


def split_folder(uri: str, split: str) -> Path:
    """Return the folder of the shards of a split, named as TFX does."""
    return Path(uri, f"Split-{split}")


def shard_path(examples_uri: str, split: str, number: str) -> Path:
    """Return the path of the examples of a shard that belong to a split.

    `number` is the number of the shard, or number and digest.
    """
    return split_folder(examples_uri, split) / f"data_tfrecord-{number}"


def split_of_shard(name: str) -> str:
    """Return the split of a shard by its name, `Split-<split>/<file>`."""
    return name.partition("/")[0].removeprefix("Split-")


def shard_names(examples_uri: str) -> list[str]:
    """Return the names of all shards, `Split-<split>/<file>`, sorted."""
    paths = Path(examples_uri).glob("Split-*/*")
    return sorted(f"{path.parent.name}/{path.name}" for path in paths)


def shard_digest(path: Path) -> str:
    """Return a digest of what is in a shard: the end of its name, else the SHA-256 of its bytes.

    Only ImageExampleGen puts a digest into the name. The shards of another ExampleGen are read.

    Raises:
      OSError: the shard cannot be read.
    """
    named = _NAME.fullmatch(path.name)
    if named:
        return named[1]
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
