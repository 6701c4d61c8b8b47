"""The MLflow model registry as the components use it: versions, their lineage, two aliases."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from contracts import features
from contracts.errors import ComponentError
from contracts.tracking import TrackingStore
from trainer.mlflow_store import open_client, told

CHAMPION = "champion"  # the model that serves
CHALLENGER = "challenger"  # the newest blessed model that does not serve yet

# Tags of a version. A version without DIGEST was begun and never finished.
DIGEST = "imgpipe.model_digest"
DATA_FINGERPRINT = "imgpipe.data_fingerprint"
CONFIG = "imgpipe.config"
CODE_DIGEST = "imgpipe.code_digest"
RUN_ID = "imgpipe.run_id"
ACCURACY = "imgpipe.accuracy"

SERVING_FOLDER = "imgpipe.serving_folder"  # of the model, a folder a version in it

# Where there is no run to take the model from: a tracking server refuses a bare path of another
# machine as the source of a version, and takes any scheme that it does not know as it is.
SOURCE_SCHEME = "imgpipe:"


@dataclass(frozen=True)
class RegisteredVersion:
    """A pushed model as the registry knows it."""

    version: int
    path: str  # of the SavedModel
    tags: dict[str, str]
    created_ms: int  # since the epoch
    aliases: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """Number and content: a number alone means another model in another registry."""
        return f"version {self.version} ({self.tags[DIGEST][:16]})"

    def require_folder(self) -> Path:
        """Return `path`.

        Raises:
          ComponentError: no SavedModel is there.
        """
        if not Path(self.path, features.SAVED_MODEL_FILE).is_file():
            raise ComponentError(
                f"version {self.version}: expected its SavedModel in {self.path}, found none. "
                "Restore the folder."
            )
        return Path(self.path)


class ModelRegistry:
    """The versions of one registered model.

    Raises:
      ComponentError: by every method, where the store does not answer or is no MLflow store.
    """

    def __init__(self, store: TrackingStore) -> None:
        self._uri = store.uri
        self._name = store.name
        with told(self._uri):
            self._client = open_client(store.uri)

    def versions(self) -> list[RegisteredVersion]:
        """Return every pushed version, oldest first."""
        with told(self._uri):
            aliases = self._aliases()
            found = self._client.search_model_versions(f"name = '{self._name}'")
        pushed = [_registered(version, aliases) for version in found if DIGEST in version.tags]
        return sorted(pushed, key=lambda version: version.version)

    def champion(self) -> RegisteredVersion | None:
        """Return the version that serves, or None where nothing has been promoted yet."""
        return next((found for found in self.versions() if CHAMPION in found.aliases), None)

    def begin_version(self, source: str, mlflow_run_id: str | None) -> int:
        """Reserve the next version, of what MLflow finds at `source`.

        `versions` does not show it before `finish_version`.
        """
        with told(self._uri):
            try:
                self._client.create_registered_model(self._name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            created = self._client.create_model_version(self._name, source, run_id=mlflow_run_id)
        return int(created.version)

    def finish_version(self, version: int, tags: Mapping[str, str]) -> str:
        """Make a reserved version visible and return its alias.

        The first one becomes champion, later ones challenger. `tags` must hold SERVING_FOLDER
        and DIGEST. This is set last, after the alias too, so that a half-finished version stays
        invisible.
        """
        alias = CHALLENGER if self.champion() else CHAMPION
        with told(self._uri):
            for key in sorted(set(tags) - {DIGEST}):
                self._client.set_model_version_tag(self._name, str(version), key, tags[key])
            self._client.set_registered_model_alias(self._name, alias, str(version))
            self._client.set_model_version_tag(self._name, str(version), DIGEST, tags[DIGEST])
        return alias

    def abandon_version(self, version: int) -> None:
        """Take back a reserved version; its number is never used again."""
        with told(self._uri):
            self._client.delete_model_version(self._name, str(version))

    def _aliases(self) -> dict[str, str]:
        try:
            registered = self._client.get_registered_model(self._name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return {}
        return dict(registered.aliases)


def _registered(version: ModelVersion, aliases: Mapping[str, str]) -> RegisteredVersion:
    number = int(version.version)
    # Before there was the tag, the source was the folder.
    folder = version.tags.get(SERVING_FOLDER, version.source.removeprefix(SOURCE_SCHEME))
    return RegisteredVersion(
        version=number,
        path=str(Path(folder, str(number))),
        tags=dict(version.tags),
        created_ms=version.creation_timestamp,
        aliases=tuple(sorted(name for name, of in aliases.items() if int(of) == number)),
    )
