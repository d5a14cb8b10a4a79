"""How Cyclone DDS is set up: who is met, and what a socket holds.

Loopback, unless ROS_AUTOMATIC_DISCOVERY_RANGE says SUBNET; a CYCLONEDDS_URI of the user's own is
left as it is.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

LOG = logging.getLogger("rosless")
URI = "CYCLONEDDS_URI"
RANGE, DOMAIN, PEERS = "ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_DOMAIN_ID", "ROS_STATIC_PEERS"
RANGES = ("LOCALHOST", "SUBNET", "SYSTEM_DEFAULT", "OFF")
LARGEST_DOMAIN = 101  # beyond, ports are those that Linux gives to anyone
PROCESSES = 60  # on one machine, that find each other without multicast
LEASE = "2s"  # after which a process that was killed is gone
RMEM = Path("/proc/sys/net/core/rmem_max")
ENOUGH, MOST = 1_000_000, 8_000_000  # bytes of a socket's buffer: a picture and some; a second's

_LOCAL = """<Interfaces><NetworkInterface name="lo" multicast="false"/></Interfaces>\
<AllowMulticast>false</AllowMulticast>"""
_FINDING = """<ParticipantIndex>auto</ParticipantIndex>\
<MaxAutoParticipantIndex>{0}</MaxAutoParticipantIndex>"""

# Who was given up is called again, for ever: a machine that sleeps has all its leases run out.
_MISSED = """<SPDPInterval>5s</SPDPInterval>\
<DiscoveredLocatorPruneDelay>inf</DiscoveredLocatorPruneDelay>"""


def domain_id(environment: Mapping[str, str] = os.environ) -> int:
    text = environment.get(DOMAIN, "") or "0"
    if not text.isdecimal() or int(text) > LARGEST_DOMAIN:
        raise ValueError(f"{DOMAIN}: found {text!r}, wanted 0 to {LARGEST_DOMAIN}; correct it")
    return int(text)


def configuration(environment: Mapping[str, str], buffer: int) -> str:
    """Cyclone's XML; `buffer` is what the kernel lets a socket hold."""
    reach = environment.get(RANGE, "") or "LOCALHOST"
    if reach not in RANGES:
        raise ValueError(f"{RANGE}: found {reach!r}, wanted one of {', '.join(RANGES)}; correct it")
    peers = [peer for peer in environment.get(PEERS, "").split(";") if peer]
    network, finding = "", ""
    if reach in ("LOCALHOST", "OFF") and not peers:
        network = _LOCAL
    if reach == "LOCALHOST":
        peers = ["127.0.0.1", *peers]
    if peers:
        named = "".join(f'<Peer Address="{peer}"/>' for peer in peers)
        finding = f"{_FINDING.format(PROCESSES)}<Peers>{named}</Peers>"
    # A datagram as large as they come, unless a picture made of such does not fit into a buffer.
    message, fragment = ("65500B", "65000B") if buffer >= ENOUGH else ("14720B", "8000B")
    size = min(buffer, MOST)
    return (
        f'<CycloneDDS><Domain Id="any"><General>{network}'
        f"<MaxMessageSize>{message}</MaxMessageSize><FragmentSize>{fragment}</FragmentSize>"
        f"</General><Discovery><LeaseDuration>{LEASE}</LeaseDuration>{_MISSED}{finding}</Discovery>"
        f'<Internal><SocketReceiveBufferSize min="{min(size, ENOUGH)}B" max="{size}B"/></Internal>'
        "</Domain></CycloneDDS>"
    )


def socket_buffer() -> int:
    """The kernel's limit, complained of where a picture does not fit."""
    try:
        limit = int(RMEM.read_text())
    except OSError:
        return ENOUGH  # not Linux
    if limit < ENOUGH:
        LOG.warning(
            "%s: found %d, wanted %d or more: pictures come in small pieces and late; mend with: "
            "sudo sysctl -w net.core.rmem_max=%d",
            *(RMEM, limit, ENOUGH, 4 * ENOUGH),
        )
    return limit


def apply() -> None:
    """Before the first participant; Cyclone reads its environment then."""
    if URI not in os.environ:
        os.environ[URI] = configuration(os.environ, socket_buffer())
