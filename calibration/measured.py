"""A number that knows where it comes from: value, unit, method, date, residual."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator

from policy.contract import Invalid, Strict

T = TypeVar("T")

# Chosen or copied, not measured: such a value has no residual.
UNMEASURED = ("design", "datasheet")

# found -> (wanted, factor): the slips people make, so that the remedy can be exact.
_CONVERSIONS = {
    ("mm", "m"): "divide it by 1000",
    ("cm", "m"): "divide it by 100",
    ("deg", "rad"): "multiply it by pi/180",
    ("ms", "s"): "divide it by 1000",
    ("us", "s"): "divide it by 1000000",
    ("Hz", "s"): "give the period, 1/rate",
    ("kg", "N"): "multiply it by 9.81",
    ("deg/s", "rad/s"): "multiply it by pi/180",
    ("mm/s", "m/s"): "divide it by 1000",
}


@dataclass(frozen=True)
class Measured(Strict, Generic[T]):
    """One calibrated quantity. `residual` is in the value's own unit: what was left unexplained
    when the value was fitted; null only where nothing was measured."""

    value: T
    unit: str
    method: str
    date: datetime.date
    residual: float | None

    def __post_init__(self) -> None:
        if not self.method:
            wanted = f"how the value was found (or one of {', '.join(UNMEASURED)})"
            raise Invalid("method", self.method, wanted, "name the procedure")
        if self.residual is None and self.method not in UNMEASURED:
            wanted = f"a number, since the method is '{self.method}'"
            raise Invalid("residual", None, wanted, "give the fit's error in the value's unit")
        if self.residual is not None and self.residual < 0:
            raise Invalid("residual", self.residual, "0 or more", "give its magnitude")


def _numbers(value: Any) -> list[float]:
    return [float(v) for v in value] if isinstance(value, tuple) else [float(value)]


def unit(wanted: str, low: float = -math.inf, high: float = math.inf) -> AfterValidator:
    """Demand this unit, and every number of the value within [low, high]."""

    def check(measured: Measured[Any]) -> Measured[Any]:
        if measured.unit != wanted:
            how = _CONVERSIONS.get((measured.unit, wanted), "convert it")
            remedy = f"{how} and write unit: {wanted}"
            raise Invalid("unit", measured.unit, f"'{wanted}'", remedy)
        if not all(low <= number <= high for number in _numbers(measured.value)):
            bounds = f"[{low:g}, {high:g}] {wanted}"
            raise Invalid("value", measured.value, f"within {bounds}", "check it and its unit")
        return measured

    return AfterValidator(check)


def _normalised(measured: Measured[Any]) -> Measured[Any]:
    norm = math.hypot(*measured.value)
    if abs(norm - 1.0) > 1e-3:
        remedy = "divide by the norm; the order is x, y, z, w"
        raise Invalid("value", measured.value, f"a unit quaternion (norm is {norm:.4f})", remedy)
    return measured


def _ordered(measured: Measured[Any]) -> Measured[Any]:
    low, high = measured.value
    if not low < high:
        raise Invalid("value", measured.value, "[low, high] with low < high", "swap or widen them")
    return measured


Pair = tuple[float, float]
Triple = tuple[float, float, float]

# Ten metres and ten seconds bound anything a table-top cell can mean: past them, a unit is wrong.
Length = Annotated[Measured[float], unit("m", 0, 10)]
Height = Annotated[Measured[float], unit("m", -10, 10)]
Size2 = Annotated[Measured[Pair], unit("m", 0, 10)]
Point = Annotated[Measured[Triple], unit("m", -10, 10)]
LengthRange = Annotated[Measured[Pair], unit("m", 0, 10), AfterValidator(_ordered)]
Angle = Annotated[Measured[float], unit("rad", -2 * math.pi, 2 * math.pi)]
AngleRange = Annotated[
    Measured[Pair], unit("rad", -2 * math.pi, 2 * math.pi), AfterValidator(_ordered)
]
Quaternion = Annotated[
    Measured[tuple[float, float, float, float]], unit("1"), AfterValidator(_normalised)
]
Seconds = Annotated[Measured[float], unit("s", 0, 10)]
SecondsRange = Annotated[Measured[Pair], unit("s", 0, 10), AfterValidator(_ordered)]
Speed = Annotated[Measured[float], unit("m/s", 0, 10)]
TurnRate = Annotated[Measured[float], unit("rad/s", 0, 20)]
Force = Annotated[Measured[float], unit("N", 0, 1000)]
Mass = Annotated[Measured[float], unit("kg", 0, 100)]
Ratio = Annotated[Measured[float], unit("1", 0, 10)]
RatioRange = Annotated[Measured[Pair], unit("1", 0, 10), AfterValidator(_ordered)]
Pixels2 = Annotated[Measured[Pair], unit("px", 0, 20000)]
Coefficients = Annotated[Measured[tuple[float, ...]], unit("1", -100, 100)]
GreyLevels = Annotated[Measured[float], unit("1/255", 0, 255)]
JointDamping = Annotated[Measured[tuple[float, ...]], unit("N*m*s/rad", 0, 1000)]
JointTorque = Annotated[Measured[tuple[float, ...]], unit("N*m", 0, 1000)]
JointInertia = Annotated[Measured[tuple[float, ...]], unit("kg*m^2", 0, 100)]
