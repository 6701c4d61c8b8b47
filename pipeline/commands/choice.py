"""Options that take one of a few names."""

import difflib
from collections.abc import Sequence

from contracts.system.errors import InputError


def require_choice(option: str, received: str | None, known: Sequence[str]) -> None:
    """Return if the option is not given, or has a name that is known.

    Raises:
      InputError: the name is unknown; the sentence names those that are known.
    """
    if received is None or received in known:
        return
    near = difflib.get_close_matches(received, known, n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    raise InputError(f"{option}: expected one of {', '.join(known)}, received {received!r}.{guess}")
