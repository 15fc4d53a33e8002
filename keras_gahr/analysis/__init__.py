"""What denoisers do: their Jacobians and eigenbases, and what these are compared with."""

from .jacobian import Jacobian, Linearizer

__all__ = ["Jacobian", "Linearizer"]
