"""Where packages are."""

from __future__ import annotations

from dataclasses import dataclass

from ament_index_python.packages import get_package_prefix, get_package_share_directory
from launch import LaunchContext, SomeSubstitutionsType
from launch.left_out import left_out
from launch.substitution import resolve
from launch.substitutions import Composed


@dataclass(eq=False)
class FindPackagePrefix(Composed):
    package: SomeSubstitutionsType

    def find(self, package_name: str) -> str:
        return get_package_prefix(package_name)

    def perform(self, context: LaunchContext) -> str:
        return self.find(resolve(context, self.package))


class FindPackageShare(FindPackagePrefix):
    def find(self, package_name: str) -> str:
        return get_package_share_directory(package_name)


__getattr__ = left_out(__name__)
