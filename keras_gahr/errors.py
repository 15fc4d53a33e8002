"""The one error a user can cause."""


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is one line that says what was received, what was expected and how to mend it. The
    command line prints it and exits with code 2; every other exception is a fault of this package.

    Examples:
        >>> import keras_gahr as kg
        >>> try:
        ...     kg.load_denoiser("missing.keras")
        ... except kg.InputError as error:
        ...     print(str(error)[:13])
        missing.keras
    """

    # Keras adds lines to the message of an error within a call unless it believes that it has done so.
    _keras_call_info_injected = True
