"""Choices by measurement: what is taken, what is kept, and that results stay."""

import json

import keras
import numpy as np
import pytest
import tolerances
from networks import relative_difference, with_unit_gammas

from keras_gahr import BFCNN, InputError, UNet
from keras_gahr._backend.convolution import PREPARES_KERNELS, choice, choices_file, winograd
from keras_gahr._backend.convolution.choices_file import Choice, ChoicesFile, machine_file
from keras_gahr.denoisers import Inference
from keras_gahr.files import locked

WAYS = list(winograd.WAYS)


@pytest.fixture(autouse=True)
def measured(monkeypatch, tmp_path):
    """An empty cache, whose choices are measured."""
    monkeypatch.setattr(choice, "_decided", {})
    monkeypatch.setenv(choice.VARIABLE, "measured")
    monkeypatch.setenv("KERAS_GAHR_CACHE", str(tmp_path))


@pytest.fixture
def timed(monkeypatch):
    """A function of seconds that makes ways that take so long by a clock of their own.

    Of an iterator, one after the other. `timed.calls` has the names of what was computed.
    """
    now = [0.0]
    monkeypatch.setattr(choice.time, "perf_counter", lambda: now[0])

    def ways(**seconds):
        def prepare(name):
            def compute():
                ways.calls.append(name)
                taken = seconds[name]
                now[0] += taken if isinstance(taken, float) else next(taken)

            return compute

        return {name: lambda name=name: prepare(name) for name in seconds}

    ways.calls = []
    return ways


def again(*arguments):
    """As another process would ask."""
    choice._decided.clear()
    return choice.fastest(*arguments)


def test_the_fastest_is_taken_if_it_is_clearly_faster(timed):
    assert choice.fastest("q", timed(own=1.0, tiles=0.5), "own") == "tiles"
    assert choice.fastest("near", timed(own=1.0, tiles=0.96), "own") == "own"
    assert choice.fastest("near, unusual", timed(own=1.0, tiles=0.96), "tiles") == "own"


def test_what_takes_longer_than_what_was_measured(timed):
    """As for tiles that go beyond the ends of images; the times that were kept decide, for each anew."""
    ways = timed(own=1.0, tiles=0.5)
    chosen = [choice.fastest("q", ways, "own", {"tiles": by}) for by in (1, 1.8, 2.2)]
    assert chosen == ["tiles", "tiles", "own"]
    measured = len(timed.calls)
    assert again("q", ways, "own", {"tiles": 2.2}) == "own"
    assert again("q", ways, "own") == "tiles"
    assert len(timed.calls) == measured


def test_nothing_is_measured_where_nothing_can_be_computed(timed):
    ways, never = timed(own=1.0, tiles=0.5), lambda: False
    assert choice.fastest("q", ways, "own", may_measure=never) == "own"
    assert not timed.calls
    assert choice.fastest("q", ways, "own") == "tiles"
    assert choice.fastest("q", ways, "own", may_measure=never) == "tiles"


def test_a_way_may_say_its_own_seconds(timed):
    def telling(seconds):
        return lambda: lambda: seconds

    assert choice.fastest("q", {"own": telling(1.0), "other": telling(0.5)}, "own") == "other"


def test_a_choice_is_kept_and_not_measured_again(timed):
    first = choice.fastest("q", timed(own=1.0, tiles=0.5), "own")
    timed.calls.clear()
    assert again("q", timed(own=0.5, tiles=1.0), "own") == first == "tiles"
    assert not timed.calls
    kept = json.loads(machine_file().path.read_text())
    assert kept["choices"]["q"] == {"way": "tiles", "milliseconds": {"own": 1000, "tiles": 500}}
    assert keras.backend.backend() in kept["machine"]


def test_ways_are_timed_until_their_times_agree(timed):
    """In turns, once to compile; a busy moment is not taken for what a way takes."""
    busy = iter([9.0, 0.02, 0.09, 0.05, 0.02])
    assert choice.fastest("q", timed(own=0.04, tiles=busy), "own") == "tiles"
    assert timed.calls == ["own", "tiles"] * 5


def test_ways_that_never_agree_take_a_second(timed):
    choice.fastest("q", timed(own=0.1, tiles=iter(0.1 * 2.0**n for n in range(99))), "own")
    assert timed.calls == ["own", "tiles"] * 4
    timed.calls.clear()
    choice.fastest("slow", timed(own=10.0, tiles=5.0), "own")
    assert timed.calls == ["own", "tiles"] * 3


def test_nothing_is_measured_if_the_usual_is_asked_for(timed, monkeypatch):
    monkeypatch.setenv(choice.VARIABLE, "usual")
    assert choice.fastest("q", timed(own=1.0, tiles=0.5), "own") == "own"
    assert not timed.calls
    assert not machine_file().path.exists()


def test_choices_of_another_machine(timed, monkeypatch, tmp_path):
    """A file that is named is followed, and not written; what it does not say is as usual."""
    path = tmp_path / "choices.json"
    path.write_text('{"choices": {"q": {"way": "tiles"}, "odd": {"way": ["?"]}, "odder": 3}}')
    before = path.read_bytes()
    monkeypatch.setenv(choice.VARIABLE, str(path))
    ways = timed(own=0.5, tiles=1.0)
    chosen = [choice.fastest(question, ways, "own") for question in ("q", "other", "odd", "odder")]
    assert chosen == ["tiles", "own", "own", "own"]
    assert not timed.calls
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "times",
    [
        "{}",
        '{"own": 1}',
        '{"own": 0, "tiles": 1}',
        "[]",
        '{"own": ""}',
        # No float is as large.
        f'{{"own": 1, "tiles": 1{"0" * 400}}}',
    ],
)
def test_times_that_are_none(timed, times):
    """Then the way that is named counts."""
    path = machine_file().path
    path.parent.mkdir()
    path.write_text(f'{{"choices": {{"q": {{"way": "tiles", "milliseconds": {times}}}}}}}')
    ways = timed(own=0.5, tiles=1.0)
    assert choice.fastest("q", ways, "own", {"tiles": 9.0}) == "tiles"
    assert not timed.calls


@pytest.mark.parametrize("content", [None, "", "[]", '{"choices": 1}', "{" * 1000])
def test_a_named_file_that_is_none(timed, monkeypatch, tmp_path, content):
    path = tmp_path / "choices.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(choice.VARIABLE, str(path))
    with pytest.raises(InputError, match=r"choices\.json"):
        choice.fastest("q", timed(own=1.0, tiles=0.5), "own")


@pytest.mark.parametrize(
    "content", ["", "[]", '{"choices": 1}', '{"choices": {"q": {"way": "?"}}}', " " * 2**21]
)
def test_a_kept_file_that_is_broken_is_measured_again(timed, content):
    path = machine_file().path
    path.parent.mkdir()
    path.write_text(content)
    assert choice.fastest("q", timed(own=1.0, tiles=0.5), "own") == "tiles"
    assert again("q", timed(own=0.5, tiles=1.0), "own") == "tiles"


@pytest.mark.parametrize("at", ["choices", "."])
def test_where_nothing_can_be_written_it_is_measured_each_time(timed, monkeypatch, tmp_path, at):
    (tmp_path / "file").write_text("")
    if at == ".":
        monkeypatch.setenv("KERAS_GAHR_CACHE", str(tmp_path / "file" / "cache"))
    else:
        (tmp_path / "choices").write_text("")
    assert choice.fastest("q", timed(own=1.0, tiles=0.5), "own") == "tiles"
    assert again("q", timed(own=0.5, tiles=1.0), "own") == "own"


def test_a_user_without_a_home(timed, monkeypatch):
    monkeypatch.setattr(choice, "machine_file", lambda: None)
    assert choice.fastest("q", timed(own=1.0, tiles=0.5), "own") == "tiles"


def test_of_several_processes_the_first_decides(tmp_path):
    path = tmp_path / "choices" / "m.json"
    seconds = {"own": 1.0, "tiles": 0.5}
    kept = [ChoicesFile(path).keep("q", Choice(way, seconds)) for way in ("own", "tiles", "tiles")]
    assert [choice.way for choice in kept] == ["own"] * 3


def test_a_choice_waits_for_another_process_and_then_does_without(monkeypatch, tmp_path):
    waits = []
    monkeypatch.setattr(choices_file.time, "sleep", waits.append)
    path = tmp_path / "m.json"
    with locked(tmp_path):
        choice = Choice("own", {"own": 1.0})
        assert ChoicesFile(path).keep("q", choice) == choice
    assert waits
    assert not path.exists()


def test_other_threads_and_limits_are_another_machine(monkeypatch):
    first = machine_file().path
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "another")
    second = machine_file().path
    monkeypatch.setattr(choices_file._backend, "threads", lambda: 77)
    assert len({first, second, machine_file().path}) == 3
    assert first.parent == machine_file().path.parent


def test_a_network_is_measured():
    """With as many channels as it takes; a narrow one is not."""
    noisy = np.zeros((1, 10, 10, 1), np.float32)
    Inference(UNet(num_blocks=1, num_kernels=8, seed=0)).residual(noisy)
    assert not machine_file().path.exists()
    Inference(BFCNN(num_layers=3, num_kernels=32, seed=0)).residual(noisy)
    choices = json.loads(machine_file().path.read_text())["choices"]
    (question,) = (question for question in choices if "layout" not in question)
    assert "32 to 32" in question
    assert list(choices[question]["milliseconds"]) == WAYS
    assert all(time > 0 for time in choices[question]["milliseconds"].values())


@pytest.mark.parametrize("way", WAYS)
def test_whatever_is_chosen_results_stay(monkeypatch, tmp_path, way):
    denoiser = with_unit_gammas(BFCNN(num_layers=4, num_kernels=32, seed=0))
    noisy = np.random.default_rng(0).random((2, 9, 10, 1), np.float32)
    expected = denoiser.predict_on_batch(noisy)
    path = tmp_path / "choices.json"
    side = winograd.measured_side(32, 32, noisy[..., 0].size if PREPARES_KERNELS else None)
    question = f"3x3 kernels, 32 to 32 channels, {side}x{side} pixels"
    path.write_text(json.dumps({"choices": {question: {"way": way}}}))
    monkeypatch.setenv(choice.VARIABLE, str(path))
    sides, tile_side = set(), winograd.tile_side

    def recorded(*arguments):
        sides.add(tile_side(*arguments))
        return tile_side(*arguments)

    monkeypatch.setattr(winograd, "tile_side", recorded)
    found = Inference(denoiser).residual(noisy)
    assert winograd.WAYS[way] in sides
    assert relative_difference(found, expected) < tolerances.OUTPUT


@pytest.mark.parametrize(
    ("pixels", "side"), [(1, 4), (31, 4), (33, 8), (1600, 32), (5000, 64), (10**6, 64)]
)
def test_images_of_which_sizes_are_measured(pixels, side):
    """The nearest in pixels, of which each has four times as many as the one before."""
    assert winograd.measured_side(64, 64, pixels) == side
