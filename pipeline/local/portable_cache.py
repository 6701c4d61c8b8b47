"""TFX's cache keys without what changes when a workspace or project moves."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from tfx.orchestration.portable import cache_utils
from tfx.types import Artifact

from contracts.system.moved_paths import without_folders


@contextmanager
def portable_cache_keys(folders: Sequence[Path]) -> Iterator[None]:
    """Compute cache keys that are the same wherever `folders` lie, while the block runs.

    TFX hashes the parameters of a component, and of its input artifacts the URI and when their
    record was written. The id of an artifact is enough to tell it from every other one.
    """
    tfx_context = cache_utils.get_cache_context

    def context(
        *args: Any,
        input_artifacts: Mapping[str, Sequence[Artifact]] | None = None,
        parameters: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        return tfx_context(
            *args,
            input_artifacts={
                key: [_identified(one) for one in some]
                for key, some in (input_artifacts or {}).items()
            },
            parameters={
                key: without_folders(str(value), folders)
                for key, value in (parameters or {}).items()
            },
            **options,
        )

    cache_utils.get_cache_context = context
    try:
        yield
    finally:
        cache_utils.get_cache_context = tfx_context


def _identified(artifact: Artifact) -> Artifact:
    """Return a copy of a recorded artifact that says no more than which one it is."""
    copy = deepcopy(artifact)
    record = copy.mlmd_artifact
    for name in [field.name for field, _ in record.ListFields() if field.name != "id"]:
        record.ClearField(name)
    return copy
