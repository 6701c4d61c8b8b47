"""The same work without imgpipe; each module is a script with the same options (peers.work)."""
