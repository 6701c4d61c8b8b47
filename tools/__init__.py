"""What developers run: the environment, the documentation, the tests on another system."""
