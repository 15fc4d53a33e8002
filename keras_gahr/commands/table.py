"""Tables of text."""

import typer


def print_table(header, rows):
    """Prints rows of strings below a header, each column as wide as its widest entry."""
    table = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
