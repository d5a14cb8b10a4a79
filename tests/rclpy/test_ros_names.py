"""Names: what may be one, what it becomes, and what --ros-args make of it."""

from __future__ import annotations

import pytest
import rclpy
from rclpy.context import Context
from rclpy.exceptions import (
    InvalidNamespaceException,
    InvalidNodeNameException,
    InvalidServiceNameException,
    InvalidTopicNameException,
    NameValidationException,
)
from rclpy.expand_topic_name import expand_topic_name
from rclpy.utilities import remove_ros_args
from rclpy.validate_full_topic_name import validate_full_topic_name
from rclpy.validate_namespace import validate_namespace
from rclpy.validate_node_name import validate_node_name
from rclpy.validate_topic_name import validate_topic_name
from ros_doing import Make, told
from std_msgs.msg import Empty
from std_srvs.srv import Trigger


def pointed_at(error: Exception) -> int:
    """Where in the name the fault is: beneath the name, which is in quotes, is an arrow."""
    return str(error).splitlines()[-1].index("^") - 3


@pytest.mark.parametrize(
    "name", ["a", "A_1", "/a/b", "~", "~/a", "{node}", "/{ns}/a", "a{node}b", "a/{node}/c"]
)
def test_a_topic_may_be_written_so(name: str) -> None:
    assert validate_topic_name(name)
    assert validate_topic_name(name, is_service=True)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("", 0),
        ("/invalid_topic?", 14),
        ("invalid/42topic", 8),
        ("4two", 0),
        ("ends/", 4),
        ("a b", 1),
        ("a~", 1),
        ("~ab", 1),
        ("a/~/b", 2),
        ("a{b", 1),
        ("ab}", 2),
        ("}a{", 0),
        ("{a/b}", 2),
        ("{1a}", 1),
        ("{{a}}", 1),
        ("{a-b}", 2),
        ("é", 0),
    ],
)
def test_a_topic_may_not_be_written_so(name: str, index: int) -> None:
    for is_service, error in (
        (False, InvalidTopicNameException),
        (True, InvalidServiceNameException),
    ):
        with pytest.raises(error) as caught:
            validate_topic_name(name, is_service=is_service)
        assert pointed_at(caught.value) == index
        assert isinstance(caught.value, NameValidationException)


@pytest.mark.parametrize(
    ("name", "index"),
    [("", 0), ("a", 0), ("/", 0), ("/a?", 2), ("/a/", 2), ("/a//b", 3), ("/a/1", 3), ("/~", 1)],
)
def test_a_full_topic_name_may_not_be_so(name: str, index: int) -> None:
    with pytest.raises(InvalidTopicNameException) as caught:
        validate_full_topic_name(name)
    assert pointed_at(caught.value) == index
    with pytest.raises(InvalidServiceNameException):
        validate_full_topic_name(name, is_service=True)


def test_a_full_topic_name_is_absolute_and_not_long() -> None:
    assert validate_full_topic_name("/a/b_1")
    assert validate_full_topic_name("/" + "a" * 200)
    with pytest.raises(InvalidTopicNameException):
        validate_full_topic_name("/" + "a" * 300)


def test_namespaces() -> None:
    for name in ("/", "/a", "/a/b"):
        assert validate_namespace(name)
    for name, index in (("", 0), ("a", 0), ("/a/", 2), ("/a?", 2), ("/a/1", 3)):
        with pytest.raises(InvalidNamespaceException) as caught:
            validate_namespace(name)
        assert pointed_at(caught.value) == index


def test_node_names() -> None:
    for name in ("a", "_a", "a_1", "a" * 255):
        assert validate_node_name(name)
    for name, index in (("", 0), ("a.b", 1), ("/a", 0), ("1a", 0), ("a b", 1)):
        with pytest.raises(InvalidNodeNameException) as caught:
            validate_node_name(name)
        assert pointed_at(caught.value) == index
    with pytest.raises(InvalidNodeNameException):
        validate_node_name("a" * 256)


@pytest.mark.parametrize(
    ("topic", "namespace", "full"),
    [
        ("chatter", "/", "/chatter"),
        ("chatter", "/ns", "/ns/chatter"),
        ("/chatter", "/ns", "/chatter"),
        ("~", "/ns", "/ns/me"),
        ("~/chatter", "/", "/me/chatter"),
        ("~/chatter", "/a/b", "/a/b/me/chatter"),
        ("{node}/chatter", "/ns", "/ns/me/chatter"),
        ("{ns}/{node}/chatter", "/ns", "/ns/me/chatter"),
        ("/a{node}b", "/", "/ameb"),
    ],
)
def test_what_a_name_becomes(topic: str, namespace: str, full: str) -> None:
    assert expand_topic_name(topic, "me", namespace) == full


def test_what_is_not_expanded() -> None:
    """Jazzy raises ValueError."""
    with pytest.raises((InvalidTopicNameException, ValueError)):
        expand_topic_name("a?", "me", "/")
    with pytest.raises((InvalidNodeNameException, ValueError)):
        expand_topic_name("a", "m.e", "/")
    with pytest.raises((InvalidNamespaceException, ValueError)):
        expand_topic_name("a", "me", "ns")
    with pytest.raises(Exception, match=r"substitution|expand"):
        expand_topic_name("{nobody}", "me", "/")


def test_a_node_refuses_names_too(make: Make) -> None:
    with pytest.raises(InvalidNodeNameException):
        make("no.name")
    with pytest.raises(InvalidNamespaceException):
        make("name", namespace="no?")
    node = make("name", namespace="relative")
    assert node.get_namespace() == "/relative"
    assert node.get_fully_qualified_name() == "/relative/name"
    assert node.get_logger().name == "relative.name"
    with pytest.raises(InvalidTopicNameException):
        node.create_publisher(Empty, "chatter?", 1)
    with pytest.raises(InvalidTopicNameException):
        node.create_publisher(Empty, "a" * 300, 1)
    with pytest.raises(InvalidServiceNameException):
        node.create_client(Trigger, "get/it?")
    with pytest.raises(InvalidServiceNameException):
        node.create_service(Trigger, "a//b", lambda _, answer: answer)


def test_the_first_rule_that_fits_is_taken(make: Make) -> None:
    node = make(
        "me",
        namespace="/ns",
        cli_args=[
            *("--ros-args", "-r", "other:a:=not_mine", "-r", "me:a:=mine", "-r", "a:=late"),
            *("--remap", "/ns/b:=/elsewhere", "-r", "~/c:=c", "-r", "d:=~/d", "-r", "mine:=again"),
            *("-r", "e:=both", "-r", "/f:=/g"),
        ],
    )
    resolved = node.resolve_topic_name
    assert resolved("a") == "/ns/mine"
    assert resolved("a", only_expand=True) == "/ns/a"
    assert resolved("b") == "/elsewhere"
    assert resolved("~/c") == "/ns/c"
    assert resolved("d") == "/ns/me/d"
    assert resolved("mine") == "/ns/again"
    assert resolved("e") == node.resolve_service_name("e") == "/ns/both"
    assert resolved("f") == "/ns/f"
    assert resolved("/f") == "/g"
    publisher = node.create_publisher(Empty, "b", 1)
    assert publisher.topic_name == "/elsewhere"
    assert node.create_client(Trigger, "e").service_name == "/ns/both"


def test_a_node_is_renamed(make: Make) -> None:
    with told("--ros-args", "-r", "__node:=all", "-r", "__ns:=/spaces") as context:
        one = make("one", context=context)
        assert one.get_fully_qualified_name() == "/spaces/all"
        own = make("two", context=context, cli_args=["--ros-args", "-r", "__node:=own"])
        assert own.get_fully_qualified_name() == "/spaces/own"
        free = make("three", context=context, use_global_arguments=False)
        assert free.get_fully_qualified_name() == "/three"
        for node in (one, own, free):
            node.destroy_node()


def test_a_rule_for_one_node_alone(make: Make) -> None:
    with told("--ros-args", "-r", "b:__node:=c", "-r", "c:__ns:=/there", "-r", "x:=y") as context:
        nodes = [make(name, context=context) for name in ("a", "b")]
        assert [one.get_fully_qualified_name() for one in nodes] == ["/a", "/there/c"]
        local = make("d", context=context, cli_args=["--ros-args", "-r", "x:=z"])
        assert [one.resolve_topic_name("x") for one in (nodes[0], local)] == ["/y", "/z"]
        for node in (*nodes, local):
            node.destroy_node()


def test_where_ros_args_begin_and_end(make: Make) -> None:
    words = ["program", "-r", "a", "--ros-args", "-r", "c:=d", "--", "-r", "e", "--flag"]
    assert remove_ros_args(words) == ["program", "-r", "a", "-r", "e", "--flag"]
    assert remove_ros_args(["program", "--ros-args"]) == ["program"]
    assert remove_ros_args([]) == []
    with told(*words[1:], "--ros-args", "-r", "g:=h") as context:
        node = make("me", context=context)
        assert [node.resolve_topic_name(x) for x in "aceg"] == ["/a", "/d", "/e", "/h"]
        node.destroy_node()


@pytest.mark.parametrize(
    "words", [("--nothing",), ("word",), ("-r",), ("-r", "a"), ("-r", ":=b"), ("-p", "a")]
)
def test_what_is_no_ros_argument(words: tuple[str, ...]) -> None:
    with pytest.raises(RuntimeError), told("--ros-args", *words):
        pass
    with pytest.raises(RuntimeError):
        rclpy.init(args=["--ros-args", *words], context=Context())


def test_what_is_for_a_node_may_hold_other_words(make: Make) -> None:
    node = make("me", cli_args=["mine", "--flag", "--ros-args", "-r", "a:=b", "--", "more"])
    assert node.resolve_topic_name("a") == "/b"
    with pytest.raises(RuntimeError):
        make("me", cli_args=["--ros-args", "--nothing"])
