"""The DAG: which component reads whose outputs. Wiring only."""

from dataclasses import dataclass

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.schema_gen.component import SchemaGen
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import trainer_pb2
from tfx.types import BaseChannel
from tfx.types.channel_utils import get_individual_channels, union

from components.augmenter.component import Augmenter
from components.champion_resolver.component import ChampionResolver
from components.image_example_gen.component import ImageExampleGen
from components.image_transform.component import ImageTransform
from components.image_validator.component import ImageValidator
from components.model_evaluator.component import ModelEvaluator
from components.model_gate.component import ModelGate
from components.model_pusher.component import ModelPusher
from contracts.artifacts import features
from contracts.cache_key.code_digest import code_digest
from contracts.cache_key.training_digest import training_digest
from contracts.config.beam import BeamConfig
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.tracking import TrackingPlan, TrackingStore
from contracts.config.variation import training_recipe
from pipeline.summary import TUNER

# The name that Beam's own default tries Prism under, and a download of it, is not this one.
BEAM_RUNNERS = {"direct": "apache_beam.runners.portability.fn_api_runner.FnApiRunner"}

# Who does not run before, nor after a refusal of, a component whose outputs it does not read: a
# changed threshold of the validation trains nothing anew.
WAITS_FOR = {"Trainer": "ImageValidator", TUNER: "ImageValidator"}

TRAINER_ENTRYPOINT = "trainer.entrypoint"

FEATURE_TYPES = {bytes: schema_pb2.BYTES, int: schema_pb2.INT, float: schema_pb2.FLOAT}


@dataclass(frozen=True)
class Surroundings:
    """What the DAG needs to know besides the config."""

    pipeline_root: str
    metadata_db: str
    serving: str  # folder of the model's versions
    tracking: TrackingPlan
    checkpoints: str  # folder of trainings that are not done
    data_listing: str
    champion: str  # identity, empty: none
    accepted_statistics: str = ""  # of the last accepted data, other than this; empty: none
    curated_schema: str | None = None
    searches: str = ""  # the folder in which a killed search is found again
    config_folder: str = ""  # what paths in the config are relative to

    @property
    def store(self) -> TrackingStore:
        """Where models are registered."""
        return self.tracking.store


def build_pipeline(config: PipelineConfig, around: Surroundings, to: str | None = None) -> Pipeline:
    """Return the pipeline, whole or up to and with the component `to`."""
    components = build_components(config, around)
    if to == TUNER:
        components.append(_tuner(components, config, around))
    if to is not None:
        components = up_to(components, to)
    by_id = {component.id: component for component in components}
    for waiting, awaited in WAITS_FOR.items():
        if waiting in by_id:
            by_id[waiting].add_upstream_node(by_id[awaited])
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=around.pipeline_root,
        components=components,
        enable_cache=True,
        metadata_connection_config=sqlite_metadata_connection_config(around.metadata_db),
        beam_pipeline_args=beam_arguments(config.beam),
    )


def build_components(config: PipelineConfig, around: Surroundings) -> list[BaseNode]:
    """Return every component, in an order in which they can run."""
    examples = ImageExampleGen(config.data, config.beam, around.data_listing)
    statistics = StatisticsGen(
        examples=examples.outputs["examples"],
        # The schema says no more than what is read: the bytes of the images become no column.
        stats_options=tfdv.StatsOptions(
            schema=_derived_features(), experimental_filter_read_paths=True
        ),
    )
    schema = _schema(statistics, around.curated_schema)
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    images = ImageValidator(
        inputs={
            "examples": examples.outputs["examples"],
            "manifest": examples.outputs["manifest"],
            "statistics": statistics.outputs["statistics"],
            "schema": schema.outputs["schema"],
            "anomalies": validator.outputs["anomalies"],
        },
        validation=config.validation,
        beam=config.beam,
        accepted_statistics=around.accepted_statistics,
        seed=config.seed,
    )
    transform = ImageTransform(examples.outputs["examples"], config.preprocessing)
    transformed = transform.outputs["transformed_examples"]
    augmenter = Augmenter(transformed, config.augmentation, config.seed)
    training = transformed
    if config.augmentation.materialise.min_examples:
        training = union([transformed, augmenter.outputs["augmented_examples"]])
    trainer = _trainer(training, config, around)
    champion = ChampionResolver(around.store, around.serving, around.champion)
    evaluator = ModelEvaluator(
        examples=examples.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=champion.outputs["baseline_model"],
    )
    gate = ModelGate(evaluator.outputs["evaluation"], trainer.outputs["model"], config.evaluation)
    pusher = ModelPusher(
        inputs={
            "model": trainer.outputs["model"],
            "model_run": trainer.outputs["model_run"],
            "manifest": examples.outputs["manifest"],
            "evaluation": evaluator.outputs["evaluation"],
            "blessing": gate.outputs["blessing"],
        },
        destination=around.serving,
        store=around.store,
        config=config,
    )
    return [
        examples,
        statistics,
        schema,
        validator,
        images,
        transform,
        augmenter,
        trainer,
        champion,
        evaluator,
        gate,
        pusher,
    ]


def up_to(components: list[BaseNode], last: str) -> list[BaseNode]:
    """Return the component named `last` and everything that it depends on, in order."""
    by_id = {component.id: component for component in components}
    wanted, queue = set(), [last]
    while queue:
        name = queue.pop()
        wanted.add(name)
        inputs = by_id[name].inputs.values()
        each = [channel for some in inputs for channel in get_individual_channels(some)]
        queue += [channel.producer_component_id for channel in each]
        queue += [WAITS_FOR[name]] if name in WAITS_FOR else []
    return [component for component in components if component.id in wanted]


def beam_arguments(config: BeamConfig) -> list[str]:
    """Return the pipeline options that every Beam component runs with."""
    # With a container image named TFX does not build a package of itself for every component,
    # which takes a second; workers in this process need neither.
    return [f"--runner={BEAM_RUNNERS[config.runner]}", "--sdk_container_image=none"]


def _derived_features() -> schema_pb2.Schema:
    return schema_pb2.Schema(
        feature=[
            schema_pb2.Feature(name=name, type=FEATURE_TYPES[kind])
            for name, kind in features.DERIVED.items()
        ]
    )


def _schema(statistics: StatisticsGen, curated: str | None) -> BaseNode:
    if curated is not None:
        return ImportSchemaGen(schema_file=curated).with_id(SchemaGen.__name__)
    # What the training split holds is what the other splits are measured against.
    return SchemaGen(
        statistics=statistics.outputs["statistics"],
        infer_feature_shape=True,
        exclude_splits=[features.VALIDATION, features.TEST],
    )


def _tuner(components: list[BaseNode], config: PipelineConfig, around: Surroundings) -> BaseNode:
    from components.tuner.component import Tuner  # KerasTuner takes a second that no run needs

    trainer = next(one for one in components if isinstance(one, Trainer))
    examples = trainer.inputs["examples"]
    store = around.tracking.runs_store
    return Tuner(examples, config, store, around.searches, around.config_folder)


def _trainer(examples: BaseChannel, config: PipelineConfig, around: Surroundings) -> Trainer:
    recipe = training_recipe(config)
    return Trainer(
        run_fn=f"{TRAINER_ENTRYPOINT}.run_fn",
        examples=examples,
        train_args=trainer_pb2.TrainArgs(splits=[features.TRAIN]),
        eval_args=trainer_pb2.EvalArgs(splits=[features.VALIDATION]),
        custom_config={
            "recipe": recipe.model_dump_json(),
            "tracking": around.tracking.model_dump_json(),
            "explanation": config.explanation.model_dump_json(),
            "checkpoints": around.checkpoints,
            "code_digest": code_digest(TRAINER_ENTRYPOINT),
            "training_digest": training_digest(recipe),
        },
    )
