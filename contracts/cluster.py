"""The machines of a training, as TensorFlow is told them (tf.distribute.cluster_resolver)."""

import json
import os
from typing import Final

from contracts.errors import ConfigError

TF_CONFIG: Final = "TF_CONFIG"


def cluster() -> tuple[list[str], int]:
    """Return the addresses of the workers that TF_CONFIG names, and which one this is.

    Raises:
      ConfigError: it is set to something else.
    """
    text = os.environ.get(TF_CONFIG)
    if not text:
        return [], 0
    try:
        config = json.loads(text)
        workers = [*config["cluster"].get("chief", ()), *config["cluster"].get("worker", ())]
        task = config["task"]
        after_chief = len(config["cluster"].get("chief", ())) if task["type"] == "worker" else 0
        index = after_chief + int(task["index"])
        workers[index]
        return workers, index
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ConfigError(
            f'{TF_CONFIG}: expected {{"cluster": {{"worker": [addresses]}}, "task": {{"type": '
            f'"worker", "index": 0}}}}, received {text[:200]} ({error}).'
        ) from error
