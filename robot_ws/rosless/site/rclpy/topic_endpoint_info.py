from rclpy.impl.queries import TopicEndpointInfo as TopicEndpointInfo
from rclpy.impl.queries import TopicEndpointTypeEnum as TopicEndpointTypeEnum
