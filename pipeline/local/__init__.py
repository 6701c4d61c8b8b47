"""The local runner: the DAG on this machine."""
