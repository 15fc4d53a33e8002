"""Local machines and trained networks, from the same noise (arXiv 2412.20292)."""
