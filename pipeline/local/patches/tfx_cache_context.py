"""Makes TFX's cache keys independent of where workspace and project lie.

Reason: TFX hashes the parameters of a component and the records of its input artifacts. They hold
absolute paths and times of writing, so that a moved workspace would compute everything anew.
Upstream: tfx/orchestration/portable/cache_utils.py (`get_cache_context`), which launcher.py calls
through its module, read in TFX 1.16 and 1.21; no argument of the launcher changes the key.
Since: imgpipe 0.1.0 (docs/adr/0017).
"""

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
    """Let the cache keys be the same wherever `folders` lie, while the block runs.

    Of an input artifact only its id is hashed: no other artifact has it.
    """
    tfx_context = cache_utils.get_cache_context

    def get_cache_context(
        input_artifacts: Mapping[str, Sequence[Artifact]],
        parameters: Mapping[str, Any],
        **options: Any,
    ) -> Any:
        return tfx_context(
            input_artifacts={
                key: [_with_id_alone(artifact) for artifact in artifacts]
                for key, artifacts in input_artifacts.items()
            },
            parameters={
                key: without_folders(str(value), folders) for key, value in parameters.items()
            },
            **options,
        )

    module: Any = cache_utils  # the launcher passes all arguments by name
    module.get_cache_context = get_cache_context
    try:
        yield
    finally:
        module.get_cache_context = tfx_context


def _with_id_alone(artifact: Artifact) -> Artifact:
    """Return a copy of a recorded artifact that holds nothing but its id."""
    copy = deepcopy(artifact)
    record = copy.mlmd_artifact
    for name in [field.name for field, _ in record.ListFields() if field.name != "id"]:
        record.ClearField(name)
    return copy
