"""Looks at the machine: what it has, what a run will use of it, and the problems."""
