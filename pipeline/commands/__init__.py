"""One module a command of `imgpipe`; each is imported only when it is called."""
