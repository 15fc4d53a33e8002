"""Measurements as a table."""

from rich import box
from rich.table import Table


def table(rows, title, with_rates=False):
    """A rich table of the rows of one case, as the JSON file has them.

    Args:
        rows: dictionaries, one for each way.
        title: above it.
        with_rates: whether to show how much is computed in a second.
    """
    made = Table(
        title=title,
        title_justify="left",
        title_style="",
        caption_justify="left",
        caption_style="",
        box=box.SIMPLE_HEAD,
    )
    made.add_column("way", no_wrap=True)
    for name in ("time", "spread", "ratio", "to plain"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("target", no_wrap=True)
    last = {"units/s": _units, "TFLOP/s": _rate, "share": _share} if with_rates else {}
    if any("memory" in row for row in rows):
        last["memory"] = _memory
    for name in last:
        made.add_column(name, justify="right", no_wrap=True)
    rivals = {row["against"] for row in rows if "against" in row}
    for row in rows:
        if "unable" in row:
            made.add_row(row["way"], "-")
            continue
        low, high = row["spread"]
        made.add_row(
            row["way"],
            seconds(row["median"]),
            f"{(high - low) / row['median']:.0%}",
            "best" if row["way"] in rivals else f"{row['ratio']:.3g}",
            f"{row['plain_ratio']:.3g}",
            "\n".join(map(_verdict, row["targets"])),
            *(cell(row) for cell in last.values()),
        )
    reasons = [f"{row['way']}: {row['unable']}" for row in rows if "unable" in row]
    made.caption = "\n".join(reasons) or None
    return made


def seconds(value):
    """A time with three digits and its unit."""
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}" if value < 1000 else f"{value:.0f} s"
    return f"{value * 1e6:.3g} us"


def _verdict(verdict):
    limit = verdict["limit"]
    shown = {
        "time": f"{limit:.3g}",
        "time on the fastest backend": f"fastest {limit:.3g}",
        "time of the plain way on the fastest backend": f"to plain {limit:.3g}",
        "memory": f"memory {limit:.3g}",
        "seconds": f"{limit:.3g} s",
        "share": f"share {limit:.0%}",
    }[verdict["target"]]
    if verdict["reached"]:
        return f"{shown} pass"
    # One backend cannot miss what any of them may reach.
    return f"{shown} {'not here' if 'fastest' in verdict['target'] else 'MISS'}"


def _units(row):
    return f"{1 / row['median']:.4g}"


def _rate(row):
    return f"{row['flops'] / 1e12:.3g}" if "flops" in row else ""


def _share(row):
    return f"{row['share']:.0%}" if "share" in row else ""


def _memory(row):
    return f"{row['memory'] / 1e6:,.0f} MB" if "memory" in row else ""
