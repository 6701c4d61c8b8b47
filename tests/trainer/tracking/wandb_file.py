"""Reads what Weights & Biases keeps of an offline run.

The file is a log of LevelDB (doc/log_format.md there) behind a head of its own.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

FILE_HEAD_BYTES = 7
BLOCK_BYTES = 32 * 1024
PART = struct.Struct("<IHB")  # checksum, bytes, kind
LAST_KINDS = (1, 4)  # a whole record, the last part of one


def wandb_history(path: Path) -> Iterator[dict[str, Any]]:
    """Give what was logged, a call after the other."""
    for record in _read(path):
        if record.history.item:
            yield _values(record.history.item)


def wandb_config(path: Path) -> dict[str, Any]:
    """Return the config of the run as it was in the end."""
    config = {}
    for record in _read(path):
        config |= _values(record.run.config.update) | _values(record.config.update)
    return config


def _values(items: Iterable[Any]) -> dict[str, Any]:
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def _read(path: Path) -> Iterator[Any]:
    from wandb.proto import wandb_internal_pb2

    for content in _records(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(content)
        yield record


def _records(data: bytes) -> Iterator[bytes]:
    position, record = FILE_HEAD_BYTES, b""
    while position < len(data):
        left = BLOCK_BYTES - position % BLOCK_BYTES
        if left < PART.size:  # padding
            position += left
            continue
        _, size, kind = PART.unpack_from(data, position)
        position += PART.size + size
        record += data[position - size : position]
        if kind in LAST_KINDS:
            yield record
            record = b""
