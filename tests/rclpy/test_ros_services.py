"""Calls: asked, answered, and what becomes of those that are not."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import rclpy
from example_interfaces.srv import AddTwoInts
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.client import Client
from rclpy.exceptions import InvalidHandle
from rclpy.executors import MultiThreadedExecutor
from rclpy.task import Future
from ros_doing import PATIENCE_S, Make, Program, Spin, result, spun, spun_until, until
from std_srvs.srv import Trigger


def add(request: Any, response: Any) -> Any:
    response.sum = request.a + request.b
    return response


def unanswered(client: Client, request: Any) -> bool:
    """Jazzy's answers None then, later ones raise."""
    try:
        return client.call(request, timeout_sec=0.05) is None
    except TimeoutError:
        return True


def test_a_call_is_answered(make: Make) -> None:
    node = make()
    service = node.create_service(AddTwoInts, "add", add)
    client = node.create_client(AddTwoInts, "add")
    assert service.service_name == client.service_name == "/add"
    assert client.wait_for_service(PATIENCE_S)
    future = client.call_async(AddTwoInts.Request(a=2, b=3))
    assert not future.done()
    assert spun(node, future).sum == 5


def test_waiting_in_another_thread_than_the_one_that_spins(make: Make, spin: Spin) -> None:
    there, here = make("there"), make("here")
    there.create_service(AddTwoInts, "add", add)
    client = here.create_client(AddTwoInts, "add")
    spin(there, here)
    assert client.wait_for_service(PATIENCE_S)
    assert client.call(AddTwoInts.Request(a=-1, b=2**62)).sum == 2**62 - 1


def test_a_service_that_is_a_coroutine(make: Make) -> None:
    node = make()
    gate = Future()

    async def later(request: Any, response: Any) -> Any:
        return add(await gate, response)

    node.create_service(AddTwoInts, "later", later, callback_group=MutuallyExclusiveCallbackGroup())
    client = node.create_client(AddTwoInts, "later")
    assert client.wait_for_service(PATIENCE_S)
    future = client.call_async(AddTwoInts.Request())
    rclpy.spin_until_future_complete(node, future, timeout_sec=0.05)
    assert not future.done()
    gate.set_result(AddTwoInts.Request(a=4, b=5))
    assert spun(node, future).sum == 9


def test_what_is_no_request(make: Make) -> None:
    node = make()
    client = node.create_client(AddTwoInts, "add")
    for wrong in (Trigger.Request(), AddTwoInts.Response(), None):
        with pytest.raises(TypeError):
            client.call_async(wrong)
    node.create_service(AddTwoInts, "add", add)


@pytest.mark.parametrize("answer", [None, Trigger.Response(), 5])
def test_what_is_no_response(make: Make, answer: Any) -> None:
    """The error names what is to be mended; it is the server's own."""
    node = make()
    node.create_service(AddTwoInts, "add", lambda request, response: answer)
    client = node.create_client(AddTwoInts, "add")
    assert client.wait_for_service(PATIENCE_S)
    future = client.call_async(AddTwoInts.Request())
    with pytest.raises(TypeError):
        spun(node, future)
    assert not future.done()


def test_what_a_service_raises_is_its_own(make: Make) -> None:
    node = make()

    def fail(request: Any, response: Any) -> Any:
        raise KeyError("here")

    node.create_service(AddTwoInts, "add", fail)
    client = node.create_client(AddTwoInts, "add")
    assert client.wait_for_service(PATIENCE_S)
    with pytest.raises(KeyError, match="here"):
        spun(node, client.call_async(AddTwoInts.Request()))


def test_nobody_is_there(make: Make, spin: Spin) -> None:
    node = make()
    client = node.create_client(AddTwoInts, "add")
    assert not client.service_is_ready()
    assert not client.wait_for_service(timeout_sec=0.05)
    assert not client.wait_for_service(timeout_sec=0)
    spin(node)
    assert unanswered(client, AddTwoInts.Request())


def test_another_type_is_nobody(make: Make) -> None:
    node = make()
    node.create_service(Trigger, "add", lambda _, response: response)
    client = node.create_client(AddTwoInts, "add")
    assert not client.wait_for_service(timeout_sec=0.1)


def test_a_service_comes_and_goes(make: Make) -> None:
    there, here = make("there"), make("here")
    client = here.create_client(AddTwoInts, "add")
    for _ in range(3):
        service = there.create_service(AddTwoInts, "add", add)
        assert client.wait_for_service(PATIENCE_S)
        there.destroy_service(service)
        until(lambda: not client.service_is_ready())


def test_two_clients_get_each_their_own_answers(make: Make, spin: Spin) -> None:
    there, here = make("there"), make("here")
    there.create_service(AddTwoInts, "add", add)
    clients = [here.create_client(AddTwoInts, "add") for _ in range(2)]
    spin(there, here)
    assert all(client.wait_for_service(PATIENCE_S) for client in clients)
    for tens in range(10):  # a service keeps ten
        futures = [
            clients[number % 2].call_async(AddTwoInts.Request(a=number, b=1000 * (number % 2)))
            for number in range(10 * tens, 10 * tens + 10)
        ]
        for number, future in enumerate(futures):
            assert result(future).sum == 10 * tens + number + 1000 * (number % 2)


def test_many_call_at_once(make: Make, spin: Spin) -> None:
    there, here = make("there"), make("here")
    group = ReentrantCallbackGroup()
    there.create_service(AddTwoInts, "add", add, callback_group=group)
    client = here.create_client(AddTwoInts, "add", callback_group=group)
    spin(there, here, executor=MultiThreadedExecutor(4))
    assert client.wait_for_service(PATIENCE_S)
    sums: dict[int, int] = {}

    def call(first: int) -> None:
        for number in range(first, first + 25):
            sums[number] = client.call(AddTwoInts.Request(a=number, b=1), PATIENCE_S).sum

    threads = [threading.Thread(target=call, args=(25 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sums == {number: number + 1 for number in range(100)}


def test_two_servers_answer_both_and_the_first_counts(make: Make) -> None:
    node, asked = make(), list[str]()

    def answering(name: str) -> Any:
        def answer(request: Any, response: Any) -> Any:
            asked.append(name)
            return add(request, response)

        return answer

    for name in ("one", "two"):
        node.create_service(AddTwoInts, "add", answering(name))
    client = node.create_client(AddTwoInts, "add")
    until(lambda: client.service_is_ready() and node.count_services("add") == 2)
    future = client.call_async(AddTwoInts.Request(a=1, b=1))
    assert spun(node, future).sum == 2
    spun_until(node, lambda: len(asked) == 2)
    again = client.call_async(AddTwoInts.Request(a=2, b=2))
    assert spun(node, again).sum == 4


def test_an_answer_that_nobody_waits_for(make: Make) -> None:
    node = make()
    node.create_service(AddTwoInts, "add", add)
    client = node.create_client(AddTwoInts, "add")
    assert client.wait_for_service(PATIENCE_S)
    forgotten = client.call_async(AddTwoInts.Request(a=1))
    client.remove_pending_request(forgotten)
    client.remove_pending_request(forgotten)
    assert spun(node, client.call_async(AddTwoInts.Request(a=2))).sum == 2
    assert not forgotten.done()


def test_who_is_told_of_an_answer(make: Make) -> None:
    node, told = make(), list[int]()
    node.create_service(AddTwoInts, "add", add)
    client = node.create_client(AddTwoInts, "add")
    assert client.wait_for_service(PATIENCE_S)
    future = client.call_async(AddTwoInts.Request(a=1))
    future.add_done_callback(lambda done: told.append(done.result().sum))
    spun_until(node, lambda: told)
    future.add_done_callback(lambda done: told.append(done.result().sum))
    spun_until(node, lambda: told == [1, 1])


def test_who_is_destroyed_asks_no_more(make: Make) -> None:
    node = make()
    client = node.create_client(AddTwoInts, "add")
    service = node.create_service(AddTwoInts, "add", add)
    assert list(node.clients) == [client]
    assert node.destroy_client(client)
    assert not node.destroy_client(client)
    assert node.destroy_service(service)
    assert not node.destroy_service(service)
    with pytest.raises(InvalidHandle):
        client.call_async(AddTwoInts.Request())


SERVER = """
from std_srvs.srv import Trigger
rclpy.init()
node = Node("server")
def answer(request, response):
    print("asked")
    import time
    time.sleep(1000)
node.create_service(Trigger, "ask", answer)
rclpy.spin(node)
"""


def test_a_server_that_dies(make: Make, spin: Spin) -> None:
    node = make()
    client = node.create_client(Trigger, "ask")
    spin(node)
    with Program(SERVER) as server:
        assert client.wait_for_service(PATIENCE_S)
        future = client.call_async(Trigger.Request())
        server.says("asked")
        server.process.kill()
        until(lambda: not client.service_is_ready(), seconds=5)
        assert not client.wait_for_service(timeout_sec=0)
        assert unanswered(client, Trigger.Request())
        assert not future.done()
    with Program(SERVER.replace("import time", "return response")):
        assert client.wait_for_service(PATIENCE_S)
        assert not result(client.call_async(Trigger.Request())).success
    assert not future.done()
