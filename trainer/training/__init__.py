"""The training: its model, its callbacks, its phases and its checkpoints."""
