"""The twin as ROS sees it: what twin_node is wired from."""
