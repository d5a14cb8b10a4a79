"""For colcon. The packages the nodes stand on (calibration, policy, ...) come with the repository's
own pyproject.toml: pip install it into the Python that ROS uses."""

from setuptools import find_packages, setup

NAME = "regrasp_nodes"

setup(
    name=NAME,
    version="0.1.0",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=True,
    entry_points={
        "console_scripts": [
            "attendant_node = regrasp_nodes.attendant_node:main",
            "calibration_node = regrasp_nodes.calibration_node:main",
            "camera_node = regrasp_nodes.camera_node:main",
            "episode_node = regrasp_nodes.episode_node:main",
            "finetune_node = regrasp_nodes.finetune_node:main",
            "guard_node = regrasp_nodes.guard_node:main",
            "policy_node = regrasp_nodes.policy_node:main",
            "reset_node = regrasp_nodes.reset_node:main",
            "reward_node = regrasp_nodes.reward_node:main",
            "scoreboard_node = regrasp_nodes.scoreboard_node:main",
            "teleop_node = regrasp_nodes.teleop_node:main",
            "twin_node = regrasp_nodes.twin_node:main",
            "watch_node = regrasp_nodes.watch_node:main",
        ],
    },
)
