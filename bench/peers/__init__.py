"""The same workload without imgpipe; each module is a script with the same options."""
