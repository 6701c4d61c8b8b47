"""`data.leave_out`: the reason of its skipped entries, and how the key is written."""

import math
from collections.abc import Sequence
from typing import Final

import yaml

from contracts.system.errors import EXAMPLES_SHOWN

# Reason and detail of an entry that is skipped by its label or its folder.
LEFT_OUT: Final = ("label_left_out", "its label or folder is one of data.leave_out")


def leave_out_key(names: Sequence[str]) -> str:
    """Return the key that leaves labels or folders out, as it is written in pipeline.yaml."""
    shown = list(names[:EXAMPLES_SHOWN])
    written = yaml.safe_dump(shown, default_flow_style=True, allow_unicode=True, width=math.inf)
    rest = ", ..." if len(names) > EXAMPLES_SHOWN else ""
    return f"data.leave_out: {written.strip().removesuffix(']')}{rest}]"
