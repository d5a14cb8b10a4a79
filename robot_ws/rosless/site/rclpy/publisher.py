from rclpy.impl.topics import Publisher as Publisher
