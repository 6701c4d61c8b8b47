"""The machines of a training, as TF_CONFIG lists them (tf.distribute.cluster_resolver)."""

import json
import os
from typing import Final

from contracts.system.errors import ConfigError

TF_CONFIG: Final = "TF_CONFIG"


EXAMPLE: Final = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
)
JOBS: Final = ("chief", "worker")
# Values of `trainer.devices` with which these machines train together.
CLUSTER_DEVICES: Final = ("auto", "multi_worker")
TRAINS_ALONE: Final = "`imgpipe` trains on this machine alone"
CLUSTER_NEXT_STEP: Final = (
    f"Train with `imgpipe-train` on each of them, or unset {TF_CONFIG}; trainer.devices: gpu, "
    "mirrored or cpu passes over it."
)


def cluster() -> tuple[list[str], int]:
    """Return the addresses of the workers that TF_CONFIG names, and which one this is.

    Raises:
      ConfigError: it is set to something else.
    """
    return parse_cluster(os.environ.get(TF_CONFIG))


def parse_cluster(text: str | None) -> tuple[list[str], int]:
    """Return what `cluster` returns, of the variable's value; no workers where it is not set."""
    if not text:
        return [], 0
    try:
        config = json.loads(text)
        workers = {job: config["cluster"].get(job, []) for job in JOBS}
        tasks = [(job, number) for job in JOBS for number in range(len(workers[job]))]
        index = tasks.index((config["task"]["type"], int(config["task"]["index"])))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{TF_CONFIG}: expected a cluster with workers and a task that stands in it, such as "
            f"{EXAMPLE}, received {text[:200]} ({error})."
        ) from error
    return [*workers["chief"], *workers["worker"]], index
