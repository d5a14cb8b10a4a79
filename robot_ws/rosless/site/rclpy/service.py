from rclpy.impl.services import Service as Service
