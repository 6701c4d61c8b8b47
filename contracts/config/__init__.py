"""The sections of pipeline.yaml: their keys, types and limits."""
