"""Imported by every room before it imports Keras: Keras then looks for a backend that is installed."""

from .backend_choice import take_installed_backend

take_installed_backend()
