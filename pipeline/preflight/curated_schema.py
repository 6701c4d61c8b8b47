"""The schema that `data.schema` names: read, checked and copied into the workspace."""

import hashlib
from pathlib import Path

from contracts.system.atomic_files import write_whole
from contracts.system.errors import ConfigError
from pipeline.workspace import Workspace


def read_schema(path: Path) -> str:
    """Return the text of a schema.

    Raises:
      ConfigError: the file cannot be read, or holds no schema of TensorFlow Metadata as text.
    """
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    try:
        text = path.read_text(encoding="utf-8")
        text_format.Parse(text, schema_pb2.Schema())
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise _refused(path, f"is no UTF-8 (byte {error.start})") from error
    except text_format.ParseError as error:
        raise _refused(path, f"is none ({str(error).partition(chr(10))[0]})") from error
    return text


def _refused(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"data.schema: expected a schema of TensorFlow Metadata as text (.pbtxt), received {path}, "
        f"which {why}. Correct it, or set null to have one inferred."
    )


def copy_schema(workspace: Workspace, path: Path | None) -> Path | None:
    """Copy a schema to a file that is named by its content, and return that file; None for none.

    TFX's cache key has only the name of the file: it would miss a change of the content.

    Raises:
      ConfigError: the file no longer holds a schema.
    """
    if path is None:
        return None
    text = read_schema(path)
    copy = workspace.curated_schema(hashlib.sha256(text.encode()).hexdigest())
    copy.parent.mkdir(exist_ok=True)
    write_whole(copy, text)
    return copy
