"""Names of files of figures."""

FORMATS = ("png", "pdf", "svg")
"""What a figure may be written as."""


def figure_files(*stems):
    """All names that figures with these stems may have, whatever their format."""
    return tuple(f"{stem}.{ending}" for stem in stems for ending in FORMATS)
