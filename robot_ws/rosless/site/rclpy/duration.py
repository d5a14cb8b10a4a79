from rclpy.time import Duration as Duration
from rclpy.time import Infinite as Infinite
