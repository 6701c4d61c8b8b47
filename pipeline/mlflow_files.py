"""Where MLflow's SQLite file says that the files of its runs lie, after the file has moved."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from contracts.mlflow_uri import sqlite_file
from contracts.moved_paths import replace_folder
from contracts.tracking import ARTIFACTS_FOLDER, TrackingStore

# MLflow has no call that changes these (mlflow.store.tracking.dbmodels, model_registry.dbmodels).
_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def relocate_files(store: TrackingStore) -> None:
    """Let files of runs that imgpipe has put beside the SQLite file be found beside it again.

    Files that were put elsewhere stay where they are. So does everything that a server keeps.
    """
    database = sqlite_file(store.uri)
    if database is None or not database.is_file():
        return
    now = database.with_name(ARTIFACTS_FOLDER).absolute()
    with closing(sqlite3.connect(database, isolation_level="IMMEDIATE")) as connection:
        query = "SELECT DISTINCT artifact_location FROM experiments"
        for (location,) in connection.execute(query).fetchall():
            before = Path(unquote(urlsplit(location or "").path))
            if before.name == ARTIFACTS_FOLDER and _has_moved(before, now):
                with connection:
                    _replace(connection, before, now)


def _has_moved(before: Path, now: Path) -> bool:
    is_here = before.exists() and now.exists() and before.samefile(now)
    return before != now and not is_here


def _replace(connection: sqlite3.Connection, before: Path, now: Path) -> None:
    for table, column in _COLUMNS:
        rows = connection.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()
        for (place,) in rows:
            moved = replace_folder(place or "", before, str(now))
            if moved != (place or ""):
                connection.execute(
                    f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (moved, place)
                )
