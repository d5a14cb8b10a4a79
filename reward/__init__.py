"""Who judges whether a grasp succeeded."""
