"""From how many points on networks are reproducible: mixtures of low-rank Gaussians of Zhang et al."""
