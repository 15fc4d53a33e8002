"""Bases at faces: figure 3."""
