"""What happens while a launched system runs."""


class Event:
    """Derive from it for events of one's own."""
