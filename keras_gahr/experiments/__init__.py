"""The paper's experiments: settings, run, numbers."""
