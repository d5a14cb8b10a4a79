"""What a node finds out about the others, here and in another process."""

from __future__ import annotations

import pytest
from example_interfaces.action import Fibonacci
from rclpy.action import ActionClient, ActionServer, get_action_names_and_types
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointTypeEnum
from ros_doing import PATIENCE_S, Make, Program, until
from std_msgs.msg import Int64, String
from std_srvs.srv import Trigger

STRING, TRIGGER = "std_msgs/msg/String", "std_srvs/srv/Trigger"


def test_who_is_there(make: Make) -> None:
    one, two = make("one"), make("two", namespace="/ns/deep")
    until(lambda: all(len(node.get_node_names()) == 2 for node in (one, two)))
    for node in (one, two):
        assert sorted(node.get_node_names()) == ["one", "two"]
        assert sorted(node.get_node_names_and_namespaces()) == [("one", "/"), ("two", "/ns/deep")]
        names = sorted(node.get_fully_qualified_node_names())
        assert names == ["/ns/deep/two", "/one"]
    assert one.wait_for_node("/ns/deep/two", PATIENCE_S)
    assert not one.wait_for_node("/ns/deep/nobody", 0.05)
    two.destroy_node()
    until(lambda: one.get_node_names() == ["one"])


def test_two_of_one_name_are_two(make: Make) -> None:
    nodes = [make("twin") for _ in range(2)]
    until(lambda: nodes[0].get_node_names() == ["twin", "twin"])


def test_what_is_sent_and_heard(make: Make) -> None:
    one, two = make("one", namespace="/ns"), make("two")
    one.create_publisher(String, "a", 1)
    one.create_publisher(String, "~/own", 1)
    two.create_subscription(String, "/ns/a", print, 1)
    two.create_subscription(Int64, "/ns/a", print, 1)

    def known() -> dict[str, list[str]]:
        return {name: sorted(types) for name, types in one.get_topic_names_and_types()}

    until(lambda: "std_msgs/msg/Int64" in known().get("/ns/a", []))
    assert known()["/ns/a"] == ["std_msgs/msg/Int64", STRING]
    assert known()["/ns/one/own"] == [STRING]
    assert "/rosout" in known()
    assert not any(name.startswith(("rt/", "rq/", "rr/")) for name in known())


def test_who_answers(make: Make) -> None:
    one, two = (
        make("one", start_parameter_services=False),
        make("two", start_parameter_services=False),
    )
    one.create_service(Trigger, "ask", lambda _, response: response)
    two.create_client(Trigger, "ask")
    until(lambda: two.count_services("/ask") == 1)
    assert ("/ask", [TRIGGER]) in one.get_service_names_and_types()
    assert one.count_services("nothing") == 0


def test_counts(make: Make) -> None:
    one, two = make("one"), make("two")
    assert one.count_publishers("a") == one.count_subscribers("a") == 0
    publisher = one.create_publisher(String, "a", 1)
    subscriptions = [two.create_subscription(String, "a", print, 1) for _ in range(2)]
    until(lambda: publisher.get_subscription_count() == 2)
    until(lambda: all(one.get_publisher_count() == 1 for one in subscriptions))
    until(lambda: two.count_publishers("/a") == 1 and one.count_subscribers("a") == 2)
    two.destroy_subscription(subscriptions[0])
    until(lambda: publisher.get_subscription_count() == 1)
    one.destroy_publisher(publisher)
    until(lambda: subscriptions[1].get_publisher_count() == 0)


def test_what_is_known_of_an_endpoint(make: Make) -> None:
    node = make("node", namespace="/ns")
    asked = QoSProfile(depth=3, reliability=ReliabilityPolicy.BEST_EFFORT)
    offered = QoSProfile(
        depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, lifespan=Duration(seconds=4)
    )
    node.create_publisher(String, "a", offered)
    node.create_subscription(String, "a", print, asked)
    until(
        lambda: node.get_publishers_info_by_topic("a") and node.get_subscriptions_info_by_topic("a")
    )
    publisher = node.get_publishers_info_by_topic("/ns/a")[0]
    subscription = node.get_subscriptions_info_by_topic("/ns/a")[0]
    for info in (publisher, subscription):
        assert (info.node_name, info.node_namespace) == ("node", "/ns")
        assert info.topic_type == STRING
        assert "RIHS01" in str(info.topic_type_hash)
        assert any(info.endpoint_gid)
    assert publisher.endpoint_gid != subscription.endpoint_gid
    assert publisher.endpoint_type == TopicEndpointTypeEnum.PUBLISHER
    assert subscription.endpoint_type == TopicEndpointTypeEnum.SUBSCRIPTION
    assert publisher.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
    assert publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE
    assert publisher.qos_profile.lifespan == Duration(seconds=4)
    assert subscription.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    assert node.get_publishers_info_by_topic("nothing") == []


def test_actions_are_found(make: Make) -> None:
    one, two = make("one"), make("two")
    ActionServer(one, Fibonacci, "count", lambda _: Fibonacci.Result())
    ActionClient(two, Fibonacci, "count")
    wanted = ("/count", ["example_interfaces/action/Fibonacci"])
    until(lambda: wanted in get_action_names_and_types(two))


OTHER = """
from std_msgs.msg import String
rclpy.init()
node = Node("other", namespace="/far")
publisher = node.create_publisher(String, "a", 1)
rclpy.spin(node)
"""


@pytest.mark.parametrize("killed", [True, False])
def test_another_process_comes_and_goes(make: Make, killed: bool) -> None:
    """One that is killed says no goodbye."""
    node = make()
    with Program(OTHER) as other:
        assert node.wait_for_node("/far/other", PATIENCE_S)
        # Of an endpoint one may hear before one hears whose it is.
        until(lambda: "other" in [i.node_name for i in node.get_publishers_info_by_topic("/far/a")])
        other.process.kill() if killed else other.process.terminate()
        until(lambda: "other" not in node.get_node_names(), seconds=10)
        until(lambda: node.count_publishers("/far/a") == 0)
