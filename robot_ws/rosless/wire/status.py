"""What DDS tells of an endpoint beside data: met, incompatible, late, gone."""

from __future__ import annotations

import ctypes as C
from dataclasses import dataclass
from typing import Any

from .library import LIBRARY, checked


class _Status(C.Structure):
    def values(self) -> dict[str, int]:
        return {name: getattr(self, name) for name, *_ in self._fields_ if name[0] != "_"}


class Counted(_Status):
    _fields_ = (("total_count", C.c_uint32), ("total_count_change", C.c_int32))


class Missed(_Status):
    _fields_ = (*Counted._fields_, ("_instance", C.c_uint64))


class Incompatible(_Status):
    _fields_ = (*Counted._fields_, ("last_policy_kind", C.c_uint32))


class Matched(_Status):
    _fields_ = (
        *Counted._fields_,
        ("current_count", C.c_uint32),
        ("current_count_change", C.c_int32),
        ("_handle", C.c_uint64),
    )


class Alive(_Status):
    _fields_ = (
        ("alive_count", C.c_uint32),
        ("not_alive_count", C.c_uint32),
        ("alive_count_change", C.c_int32),
        ("not_alive_count_change", C.c_int32),
        ("_handle", C.c_uint64),
    )


@dataclass(frozen=True)
class Event:
    """One kind of them: its bit in an endpoint's status, and the function that tells it."""

    bit: int
    function: str
    status: type[_Status]

    def take(self, entity: int) -> dict[str, int]:
        """What happened since it was last asked for."""
        status = self.status()
        function: Any = LIBRARY[self.function]
        checked(function(C.c_int32(entity), C.byref(status)), self.function)
        return status.values()


def changes(entity: int) -> int:
    """The bits of the events that have happened and were not taken."""
    found = C.c_uint32()
    checked(LIBRARY.dds_get_status_changes(entity, C.byref(found)), "status")
    return found.value


# Of publishers
OFFERED_DEADLINE = Event(1 << 1, "dds_get_offered_deadline_missed_status", Missed)
OFFERED_INCOMPATIBLE = Event(1 << 3, "dds_get_offered_incompatible_qos_status", Incompatible)
LIVELINESS_LOST = Event(1 << 9, "dds_get_liveliness_lost_status", Counted)
PUBLICATION_MATCHED = Event(1 << 11, "dds_get_publication_matched_status", Matched)
# Of subscriptions
REQUESTED_DEADLINE = Event(1 << 2, "dds_get_requested_deadline_missed_status", Missed)
REQUESTED_INCOMPATIBLE = Event(1 << 4, "dds_get_requested_incompatible_qos_status", Incompatible)
SAMPLE_LOST = Event(1 << 5, "dds_get_sample_lost_status", Counted)
LIVELINESS_CHANGED = Event(1 << 10, "dds_get_liveliness_changed_status", Alive)
SUBSCRIPTION_MATCHED = Event(1 << 12, "dds_get_subscription_matched_status", Matched)
