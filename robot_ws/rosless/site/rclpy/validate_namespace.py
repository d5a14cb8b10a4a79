from rclpy.impl.names import validate_namespace as validate_namespace
