"""Where the sources of a module lie; nothing of it is imported."""

import importlib.util
from pathlib import Path


def module_file(module: str) -> Path | None:
    """Return the source of a module; None for a package without one.

    Raises:
      ModuleNotFoundError: there is no such module, or it has no source.
    """
    own = ("", "__init__.py")
    return next((path for place, path in module_sources(module) if place in own), None)


def module_sources(module: str) -> list[tuple[str, Path]]:
    """Return the source files of a module, each with its place inside it, in order of these.

    importlib looks up only the top package: for any other module it imports the packages above it.

    Raises:
      ModuleNotFoundError: there is no such module, or it has no source.
    """
    top, *below = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # it was not imported from a place, as __main__
        spec = None
    if spec is not None and spec.submodule_search_locations:
        places = [Path(folder, *below) for folder in spec.submodule_search_locations]
    elif spec is not None and spec.origin and spec.has_location and not below:
        places = [Path(spec.origin).with_suffix("")]
    else:
        places = []
    found = [("", file) for place in places if (file := place.with_suffix(".py")).is_file()]
    found += [
        (file.relative_to(place).as_posix(), file)
        for place in places
        for file in place.rglob("*.py")
    ]
    if not found:
        raise ModuleNotFoundError(f"{module}: expected a module with sources.", name=module)
    return sorted(found)
