"""Shards of an earlier transformation that hold just what this one would write: they are linked."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from contracts.system.atomic_files import link, write_whole

RECORD_FILE = "shards.json"  # beside the splits of transformed examples


@dataclass(frozen=True)
class Shard:
    """A shard of transformed examples, and the state of the one that it was made from."""

    name: str  # relative to the artifact: Split-train/data_tfrecord-...
    source_bytes: int
    source_mtime_ns: int
    label_counts: tuple[int, ...] = ()  # examples of each label


def shards_of(examples_uri: str, splits: Iterable[str]) -> list[Shard]:
    """Return the shards that an artifact of encoded examples consists of, in order."""
    folders = [Path(examples_uri, f"Split-{split}") for split in splits]
    paths = sorted(path for folder in folders for path in folder.iterdir())
    return [
        Shard(f"{path.parent.name}/{path.name}", path.stat().st_size, path.stat().st_mtime_ns)
        for path in paths
    ]


def write_shards(uri: str, settings: str, shards: Iterable[Shard]) -> None:
    """Note what was made of what, for the transformation of the next data."""
    record = {"settings": settings, "shards": [asdict(shard) for shard in shards]}
    write_whole(Path(uri, RECORD_FILE), json.dumps(record, indent=1))


def link_shards(uri: str, settings: str, wanted: Iterable[Shard]) -> list[Shard]:
    """Link to `uri` every wanted shard that an artifact beside it has, and return these.

    A shard is the same where settings (with the code) and the shard that it was made from are.
    """
    known: dict[Shard, tuple[Path, Shard]] = {}
    for folder in sorted(Path(uri).parent.iterdir()):
        for shard in _recorded(folder, settings):
            known[_source(shard)] = folder, shard
    linked = []
    for shard in wanted:
        if shard in known:
            folder, same = known[shard]
            link(folder / same.name, Path(uri, same.name))
            linked.append(same)
    return linked


def _source(shard: Shard) -> Shard:
    return Shard(shard.name, shard.source_bytes, shard.source_mtime_ns)


def _recorded(folder: Path, settings: str) -> list[Shard]:
    try:
        record: Mapping[str, object] = json.loads((folder / RECORD_FILE).read_text())
        if record["settings"] != settings:
            return []
        shards = [
            Shard(**shard | {"label_counts": tuple(shard["label_counts"])})
            for shard in record["shards"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # of a run that was killed, or of another version
    return [shard for shard in shards if (folder / shard.name).is_file()]
