from rclpy.impl.services import Client as Client
