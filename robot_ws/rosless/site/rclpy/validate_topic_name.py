from rclpy.impl.names import validate_topic_name

TOPIC_SEPARATOR_STRING = "/"
__all__ = ["TOPIC_SEPARATOR_STRING", "validate_topic_name"]
