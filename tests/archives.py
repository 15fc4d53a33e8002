"""Archives of few bytes, sound ones and others."""

import io
import tarfile
import zipfile


def tar_of(files, mode="w", **options):
    """The bytes of a tar with {name: bytes}; None makes a folder, text a symbolic link."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, **options) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            if data is None:
                member.type = tarfile.DIRTYPE
            elif isinstance(data, str):
                member.type, member.linkname = tarfile.SYMTYPE, data
            else:
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data) if isinstance(data, bytes) else None)
    return file.getvalue()


def zip_of(files, compression=zipfile.ZIP_DEFLATED):
    """The bytes of a zip with {name: bytes}; None makes a folder, text a symbolic link."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in files.items():
            member = zipfile.ZipInfo(name + "/" * (data is None))
            member.compress_type = compression
            if isinstance(data, str):
                member.external_attr = 0o120777 << 16
            archive.writestr(member, data or b"")
    return file.getvalue()
