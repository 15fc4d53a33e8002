"""The `gahr` command line: each file parses, calls and prints; Keras is imported inside the functions."""
