"""The section `trainer`, and the models with their options."""
