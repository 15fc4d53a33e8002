"""What a command says of the files in a folder that it left out."""

from keras_gahr.names import printable

_MOST = 8
"""Names in a line."""


def describe_left_out(left_out):
    """One line with the number, names and reasons; of many the first ones.

    Args:
        left_out: pairs (name, reason), not empty.
    """
    shown = [f"{printable(name)} ({printable(reason)})" for name, reason in left_out[:_MOST]]
    more = f", and {len(left_out) - _MOST} more" if len(left_out) > _MOST else ""
    return f"{len(left_out)} left out: {', '.join(shown)}{more}"
