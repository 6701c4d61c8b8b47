"""The Tuner component: TFX's own, with the best values as YAML in its artifact."""

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
        """Take the training examples and the config.

        Args:
          examples: transformed examples, in union with augmented copies where there are any.
          config: of the trainings and of the search.
          store: where MLflow records the trials; None: nowhere.
          kept: the folder from which a killed search goes on.
          config_folder: paths in best.yaml are relative to it; "": they are absolute.
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
