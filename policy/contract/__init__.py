"""The contract between what acts and what is acted on: specs, the policy card, and their fit.

    from policy.contract import PolicyCard, read_card, require_fit

Ground floor: every part of the project may import it, and it imports none of them.
"""

from .card import PolicyCard, Preprocessing, Provenance, SimulatedSuccess, read_card, write_card
from .deployment import Deployment, View
from .fit import misfits, require_fit
from .specs import ActionEntry, ActionSpec, Entry, ImageSpec, Interface, ObservationSpec
from .strict import (
    ContractError,
    Invalid,
    Problem,
    Strict,
    decode,
    decode_json,
    differences,
    encode,
)

__all__ = [
    "ActionEntry",
    "ActionSpec",
    "ContractError",
    "Deployment",
    "Entry",
    "ImageSpec",
    "Interface",
    "Invalid",
    "ObservationSpec",
    "PolicyCard",
    "Preprocessing",
    "Problem",
    "Provenance",
    "SimulatedSuccess",
    "Strict",
    "View",
    "decode",
    "decode_json",
    "differences",
    "encode",
    "misfits",
    "read_card",
    "require_fit",
    "write_card",
]
