"""Where MLflow's SQLite file says that the files of its runs lie, after the file has moved."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, create_engine, inspect, text

from contracts.mlflow_uri import sqlite_file
from contracts.moved_paths import replace_folder
from contracts.tracking import ARTIFACTS_FOLDER

# MLflow has no call that changes these (mlflow.store.tracking.dbmodels, model_registry.dbmodels).
_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def relocate_files(uri: str) -> None:
    """Let files of runs that imgpipe has put beside a SQLite file be found beside it again.

    Files that were put elsewhere stay where they are. So does everything that a server keeps.

    Raises:
      sqlalchemy.exc.SQLAlchemyError: the file is no database, or cannot be written.
    """
    database = sqlite_file(uri)
    if database is None or not database.is_file():
        return
    now = database.with_name(ARTIFACTS_FOLDER).absolute()
    engine = create_engine(uri)
    try:
        with engine.begin() as connection:
            for before in _artifact_folders(connection):
                if before.name == ARTIFACTS_FOLDER and _has_moved(before, now):
                    _replace(connection, before, now)
    finally:
        engine.dispose()


def _artifact_folders(connection: Connection) -> list[Path]:
    """Return where experiments keep the files of their runs; none where there are no tables yet."""
    if not inspect(connection).has_table("experiments"):
        return []
    locations = connection.execute(text("SELECT DISTINCT artifact_location FROM experiments"))
    return [Path(unquote(urlsplit(location or "").path)) for (location,) in locations.all()]


def _has_moved(before: Path, now: Path) -> bool:
    is_here = before.exists() and now.exists() and before.samefile(now)
    return before != now and not is_here


def _replace(connection: Connection, before: Path, now: Path) -> None:
    for table, column in _COLUMNS:
        places = connection.execute(
            text(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
        )
        for (place,) in places.all():
            moved = replace_folder(place, before, str(now))
            if moved != place:
                connection.execute(
                    text(f"UPDATE {table} SET {column} = :moved WHERE {column} = :place"),
                    {"moved": moved, "place": place},
                )
