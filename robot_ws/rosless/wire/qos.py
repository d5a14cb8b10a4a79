"""Quality of service as DDS is told it, in the way of rmw_cyclonedds."""

from __future__ import annotations

from dataclasses import dataclass

from cyclonedds.core import Policy, Qos
from cyclonedds.util import duration

INFINITE: int = duration(infinite=True)


@dataclass(frozen=True)
class Quality:
    reliable: bool = True
    transient_local: bool = False
    depth: int = 10
    keep_all: bool = False
    lifespan: int = INFINITE  # ns

    def told(self, user_data: bytes, writer: bool) -> Qos:
        history = Policy.History.KeepAll if self.keep_all else Policy.History.KeepLast(self.depth)
        surely, kept = Policy.Reliability, Policy.Durability
        policies = [
            surely.Reliable(INFINITE) if self.reliable else surely.BestEffort,
            kept.TransientLocal if self.transient_local else kept.Volatile,
            history,
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
        said = list(qos)
        lifespans = (policy.lifespan for policy in said if isinstance(policy, Policy.Lifespan))
        return cls(
            reliable=Policy.Reliability.BestEffort not in said,
            transient_local=Policy.Durability.TransientLocal in said,
            depth=0,
            lifespan=next(lifespans, INFINITE),
        )


def user_data(qos: Qos) -> dict[str, str]:
    """`typehash=…;clientid=…;` by name."""
    raw = next((policy.data for policy in qos if isinstance(policy, Policy.Userdata)), b"")
    pairs = (part.partition("=") for part in raw.decode(errors="replace").split(";"))
    return {key: value for key, sep, value in pairs if sep}
