"""Fetches the champion's SavedModel."""

import shutil
from pathlib import Path

from components.model_registry import ModelRegistry, RegisteredVersion
from contracts.config import TrackingStore
from contracts.errors import ComponentError


def fetch_champion(store: TrackingStore, target: Path) -> RegisteredVersion | None:
    """Copy the champion's SavedModel to `target` and return its version; None if there is none.

    Raises:
      ComponentError: the registry names a champion whose SavedModel is gone.
    """
    champion = ModelRegistry(store).champion()
    if champion is None:
        return None
    if not Path(champion.path, "saved_model.pb").is_file():
        raise ComponentError(
            f"ChampionResolver: the champion of {store.name!r} is version {champion.version}, "
            f"expected its SavedModel in {champion.path}, found none. Restore the folder."
        )
    shutil.copytree(champion.path, target)
    return champion
