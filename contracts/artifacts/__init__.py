"""What lies inside each artifact: a module a format, its writer and its reader together."""
