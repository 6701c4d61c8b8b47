"""Imports TensorFlow, TFX and similar libraries in half of the time (docs/adr/0009).

Much of the time goes into libraries that other components and other machines need: Kubernetes,
notebooks, plotting, cloud storage. These are deferred. A deferred module runs its code at the first
access to something in it. Its submodules can be imported before that, and an `except ImportError`
around it still works where the module is not installed.

The rest of the time goes into the garbage collector: it looks again and again at half a million
objects that all stay.
"""

import gc
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

DEFERRED = frozenset(
    {
        "tfx.components",  # imports each of TFX's components
        "tensorflow_model_analysis",  # only in the signatures of components that are not used
        "google.cloud.bigquery",
        "google.cloud.bigquery_storage_v1",
        "google.cloud.pubsub",
        "googleapiclient.discovery",  # TensorFlow's discovery of cloud machines
        "IPython",
        "ipywidgets",
        "matplotlib.patches",
        "matplotlib.pyplot",
        "mlflow.gateway",
    }
)


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import quickly in the block; the modules of DEFERRED stay deferred after it."""
    if not any(isinstance(finder, _DeferringFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _DeferringFinder())
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # later collections leave these objects out
        gc.enable()


class _DeferringFinder(MetaPathFinder):
    """Finds the modules of DEFERRED, and lets them be loaded later."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in DEFERRED:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _DeferringLoader(spec.loader)
        return spec


class _DeferringLoader(Loader):
    """Makes a module that runs its code at the first access."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__class__ = _DeferredModule


class _DeferredModule(ModuleType):
    """A module that has not run its code yet."""

    def __getattr__(self, name: str) -> Any:
        """Return a submodule, or run the module's code and look again.

        Called only for names that the module does not have yet.
        """
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        submodule = f"{self.__name__}.{name}"
        if hasattr(self, "__path__") and importlib.util.find_spec(submodule):
            return importlib.import_module(submodule)
        spec = self.__spec__
        assert spec is not None and isinstance(spec.loader, _DeferringLoader)
        module: ModuleType = self
        module.__class__ = ModuleType
        try:
            spec.loader.loader.exec_module(module)
        except BaseException:  # such as a deadlock with another thread's imports
            module.__class__ = _DeferredModule
            raise
        return getattr(self, name)
