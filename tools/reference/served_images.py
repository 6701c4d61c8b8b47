"""Which images a model takes, as every model carries it."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "trainer/export/graph_decoding/serving_images.md"


def served_images_part() -> str:
    """Return the page beside a model, its headings one level lower, as Markdown."""
    return re.sub(r"^#", "##", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
