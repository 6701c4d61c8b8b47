"""Hides the options of `imgpipe` from libraries that read the command line of the process.

Reason: TFX and Beam take `sys.argv` for options of their own: --workspace or --json may become one
of theirs, or an error.
Upstream: tfx/dsl/components/base/base_beam_executor.py (`flags.FLAGS(sys.argv + ...)`) and
tfx/orchestration/portable/python_executor_operator.py (`extra_flags`), read in TFX 1.16 and 1.21;
apache_beam/options/pipeline_options.py (`PipelineOptions()` without flags), read in Beam 2.74 and
2.77.
Since: imgpipe 0.1.0.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_options() -> Iterator[None]:
    """Let `sys.argv` hold the name of the program alone while the block runs."""
    argv = sys.argv
    sys.argv = argv[:1]
    try:
        yield
    finally:
        sys.argv = argv
