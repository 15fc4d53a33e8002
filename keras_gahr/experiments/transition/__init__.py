"""From memorization to generalization: figures 1, 2 and 9 to 12."""
