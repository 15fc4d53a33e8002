"""A Hub on this machine, which the real library asks over HTTP."""

import pytest
from hub_server import environment, serving_hub


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A `Hub`; the library reads its variables when it is imported, which others may have done."""
    constants = pytest.importorskip(
        "huggingface_hub.constants", reason="huggingface_hub is not installed: the extra `hub`"
    )
    with serving_hub() as served:
        for name, value in environment(served, tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        template = served.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield served
