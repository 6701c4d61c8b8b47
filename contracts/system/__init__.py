"""Files, memory, progress and errors: what every folder needs of the machine."""
