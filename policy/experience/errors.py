"""What can go wrong with the log and the replay, by what a person has to do about it."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from policy.contract import ContractError, Invalid


class ExperienceError(Exception):
    """Base of all errors of this package. Messages read: what, found, wanted; remedy."""


class DamagedError(ExperienceError):
    """The file is torn or its checksum fails: repair it, or fetch it again."""


class ForeignError(ExperienceError):
    """The file is whole but not an episode of ours, or of another version."""


class StorageError(ExperienceError):
    """The disk is full, the directory is read-only, the device failed."""


class BusyError(ExperienceError):
    """Another process writes here."""


# Of a person or a device, not of the code: told in a line, with what to do about it.
MISTAKES = (ContractError, Invalid, ExperienceError, OSError)


def storage_error(action: str, path: Path, error: OSError) -> StorageError:
    """Say what to do about an OSError met while doing `action` on `path`."""
    where = path if path.exists() else path.parent
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(where).free if where.exists() else 0
        remedy = "free some space; everything reported as stored before is intact"
        return StorageError(
            f"{action} {path}: the disk is full ({free / 1e6:.1f} MB free); {remedy}"
        )
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        remedy = "make it writable for this user, or choose another directory"
        return StorageError(f"{action} {path}: no permission to write ({error.strerror}); {remedy}")
    return StorageError(f"{action} {path}: {error.strerror or error}; check the device")
