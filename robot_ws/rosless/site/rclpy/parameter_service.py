"""The services by which others see and set a node's parameters."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rcl_interfaces import srv
from rcl_interfaces.msg import SetParametersResult

from rclpy.exceptions import ParameterNotDeclaredException, ParameterUninitializedException
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_parameters

if TYPE_CHECKING:
    from rclpy.node import Node


def offer_parameters(node: Node) -> None:
    """It holds the node no longer than the node holds its services."""

    def values(names: list[str]) -> list[Any]:
        return [one.get_parameter_value() for one in node.get_parameters(names)]

    def one(messages: list[Any]) -> SetParametersResult:
        try:
            parameters = [Parameter.from_parameter_msg(message) for message in messages]
            return node.set_parameters_atomically(parameters)
        except (ValueError, ParameterNotDeclaredException) as error:  # a type of no meaning
            return SetParametersResult(successful=False, reason=str(error))

    def answering(field: str, found: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
        def answer(request: Any, response: Any) -> Any:
            # One that is not known leaves the whole answer empty.
            with suppress(ParameterNotDeclaredException, ParameterUninitializedException):
                setattr(response, field, found(request))
            return response

        return answer

    for srv_type, name, field, found in (
        (
            *(srv.DescribeParameters, "describe_parameters", "descriptors"),
            lambda request: node.describe_parameters(request.names),
        ),
        (srv.GetParameters, "get_parameters", "values", lambda request: values(request.names)),
        (
            *(srv.GetParameterTypes, "get_parameter_types", "types"),
            lambda request: node.get_parameter_types(request.names),
        ),
        (
            *(srv.ListParameters, "list_parameters", "result"),
            lambda request: node.list_parameters(request.prefixes, request.depth),
        ),
        (
            *(srv.SetParameters, "set_parameters", "results"),
            lambda request: [one([each]) for each in request.parameters],
        ),
        (
            *(srv.SetParametersAtomically, "set_parameters_atomically", "result"),
            lambda request: one(request.parameters),
        ),
    ):
        answer = answering(field, found)
        node.create_service(srv_type, f"~/{name}", answer, qos_profile=qos_profile_parameters)
