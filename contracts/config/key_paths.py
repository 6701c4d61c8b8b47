"""Paths of keys in pipeline.yaml: `trainer.learning_rate` as its parts."""

KeyPath = tuple[str | int, ...]


def key_path(dotted_key: str) -> tuple[str, ...]:
    """Return the path of a key that is written with dots: `trainer.learning_rate`."""
    return tuple(dotted_key.split("."))


def dotted(path: KeyPath) -> str:
    """Return the path as it is written in sentences: `trainer.model_options.filters[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
