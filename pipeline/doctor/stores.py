"""Asks MLflow at the address in the config."""

import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from contracts.config.mlflow_uri import sqlite_file
from pipeline.doctor.findings import Finding, problem

TIMEOUT_S = 5.0


def mlflow_finding(uri: str | None, workspace_db: Path) -> Finding:
    """Return whether MLflow's store can be reached; a SQLite file is made by the first run."""
    name = "mlflow"
    if uri is None:
        is_there = "" if workspace_db.exists() else ", which the first run makes"
        return Finding(name, f"SQLite, {workspace_db}{is_there}")
    file = sqlite_file(uri)
    if file is not None:
        if file.parent.is_dir():
            return Finding(name, uri)
        return problem(
            name, f"{uri}: there is no folder {file.parent}", "Make it, or change the uri."
        )
    if not uri.startswith(("http://", "https://")):
        return Finding(name, f"{without_password(uri)} (not asked)")
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=TIMEOUT_S):
            return Finding(name, f"{without_password(uri)} answers")
    except urllib.error.HTTPError as error:
        # The server is there, with another path or a login.
        if error.code < 500:
            return Finding(name, f"{without_password(uri)} answers ({error.code})")
        why = f"answers with {error.code}"
    except (OSError, ValueError) as error:
        why = f"does not answer ({getattr(error, 'reason', error)})"
    step = "Start it, correct tracking.mlflow.uri, or set it to null for SQLite in the workspace."
    return problem(name, f"{without_password(uri)} {why}", step)


def without_password(uri: str) -> str:
    """Return the address without user and password."""
    parts = urllib.parse.urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return parts._replace(netloc=f"***@{parts.netloc.rpartition('@')[2]}").geturl()
