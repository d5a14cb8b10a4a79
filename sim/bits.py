"""Collision bits: who may touch whom. Two geoms touch if one's contype is in the other's
conaffinity; the arm never touches itself, nor scenery itself."""

OBJECT, SCENERY, GRIPPER = 1, 2, 4
HIT_OBJECTS = OBJECT
HIT_ALL = OBJECT | SCENERY
