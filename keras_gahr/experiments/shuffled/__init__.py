"""Shuffled faces: figure 21."""
