"""Addresses of MLflow's stores: servers, databases, and SQLite files as SQLAlchemy writes them."""

from functools import cache
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

SQLITE: Final = "sqlite:///"
IN_MEMORY: Final = ":memory:"

SERVERS: Final = ("http", "https")
DATABASES: Final = ("postgresql", "mysql", "mssql")  # the driver may follow: mysql+pymysql
DATABRICKS: Final = ("databricks", "databricks-uc", "uc")

EXPECTED: Final = (
    "expected a server such as http://mlflow:5000, a database such as "
    "postgresql://mlflow@host/runs, or a SQLite file such as sqlite:///mlflow.db"
)


def sqlite_uri(file: Path) -> str:
    """Return the address of a SQLite file; SQLAlchemy takes all of it but ? and % literally."""
    return SQLITE + (str(file).replace("%", "%25") if _decodes_percent() else str(file))


def sqlite_file(uri: str) -> Path | None:
    """Return the file of an address that `sqlite_uri` gives; None of any other."""
    if not uri.startswith(SQLITE):
        return None
    path = uri.removeprefix(SQLITE)
    return Path(unquote(path) if _decodes_percent() else path)


@cache
def _decodes_percent() -> bool:
    """Tell whether SQLAlchemy decodes %20 in the path of a database: it does from 2.1 on."""
    major, minor = version("sqlalchemy").split(".")[:2]
    return (int(major), int(minor)) >= (2, 1)


def uri_trouble(uri: str) -> str:
    """Return what is wrong with an address, "" where nothing is. No server is asked."""
    received = f"received {uri!r}"
    file = sqlite_file(uri)
    if file is not None:
        if file.name in ("", IN_MEMORY):
            return f"{EXPECTED}, {received}, which names no file."
        if "?" in uri:
            return f"expected a SQLite file without ? in its path, {received}. Name another."
        return ""
    scheme, _, place = uri.partition(":")
    scheme = scheme.partition("+")[0]
    if scheme not in (*SERVERS, *DATABASES):
        is_known = scheme in DATABRICKS or scheme in _plugins()
        return "" if is_known else f"{EXPECTED}, {received}. null: a SQLite file in the workspace."
    try:
        parts = urlsplit(uri)
        is_whole = place.startswith("//") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        is_whole = False
    return "" if is_whole else f"{EXPECTED}, {received}, which has no host, or a wrong port."


def _plugins() -> list[str]:
    """Return the schemes that installed plugins of MLflow bring."""
    return [plugin.name for plugin in entry_points(group="mlflow.tracking_store")]
