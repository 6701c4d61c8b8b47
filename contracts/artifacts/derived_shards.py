"""Links shards of a previous run that were made of the same shards of examples."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from contracts.artifacts.example_shards import shard_digest, shard_names
from contracts.system.atomic_files import link, write_whole

RECORD_FILE: Final = "derived_shards.json"

# From the URI of an artifact and the name of a source shard to the shard that is made of it.
ShardPlace = Callable[[str, str], Path]


@dataclass(frozen=True)
class DerivedShard:
    """A shard of examples by name and content, and what was counted in the shard made of it."""

    source: str  # Split-<split>/<file>, relative to the artifact of examples
    source_digest: str
    counts: tuple[int, ...] = ()  # a component's own, e.g. the examples of each label


def shards_to_derive(examples_uri: str) -> list[DerivedShard]:
    """Return the shards of an artifact of examples, in order; nothing is counted yet.

    Raises:
      OSError: a shard of another ExampleGen cannot be read.
    """
    return [
        DerivedShard(name, shard_digest(Path(examples_uri, name)))
        for name in shard_names(examples_uri)
    ]


def link_derived_shards(
    uri: str, settings: str, wanted: Iterable[DerivedShard], place: ShardPlace
) -> tuple[list[DerivedShard], list[DerivedShard]]:
    """Link every wanted shard that an artifact beside `uri` holds.

    Returns the linked shards with their counts, and the shards that still have to be made. A shard
    is linked if its source (name and content) and the settings are the same.

    Args:
      uri: the artifact to fill.
      settings: a digest or text of all that the shards depend on besides their sources: config and
        code.
      wanted: what `shards_to_derive` returned.
      place: returns the path of a derived shard in an artifact.

    Raises:
      OSError: the disk is full.
    """
    known: dict[DerivedShard, tuple[Path, DerivedShard]] = {}
    for artifact in sorted(Path(uri).parent.iterdir()):
        for made in _recorded_shards(artifact, settings):
            path = place(str(artifact), made.source)
            if path.is_file():
                known[DerivedShard(made.source, made.source_digest)] = path, made
    linked, left = [], []
    for shard in wanted:
        if shard in known:
            path, made = known[shard]
            link(path, place(uri, shard.source))
            linked.append(made)
        else:
            left.append(shard)
    return linked, left


def write_derived_shards(uri: str, settings: str, shards: Iterable[DerivedShard]) -> None:
    """Record what the shards of an artifact were made of, for `link_derived_shards`."""
    record = {"settings": settings, "shards": [asdict(shard) for shard in shards]}
    write_whole(Path(uri, RECORD_FILE), json.dumps(record, indent=1))


def _recorded_shards(artifact: Path, settings: str) -> list[DerivedShard]:
    try:
        record: Mapping[str, object] = json.loads((artifact / RECORD_FILE).read_text("utf-8"))
        shards = record["shards"]
        if record["settings"] != settings or not isinstance(shards, list):
            return []
        return [
            DerivedShard(one["source"], one["source_digest"], tuple(one["counts"]))
            for one in shards
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # of a run that was killed, or of another version
