"""The denoisers that come with the package."""
