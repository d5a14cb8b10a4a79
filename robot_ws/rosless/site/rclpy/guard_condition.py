from rclpy.timer import GuardCondition as GuardCondition
