"""The DAG: which component reads which outputs of which other one. Wiring only."""

from collections.abc import Mapping, Sequence

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
from tfx.types import Artifact, BaseChannel
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
from contracts.config.variation import training_recipe
from pipeline.component_ids import (
    AUGMENTER,
    IMAGE_EXAMPLE_GEN,
    IMAGE_TRANSFORM,
    SCHEMA_GEN,
    STARTS_AFTER,
    TUNER,
)
from pipeline.run_context import RunContext

# Beam's `DirectRunner` would first look for Prism and try to download it. This name does not.
BEAM_RUNNERS = {"direct": "apache_beam.runners.portability.fn_api_runner.FnApiRunner"}

TRAINER_ENTRYPOINT = "trainer.entrypoint"

FEATURE_TYPES = {bytes: schema_pb2.BYTES, int: schema_pb2.INT, float: schema_pb2.FLOAT}


def build_pipeline(config: PipelineConfig, context: RunContext, to: str | None = None) -> Pipeline:
    """Return the pipeline, whole or up to and with the component `to`."""
    components = build_components(config, context)
    if to == TUNER:
        components.append(_tuner(components, config, context))
    if to is not None:
        components = up_to(components, to)
    by_id = {component.id: component for component in components}
    for later, sooner in STARTS_AFTER.items():
        if later in by_id:
            by_id[later].add_upstream_node(by_id[sooner])
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=context.pipeline_root,
        components=components,
        enable_cache=True,
        metadata_connection_config=sqlite_metadata_connection_config(context.metadata_db),
        beam_pipeline_args=beam_arguments(config.beam),
    )


def build_components(config: PipelineConfig, context: RunContext) -> list[BaseNode]:
    """Return the components of a run, each after those whose outputs it reads."""
    data = _data_components(config, context)
    return [*data, *_model_components(data, config, context)]


def _data_components(config: PipelineConfig, context: RunContext) -> list[BaseNode]:
    """Return the components that make and check the training data."""
    examples = ImageExampleGen(
        config.data, config.beam, context.data_listing, context.prepared_ingestion
    )
    statistics = StatisticsGen(
        examples=examples.outputs["examples"],
        # Only the derived features are columns: the bytes of the images are not read.
        stats_options=tfdv.StatsOptions(
            schema=_derived_features(), experimental_filter_read_paths=True
        ),
    )
    schema = _schema(statistics, context.curated_schema)
    anomalies = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    images = ImageValidator(
        inputs={
            "examples": examples.outputs["examples"],
            "manifest": examples.outputs["manifest"],
            "statistics": statistics.outputs["statistics"],
            "schema": schema.outputs["schema"],
            "anomalies": anomalies.outputs["anomalies"],
        },
        validation=config.validation,
        beam=config.beam,
        accepted_statistics=context.accepted_statistics,
        seed=config.seed,
    )
    transform = ImageTransform(examples.outputs["examples"], config.preprocessing)
    augmenter = Augmenter(
        transform.outputs["transformed_examples"], config.augmentation, config.seed
    )
    return [examples, statistics, schema, anomalies, images, transform, augmenter]


def _model_components(
    data: Sequence[BaseNode], config: PipelineConfig, context: RunContext
) -> list[BaseNode]:
    """Return the components that train, judge and push a model."""
    by_id = {component.id: component for component in data}
    examples = by_id[IMAGE_EXAMPLE_GEN].outputs
    trainer = _trainer(_training_examples(by_id, config), config, context)
    champion = ChampionResolver(context.store, context.serving, context.champion)
    evaluator = ModelEvaluator(
        examples=examples["examples"],
        model=trainer.outputs["model"],
        baseline_model=champion.outputs["baseline_model"],
    )
    gate = ModelGate(evaluator.outputs["evaluation"], trainer.outputs["model"], config.evaluation)
    pusher = ModelPusher(
        inputs={
            "model": trainer.outputs["model"],
            "model_run": trainer.outputs["model_run"],
            "manifest": examples["manifest"],
            "evaluation": evaluator.outputs["evaluation"],
            "blessing": gate.outputs["blessing"],
        },
        destination=context.serving,
        store=context.store,
        config=config,
    )
    return [trainer, champion, evaluator, gate, pusher]


def _training_examples(
    by_id: Mapping[str, BaseNode], config: PipelineConfig
) -> BaseChannel[Artifact]:
    """Return the transformed images, with the changed copies where the config asks for some."""
    examples: BaseChannel[Artifact] = by_id[IMAGE_TRANSFORM].outputs["transformed_examples"]
    if config.augmentation.materialise.min_examples:
        examples = union([examples, by_id[AUGMENTER].outputs["augmented_examples"]])
    return examples


def up_to(components: list[BaseNode], last: str) -> list[BaseNode]:
    """Return the component named `last` and everything that it depends on, in order."""
    by_id = {component.id: component for component in components}
    wanted, queue = set(), [last]
    while queue:
        name = queue.pop()
        wanted.add(name)
        for channels in by_id[name].inputs.values():
            queue += [one.producer_component_id for one in get_individual_channels(channels)]
        queue += [STARTS_AFTER[name]] if name in STARTS_AFTER else []
    return [component for component in components if component.id in wanted]


def beam_arguments(config: BeamConfig) -> list[str]:
    """Return the pipeline options that every Beam component runs with."""
    # Where no container image is named, TFX builds a package of itself for every component, which
    # takes a second. Workers in this process need neither image nor package.
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
        imported: BaseNode = ImportSchemaGen(schema_file=curated).with_id(SCHEMA_GEN)
        return imported
    # ExampleValidator compares the other splits with the schema of the training split.
    return SchemaGen(
        statistics=statistics.outputs["statistics"],
        infer_feature_shape=True,
        exclude_splits=[features.VALIDATION, features.TEST],
    )


def _tuner(components: list[BaseNode], config: PipelineConfig, context: RunContext) -> BaseNode:
    from components.tuner.component import Tuner  # KerasTuner takes a second that no run needs

    trainer = next(one for one in components if isinstance(one, Trainer))
    examples = trainer.inputs["examples"]
    store = context.tracking.runs_store
    return Tuner(examples, config, store, context.searches, context.config_folder)


def _trainer(
    examples: BaseChannel[Artifact], config: PipelineConfig, context: RunContext
) -> Trainer:
    recipe = training_recipe(config)
    return Trainer(
        run_fn=f"{TRAINER_ENTRYPOINT}.run_fn",
        examples=examples,
        train_args=trainer_pb2.TrainArgs(splits=[features.TRAIN]),
        eval_args=trainer_pb2.EvalArgs(splits=[features.VALIDATION]),
        custom_config={
            "recipe": recipe.model_dump_json(),
            "tracking": context.tracking.model_dump_json(),
            "explanation": config.explanation.model_dump_json(),
            "checkpoints": context.checkpoints,
            "code_digest": code_digest(TRAINER_ENTRYPOINT),
            "training_digest": training_digest(recipe),
        },
    )
