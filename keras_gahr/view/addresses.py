"""The addresses of a server's pages, pictures and files."""

import os
import urllib.parse


class Addresses:
    """They begin with a token that nobody can guess.

    Args:
        token: letters, digits, "-" and "_".
    """

    def __init__(self, token):
        self.token = token

    def look(self, name):
        """Of the page of a result; with "" of the folder itself."""
        return self._of("look", name)

    def index(self):
        """Of the list of all results."""
        return f"/{self.token}/"

    def file(self, name, changed=0.0):
        """Of a file as it is; another one when it has changed."""
        return f"{self._of('file', name)}?at={changed:.3f}"

    def frame(self, name, kind, place, changed=0.0):
        """Of one of the `Frames` of a result.

        Args:
            name: of the result.
            kind: of `keras_gahr.view.frames.KINDS`.
            place: its number.
        """
        return f"{self._of('frame', name)}?of={kind}&k={place}&at={changed:.3f}"

    def _of(self, route, name):
        return f"/{self.token}/{route}/{address_part(name)}"


def address_part(name):
    """A name of a file, whatever bytes it has, as a part of an address."""
    return urllib.parse.quote(os.fsencode(name), safe="/")


def name_of_part(part):
    """The name again."""
    return os.fsdecode(urllib.parse.unquote_to_bytes(part))
