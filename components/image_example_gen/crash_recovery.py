"""Ingestion that survives crashes of decode processes: it leaves out only the image at fault."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import Any, TypeVar

from components.image_example_gen import core
from components.image_example_gen.core import IngestionJob
from components.image_example_gen.listing.entries import ImageFile, printable
from components.image_example_gen.reading.file_bytes import Quarantined
from components.image_example_gen.reading.image_file import Extent
from components.image_example_gen.shards import FileShard
from contracts.images.isolation.pool import DecodePool, DecodeWorker, WorkerDied
from contracts.images.isolation.worker import DecodeCall, PositionReport
from contracts.images.reading import ImageReading
from contracts.system.errors import ComponentError
from contracts.system.storage.remote_path import Root

Result = TypeVar("Result")

# The run fails after so many deaths that no image explains, e.g. by a lack of memory.
_UNEXPLAINED_DEATHS = 3
_FILES_A_CALL = 64

_INGEST = f"{core.__name__}:{core.ingest.__name__}"
_READ_DIGESTS = f"{core.__name__}:{core.read_digests.__name__}"
_READ_EXTENTS = f"{core.__name__}:{core.read_extents.__name__}"


def ingest_shard(
    worker: DecodeWorker, job: IngestionJob, shard: FileShard, on_position: PositionReport
) -> str:
    """Call `core.ingest` in a decode process and return its result, even if images crash it.

    After a death the following images are decoded one by one, without being written, to find all
    that end the process. Then the whole shard is ingested again with these images quarantined.
    `on_position` is called with the position of a file several times a second, and at the end with
    the number of files.

    Raises:
      ComponentError: processes die without an image that explains it.
      OSError: this machine is in trouble.
    """
    deadly: dict[int, Quarantined] = {}
    unexplained = 0
    while True:
        try:
            call = DecodeCall(_INGEST, (job, shard, deadly), reports_every_position=False)
            suffix: str = worker.call(call, on_position)
            on_position(len(shard.files))
            return suffix
        except WorkerDied as death:
            found = _find_deadly(worker, job, shard.files, death.position)
            unexplained += not found
            if unexplained == _UNEXPLAINED_DEATHS:
                raise ComponentError(_failure_sentence(shard, death)) from death
            deadly |= found


def _find_deadly(
    worker: DecodeWorker, job: IngestionJob, files: Sequence[ImageFile], first: int
) -> dict[int, Quarantined]:
    """Return the reasons of the files from `first` on that end their process, by position."""
    deadly: dict[int, Quarantined] = {}
    while first < len(files):
        death = _decode_only(worker, job, files[first:])
        if death is None:
            break
        at = first + death.position
        # A process may also die for another reason: an image counts only if it happens again.
        again = death if death.is_late else _decode_only(worker, job, [files[at]])
        if again is not None:
            deadly[at] = _quarantine_reason(again, worker)
        first = at + 1
    return deadly


def _decode_only(
    worker: DecodeWorker, job: IngestionJob, files: Sequence[ImageFile]
) -> WorkerDied | None:
    """Decode the files without writing them; return the death of the process, if it died."""
    arguments = (job.root, files, job.reading, True)
    try:
        worker.call(DecodeCall(_READ_DIGESTS, arguments, reports_every_position=True), _ignore)
    except WorkerDied as death:
        return death
    return None


def _quarantine_reason(death: WorkerDied, worker: DecodeWorker) -> Quarantined:
    if death.is_late:
        return Quarantined("too_slow", f"takes longer than {worker.limits.seconds:g} s")
    return Quarantined("crashes_decoder", f"ends the process that decodes it: {death.cause}")


def read_each_file(
    pool: DecodePool,
    read: Callable[..., list[Result]],
    root: Root,
    files: Iterable[ImageFile],
    *arguments: Any,
) -> Iterator[tuple[ImageFile, Result]]:
    """Give each file with its result of `read(worker, root, files, *arguments)`, in order."""
    pending: list[tuple[list[ImageFile], Future[list[Result]]]] = []
    waiting = iter(files)
    while some := list(islice(waiting, _FILES_A_CALL)):
        pending.append((some, pool.submit(read, root, some, *arguments)))
    for some, future in pending:
        yield from zip(some, future.result(), strict=True)


def read_digests(
    worker: DecodeWorker,
    root: Root,
    files: Sequence[ImageFile],
    reading: ImageReading,
    decode: bool,
) -> list[str | None]:
    """Return the result of `core.read_digests`, with None for an image that ends its process."""
    return _call_for_each(worker, _READ_DIGESTS, files, lambda some: (root, some, reading, decode))


def read_extents(
    worker: DecodeWorker, root: Root, files: Sequence[ImageFile], reading: ImageReading
) -> list[Extent | None]:
    """Return the result of `core.read_extents`, with None for an image that ends its process."""
    return _call_for_each(worker, _READ_EXTENTS, files, lambda some: (root, some, reading))


def _call_for_each(
    worker: DecodeWorker,
    function: str,
    files: Sequence[ImageFile],
    arguments: Callable[[Sequence[ImageFile]], tuple[Any, ...]],
) -> list[Any]:
    """Return a function's result for each file, with None for an image that ends its process."""
    try:
        found: list[Any] = worker.call(
            DecodeCall(function, arguments(files), reports_every_position=False), _ignore
        )
    except WorkerDied:
        if len(files) == 1:
            return [None]
        return [_call_for_each(worker, function, [file], arguments)[0] for file in files]
    return found


def _ignore(position: int) -> None:
    """Ignore a report."""


def _failure_sentence(shard: FileShard, death: WorkerDied) -> str:
    near = printable(shard.files[death.position].path)
    return (
        f"ImageExampleGen: shard {shard.index}: its process died {_UNEXPLAINED_DEATHS} times "
        f"({death.cause}), last near {near}, which is readable by itself. "
        "If memory is short, lower beam.decode_processes."
    )
