"""Where a package is. It is not installed: both answers are the directory of its sources."""

from rosless.packages import PackageNotFoundError, find_package

__all__ = ["PackageNotFoundError", "get_package_prefix", "get_package_share_directory"]


def get_package_prefix(package_name: str) -> str:
    return str(find_package(package_name))


def get_package_share_directory(package_name: str) -> str:
    return str(find_package(package_name))
