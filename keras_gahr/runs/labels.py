"""What the runs in a report are called."""


def sorted_runs(runs):
    """The `RunFacts` by their number of training images, if all say one and these differ."""
    sizes = [run.train_size for run in runs]
    if None in sizes or len(set(sizes)) == 1:
        return list(runs)
    return sorted(runs, key=lambda run: run.train_size)


def run_names(runs):
    """The names of their folders, or the paths where these are the same."""
    names = [run.path.name or str(run.path) for run in runs]
    return [
        name if names.count(name) == 1 else str(run.path)
        for name, run in zip(names, runs, strict=True)
    ]


class RunLabels:
    """What tells the runs from each other: the number of training images if it does, else names.

    Args:
        runs: a list of `RunFacts`.
        names: what `run_names` calls them.

    Attributes:
        name: what it is: "training images N" or "run".
        short: for a slider that says `name`.
        long: for a line or a column.
    """

    def __init__(self, runs, names):
        sizes = [run.train_size for run in runs]
        if None not in sizes and len(set(sizes)) == len(sizes):
            self.name = "training images N"
            self.short = [f"{size:,}" for size in sizes]
            self.long = [f"N = {size:,}" for size in sizes]
        else:
            self.name = "run"
            self.short = self.long = [
                name if size is None or len(set(sizes)) == 1 else f"{name} (N = {size:,})"
                for name, size in zip(names, sizes, strict=True)
            ]
