"""Quality of service as DDS is told it, in the way of rmw_cyclonedds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclonedds.core import Policy, Qos
from cyclonedds.util import duration

INFINITE: int = duration(infinite=True)


@dataclass(frozen=True)
class Quality:
    """Times are in ns."""

    reliable: bool = True
    transient_local: bool = False
    depth: int = 10
    keep_all: bool = False
    deadline: int = INFINITE
    lifespan: int = INFINITE
    by_hand: bool = False  # liveliness: asserted by the publisher itself, on its topic
    lease: int = INFINITE

    def told(self, user_data: bytes, writer: bool) -> Qos:
        history = Policy.History.KeepAll if self.keep_all else Policy.History.KeepLast(self.depth)
        alive = Policy.Liveliness.ManualByTopic if self.by_hand else Policy.Liveliness.Automatic
        surely, kept = Policy.Reliability, Policy.Durability
        policies = [
            surely.Reliable(INFINITE) if self.reliable else surely.BestEffort,
            kept.TransientLocal if self.transient_local else kept.Volatile,
            history,
            alive(self.lease),
            Policy.Deadline(self.deadline),
            # XCDR2 is another encoding, and not what ROS 2 speaks.
            Policy.DataRepresentation(
                use_cdrv0_representation=True, use_xcdrv2_representation=False
            ),
            Policy.Userdata(user_data),
        ]
        if writer:
            # A writer that goes does not take back what it said.
            policies += [
                Policy.WriterDataLifecycle(autodispose=False),
                Policy.Lifespan(self.lifespan),
            ]
            if self.transient_local:
                policies.append(Policy.DurabilityService(0, history, -1, -1, -1))
        return Qos(*policies)

    @classmethod
    def found(cls, qos: Qos) -> Quality:
        """What somebody else's endpoint says of itself. Its history stays with it."""
        result = cls(depth=0)
        for policy in qos:
            if isinstance(policy, (Policy.Liveliness.ManualByTopic, Policy.Liveliness.Automatic)):
                by_hand = isinstance(policy, Policy.Liveliness.ManualByTopic)
                result = replace(result, by_hand=by_hand, lease=policy.lease_duration)
            elif isinstance(policy, Policy.Deadline):
                result = replace(result, deadline=policy.deadline)
            elif isinstance(policy, Policy.Lifespan):
                result = replace(result, lifespan=policy.lifespan)
        reliable = Policy.Reliability.BestEffort not in list(qos)
        kept = Policy.Durability.TransientLocal in list(qos)
        return replace(result, reliable=reliable, transient_local=kept)


def user_data(qos: Qos) -> dict[str, str]:
    """`typehash=…;clientid=…;` by name."""
    raw = next((policy.data for policy in qos if isinstance(policy, Policy.Userdata)), b"")
    pairs = (part.partition("=") for part in raw.decode(errors="replace").split(";"))
    return {key: value for key, sep, value in pairs if sep}
