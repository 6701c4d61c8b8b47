"""The model registry: MLflow, and the folder that a model server watches."""
