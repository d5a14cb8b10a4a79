from rclpy.impl.names import validate_topic_name as validate_topic_name
