"""Contacts: who may touch whom, and how hard contacts are.

Two geoms touch if one's contype is in the other's conaffinity; the arm never touches itself, nor
scenery itself.
"""

OBJECT, SCENERY, GRIPPER = 1, 2, 4
HIT_OBJECTS = OBJECT
HIT_ALL = OBJECT | SCENERY

# MuJoCo scales a contact's stiffness with the masses it moves: a light object squeezed by a heavy
# arm gives way. These keep the squeeze of the whole gripper under a millimetre or two.
SOLREF = (0.01, 1.0)
SOLIMP = (0.95, 0.999, 0.001, 0.5, 2.0)
