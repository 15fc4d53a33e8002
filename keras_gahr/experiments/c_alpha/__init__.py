"""C^alpha images: figures 4 and 16 to 18."""
