"""Documents of figures, claims and numbers, as HTML, Markdown and JSON."""
