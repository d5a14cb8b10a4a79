from __future__ import annotations

from collections.abc import Iterator

import pytest
from rig import Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    """The guard, armed, on the twin's arm."""
    rig = Rig()
    yield rig
    rig.twin.close()
