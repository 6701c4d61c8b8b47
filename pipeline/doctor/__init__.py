"""What a machine has, what a run with a config will use of it, and what is in its way."""
