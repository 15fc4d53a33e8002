"""Repeated images: figure 6."""
