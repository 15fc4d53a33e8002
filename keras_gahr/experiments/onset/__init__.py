"""When trainings generalize and when they begin to memorize: figures of Bonnaire et al."""
