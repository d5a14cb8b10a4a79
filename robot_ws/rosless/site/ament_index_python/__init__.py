"""The part of ament_index_python that launch files use, on the sources of a workspace."""

from .packages import PackageNotFoundError, get_package_prefix, get_package_share_directory

__all__ = ["PackageNotFoundError", "get_package_prefix", "get_package_share_directory"]
