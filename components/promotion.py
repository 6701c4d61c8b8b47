"""Makes a registered version the champion: the registry and the serving folder change together."""

from components.model_registry import ModelRegistry, RegisteredVersion
from components.serving_folder import ServingFolder
from contracts.errors import InputError, some_of


def promote(
    number: int, registry: ModelRegistry, serving: ServingFolder
) -> RegisteredVersion | None:
    """Let a version serve, and return the champion before it, if there was one.

    Killed in between, the registry has the new champion, and the next push or promotion puts the
    serving folder right.

    Args:
      number: of a version whose SavedModel is in `serving`.
      registry: where it is registered.
      serving: the folder of the registered model.

    Raises:
      InputError: there is no such version in the registry, or it lies elsewhere.
      ComponentError: its SavedModel is gone, or the registry does not answer.
    """
    with serving.locked():
        before = registry.champion()
        version = _registered(number, registry)
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
        raise InputError(
            f"VERSION: expected one of {registry.name!r}, which are "
            f"{some_of(sorted(versions, reverse=True))}, received {number}. "
            "`imgpipe models` lists them."
        )
    return versions[number]
