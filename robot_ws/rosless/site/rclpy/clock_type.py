from rclpy.time import ClockType as ClockType
