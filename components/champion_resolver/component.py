"""The ChampionResolver component."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.champion_resolver.executor import Executor
from contracts.cache_key.code_digest import code_digest
from contracts.config.tracking import TrackingStore

# Libraries that the baseline depends on, besides the registry.


class ChampionResolverSpec(ComponentSpec):
    """Reads the model registry; writes the champion."""

    PARAMETERS = {
        "store": ExecutionParameter(type=str),
        "serving": ExecutionParameter(type=str),
        "champion": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str),
    }
    INPUTS = {}
    OUTPUTS = {"baseline_model": ChannelParameter(type=standard_artifacts.Model)}


class ChampionResolver(BaseComponent):
    """Provides the champion as baseline; replaces TFX's Resolver, which Kubeflow refuses."""

    SPEC_CLASS = ChampionResolverSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(self, store: TrackingStore, serving: str, champion: str) -> None:
        """Take registry, serving folder, and the champion's identity at the start of the run.

        The identity is empty where there is no champion. It is part of the cache key: the component
        runs again only for another champion.
        """
        spec = ChampionResolverSpec(
            store=store.model_dump_json(),
            serving=serving,
            champion=champion,
            code_digest=code_digest(Executor.__module__),
            baseline_model=types.Channel(type=standard_artifacts.Model),
        )
        super().__init__(spec=spec)
