from rclpy.context import get_default_context as get_default_context
from rclpy.context import ok as ok
from rclpy.context import try_shutdown as try_shutdown
from rclpy.impl.arguments import remove_ros_args as remove_ros_args
