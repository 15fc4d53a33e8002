"""The names that people give to PyTorch checkpoints; what is in them is the same."""

_OWN = (".pt", ".pth", ".ckpt")
# Also of archives and of other libraries; `.pth.tar` is a custom and no archive.
_SHARED = (".bin", ".tar")


def is_checkpoint_name(path):
    """Whether a file of this name is likely a checkpoint, or may be one; upper case counts too."""
    return path.suffix.lower() in _OWN + _SHARED


def may_be_another(path):
    """Whether files of other kinds have such names too: what is in them decides."""
    return path.suffix.lower() in _SHARED


def bare_name(path):
    """The path without these suffixes: "a/b" of a/b.pth.tar."""
    bare = path.with_suffix("")
    return (
        bare.with_suffix("") if path.suffix.lower() == ".tar" and is_checkpoint_name(bare) else bare
    )
