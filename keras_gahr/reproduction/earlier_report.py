"""The report that an experiment left in a workspace earlier."""

import json

from keras_gahr.errors import InputError
from keras_gahr.json_file import json_text, read_json
from keras_gahr.report.page import check_report_output


def check_earlier_report(folder, name, settings, overwrite=False):
    """Refuses to replace a report that says something else than a new one would.

    Args:
        folder: of the report, which need not exist.
        name: of the experiment.
        settings: those of the new report, with its scale and, by name, its trainings.
        overwrite: whether a report of other settings is replaced, too.

    Raises:
        InputError: if the report there is of another experiment, scale, settings or trainings, or
            cannot be read, or if the folder holds more than a report.
    """
    folder = check_report_output(folder, overwrite=True)
    if overwrite or not folder.exists():
        return
    found = _difference(folder, name, json.loads(json_text(settings)))
    if found:
        raise InputError(
            f"{folder} holds a report {found}: pass --overwrite to replace it, or another --out"
        )


def _difference(folder, name, settings):
    """What an earlier report has that one of these settings has not; None if they are equal."""
    try:
        content = read_json(folder / "numbers.json")
        earlier = dict(content["settings"])
        trainings = set(earlier.pop("trainings", ()))
        earlier_name = content["name"]
    except (ValueError, LookupError, TypeError):
        return "that cannot be read"
    if earlier_name != name:
        return f"of {json.dumps(earlier_name)}"
    if earlier.get("scale") != settings["scale"]:
        return f"of scale {earlier.get('scale')}"
    for field, value in settings.items():
        if field != "trainings" and (field not in earlier or earlier[field] != value):
            was = json.dumps(earlier[field]) if field in earlier else "unknown"
            return f"with {field} {was}, not {json.dumps(value)}"
    if trainings != set(settings["trainings"]):
        return "of other trainings"
    return None
