"""MkDocs hook: puts the parts of the reference that are made from the code into their pages.

A page holds the line `<!-- generated: NAME -->` where the part of that name belongs.
"""

import re
from typing import Any

from mkdocs.exceptions import PluginError

from tools.reference.commands import commands_part
from tools.reference.configuration import checks_part, configuration_part
from tools.reference.served_images import served_images_part

PARTS = {
    "commands": commands_part,
    "configuration": configuration_part,
    "checks": checks_part,
    "served_images": served_images_part,
}
_MARKER = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """Return a page's Markdown with its generated parts in place of their markers.

    Raises:
      PluginError: there is no part of that name.
    """

    def part(marker: re.Match[str]) -> str:
        if marker[1] not in PARTS:
            raise PluginError(
                f"{page.file.src_uri}: expected one of {', '.join(PARTS)} after `generated:`, "
                f"received {marker[1]}."
            )
        return PARTS[marker[1]]()

    return _MARKER.sub(part, markdown)
