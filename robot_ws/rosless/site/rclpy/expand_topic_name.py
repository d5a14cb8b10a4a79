from rclpy.impl.names import expand_topic_name as expand_topic_name
