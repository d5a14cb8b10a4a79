"""Where ROS 2 offers the descriptions of parameters too."""

from launch.left_out import left_out

from .parameter_descriptions import Parameter, ParameterFile, ParameterValue

__all__ = ["Parameter", "ParameterFile", "ParameterValue"]

__getattr__ = left_out(__name__)
