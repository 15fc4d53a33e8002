"""Trainings in the programs of others that follow runs: Weights & Biases, MLflow and Trackio."""
