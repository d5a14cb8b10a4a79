"""The services by which others see and set a node's parameters."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rcl_interfaces.msg import ListParametersResult, SetParametersResult
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    GetParameterTypes,
    ListParameters,
    SetParameters,
    SetParametersAtomically,
)

from rclpy.exceptions import ParameterNotDeclaredException, ParameterUninitializedException
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_parameters

if TYPE_CHECKING:
    from rclpy.node import Node


class ParameterService:
    def __init__(self, node: Node) -> None:
        self._held = weakref.ref(node)
        for srv_type, name, callback in (
            (DescribeParameters, "describe_parameters", self._describe),
            (GetParameters, "get_parameters", self._get),
            (GetParameterTypes, "get_parameter_types", self._types),
            (ListParameters, "list_parameters", self._list),
            (SetParameters, "set_parameters", self._set),
            (SetParametersAtomically, "set_parameters_atomically", self._set_atomically),
        ):
            node.create_service(srv_type, f"~/{name}", callback, qos_profile=qos_profile_parameters)

    @property
    def _node(self) -> Node:
        node = self._held()
        assert node is not None  # its services go with it
        return node

    # One that is not known leaves the whole answer empty.

    def _describe(self, request: Any, response: Any) -> Any:
        with suppress(ParameterNotDeclaredException):
            response.descriptors = self._node.describe_parameters(request.names)
        return response

    def _get(self, request: Any, response: Any) -> Any:
        try:
            found = self._node.get_parameters(request.names)
            response.values = [one.get_parameter_value() for one in found]
        except (ParameterNotDeclaredException, ParameterUninitializedException):
            pass
        return response

    def _types(self, request: Any, response: Any) -> Any:
        with suppress(ParameterNotDeclaredException):
            response.types = self._node.get_parameter_types(request.names)
        return response

    def _list(self, request: Any, response: Any) -> Any:
        try:
            response.result = self._node.list_parameters(request.prefixes, request.depth)
        except (TypeError, ValueError):
            response.result = ListParametersResult()
        return response

    def _set(self, request: Any, response: Any) -> Any:
        response.results = [self._one([parameter]) for parameter in request.parameters]
        return response

    def _set_atomically(self, request: Any, response: Any) -> Any:
        response.result = self._one(request.parameters)
        return response

    def _one(self, messages: list[Any]) -> SetParametersResult:
        try:
            parameters = [Parameter.from_parameter_msg(message) for message in messages]
        except ValueError as error:  # of no known type
            return SetParametersResult(successful=False, reason=str(error))
        try:
            return self._node.set_parameters_atomically(parameters)
        except ParameterNotDeclaredException as error:
            return SetParametersResult(successful=False, reason=str(error))
