"""Environment variables and installed packages, before libraries are imported."""
