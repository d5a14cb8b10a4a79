"""A verdict on its way between who judges, who asks, and who writes it down."""

from __future__ import annotations

from regrasp_msgs.msg import Verdict as VerdictMessage

from policy.experience.episode import Verdict

from .wiring import nanoseconds, stamp


def verdict_message(verdict: Verdict, episode: str) -> VerdictMessage:
    message = VerdictMessage(
        episode_id=episode, detector=verdict.detector, gate=verdict.gate,
        abstained=verdict.abstained, success=verdict.success, confidence=verdict.confidence,
        reason=verdict.reason,
    )  # fmt: skip
    message.stamp = stamp(verdict.stamp_ns)
    return message


def verdict_of(message: VerdictMessage) -> Verdict:
    return Verdict(
        message.detector, message.success, message.confidence, message.abstained, message.gate,
        message.reason, nanoseconds(message.stamp),
    )  # fmt: skip
