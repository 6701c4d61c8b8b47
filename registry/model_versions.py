"""The MLflow model registry as the components use it: versions, their lineage, two aliases."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from contracts.artifacts import signatures
from contracts.config.tracking import TrackingStore
from contracts.system.errors import ComponentError
from registry.mlflow_store import open_client, translated_errors
from registry.serving_folder import ServingFolder, model_digest

CHAMPION = "champion"  # the model that serves
CHALLENGER = "challenger"  # the newest blessed model that does not serve yet

# Tags of a version. A version without DIGEST was begun and never finished.
DIGEST = "imgpipe.model_digest"
DATA_FINGERPRINT = "imgpipe.data_fingerprint"
CONFIG = "imgpipe.config"
CODE_DIGEST = "imgpipe.code_digest"
RUN_ID = "imgpipe.run_id"
ACCURACY = "imgpipe.accuracy"
ACCURACY_INTERVAL = "imgpipe.accuracy_interval"  # 95 %, JSON: [low, high]
MIN_ACCURACY = "imgpipe.min_accuracy"  # the floor that the gate held the model against
MIN_ACCURACY_SOURCE = "imgpipe.min_accuracy_source"

SERVING_FOLDER = "imgpipe.serving_folder"  # of the model, with a folder for each version

# For the source of a version without an MLflow run: a tracking server refuses a bare path of
# another machine there, and accepts any scheme that it does not know.
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

    @property
    def is_intact(self) -> bool:
        """Whether the SavedModel in `path` is the one that was pushed."""
        return self._fault() is None

    def require_folder(self) -> Path:
        """Return `path`.

        Raises:
          ComponentError: the SavedModel that was pushed is not there.
        """
        fault = self._fault()
        if fault is not None:
            raise ComponentError(
                f"version {self.version}: expected its SavedModel in {self.path}, found {fault}. "
                "Restore the folder, promote another version (`imgpipe models` lists them), "
                "or name another workspace."
            )
        return Path(self.path)

    def _fault(self) -> str | None:
        if not Path(self.path, signatures.SAVED_MODEL_FILE).is_file():
            return "none"
        is_same = model_digest(Path(self.path)) == self.tags[DIGEST]
        return None if is_same else "other files than those that were pushed"


class ModelRegistry:
    """The versions of one registered model.

    Raises:
      ComponentError: by every method, where the store does not answer or is no MLflow store.
    """

    def __init__(self, store: TrackingStore, serving: ServingFolder) -> None:
        """Open the registry; versions are looked for in `serving` first, which may have moved."""
        self._uri = store.uri
        self._serving = serving
        self.name = store.name
        with translated_errors(self._uri):
            self._client = open_client(store.uri)

    def versions(self) -> list[RegisteredVersion]:
        """Return every pushed version, oldest first."""
        with translated_errors(self._uri):
            aliases = self._aliases()
            found = self._client.search_model_versions(f"name = '{self.name}'")
        pushed = [self._registered(version, aliases) for version in found if DIGEST in version.tags]
        return sorted(pushed, key=lambda version: version.version)

    def champion(self) -> RegisteredVersion | None:
        """Return the version that serves, or None where nothing has been promoted yet."""
        return next((found for found in self.versions() if CHAMPION in found.aliases), None)

    def begin_version(self, source: str, mlflow_run_id: str | None) -> int:
        """Reserve the next version, whose files MLflow finds at `source`.

        `versions` does not show it before `finish_version`.
        """
        with translated_errors(self._uri):
            try:
                self._client.create_registered_model(self.name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            created = self._client.create_model_version(self.name, source, run_id=mlflow_run_id)
        return int(created.version)

    def finish_version(self, version: int, tags: Mapping[str, str]) -> None:
        """Make a reserved version visible, with an alias.

        The first one becomes champion, later ones challenger. `tags` must hold SERVING_FOLDER
        and DIGEST. This is set last, after the alias too, so that a half-finished version stays
        invisible.
        """
        alias = CHALLENGER if self.champion() else CHAMPION
        with translated_errors(self._uri):
            for key in sorted(set(tags) - {DIGEST}):
                self._client.set_model_version_tag(self.name, str(version), key, tags[key])
            self._client.set_registered_model_alias(self.name, alias, str(version))
            self._client.set_model_version_tag(self.name, str(version), DIGEST, tags[DIGEST])

    def promote(self, version: int) -> None:
        """Make a version the champion; if it was the challenger, there is none any more."""
        with translated_errors(self._uri):
            self._client.set_registered_model_alias(self.name, CHAMPION, str(version))
            if int(self._aliases().get(CHALLENGER, 0)) == version:
                self._client.delete_registered_model_alias(self.name, CHALLENGER)

    def abandon_version(self, version: int) -> None:
        """Take back a reserved version; its number is never used again."""
        with translated_errors(self._uri):
            self._client.delete_model_version(self.name, str(version))

    def _aliases(self) -> dict[str, str]:
        try:
            registered = self._client.get_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return {}
        return dict(registered.aliases)

    def _registered(self, version: ModelVersion, aliases: Mapping[str, str]) -> RegisteredVersion:
        number = int(version.version)
        return RegisteredVersion(
            version=number,
            path=str(self._path(number, version)),
            tags=dict(version.tags),
            created_ms=version.creation_timestamp,
            aliases=tuple(sorted(name for name, of in aliases.items() if int(of) == number)),
        )

    def _path(self, number: int, version: ModelVersion) -> Path:
        """Return where a version lies, or should: another workspace may have pushed it."""
        # Versions of imgpipe without this tag set the source to the folder.
        source = str(version.source).removeprefix(SOURCE_SCHEME)
        folder = version.tags.get(SERVING_FOLDER, source)
        pushed_to = ServingFolder(Path(folder))
        places = dict.fromkeys(one.find(number) for one in (self._serving, pushed_to))
        found = [place for place in places if place]
        if len(found) > 1:  # another model may have the same number in another registry
            digest = version.tags[DIGEST]
            return next((place for place in found if model_digest(place) == digest), found[0])
        expected = pushed_to if pushed_to.root.is_dir() else self._serving
        return found[0] if found else expected.root / str(number)
