"""The benchmark of serving runs, with what is installed here."""

from __future__ import annotations

from benchmarks.serving import contenders, measure


def test_every_way_there_and_back() -> None:
    commands = contenders(16, None, None)
    middle, tail = measure(16, commands, rounds=2, calls=5)
    assert middle.seconds.keys() == tail.seconds.keys() == commands.keys()
    for one in (middle, tail):
        assert one.ratios.keys() == commands.keys() - {"gRPC, pickle"}
        assert all(spread.median > 0 for spread in one.seconds.values())
