"""Denoisers that come with the package, each a .keras file and a card; of Keras nothing is known here."""
