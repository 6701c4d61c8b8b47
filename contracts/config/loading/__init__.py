"""pipeline.yaml and `--set` -> PipelineConfig, with every problem by file, line and key."""
