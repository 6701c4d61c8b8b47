"""Recipes: values for the template that suit one kind of task, a YAML file each."""
