"""What is changed in libraries and in the process while components run: a module a change."""
