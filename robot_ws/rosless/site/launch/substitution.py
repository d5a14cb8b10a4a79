"""What a launch file writes down now, and launch turns into text later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class Substitution:
    def describe(self) -> str:
        return repr(self)

    def perform(self, context: LaunchContext) -> str:
        raise NotImplementedError(f"{type(self).__name__}.perform")


SomeSubstitutionsType = str | Substitution | Iterable[str | Substitution]


class TextSubstitution(Substitution):
    def __init__(self, *, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"TextSubstitution: text is {text!r}, wanted a str")
        self.text = text

    def describe(self) -> str:
        return f"'{self.text}'"

    def perform(self, context: LaunchContext) -> str:
        return self.text


def normalize_to_list_of_substitutions(subs: SomeSubstitutionsType) -> list[Substitution]:
    if isinstance(subs, (str, Substitution)):
        subs = [subs]
    found: list[Substitution] = []
    for item in subs:
        if isinstance(item, str):
            item = TextSubstitution(text=item)
        if not isinstance(item, Substitution):
            raise TypeError(
                f"{item!r} of type {type(item).__name__} stands where launch wants text: write it "
                "as a str or a Substitution"
            )
        found.append(item)
    return found


def perform_substitutions(context: LaunchContext, subs: Iterable[Substitution]) -> str:
    return "".join(sub.perform(context) for sub in subs)


def resolve(context: LaunchContext, some: SomeSubstitutionsType) -> str:
    return perform_substitutions(context, normalize_to_list_of_substitutions(some))


def resolve_each(context: LaunchContext, some: SomeSubstitutionsType) -> list[str]:
    return [sub.perform(context) for sub in normalize_to_list_of_substitutions(some)]


def describe(some: SomeSubstitutionsType) -> str:
    return " + ".join(sub.describe() for sub in normalize_to_list_of_substitutions(some))
