"""The operations of a functional model, one after the other, those of models in it among them."""

import dataclasses
import gc

import keras


@dataclasses.dataclass(frozen=True)
class Step:
    """One operation.

    Args:
        operation: a Keras layer or operation.
        arguments, options: what it is called with; symbolic tensors stand for tensors.
        results: the symbolic tensors that it returns, flat.
        idle: symbolic tensors, of any step, that no later one needs.
    """

    operation: keras.Operation
    arguments: tuple
    options: dict
    results: tuple
    idle: tuple

    @property
    def sources(self):
        """The symbolic tensors among the arguments."""
        return _tensors((self.arguments, self.options))


@dataclasses.dataclass(frozen=True)
class Steps:
    """A functional model as a list of steps.

    Args:
        inputs, output: symbolic tensors, one each.
        steps: a tuple of `Step`.
    """

    input: keras.KerasTensor
    output: keras.KerasTensor
    steps: tuple[Step, ...]

    def run(
        self, x, call=lambda operation, *arguments, **options: operation(*arguments, **options)
    ):
        """The output of the model in evaluation mode.

        A tensor is let go once it is no longer needed; Keras keeps all of them to the end.

        Args:
            x: the input.
            call: what to do in the place of calling each operation.
        """
        known = {id(self.input): x}
        del x
        for step in self.steps:
            arguments, options = keras.tree.map_structure(
                lambda value: known[id(value)] if _is_tensor(value) else value,
                (step.arguments, step.options),
            )
            results = call(step.operation, *arguments, **options)
            del arguments, options
            known.update(zip(map(id, step.results), keras.tree.flatten(results), strict=True))
            del results
            for tensor in step.idle:
                del known[id(tensor)]
            if any(isinstance(value, list | tuple) for value in step.arguments):
                # On PyTorch Keras leaves tensors that came in a list in cycles of references.
                gc.collect(1)
        return known[id(self.output)]


def is_foreign(model):
    """Whether a model runs code of somebody else's, which is called as it is; see `Denoiser.foreign`."""
    return getattr(model, "foreign", False)


def streams(model):
    """Whether a model is computed in blocks, of which no graph is to be kept; see `Denoiser.streams`."""
    return getattr(model, "streams", False)


def steps_of(model, shape=None):
    """The `Steps` of a functional model with one input and one output; None for another model.

    Args:
        model: a Keras model.
        shape: of the input, `(batch, height, width, channels)`, where the shapes of all tensors are wanted.
    """
    if not isinstance(model, keras.Model) or not hasattr(model, "operations"):
        return None
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        return None
    start = keras.KerasTensor(shape or model.inputs[0].shape, model.inputs[0].dtype)
    calls = []

    def call(operation, *arguments, **options):
        if hasattr(operation, "operations"):
            return _walk(operation, arguments[0], call)
        results = operation.compute_output_spec(*arguments, **options)
        calls.append((operation, arguments, options, tuple(_tensors(results))))
        return results

    (output,) = _tensors(_walk(model, start, call))
    last = {}
    for place, (_, arguments, options, results) in enumerate(calls):
        for tensor in (*_tensors((arguments, options)), *results):
            last[id(tensor)] = place, tensor
    last.pop(id(output), None)
    idle = [[] for _ in calls]
    for place, tensor in last.values():
        idle[place].append(tensor)
    steps = (Step(*made, tuple(free)) for made, free in zip(calls, idle, strict=True))
    return Steps(start, output, tuple(steps))


def _walk(model, inputs, call):
    """The outputs of a functional model, with `call(operation, *arguments, **options)` for each operation.

    The only use of this private name: Keras has no public way through the operations of a model that takes
    tensors of other shapes. `keras.models.clone_model` is made of it, but makes a model of what it is told.
    """
    return model._run_through_graph(inputs, call_fn=call)


def _is_tensor(value):
    return isinstance(value, keras.KerasTensor)


def _tensors(structure):
    return [value for value in keras.tree.flatten(structure) if _is_tensor(value)]
