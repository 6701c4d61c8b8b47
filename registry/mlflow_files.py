"""Corrects the paths of run files in MLflow's SQLite file after the file has moved."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, create_engine, inspect, text

from contracts.config.mlflow_uri import sqlite_file
from contracts.config.tracking import ARTIFACTS_FOLDER
from contracts.system.moved_paths import replace_folder

# MLflow has no call that changes these (mlflow.store.tracking.dbmodels, model_registry.dbmodels).
_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def relocate_files(uri: str) -> None:
    """Correct the paths of run files that imgpipe keeps in the folder of the SQLite file.

    Paths to other places stay as they are, and so do stores on a server and a SQLite file that
    cannot be written.

    Raises:
      sqlalchemy.exc.SQLAlchemyError: the file is no database.
    """
    database = sqlite_file(uri)
    if database is None or not database.is_file() or not os.access(database, os.W_OK):
        return
    now = database.with_name(ARTIFACTS_FOLDER).absolute()
    if not now.is_dir():
        return  # no run files were moved to here
    engine = create_engine(uri)
    try:
        with engine.begin() as connection:
            for before in _artifact_folders(connection):
                if before.name == ARTIFACTS_FOLDER and _moved_together(database, before, now):
                    _replace(connection, before, now)
    finally:
        engine.dispose()


def _artifact_folders(connection: Connection) -> list[Path]:
    """Return the folders in which experiments keep the files of their runs."""
    if not inspect(connection).has_table("experiments"):
        return []
    locations = connection.execute(text("SELECT DISTINCT artifact_location FROM experiments"))
    places = [urlsplit(location or "") for (location,) in locations.all()]
    return [Path(unquote(place.path)) for place in places if place.scheme in ("", "file")]


def _moved_together(database: Path, before: Path, now: Path) -> bool:
    """Tell whether the files lay next to the database before it was moved, or copied, here."""
    if before == now or not before.exists():
        return before != now
    return (before.parent / database.name).exists() and not before.samefile(now)


def _replace(connection: Connection, before: Path, now: Path) -> None:
    for table, column in _COLUMNS:
        places = connection.execute(
            text(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
        )
        for (place,) in places.all():
            moved = replace_folder(place, before, now)
            if moved != place:
                connection.execute(
                    text(f"UPDATE {table} SET {column} = :moved WHERE {column} = :place"),
                    {"moved": moved, "place": place},
                )
