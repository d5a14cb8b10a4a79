"""The services by which others see and set a node's parameters."""

from __future__ import annotations

import re
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

    for kind, field, found in (
        (srv.DescribeParameters, "descriptors", lambda r: node.describe_parameters(r.names)),
        (srv.GetParameters, "values", lambda r: values(r.names)),
        (srv.GetParameterTypes, "types", lambda r: node.get_parameter_types(r.names)),
        (srv.ListParameters, "result", lambda r: node.list_parameters(r.prefixes, r.depth)),
        (srv.SetParameters, "results", lambda r: [one([each]) for each in r.parameters]),
        (srv.SetParametersAtomically, "result", lambda r: one(r.parameters)),
    ):
        name = re.sub(r"\B(?=[A-Z])", "_", kind.__name__).lower()  # describe_parameters
        answer = answering(field, found)
        node.create_service(kind, f"~/{name}", answer, qos_profile=qos_profile_parameters)
