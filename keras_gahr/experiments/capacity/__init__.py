"""Image and network sizes: figure 15."""
