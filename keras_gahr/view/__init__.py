"""Results on disk as pages of a server on this machine, read without Keras."""
