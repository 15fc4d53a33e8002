"""What a command says of the files in a folder that it left out."""

_MOST = 8
"""Names in a line."""


def describe_left_out(left_out):
    """One line with the number, names and reasons; of many the first ones.

    Args:
        left_out: from names to reasons, not empty.
    """
    shown = [f"{name} ({reason})" for name, reason in list(left_out.items())[:_MOST]]
    more = f", and {len(left_out) - _MOST} more" if len(left_out) > _MOST else ""
    return f"{len(left_out)} left out: {', '.join(shown)}{more}"
