"""The Tuner component: TFX's own, whose artifact holds the best values as YAML too."""

from tfx import types
from tfx.components.tuner.component import Tuner as StockTuner
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.proto import trainer_pb2

from components.tuner.executor import Executor
from contracts.artifacts import features
from contracts.cache_key.code_digest import code_digest
from contracts.cache_key.training_digest import training_digest
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.rules.search_space import varied_configs
from contracts.config.tracking import TrackingStore
from contracts.config.variation import training_recipe

ENTRYPOINT = "trainer.search.entrypoint"
LIBRARIES = ("keras-tuner",)


class Tuner(StockTuner):
    """Searches `search.space` with trainings of the recipe.

    `best_hyperparameters` holds best.yaml beside TFX's own file, `tuner_results` trials.json.
    """

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel[types.Artifact],
        config: PipelineConfig,
        store: TrackingStore | None,
        kept: str = "",
        config_folder: str = "",
    ) -> None:
        """Take what is trained on, and the config.

        Args:
          examples: transformed ones, in union with changed copies where there are any.
          config: of the trainings and of the search.
          store: of MLflow's runs; None: it is told nothing.
          kept: a folder in which a killed search is found.
          config_folder: what paths in best.yaml are relative to; "": they are absolute.
        """
        configs = [config, *(one for _, one in varied_configs(config))]
        super().__init__(
            tuner_fn=f"{ENTRYPOINT}.tuner_fn",
            examples=examples,
            train_args=trainer_pb2.TrainArgs(splits=[features.TRAIN]),
            eval_args=trainer_pb2.EvalArgs(splits=[features.VALIDATION]),
            custom_config={
                "recipe": training_recipe(config).model_dump_json(),
                "search": config.search.model_dump_json(),
                "tracking": store.model_dump_json() if store else "",
                "kept": kept,
                "config_folder": config_folder,
                "code_digest": code_digest(ENTRYPOINT, LIBRARIES)
                + code_digest(Executor.__module__),
                "training_digest": training_digest(*map(training_recipe, configs)),
            },
        )
