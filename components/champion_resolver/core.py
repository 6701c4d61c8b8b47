"""Fetches the champion's SavedModel."""

import shutil
from pathlib import Path

from contracts.system.errors import ComponentError
from registry.model_versions import ModelRegistry, RegisteredVersion
from registry.serving_folder import ServingFolder


def fetch_champion(
    registry: ModelRegistry, serving: ServingFolder, expected: str, target: Path
) -> RegisteredVersion | None:
    """Copy the champion's SavedModel to `target` and return its version; None if there is none.

    Args:
      registry: where the model is registered.
      serving: the serving folder of the model, which nobody else writes to during the copy.
      expected: the champion's `identity`, empty for none.
      target: a folder that does not exist yet.

    Raises:
      ComponentError: another version has become champion, or its SavedModel is gone.
    """
    with serving.locked():
        return _fetch(registry, expected, target)


def _fetch(registry: ModelRegistry, expected: str, target: Path) -> RegisteredVersion | None:
    champion = registry.champion()
    found = champion.identity if champion else ""
    if found != expected:
        raise ComponentError(
            f"ChampionResolver: the champion of {registry.name!r} changed while the pipeline ran: "
            f"expected {expected or 'none'}, found {found or 'none'}. Run again."
        )
    if champion is None:
        return None
    shutil.copytree(champion.require_folder(), target)
    return champion
