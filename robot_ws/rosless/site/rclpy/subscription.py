from rclpy.impl.topics import Subscription as Subscription
