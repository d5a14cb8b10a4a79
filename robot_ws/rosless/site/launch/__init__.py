"""The part of ROS 2's launch that runs a cell's launch files: what is missing says so."""

from . import actions, conditions, event_handlers, events, substitutions
from .conditions import Condition
from .event_handlers import EventHandler
from .events import Event
from .launch_context import LaunchContext
from .launch_description import Action, LaunchDescription, LaunchDescriptionEntity, SomeEntitiesType
from .launch_description_sources import LaunchDescriptionSource
from .launch_service import LaunchService
from .substitutions import SomeSubstitutionsType, Substitution

__all__ = ["Action", "Condition", "Event", "EventHandler", "LaunchContext", "LaunchDescription"]
__all__ += ["LaunchDescriptionEntity", "LaunchDescriptionSource", "LaunchService"]
__all__ += ["SomeEntitiesType", "SomeSubstitutionsType", "Substitution"]
__all__ += ["actions", "conditions", "event_handlers", "events", "substitutions"]
