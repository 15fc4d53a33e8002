"""Whether two networks find the same images probable (arXiv 2506.05310)."""
