"""Makes a registered version the champion: the registry and the serving folder change together."""

from contracts.system.errors import InputError, some_of
from registry.model_versions import ModelRegistry, RegisteredVersion
from registry.serving_folder import ServingFolder


def promote(
    number: int, registry: ModelRegistry, serving: ServingFolder
) -> RegisteredVersion | None:
    """Make a version the champion, which serves, and return the champion before it, if any.

    If the process is killed between the two changes, the registry has the new champion, and the
    next push or promotion corrects the serving folder.

    Args:
      number: of a version whose SavedModel is in `serving`.
      registry: the registry of the model.
      serving: the folder of the registered model.

    Raises:
      InputError: the registry has no such version, or its SavedModel is in another folder.
      ComponentError: its SavedModel is gone, or the registry does not answer.
      OSError: the serving folder cannot be changed; the next promotion changes it.
    """
    version = _registered(number, registry)
    with serving.locked():
        before = registry.champion()
        folder = version.require_folder()
        if serving.find(number) is None:
            raise InputError(
                f"version {number}: expected its SavedModel in {serving.root}, found it in "
                f"{folder}. Promote it in the workspace that pushed it."
            )
        registry.promote(number)
        serving.serve(number)
    return before


def _registered(number: int, registry: ModelRegistry) -> RegisteredVersion:
    versions = {version.version: version for version in registry.versions()}
    if number not in versions:
        known = some_of(sorted(versions, reverse=True)) or "none yet"
        raise InputError(
            f"VERSION: expected a version of {registry.name!r} ({known}), received {number}."
        )
    return versions[number]
