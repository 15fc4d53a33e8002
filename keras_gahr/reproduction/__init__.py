"""The engine of experiments: from a plan to trainings and a report. It knows no figure."""
