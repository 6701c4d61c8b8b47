"""Ingestion that outlives its decode processes: an image that crashes one is left out alone."""

from collections.abc import Callable, Sequence
from pathlib import Path

from components.image_example_gen import core
from components.image_example_gen.core import Job
from components.image_example_gen.decode_pool import DecodeWorker, WorkerDied
from components.image_example_gen.decode_worker import Call
from components.image_example_gen.listing import ImageFile, printable
from components.image_example_gen.shards import Shard
from contracts.errors import ComponentError, some_of

# Deaths that no image explains, such as by a lack of memory, before the run is given up.
_UNEXPLAINED_DEATHS = 3
_CRASHING_FILES = 20

_INGEST = f"{core.__name__}:{core.ingest.__name__}"
_READ_DIGESTS = f"{core.__name__}:{core.read_digests.__name__}"

Report = Callable[[int], None]


def ingest_shard(worker: DecodeWorker, job: Job, shard: Shard, on_position: Report) -> None:
    """Ingest a shard, whatever its images do to the process that decodes them.

    After a death the shard is begun anew with every position reported. The image at the next
    death is decoded once more by itself: if that is deadly too, it is quarantined. `on_position`
    is called with positions of files now and then, and at the end with their number.

    Raises:
      ComponentError: processes die without an image that explains it, or too many images do it.
      OSError: this machine is in trouble.
    """
    crashing: set[int] = set()
    unexplained = 0
    while True:
        is_careful = bool(crashing or unexplained)
        arguments = (job, shard, frozenset(crashing))
        try:
            worker.call(Call(_INGEST, arguments, is_careful), on_position)
            on_position(len(shard.files))
            return
        except WorkerDied as death:
            if is_careful and _is_deadly(worker, job.root, shard.files[death.position]):
                crashing.add(death.position)
            else:
                unexplained += 1
            if unexplained == _UNEXPLAINED_DEATHS or len(crashing) == _CRASHING_FILES:
                raise ComponentError(_given_up(shard, death, crashing)) from death


def read_digests(
    worker: DecodeWorker, root: Path, files: Sequence[ImageFile], decode: bool
) -> list[str | None]:
    """Return what `core.read_digests` does, with None for an image that crashes its process."""
    try:
        call = Call(_READ_DIGESTS, (root, files, decode), is_careful=False)
        digests: list[str | None] = worker.call(call, _ignore)
    except WorkerDied:
        if len(files) == 1:
            return [None]
        return [read_digests(worker, root, [file], decode)[0] for file in files]
    return digests


def _is_deadly(worker: DecodeWorker, root: Path, file: ImageFile) -> bool:
    """Tell whether decoding this file alone ends a process."""
    try:
        worker.call(Call(_READ_DIGESTS, (root, [file], True), is_careful=False), _ignore)
    except WorkerDied:
        return True
    return False


def _ignore(position: int) -> None:
    """Take a report that nobody waits for."""


def _given_up(shard: Shard, death: WorkerDied, crashing: set[int]) -> str:
    where = f"ImageExampleGen: shard {shard.index}"
    if len(crashing) == _CRASHING_FILES:
        names = some_of([printable(shard.files[position].path) for position in sorted(crashing)])
        return f"{where}: {len(crashing)} images end the process that decodes them: {names}."
    near = printable(shard.files[death.position].path)
    return (
        f"{where}: its process died {_UNEXPLAINED_DEATHS} times ({death.cause}), last near {near}, "
        "which is readable by itself. If memory is short, lower beam.decode_processes."
    )
