"""The model card, as a part of the report."""

import base64
import json
from pathlib import Path
from typing import Any

from contracts.artifacts.training_record import CARD_FILE, CARD_FOLDER, DIAGRAM_FILE, NO_CARD_FILE


def read_card(model_run: Path) -> dict[str, Any] | None:
    """Return the card in a ModelRun artifact with its diagram as a data URI; None without a card.

    For a model that cannot be described it is {"reason": why}.
    """
    folder = model_run / CARD_FOLDER
    if (folder / NO_CARD_FILE).is_file():
        return {"reason": (folder / NO_CARD_FILE).read_text(encoding="utf-8")}
    if not (folder / CARD_FILE).is_file():
        return None
    card: dict[str, Any] = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    diagram = base64.b64encode((folder / DIAGRAM_FILE).read_bytes()).decode("ascii")
    return card | {"diagram": f"data:image/svg+xml;base64,{diagram}"}
