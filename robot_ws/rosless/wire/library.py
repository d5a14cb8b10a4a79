"""Cyclone DDS's C functions that its Python package keeps to itself: raw CDR in and out.

The package turns samples into Python objects one item at a time (116 ms for a 640x480 picture),
and holds the interpreter while it writes and waits. Called through ctypes, the library does
neither. These functions are no public interface, so the version is pinned.
"""

from __future__ import annotations

import ctypes as C
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from cyclonedds.__library__ import library_path
from cyclonedds.core import Entity

VERSION = "11.0.1"
if version("cyclonedds") != VERSION:
    found = version("cyclonedds")
    raise ImportError(
        f"cyclonedds: found {found}, wanted {VERSION}; pip install it in that version"
    )
FOREVER = (1 << 63) - 1  # ns
SMALL = 16384  # bytes: cheaper to join than to point at
DATA = 2  # what a serialised sample holds: a whole message, not its key alone
ANY = 0x7F  # sample, view and instance state


class Info(C.Structure):
    """dds_sample_info_t"""

    _fields_ = (
        ("states", C.c_uint32 * 3),
        ("valid_data", C.c_bool),
        ("source_timestamp", C.c_int64),
        ("instance_handle", C.c_uint64),
        ("publication_handle", C.c_uint64),
        ("counts_and_ranks", C.c_uint32 * 5),
    )


class Incompatible(C.Structure):
    """dds_offered_incompatible_qos_status_t"""

    _fields_ = (("total", C.c_uint32), ("change", C.c_int32), ("policy", C.c_uint32))


class _Vector(C.Structure):
    """iovec"""

    _fields_ = (("base", C.c_void_p), ("size", C.c_size_t))


class _Text(C.Structure):
    """iovec, of bytes"""

    _fields_ = (("base", C.c_char_p), ("size", C.c_size_t))


def _function(name: str, result: Any, *arguments: Any) -> Any:
    found = LIBRARY[name]
    found.restype, found.argtypes = result, arguments
    return found


# A handle of our own: argument types belong to one.
LIBRARY = C.CDLL(str(library_path))
_P, _I32, _U32, _SIZE = C.c_void_p, C.c_int32, C.c_uint32, C.c_size_t
_sertype = _function("dds_get_entity_sertype", _I32, _I32, C.POINTER(_P))
_assemble = _function("ddsi_serdata_from_ser_iov", _P, _P, C.c_int, _SIZE, _P, _SIZE)
_write = _function("dds_writecdr", _I32, _I32, _P)
_take = _function("dds_takecdr", _I32, _I32, C.POINTER(_P), _U32, C.POINTER(Info), _U32)
_size = _function("ddsi_serdata_size", _U32, _P)
_copy = _function("ddsi_serdata_to_ser", None, _P, _SIZE, _SIZE, _P)
_release = _function("ddsi_serdata_unref", None, _P)
wait = _function("dds_waitset_wait", _I32, _I32, C.POINTER(C.c_ssize_t), _SIZE, C.c_int64)
attach = _function("dds_waitset_attach", _I32, _I32, _I32, C.c_ssize_t)
detach = _function("dds_waitset_detach", _I32, _I32, _I32)
_delete = _function("dds_delete", _I32, _I32)


class WireError(RuntimeError):
    """Cyclone DDS refused."""


def checked(code: int, doing: str) -> int:
    if code < 0:
        raise WireError(f"{doing}: Cyclone DDS answered {code}")
    return code


def close(entity: Entity) -> None:
    """Now, and not when Python forgets it; what belongs to it goes, too."""
    if Entity._entities.pop(entity._ref, None) is not None:
        _delete(entity._ref)


def sertype(entity: int) -> int:
    """The C description of a writer's type."""
    found = _P()
    checked(_sertype(entity, C.byref(found)), "type of a writer")
    assert found.value is not None
    return found.value


def write(writer: int, kind: int, parts: Sequence[Any]) -> None:
    """A message in pieces. What is large among them is copied once, into the library's memory."""
    total = sum(map(len, parts))
    padding = bytes(-total % 4)
    if total < SMALL:
        whole = b"".join((*parts, padding))
        data = _assemble(kind, DATA, 1, C.byref(_Text(whole, len(whole))), len(whole))
    else:
        arrays = [np.frombuffer(part, np.uint8) for part in (*parts, padding) if len(part)]
        vectors = (_Vector * len(arrays))(*(_Vector(a.ctypes.data, a.size) for a in arrays))
        data = _assemble(kind, DATA, len(arrays), vectors, total + len(padding))
    if not data:
        raise WireError(f"write: {total} bytes are no message of this type")
    checked(_write(writer, data), "write")  # it owns the data from here on


class Taker:
    """Takes what a reader has, one message after the other."""

    def __init__(self, reader: int) -> None:
        self._reader, self._data, self._info = reader, (_P * 1)(), (Info * 1)()

    def __call__(self) -> tuple[np.ndarray, int, int] | None:
        """The oldest: its bytes, source stamp in ns, and the handle of its writer."""
        while checked(_take(self._reader, self._data, 1, self._info, ANY), "take"):
            [data], [info] = self._data, self._info
            content = np.empty(_size(data) if info.valid_data else 0, np.uint8)
            if info.valid_data:
                _copy(data, 0, content.size, content.ctypes.data)
            _release(data)
            if info.valid_data:
                return content, info.source_timestamp, info.publication_handle
        return None
