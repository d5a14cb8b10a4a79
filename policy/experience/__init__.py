"""Experience: the episode log, the only interface between acting and learning, and the replay.

Ground floor: every part of the project may import it; of ours it imports only the contract.
"""
