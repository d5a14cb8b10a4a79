from rclpy.impl.names import validate_namespace

__all__ = ["validate_namespace"]
