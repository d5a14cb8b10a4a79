"""rclpy, as far as a cell's nodes use it, where ROS 2 is not installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from rclpy.context import Context, get_default_context, ok, try_shutdown
from rclpy.signals import SignalHandlerOptions, install_signal_handlers, uninstall_signal_handlers
from rclpy.task import Future

if TYPE_CHECKING:
    from rclpy.executors import Executor
    from rclpy.node import Node

__all__ = ["Context", "Future", "SignalHandlerOptions", "get_default_context", "ok"]
__all__ += ["create_node", "get_global_executor", "init", "shutdown", "try_shutdown"]
__all__ += ["spin", "spin_once", "spin_until_future_complete"]
_executor: Executor | None = None


def init(
    *,
    args: Sequence[str] | None = None,
    context: Context | None = None,
    domain_id: int | None = None,
    signal_handler_options: SignalHandlerOptions | None = None,
) -> ExitStack:
    """Signals are taken where the default context is meant, unless told. With what it returns,
    shutdown comes by itself."""
    if signal_handler_options is None:
        default = context is None
        signal_handler_options = SignalHandlerOptions.ALL if default else SignalHandlerOptions.NO
    (context or get_default_context()).init(args, domain_id=domain_id)
    install_signal_handlers(signal_handler_options)
    over = ExitStack()
    over.callback(try_shutdown, context=context)
    if signal_handler_options:
        over.callback(uninstall_signal_handlers)
    return over


def shutdown(*, context: Context | None = None, uninstall_handlers: bool | None = None) -> None:
    global _executor
    chosen = context or get_default_context(shutting_down=True)
    if _executor is not None and _executor.context is chosen:
        _executor.shutdown(0)
        _executor = None
    chosen.shutdown()
    if uninstall_handlers or (uninstall_handlers is None and context is None):
        uninstall_signal_handlers()


def get_global_executor() -> Executor:
    global _executor
    from rclpy.executors import SingleThreadedExecutor

    if _executor is None or _executor._is_shutdown or not _executor.context.ok():
        _executor = SingleThreadedExecutor()
    return _executor


def create_node(node_name: str, **choices: Any) -> Node:
    from rclpy.node import Node

    return Node(node_name, **choices)


@contextmanager
def _with(node: Node, executor: Executor | None) -> Iterator[Executor]:
    chosen = executor or get_global_executor()
    try:
        chosen.add_node(node)
        yield chosen
    finally:
        chosen.remove_node(node)


def spin_once(
    node: Node, *, executor: Executor | None = None, timeout_sec: float | None = None
) -> None:
    with _with(node, executor) as chosen:
        chosen.spin_once(timeout_sec)


def spin(node: Node, executor: Executor | None = None) -> None:
    with _with(node, executor) as chosen:
        chosen.spin()


def spin_until_future_complete(
    node: Node, future: Future, executor: Executor | None = None, timeout_sec: float | None = None
) -> None:
    with _with(node, executor) as chosen:
        chosen.spin_until_future_complete(future, timeout_sec)
